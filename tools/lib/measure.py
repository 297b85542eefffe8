"""Measure a running server and the floor beneath it, round by round, and write the table. Called by tools/bench."""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

FLOOR_CLIENTS = 16
FLOOR_THREADS = 2
CONNECTIONS = 64
OPEN_CONNECTIONS = 256
OPEN_LOOP_SHARES = (50, 80)
WARM_SECONDS = 1
CHECK_ORDERS = 2000
ROWS_TOLERANCE = 0.02  # rows per order: batches join two updates of one row, now and then
SIZE_TOLERANCE = 0.05
ALIGNMENT_BYTES = 8  # a number one digit longer may round a row up by so much
STATS_POLL_SECONDS = 20
MARK_BEGIN, MARK_END = "<!-- bench: begin -->", "<!-- bench: end -->"


class Failed(Exception):
    pass


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{Path(command[0]).name} failed ({done.returncode}):\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Bench:
    def __init__(self, given):
        self.given = given
        folder = self.sql(given.patron_url, "SHOW data_directory")
        self.postmaster = (Path(folder) / "postmaster.pid").read_text().split()[0]

    def sql(self, url, text):
        return run([f"{self.given.pg_bin}/psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-c", text, url]).strip()

    def settle(self):
        """Every measurement begins with the same debts: none."""
        self.sql(self.given.patron_url, "CHECKPOINT")

    def cpu_seconds(self):
        """Processor time so far: of the server, of PostgreSQL's processes, of the clients started here."""
        ticks = {"server": 0, "database": 0}
        server, postmaster = self.given.pid_file.read_text().strip(), self.postmaster
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if path.parent.name == server:
                ticks["server"] += sum(map(int, fields[11:13]))
            elif path.parent.name == postmaster:
                ticks["database"] += sum(map(int, fields[11:15]))  # with those of its children that ended
            elif fields[1] == postmaster:
                ticks["database"] += sum(map(int, fields[11:13]))
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = {name: count / os.sysconf("SC_CLK_TCK") for name, count in ticks.items()}
        return {**seconds, "client": children.ru_utime + children.ru_stime}

    def with_cpu(self, work):
        """The result of work, with the microseconds of processor time that one answer took, by whom."""
        before = self.cpu_seconds()
        result = work()
        answers = result["rate"] * (self.given.seconds + result.get("warm", 0))
        after = self.cpu_seconds()
        return {**result, **{f"{name}_us": (after[name] - before[name]) / answers * 1e6 for name in after}}

    def load_command(self, mix, connections, *more):
        given = self.given
        return [given.load, "--address", given.address, "--key-file", given.key_file, "--json", "--mix", mix,
                "--customers", given.customers, "--connections", connections, *more]

    def load(self, mix, connections, rate=None, coupons=None):
        self.settle()
        return self.with_cpu(lambda: self.load_once(mix, connections, rate, coupons))

    def load_once(self, mix, connections, rate, coupons):
        more = ["--seconds", self.given.seconds, "--warm", WARM_SECONDS] + (["--rate", rate] if rate else [])
        more += ["--coupons", coupons] if coupons else []
        command = [str(word) for word in self.load_command(mix, connections, *more)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            rss = 0
            while process.poll() is None:
                rss = max(rss, self.rss())
                time.sleep(0.1)
            text = process.stdout.read()
        if not text:
            raise Failed(f"the load generator failed ({process.returncode})")
        result = json.loads(text)
        bad = {status: count for status, count in result["statuses"].items() if int(status) >= 400}
        if bad or result["broken"] or (result["unanswered"] and not rate):
            raise Failed(f"{mix} at {connections} connections: not every answer was good: {text}")
        return {**result, "rss_mb": rss / 1024, "warm": WARM_SECONDS}

    def rss(self):
        pid = self.given.pid_file.read_text().strip()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M).group(1))

    def pgbench(self, script, *more):
        given = self.given
        text = run([f"{given.pg_bin}/pgbench", "--no-vacuum", "--protocol=prepared",
                    f"--define=customers={given.customers}", f"--client={FLOOR_CLIENTS}", f"--jobs={FLOOR_THREADS}",
                    f"--file={given.floor_scripts / script}", *more, given.floor_url])
        failed = re.search(r"number of failed transactions: (\d+)", text)
        if failed and failed.group(1) != "0":
            raise Failed(text)
        return {"rate": float(re.search(r"^tps = ([0-9.]+)", text, re.M).group(1)),
                "mean_ms": float(re.search(r"^latency average = ([0-9.]+)", text, re.M).group(1))}

    def floor(self, script):
        self.settle()
        return self.with_cpu(lambda: self.pgbench(script, f"--time={self.given.seconds}"))

    def rows(self, url):
        """Rows written so far: {table: inserted + updated + deleted}; without the directory, which the housekeeper keeps, as he
        takes away the notes that orders leave him."""
        return json.loads(self.sql(url, "SELECT json_object_agg(relname, n_tup_ins + CASE WHEN relname = 'customer_changes' "
                                        "THEN 0 ELSE n_tup_upd + n_tup_del END) FROM pg_stat_user_tables "
                                        "WHERE relname NOT IN ('customer_search', 'customer_directory')"))

    def rows_per_call(self, url, count, work):
        """Rows that each of count calls of work wrote; backends report them with a delay, so wait until all is in."""
        before = self.rows(url)
        work()
        deadline, last = time.monotonic() + STATS_POLL_SECONDS, None
        while True:
            time.sleep(1)
            now = self.rows(url)
            if now == last and now["orders"] - before.get("orders", 0) >= count or time.monotonic() > deadline:
                break
            last = now
        written = {table: (n - before.get(table, 0)) / count for table, n in now.items()}
        return {table: n for table, n in written.items() if round(n, 2) > 0}

    def row_bytes(self, url, name):
        """The mean size of the rows that were written last; a note is a customer's id, and soon gone."""
        rows = (f"(SELECT * FROM {name} ORDER BY ctid DESC LIMIT {CHECK_ORDERS // 2})" if name != "customer_changes" else
                "(SELECT id AS customer_id FROM customers LIMIT 1)")
        return float(self.sql(url, f"SELECT avg(pg_column_size(r.*)) FROM {rows} AS r"))

    def compare_rows(self):
        """The floor is one only if it writes the same rows, as many and as large; returns {table: bytes of a row}."""
        per_client = CHECK_ORDERS // FLOOR_CLIENTS
        orders = self.rows_per_call(self.given.patron_url, CHECK_ORDERS, lambda: run(
            self.load_command("orders", FLOOR_CLIENTS, "--warm", 0, "--count", CHECK_ORDERS)))
        floor = self.rows_per_call(self.given.floor_url, per_client * FLOOR_CLIENTS, lambda: self.pgbench(
            "floor_order.sql", f"--transactions={per_client}"))
        apart, sizes = [], {}
        for name in sorted(set(orders) | set(floor)):
            rows, floor_rows = orders.get(name, 0), floor.get(name, 0)
            sizes[name] = self.row_bytes(self.given.patron_url, name)
            floor_size = self.row_bytes(self.given.floor_url, name)
            if abs(rows - floor_rows) > ROWS_TOLERANCE or abs(sizes[name] - floor_size) > max(
                    SIZE_TOLERANCE * sizes[name], ALIGNMENT_BYTES):
                apart.append(f"{name} {rows:.2f} of {sizes[name]:.0f} bytes and {floor_rows:.2f} of {floor_size:.0f}")
        if apart:
            raise Failed("tests/load/floor_order.sql does not write the rows that an order writes. Rows per order, "
                         f"server and floor: {', '.join(apart)}")
        return sizes


class Measured:
    """All results by name, one for each round."""

    def __init__(self):
        self.rounds = {}

    def add(self, name, result):
        self.rounds.setdefault(name, []).append(result)
        said = ", ".join(f"{key} {value:,.2f}" for key, value in result.items() if key in ("rate", "p50_ms", "p99_ms"))
        print(f"  {name}: {said}", file=sys.stderr, flush=True)

    def median(self, name, key="rate"):
        return statistics.median(result[key] for result in self.rounds[name])

    def ratio(self, name, base):
        """The median of the ratios within each round: what troubles the machine troubles both."""
        return statistics.median(a["rate"] / b["rate"] for a, b in zip(self.rounds[name], self.rounds[base]))


def measure(bench, rounds, floor_only):
    measured = Measured()
    for number in range(1, rounds + 1):
        print(f"Round {number} of {rounds}", file=sys.stderr)
        if not floor_only:
            measured.add("orders, 1 connection", bench.load("orders", 1))
            measured.add("orders, 16 connections", bench.load("orders", 16))
            measured.add("orders, 64 connections", bench.load("orders", 64))
        measured.add("floor, orders", bench.floor("floor_order.sql"))
        if not floor_only:
            measured.add("hot, 64 connections", bench.load("hot", CONNECTIONS))
            measured.add("orders, 256 connections", bench.load("orders", 256))
            measured.add("reads, 64 connections", bench.load("reads", CONNECTIONS))
        measured.add("floor, reads", bench.floor("floor_read.sql"))
        if not floor_only:
            measured.add("mixed, 64 connections", bench.load("mixed", CONNECTIONS))
            for share in OPEN_LOOP_SHARES:
                top = measured.median("orders, 64 connections")
                result = bench.load("orders", OPEN_CONNECTIONS, rate=round(top * share / 100))
                measured.add(f"open loop, {share} %", result)
    return measured


def machine(bench):
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    threads = len(re.findall(r"^processor\s*:", Path("/proc/cpuinfo").read_text(), re.M))
    memory = int(re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.M).group(1)) / 1024 / 1024
    version = bench.sql(bench.given.patron_url, "SHOW server_version").split()[0]
    return f"{cpu.group(1) if cpu else 'unknown processor'}, {threads} cores, {memory:.0f} GB, PostgreSQL {version}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def spread(results):
    return f"{min(r['rate'] for r in results):,.0f} – {max(r['rate'] for r in results):,.0f}"


def server_rows(measured):
    for name, results in measured.rounds.items():
        if name.startswith("floor"):
            continue
        late = sum(result["unanswered"] for result in results)
        times = [f"{measured.median(name, key):.2f}" for key in ("p50_ms", "p95_ms", "p99_ms", "max_ms")]
        cpu = [f"{measured.median(name, key):.0f}" for key in ("server_us", "database_us", "client_us")]
        label = name + (f" ({late} unanswered)" if late else "")
        yield [label, f"{measured.median(name):,.0f}", spread(results), *times, " + ".join(cpu),
               f"{measured.median(name, 'rss_mb'):.1f}"]


def floor_rows(measured):
    for name, results in measured.rounds.items():
        if name.startswith("floor"):
            cpu = [f"{measured.median(name, key):.0f}" for key in ("database_us", "client_us")]
            yield [name, f"{measured.median(name):,.0f}", spread(results), f"{measured.median(name, 'mean_ms'):.2f}",
                   " + ".join(cpu)]


def goals(measured):
    """What was to be reached: (goal, reached, wanted, whether)."""
    writes = measured.ratio("orders, 64 connections", "floor, orders")
    reads = measured.ratio("reads, 64 connections", "floor, reads")
    hot = measured.ratio("hot, 64 connections", "orders, 64 connections")
    p99 = measured.median("orders, 64 connections", "p99_ms")
    rss = max(result["rss_mb"] for result in measured.rounds["orders, 256 connections"])
    return [
        ("orders at 64 connections / floor", f"{writes:.2f}", "≥ 1.6", writes >= 1.6),
        ("reads at 64 connections / floor", f"{reads:.2f}", "≥ 0.9", reads >= 0.9),
        ("hot customers / uniform, 64 connections", f"{hot:.2f}", "≥ 0.95", hot >= 0.95),
        ("p99 of orders at 64 connections, ms", f"{p99:.1f}", "≤ 15", p99 <= 15),
        ("server memory at 256 connections, MB", f"{rss:.1f}", "≤ 20", rss <= 20),
    ]


def report(bench, measured, sizes):
    given = bench.given
    lines = [f"{machine(bench)}; {date.today().isoformat()}; {given.rounds} rounds of {given.seconds} s, "
             f"{given.customers:,} customers; medians.", ""]
    if not given.floor_only:
        head = ["server", "per second", "lowest – highest", "p50 ms", "p95 ms", "p99 ms", "max ms",
                "CPU µs: server + PostgreSQL + client", "memory MB"]
        lines += table(head, server_rows(measured)) + [""]
    head = [f"PostgreSQL alone, {FLOOR_CLIENTS} clients", "per second", "lowest – highest", "mean ms",
            "CPU µs: PostgreSQL + client"]
    lines += table(head, floor_rows(measured))
    if not given.floor_only:
        verdicts = [[*goal, "reached" if good else "**not reached**"] for *goal, good in goals(measured)]
        lines += [""] + table(["goal", "measured", "wanted", ""], verdicts)
        lines += ["", "For one order both write one row into each of: "
                  + ", ".join(f"{name} ({size:.0f} bytes)" for name, size in sizes.items()) + "."]
    return "\n".join(lines)


def write_between_marks(path, text, mark_begin=MARK_BEGIN, mark_end=MARK_END):
    page = path.read_text()
    begin, end = page.index(mark_begin) + len(mark_begin), page.index(mark_end)
    path.write_text(f"{page[:begin]}\n{text}\n{page[end:]}")


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("--address", "--patron-url", "--floor-url", "--load", "--pg-bin"):
        parser.add_argument(name, required=True)
    for name in ("--key-file", "--pid-file", "--floor-scripts"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--seconds", "--rounds", "--customers"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--floor-only", action="store_true")
    return parser.parse_args()


def main():
    given = arguments()
    bench = Bench(given)
    try:
        sizes = bench.compare_rows()
        measured = measure(bench, given.rounds, given.floor_only)
    except Failed as failed:
        sys.exit(f"tools/bench: {failed}")
    text = report(bench, measured, sizes)
    print(text)
    if given.write:
        write_between_marks(given.write, text)


if __name__ == "__main__":
    main()
