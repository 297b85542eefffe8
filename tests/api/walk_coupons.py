"""What a random customer of the walk (walk.py) does with coupons and rewards."""

import reference_coupons
import reference_rewards
from reference_coupons import Coupon, takes_off
from walk_wants import Call

LOCK_SECONDS = (600, 86400, 7 * 86400)


class Wallet:
    """The part of a Walker that holds coupons and redemptions."""

    def usable_coupons(self):
        """Those that an order may name: his own, locked by himself or not, and what anybody may use."""
        coupons = [one for one in self.customer.coupons if one.code]
        coupons += [one for one in self.walk.bearer if one.code and one not in self.walk.touched]
        return [one for one in coupons if one.usable(self.at, one.session)]

    def with_coupon(self, body):
        """The basket, to be paid with a coupon, which may be the wrong one for it; and the coupon, when it is not."""
        coupon = self.rng.choice(self.usable_coupons())
        if not self.walk.alone(coupon):
            return body, None
        shares = takes_off(coupon.body, body["lines"])
        off = sum(shares or [1])
        rest = min(body["discount_minor"], max(0, sum(line["total_minor"] for line in body["lines"]) - off))
        body = {**body, "coupon": coupon.code, "coupon_discount_minor": off, "discount_minor": off + rest,
                "total_minor": body["total_minor"] + body["discount_minor"] - off - rest}
        if coupon.session:
            body["coupon_session"] = coupon.session
        self.walk.seen.add("used coupon" if shares else "wrong coupon")
        return body, coupon if shares else None

    # ------------------------------------------------------------------ coupons

    def check_coupon(self, coupon):
        """The coupon as it is now; its code is learnt when it is not known."""
        wanted = self.coupon(coupon)

        def check(answer):
            shown = answer.json()
            coupon.code = coupon.code or shown["code"]
            assert {name: shown[name] for name in wanted} == {**wanted, "code": coupon.code}, (shown, wanted)

        return check

    def get_coupon(self):
        """One for himself, or for whoever bears it."""
        template = self.walk.templates[self.rng.choice(("ten", "bag", "once", "few", "few"))]
        owner = self.customer if self.rng.random() < 0.8 else None
        if template.body.get("total_limit") is not None and not self.walk.alone(template):
            return None
        made = reference_coupons.issue(template, self.walk.calendar, self.at, owner)
        body = {"template": template.code, "key": self.fresh("k")}
        if owner:
            body["customer"] = f"ext:{self.name}"
        if not isinstance(made, Coupon):
            self.walk.seen.add(f"coupon {made}")
            return Call("/v1/coupons", body, 409)
        if not owner:
            self.walk.bearer.append(made)
            self.walk.touched.add(made)
        return Call("/v1/coupons", body, 201, self.check_coupon(made))

    def use_coupon(self):
        """What befits the state of one, or what must be refused in it."""
        known = [one for one in self.customer.coupons if one.code]
        if not known:
            return None
        coupon = self.rng.choice(known[-8:])
        if coupon.usable(self.at):
            return self.rng.choice((self.lock, self.lock, self.redeem, self.revoke))(coupon)
        if coupon.state == "locked":
            return self.rng.choice((self.unlock, self.redeem))(coupon)
        if coupon.state == "redeemed" and coupon.order_used is None:
            return self.roll_back(coupon)
        session = {"session": self.fresh("s")}
        return Call(f"/v1/coupons/{coupon.code}/lock", session, 409)

    def lock(self, coupon):
        session, lasts = self.fresh("s"), self.rng.choice(LOCK_SECONDS)
        coupon.lock(session, self.at, self.at + lasts)
        body = {"session": session, "expires_in_seconds": lasts, "customer": f"ext:{self.name}"}
        return Call(f"/v1/coupons/{coupon.code}/lock", body, 200, self.check_coupon(coupon))

    def unlock(self, coupon):
        path, body = f"/v1/coupons/{coupon.code}/release", {"session": coupon.session}
        if self.rng.random() < 0.2:
            return Call(path, {"session": "somebody else's"}, 409, key=self.fresh("k"))
        coupon.release(self.at)
        return Call(path, body, 200, self.check_coupon(coupon), key=self.fresh("k"))

    def redeem(self, coupon):
        body = {"reference": self.fresh("till"), "off_minor": self.rng.randint(0, 500)}
        if coupon.session:
            body["session"] = coupon.session
        coupon.redeem(self.customer, self.at, body["off_minor"])
        coupon.redemption = body["reference"]
        return Call(f"/v1/coupons/{coupon.code}/redeem", body, 200, self.check_coupon(coupon), key=self.fresh("k"))

    def roll_back(self, coupon):
        body = {"reference": coupon.redemption}
        coupon.give_back(self.at)
        return Call(f"/v1/coupons/{coupon.code}/rollback", body, 200, self.check_coupon(coupon), key=self.fresh("k"))

    def revoke(self, coupon):
        coupon.revoke(self.at)
        return Call(f"/v1/coupons/{coupon.code}", None, 200, self.check_coupon(coupon), method="DELETE")

    # ------------------------------------------------------------------ rewards

    def redemptions(self):
        return f"/v1/customers/ext:{self.name}/rewards/redemptions"

    def check_redemption(self, one):
        wanted = self.redemption(one)

        def check(answer):
            shown = answer.json()
            one.number = one.number or shown["id"]
            if one.coupon and not one.coupon.code:
                one.coupon.code = shown["coupon"]
            wanted.update(id=one.number, coupon=one.coupon and one.coupon.code)
            assert {name: shown[name] for name in wanted} == wanted, (shown, wanted)

        return check

    def ask_reward(self):
        if any(one.state == "issued" for one in self.customer.redemptions) and self.rng.random() < 0.5:
            return self.end_reward()
        reward = self.walk.rewards[self.rng.choice(("mug", "mug", "care", "care", "slip", "trial"))]
        if reward.body.get("stock") is not None and not self.walk.alone(reward):
            return None
        body = {"reward": reward.code}
        one = reference_rewards.ask(self.walk.program, self.customer, reward, self.fresh("w"), self.at)
        if one is None:
            self.walk.seen.add(f"no {reward.code}")
            return Call(self.redemptions(), body, 409, key=self.fresh("k"))
        return Call(self.redemptions(), body, 201, self.check_redemption(one), key=self.fresh("k"))

    def end_reward(self):
        known = [one for one in self.customer.redemptions if one.number]
        if not known:
            return None
        one = self.rng.choice([one for one in known if one.state == "issued"] or known)
        how = self.rng.choice(("redeem", "cancel"))
        path, program = f"{self.redemptions()}/{one.number}/{how}", self.walk.program
        if one.reward.body.get("stock") is not None and not self.walk.alone(one.reward):
            return None
        done = one.state == "issued"
        if done and how == "redeem":
            done = reference_rewards.redeem(program, self.customer, one, self.at, self.walk.templates)
        elif done:
            reference_rewards.give_up(program, self.customer, one, "cancelled", self.at)
        return Call(path, {}, 200 if done else 409, self.check_redemption(one) if done else None, key=self.fresh("k"))
