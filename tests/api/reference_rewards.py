"""Rewards: what points buy, in two phases. Part of the slow reference (reference.py)."""

from dataclasses import dataclass

from reference_coupons import Coupon, issue
from reference_earning import CONDITIONS

DAY = 86400


@dataclass(eq=False)
class Reward:
    code: str
    body: dict
    taken: int = 0


@dataclass(eq=False)
class Redemption:
    reward: Reward
    created_at: int
    expires_at: int
    hold: str  # name of the customer's hold
    number: str = None  # once the server has told it
    state: str = "issued"
    coupon: Coupon = None
    resolved_at: int = None

    @property
    def points(self):
        return self.reward.body["points"]


def may_have(program, customer, reward, at):
    body = reward.body
    if body.get("stock") is not None and reward.taken >= body["stock"]:
        return False
    since = at - body["limit_days"] * DAY if body.get("limit_days") else 0
    had = [one for one in customer.redemptions
           if one.reward is reward and one.state in ("issued", "redeemed") and one.created_at > since]
    if body.get("customer_limit") is not None and len(had) >= body["customer_limit"]:
        return False
    if body.get("condition") and not CONDITIONS[body["condition"]](customer.facts(program, None, at), None):
        return False
    return may_try(program, customer, reward, at) and customer.active >= body["points"]


def may_try(program, customer, reward, at):
    """Is a tier on trial above the one he has, and none set by hand in its way?"""
    if reward.body["kind"] != "tier_trial":
        return True
    codes = [tier["code"] for tier in program["tiers"]]
    pinned = customer.pin and at < customer.pin[1]
    return not pinned and codes.index(reward.body["trial_tier"]) > codes.index(customer.shown_tier(at))


def ask(program, customer, reward, name, at):
    """Hold the points under a name and take one of the stock; None: he may not have it."""
    if not may_have(program, customer, reward, at):
        return None
    customer.hold(name, reward.body["points"], None)
    customer.holds[name].order = reward  # nobody else's
    reward.taken += 1
    made = Redemption(reward, at, at + reward.body["redeem_days"] * DAY, name)
    customer.redemptions.append(made)
    customer.tell("reward.issued", reward.code, made.points)
    return made


def redeem(program, customer, one, at, templates):
    """Spend the points; False when what it brings can't be had (it stays as it was)."""
    body = one.reward.body
    if not may_try(program, customer, one.reward, at):
        return False
    if body["kind"] == "coupon":
        made = issue(templates[body["coupon_template"]], customer.calendar, at, customer, "reward")
        if not isinstance(made, Coupon):
            return False
        one.coupon = made
    if body["kind"] == "tier_trial":
        customer.set_pin(body["trial_tier"], at + body["trial_days"] * DAY)
    hold = customer.holds[one.hold]
    customer.capture(program, hold, hold.points, at)
    end(customer, one, "redeemed", at)
    return True


def give_up(program, customer, one, state, at):
    """Points and stock go back."""
    hold = customer.holds[one.hold]
    customer.release(program, hold, "expired" if state == "expired" else "released", at)
    one.reward.taken -= 1
    end(customer, one, state, at)


def end(customer, one, state, at):
    one.state, one.resolved_at = state, at
    customer.tell(f"reward.{state}", one.reward.code, one.points)
