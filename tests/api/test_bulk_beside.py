"""Files beside other work: orders that come meanwhile, people who change within one batch, pages and lines on the way out."""

import threading

import servers
from bulk import export, import_all, job_over, ndjson, results, upload
from client import Client
from shop import fresh, fresh_phone, line, order, take


def blocks_of(server, job):
    """How many lines each transaction of a job applied."""
    text = servers.psql(server.database_url, f"SELECT lines FROM job_results WHERE job_id = '{job['id']}'")
    return [int(one) for one in text.split()]


def test_beside_orders_an_import_works_in_small_transactions_and_does_every_line_once(admin, contract, server):
    number, begun, over = fresh("beside"), threading.Event(), threading.Event()

    def storefront():
        client = Client(server, contract)
        while not over.is_set():
            take(client, order(f"{number}-shop", 100))
            begun.set()
        client.close()

    thread = threading.Thread(target=storefront)
    thread.start()
    assert begun.wait(timeout=10)
    job = job_over(admin, upload(admin, "orders", ndjson(order(f"{number}-{i % 90}", 100) for i in range(900))).ok(201))
    over.set()
    thread.join()
    assert (job["status"], job["succeeded"], job["failed"]) == ("complete", 900, 0)
    blocks = blocks_of(server, job)
    assert sum(blocks) == 900 and max(blocks) <= 25
    assert [one["line"] for one in results(admin, job)] == list(range(1, 901))
    earned = servers.psql(server.database_url, "SELECT count(*), sum(points_earned) FROM orders o JOIN customers c "
                          f"ON c.id = o.customer_id WHERE c.external_id LIKE '{number}-%' AND c.external_id <> '{number}-shop'")
    assert earned == "900|900"


def test_without_orders_an_import_works_in_large_transactions(admin, server):
    job = import_all(admin, "customers", [{"external_id": fresh("alone")} for _ in range(900)])
    assert max(blocks_of(server, job)) > 50


def contacts(client, number):
    found = client.get(f"/v1/customers/ext:{number}").ok()
    return found.get("phone"), found.get("email")


def test_a_phone_that_comes_and_goes_within_a_batch_is_free_for_the_next(admin):
    ann, bob, first, second = fresh("ann"), fresh("bob"), fresh_phone(), fresh_phone()
    mail = f"{ann}@example.com"
    import_all(admin, "customers", [{"external_id": ann, "phone": first}, {"external_id": ann, "phone": second, "email": mail},
                                    {"external_id": bob, "phone": first}])
    assert contacts(admin, ann) == ("+86" + second, mail)
    assert contacts(admin, bob) == ("+86" + first, None)


def test_a_known_customers_phone_is_replaced_and_free_for_the_next_of_the_batch(admin, server):
    ann, bob, old, new = fresh("ann"), fresh("bob"), fresh_phone(), fresh_phone()
    import_all(admin, "customers", [{"external_id": ann, "phone": old, "email": f"{ann}@example.com"}])
    import_all(admin, "customers", [{"external_id": ann, "phone": old, "name": "a"}, {"external_id": ann, "phone": new}])
    job = job_over(admin, upload(admin, "customers", ndjson([
        {"external_id": fresh("other"), "phone": new}, {"external_id": bob, "phone": old}])).ok(201))
    assert (job["succeeded"], job["failed"]) == (1, 1)  # Ann's is Ann's
    assert contacts(admin, ann) == ("+86" + new, f"{ann}@example.com")
    assert contacts(admin, bob) == ("+86" + old, None)
    phones = servers.psql(server.database_url, "SELECT value FROM customer_identities i JOIN customers c ON c.id = i.customer_id "
                          f"WHERE c.external_id = '{ann}' AND kind = 'phone'")
    assert phones == "+86" + new


def test_orders_go_out_with_all_their_lines_in_order(admin):
    number = fresh("lines")
    bodies = [order(number, lines=[line(no, 100 * no) for no in numbers]) for numbers in ((3, 1, 2), (1,), (12, 11, 10, 2))]
    import_all(admin, "orders", bodies)
    everybody = [one for one in export(admin, "orders") if one["customer"].get("external_id") == number]
    assert everybody == export(admin, "orders", f"?customer=ext:{number}")
    seen = {one["external_id"]: [(two["line_no"], two["total_minor"]) for two in one["lines"]] for one in everybody}
    assert seen == {body["external_id"]: sorted((one["line_no"], one["total_minor"]) for one in body["lines"]) for body in bodies}


def test_pages_of_an_export_follow_each_other_without_gap(admin, server):
    import_all(admin, "customers", [{"external_id": fresh("page"), "phone": fresh_phone()} for _ in range(1100)])
    ids = [one["id"] for one in export(admin, "customers")]
    known = servers.psql(server.database_url, "SELECT id FROM customers WHERE NOT erased ORDER BY created_at, id").split()
    assert sorted(ids) == sorted(known) and len(ids) == len(set(ids)) > 1100
