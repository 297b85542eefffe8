"""Measure files in and out, each against what PostgreSQL's COPY does with the same. Called by tools/bench."""

import argparse
import json
import random
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from measure import WARM_SECONDS, Bench, Failed, Measured, machine, run, table, write_between_marks

CONNECTIONS = 64
OPEN_CONNECTIONS = 256
BESIDE_PERCENT = 20  # of the online rate: what comes by API while an import runs
SHARE_OF_LINES = 5  # the files of the rounds have a fifth of the large one's lines
PRICE_LOWEST, PRICE_HIGHEST = 500, 1500  # as patron-load has them
POLL_SECONDS = 0.05
JOB_SECONDS_MAX = 3600
ONLINE_SECONDS_SPARE = 3  # beside the measured ones: for starting, for waiting for the last answers
IMPORT_RATE_MAX = 10_000  # a file for so many lines a second outlasts orders beside it
RSS_MAX_MB = 64
MARK_BEGIN, MARK_END = "<!-- bench bulk: begin -->", "<!-- bench bulk: end -->"

# Not counted among the rows that lines leave: the job's own, and what the housekeeper copies for lists afterwards.
NOT_LEFT = "('jobs', 'job_chunks', 'job_results', 'customer_changes', 'customer_search', 'customer_metrics')"
TABLES = f"""SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname NOT IN {NOT_LEFT} ORDER BY c.relname"""
ORDER_COLUMNS = """o.external_id, o.status, o.channel, o.currency, c.external_id, o.placed_at, o.paid_at, o.shipped_at,
        o.delivered_at, o.completed_at, o.cancelled_at, l.line_no, l.sku, l.name, l.category, l.brand, l.quantity,
        l.unit_price_minor, l.discount_minor, l.total_minor, l.cost_minor, o.shipping_minor, o.discount_minor, o.coupon,
        o.total_minor, o.awarded, o.id, o.refunded_minor, o.points_earned, o.points_reversed, o.growth_earned,
        o.growth_reversed"""
CUSTOMER_COLUMNS = """c.id, c.external_id, c.name, c.gender, c.birthday, c.language, c.country, c.province, c.city,
        c.district, c.owner, c.source_channel, c.source_detail, c.source_campaign, c.attributes, c.preferences, p.value, e.value, c.created_at, c.updated_at,
        c.version"""
SAME_COLUMNS = {
    "orders": f"""SELECT {ORDER_COLUMNS} FROM orders o JOIN customers c ON c.id = o.customer_id
                  JOIN order_lines l ON l.customer_id = o.customer_id AND l.order_id = o.id""",
    "customers": f"""SELECT {CUSTOMER_COLUMNS} FROM customers c
                     LEFT JOIN customer_identities p ON p.customer_id = c.id AND p.kind = 'phone'
                     LEFT JOIN customer_identities e ON e.customer_id = c.id AND e.kind = 'email'""",
}


def order_line(chance, name, number, customers):
    price = chance.randint(PRICE_LOWEST, PRICE_HIGHEST)
    return (f'{{"external_id":"{name}-{number}","status":"paid","channel":"search",'
            f'"customer":{{"external_id":"load-{chance.randrange(customers)}"}},'
            f'"lines":[{{"line_no":1,"sku":"BAG-{price % 100}","name":"Bag","category":"bags","quantity":1,'
            f'"unit_price_minor":{price},"total_minor":{price}}}],"total_minor":{price}}}\n')


def customer_line(_chance, name, number, _customers):
    return (f'{{"external_id":"{name}-{number}","name":"王小明 {number}","gender":"female","birthday":"05-20",'
            f'"phone":"+8613{number:09}","email":"{name}-{number}@example.com","city":"杭州",'
            f'"source":{{"channel":"search"}}}}\n')


def file_write(path, line, name, numbers, customers):
    chance = random.Random(name)
    with path.open("w", encoding="utf-8") as out:
        for number in numbers:
            out.write(line(chance, name, number, customers))


class Bulk:
    def __init__(self, given):
        self.given, self.bench = given, Bench(given)
        self.key = given.key_file.read_text().strip()
        self.run_name, self.made = f"{int(time.time()):x}", 0

    def sql(self, text):
        return self.bench.sql(self.given.patron_url, text)

    # ------------------------------------------------------------------ the server

    def curl(self, *more):
        return ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*",
                "--header", f"Authorization: Bearer {self.key}", *more]

    def url(self, path):
        return f"http://{self.given.address}{path}"

    def upload(self, kind, path):
        return self.curl("--upload-file", str(path), "--request", "POST", "--header",
                         "Content-Type: application/x-ndjson", self.url(f"/v1/imports/{kind}"))

    def job(self, job):
        return json.loads(run(self.curl(self.url(f"/v1/jobs/{job['id']}"))))

    def job_end(self, job):
        """Watched, as a person at a terminal does: whoever asks again and again takes processor time from what he measures."""
        shown = run(self.curl("--max-time", str(JOB_SECONDS_MAX), self.url(f"/v1/jobs/{job['id']}?watch=true")))
        return json.loads(shown.splitlines()[-1])

    def settle(self):
        """No debts of what was before: the directory of customers has caught up, pages are written, tables known."""
        while self.sql("SELECT EXISTS (SELECT FROM customer_changes)") == "t":
            time.sleep(POLL_SECONDS)
        self.sql("VACUUM ANALYZE")
        self.bench.settle()

    def file(self, kind, name, count):
        """A file of new ones; no two files have a number in common."""
        numbers = range(self.made, self.made + count)
        self.made += count
        path = self.given.folder / f"{name}.ndjson"
        file_write(path, order_line if kind == "orders" else customer_line, f"{name}-{self.run_name}", numbers,
                   self.given.customers)
        return path

    def import_file(self, kind, path, count):
        """From the first byte sent until the job is complete; every line must have landed."""
        self.settle()
        cpu, began = self.bench.cpu_seconds(), time.monotonic()
        job = json.loads(run(self.upload(kind, path)))
        staged = time.monotonic() - began
        job = self.job_end(job)
        seconds = time.monotonic() - began
        if (job["status"], job["succeeded"], job["failed"]) != ("complete", count, 0):
            raise Failed(f"the {kind} were not all imported: {job}")
        after = self.bench.cpu_seconds()
        spent = {f"{name}_us": (after[name] - cpu[name]) / count * 1e6 for name in after}
        return {"rate": count / seconds, "staged": count / staged, **spent}

    def export(self, kind):
        self.settle()
        began = time.monotonic()
        lines = count_lines(self.curl(self.url(f"/v1/exports/{kind}")))
        return {"rate": lines / (time.monotonic() - began), "lines": lines}

    # ------------------------------------------------------------------ PostgreSQL

    def psql(self, text, *more):
        return [f"{self.given.pg_bin}/psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-c", text, *more, self.given.patron_url]

    def snapshot(self):
        """Transactions from this one on come later."""
        return int(self.sql("SELECT txid_current()"))

    @contextmanager
    def schema(self):
        self.sql("DROP SCHEMA IF EXISTS raw CASCADE; CREATE SCHEMA raw")
        try:
            yield
        finally:
            self.sql("DROP SCHEMA raw CASCADE")

    def copy_rows(self, first, count):
        """The rows that transactions from `first` on left, in every table: out by COPY, and, measured, in by COPY into
        logged, empty copies of the tables with all their indexes and checks, one table after the other, each durable."""
        self.settle()
        rows, commands = 0, []
        with self.schema():
            for name in self.sql(TABLES).split():
                path = self.given.folder / f"{name}.copy"
                done = run(self.psql(f"\\copy (SELECT * FROM {name} WHERE xmin::text::bigint >= {first}) TO '{path}'"))
                here = path.read_bytes().count(b"\n")
                if here == 0:
                    path.unlink()
                    continue
                rows += here
                self.sql(f"CREATE TABLE raw.{name} (LIKE {name} INCLUDING ALL)")
                commands += ["-c", f"\\copy raw.{name} FROM '{path}'"]
            self.bench.settle()
            began = time.monotonic()
            run(self.psql("SELECT 1", *commands))
            seconds = time.monotonic() - began
        for path in self.given.folder.glob("*.copy"):
            path.unlink()
        return {"rate": count / seconds, "rows": rows / count}

    def copy_csv(self, path, count):
        """The lines of a file as CSV, a number and the line's text, into a logged table of such."""
        csv = path.with_suffix(".csv")
        with path.open(encoding="utf-8") as lines, csv.open("w", encoding="utf-8") as out:
            for number, line in enumerate(lines, 1):
                quoted = line.rstrip("\n").replace('"', '""')
                out.write(f'{number},"{quoted}"\n')
        with self.schema():
            self.sql("CREATE TABLE raw.lines (line bigint PRIMARY KEY, body text NOT NULL)")
            self.bench.settle()
            began = time.monotonic()
            run(self.psql(f"\\copy raw.lines FROM '{csv}' CSV"))
            seconds = time.monotonic() - began
        csv.unlink()
        return {"rate": count / seconds}

    def copy_out(self, kind):
        self.settle()
        began = time.monotonic()
        lines = count_lines(self.psql(f"COPY ({SAME_COLUMNS[kind]}) TO STDOUT"))
        return {"rate": lines / (time.monotonic() - began), "lines": lines}

    # ------------------------------------------------------------------ orders by API beside an import

    def beside(self, rate):
        """Orders at a fixed rate, first alone, then from the first byte of an import on that lasts longer."""
        seconds = self.given.seconds + WARM_SECONDS + ONLINE_SECONDS_SPARE
        path = self.file("orders", "beside", seconds * IMPORT_RATE_MAX)
        quiet = self.bench.load("orders", OPEN_CONNECTIONS, rate=rate)
        self.settle()
        with subprocess.Popen(self.upload("orders", path), stdout=subprocess.PIPE, text=True) as sender:
            busy = self.bench.load_once("orders", OPEN_CONNECTIONS, rate, None)
            job = self.job(json.loads(sender.communicate()[0]))
        if job["status"] not in ("queued", "running"):
            raise Failed(f"the import did not outlast the orders beside it: {job}")
        run(self.curl("--request", "POST", self.url(f"/v1/jobs/{job['id']}/cancel")))
        job = self.job_end(job)
        path.unlink()
        return quiet, {**busy, "import_rate": job["rows_per_second"]}

    # ------------------------------------------------------------------ memory

    def peak(self):
        pid = self.given.pid_file.read_text().strip()
        return int(re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) / 1024

    def large(self):
        """One large file; the peak of the server's memory meanwhile, its own count begun anew."""
        count = self.given.lines
        path = self.file("orders", "large", count)
        megabytes = path.stat().st_size / 1e6
        Path(f"/proc/{self.given.pid_file.read_text().strip()}/clear_refs").write_text("5")
        result = self.import_file("orders", path, count)
        path.unlink()
        return {**result, "peak_mb": self.peak(), "megabytes": megabytes}


def count_lines(command):
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        done = subprocess.run(["wc", "-l"], stdin=process.stdout, capture_output=True, text=True, check=True)
    if process.returncode != 0:
        raise Failed(f"{Path(command[0]).name} failed ({process.returncode})")
    return int(done.stdout)


def measure_round(bulk, measured, number):
    count = bulk.given.lines // SHARE_OF_LINES
    bulk.settle()
    measured.add("orders by API, 64 connections", online := bulk.bench.load("orders", CONNECTIONS))
    for kind in ("orders", "customers"):
        path = bulk.file(kind, f"{kind}-{number}", count)
        first = bulk.snapshot()
        measured.add(f"{kind}, import", done := bulk.import_file(kind, path, count))
        measured.add(f"{kind}, COPY of the rows they left", bulk.copy_rows(first, count))
        measured.add(f"{kind}, file to staging", {"rate": done["staged"]})
        measured.add(f"{kind}, COPY of the file as CSV", bulk.copy_csv(path, count))
        measured.add(f"{kind}, export", out := bulk.export(kind))
        measured.add(f"{kind}, COPY TO of the columns", copied := bulk.copy_out(kind))
        if out["lines"] != copied["lines"]:
            raise Failed(f"the export has {out['lines']} lines, COPY TO {copied['lines']}")
        path.unlink()
    quiet, busy = bulk.beside(round(online["rate"] * BESIDE_PERCENT / 100))
    measured.add("orders by API at a fixed rate", quiet)
    measured.add("the same beside an import", busy)


def verdict(goal, measured, wanted):
    """A goal, what was measured, and what is wanted: ("≥" or "<" or "≤", bound)."""
    sign, bound = wanted
    good = {"≥": measured >= bound, "≤": measured <= bound, "<": measured < bound}[sign]
    digits = ".0f" if bound >= 10 else ".2f"
    return [goal, f"{measured:{digits}}", f"{sign} {bound:{digits}}", "reached" if good else "**not reached**"]


def report(bulk, measured, large):
    given = bulk.given
    names = {name: results for name, results in measured.rounds.items()}
    rows = [[name, f"{measured.median(name):,.0f}",
             f"{measured.median(name, 'p99_ms'):.1f}" if "p99_ms" in results[0] else "",
             " + ".join(f"{measured.median(name, key):.0f}" for key in ("server_us", "database_us"))
             if "server_us" in results[0] else ""] for name, results in names.items()]
    quiet, busy = (measured.median(name, "p99_ms") for name in ("orders by API at a fixed rate", "the same beside an import"))
    goals = [verdict("orders imported / orders by API", measured.ratio("orders, import", "orders by API, 64 connections"), ("≥", 1.5))]
    for kind, share in (("orders", 0.05), ("customers", 0.15)):
        goals.append(verdict(f"{kind} imported / COPY of the rows they left",
                             measured.ratio(f"{kind}, import", f"{kind}, COPY of the rows they left"), ("≥", share)))
    for kind in ("orders", "customers"):
        goals.append(verdict(f"{kind} to staging / COPY of the file as CSV",
                             measured.ratio(f"{kind}, file to staging", f"{kind}, COPY of the file as CSV"), ("≥", 0.4)))
    for kind in ("orders", "customers"):
        goals.append(verdict(f"{kind} exported / COPY TO of the columns",
                             measured.ratio(f"{kind}, export", f"{kind}, COPY TO of the columns"), ("≥", 0.5)))
    goals.append(verdict("p99 of orders by API, beside an import / quiet", busy / quiet, ("≤", 3)))
    goals.append(verdict(f"server memory while {given.lines:,} orders ({large['megabytes']:.0f} MB) go in, MB",
                         large["peak_mb"], ("<", RSS_MAX_MB)))
    left = [f"{measured.median(f'{kind}, COPY of the rows they left', 'rows'):.2f} rows of one of the {kind}"
            for kind in ("orders", "customers")]
    return "\n".join(
        [f"{machine(bulk.bench)}; {date.today().isoformat()}; {given.rounds} rounds, {given.lines // SHARE_OF_LINES:,} lines a file, "
         f"{given.customers:,} customers at the start; medians.", ""]
        + table(["lines or orders", "per second", "p99 ms", "CPU µs: server + PostgreSQL"], rows) + [""]
        + table(["goal", "measured", "wanted", ""], goals)
        + ["", f"COPY wrote {' and '.join(left)}. The large file went in at {large['rate']:,.0f} lines a second. Beside orders by "
               f"API the import went on at {measured.median('the same beside an import', 'import_rate'):,.0f} a second."])


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("--address", "--patron-url", "--load", "--pg-bin"):
        parser.add_argument(name, required=True)
    for name in ("--key-file", "--pid-file", "--folder"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--seconds", "--rounds", "--customers", "--lines"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--write", type=Path)
    return parser.parse_args()


def main():
    given = arguments()
    bulk, measured = Bulk(given), Measured()
    try:
        for number in range(1, given.rounds + 1):
            print(f"Round {number} of {given.rounds}", file=sys.stderr)
            measure_round(bulk, measured, number)
        measured.add("orders, import of the large file", large := bulk.large())
        text = report(bulk, measured, large)
    except (Failed, OSError, subprocess.SubprocessError) as failed:
        sys.exit(f"tools/bench: {failed}")
    print(text)
    if given.write:
        write_between_marks(given.write, text, MARK_BEGIN, MARK_END)


if __name__ == "__main__":
    main()
