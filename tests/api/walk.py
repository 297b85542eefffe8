"""A shop of random customers over years: what they do."""

import reference_birthdays
import reference_rewards
from reference import STATES, Customer
from reference_calendar import Calendar, text_of
from reference_orders import Referral
from walk_coupons import Wallet
from walk_programs import ACTIVITIES, CODES
from walk_wants import Call, Wants

ZONE = "Asia/Shanghai"
HOLD_SECONDS = (600, 86400, 7 * 86400)
CANCELLABLE = ("placed", "paid", "shipped", "delivered")


class Walker(Wallet, Wants):
    """One customer: what he does next, done to the reference at once."""

    def __init__(self, walk, number):
        self.walk, self.rng, self.name = walk, walk.rng, f"c{number}"
        self.birthday = self.random_birthday() if self.rng.random() < 0.6 else None
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

    def random_birthday(self):
        month, day = self.rng.randint(1, 12), self.rng.randint(1, 28)
        text = "02-29" if self.rng.random() < 0.1 else f"{month:02d}-{day:02d}"
        return self.rng.choice(("", "1988-")) + text

    def fresh(self, prefix):
        self.count += 1
        return f"{self.name}-{prefix}{self.count}"

    def next(self):
        """A call, or None when what was drawn makes no sense now."""
        if self.customer is None:
            return self.join()
        acts = ((self.order, 7), (self.progress, 6), (self.refund, 6), (self.spend, 2), (self.hold, 4), (self.resolve, 2),
                (self.pin, 0.4), (self.again, 1), (self.too_much, 0.5), (self.history, 0.3),
                (self.adjust, 2), (self.decide, 1.5), (self.act, 3), (self.refer, 1), (self.get_coupon, 1), (self.use_coupon, 2),
                (self.ask_reward, 2), (self.end_reward, 1.5), (self.be_born, 0.3))
        self.customer.now = self.at
        call = self.rng.choices([act for act, _ in acts], [weight for _, weight in acts])[0]()
        self.customer.mind_warnings()
        return call

    def join(self):
        self.customer = Customer(self.walk.calendar, self.at, self.birthday, tier=CODES[0], since=self.at, now=self.at)
        return self.history() if self.rng.random() < 0.2 else self.order()

    def be_born(self):
        """On another day than the shop thought."""
        self.birthday = self.customer.birthday = self.random_birthday()
        return Call(f"/v1/customers/ext:{self.name}", {"birthday": self.birthday}, 200, method="PATCH")

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
        coupon = None
        if self.customer.orders and self.usable_coupons() and self.rng.random() < 0.6:  # the first must succeed, or he is not known
            body, coupon = self.with_coupon(body)
            if "coupon" in body and coupon is None:
                return Call("/v1/orders", body, 422)
        return self.send(body, 201, coupon=coupon)

    def history(self):
        """An order of long ago; what time does to it comes with the next step."""
        at = self.at - self.rng.randint(1, 500) * 86400
        status = self.rng.choice(("paid", "delivered", "completed"))
        body = {**self.basket(status), "placed_at": text_of(at), "paid_at": text_of(at)}
        award = self.rng.random() < 0.8
        self.imported = True
        return self.send(body, 201, "?backfill=true" + ("" if award else "&award=false"), at=at, award=award)

    def send(self, body, status, query="", at=None, award=True, coupon=None):
        reference = {**body, "points_hold": (body.get("points_hold") or "").removeprefix("ext:") or None}
        outcome = self.customer.take(self.walk.program, reference, self.at if at is None else at, award, coupon, self.walk.templates)
        self.follow(body["external_id"], outcome)
        call = Call(f"/v1/orders{query}", body, status, self.check_outcome(outcome, past=at is not None))
        self.sent.append([call, None])
        return call

    def progress(self):
        orders = [order for order in self.customer.orders.values() if order.status in CANCELLABLE]
        if not orders:
            return None
        order = self.rng.choice(orders)
        self.walk.touched.add(order.coupon)  # it may come back
        later = STATES[STATES.index(order.status) + 1:]
        status = "cancelled" if self.rng.random() < 0.2 else self.rng.choice((later[0], later[0], self.rng.choice(later)))
        body = {**order.body, "status": status, "customer": {"external_id": self.name}}
        if body.get("points_hold"):
            body["points_hold"] = "ext:" + body["points_hold"]
        return self.send(body, 200)

    def refund(self):
        orders = [order for order in self.customer.orders.values() if order.day and order.status != "cancelled"]
        if not orders:
            return None
        order, rng, parts, lines = self.rng.choice(orders), self.rng, [], []
        self.walk.touched.add(order.coupon)
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
        self.customer.tell("points.adjustment_pending", body["points"])
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
        if state != "applied":
            self.customer.tell("points.adjustment_ended", one["body"]["points"])
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
            self.customer.drop_pin()
            return Call(path, None, 200, self.check_tier(), method="DELETE")
        self.customer.set_pin(self.rng.choice(CODES), self.at + self.rng.randint(1, 200) * 86400)
        body = {"tier": self.customer.pin[0], "until": text_of(self.customer.pin[1]), "reason": "a test"}
        return Call(path, body, 200, self.check_tier(), method="PUT")


class Walk:
    def __init__(self, rng, customers, begin):
        self.rng, self.now = rng, begin
        self.calendar = Calendar(ZONE)
        self.program = None
        self.seen = set()  # what the answers told of
        self.walkers = [Walker(self, number) for number in range(customers)]
        self.busy = set()  # those who act at this instant, and those to whom something may come of it
        self.touched = set()  # what several might take from, and one of them does at this moment
        self.templates, self.rewards = {}, {}
        self.bearer = []  # coupons that are anybody's
        self.passes = {}  # rule for birthdays: the day on which everybody was looked at

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
            walker.referrer.customer.now = self.now
            walker.referrer.customer.settle(self.program, walker.referral, self.now)
            self.seen.add(f"referral {walker.referral.state}")
        return bool(due)

    @property
    def joined(self):
        return [walker for walker in self.walkers if walker.customer is not None]

    def alone(self, what):
        """Does nobody else take from it at this moment? Two who do would race."""
        if what in self.touched:
            return False
        self.touched.add(what)
        return True

    def go_to(self, now):
        """Time passes, by the programme that is in force; then the housekeeper comes by."""
        self.now = now
        for walker in self.joined:
            customer = walker.customer
            customer.pass_time(self.program, now)
            customer.warn(self.program, now)
            customer.give_notice(self.program, now)
            if customer.pin and customer.pin[1] <= now:
                customer.drop_pin()
            walker.imported = False
        unknown = self.give_on_birthdays(now)
        for coupon in [one for walker in self.joined for one in walker.customer.coupons] + self.bearer:
            coupon.pass_time(now)
        for walker in self.joined:
            for one in walker.customer.redemptions:
                if one.state == "issued" and one.expires_at <= now:
                    reference_rewards.give_up(self.program, walker.customer, one, "expired", now)
            walker.customer.mind_warnings()
        return unknown

    def give_on_birthdays(self, now):
        """Once a day. Coupons whose codes are not known."""
        today, made = self.calendar.day(now), []
        for rule in self.program["birthdays"]:
            last = self.passes.get(rule["code"])
            if last == today:
                continue
            self.passes[rule["code"]] = today
            for walker in self.joined:
                gifts = list(reference_birthdays.give(self.program, rule, walker.customer, last, now, self.templates))
                made += [(walker, coupon) for coupon in gifts if coupon]
                self.seen.update(f"birthday {rule['code']}" for _ in gifts)
        return made
