"""Filters of the lists beside that of customers: states, kinds, spans of time, sums."""

import urllib.parse

import pytest

from bulk import job_over, ndjson, upload
from shop import fresh, order, take

DAYS = ("2026-03-01T10:00:00Z", "2026-03-05T10:00:00Z", "2026-03-09T10:00:00Z")


@pytest.fixture(scope="module")
def person(admin):
    """Three of everything, on three days."""
    number = fresh("filtered")
    at = f"/v1/customers/ext:{number}"
    admin.post("/v1/customers", {"external_id": number}).ok(201)
    for n, day in enumerate(DAYS):
        status, channel = (("paid", "live"), ("placed", "search"), ("paid", "search"))[n]
        times = {"placed_at": day} | ({"paid_at": day} if status == "paid" else {})
        take(admin, order(number, 1000 * (n + 1), status=status, channel=channel, **times))
        admin.post(f"{at}/interactions", {"kind": ("call", "chat", "call")[n], "occurred_at": day}).ok(201)
        admin.put(f"{at}/consents/{('sms', 'email', 'sms')[n]}", {"state": "granted", "occurred_at": day}).ok()
    today = admin.get(at).ok()["created_at"]
    admin.post("/v1/behaviour-events", {"events": [{"customer": f"ext:{number}", "type": kind, "key": kind, "occurred_at": today}
                                                   for kind in ("view", "cart", "search")]}).ok()
    return number


def found(admin, path, **query):
    pages = admin.pages(f"{path}?" + urllib.parse.urlencode({"limit": 1, **query}))
    return [one for page in pages for one in page]


def test_orders_by_state_channel_span_and_total(admin, person):
    def totals(**query):
        return [one["total_minor"] for one in found(admin, "/v1/orders", customer=f"ext:{person}", **query)]
    assert totals() == [3000, 2000, 1000]
    assert totals(status="paid") == [3000, 1000] and totals(status="completed") == []
    assert totals(channel="search") == [3000, 2000] and totals(channel="search", status="paid") == [3000]
    assert totals(since=DAYS[1]) == [3000, 2000] and totals(until=DAYS[1]) == [1000] and totals(since=DAYS[1], until=DAYS[2]) == [2000]
    assert totals(total_min=2000) == [3000, 2000] and totals(total_max=1999) == [1000]
    cursor = admin.get(f"/v1/orders?customer=ext:{person}&status=paid&limit=1").ok()["next_cursor"]
    admin.get(f"/v1/orders?customer=ext:{person}&limit=1&cursor={cursor}").is_problem(400, "bad-cursor")


@pytest.mark.parametrize("path,query,n", [
    ("interactions", {"kind": "call"}, 2), ("interactions", {"since": DAYS[1]}, 2), ("interactions", {"until": DAYS[1]}, 1),
    ("interactions", {"kind": "call", "since": DAYS[1], "until": "2027-01-01T00:00:00Z"}, 1),
    ("consent-history", {"channel": "sms"}, 2), ("consent-history", {"since": DAYS[2]}, 1), ("consent-history", {"channel": "phone"}, 0),
    ("behaviour-events", {"type": "cart"}, 1), ("behaviour-events", {}, 3), ("behaviour-events", {"until": DAYS[0]}, 0),
    ("notes", {"since": DAYS[0]}, 0),
])
def test_what_happened_to_a_customer_by_kind_and_span(admin, person, path, query, n):
    assert len(found(admin, f"/v1/customers/ext:{person}/{path}", **query)) == n


def test_jobs_by_state_and_duplicates_by_why(admin):
    job = job_over(admin, upload(admin, "customers", ndjson([{"external_id": fresh("filtered")}])).ok(201))
    assert job["id"] in {one["id"] for one in admin.get("/v1/jobs?status=complete&limit=200").ok()["data"]}
    assert job["id"] not in {one["id"] for one in admin.get("/v1/jobs?status=failed&limit=200").ok()["data"]}
    assert {one["why"] for one in admin.get("/v1/customers/duplicates?why=email&limit=200").ok()["data"]} <= {"email"}
