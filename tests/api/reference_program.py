"""A programme, and since when silence counts under it. Part of the slow reference (reference.py)."""

ROUNDINGS = ("none", "month", "quarter", "half_year", "year")


class Program(dict):
    """The document; what counts beside it is when its terms came into force."""

    def __init__(self, document, before, now):
        super().__init__(document)
        self.silent_from = None
        if self.term is not None:
            as_long = before is not None and before.term is not None and all(new >= old for new, old in zip(self.term, before.term))
            self.silent_from = before.silent_from if as_long else now

    @property
    def term(self):
        """How long silence may last, None: as long as it likes."""
        expiry = self["points"]["expiry"]
        return (expiry["months"], ROUNDINGS.index(expiry["round_to"])) if expiry["form"] == "inactivity" else None
