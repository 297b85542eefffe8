"""What the programme gives for birthdays. Part of the slow reference (reference.py)."""

import datetime

from reference_calendar import add_months
from reference_coupons import Coupon, issue
from reference_earning import CONDITIONS

MADE_UP_DAYS = 31  # what nobody looked at for longer is not given any more


def birthday_in(year, birthday):
    """Those of 29 February have theirs on the 28th where the year has none."""
    month, day = int(birthday[-5:-3]), int(birthday[-2:])
    return add_months(datetime.date(year, 1, day), month - 1)


def windows(rule, birthday, year):
    """The occasion of a year, the first day on which it is given, and the last."""
    day = birthday_in(year, birthday)
    first = day.replace(day=1)
    occasion = first if rule.get("on") == "month" else day
    last = add_months(first, 1) - datetime.timedelta(1) if rule.get("on") == "month" else day
    return occasion, occasion - datetime.timedelta(rule.get("days_before", 0)), last


def may_have(given, occasion):
    """Not the same again before another year has begun, and ten months have passed."""
    return all(one.year < occasion.year and add_months(one, 10) <= occasion for one in given)


def give(program, rule, customer, last, at, templates):
    """What a rule brings a customer when everybody was looked at on a day for the last time (None: never): for each gift
    the coupon that is part of it, or None."""
    today = customer.calendar.day(at)
    since = today if last is None else max(last, today - datetime.timedelta(MADE_UP_DAYS))
    if customer.birthday is None:
        return
    for year in (today.year - 1, today.year, today.year + 1):
        occasion, first, until = windows(rule, customer.birthday, year)
        given = customer.gifts.setdefault(rule["code"], [])
        if first > today or until < since or not may_have(given, occasion):
            continue
        if rule.get("when") and not CONDITIONS[rule["when"]](customer.facts(program, None, at), None):
            continue
        made = None
        if rule.get("template"):
            made = issue(templates[rule["template"]], customer.calendar, at, customer, "birthday")
            made = made if isinstance(made, Coupon) else None
        points = rule.get("points", 0)
        if not points and made is None:
            continue
        if points:
            customer.earn(program, points, at, False, None)
        given.append(occasion)
        customer.tell("birthday.given", rule["code"], occasion.year, points, made)
        yield made
