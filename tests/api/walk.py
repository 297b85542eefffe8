"""A shop of random customers over years: what they do, and what the programme is meanwhile."""

from reference import STATES, Customer
from reference_orders import Referral
from reference_calendar import Calendar, text_of

YUAN = 100
ZONE = "Asia/Shanghai"
CODES = ("basic", "silver", "gold", "diamond")
HOLD_SECONDS = (600, 86400, 7 * 86400)
CANCELLABLE = ("placed", "paid", "shipped", "delivered")


# ---------------------------------------------------------------------- programmes


def random_expiry(rng):
    form = rng.choice(("never", "months", "months", "dates", "inactivity"))
    if form == "never":
        return {"form": form}
    expiry = {"form": form, "months": rng.randint(1, 10), "warn_days": rng.choice((0, 14))}
    if form == "dates":
        dates = ("01-31", "03-31", "05-05", "06-30", "09-15", "12-31")
        return {**expiry, "dates": sorted(rng.sample(dates, rng.randint(1, 3)))}
    return {**expiry, "round_to": rng.choice(("none", "month", "quarter", "half_year", "year"))}


def random_points(rng):
    pending = rng.choice(("none", "none", "days", "delivered", "completed"))
    return {"pending": pending, "pending_days": rng.randint(1, 30) if pending == "days" else 0,
            "caps": {"per_order": rng.choice((None, 1500)), "per_month": rng.choice((2000, 5000))},
            "approval_above": rng.choice((60, 60, 250, 10000)),
            "refund_policy": rng.choice(("unlimited", "within_balance", "only_pending")),
            "restored_life_days": rng.choice((1, 20, 60)), "expiry": random_expiry(rng)}


def random_earning(rng):
    rules = [{"code": "base", "kind": "base", "rate_millionths": rng.choice((1000000, 370000, 2500000)),
              "caps": rng.choice(({}, {"per_order": 333}, {"per_order": 700, "per_month": 1000}, {"per_order": 333, "per_month": 500}))},
             {"code": "growth", "target": "growth", "kind": "base", "rate_millionths": rng.choice((1000000, 990000)),
              "caps": rng.choice(({}, {}, {"per_day": 1200}))}]
    extra = [{"code": "big", "kind": "base", "rate_millionths": 500000, "when": "order.total >= 500.00"},
             {"code": "bags", "kind": "multiply", "factor_millionths": 2000000, "when": "category = 'bags'",
              "caps": rng.choice(({"per_order": 100}, {"per_order": 250, "per_day": 260}))},
             {"code": "live", "kind": "multiply", "factor_millionths": 1250000, "when": "order.channel = live", "priority": 2,
              "stacking": rng.choice(("stack", "exclusive"))},
             {"code": "loyal", "kind": "multiply", "factor_millionths": 500000, "when": "orders.count >= 3 and spend >= 800"},
             {"code": "welcome", "kind": "add", "points": 88, "when": "first_order"},
             {"code": "pieces", "kind": "add", "points": 7, "when": "line.quantity >= 2", "priority": 1,
              "caps": {"per_day": 10, "per_month": rng.choice((7, 20))}, "stacking": rng.choice(("stack", "exclusive"))},
             {"code": "birthday", "kind": "add", "points": 66, "when": "birthday_month"},
             {"code": "growth_gold", "target": "growth", "kind": "multiply", "factor_millionths": 1500000, "when": "tier >= gold"}]
    return rules + [rule for rule in extra if rng.random() < 0.8]


def requirement(rng, metric, rank, months):
    step = {"spend": 400 * YUAN, "orders": 2, "growth": 300}[metric]
    asked = {"metric": metric, "at_least": step * rank ** 2 * rng.randint(1, 3)}
    return asked if months is None else {**asked, "window_months": months}


def random_tier(rng, rank):
    tier = {"rank": rank, "code": CODES[rank], "name": CODES[rank], "floor": rank > 0 and rng.random() < 0.15,
            "benefits": {"points_multiplier_permille": rng.choice((1000, 1000, 1200, 1500)),
                         "birthday_month_multiplier_permille": rng.choice((1000, 2000))}}
    if rank == 0:
        return {**tier, "floor": False}
    any_of = [requirement(rng, "spend", rank, rng.choice((6, 12))), requirement(rng, "spend", 2 * rank, None)]
    if rng.random() < 0.3:
        any_of.append(requirement(rng, "growth", 2 * rank, rng.choice((12, None))))  # which activities can reach
    all_of = [requirement(rng, rng.choice(("orders", "growth")), 1, rng.choice((12, None)))] if rng.random() < 0.4 else []
    keep = {"all_of": [requirement(rng, rng.choice(("growth", "spend", "orders")), rank, rng.choice((3, 6, 12)))]}
    if rng.random() < 0.3:
        keep = {"any_of": [requirement(rng, metric, rank, 12) for metric in ("growth", "orders")]}
    return {**tier, "qualify": {"any_of": any_of, "all_of": all_of}, "keep": {} if rng.random() < 0.1 else keep}


ACTIVITIES = ("check_in", "sign_up", "photo_review", "quiz", "share")


def random_activities(rng):
    rules = [{"type": "check_in", "points": 5, "per_day": 1, "per_week": rng.choice((2, None)), "per_month": 3},
             {"type": "sign_up", "points": 50, "per_lifetime": 1}, {"type": "photo_review", "growth": 50},
             {"type": "referral", "points": rng.choice((200, 30)), "growth": rng.choice((0, 100)), "take_back": rng.random() < 0.9,
              "per_month": rng.choice((None, 1)), "per_lifetime": rng.choice((None, 2))},
             {"type": "custom", "code": "quiz", "points": 7, "growth": 300, "per_month": 2}]
    # what is rare in a life needs its rule nearly always
    return [rule for rule in rules if rng.random() < (0.95 if rule["type"] == "referral" else 0.8)]


def random_program(rng):
    cycle = {"cycle_months": rng.choice((3, 6, 12)), "anchor": rng.choice(("tier_start", "joining", "calendar_year")),
             "downgrade": rng.choice(("one_step", "reassess", "none")), "grace_days": rng.choice((0, 0, 15, 40)),
             "notice_days": rng.choice((0, 20)), "after_refund": rng.choice(("at_once", "cycle_end"))}
    return {"points": random_points(rng), "earning": random_earning(rng), "activities": random_activities(rng), "cycle": cycle,
            "tiers": [random_tier(rng, rank) for rank in range(len(CODES))]}


# ---------------------------------------------------------------------- what customers do


class Call:
    """One request, and what the answer must be."""

    def __init__(self, path, body, status, check=None, key=None, method="POST", second=False):
        self.method, self.path, self.body, self.status, self.check = method, path, body, status, check
        self.key, self.second = key, second  # second: with the key of another person


class Walker:
    """One customer: what he does next, done to the reference at once."""

    def __init__(self, walk, number):
        self.walk, self.rng, self.name = walk, walk.rng, f"c{number}"
        self.birthday = self.rng.choice((None, f"{self.rng.randint(1, 12):02d}-15"))
        self.customer = None
        self.sent = []  # calls with a natural key, and their answers
        self.count = 0
        self.imported = False  # history came in this step; time must pass over it first
        self.referral, self.referrer = None, None  # the one that may bring something to whoever referred him
        self.asked = []  # adjustments that wait for another person

    @property
    def at(self):
        return self.walk.now

    @property
    def waits(self):
        """Is it the housekeeper's turn, who comes by whenever he likes?"""
        return self.imported or bool(self.referral and self.referral.due)

    def fresh(self, prefix):
        self.count += 1
        return f"{self.name}-{prefix}{self.count}"

    def next(self):
        """A call, or None when what was drawn makes no sense now."""
        if self.customer is None:
            return self.join()
        acts = ((self.order, 5), (self.progress, 6), (self.refund, 4), (self.spend, 2), (self.hold, 3), (self.resolve, 2),
                (self.pin, 0.4), (self.again, 1), (self.too_much, 0.5), (self.history, 0.3),
                (self.adjust, 2), (self.decide, 1.5), (self.act, 1.5), (self.refer, 1))
        return self.rng.choices([act for act, _ in acts], [weight for _, weight in acts])[0]()

    def join(self):
        month = int(self.birthday[:2]) if self.birthday else None
        self.customer = Customer(self.walk.calendar, self.at, month, tier=CODES[0], since=self.at)
        return self.history() if self.rng.random() < 0.2 else self.order()

    # ------------------------------------------------------------------ orders

    def basket(self, status):
        rng, lines = self.rng, []
        for i in range(rng.choice((1, 1, 2, 3))):
            lines.append({"line_no": i + 1, "sku": f"S{i}", "quantity": rng.randint(1, 4), "category": rng.choice(("bags", "shoes")),
                          "total_minor": rng.choice((0, rng.randint(1, 9999), rng.randint(1, 99999)))})
        goods = sum(line["total_minor"] for line in lines)
        discount, shipping = rng.choice((0, 0, rng.randint(0, goods))), rng.choice((0, 0, 1000))
        who = {"external_id": self.name}
        if self.birthday:
            who["birthday"] = self.birthday
        return {"external_id": self.fresh("o"), "status": status, "channel": rng.choice(("search", "live")), "customer": who,
                "lines": lines, "discount_minor": discount, "shipping_minor": shipping,
                "total_minor": goods - discount + shipping}

    def free_holds(self):
        return [name for name, hold in self.customer.holds.items() if hold.state == "open" and hold.order is None]

    def order(self):
        body = self.basket(self.rng.choice(("placed", "placed", "paid", "paid", "paid", "delivered", "completed")))
        if self.free_holds() and self.rng.random() < 0.6:
            body["points_hold"] = "ext:" + self.rng.choice(self.free_holds())
        return self.send(body, 201)

    def history(self):
        """An order of long ago; what time does to it comes with the next step."""
        at = self.at - self.rng.randint(1, 500) * 86400
        status = self.rng.choice(("paid", "delivered", "completed"))
        body = {**self.basket(status), "placed_at": text_of(at), "paid_at": text_of(at)}
        award = self.rng.random() < 0.8
        self.imported = True
        return self.send(body, 201, "?backfill=true" + ("" if award else "&award=false"), at=at, award=award)

    def send(self, body, status, query="", at=None, award=True):
        reference = {**body, "points_hold": (body.get("points_hold") or "").removeprefix("ext:") or None}
        outcome = self.customer.take(self.walk.program, reference, self.at if at is None else at, award)
        self.follow(body["external_id"], outcome)
        call = Call(f"/v1/orders{query}", body, status, self.check_outcome(outcome, past=at is not None))
        self.sent.append([call, None])
        return call

    def progress(self):
        orders = [order for order in self.customer.orders.values() if order.status in CANCELLABLE]
        if not orders:
            return None
        order = self.rng.choice(orders)
        later = STATES[STATES.index(order.status) + 1:]
        status = "cancelled" if self.rng.random() < 0.2 else self.rng.choice((later[0], later[0], self.rng.choice(later)))
        body = {**order.body, "status": status}
        if body.get("points_hold"):
            body["points_hold"] = "ext:" + body["points_hold"]
        return self.send(body, 200)

    def refund(self):
        orders = [order for order in self.customer.orders.values() if order.day and order.status != "cancelled"]
        if not orders:
            return None
        order, rng, parts, lines = self.rng.choice(orders), self.rng, [], []
        for i, line in enumerate(order.lines):
            pieces = rng.choice((0, rng.randint(0, line.body["quantity"] - line.refunded_quantity)))
            money = rng.choice((0, line.paid - line.refunded, rng.randint(0, line.paid - line.refunded)))
            if pieces or money:
                parts.append((i, pieces, money))
                lines.append({"line_no": i + 1, "quantity": pieces, "amount_minor": money})
        shipping = rng.choice((0, order.body["shipping_minor"] - order.refunded_shipping))
        if not parts and not shipping:
            return None
        outcome = self.customer.refund(self.walk.program, order, parts, shipping, self.at)
        self.follow(order.body["external_id"], outcome)
        body = {"external_id": self.fresh("r"), "lines": lines, "shipping_minor": shipping}
        call = Call(f"/v1/orders/ext:{order.body['external_id']}/refunds", body, 201, self.check_outcome(outcome))
        self.sent.append([call, None])
        return call

    def again(self):
        """The same call once more gets the same answer."""
        if not self.sent:
            return None
        kept = self.rng.choice(self.sent)
        first = kept[1]
        assert first is not None

        def check(answer):
            assert answer.hit and answer.body == first.body

        return Call(kept[0].path, kept[0].body, 200, check)

    # ------------------------------------------------------------------ points

    def points(self):
        return f"/v1/customers/ext:{self.name}/points"

    def spend(self):
        if not self.customer.active:
            return None
        points = self.rng.randint(1, self.customer.active)
        assert self.customer.spend(points, self.at)
        return Call(f"{self.points()}/redemptions", {"points": points}, 201, self.check_balance(), key=self.fresh("k"))

    def too_much(self):
        return Call(f"{self.points()}/{self.rng.choice(('redemptions', 'holds'))}", {"points": self.customer.active + 1}, 409,
                    key=self.fresh("k"))

    def hold(self):
        if not self.customer.active:
            return None
        points, name = self.rng.randint(1, self.customer.active), self.fresh("h")
        lasts = self.rng.choice(HOLD_SECONDS)
        assert self.customer.hold(name, points, self.at + lasts)
        return Call(f"{self.points()}/holds", {"points": points, "reference": name, "expires_in_seconds": lasts}, 201,
                    self.check_balance(), key=self.fresh("k"))

    def resolve(self):
        if not self.free_holds():
            return None
        name = self.rng.choice(self.free_holds())
        hold, path = self.customer.holds[name], f"{self.points()}/holds/ext:{name}"
        if self.rng.random() < 0.4:
            self.customer.release(self.walk.program, hold, "released", self.at)
            return Call(f"{path}/release", {}, 200, self.check_balance(), key=self.fresh("k"))
        points = self.rng.choice((hold.points, self.rng.randint(1, hold.points)))
        self.customer.capture(self.walk.program, hold, points, self.at)
        return Call(f"{path}/capture", {"points": points}, 200, self.check_balance(), key=self.fresh("k"))

    def adjust(self):
        rng, customer = self.rng, self.customer
        body = {"points": rng.choice((rng.randint(1, 500), -rng.randint(1, customer.active + 20))), "reason": "a test"}
        expires_at = rng.choice(("program", None, self.at + rng.randint(1, rng.choice((40, 300))) * 86400))
        if body["points"] > 0 and expires_at != "program":
            body.update({"expiry": "never"} if expires_at is None else {"expiry": "at", "expires_at": text_of(expires_at)})
        body["allow_debt"] = body["points"] < 0 and rng.random() < 0.5
        if abs(body["points"]) > self.walk.program["points"]["approval_above"]:
            if body["points"] > 0 or body["allow_debt"] or -body["points"] <= customer.active:
                return self.ask(body, expires_at if body["points"] > 0 else "program")
        done = customer.adjust(self.walk.program, body["points"], self.at, expires_at, body["allow_debt"])
        return Call(f"{self.points()}/adjustments", body, 201 if done else 409, self.check_balance() if done else None,
                    key=self.fresh("k"))

    def ask(self, body, expires_at):
        """More than one person may give: it waits."""
        same_balance, waits = self.check_balance(), {"expires_at": expires_at, "body": body, "approval": None}

        def check(answer):
            waits["approval"] = answer.json()["adjustment"]["approval_id"]
            assert answer.json()["adjustment"]["state"] == "pending_approval"
            same_balance(answer)

        self.asked.append(waits)
        return Call(f"{self.points()}/adjustments", body, 201, check, key=self.fresh("k"))

    def decide(self):
        """Another person approves or declines what waits; what can't be any more is refused."""
        if not self.asked:
            return None
        one = self.asked.pop(self.rng.randrange(len(self.asked)))
        how = self.rng.choice(("approve", "approve", "decline"))
        state, until = "declined", one["expires_at"]
        if how == "approve":
            lapsed = until not in ("program", None) and until <= self.at
            state = "applied" if not lapsed and self.customer.adjust(
                self.walk.program, one["body"]["points"], self.at, until, one["body"]["allow_debt"]) else "refused"
        self.walk.seen.add(state)

        def check(answer):
            assert [item["state"] for item in answer.json()["adjustments"]] == [state], answer.body

        return Call(f"/v1/points/approvals/{one['approval']}/{how}", {}, 200, check, key=self.fresh("k"), second=True)

    def refer(self):
        """Somebody who does nothing meanwhile was sent by this one."""
        others = [walker for walker in self.walk.joined if walker not in self.walk.busy]
        fresh = [walker for walker in others if not any(order.day for order in walker.customer.orders.values())]
        if not others:
            return None
        other = self.rng.choice(fresh if fresh and self.rng.random() < 0.9 else others)
        self.walk.busy.add(other)
        has_rule = any(rule["type"] == "referral" for rule in self.walk.program["activities"])
        bought = any(order.day for order in other.customer.orders.values())
        referred = other.referral is not None and other.referral.state in ("waiting", "paid")
        why = "already_customer" if bought else "already_referred" if referred else None
        wanted = {"state": "not_paid", "why": why if has_rule else "no_rule"}
        name = self.fresh("a")
        if has_rule and why is None:
            other.referral, other.referrer = Referral(name, self.at), self
            wanted = {"state": "waiting", "why": None}

        def check(answer):
            shown = answer.json()["activity"]
            assert {name: shown[name] for name in wanted} == wanted, (shown, wanted)

        body = {"key": name, "customer": f"ext:{self.name}", "type": "referral", "referred": f"ext:{other.name}"}
        call = Call("/v1/activities", body, 201, check)
        self.sent.append([call, None])
        return call

    def follow(self, order, outcome):
        """What an order means to whoever referred this one."""
        referral = self.referral
        if referral is None or not any(rule["type"] == "referral" for rule in self.walk.program["activities"]):
            return
        if outcome.first and referral.state == "waiting" and not referral.due:
            referral.order, referral.due = order, True
        if outcome.lost and referral.order == order:
            if referral.state == "waiting":
                referral.order, referral.due = None, False
            elif referral.state == "paid" and referral.take_back:
                referral.due = True

    def act(self):
        kind, before = self.rng.choice(ACTIVITIES), self.customer.shown_tier(self.at)
        points, growth, why = self.customer.act(self.walk.program, kind, self.at)
        wanted = {"points": points, "growth": growth, "why": why, "state": "not_paid" if why else "paid"}
        rest = {"growth": self.customer.total("growth"), "tier_before": before, "tier_after": self.customer.shown_tier(self.at)}
        same_books = self.check_balance()

        def check(answer):
            shown = answer.json()
            assert {name: shown["activity"][name] for name in wanted} == wanted, (shown["activity"], wanted)
            assert {name: shown[name] for name in rest} == rest, (shown, rest)
            same_books(answer)

        what = {"type": "custom", "code": kind} if kind == "quiz" else {"type": kind}
        call = Call("/v1/activities", {"key": self.fresh("a"), "customer": f"ext:{self.name}", **what}, 201, check)
        self.sent.append([call, None])
        return call

    # ------------------------------------------------------------------ tiers

    def pin(self):
        path = f"/v1/customers/ext:{self.name}/tier/pin"
        if self.customer.pin and self.rng.random() < 0.3:
            self.customer.pin = None
            return Call(path, None, 200, self.check_tier(), method="DELETE")
        self.customer.pin = (self.rng.choice(CODES), self.at + self.rng.randint(1, 200) * 86400)
        body = {"tier": self.customer.pin[0], "until": text_of(self.customer.pin[1]), "reason": "a test"}
        return Call(path, body, 200, self.check_tier(), method="PUT")

    # ------------------------------------------------------------------ what must be answered

    def check_outcome(self, outcome, past=False):
        customer = self.customer
        expected = {
            "earned": outcome.earned, "reversed": outcome.reversed, "written_off": outcome.written_off, "spent": outcome.spent,
            "restored": outcome.restored}
        growth = {"earned": outcome.growth_earned, "reversed": outcome.growth_reversed, "total": customer.total("growth")}
        tier = {"before": outcome.tier_before, "after": outcome.tier_after}
        if not past:
            expected.update(active=customer.active, pending=customer.pending, held=customer.held, debt=customer.debt)

        def check(answer):
            body = answer.json()
            shown = {"points": {name: body["points"][name] for name in expected},
                     "growth": {name: body["growth"][name] for name in growth},
                     "tier": {name: body["tier"][name] for name in tier}}
            if past:
                del shown["tier"]
            wanted = {"points": expected, "growth": growth, "tier": tier}
            assert shown == {name: wanted[name] for name in shown}, (shown, wanted)
            explained = body["points"]["explanation"]
            assert sum(one["points"] for one in explained) == outcome.earned
            self.walk.seen.update(name for name, points in expected.items() if points)
            self.walk.seen.update(one["rule"] for one in explained if ":" in one["rule"])

        return check

    def check_balance(self):
        wanted = self.balance()

        def check(answer):
            shown = answer.json()["balance"]
            assert {name: shown[name] for name in wanted} == wanted, (shown, wanted)

        return check

    def check_tier(self):
        wanted = self.standing()

        def check(answer):
            shown = answer.json()
            assert {name: shown[name] for name in wanted} == wanted, (shown, wanted)

        return check

    def balance(self):
        """As GET .../points shows it."""
        customer = self.customer
        expiries = [{"expires_at": text_of(at), "points": points}
                    for at, points in customer.next_expiries(self.walk.program)]
        return {"active": customer.active, "pending": customer.pending, "held": customer.held, "debt": customer.debt,
                "lifetime_earned": customer.earned, "lifetime_spent": customer.spent, "lifetime_expired": customer.expired,
                "next_expiries": expiries}

    def standing(self):
        """As GET .../tier shows it."""
        customer = self.customer
        program, pinned = self.walk.program, customer.pin and self.at < customer.pin[1]
        following, missing = customer.missing(program, self.at)
        return {"code": customer.shown_tier(self.at), "earned": customer.tier, "since": text_of(customer.since),
                "until": text_of(customer.until), "pin_until": text_of(customer.pin[1]) if pinned else None,
                "orders": customer.total("orders"), "spend_minor": customer.total("spend"), "growth": customer.total("growth"),
                "projected": customer.projected(program, self.at), "keep": customer.keep(program, self.at),
                "kept_by_qualify": customer.qualified(program, self.walk.calendar.day(self.at)) >= customer.rank(program),
                "next": following, "missing": missing}

    def books(self):
        """As the database keeps it: account and lots."""
        customer = self.customer
        lots = [[lot.amount, lot.remaining, lot.pending, text_of(lot.active_from),
                 text_of(lot.expires_at)] for lot in customer.lots]
        return {"account": [customer.active, customer.pending, customer.held, customer.debt, customer.earned, customer.spent,
                            customer.expired], "lots": lots}


class Walk:
    def __init__(self, rng, customers, begin):
        self.rng, self.now = rng, begin
        self.calendar = Calendar(ZONE)
        self.program = None
        self.seen = set()  # what the answers told of
        self.walkers = [Walker(self, number) for number in range(customers)]
        self.busy = set()  # those who act at this instant, and those to whom something may come of it

    def choose(self, count):
        """Some who act, and nobody to whom that may bring something: when he gets it is the housekeeper's."""
        self.busy, acting = set(), []
        for walker in self.rng.sample(self.walkers, min(count, len(self.walkers))):
            involved = {walker, walker.referrer} - {None}
            if not involved & self.busy:
                self.busy |= involved
                acting.append(walker)
        return acting

    def settle(self):
        """Pay for referrals, or take back what was paid. Was there any?"""
        due = [walker for walker in self.joined if walker.referral and walker.referral.due]
        for walker in due:
            walker.referrer.customer.settle(self.program, walker.referral, self.now)
            self.seen.add(f"referral {walker.referral.state}")
        return bool(due)

    @property
    def joined(self):
        return [walker for walker in self.walkers if walker.customer is not None]

    def go_to(self, now):
        """Time passes, by the programme that is in force."""
        self.now = now
        for walker in self.joined:
            walker.customer.pass_time(self.program, now)
            walker.imported = False
