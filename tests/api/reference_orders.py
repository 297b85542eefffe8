"""What the slow reference keeps of a customer: lots, holds, orders with their lines, referrals."""

import datetime
from dataclasses import dataclass, field

from reference_earning import largest_remainder


@dataclass
class Lot:
    amount: int
    remaining: int
    pending: bool
    active_from: int  # None: it waits for a state of its order
    expires_at: int  # None: never, or by inactivity
    order: str
    warned: tuple = None  # the end and the points of which was warned


@dataclass
class Hold:
    points: int
    expires_at: int  # None: it waits for its order
    draws: list  # [lot, points] in the order in which they were drawn
    state: str = "open"
    order: str = None
    captured: int = 0
    restored: int = 0


@dataclass
class Line:
    body: dict  # as it was sent
    paid: int
    points: int = 0
    growth: int = 0
    refunded: int = 0
    refunded_quantity: int = 0

    def part(self):
        """How much of it went back: (part, whole), by money, or by pieces when it cost nothing."""
        if self.paid:
            return self.refunded, self.paid
        return self.refunded_quantity, self.body["quantity"]


@dataclass
class Order:
    body: dict  # as it was sent last
    lines: list
    status: str = None
    day: datetime.date = None  # on which it counts
    hold: str = None
    refunded: int = 0
    refunded_shipping: int = 0
    wholly_refunded: bool = False
    coupon: object = None  # the Coupon that it uses

    def return_coupon(self, at):
        """The one that it used, if its template says so."""
        if self.coupon and self.coupon.order_used == self.body["external_id"] and self.coupon.body.get("returns_on_refund"):
            self.coupon.give_back(at, self.coupon.body["returned_days"])

    @property
    def total(self):
        return self.body["total_minor"]


@dataclass
class Referral:
    name: str
    at: int
    state: str = "waiting"
    order: str = None  # the one that it is paid for
    due: bool = False  # something is to be settled
    points: int = 0
    growth: int = 0
    paid_at: int = None
    take_back: bool = False


@dataclass
class Outcome:
    """What one call changed."""

    first: bool = False  # the order began to count as the only one, with points
    lost: bool = False  # nothing is left of it

    earned: int = 0
    reversed: int = 0
    written_off: int = 0
    spent: int = 0
    restored: int = 0
    growth_earned: int = 0
    growth_reversed: int = 0
    tier_before: str = None
    tier_after: str = None
    coupons: list = field(default_factory=list)  # rule, template, status, coupon


def paid_lines(body, by_coupon=None):
    """Lines as they are paid: what a coupon takes off is off those that it is for, the rest of the discount off all."""
    left = [line["total_minor"] - off for line, off in zip(body["lines"], by_coupon or [0] * len(body["lines"]))]
    off = largest_remainder(body.get("discount_minor", 0) - sum(by_coupon or []), left)
    return [Line({"quantity": 1, **line}, total - less) for line, total, less in zip(body["lines"], left, off)]


def is_wholly_refunded(order):
    """All money is back; an order that cost nothing counts until it is cancelled."""
    return order.status == "cancelled" or (order.total > 0 and order.refunded == order.total)


def nothing_is_left(order):
    """For its coupons an order that cost nothing is given back with its last piece."""
    pieces = all(line.refunded_quantity == line.body["quantity"] for line in order.lines)
    return is_wholly_refunded(order) or (order.total == 0 and pieces)
