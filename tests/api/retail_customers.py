"""What every customer of the UCI Online Retail file has in the end, computed from the file alone: orders, what came back of
them, and by the slow reference points, growth and tier."""

import csv
import datetime
import gzip
from decimal import ROUND_HALF_UP, Decimal

from zoneinfo import ZoneInfo

from reference import Customer
from reference_calendar import Calendar

ZONE = "Europe/London"


def minor(price, quantity):
    return int((Decimal(price) * quantity * 100).quantize(Decimal(1), ROUND_HALF_UP))


def invoices(path):
    """Sales and cancellations with a customer: [instant, is it a cancellation, number, customer, rows], in time order."""
    found = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["customer_id"] and row["kind"] != "adjust":
                key = row["kind"] == "cancel", row["invoice_no"], row["customer_id"]
                found.setdefault(key, []).append(row)
    zone = ZoneInfo(ZONE)
    dated = [(int(datetime.datetime.fromisoformat(min(row["invoice_ts"] for row in rows)).replace(tzinfo=zone).timestamp()),
              *key, rows) for key, rows in found.items()]
    return sorted(dated, key=lambda one: one[:3])


class Buyer:
    """A customer and the lines from which something can come back."""

    def __init__(self, calendar, joined, program):
        self.customer = Customer(calendar, joined, tier=program["tiers"][0]["code"], since=joined)
        self.program = program
        self.bought = {}  # stock code: [order, index of the line, pieces left, money left], oldest first

    def buy(self, at, number, rows):
        lines = [{"line_no": i + 1, "sku": row["stock_code"], "quantity": int(row["quantity"]),
                  "total_minor": minor(row["unit_price"], int(row["quantity"]))} for i, row in enumerate(rows)]
        body = {"external_id": number, "status": "paid", "lines": lines, "total_minor": sum(line["total_minor"] for line in lines)}
        self.customer.take(self.program, body, at)
        for i, line in enumerate(lines):
            self.bought.setdefault(line["sku"], []).append([self.customer.orders[number], i, line["quantity"], line["total_minor"]])

    def cancel(self, at, rows):
        """The latest earlier lines of the stock code come back; the money is spread over them by pieces."""
        parts = {}
        for row in rows:
            pieces, money = -int(row["quantity"]), -minor(row["unit_price"], int(row["quantity"]))
            for line in reversed(self.bought.get(row["stock_code"], [])):
                taken = min(pieces, line[2])
                if taken == 0:
                    continue
                share = int((Decimal(money) * taken / pieces).quantize(Decimal(1), ROUND_HALF_UP))
                paid = min(share, line[3])
                part = parts.setdefault(line[0].body["external_id"], {}).setdefault(line[1], [0, 0])
                part[0], part[1] = part[0] + taken, part[1] + paid
                line[2], line[3] = line[2] - taken, line[3] - paid
                pieces, money = pieces - taken, money - share
        for number, lines in parts.items():
            self.customer.refund(self.program, self.customer.orders[number],
                                 [(i, pieces, paid) for i, (pieces, paid) in lines.items()], 0, at)


def customers(path, program, joined):
    """All who ever ordered: {external id: Customer}."""
    calendar, buyers = Calendar(ZONE), {}
    for at, is_cancel, number, name, rows in invoices(path):
        if is_cancel:
            if name in buyers:
                buyers[name].cancel(at, rows)
            continue
        buyers.setdefault(name, Buyer(calendar, joined, program)).buy(at, number, rows)
    return {name: buyer.customer for name, buyer in buyers.items()}
