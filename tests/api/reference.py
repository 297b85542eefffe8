"""One customer's points, growth and tier as the rules of the domain say: slow and plain, and in another way than the server
decides. Instants are seconds since 1970; days are the shop's."""

import datetime
from dataclasses import dataclass, field

from reference_calendar import Calendar, add_months, period_end, seconds
from reference_coupons import of_an_order, takes_off, withdrawn
from reference_earning import CONDITIONS, earn, half_up
from reference_orders import Hold, Lot, Order, Outcome, is_wholly_refunded, nothing_is_left, paid_lines
from reference_tiers import Standing

STATES = ("placed", "paid", "shipped", "delivered", "completed")
DAY = 86400


@dataclass
class Customer(Standing):
    calendar: Calendar
    joined: int
    birthday: str = None  # "MM-DD", with a year before it or without
    lots: list = field(default_factory=list)
    holds: dict = field(default_factory=dict)
    orders: dict = field(default_factory=dict)
    days: dict = field(default_factory=dict)  # day: [spend, orders, growth]
    debt: int = 0
    earned: int = 0
    spent: int = 0
    expired: int = 0
    moved_at: int = None  # points were last earned, became active or were spent
    tier: str = None
    since: int = None
    until: int = None
    pin: tuple = None  # tier, until
    paid: dict = field(default_factory=dict)  # activity: days on which it was paid
    used: dict = field(default_factory=dict)  # of caps: (code of a rule, day): points
    coupons: list = field(default_factory=list)
    redemptions: list = field(default_factory=list)
    gifts: dict = field(default_factory=dict)  # rule for birthdays: occasions for which it gave something
    moves: list = field(default_factory=list)  # of the tier: before, after, why, when it was booked
    events: list = field(default_factory=list)
    lapsed: dict = field(default_factory=dict)  # end: points
    noticed: int = None  # the end of a cycle of which was thought
    was_pinned: bool = False
    warned_at: int = None  # the silence of which was warned
    now: int = None  # when what is done is booked

    # ------------------------------------------------------------------ what there is

    @property
    def active(self):
        return sum(lot.remaining for lot in self.lots if not lot.pending)

    @property
    def pending(self):
        return sum(lot.remaining for lot in self.lots if lot.pending)

    @property
    def birth_month(self):
        return int(self.birthday[-5:-3]) if self.birthday else None

    def tell(self, *event):
        self.events.append(event)

    @property
    def held(self):
        return sum(hold.points for hold in self.holds.values() if hold.state == "open")

    def next_expiries(self, program):
        by_date = {}
        for lot in self.lots:
            if lot.remaining and not lot.pending:
                at = self.lapses_at(program, lot)
                by_date[at] = by_date.get(at, 0) + lot.remaining
        return sorted(by_date.items(), key=lambda one: (one[0] is None, one[0]))

    # ------------------------------------------------------------------ lots

    def expiry(self, program, active_from):
        """When points lapse that became active then, by a date of their own."""
        settings = program["points"]["expiry"]
        if settings["form"] not in ("months", "dates"):
            return None
        day = add_months(self.calendar.day(active_from), settings.get("months", 0))
        if settings["form"] == "months":
            return self.calendar.end(period_end(day, settings.get("round_to", "none")))
        lasts = [datetime.date(year, int(text[:2]), int(text[3:])) for year in (day.year, day.year + 1)
                 for text in settings["dates"]]
        return self.calendar.end(min(last for last in lasts if last >= day))

    def silent_since(self, program):
        """Silence counts from when the programme says that it does."""
        return max(self.moved_at, getattr(program, "silent_from", None) or self.moved_at)

    def lapses_by_inactivity(self, program):
        settings = program["points"]["expiry"]
        if settings["form"] != "inactivity" or self.moved_at is None:
            return None
        day = add_months(self.calendar.day(self.silent_since(program)), settings["months"])
        return self.calendar.end(period_end(day, settings.get("round_to", "none")))

    def lapses_at(self, program, lot):
        return lot.expires_at if lot.expires_at is not None else self.lapses_by_inactivity(program)

    def in_spending_order(self):
        """Earliest expiry first, then oldest."""
        active = [lot for lot in self.lots if not lot.pending and lot.remaining]
        return sorted(active, key=lambda lot: (lot.expires_at is None, lot.expires_at))

    def draw(self, points):
        draws = []
        for lot in self.in_spending_order():
            taken = min(points, lot.remaining)
            if taken:
                lot.remaining -= taken
                points -= taken
                draws.append([lot, taken])
        assert points == 0
        return draws

    def pay_debt(self, points):
        """What is left of points after the debt is paid off."""
        paid = min(points, self.debt)
        self.debt -= paid
        return points - paid

    def put_back(self, draws, points):
        """Points return to the lots they came from, last drawn first. What was drawn first pays off debt. Says to which lots
        something was to return."""
        parts = []
        for draw in reversed(draws):
            back = min(points, draw[1])
            draw[1] -= back
            points -= back
            parts += [(draw[0], back)] if back else []
        for lot, back in reversed(parts):
            lot.remaining += self.pay_debt(back)
        return [lot for lot, _ in parts]

    # ------------------------------------------------------------------ what time does

    def pass_time(self, program, now):
        """Everything that is due by now, as of its own moment: holds, then what becomes active, what lapses, and tiers."""
        before, self.now = self.rank(program), now
        while True:
            due = [one for one in self.dues(program) if one[1] <= now]
            if not due:
                break
            _, at, act = min(due, key=lambda one: one[:2])
            act(at)
        if self.rank(program) < before:
            self.rise(program, now, "cycle_end")  # what was bought after the end of the cycle
        self.mind_warnings()

    def dues(self, program):
        for hold in self.holds.values():
            if hold.state == "open" and hold.expires_at is not None:
                yield 0, hold.expires_at, lambda at, hold=hold: self.release(program, hold, "expired", at)
        for lot in self.lots:
            if lot.pending and lot.active_from is not None and lot.remaining:
                yield 1, lot.active_from, lambda at, lot=lot: self.activate(program, lot, at)
            lapses = None if lot.pending or not lot.remaining else self.lapses_at(program, lot)
            if lapses is not None:
                yield 2, lapses, lambda at, lot=lot: self.expire(lot, at)
        if self.until is not None:
            day = self.calendar.day(self.until) + datetime.timedelta(program["cycle"]["grace_days"])
            yield 3, self.calendar.start(day), lambda at: self.end_cycle(program, at)

    def activate(self, program, lot, at):
        if at > self.moved_at:
            self.expire_lapsed(program, at)
            self.moved_at = at
        lot.pending, lot.active_from = False, at
        lot.remaining = self.pay_debt(lot.remaining)
        lot.expires_at = self.expiry(program, at)

    def expire_lapsed(self, program, at):
        """What lapsed while it was held."""
        for lot in self.lots:
            lapses = self.lapses_at(program, lot)
            if not lot.pending and lapses is not None and lapses <= at:
                self.expire(lot, lapses)

    def expire(self, lot, at):
        if lot.remaining:
            self.lapsed[at] = self.lapsed.get(at, 0) + lot.remaining
        self.expired += lot.remaining
        lot.remaining = 0

    # ------------------------------------------------------------------ warnings

    def mind_warnings(self):
        """More points than were warned of, or another end, are warned of anew."""
        for lot in self.lots:
            if lot.warned and (lot.expires_at != lot.warned[0] or lot.remaining > lot.warned[1]):
                lot.warned = None

    def warn(self, program, now):
        settings = program["points"]["expiry"]
        until = now + settings.get("warn_days", 0) * DAY
        if not settings.get("warn_days"):
            return
        points = {}
        for lot in self.lots:
            if lot.remaining and not lot.pending and not lot.warned and lot.expires_at is not None and lot.expires_at <= until:
                lot.warned = lot.expires_at, lot.remaining
                points[lot.expires_at] = points.get(lot.expires_at, 0) + lot.remaining
        silent = sum(lot.remaining for lot in self.lots if not lot.pending and lot.expires_at is None)
        lapses = self.lapses_by_inactivity(program)
        if silent and lapses is not None and lapses <= until and (self.warned_at or 0) < self.silent_since(program):
            self.warned_at = self.silent_since(program)
            self.tell("points.expiring", lapses, silent)
        for at, sum_of_it in points.items():
            self.tell("points.expiring", at, sum_of_it)

    # ------------------------------------------------------------------ points

    def earn(self, program, points, at, waits, order):
        """waits: False, True (for a state of the order) or the moment when they become active."""
        self.earned += points
        self.moved_at = max(self.moved_at or at, at)
        lot = Lot(points, points, bool(waits), None if waits is True else waits or at, None, order)
        self.lots.append(lot)
        if not waits:
            self.activate(program, lot, at)

    def adjust(self, program, points, at, expires_at="program", allow_debt=False):
        """Give points, or take -points; False when there are too few. expires_at: a moment, None or as the programme says."""
        if points > 0:
            self.earn(program, points, at, False, None)
            if expires_at != "program":
                self.lots[-1].expires_at = expires_at
            self.tell("points.adjusted", points)
            return True
        if -points > self.active and not allow_debt:
            return False
        self.tell("points.adjusted", points)
        part = min(-points, self.active)
        self.draw(part)
        self.debt += -points - part
        self.earned += points
        return True

    def act(self, program, kind, at, occurred=None, name=None):
        """An activity of a type, or a custom one of a code. What was paid: points and growth, or the limit that was reached."""
        rule = next((one for one in program["activities"] if kind == (one.get("code") or one["type"])), None)
        if rule is None:
            return 0, 0, "no_rule"
        today = self.calendar.day(occurred or at)
        spans = {"per_day": lambda day: day == today, "per_week": lambda day: day.isocalendar()[:2] == today.isocalendar()[:2],
                 "per_month": lambda day: (day.year, day.month) == (today.year, today.month), "per_lifetime": lambda day: True}
        paid = self.paid.setdefault(kind, [])
        for limit, within in spans.items():
            if rule.get(limit) is not None and sum(map(within, paid)) >= rule[limit]:
                return 0, 0, limit
        paid.append(today)
        if rule.get("points"):
            self.earn(program, rule["points"], at, False, name)
        self.grow(program, rule.get("growth", 0), at)
        return rule.get("points", 0), rule.get("growth", 0), None

    def grow(self, program, growth, at, since=None):
        """Growth of the day of an earlier moment, or of this one."""
        if growth:
            self.add(self.calendar.day(since or at), 0, 0, growth)
            self.rise(program, at, "activity")

    def settle(self, program, referral, at):
        """Pay for somebody who was referred and has bought, or take that back since he gave it all back."""
        referral.due = False
        if referral.state == "waiting":
            rule = next((one for one in program["activities"] if one["type"] == "referral"), {})
            referral.points, referral.growth, why = self.act(program, "referral", at, referral.at, referral.name)
            referral.state, referral.take_back = "not_paid" if why else "paid", rule.get("take_back", False)
            referral.paid_at = at
            return
        if referral.points:
            self.take_back(program, referral.points, referral.name, Outcome())
        self.grow(program, -referral.growth, at, since=referral.paid_at)
        referral.state = "taken_back"

    def spend(self, points, at):
        """False when there are too few."""
        if points > self.active:
            return False
        self.draw(points)
        self.spent += points
        self.moved_at = at
        return True

    def hold(self, reference, points, expires_at):
        if points > self.active:
            return False
        self.holds[reference] = Hold(points, expires_at, self.draw(points))
        return True

    def capture(self, program, hold, points, at):
        hold.state, hold.captured = "captured", points
        self.spent += points
        self.moved_at = at
        self.put_back(hold.draws, hold.points - points)
        self.expire_lapsed(program, at)

    def release(self, program, hold, state, at):
        hold.state = state
        self.put_back(hold.draws, hold.points)
        self.expire_lapsed(program, at)

    def restore(self, program, hold, points, at):
        """Captured points go back; a lot that has lapsed lives a while again."""
        hold.restored += points
        self.spent -= points
        for lot in self.put_back(hold.draws, points):
            lapses = self.lapses_at(program, lot)
            if lapses is not None and lapses <= at:
                lot.expires_at = at + program["points"]["restored_life_days"] * DAY

    def take_back(self, program, points, order, outcome):
        """What an order had earned goes back, from where the policy lets it be taken."""
        policy = program["points"]["refund_policy"]
        own = [lot for lot in self.lots if lot.order == order]
        lots = [lot for lot in own if lot.pending]
        if policy != "only_pending":
            lots += [lot for lot in own if not lot.pending] + self.in_spending_order()
            lots += [lot for lot in self.lots if lot.pending]
        left = points
        for lot in lots:
            taken = min(left, lot.remaining)
            lot.remaining -= taken
            left -= taken
        outcome.reversed += points
        self.earned -= points
        if policy == "unlimited":
            self.debt += left
        else:
            outcome.written_off += left
            self.earned += left

    # ------------------------------------------------------------------ orders

    def take(self, program, body, at, award=True, coupon=None, templates=()):
        """An order in some state, new or a later one. `at` is when the call takes effect."""
        outcome = Outcome(tier_before=self.shown_tier(at))
        order = self.orders.get(body["external_id"]) or self.begin(body, at, coupon)
        before, order.status, order.body = order.status, body["status"], body
        if order.day is None:
            self.attach_hold(program, order, body.get("points_hold"), at)
        if order.status == "cancelled":
            self.cancel(program, order, at, outcome)
        elif order.status != "placed" and before in (None, "placed"):
            self.count(program, order, at, award, outcome)
            if award and not body.get("paid_at"):
                self.bring_coupons(program, order, at, outcome, templates)
        elif order.day and released(program, order.status):
            for lot in self.lots:
                if lot.order == body["external_id"] and lot.pending and lot.active_from is None and lot.remaining:
                    self.activate(program, lot, at)
        outcome.tier_after = self.shown_tier(at)
        return outcome

    def begin(self, body, at, coupon):
        shares = takes_off(coupon.body, body["lines"]) if coupon else None
        order = Order(body, paid_lines(body, shares), coupon=coupon)
        if coupon:
            coupon.redeem(self, at, sum(shares))
            coupon.order_used = body["external_id"]
        self.orders[body["external_id"]] = order
        return order

    def bring_coupons(self, program, order, at, outcome, templates):
        """Conditions see the customer as he stands after the order."""
        facts = self.facts(program, order, at)
        rose = self.shown_tier(at) if facts["rank"] > facts["codes"].index(outcome.tier_before) else None

        def applies(rule):
            if rule["on"] == "tier_reached" and (rose is None or rule.get("tier") not in (None, rose)):
                return False
            return rule.get("when") is None or any(CONDITIONS[rule["when"]](facts, line.body) for line in order.lines)

        outcome.coupons = of_an_order(program.get("coupons", ()), templates, self, order, applies, at)

    def attach_hold(self, program, order, reference, at):
        if reference == order.hold:
            return
        if order.hold:
            self.release(program, self.holds[order.hold], "released", at)
        order.hold = reference
        if reference:
            hold = self.holds[reference]
            hold.order, hold.expires_at = order.body["external_id"], None

    def count(self, program, order, at, award, outcome):
        order.day = self.calendar.day(seconds(order.body["paid_at"]) if order.body.get("paid_at") else at)
        outcome.first = award and self.total("orders") == 0
        if award:
            self.award(program, order, at, outcome)
        if order.hold:
            hold = self.holds[order.hold]
            self.capture(program, hold, hold.points, at)
            outcome.spent = hold.points
        self.add(order.day, order.total, 1, outcome.growth_earned)
        self.rise(program, at, "order")

    def award(self, program, order, at, outcome):
        facts = self.facts(program, order, at)
        outcome.earned, shares = earn(program, "points", order, facts, self.benefits(program, at), self.birth_month)
        outcome.growth_earned, growth = earn(program, "growth", order, facts, {}, None)
        for line, points, more in zip(order.lines, shares, growth):
            line.points, line.growth = points, more
        if outcome.earned:
            pending = program["points"]["pending"]
            waits = at + program["points"]["pending_days"] * DAY if pending == "days" else False
            if pending in STATES:
                waits = STATES.index(order.status) < STATES.index(pending)
            self.earn(program, outcome.earned, at, waits, order.body["external_id"])

    def facts(self, program, order, at):
        codes = [tier["code"] for tier in program["tiers"]]
        return {"day": self.calendar.day(at), "order": order and order.body, "rank": codes.index(self.shown_tier(at)),
                "orders": self.total("orders"), "spend": self.total("spend"), "birth_month": self.birth_month,
                "codes": codes, "used": self.used}

    def cancel(self, program, order, at, outcome):
        if order.day is None:
            if order.hold:
                self.release(program, self.holds[order.hold], "released", at)
            if order.coupon:
                order.coupon.give_back(at)
            return
        rest = [(i, line.body["quantity"] - line.refunded_quantity, line.paid - line.refunded)
                for i, line in enumerate(order.lines)]
        self.give_back(program, order, rest, order.body.get("shipping_minor", 0) - order.refunded_shipping, at, outcome)

    def refund(self, program, order, parts, shipping, at):
        """Parts are (index of the line, pieces, money)."""
        outcome = Outcome(tier_before=self.shown_tier(at))
        self.give_back(program, order, parts, shipping, at, outcome)
        outcome.tier_after = self.shown_tier(at)
        return outcome

    def give_back(self, program, order, parts, shipping, at, outcome):
        today, points = self.calendar.day(at), 0
        held_by, fell = self.held_by(program, today), self.would_fall(program)
        for i, pieces, money in parts:
            line = order.lines[i]
            before, whole = line.part()
            line.refunded_quantity += pieces
            line.refunded += money
            after, _ = line.part()
            points += half_up(line.points, after, whole) - half_up(line.points, before, whole)
            outcome.growth_reversed += half_up(line.growth, after, whole) - half_up(line.growth, before, whole)
        money = sum(part[2] for part in parts) + shipping
        order.refunded += money
        order.refunded_shipping += shipping
        self.restore_spent(program, order, at, outcome)
        if points:
            self.take_back(program, points, order.body["external_id"], outcome)
        gone = is_wholly_refunded(order) and not order.wholly_refunded
        order.wholly_refunded = order.wholly_refunded or gone
        outcome.lost = gone
        self.add(order.day, -money, -gone, -outcome.growth_reversed)
        if nothing_is_left(order):
            outcome.coupons = withdrawn(program.get("coupons", ()), self, order, at)
            order.return_coupon(at)
        if not fell and self.would_fall(program):
            self.noticed = None
        if program["cycle"]["after_refund"] == "at_once":
            self.judge_refund(program, held_by, today, at)

    def restore_spent(self, program, order, at, outcome):
        if not order.hold:
            return
        hold = self.holds[order.hold]
        part, whole = order.refunded, order.total
        if whole == 0:
            part, whole = (sum(line.refunded_quantity for line in order.lines),
                           sum(line.body["quantity"] for line in order.lines))
        outcome.restored = half_up(hold.captured, part, whole) - hold.restored
        if outcome.restored:
            self.restore(program, hold, outcome.restored, at)


def released(program, status):
    """Do points that waited for a state wait no longer in this one?"""
    pending = program["points"]["pending"]
    return STATES.index(status) >= STATES.index(pending if pending in STATES else "delivered")
