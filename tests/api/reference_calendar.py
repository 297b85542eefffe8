"""Days, months and instants (seconds since 1970) of a shop's zone. Part of the slow reference (reference.py)."""

import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

# How many months a period has that expiry is rounded to the end of.
ROUND_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


class Calendar:
    """Days of a zone."""

    def __init__(self, zone):
        zone = ZoneInfo(zone)
        self.day = lru_cache(None)(lambda at: datetime.datetime.fromtimestamp(at, zone).date())
        self.start = lru_cache(None)(
            lambda day: int(datetime.datetime.combine(day, datetime.time(), zone).timestamp()))

    def end(self, day):
        return self.start(day + datetime.timedelta(1))


@lru_cache(None)
def add_months(day, months):
    """The same day some months on; the last one of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first_of_next = datetime.date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return datetime.date(year, month + 1, min(day.day, (first_of_next - datetime.timedelta(1)).day))


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def text_of(at):
    return at and datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def period_end(day, round_to):
    """The last day of the period in which a day lies."""
    if round_to == "none":
        return day
    months = ROUND_MONTHS[round_to]
    first = datetime.date(day.year, (day.month - 1) // months * months + 1, 1)
    return add_months(first, months) - datetime.timedelta(1)
