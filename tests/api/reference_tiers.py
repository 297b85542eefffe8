"""A customer's tier, and what it goes by. Part of the slow reference (reference.py)."""

import datetime

from reference_calendar import add_months

DAY = 86400
METRICS = {"spend": 0, "orders": 1, "growth": 2}


class Standing:
    """What a Customer is by his days."""

    def total(self, metric):
        return sum(day[METRICS[metric]] for day in self.days.values())

    def value(self, metric, months, today, before=datetime.date.max):
        """What a metric is over a window as of today, counting what was bought before a day."""
        after = add_months(today, -months) if months else datetime.date.min
        return sum(sums[METRICS[metric]] for day, sums in self.days.items() if after < day < before)

    def add(self, day, spend, orders, growth):
        sums = self.days.setdefault(day, [0, 0, 0])
        for i, more in enumerate((spend, orders, growth)):
            sums[i] += more

    def rank(self, program):
        codes = [tier["code"] for tier in program["tiers"]]
        return codes.index(self.tier) if self.tier in codes else 0

    def shown_tier(self, at):
        return self.pin[0] if self.pin and at < self.pin[1] else self.tier

    def benefits(self, program, at):
        codes = [tier["code"] for tier in program["tiers"]]
        return program["tiers"][codes.index(self.shown_tier(at))].get("benefits") or {}

    def met(self, requirements, today, before=datetime.date.max):
        def one(requirement):
            value = self.value(requirement["metric"], requirement.get("window_months"), today, before)
            return value >= requirement["at_least"]

        requirements = requirements or {}
        any_of, all_of = requirements.get("any_of") or [], requirements.get("all_of") or []
        return (not any_of or any(map(one, any_of))) and all(map(one, all_of))

    def qualified(self, program, *when):
        return max(rank for rank, tier in enumerate(program["tiers"]) if rank == 0 or self.met(tier["qualify"], *when))

    def held_by(self, program, *when):
        """Ranks that the metrics would hold: qualify or keep is met."""
        return {rank for rank, tier in enumerate(program["tiers"])
                if rank == 0 or self.met(tier["qualify"], *when) or self.met(tier.get("keep"), *when)}

    def rise(self, program, at, cause):
        rank = self.qualified(program, self.calendar.day(at))
        if rank > self.rank(program):
            self.move(program, rank, at, cause)

    def judge_refund(self, program, before, today, at):
        rank, after = self.rank(program), self.held_by(program, today)
        if rank in before and rank not in after:
            self.move(program, max(lower for lower in after if lower < rank), at, "refund")

    def move(self, program, rank, at, cause):
        tier = program["tiers"][rank]
        self.moves.append((self.tier, tier["code"], cause, at))
        self.tell("tier.changed", self.tier, tier["code"])
        self.tier, self.since = tier["code"], at
        self.until = self.cycle_end(program, rank, self.calendar.day(at))

    def set_pin(self, code, until):
        self.pin, self.was_pinned = (code, until), True
        self.tell("tier.pinned", code, until)

    def drop_pin(self):
        self.pin = None
        self.tell("tier.unpinned")

    def would_fall(self, program):
        """Were nothing more bought until the end of the cycle and that of the grace."""
        if self.until is None:
            return False
        rank, end = self.rank(program), self.calendar.day(self.until)
        ends = end, end + datetime.timedelta(program["cycle"]["grace_days"])
        return all(self.fallen(program, rank, day, datetime.date.max) < rank for day in ends)

    def give_notice(self, program, now):
        """Once for each end of a cycle that is near."""
        days = program["cycle"]["notice_days"]
        if days and self.until is not None and self.until <= now + days * DAY and self.noticed != self.until:
            self.noticed = self.until
            if self.would_fall(program):
                self.tell("tier.notice", self.tier, self.until)

    def cycle_end(self, program, rank, day):
        """The end of the cycle that begins on a day; None: the lowest tier is held for good."""
        settings = program["cycle"]
        if rank == 0:
            return None
        anchor = {"tier_start": day, "joining": self.calendar.day(self.joined),
                  "calendar_year": datetime.date(day.year, 1, 1)}[settings["anchor"]]
        months = 0
        while add_months(anchor, months) <= day:
            months += settings["cycle_months"]
        return self.calendar.start(add_months(anchor, months))

    def end_cycle(self, program, at):
        """A tier that is kept neither at the end of the cycle nor at that of the grace falls."""
        rank, today, end = self.rank(program), self.calendar.day(at), self.calendar.day(self.until)
        lower = self.fallen(program, rank, today)
        if lower < rank and self.fallen(program, rank, end) < rank:
            self.move(program, lower, at, "cycle_end")
        else:
            self.until = self.cycle_end(program, rank, end)

    def projected(self, program, at):
        """The tier were the cycle to end now."""
        rank, today = self.rank(program), self.calendar.day(at)
        risen = self.qualified(program, today)
        if risen <= rank and rank > 0:
            risen = self.fallen(program, rank, today, datetime.date.max)
        return program["tiers"][risen]["code"]

    def requirements(self, wanted, today):
        """Each one with its value, those of any_of first."""
        wanted = wanted or {}
        for name in ("any_of", "all_of"):
            for one in wanted.get(name) or []:
                months = one.get("window_months")
                yield {"metric": one["metric"], "window_months": months, "any": name == "any_of"}, one["at_least"], \
                    self.value(one["metric"], months, today)

    def keep(self, program, at):
        """What keeps the earned tier."""
        tier = program["tiers"][self.rank(program)]
        return [{**one, "at_least": least, "value": value, "met": value >= least}
                for one, least, value in self.requirements(tier.get("keep"), self.calendar.day(at))]

    def missing(self, program, at):
        """The code of the tier above the shown one, and what it lacks."""
        above = [tier["code"] for tier in program["tiers"]].index(self.shown_tier(at)) + 1
        if above == len(program["tiers"]):
            return None, []
        all_of_it = list(self.requirements(program["tiers"][above]["qualify"], self.calendar.day(at)))
        enough = any(one["any"] and value >= least for one, least, value in all_of_it)
        return program["tiers"][above]["code"], [
            {**one, "missing_minor": least - value if one["metric"] == "spend" else None,
             "missing": least - value if one["metric"] != "spend" else None}
            for one, least, value in all_of_it if value < least and not (one["any"] and enough)]

    def fallen(self, program, rank, today, before=None):
        """The rank after a cycle, as of the beginning of a day, or with what was bought before another."""
        when = (today, before or today)
        if self.met(program["tiers"][rank].get("keep"), *when):
            return rank
        way = program["cycle"]["downgrade"]
        floors = [i for i, tier in enumerate(program["tiers"][:rank + 1]) if tier.get("floor")]
        lower = {"none": rank, "one_step": rank - 1,
                 "reassess": max(i for i in self.held_by(program, *when) if i < rank)}[way]
        return min(rank, max([lower, self.qualified(program, *when), *floors]))
