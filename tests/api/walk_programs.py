"""What the shop of the walk (walk.py) offers, at random: programmes, templates of coupons, rewards."""

YUAN = 100
CODES = ("basic", "silver", "gold", "diamond")


def random_expiry(rng):
    form = rng.choice(("never", "months", "months", "dates", "inactivity"))
    if form == "never":
        return {"form": form}
    expiry = {"form": form, "months": rng.randint(1, 10), "warn_days": rng.choice((0, 14, 60))}
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
              "caps": rng.choice(({}, {"per_order": 333, "per_month": 400}, {"per_order": 700, "per_month": 800}, {"per_order": 333, "per_month": 500}))},
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
    if rng.random() < 0.5:
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
    return [rule for rule in rules if rng.random() < (0.95 if rule["type"] in ("referral", "custom") else 0.8)]


COUPON_RULES = (
    {"code": "thanks", "on": "order_counted", "when": "order.total >= 500.00", "template": "ten"},
    {"code": "bag", "on": "order_counted", "when": "category = 'bags'", "template": "once"},
    {"code": "risen", "on": "tier_reached", "template": "bag"},
    {"code": "gold", "on": "tier_reached", "tier": "gold", "template": "ten"},
    {"code": "best", "on": "order_counted", "when": "tier >= gold", "template": "ten"})


def random_coupon_rules(rng):
    return [{**rule, "withdrawn_on_refund": rng.random() < 0.6} for rule in COUPON_RULES if rng.random() < 0.7]


def random_birthdays(rng):
    rules = [{"code": "cake", "days_before": rng.choice((0, 7, 40)), "points": rng.choice((0, 88)), "template": "once"},
             {"code": "loyal", "days_before": rng.choice((0, 3)), "points": 31, "when": "orders.count >= 3 and spend >= 800"},
             {"code": "month", "on": "month", "days_before": rng.choice((0, 10)), "points": 12},
             {"code": "gold_month", "on": "month", "template": "ten", "when": "tier >= gold"}]
    return [rule for rule in rules if rng.random() < 0.85]


def random_templates(rng):
    """What the shop changes from time to time; codes stay."""
    comes_back = {"returns_on_refund": True, "returned_days": rng.choice((0, 15, 200))} if rng.random() < 0.7 else {}
    until = f"{rng.choice((2027, 2028, 2029))}-06-15"
    return {"ten": {"kind": "amount", "off_minor": rng.choice((500, 1000, 30000)), "threshold_minor": rng.choice((0, 0, 20000)),
                    "valid_days": rng.choice((10, 60, 400)), **comes_back},
            "bag": {"kind": "percent", "off_permille": rng.choice((100, 155, 1000)), "goods": "category = 'bags'",
                    **rng.choice(({}, {"max_off_minor": 3000})), **rng.choice(({}, {"valid_days": 90}, {"valid_until": until}))},
            "once": {"kind": "amount", "off_minor": 100, "per_customer_limit": rng.choice((1, 2, 5)), "valid_days": rng.choice((5, 200)),
                     **comes_back},
            "few": {"kind": "amount", "off_minor": 700, "total_limit": 40, "valid_days": 100}}


REWARDS = {"mug": {"kind": "gift", "points": 40, "stock": 60, "redeem_days": 30},
           "care": {"kind": "service", "points": 5, "condition": "tier >= gold", "customer_limit": 1, "limit_days": 60,
                    "redeem_days": 90},
           "slip": {"kind": "coupon", "points": 15, "coupon_template": "once", "redeem_days": 40},
           "trial": {"kind": "tier_trial", "points": 30, "trial_tier": "gold", "trial_days": 20, "redeem_days": 40}}


def random_program(rng):
    cycle = {"cycle_months": rng.choice((3, 6, 12)), "anchor": rng.choice(("tier_start", "joining", "calendar_year")),
             "downgrade": rng.choice(("one_step", "reassess", "none")), "grace_days": rng.choice((0, 0, 15, 40)),
             "notice_days": rng.choice((0, 20, 60)), "after_refund": rng.choice(("at_once", "cycle_end"))}
    return {"points": random_points(rng), "earning": random_earning(rng), "activities": random_activities(rng),
            "coupons": random_coupon_rules(rng), "birthdays": random_birthdays(rng), "cycle": cycle, "tiers": [random_tier(rng, rank) for rank in range(len(CODES))]}
