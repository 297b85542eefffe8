"""Measure what the loyalty programme costs: orders under a full one, the night of the year, a simulation. Called by
tools/bench."""

import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from datetime import date
from pathlib import Path

from measure import WARM_SECONDS, Bench, Failed, Measured, machine, table, write_between_marks

CONNECTIONS = 64
PROGRAM_SECONDS = 1.5  # every server has a new programme within a second
POLL_SECONDS = 0.5
COUPON_TEMPLATE = "bench"
COUPONS_MAX = 1_000_000
COUPONS_SPARE = 1.5  # the load must not end before its time
NIGHT_SECONDS_MAX = 3600
REQUEST_SECONDS_MAX = 300
MARK_BEGIN, MARK_END = "<!-- bench loyalty: begin -->", "<!-- bench loyalty: end -->"

# From the end of each index, which is worked off last: EXISTS would read the table from its beginning, past everybody
# who is done, and so take processor time from what it measures.
DUE = """SELECT (SELECT max(active_from) FROM points_lots WHERE pending AND active_from <= now() AND remaining > 0) IS NOT NULL
             OR (SELECT max(expires_at) FROM points_lots WHERE expires_at <= now() AND remaining > 0) IS NOT NULL
             OR (SELECT max(until) FROM tier_standings WHERE until <= now()) IS NOT NULL"""
# One connection that looks again and again: a new one for each look would take processor time as well.
AS_LONG_AS = f"""SET statement_timeout = '{NIGHT_SECONDS_MAX}s';
DO $$ BEGIN WHILE ({{}}) LOOP PERFORM pg_sleep({POLL_SECONDS}); END LOOP; END $$"""
LEFT_BEHIND = """SELECT json_build_object(
    'expired', (SELECT count(*) FROM points_ledger WHERE kind = 'expire'),
    'activated', (SELECT count(*) FROM points_ledger WHERE kind = 'activate'),
    'fallen', (SELECT count(*) FROM tier_history WHERE cause = 'cycle_end'))"""

# Every rule holds for every order of the load, and each asks something else.
CONDITIONS = ["category = 'bags'", "sku = 'BAG-1'", "order.total > 1.00", "order.quantity >= 1", "order.channel = search", "tier >= basic",
              "orders.count >= 0", "spend >= 0.00", "not (brand is known)", "coupon is unknown", "line.name contains 'Bag'",
              "line.total between 0.01 and 100000.00", "order.line_count = 1", "line.unit_price > 0.01", "not (city = 'x')",
              "category in ('bags', 'shoes') and order.total < 100000.00", "gender is unknown or gender != female", "order.hour >= 0"]


class Shop:
    """A running server and its database."""

    def __init__(self, given):
        self.given = given
        self.key = given.key_file.read_text().strip()

    def open(self, method, path, body=None):
        request = urllib.request.Request(f"http://{self.given.address}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        try:
            return urllib.request.urlopen(request, timeout=REQUEST_SECONDS_MAX)
        except OSError as error:
            said = error.read().decode() if hasattr(error, "read") else error
            raise Failed(f"{method} {path}: {said}") from error

    def call(self, method, path, body=None):
        with self.open(method, path, body) as answer:
            return json.loads(answer.read())

    def coupons(self, count, path):
        """Issue so many coupons by a job and write their codes, one a line; seconds that the job took."""
        self.call("PUT", f"/v1/coupon-templates/{COUPON_TEMPLATE}", {"name": "Bench", "kind": "amount", "off_minor": 100})
        job = self.call("POST", f"/v1/coupon-templates/{COUPON_TEMPLATE}/jobs", {"count": count, "key": f"bench {time.time()}"})
        began = time.monotonic()
        while job["status"] in ("queued", "running"):
            time.sleep(POLL_SECONDS)
            job = self.call("GET", f"/v1/jobs/{job['id']}")
        seconds = time.monotonic() - began
        if (job["status"], job["succeeded"]) != ("complete", count):
            raise Failed(f"the coupons were not all issued: {job}")
        with self.open("GET", f"/v1/exports/coupons?job={job['id']}") as lines, path.open("w", encoding="ascii") as codes:
            for line in lines:
                codes.write(json.loads(line)["code"] + "\n")
        return seconds

    def use(self, program):
        self.call("PUT", "/v1/program", program)
        time.sleep(PROGRAM_SECONDS)


def full_program(plain):
    """Twenty active rules (two that give a rate, eighteen that ask something), and all that tiers and points can do."""
    rules = [{"code": "base", "kind": "base", "rate_millionths": 1000000},
             {"code": "growth", "target": "growth", "kind": "base", "rate_millionths": 1000000}]
    for number, condition in enumerate(CONDITIONS):
        kind = {"kind": "multiply", "factor_millionths": 1010000} if number % 2 else {"kind": "add", "points": 1}
        rules.append({"code": f"rule_{number}", "when": condition, "target": "growth" if number % 3 == 2 else "points", **kind})
    tiers = [dict(tier, benefits=dict(tier["benefits"], points_multiplier_permille=1100)) for tier in plain["tiers"]]
    points = dict(plain["points"], expiry={"form": "months", "months": 12, "round_to": "quarter", "warn_days": 14})
    return {"points": points, "earning": rules, "cycle": dict(plain["cycle"], grace_days=7, notice_days=30), "tiers": tiers}


def measure_orders(given):
    """Orders under the programme of a new installation and under a full one, by turns."""
    shop, bench, measured = Shop(given), Bench(given), Measured()
    plain = {name: part for name, part in shop.call("GET", "/v1/program").items() if name != "version"}
    for number in range(1, given.rounds + 1):
        print(f"Round {number} of {given.rounds}", file=sys.stderr)
        shop.use(plain)
        measured.add("orders, the programme of a new installation", plainly := bench.load("orders", CONNECTIONS))
        count = min(int(plainly["rate"] * (given.seconds + WARM_SECONDS) * COUPONS_SPARE), COUPONS_MAX)
        codes = given.orders.with_name("coupons.txt")
        print(f"  {count} coupons by a job: {shop.coupons(count, codes):.1f} s", file=sys.stderr)
        measured.add("orders, each with a coupon", bench.load("orders", CONNECTIONS, coupons=codes))
        shop.use(full_program(plain))
        measured.add("orders, 20 active rules and a full programme", bench.load("orders", CONNECTIONS))
    return bench, measured


def measure_night(given):
    """Seconds from the server's start until nothing is due any more, and then until lists show all of it; and what was done that
    night and before."""
    bench = Bench(given)

    def seconds_while(what):
        bench.sql(given.patron_url, AS_LONG_AS.format(what))
        return time.time() - given.started

    seconds = seconds_while(DUE)
    lists_seconds = seconds_while("SELECT EXISTS (SELECT FROM customer_changes)")
    print(f"  {given.night}: {seconds:.0f} s, with the lists {lists_seconds:.0f} s", file=sys.stderr)
    return {"name": given.night, "seconds": seconds, "lists_seconds": lists_seconds,
            "done": json.loads(bench.sql(given.patron_url, LEFT_BEHIND))}


def measure_simulations(given):
    shop, bench, seconds = Shop(given), Bench(given), []
    bench.sql(given.patron_url, "VACUUM ANALYZE")
    bench.settle()
    tiers = shop.call("GET", "/v1/program")["tiers"]
    for tier in tiers[1:]:
        tier["qualify"]["any_of"][0]["at_least"] += 10000
        tier["keep"]["all_of"][0]["window_months"] = 6
    for _ in range(given.rounds):
        before = time.monotonic()
        answer = shop.call("POST", "/v1/tiers/simulate", {"tiers": tiers})
        seconds.append(time.monotonic() - before)
        if answer["customers"] != given.made or answer["falling"]["customers"] == 0:
            raise Failed(f"the simulation saw {answer['customers']} customers")
        print(f"  simulation: {seconds[-1]:.1f} s", file=sys.stderr)
    return statistics.median(seconds)


def verdict(goal, measured, wanted, good):
    return [goal, measured, wanted, "reached" if good else "**not reached**"]


def of_that_night(nights):
    """What each night did: the counts go on from one to the next."""
    before, rows = {}, []
    for night in nights:
        done = {name: count - before.get(name, 0) for name, count in night["done"].items()}
        before = night["done"]
        rows.append([night["name"], f"{night['seconds']:.0f}", f"{night['lists_seconds']:.0f}"]
                    + [f"{done[name]:,}" for name in ("expired", "activated", "fallen")])
    return rows


def report(given, bench, measured, nights, simulation):
    plain, coupons, full = measured.rounds
    ratio, coupon_ratio = measured.ratio(full, plain), measured.ratio(coupons, plain)
    made = f"{given.made:,}"
    rows = [[name, f"{measured.median(name):,.0f}", f"{measured.median(name, 'p99_ms'):.1f}",
             " + ".join(f"{measured.median(name, key):.0f}" for key in ("server_us", "database_us"))] for name in measured.rounds]
    goals = [verdict("orders under a full programme / plain ones", f"{ratio:.2f}", "≥ 0.85", ratio >= 0.85),
             verdict("orders with a coupon / plain ones", f"{coupon_ratio:.2f}", "≥ 0.70", coupon_ratio >= 0.70),
             *[verdict(f"{night['name']}, {made} customers, s", f"{night['seconds']:.0f}", "≤ 60", night["seconds"] <= 60) for night in nights],
             verdict(f"simulation over {made} customers, s", f"{simulation:.1f}", "≤ 10", simulation <= 10)]
    return "\n".join(
        [f"{machine(bench)}; {date.today().isoformat()}; {given.rounds} rounds of {given.seconds} s, medians; each night once.", ""]
        + table([f"{CONNECTIONS} connections", "per second", "p99 ms", "CPU µs: server + PostgreSQL"], rows) + [""]
        + table(["goal", "measured", "wanted", ""], goals)
        + [""] + table(["night", "s", "until lists show it, s", "customers whose points lapsed", "lots that became active",
                        "tiers that fell"], of_that_night(nights)))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("orders", "night", "report"))
    for name in ("--address", "--patron-url", "--load", "--pg-bin"):
        parser.add_argument(name, required=True)
    for name in ("--key-file", "--pid-file", "--orders", "--nights"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--seconds", "--rounds", "--customers", "--made"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--night", help="what the night is called")
    parser.add_argument("--started", type=float)
    parser.add_argument("--write", type=Path)
    return parser.parse_args()


def main():
    given = arguments()
    try:
        if given.part == "orders":
            given.orders.write_text(json.dumps(measure_orders(given)[1].rounds))
            return
        if given.part == "night":
            nights = json.loads(given.nights.read_text()) if given.nights.exists() else []
            given.nights.write_text(json.dumps(nights + [measure_night(given)]))
            return
        measured = Measured()
        measured.rounds = json.loads(given.orders.read_text())
        text = report(given, Bench(given), measured, json.loads(given.nights.read_text()), measure_simulations(given))
    except (Failed, subprocess.SubprocessError) as failed:
        sys.exit(f"tools/bench: {failed}")
    print(text)
    if given.write:
        write_between_marks(given.write, text, MARK_BEGIN, MARK_END)


if __name__ == "__main__":
    main()
