"""Coupons: what they promise, what they take off, and what becomes of them. Part of the slow reference (reference.py)."""

import datetime
from dataclasses import dataclass, field

from reference_earning import half_up, largest_remainder

DAY = 86400

# What the goods conditions of the test's templates mean.
GOODS = {None: lambda line: True, "category = 'bags'": lambda line: line.get("category") == "bags"}


@dataclass(eq=False)
class Template:
    """The newest version of one; coupons keep the body that they were issued with."""

    code: str
    body: dict
    issued: int = 0

    def why_not(self, had, today):
        """Why no more of it is issued, to a customer who had some already; None: it is."""
        if today.isoformat() > (self.body.get("valid_until") or "9999"):
            return "sold_out"
        if self.body.get("total_limit") is not None and self.issued >= self.body["total_limit"]:
            return "sold_out"
        limit = self.body.get("per_customer_limit")
        return "limit_reached" if limit is not None and had >= limit else None

    def expires_at(self, calendar, at):
        days = []
        if self.body.get("valid_days") is not None:
            days.append(calendar.day(at) + datetime.timedelta(self.body["valid_days"]))
        if self.body.get("valid_until") is not None:
            days.append(datetime.date.fromisoformat(self.body["valid_until"]))
        return calendar.end(min(days)) if days else None


def takes_off(template, lines):
    """What a coupon takes off each line, or None when it is not for them."""
    worth = [line["total_minor"] if GOODS[template.get("goods")](line) else 0 for line in lines]
    if sum(worth) < max(1, template.get("threshold_minor", 0)):
        return None
    off = template.get("off_minor") or half_up(sum(worth), template["off_permille"], 1000)
    off = min(off, sum(worth), template.get("max_off_minor") or off)
    return largest_remainder(off, worth) if off else None


@dataclass(eq=False)
class Coupon:
    template: Template
    body: dict  # of the template, as it was then
    issued_at: int
    expires_at: int
    owner: object = None  # a Customer; None: whoever bears it
    source: str = "api"
    code: str = None  # once the server has told it
    state: str = "available"
    session: str = None
    locked_until: int = None
    user: object = None  # a Customer
    off: int = 0
    rule: str = None  # of the programme, that issued it for an order
    order: str = None  # by which it was issued
    order_used: str = None  # for which it was used,
    redemption: str = None  # or what else for
    history: list = field(default_factory=list)

    def note(self, action, at, event=None):
        """Something became of it; whoever it concerns is told."""
        self.history.append((action, self.state, at))
        concerned = self.owner or self.user
        if concerned:
            concerned.tell(f"coupon.{event or action}", self)

    def state_at(self, at):
        """What is over is over for whoever looks, written down or not."""
        over = self.state == "available" and self.expires_at is not None and self.expires_at <= at
        return "expired" if over else self.state

    def usable(self, at, session=None):
        if self.state == "locked":
            return session is not None and session == self.session
        return self.state_at(at) == "available"

    def lock(self, session, at, until):
        self.state, self.session, self.locked_until = "locked", session, until
        self.note("locked", at)

    def release(self, at):
        self.state, self.session, self.locked_until = "available", None, None
        self.note("released", at)

    def redeem(self, user, at, off):
        self.state, self.session, self.locked_until = "redeemed", None, None
        self.user, self.off = user, off
        self.note("redeemed", at)

    def give_back(self, at, days=0):
        """What it was used for was undone; it is good for so many days at least."""
        self.state, self.off = "available", 0
        if days and self.expires_at is not None:
            self.expires_at = max(self.expires_at, at + days * DAY)
        self.note("returned", at, "released")
        self.user = self.order_used = self.redemption = None

    def revoke(self, at):
        self.state, self.session, self.locked_until = "revoked", None, None
        self.note("revoked", at)

    def pass_time(self, now):
        if self.state == "locked" and self.locked_until <= now:
            self.release(self.locked_until)
        if self.state_at(now) != self.state:
            self.state = "expired"
            self.note("expired", self.expires_at)


def issue(template, calendar, at, owner=None, source="api"):
    """A coupon, or why there is none."""
    had = sum(one.template is template and one.state != "revoked" for one in owner.coupons) if owner else 0
    why = template.why_not(had, calendar.day(at))
    if why:
        return why
    template.issued += 1
    coupon = Coupon(template, template.body, at, template.expires_at(calendar, at), owner, source)
    if owner:
        owner.coupons.append(coupon)
    coupon.note("issued", at)
    return coupon


def of_an_order(rules, templates, customer, order, applies, at):
    """What an order brings by the programme's rules: (rule, template, status, coupon)."""
    brought = []
    for rule in rules:
        if not applies(rule):
            continue
        made = issue(templates[rule["template"]], customer.calendar, at, customer, "order")
        if isinstance(made, Coupon):
            made.rule, made.order = rule["code"], order.body["external_id"]
        brought.append((rule["code"], rule["template"], "issued" if isinstance(made, Coupon) else made,
                        made if isinstance(made, Coupon) else None))
    return brought


def withdrawn(rules, customer, order, at):
    """What goes with an order that was given back as a whole."""
    goes = {rule["code"] for rule in rules if rule.get("withdrawn_on_refund")}
    gone = [one for one in customer.coupons
            if one.order == order.body["external_id"] and one.rule in goes and one.state_at(at) in ("available", "locked")]
    gone.sort(key=lambda one: one.code)
    for one in gone:
        one.revoke(at)
    return [(one.rule, one.template.code, "withdrawn", one) for one in gone]
