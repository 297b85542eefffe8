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
        {"month": "2026-06", "points": 100, "value_minor": 50, "breakage_points": 40, "breakage_minor": 20},
        {"month": "2026-07", "points": 10, "value_minor": 5, "breakage_points": 4, "breakage_minor": 2},
        {"month": None, "points": 5, "value_minor": 2, "breakage_points": 0, "breakage_minor": 0}]
    assert (report["spent"], report["expired"], report["breakage_permille"]) == (60, 40, 400)
    assert (report["active"], report["held"], report["outstanding"], report["value_minor"]) == (115, 100, 215, 107)
    assert (report["breakage_points"], report["breakage_minor"]) == (84, 42)
