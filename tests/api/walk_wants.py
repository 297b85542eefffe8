"""What the walk (walk.py) must be answered, by the slow reference."""

from collections import Counter

from reference_calendar import text_of
from reference_coupons import Coupon


class Call:
    """One request, and what the answer must be."""

    def __init__(self, path, body, status, check=None, key=None, method="POST", second=False):
        self.method, self.path, self.body, self.status, self.check = method, path, body, status, check
        self.key, self.second = key, second  # second: with the key of another person


class Wants:
    """What a Walker expects."""

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
            self.learn(outcome, body)
            explained = body["points"]["explanation"]
            assert sum(one["points"] for one in explained) == outcome.earned
            self.walk.seen.update(name for name, points in expected.items() if points)
            self.walk.seen.update(one["rule"] for one in explained if ":" in one["rule"])

        return check

    def learn(self, outcome, body):
        """The coupons that an order brought, with their codes, or took away again."""
        told = body["coupons"]
        for (_, _, _, coupon), one in zip(outcome.coupons, told):
            if coupon and not coupon.code:
                coupon.code = one["code"]
        wanted = [(rule, template, status, coupon and coupon.code) for rule, template, status, coupon in outcome.coupons]
        assert [(one["rule"], one["template"], one["status"], one["code"]) for one in told] == wanted, (told, wanted)
        self.walk.seen.update(f"brought {status}" for _, _, status, _ in wanted)

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

    def coupon(self, one):
        """As GET /v1/coupons shows it."""
        return {"code": one.code, "template": one.template.code, "state": one.state_at(self.at), "source": one.source, "off_minor": one.off,
                "valid_from": text_of(one.issued_at), "expires_at": text_of(one.expires_at), "session": one.session,
                "locked_until": text_of(one.locked_until), "redemption": one.redemption, "changes": len(one.history)}

    def redemption(self, one):
        """As GET .../rewards/redemptions shows it."""
        return {"id": one.number, "reward": one.reward.code, "state": one.state, "points": one.points,
                "coupon": one.coupon and one.coupon.code, "created_at": text_of(one.created_at),
                "expires_at": text_of(one.expires_at), "resolved_at": text_of(one.resolved_at)}

    def coupons(self):
        return [self.coupon(one) for one in self.customer.coupons]

    def redeemed(self):
        return [self.redemption(one) for one in self.customer.redemptions]

    def moves(self):
        """As GET .../tier/history shows them."""
        return [{"tier_before": before, "tier_after": after, "cause": cause, "created_at": text_of(at)}
                for before, after, cause, at in self.customer.moves]

    def told(self):
        """The events about points, tier, coupons, rewards and birthdays, and how often each."""
        found = Counter()
        for kind, *what in self.customer.events:
            if kind != "tier.notice" or not self.customer.was_pinned:
                found[(kind, *event_fields(kind, what))] += 1
        return found


TIMES = {"points.expiring": 0, "tier.notice": 1, "tier.pinned": 1}  # which of the fields is one


def event_fields(kind, what):
    """As the server's event has them."""
    for i, one in enumerate(what):
        if isinstance(one, Coupon):
            yield one.code
            if kind.startswith("coupon"):
                yield one.template.code
        else:
            yield str(text_of(one) if TIMES.get(kind) == i else one)
