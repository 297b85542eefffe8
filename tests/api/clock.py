"""The clock of a server that was started for tests."""

import datetime


class Clock:
    """The test clock; it goes on from what it is set to."""

    def __init__(self, client):
        self.client = client

    def set(self, text):
        self.client.post("/v1/test/clock", {"now": text}).ok()

    def advance(self, **span):
        seconds = int(datetime.timedelta(**span).total_seconds())
        self.client.post("/v1/test/clock", {"advance_seconds": seconds}).ok()
