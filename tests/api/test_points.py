"""Points: balances, the ledger, spending, the proof."""

import pytest

import servers
from shop import balance, fresh, give_back, line, order, refund, take


def redeem(client, customer, points, key=None, **rest):
    return client.post(f"/v1/customers/ext:{customer}/points/redemptions", {"points": points, **rest},
                       Idempotency_Key=key or fresh("key"))


def with_points(admin, points):
    customer = fresh("customer")
    take(admin, order(customer, points * 100))
    return customer


def ledger(admin, customer, query=""):
    return [one for page in admin.pages(f"/v1/customers/ext:{customer}/points/ledger{query}") for one in page]


def test_somebody_without_points_has_a_balance_of_nothing(admin):
    customer = fresh("customer")
    made = admin.put(f"/v1/customers/ext:{customer}", {"name": "N"}).ok(201)
    assert balance(admin, customer) == {"customer_id": made["id"], "active": 0, "pending": 0, "held": 0, "debt": 0,
                                        "lifetime_earned": 0, "lifetime_spent": 0, "lifetime_expired": 0, "next_expiries": []}
    assert ledger(admin, customer) == []


def test_the_balance_adds_up_over_earning_spending_and_giving_back(admin):
    customer = with_points(admin, 300)
    body = order(customer, 20000)
    take(admin, body)
    redeem(admin, customer, 450).ok(201)
    give_back(admin, body["external_id"], refund({"line_no": 1, "amount_minor": 10000}))
    held = balance(admin, customer)
    assert (held["active"], held["debt"], held["lifetime_earned"], held["lifetime_spent"]) == (0, 50, 400, 450)
    take(admin, order(customer, 10000))
    held = balance(admin, customer)
    assert (held["active"], held["debt"]) == (50, 0) and held["next_expiries"] == [{"expires_at": None, "points": 50}]


def test_the_ledger_is_a_chain_newest_first_through_all_pages(admin):
    customer = with_points(admin, 100)
    for points in (10, 20, 30):
        redeem(admin, customer, points, reason=f"cup {points}").ok(201)
    entries = ledger(admin, customer)
    assert [(one["seq"], one["kind"], one["amount"], one["active_after"]) for one in entries] == [
        (4, "spend", -30, 40), (3, "spend", -20, 70), (2, "spend", -10, 90), (1, "earn", 100, 100)]
    assert [one["reason"] for one in entries[:3]] == ["cup 30", "cup 20", "cup 10"]
    assert entries[0]["cause"] == "redemption" and entries[3]["cause"] == "order" and entries[3]["order_id"]
    assert ledger(admin, customer, "?limit=1") == ledger(admin, customer, "?limit=3") == entries


def test_the_cursor_of_another_customers_ledger_is_400(admin):
    one, other = with_points(admin, 10), with_points(admin, 10)
    redeem(admin, one, 1).ok(201)
    cursor = admin.get(f"/v1/customers/ext:{one}/points/ledger?limit=1").ok()["next_cursor"]
    admin.get(f"/v1/customers/ext:{other}/points/ledger?cursor={cursor}").is_problem(400, "bad-cursor")


# ---------------------------------------------------------------------- spending


def test_a_redemption_takes_the_points_and_says_what_is_left(admin):
    customer = with_points(admin, 100)
    answer = redeem(admin, customer, 30, reason="a cup")
    spent = answer.ok(201)
    assert (spent["points"], spent["seq"], spent["balance"]) == (30, 2, balance(admin, customer))
    assert spent["balance"]["active"] == 70 and spent["balance"]["lifetime_spent"] == 30
    assert answer.headers["location"] == f"/v1/customers/{spent['customer_id']}/points/ledger"
    assert admin.get(answer.headers["location"]).ok()["data"][0]["seq"] == 2


def test_without_an_idempotency_key_it_is_400_and_nothing_is_spent(admin):
    customer = with_points(admin, 100)
    path = f"/v1/customers/ext:{customer}/points/redemptions"
    admin.post(path, {"points": 1}).is_problem(400, "idempotency-key-required")
    for key in ("", '""', "a" * 256, "ä".encode().decode("latin1"), '"open', 'a"b'):
        answer = admin.post(path, {"points": 1}, Idempotency_Key=key)
        assert answer.status == 400 and answer.slug in ("bad-header", "idempotency-key-required"), key
    assert admin.post(path, {"points": 1}, Idempotency_Key="a" * 255 + "").status == 201
    assert balance(admin, customer)["active"] == 99


def test_a_retry_under_the_key_spends_once_and_gets_the_same_answer(admin):
    customer, key = with_points(admin, 100), fresh("key")
    first = redeem(admin, customer, 30, key)
    redeem(admin, customer, 5).ok(201)
    again = redeem(admin, customer, 30, key)
    assert again.status == 201 and again.headers["idempotency-hit"] == "true" and again.body == first.body
    assert again.headers["location"] == first.headers["location"] and "idempotency-hit" not in first.headers
    redeem(admin, customer, 31, key).is_problem(422, "idempotency-key-reused")
    redeem(admin, customer, 30, key, reason="x").is_problem(422, "idempotency-key-reused")
    redeem(admin, with_points(admin, 50), 30, key).is_problem(422, "idempotency-key-reused")
    assert balance(admin, customer)["active"] == 65


def test_too_few_points_are_409_with_the_balance_and_what_is_required(admin):
    customer, key = with_points(admin, 30), fresh("key")
    problem = redeem(admin, customer, 50, key).is_problem(409, "insufficient-points")
    assert (problem["balance"], problem["required"]) == (30, 50)
    assert problem["detail"] == "The balance is 30; the redemption costs 50."
    take(admin, order(customer, 2000))
    assert redeem(admin, customer, 50, key).ok(201)["balance"]["active"] == 0, "a refusal is not kept under the key"


def test_a_key_is_good_for_a_day_and_then_free(admin, clock):
    customer, key = with_points(admin, 100), fresh("key")
    redeem(admin, customer, 10, key).ok(201)
    clock.advance(hours=23, minutes=59)
    assert redeem(admin, customer, 10, key).headers["idempotency-hit"] == "true"
    clock.advance(minutes=2)
    assert redeem(admin, customer, 20, key).ok(201)["balance"]["active"] == 70


@pytest.mark.parametrize("reference", ["ext:nobody", "01234567-89ab-7def-8123-456789abcdef"])
def test_nobody_can_neither_be_read_nor_spend(admin, reference):
    for path in ("points", "points/ledger"):
        admin.get(f"/v1/customers/{reference}/{path}").is_problem(404, "not-found")
    admin.post(f"/v1/customers/{reference}/points/redemptions", {"points": 1}, Idempotency_Key=fresh("key")).is_problem(
        404, "not-found")


# ---------------------------------------------------------------------- the proof


def test_the_proof_counts_all_accounts_and_entries_and_finds_nothing(server, admin):
    with_points(admin, 10)
    count = "SELECT (SELECT count(*) FROM points_accounts) || ' ' || (SELECT count(*) FROM points_ledger)"
    customers, entries = map(int, servers.psql(server.database_url, count).split())
    assert admin.get("/v1/points/proof").ok() == {"ok": True, "customers": customers, "checked_entries": entries, "faults": []}


@pytest.mark.parametrize("spoil,mend,check", [
    ("UPDATE points_accounts SET active = active + 1", "UPDATE points_accounts SET active = active - 1", "account_is_last_entry"),
    ("UPDATE points_ledger SET amount = amount + 1 WHERE kind = 'earn'", "UPDATE points_ledger SET amount = amount - 1 "
     "WHERE kind = 'earn'", "ledger_chain"),
    ("UPDATE points_lots SET remaining = remaining - 1", "UPDATE points_lots SET remaining = remaining + 1", "lots_sum"),
])
def test_the_proof_names_the_customer_whose_points_are_wrong(server, admin, spoil, mend, check):
    customer = with_points(admin, 10)
    whose = f" {'AND' if 'WHERE' in spoil else 'WHERE'} customer_id = '{balance(admin, customer)['customer_id']}'"
    servers.psql(server.database_url, spoil + whose)
    proof = admin.get("/v1/points/proof").ok()
    servers.psql(server.database_url, mend + whose)
    # the directory may have taken in what was spoiled
    servers.psql(server.database_url, f"INSERT INTO customer_changes (customer_id) VALUES ('{balance(admin, customer)['customer_id']}')")
    assert not proof["ok"] and check in {one["check"] for one in proof["faults"]}
    assert {one["customer_id"] for one in proof["faults"]} == {balance(admin, customer)["customer_id"]}
    assert admin.get("/v1/points/proof").ok()["ok"]


def test_what_there_was_at_a_past_instant_is_told(admin, clock):
    customer = fresh("customer")
    clock.set("2028-02-01T04:00:00Z")
    take(admin, order(customer, 10000))
    clock.set("2028-02-02T04:00:00Z")
    redeem(admin, customer, 30).ok(201)
    path = f"/v1/customers/ext:{customer}/points?as_of="
    assert admin.get(path + "2028-02-01T12:00:00Z").ok()["active"] == 100
    assert admin.get(path + "2028-01-31T04:00:00Z").ok()["active"] == 0
    assert admin.get(path + "2028-02-02T04:10:00Z").faults == {("as_of", "too_large")}
    clock.set("2028-02-03T04:00:00Z")
    assert admin.get(path + "2028-02-02T05:00:00Z").ok() == balance(admin, customer)
    admin.get("/v1/customers/ext:nobody/points?as_of=2028-02-02T05:00:00Z").is_problem(404, "not-found")


def test_the_ledger_alone_explains_every_point(admin, program):
    program({"earning": [{"code": "base", "kind": "base", "rate_millionths": 1000000, "caps": {"per_order": 80}},
                         {"code": "bags", "kind": "add", "points": 5, "when": "category = 'bags'"}],
             "points": {"expiry": {"form": "months", "months": 12}}})
    customer = fresh("customer")
    number = take(admin, order(customer, lines=[line(1, 10000, category="bags")]))["order"]["external_id"]
    redeem(admin, customer, 30, reason="a cup").ok(201)
    spent, earned = ledger(admin, customer)
    assert earned["order_external_id"] == number and earned["lot_no"] == 1 and earned["lot_remaining"] == 55 and earned["expires_at"]
    assert earned["explanation"] == [{"rule": "base", "points": 100}, {"rule": "base:cap_per_order", "points": -20},
                                     {"rule": "bags", "points": 5}]
    assert spent["draws"] == [{"lot_no": 1, "amount": 30, "order_external_id": earned["order_external_id"],
                               "earned_at": earned["created_at"], "expires_at": earned["expires_at"]}] and spent["reason"] == "a cup"
    assert spent["actor"] == earned["actor"] == admin.key.split("_")[1]
