"""tools/replay: send a real or a made shop's year of orders to a running server and check the totals."""

import argparse
import json
import os
import sys
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))

import made
import retail
from sender import Connection, Sender, Step, Unreachable

ABOUT = """\
examples:
  tools/replay online_retail.csv.gz --rate max
  tools/replay --made 10000 --rate 200

online_retail.csv.gz is the UCI Online Retail data set (CC BY 4.0) as one CSV file with the columns line_no, invoice_no,
kind (sale, cancel, adjust), stock_code, description, quantity, invoice_ts, unit_price, customer_id, country. Start the
server for it with PATRON_CURRENCY=GBP PATRON_ZONE=Europe/London. Running it twice changes nothing.

Exit status: 0 when every answer was good and the totals are the expected ones, 1 when not, 2 on wrong usage."""

URL = "http://127.0.0.1:8080"
CONNECTIONS = 12
CREATED = 201
FAILURES_SHOWN = 5
PLAIN_EVERY_SECONDS = 5
BAR_EVERY_SECONDS = 0.2
BAR_WIDTH = 30


def order_step(order, currency):
    body = retail.order_body(order, currency)
    return Step(order.customer["external_id"], "POST", "/v1/orders?backfill=true", body, ("order", order.total_minor))


def refund_step(refund):
    reference = urllib.parse.quote(f"ext:{refund.order.external_id}", safe=":")
    body = retail.refund_body(refund)
    path = f"/v1/orders/{reference}/refunds?backfill=true"
    return Step(refund.order.customer["external_id"], "POST", path, body, ("refund", refund.total_minor))


def steps_in_time(shop, currency):
    """Orders before refunds of the same instant: a refund may belong to one of them."""
    keyed = [(order.at, 0, order.external_id, order) for order in shop.orders]
    keyed += [(refund.at, 1, refund.external_id, refund) for refund in shop.refunds]
    keyed.sort(key=lambda entry: entry[:3])
    for _, is_refund, _, entry in keyed:
        yield refund_step(entry) if is_refund else order_step(entry, currency)


class Counts:
    """What was sent and answered, for orders or for refunds."""

    def __init__(self, expected, expected_minor):
        self.expected, self.expected_minor = expected, expected_minor
        self.sent = self.created = self.changed = self.replayed = self.failed = self.minor = 0

    def add(self, answer, minor):
        self.sent += 1
        if not answer.good:
            self.failed += 1
            return
        self.minor += minor
        if answer.hit:
            self.replayed += 1
        elif answer.status == CREATED:
            self.created += 1
        else:
            self.changed += 1  # it was there with other values

    @property
    def right(self):
        return self.failed == self.changed == 0 and self.sent == self.expected and self.minor == self.expected_minor


class Progress:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total, out):
        self.total, self.out, self.done = total, out, 0
        self.terminal = out.isatty()
        self.started = time.monotonic()
        self.shown = self.started

    def step(self):
        self.done += 1
        now = time.monotonic()
        if self.done == self.total or now - self.shown >= (BAR_EVERY_SECONDS if self.terminal else PLAIN_EVERY_SECONDS):
            self.shown = now
            self.show(now - self.started)

    def show(self, seconds):
        rate = self.done / seconds if seconds > 0 else 0
        left = (self.total - self.done) / rate if rate > 0 else 0
        said = f"{self.done:,} of {self.total:,} ({100 * self.done // self.total} %), {rate:,.0f}/s, {left:.0f} s left"
        if not self.terminal:
            print(said, file=self.out, flush=True)
            return
        filled = BAR_WIDTH * self.done // self.total
        print(f"\r[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {said} \033[K", end="", file=self.out, flush=True)
        if self.done == self.total:
            print(file=self.out)


class Replay:
    def __init__(self, shop, currency, quiet):
        self.shop, self.currency = shop, currency
        self.orders = Counts(len(shop.orders), sum(order.total_minor for order in shop.orders))
        self.refunds = Counts(len(shop.refunds), sum(refund.total_minor for refund in shop.refunds))
        self.failures = []
        self.progress = None if quiet else Progress(len(shop.orders) + len(shop.refunds), sys.stderr)
        self.seconds, self.repeats, self.proof = 0.0, 0, None

    def answered(self, step, answer):
        kind, _ = step.tag
        if kind == "order":
            self.orders.add(answer, answer.body["order"]["total_minor"] if answer.good else 0)
        else:
            self.refunds.add(answer, answer.body["refund"]["amount_minor"] if answer.good else 0)
        if not answer.good:
            self.failures.append(f"{kind} {step.body['external_id']}: {answer.reason()}")
        if self.progress:
            self.progress.step()

    def run(self, url, key, connections, rate):
        started = time.monotonic()
        sender = Sender(url, key, connections, self.answered)
        sender.send(steps_in_time(self.shop, self.currency), rate)
        self.seconds, self.repeats = time.monotonic() - started, sender.repeats
        self.proof = Connection(url, key).ask("GET", "/v1/points/proof").body

    @property
    def proved(self):
        return bool(self.proof and self.proof.get("ok"))

    @property
    def right(self):
        return self.orders.right and self.refunds.right and self.proved

    def report(self):
        """The whole outcome as one JSON-able object."""
        kinds = {}
        for name, counts in (("orders", self.orders), ("refunds", self.refunds)):
            kinds[name] = dict(vars(counts), right=counts.right)
        left_out = [{"reason": reason, "lines": lines, "minor": minor}
                    for reason, (lines, minor) in self.shop.left_out.items()]
        customers = len({order.customer["external_id"] for order in self.shop.orders})
        return {
            "right": self.right, "currency": self.currency, "customers": customers,
            "lines": sum(len(order.lines) for order in self.shop.orders), **kinds, "left_out": left_out,
            "failures": self.failures, "repeats": self.repeats, "proof": self.proof,
            "seconds": round(self.seconds, 2),
            "orders_per_second": round(self.orders.sent / max(self.seconds, 1e-9), 1),
        }


def money(minor, currency):
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100:,}.{abs(minor) % 100:02d} {currency}"


def print_counts(name, counts, currency):
    print(f"{name:9} {counts['sent']:,} sent of {counts['expected']:,}: {counts['created']:,} created, "
          f"{counts['replayed']:,} replayed, {counts['changed']:,} changed, {counts['failed']:,} failed")
    answered, expected = money(counts["minor"], currency), money(counts["expected_minor"], currency)
    print(f"          {answered} answered, {expected} expected: {'equal' if answered == expected else 'DIFFERENT'}")


def print_report(report):
    currency = report["currency"]
    print(f"customers {report['customers']:,}, lines {report['lines']:,}")
    print_counts("orders", report["orders"], currency)
    print_counts("refunds", report["refunds"], currency)
    if report["left_out"]:
        print("left out  (in no order, or matching none)")
    for entry in report["left_out"]:
        print(f"          {entry['reason']}: {entry['lines']:,} lines, {money(entry['minor'], currency)}")
    proof = report["proof"] or {}
    print(f"proof     {'the points add up' if proof.get('ok') else 'THE POINTS DO NOT ADD UP'}: "
          f"{proof.get('customers', 0):,} customers, {proof.get('checked_entries', 0):,} entries")
    for failure in report["failures"][:FAILURES_SHOWN]:
        print(f"failed    {failure}")
    if len(report["failures"]) > FAILURES_SHOWN:
        print(f"          and {len(report['failures']) - FAILURES_SHOWN:,} more")
    print(f"time      {report['seconds']:.1f} s, {report['orders_per_second']:,.0f} orders/s, "
          f"{report['repeats']:,} repeated requests")
    print("right" if report["right"] else "NOT RIGHT")


def parse_rate(text):
    if text == "max":
        return None
    rate = float(text)
    if rate <= 0:
        raise ValueError
    return rate


def positive(text):
    number = int(text)
    if number <= 0:
        raise ValueError
    return number


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog="tools/replay", epilog=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Send a shop's history to a running server, in time order, and check that every total is right.")
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="online_retail.csv.gz")
    add("--made", type=positive, metavar="N", help="instead of a file: a made shop of N orders, always the same")
    add("--rate", type=parse_rate, default="max", help="requests a second, or max (default)")
    add("--connections", type=positive, default=CONNECTIONS, help=f"kept-alive connections (default {CONNECTIONS})")
    add("--url", default=os.environ.get("PATRON_URL", URL), help=f"the server (default $PATRON_URL or {URL})")
    add("--key-file", type=Path, default=Path(os.environ.get("PATRON_DATA", "var"), "admin.key"),
        help="holds the API key, unless $PATRON_KEY does (default var/admin.key)")
    add("--quiet", action="store_true", help="no progress")
    add("--json", action="store_true", help="the report as JSON")
    given = parser.parse_args(argv)
    if (given.file is None) == (given.made is None):
        parser.error("give either FILE or --made N")
    if given.file and not Path(given.file).is_file():
        parser.error(f"{given.file} does not exist")
    return parser, given


def read_key(parser, key_file):
    if os.environ.get("PATRON_KEY"):
        return os.environ["PATRON_KEY"].strip()
    try:
        return key_file.read_text().strip()
    except OSError as missing:
        parser.error(f"no API key: {missing.strerror}: {key_file} (set PATRON_KEY or --key-file)")


def shop_currency(parser, given, key):
    meta = Connection(given.url, key).ask("GET", "/v1/meta")
    if not meta.good:
        parser.exit(1, f"GET /v1/meta: {meta.reason()}\n")
    currency, zone = meta.body["currency"], meta.body["zone"]
    if given.file and (currency, zone) != (retail.CURRENCY, str(retail.ZONE)):
        parser.exit(1, f"This file is in {retail.CURRENCY} and {retail.ZONE} time, the server's shop is in {currency} "
                    f"and {zone}: start it with PATRON_CURRENCY={retail.CURRENCY} PATRON_ZONE={retail.ZONE}.\n")
    return currency


def main(argv):
    parser, given = arguments(argv)
    key = read_key(parser, given.key_file)
    try:
        currency = shop_currency(parser, given, key)
        shop = retail.load(given.file) if given.file else made.make(given.made)
        replay = Replay(shop, currency, given.quiet)
        replay.run(given.url, key, given.connections, given.rate)
    except (Unreachable, ValueError) as broken:
        parser.exit(1, f"{broken}\n")
    report = replay.report()
    if given.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        print_report(report)
    return 0 if report["right"] else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped; run it again to go on: what is already there is answered as a replay.")
