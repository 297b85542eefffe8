"""Holds: points reserved, captured in part or whole, given back, for themselves and for orders."""

import pytest

from shop import balance, eventually, fresh, give_back, line, order, refund, take

MISSING = "00000000-0000-4000-8000-000000000000"


def with_points(admin, points):
    customer = fresh("customer")
    take(admin, order(customer, points * 100))
    return customer


def holds(customer):
    return f"/v1/customers/ext:{customer}/points/holds"


def hold(client, customer, points, **rest):
    return client.post(holds(customer), {"points": points, **rest}, Idempotency_Key=fresh("key"))


def resolve(client, customer, reference, how, **body):
    return client.post(f"{holds(customer)}/{reference}/{how}", body, Idempotency_Key=fresh("key"))


def sums(admin, customer):
    held = balance(admin, customer)
    return held["active"], held["held"], held["debt"]


def last_entries(admin, customer, n):
    page = admin.get(f"/v1/customers/ext:{customer}/points/ledger?limit={n}").ok()["data"]
    return [(one["kind"], one["amount"], one["cause"]) for one in reversed(page)]


def test_a_hold_reserves_and_says_so(admin):
    customer = with_points(admin, 100)
    answer = hold(admin, customer, 30, reason="a cart", reference="cart-1")
    made = answer.ok(201)
    assert made["hold"]["state"] == "open" and made["hold"]["points"] == 30 and made["hold"]["reference"] == "cart-1"
    assert made["balance"] == balance(admin, customer) and sums(admin, customer) == (70, 30, 0)
    assert admin.get(answer.headers["location"]).ok() == made["hold"]
    assert admin.get(f"{holds(customer)}/ext:cart-1").ok() == made["hold"]
    assert last_entries(admin, customer, 1) == [("hold", -30, "hold")]


def test_held_points_can_not_be_spent(admin):
    customer = with_points(admin, 100)
    hold(admin, customer, 80).ok(201)
    problem = hold(admin, customer, 21).is_problem(409, "insufficient-points")
    assert (problem["balance"], problem["required"]) == (20, 21)
    spend = admin.post(f"/v1/customers/ext:{customer}/points/redemptions", {"points": 21}, Idempotency_Key=fresh("key"))
    spend.is_problem(409, "insufficient-points")


def test_a_capture_in_part_spends_it_and_gives_the_rest_back(admin):
    customer = with_points(admin, 100)
    made = hold(admin, customer, 60, reference="c").ok(201)["hold"]
    done = resolve(admin, customer, made["id"], "capture", points=45).ok()
    assert (done["hold"]["state"], done["hold"]["captured"]) == ("captured", 45) and done["hold"]["spend_seq"] == 3
    assert (done["balance"]["active"], done["balance"]["held"], done["balance"]["lifetime_spent"]) == (55, 0, 45)
    assert last_entries(admin, customer, 3) == [("hold", -60, "hold"), ("spend", -45, "capture"), ("release", 15, "capture")]


def test_a_capture_of_more_than_is_held_is_422(admin):
    customer = with_points(admin, 100)
    hold(admin, customer, 60, reference="c").ok(201)
    assert resolve(admin, customer, "ext:c", "capture", points=61).faults == {("#/points", "too_large")}
    assert sums(admin, customer) == (40, 60, 0)


def test_a_release_gives_all_back(admin):
    customer = with_points(admin, 100)
    hold(admin, customer, 60, reference="c").ok(201)
    done = resolve(admin, customer, "ext:c", "release").ok()
    assert done["hold"]["state"] == "released" and sums(admin, customer) == (100, 0, 0)


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release"])
def test_a_second_resolution_is_409(admin, first, second):
    customer = with_points(admin, 10)
    hold(admin, customer, 4, reference="c").ok(201)
    resolve(admin, customer, "ext:c", first).ok()
    problem = resolve(admin, customer, "ext:c", second).is_problem(409, "hold-resolved")
    assert (problem["state"], problem["captured"]) == {"capture": ("captured", 4), "release": ("released", 0)}[first]


def test_a_reference_names_one_hold_for_ever(admin):
    customer, other = with_points(admin, 10), with_points(admin, 10)
    hold(admin, customer, 4, reference="c").ok(201)
    resolve(admin, customer, "ext:c", "release").ok()
    hold(admin, customer, 4, reference="c").is_problem(409, "hold-exists")
    hold(admin, other, 4, reference="c").ok(201)


@pytest.mark.parametrize("reference", [MISSING, "ext:none", "ext:", "neither"])
def test_an_unknown_hold_is_404(admin, reference):
    customer = with_points(admin, 10)
    admin.get(f"{holds(customer)}/{reference}").is_problem(404, "not-found")
    for how in ("capture", "release"):
        resolve(admin, customer, reference, how).is_problem(404, "not-found")


def test_a_hold_of_somebody_else_is_404(admin):
    customer, other = with_points(admin, 10), with_points(admin, 10)
    made = hold(admin, customer, 4).ok(201)["hold"]
    resolve(admin, other, made["id"], "capture").is_problem(404, "not-found")


def test_holds_of_an_unknown_customer_are_404(admin):
    hold(admin, "nobody", 1).is_problem(404, "not-found")
    admin.get(holds("nobody")).is_problem(404, "not-found")


def test_holds_are_listed_newest_first_and_by_state(admin):
    customer = with_points(admin, 10)
    for name in "abc":
        hold(admin, customer, 1, reference=name).ok(201)
    resolve(admin, customer, "ext:b", "capture").ok()
    listed = [one["reference"] for page in admin.pages(f"{holds(customer)}?limit=2") for one in page]
    assert listed == ["c", "b", "a"]
    assert [one["reference"] for one in admin.get(f"{holds(customer)}?state=open").ok()["data"]] == ["c", "a"]
    cursor = admin.get(f"{holds(customer)}?limit=1").ok()["next_cursor"]
    admin.get(f"{holds(customer)}?limit=1&state=open&cursor={cursor}").is_problem(400, "bad-cursor")


def test_a_hold_expires_and_cannot_be_captured_from_that_moment_on(admin, clock):
    customer = with_points(admin, 10)
    hold(admin, customer, 4, reference="c", expires_in_seconds=60).ok(201)
    clock.advance(seconds=61)
    assert resolve(admin, customer, "ext:c", "capture").is_problem(409, "hold-resolved")["state"] == "expired"
    assert admin.get(f"{holds(customer)}/ext:c").ok()["state"] == "expired"
    assert sums(admin, customer) == (10, 0, 0)  # whether the housekeeper has come by or not
    assert eventually(lambda: last_entries(admin, customer, 1) == [("release", 4, "hold expired")], seconds=15)


# ---------------------------------------------------------------------- orders


def test_an_order_that_counts_captures_its_hold(admin):
    customer = with_points(admin, 100)
    made = hold(admin, customer, 40, reference="c").ok(201)["hold"]
    outcome = take(admin, order(customer, 5000, points_hold="ext:c"))
    assert outcome["order"]["points_hold"] == made["id"] and outcome["points"]["spent"] == 40
    assert (outcome["points"]["active"], outcome["points"]["held"]) == (110, 0)
    done = admin.get(f"{holds(customer)}/{made['id']}").ok()
    assert (done["state"], done["captured"], done["order_id"]) == ("captured", 40, outcome["order"]["id"])


def test_a_hold_waits_for_its_placed_order(admin, clock):
    customer = with_points(admin, 100)
    hold(admin, customer, 40, reference="c", expires_in_seconds=60).ok(201)
    body = order(customer, 5000, status="placed", points_hold="ext:c")
    placed = take(admin, body)
    assert placed["points"]["spent"] == 0 and placed["points"]["held"] == 40
    for how in ("capture", "release"):
        assert resolve(admin, customer, "ext:c", how).is_problem(409, "hold-bound")["order_id"] == placed["order"]["id"]
    admin.post("/v1/orders", order(customer, 5000, points_hold="ext:c")).is_problem(409, "hold-bound")
    clock.advance(days=3)
    paid = take(admin, {**body, "status": "paid"}, 200)
    assert paid["points"]["spent"] == 40 and sums(admin, customer)[1] == 0


def test_cancelling_before_it_counts_releases_the_hold(admin):
    customer = with_points(admin, 100)
    hold(admin, customer, 40, reference="c").ok(201)
    body = order(customer, 5000, status="placed", points_hold="ext:c")
    take(admin, body)
    take(admin, {**body, "status": "cancelled"}, 200)
    assert sums(admin, customer) == (100, 0, 0) and admin.get(f"{holds(customer)}/ext:c").ok()["state"] == "released"


def test_a_basket_may_change_its_hold_while_nothing_is_paid(admin):
    customer = with_points(admin, 100)
    hold(admin, customer, 40, reference="a").ok(201)
    hold(admin, customer, 30, reference="b").ok(201)
    body = order(customer, 5000, status="placed", points_hold="ext:a")
    take(admin, body)
    take(admin, {**body, "points_hold": "ext:b"}, 200)
    assert sums(admin, customer) == (70, 30, 0)
    paid = take(admin, {**body, "points_hold": "ext:b", "status": "paid"}, 200)
    assert paid["points"]["spent"] == 30
    differs = admin.post("/v1/orders", {**body, "points_hold": "ext:a", "status": "shipped"}).is_problem(409, "order-differs")
    assert [one["pointer"] for one in differs["differences"]] == ["#/points_hold"]


@pytest.mark.parametrize("status", ["placed", "paid"])
def test_an_order_with_a_resolved_or_unknown_hold_is_refused(admin, status):
    customer = with_points(admin, 100)
    hold(admin, customer, 40, reference="a").ok(201)
    resolve(admin, customer, "ext:a", "release").ok()
    problem = admin.post("/v1/orders", order(customer, 100, status=status, points_hold="ext:a")).is_problem(409, "hold-resolved")
    assert problem["state"] == "released"
    for unknown in ("ext:zz", MISSING, "x"):
        assert admin.post("/v1/orders", order(customer, 100, points_hold=unknown)).faults == {("#/points_hold", "unknown_hold")}
    assert sums(admin, customer) == (100, 0, 0)


def test_partial_refunds_give_back_what_one_full_refund_does(admin):
    customer = with_points(admin, 100)
    hold(admin, customer, 50, reference="c").ok(201)
    body = order(customer, lines=[line(1, 700), line(2, 200)], shipping_minor=100, points_hold="ext:c")
    take(admin, body)
    restored = [give_back(admin, body["external_id"], one)["points"]["restored"] for one in (
        refund({"line_no": 1, "amount_minor": 333}), refund({"line_no": 1, "amount_minor": 367}),
        refund({"line_no": 2, "quantity": 1}, shipping_minor=100))]
    assert restored == [17, 18, 15]  # of 50: 16.65, 35, 50
    assert admin.get(f"{holds(customer)}/ext:c").ok()["restored"] == 50
    assert sums(admin, customer) == (100, 0, 0) and balance(admin, customer)["lifetime_spent"] == 0


def test_cancelling_a_paid_order_gives_the_points_back(admin):
    customer = with_points(admin, 100)
    hold(admin, customer, 100, reference="c").ok(201)
    body = order(customer, 5000, points_hold="ext:c")
    take(admin, body)
    done = take(admin, {**body, "status": "cancelled"}, 200)
    assert (done["points"]["restored"], done["points"]["reversed"]) == (100, 50)
    assert sums(admin, customer) == (100, 0, 0)
    assert last_entries(admin, customer, 2) == [("restore", 100, "refund"), ("reverse", -50, "refund")]


def test_an_order_that_cost_only_points_gives_them_back_by_pieces(admin):
    customer = with_points(admin, 100)
    hold(admin, customer, 90, reference="c").ok(201)
    body = order(customer, lines=[{"line_no": 1, "sku": "A", "quantity": 3, "total_minor": 0}], points_hold="ext:c")
    take(admin, body)
    assert give_back(admin, body["external_id"], refund({"line_no": 1, "quantity": 1}))["points"]["restored"] == 30
    assert give_back(admin, body["external_id"], refund({"line_no": 1, "quantity": 2}))["points"]["restored"] == 60


def test_what_comes_back_pays_off_debt_first(admin):
    customer = fresh("customer")
    first = order(customer, 10000)
    take(admin, first)
    hold(admin, customer, 100, reference="c").ok(201)
    give_back(admin, first["external_id"], refund({"line_no": 1, "amount_minor": 3000}))
    assert sums(admin, customer) == (0, 100, 30)
    resolve(admin, customer, "ext:c", "release").ok()
    assert sums(admin, customer) == (70, 0, 0)


# ---------------------------------------------------------------------- all at once


def test_of_64_resolutions_of_one_hold_one_wins(admin):
    customer = with_points(admin, 50)
    hold(admin, customer, 50, reference="c").ok(201)
    calls = [("POST", f"{holds(customer)}/ext:c/{how}", {}, {"Idempotency-Key": fresh("key")})
             for how in ("capture", "release") * 32]
    answers = admin.parallel(calls)
    assert sorted(answer.status for answer in answers) == [200] + [409] * 63
    assert {answer.slug for answer in answers if answer.status == 409} == {"hold-resolved"}
    assert sums(admin, customer)[:2] in ((50, 0), (0, 0))


def test_64_holds_on_the_last_50_points_reserve_50(admin):
    customer = with_points(admin, 50)
    answers = admin.parallel([("POST", holds(customer), {"points": 1}, {"Idempotency-Key": fresh("key")}) for _ in range(64)])
    assert sorted(answer.status for answer in answers) == [201] * 50 + [409] * 14
    assert sums(admin, customer) == (0, 50, 0)


def test_of_64_orders_that_name_one_hold_one_gets_it(admin):
    customer = with_points(admin, 50)
    hold(admin, customer, 50, reference="c").ok(201)
    answers = admin.parallel([("POST", "/v1/orders", order(customer, 100, points_hold="ext:c")) for _ in range(64)])
    assert sorted(answer.status for answer in answers) == [201] + [409] * 63
    assert sums(admin, customer) == (1, 0, 0)


@pytest.mark.parametrize("what", ["", "/ext:c/capture", "/ext:c/release"])
def test_without_a_key_it_is_400_and_under_a_used_one_422(admin, what):
    customer = with_points(admin, 10)
    hold(admin, customer, 4, reference="c").ok(201)
    first, other = ({"points": 1}, {"points": 2}) if what != "/ext:c/release" else ({"reason": "a"}, {"reason": "b"})
    path, key = holds(customer) + what, fresh("key")
    admin.post(path, first).is_problem(400, "idempotency-key-required")
    done = admin.post(path, first, Idempotency_Key=key)
    assert done.status in (200, 201)
    again = admin.post(path, first, Idempotency_Key=key)
    assert again.body == done.body and again.headers["idempotency-hit"] == "true"
    admin.post(path, other, Idempotency_Key=key).is_problem(422, "idempotency-key-reused")


def test_of_64_resolutions_of_one_hold_one_counts(admin):
    customer = with_points(admin, 50)
    hold(admin, customer, 50, reference="c").ok(201)
    calls = [("POST", f"{holds(customer)}/ext:c/{('capture', 'release')[n % 2]}", {}, {"Idempotency-Key": fresh("key")}) for n in range(64)]
    assert sorted(answer.status for answer in admin.parallel(calls)) == [200] + [409] * 63
    state = admin.get(f"{holds(customer)}/ext:c").ok()["state"]
    assert sums(admin, customer) == ((0, 0, 0) if state == "captured" else (50, 0, 0))


def test_of_64_clients_on_the_last_50_points_none_gets_too_much(admin):
    customer = with_points(admin, 50)
    take_one = ("POST", f"/v1/customers/ext:{customer}/points/adjustments", {"points": -1, "reason": "a test"})
    calls = [(*take_one, {"Idempotency-Key": fresh("key")}) if n % 2 else
             ("POST", holds(customer), {"points": 1}, {"Idempotency-Key": fresh("key")}) for n in range(64)]
    answers = admin.parallel(calls)
    assert sorted(answer.status for answer in answers) == [201] * 50 + [409] * 14
    assert sums(admin, customer)[0] == 0


def test_refunds_while_the_same_points_are_spent_end_as_if_one_after_the_other(admin):
    customer = fresh("customer")
    number = take(admin, order(customer, *[1000] * 16))["order"]["external_id"]
    calls = [("POST", f"/v1/customers/ext:{customer}/points/redemptions", {"points": 5}, {"Idempotency-Key": fresh("key")}) for _ in range(32)]
    calls += [("POST", f"/v1/orders/ext:{number}/refunds", refund({"line_no": n + 1, "amount_minor": 1000})) for n in range(16)]
    spent = sum(5 for answer in admin.parallel(calls) if answer.status == 201 and "order" not in answer.json())
    after = balance(admin, customer)
    assert after["active"] - after["debt"] == -spent and after["lifetime_earned"] == 0 and after["lifetime_spent"] == spent
