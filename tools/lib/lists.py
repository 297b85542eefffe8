"""Measure lists of customers on a running server: any page, any order, search and filters. Called by tools/bench-lists."""

import argparse
import http.client
import json
import statistics
import time
import urllib.parse
from pathlib import Path

PAGE_DEEP = 10_000
PAGE_ITEMS = 50
WALK_ITEMS = 200
REPEATS = 40
RATIO_MAX = 2.0
SORTS = ("created_at", "-created_at", "-updated_at", "name", "-last_order_at", "-orders", "-spend_minor", "-growth", "-points_active")
QUERIES = ("q=王", "q=小明", "q=王小明", "q=13800", "q=8888", "q=user77777@", "q=c-123456", "q=王 138", "q=不存在",
           "owner=agent-7&sort=-spend_minor", "province=浙&sort=-last_order_at", "tag=tag-7&sort=-spend_minor",
           "spend_min=900000&sort=created_at", "q=王&sort=-spend_minor", "last_order_before=2025-06-01T00:00:00Z&sort=-last_order_at")
MARK_BEGIN, MARK_END = "<!-- lists: begin -->", "<!-- lists: end -->"


class Server:
    def __init__(self, address, key):
        self.connection, self.key = http.client.HTTPConnection(address, timeout=60), key

    def page(self, query, limit, cursor=None):
        """The page, and the milliseconds it took."""
        parts = urllib.parse.parse_qsl(query) + [("limit", limit)] + ([("cursor", cursor)] if cursor else [])
        begin = time.perf_counter()
        self.connection.request("GET", "/v1/customers?" + urllib.parse.urlencode(parts), headers={"Authorization": f"Bearer {self.key}"})
        response = self.connection.getresponse()
        body = response.read()
        took = (time.perf_counter() - begin) * 1000
        if response.status != 200:
            raise SystemExit(f"{query}: {response.status} {body[:300]}")
        return json.loads(body), took

    def median(self, query, cursor=None):
        self.page(query, PAGE_ITEMS, cursor)
        return statistics.median(self.page(query, PAGE_ITEMS, cursor)[1] for _ in range(REPEATS))

    def walk(self, query, page):
        """The cursor of a page, by way of all that lie before it."""
        cursor = None
        for _ in range((page - 1) * PAGE_ITEMS // WALK_ITEMS):
            cursor = self.page(query, WALK_ITEMS, cursor)[0]["next_cursor"]
            if cursor is None:
                raise SystemExit(f"{query} has no page {page}")
        return cursor


def measure(server, deep):
    lines = [f"| order | page 1, ms | page {deep:,}, ms | ratio |", "|---|---|---|---|"]
    worst = 0.0
    for sort in SORTS:
        query = f"sort={sort}"
        cursor = server.walk(query, deep)
        first, far = server.median(query), server.median(query, cursor)
        worst = max(worst, far / first)
        lines.append(f"| `{sort}` | {first:.1f} | {far:.1f} | {far / first:.2f} |")
        print(lines[-1], flush=True)
    lines += ["", "| search, filter | found on page 1 | ms |", "|---|---|---|"]
    for query in QUERIES:
        found = len(server.page(query, PAGE_ITEMS)[0]["data"])
        lines.append(f"| `{query}` | {found} | {server.median(query):.1f} |")
        print(lines[-1], flush=True)
    return lines, worst


def write(path, lines):
    text = path.read_text()
    if MARK_BEGIN not in text:
        text += f"\n{MARK_BEGIN}\n{MARK_END}\n"
    head, rest = text.split(MARK_BEGIN)
    path.write_text(head + MARK_BEGIN + "\n" + "\n".join(lines) + "\n" + MARK_END + rest.split(MARK_END)[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    server = Server(given.address, given.key_file.read_text().strip())
    lines, worst = measure(server, min(PAGE_DEEP, given.customers // (2 * PAGE_ITEMS)))
    title = f"{given.customers:,} customers"
    about = (f"Medians of {REPEATS} calls over one connection, {PAGE_ITEMS} customers a page, each shown with "
             "lifecycle, tier, spend and points as of the call.")
    if given.write:
        write(given.write, [title, "", about, "", *lines])
    print(f"the deep page took at most {worst:.2f} times as long as the first")
    raise SystemExit(0 if worst <= RATIO_MAX else 1)


main()
