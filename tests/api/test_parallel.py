"""Sixty-four at the same moment: each of them is answered as if it were alone."""

import servers
from shop import balance, fresh, fresh_phone, order, take, tier

MANY = 64


def test_the_same_order_is_taken_once_and_answered_every_time(admin):
    customer = fresh("customer")
    body = order(customer, 60000)
    answers = admin.parallel([("POST", "/v1/orders", body)] * MANY)
    assert sorted(one.status for one in answers) == [200] * (MANY - 1) + [201]
    assert len({one.body for one in answers}) == 1
    assert sum(one.headers.get("idempotency-hit") == "true" for one in answers) == MANY - 1
    assert balance(admin, customer)["active"] == 600 and tier(admin, customer)["orders"] == 1


def test_different_orders_of_one_customer_all_land_and_the_balance_is_their_sum(admin):
    customer, phone = fresh("customer"), fresh_phone()
    who = [{"external_id": customer}, {"external_id": customer, "phone": phone}, {"phone": phone}]
    take(admin, order(who[1], 0))
    answers = admin.parallel([("POST", "/v1/orders", order(who[i % 3], 100 * (i + 1))) for i in range(MANY)])
    assert [one.status for one in answers] == [201] * MANY
    total = sum(range(1, MANY + 1))
    assert balance(admin, customer)["active"] == balance(admin, customer)["lifetime_earned"] == total
    stands = tier(admin, customer)
    assert (stands["orders"], stands["spend_minor"], stands["growth"]) == (MANY + 1, total * 100, total)
    entries = [one for page in admin.pages(f"/v1/customers/ext:{customer}/points/ledger") for one in page]
    assert [one["seq"] for one in entries] == list(range(MANY, 0, -1))


def test_different_orders_of_many_customers_all_land(admin):
    customers = [fresh("customer") for _ in range(16)]
    answers = admin.parallel([("POST", "/v1/orders", order(customers[i % 16], 1000)) for i in range(MANY)])
    assert [one.status for one in answers] == [201] * MANY
    assert {balance(admin, one)["active"] for one in customers} == {40}


def test_the_last_points_are_spent_once(admin):
    customer = fresh("customer")
    take(admin, order(customer, 5000))
    path = f"/v1/customers/ext:{customer}/points/redemptions"
    answers = admin.parallel([("POST", path, {"points": 1 + i % 7}, {"Idempotency-Key": fresh("key")}) for i in range(MANY)])
    spent = sum(one.json()["points"] for one in answers if one.status == 201)
    assert {one.status for one in answers} == {201, 409}
    assert all(one.slug == "insufficient-points" for one in answers if one.status == 409)
    held = balance(admin, customer)
    assert held["active"] == 50 - spent and held["lifetime_spent"] == spent and spent > 50 - 7
    rest = admin.parallel([("POST", path, {"points": 1}, {"Idempotency-Key": fresh("key")}) for _ in range(MANY)])
    assert sum(one.status == 201 for one in rest) == 50 - spent and balance(admin, customer)["active"] == 0


def test_fifty_points_are_fifty_single_redemptions(admin):
    customer = fresh("customer")
    take(admin, order(customer, 5000))
    path = f"/v1/customers/ext:{customer}/points/redemptions"
    answers = admin.parallel([("POST", path, {"points": 1}, {"Idempotency-Key": fresh("key")}) for _ in range(MANY)])
    assert sorted(one.status for one in answers) == [201] * 50 + [409] * (MANY - 50)
    assert balance(admin, customer)["active"] == 0 and balance(admin, customer)["lifetime_spent"] == 50


def test_one_redemption_key_spends_once_however_often_it_is_sent(admin):
    customer, key = fresh("customer"), fresh("key")
    take(admin, order(customer, 5000))
    path = f"/v1/customers/ext:{customer}/points/redemptions"
    answers = admin.parallel([("POST", path, {"points": 10}, {"Idempotency-Key": key})] * MANY)
    assert {one.status for one in answers} <= {201, 409}
    assert all(one.slug == "request-in-progress" for one in answers if one.status == 409)
    assert len({one.body for one in answers if one.status == 201}) == 1
    assert balance(admin, customer)["active"] == 40


def persons(server, *identities):
    """How many customers have one of the identities."""
    values = ",".join(f"'{one}'" for one in identities)
    return int(servers.psql(server.database_url, "SELECT count(DISTINCT customer_id) FROM customer_identities WHERE value IN "
                            f"({values})"))


def test_one_person_created_by_orders_under_different_identities_ends_as_one_customer(server, admin):
    phone, mail, number, openid = fresh_phone(), f"{fresh('mail')}@example.com", fresh("customer"), fresh("openid")
    wechat = [{"kind": "wechat_openid", "value": openid}]
    # whoever comes first, everybody shares the phone
    who = [{"phone": phone}, {"phone": phone, "email": mail}, {"phone": phone, "external_id": number},
           {"phone": phone, "identities": wechat}, {"phone": phone, "external_id": number, "email": mail, "identities": wechat}]
    answers = admin.parallel([("POST", "/v1/orders", order(who[i % 5], 100)) for i in range(MANY)])
    assert [one.status for one in answers] == [201] * MANY, [one.body for one in answers if one.status != 201][:3]
    outcomes = [one.json() for one in answers]
    assert len({one["customer"]["id"] for one in outcomes}) == 1 and sum(one["customer"]["created"] for one in outcomes) == 1
    assert persons(server, f"+86{phone}", mail, openid) == 1 and balance(admin, number)["active"] == MANY


def test_one_person_created_directly_is_created_once(server, admin):
    phone, mail = fresh_phone(), f"{fresh('mail')}@example.com"
    who = [{"phone": phone}, {"phone": phone, "email": mail}, {"email": mail, "phone": phone, "name": "N"}]
    answers = admin.parallel([("POST", "/v1/customers", who[i % 3]) for i in range(MANY)])
    assert sorted(one.status for one in answers) == [201] + [409] * (MANY - 1)
    assert all(one.slug == "identity-taken" for one in answers if one.status == 409)
    assert persons(server, f"+86{phone}", mail) == 1


def test_one_person_put_in_parallel_is_one_with_all_that_was_said(server, admin):
    number, phone = fresh("customer"), fresh_phone()
    path = f"/v1/customers/ext:{number}"
    bodies = [{"name": "N"}, {"city": "杭州"}, {"phone": phone}, {"phone": phone, "birthday": "05-20"}]
    answers = admin.parallel([("PUT", path, bodies[i % 4]) for i in range(MANY)])
    assert sorted(one.status for one in answers) == [200] * (MANY - 1) + [201]
    made = admin.get(path).ok()
    assert (made["name"], made["city"], made["phone"], made["birthday"]) == ("N", "杭州", f"+86{phone}", "05-20")
    assert persons(server, f"+86{phone}") == 1


def test_the_parts_of_an_order_refunded_in_parallel_sum_to_the_whole(admin):
    customer = fresh("customer")
    body = order(customer, *[999] * 16)
    take(admin, body)
    path = f"/v1/orders/ext:{body['external_id']}/refunds"
    parts = [{"external_id": fresh("r"), "lines": [{"line_no": i % 16 + 1, "quantity": 1}]} for i in range(MANY)]
    answers = admin.parallel([("POST", path, part) for part in parts])
    assert sorted(one.status for one in answers) == [201] * 16 + [409] * (MANY - 16)
    held = balance(admin, customer)
    assert (held["active"], held["debt"], held["lifetime_earned"]) == (0, 0, 0)


def test_the_states_of_one_order_sent_in_parallel_leave_the_latest(admin):
    customer = fresh("customer")
    body = order(customer, 10000, status="placed")
    states = ["placed", "paid", "shipped", "delivered"]
    answers = admin.parallel([("POST", "/v1/orders", {**body, "status": states[i % 4]}) for i in range(MANY)])
    assert {one.status for one in answers} <= {200, 201, 409} and sum(one.status == 201 for one in answers) == 1
    assert all(one.slug == "illegal-order-state" for one in answers if one.status == 409)
    assert admin.get(f"/v1/orders/ext:{body['external_id']}").ok()["order"]["status"] == "delivered"
    assert balance(admin, customer)["active"] == 100


def test_programmes_put_in_parallel_are_versions_in_a_row(admin, program):
    document = {name: value for name, value in admin.get("/v1/program").ok().items() if name != "version"}
    answers = admin.parallel([("PUT", "/v1/program", document)] * 8)
    landed = [one.json()["version"] for one in answers if one.status == 200]
    assert landed and len(set(landed)) == len(landed)
    assert all(one.slug == "conflict" for one in answers if one.status != 200)
    assert admin.get("/v1/program").ok()["version"] == max(landed)
