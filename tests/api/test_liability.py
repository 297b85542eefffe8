"""The report of what the shop owes in points, on a shop of its own."""

import pytest

import servers
from client import Client
from clock import Clock
from shop import fresh, order, take, eventually


@pytest.fixture(scope="module")
def house(contract):
    with servers.running_server("liability", test_clock=1) as server:
        client = Client(server, contract)
        yield client
        client.close()


def parts(active=0, held=0, pending=0):
    return {"active": active, "held": held, "pending": pending, "points": active + held + pending}


def adds_up(report):
    for name in ("active", "held", "pending"):
        assert sum(line[name] for line in report["lines"]) == report[name], name
    assert sum(line["breakage_points"] for line in report["lines"]) == report["breakage_points"]
    assert sum(line["points"] for line in report["lines"]) == report["outstanding"]


def test_liability_is_by_month_of_the_shop_with_breakage_by_its_own_history(house):
    clock, customer = Clock(house), fresh("customer")
    clock.set("2026-01-10T04:00:00Z")
    document = {name: value for name, value in house.get("/v1/program").ok().items() if name != "version"}
    document["points"] = {"expiry": {"form": "months", "months": 2, "round_to": "month"}, "value_minor_per_100": 50}
    stored = house.put("/v1/program", document).ok()
    eventually(lambda: house.get("/v1/meta").ok()["program_version"] == stored["version"], seconds=2)
    empty = house.get("/v1/reports/points/liability").ok()
    assert empty["outstanding"] == 0 and empty["lines"] == [] and empty["breakage_permille"] == 0
    take(house, order(customer, 10000))  # until the end of March
    house.post(f"/v1/customers/ext:{customer}/points/redemptions", {"points": 60}, Idempotency_Key=fresh("key")).ok(201)
    clock.set("2026-03-31T16:00:00Z")
    eventually(lambda: house.get(f"/v1/customers/ext:{customer}/points").ok()["lifetime_expired"] == 40, seconds=15)
    take(house, order(customer, 20000))  # in April there: until the end of June
    clock.set("2026-05-02T04:00:00Z")
    take(house, order(customer, 1000))
    house.post(f"/v1/customers/ext:{customer}/points/adjustments", {"points": 5, "reason": "x", "expiry": "never"},
               Idempotency_Key=fresh("key")).ok(201)
    house.post(f"/v1/customers/ext:{customer}/points/holds", {"points": 100}, Idempotency_Key=fresh("key")).ok(201)
    report = house.get("/v1/reports/points/liability").ok()
    assert report["lines"] == [
        {"month": "2026-06", **parts(100, held=100), "value_minor": 100, "breakage_points": 80, "breakage_minor": 40},
        {"month": "2026-07", **parts(10), "value_minor": 5, "breakage_points": 4, "breakage_minor": 2},
        {"month": None, **parts(5), "value_minor": 2, "breakage_points": 0, "breakage_minor": 0}]
    adds_up(report)
    assert (report["spent"], report["expired"], report["breakage_permille"]) == (60, 40, 400)
    assert (report["active"], report["held"], report["outstanding"], report["value_minor"]) == (115, 100, 215, 107)
    assert (report["breakage_points"], report["breakage_minor"]) == (84, 42)


def test_points_that_lapse_by_inactivity_are_in_the_month_in_which_they_would(house):
    def put(points):
        document = {name: value for name, value in house.get("/v1/program").ok().items() if name != "version"}
        stored = house.put("/v1/program", {**document, "points": {**points, "value_minor_per_100": 100}}).ok()
        eventually(lambda: house.get("/v1/meta").ok()["program_version"] == stored["version"], seconds=2)

    clock, early, late, waiting = Clock(house), *(fresh("customer") for _ in range(3))
    before = house.get("/v1/reports/points/liability").ok()
    clock.set("2028-01-31T04:00:00Z")
    put({"expiry": {"form": "inactivity", "months": 6}})
    empty = house.get("/v1/reports/points/liability").ok()
    take(house, order(early, 10000))
    clock.set("2028-02-29T16:00:00Z")  # in March there
    take(house, order(late, 5000))
    house.post(f"/v1/customers/ext:{late}/points/holds", {"points": 20}, Idempotency_Key=fresh("key")).ok(201)
    house.post(f"/v1/customers/ext:{late}/points/adjustments", {"points": 7, "reason": "x", "expiry": "at", "expires_at": "2029-05-31T00:00:00Z"},
               Idempotency_Key=fresh("key")).ok(201)
    put({"expiry": {"form": "inactivity", "months": 6}, "pending": "delivered"})
    take(house, order(waiting, 3000))
    report = house.get("/v1/reports/points/liability").ok()
    assert before["at"] < empty["at"] < report["at"]
    found = {line["month"]: {name: line[name] for name in parts()} for line in report["lines"]}
    silent = sum(line["active"] for line in empty["lines"] if line["month"] == "2028-07")  # of before, counted from the switch
    assert found["2028-07"] == parts(100 + silent) and found["2028-09"] == parts(30, held=20) and found["2029-05"] == parts(7)
    assert found[None]["pending"] == 30 and all(line["breakage_points"] > 0 for line in report["lines"] if line["points"] > 2)
    adds_up(report)
