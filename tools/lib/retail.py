"""Read the UCI Online Retail file (CC BY 4.0) as orders and refunds. Pure: no network, no clock.

An order is one invoice number with a customer, dated by its earliest line. A cancellation names no order, so it
becomes refunds of the same customer's latest earlier lines of that stock code with quantity left. The shop paid back
what the cancellation says: that amount is refunded, spread over the matched lines by quantity, and never more than is
left of a line. What can't be matched is counted, never dropped.
"""

import csv
import gzip
import io
from collections import defaultdict
from datetime import datetime, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")
CURRENCY = "GBP"


class Order(NamedTuple):
    external_id: str
    customer: dict  # as POST /v1/orders takes it; external_id is always there
    at: str  # RFC 3339, UTC
    lines: list  # as POST /v1/orders takes them
    channel: str = "import"

    @property
    def total_minor(self):
        return sum(line["total_minor"] for line in self.lines)


class Refund(NamedTuple):
    external_id: str
    order: Order
    at: str
    lines: list  # as POST .../refunds takes them, one for each line of the order

    @property
    def total_minor(self):
        return sum(line["amount_minor"] for line in self.lines)


def order_body(order, currency):
    """As POST /v1/orders and files of orders take it."""
    return {
        "external_id": order.external_id, "status": "paid", "channel": order.channel, "currency": currency,
        "customer": order.customer, "placed_at": order.at, "paid_at": order.at, "lines": order.lines,
        "total_minor": order.total_minor,
    }


def refund_body(refund):
    """As POST .../refunds takes it."""
    return {"external_id": refund.external_id, "refunded_at": refund.at, "lines": refund.lines}


class CancelLine(NamedTuple):
    stock_code: str
    quantity: int  # positive
    amount_minor: int  # positive


class Cancel(NamedTuple):
    external_id: str
    customer: str
    at: str
    lines: list


class Tally:
    """What was left out, by reason: lines and money."""

    def __init__(self):
        self.reasons = {}

    def add(self, reason, minor, lines=1):
        before = self.reasons.get(reason, (0, 0))
        self.reasons[reason] = (before[0] + lines, before[1] + minor)

    def items(self):
        return sorted(self.reasons.items())


class Shop(NamedTuple):
    orders: list
    refunds: list
    left_out: Tally


class Price(NamedTuple):
    digits: int
    decimals: int

    @classmethod
    def parse(cls, text):
        whole, _, fraction = text.partition(".")
        return cls(int(whole + fraction), len(fraction))

    def times(self, quantity):
        """Minor units of a quantity, rounded half up (away from zero below it)."""
        exact = abs(quantity * self.digits) * 100
        unit = 10**self.decimals
        rounded = (2 * exact + unit) // (2 * unit)
        return rounded if quantity * self.digits >= 0 else -rounded

    def minor(self):
        """The price in minor units, or None when it has a fraction of one."""
        exact = self.digits * 100
        unit = 10**self.decimals
        return exact // unit if exact % unit == 0 else None


def utc(local):
    at = datetime.fromisoformat(local).replace(tzinfo=ZONE)
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def sale_line(line_no, row, quantity, price):
    line = {"line_no": line_no, "sku": row["stock_code"], "quantity": quantity, "total_minor": price.times(quantity)}
    if row["description"].strip():
        line["name"] = row["description"].strip()
    if price.minor() is not None:
        line["unit_price_minor"] = price.minor()
    return line


def rows(path):
    with gzip.open(path) as packed:
        yield from csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline=""))


def read(lines):
    """Orders, cancellations and what belongs to neither, from the file's lines."""
    invoices, left_out = {}, Tally()
    prices, instants = {}, {}
    for row in lines:
        quantity = int(row["quantity"])
        price = prices.get(row["unit_price"]) or prices.setdefault(row["unit_price"], Price.parse(row["unit_price"]))
        kind = row["kind"]
        if kind == "adjust" or not row["customer_id"]:
            reason = "bad-debt adjustment" if kind == "adjust" else f"{kind} without a customer"
            left_out.add(reason, price.times(quantity))
            continue
        key = (kind, row["invoice_no"], row["customer_id"])
        invoice = invoices.setdefault(key, [row["invoice_ts"], []])
        invoice[0] = min(invoice[0], row["invoice_ts"])
        if kind == "sale":
            invoice[1].append(sale_line(len(invoice[1]) + 1, row, quantity, price))
        else:
            invoice[1].append(CancelLine(row["stock_code"], -quantity, -price.times(quantity)))
    orders, cancels = [], []
    for (kind, number, customer), (local, items) in invoices.items():
        at = instants.get(local) or instants.setdefault(local, utc(local))
        if kind == "sale":
            orders.append(Order(number, {"external_id": customer}, at, items))
        else:
            cancels.append(Cancel(number, customer, at, items))
    return orders, cancels, left_out


class Bought:
    """One line of an order, with what is left to take back."""

    __slots__ = ("order", "line_no", "quantity", "amount_minor")

    def __init__(self, order, line):
        self.order, self.line_no = order, line["line_no"]
        self.quantity, self.amount_minor = line["quantity"], line["total_minor"]


def unmatched_reason(cancel_line, known_customer, bought):
    if cancel_line.stock_code == "D":
        return "cancelled: a discount, not goods"
    if not known_customer:
        return "cancelled: the customer has no earlier order"
    if not bought:
        return "cancelled: the customer never ordered it before"
    return "cancelled: nothing left of what was ordered"


def take_back(cancel_line, bought):
    """Pieces (line, quantity, amount) of one cancelled line, latest line first, and quantity and amount not placed."""
    quantity, amount = cancel_line.quantity, cancel_line.amount_minor
    pieces, above = [], 0
    for line in reversed(bought):
        if quantity == 0:
            break
        taken = min(quantity, line.quantity)
        if taken == 0:
            continue
        share = (2 * amount * taken + quantity) // (2 * quantity)
        paid = min(share, line.amount_minor)
        pieces.append((line, taken, paid))
        line.quantity -= taken
        line.amount_minor -= paid
        quantity, amount, above = quantity - taken, amount - share, above + share - paid
    return pieces, quantity, amount, above


def refunds_of(cancel, bought, known_customer, left_out):
    """The refunds of one cancellation invoice, one for each order it reaches."""
    by_order = {}
    for cancel_line in cancel.lines:
        candidates = bought.get((cancel.customer, cancel_line.stock_code), [])
        pieces, quantity, amount, above = take_back(cancel_line, candidates)
        for line, taken, paid in pieces:
            order, lines = by_order.setdefault(line.order.external_id, (line.order, {}))
            refunded = lines.setdefault(line.line_no, {"line_no": line.line_no, "quantity": 0, "amount_minor": 0})
            refunded["quantity"] += taken
            refunded["amount_minor"] += paid
        if not pieces:
            left_out.add(unmatched_reason(cancel_line, known_customer, candidates), -amount)
        elif quantity:
            left_out.add("cancelled: more pieces than were left", -amount)
        if above:
            left_out.add("cancelled: more money than was left of the line", -above)
    return [
        Refund(f"{cancel.external_id}/{number}", order, cancel.at, sorted(lines.values(), key=lambda l: l["line_no"]))
        for number, (order, lines) in by_order.items()
    ]


def match(orders, cancels, left_out):
    """Refunds for the cancellations. An order of the same minute counts as earlier: the file has no seconds."""
    steps = [(order.at, 0, order.external_id, order) for order in orders]
    steps += [(cancel.at, 1, cancel.external_id, cancel) for cancel in cancels]
    steps.sort(key=lambda step: step[:3])
    bought, customers, refunds = defaultdict(list), set(), []
    for _, is_cancel, _, step in steps:
        if is_cancel:
            refunds += refunds_of(step, bought, step.customer in customers, left_out)
            continue
        customer = step.customer["external_id"]
        customers.add(customer)
        for line in step.lines:
            bought[customer, line["sku"]].append(Bought(step, line))
    return refunds


def load(path):
    orders, cancels, left_out = read(rows(path))
    return Shop(orders, match(orders, cancels, left_out), left_out)
