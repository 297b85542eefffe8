"""Measure lists of customers on a running server: any page, any order, search and filters; and suggestions of duplicates.
Called by tools/bench."""

import argparse
import http.client
import json
import statistics
import time
import urllib.parse
from datetime import date
from pathlib import Path

from measure import Bench, machine, write_between_marks

PAGE_DEEP = 10_000
PAGE_ITEMS = 50
WALK_ITEMS = 200
RATIO_MAX = 2.0
WARM = 3  # calls that do not count: they fill caches
SORTS = ("created_at", "updated_at", "name", "last_order_at", "orders", "spend_minor", "growth", "points_active")
# Filters that leave many are looked at on a deep page too.
WIDE = ("gender=female", "has_email=true&sort=-spend_minor", "tag=88vip&sort=-last_order_at", "group=newsletter&sort=name",
        "tier=basic&sort=created_at", "province=浙&sort=-orders", "q=王", "lifecycle=lost&sort=-updated_at",
        "created_from=2024-01-10T00:00:00Z&sort=created_at", "spend_min=100000&sort=-spend_minor")
# What is asked, and what makes it hard.
NARROW = (
    ("q=小明", "two characters"), ("q=王小明", "a name"), ("q=欧阳&sort=-spend_minor", "a rare surname, in another order"),
    ("q=王&sort=-spend_minor", "a frequent one, in another order"), ("q=不存在", "nobody"), ("q=13800&sort=name", "digits of phones"),
    ("q=user77777@", "an address"), ("q=c-123456", "a number"), ("q=王 138 明", "three words"),
    ("owner=agent-7&sort=-spend_minor", "one in 500"), ("campaign=spring-3&sort=-last_order_at", "one in 40"),
    ("birthday_within_days=0&sort=-spend_minor", "one in 520"), ("birthday_month=5&tier=diamond&sort=name", "months and tiers"),
    ("city=浙三&district=4&sort=-growth", "one in 700"),
    ("tag=tag-7&sort=-spend_minor", "one in 1,000"), ("group=testers&sort=-points_active", "one in 2,000"),
    ("tag=88vip&group=newsletter&tier=gold&sort=-last_order_at", "three wide ones, one in 150 together"),
    ("tag=88vip&group=testers&tier=diamond", "one narrow among wide ones"),
    ("gender=male&province=浙&has_phone=true&spend_min=300000&sort=updated_at", "four together"),
    ("last_order_before=2025-06-01T00:00:00Z&sort=-last_order_at", "along the order"),
    ("tier=silver&sort=-spend_minor", "one in four, behind all who spent more"),
    ("tier=basic&spend_min=200000&sort=-created_at", "wide ones that exclude each other"),
    ("province=浙&city=京一&sort=-orders", "places that exclude each other"),
    ("deal_status=no_deal&sort=-spend_minor", "all at the other end of the order"),
    ("lifecycle=lost&sort=-last_order_at", "a span of the order"),
    ("lifecycle=loyal&sort=-spend_minor", "counted from days"), ("has_phone=false&sort=-growth", "nobody, and no index"),
)
MARK_BEGIN, MARK_END = "<!-- lists: begin -->", "<!-- lists: end -->"


class Server:
    def __init__(self, given):
        self.connection, self.key = http.client.HTTPConnection(given.address, timeout=120), given.key_file.read_text().strip()
        self.rounds = given.rounds

    def get(self, path, **query):
        """The answer, and the milliseconds it took."""
        begin = time.perf_counter()
        self.connection.request("GET", f"{path}?{urllib.parse.urlencode(query)}", headers={"Authorization": f"Bearer {self.key}"})
        response = self.connection.getresponse()
        body = response.read()
        took = (time.perf_counter() - begin) * 1000
        if response.status != 200:
            raise SystemExit(f"{path} {query}: {response.status} {body[:300]}")
        return json.loads(body), took

    def page(self, query, limit=PAGE_ITEMS, **more):
        return self.get("/v1/customers", **dict(urllib.parse.parse_qsl(query)), limit=limit, **more)

    def in_turns(self, *calls):
        """Medians of the milliseconds of several calls, made by turns so that what else the machine does meets all of them."""
        for call in calls * WARM:
            call()
        turns = [[call()[1] for call in calls] for _ in range(self.rounds)]
        return [statistics.median(times) for times in zip(*turns)]

    def deep(self, query, page):
        """The cursor of a page, by way of all that lie before it."""
        cursor = {}
        for _ in range((page - 1) * PAGE_ITEMS // WALK_ITEMS):
            cursor = {"cursor": self.page(query, WALK_ITEMS, **cursor)[0]["next_cursor"]}
        return cursor


def whole(server, query, **more):
    found = server.page(query, **more)[0]["data"]
    if len(found) != PAGE_ITEMS:
        raise SystemExit(f"{query} {more}: a page of {len(found)}")


def measure_depths(server, queries, deep_max, customers):
    """Page 1 and a deep page of each: lines of a table, and the worst ratio."""
    lines, worst = [], 0.0
    for query in queries:
        passing = server.page(query, 1, include_total="true")[0]["total"] if "=" in query.replace("sort=", "", 1) else customers
        page = min(deep_max, passing // (2 * PAGE_ITEMS))
        cursor = server.deep(query, page)
        whole(server, query)
        whole(server, query, **cursor)
        first, far = server.in_turns(lambda q=query: server.page(q), lambda q=query, c=cursor: server.page(q, **c))
        worst = max(worst, far / first)
        lines.append(f"| `{query}` | {passing:,} | {first:.1f} | {page:,} | {far:.1f} | {far / first:.2f} |")
        print(lines[-1], flush=True)
    return lines, worst


def measure_narrow(server):
    lines = []
    for query, why in NARROW:
        answer = server.page(query, include_total="true")[0]
        took, = server.in_turns(lambda q=query: server.page(q))
        lines.append(f"| `{query}` | {why} | {answer['total']:,} | {took:.1f} |")
        print(lines[-1], flush=True)
    return lines


def measure_duplicates(server):
    begin = time.perf_counter()
    pages, found, cursor = 0, 0, {}
    while cursor is not None:
        page = server.get("/v1/customers/duplicates", limit=WALK_ITEMS, **cursor)[0]
        pages, found = pages + 1, found + len(page["data"])
        cursor = {"cursor": page["next_cursor"]} if page["has_more"] else None
    walked = time.perf_counter() - begin
    first, = server.in_turns(lambda: server.get("/v1/customers/duplicates", limit=PAGE_ITEMS))
    text = f"{found:,} suggestions: the first page of {PAGE_ITEMS} in {first:.1f} ms, all of them, {pages:,} pages of {WALK_ITEMS}, in {walked:.1f} s."
    print(text, flush=True)
    return text


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--patron-url", required=True)
    parser.add_argument("--pg-bin", required=True)
    parser.add_argument("--write", type=Path)
    return parser.parse_args()


def main():
    given = arguments()
    server = Server(given)
    deep = min(PAGE_DEEP, given.customers // (2 * PAGE_ITEMS))
    head = ["page 1, ms", "deep page", "its ms", "ratio"]
    orders, worst = measure_depths(server, [f"sort={down}{sort}" for sort in SORTS for down in ("", "-")], deep, given.customers)
    wide, worst_wide = measure_depths(server, WIDE, deep, given.customers)
    narrow, duplicates = measure_narrow(server), measure_duplicates(server)
    text = "\n".join([
        f"{machine(Bench(given))}; {date.today()}; {given.customers:,} customers; medians of {given.rounds} calls by turns over one connection, warm, {PAGE_ITEMS} customers on "
        "every page of the first table, each shown with lifecycle, tier, spend and points as of the call.", "",
        "| order or filter | pass | " + " | ".join(head) + " |", "|---|" + "---:|" * 5, *orders, *wide, "",
        "| page 1 of | what it is | pass | ms |", "|---|---|---:|---:|", *narrow, "", "Duplicates: " + duplicates])
    if given.write:
        write_between_marks(given.write, text, MARK_BEGIN, MARK_END)
    print(f"the deep page took at most {max(worst, worst_wide):.2f} times as long as the first")
    raise SystemExit(0 if max(worst, worst_wide) <= RATIO_MAX else 1)


if __name__ == "__main__":
    main()
