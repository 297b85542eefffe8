"""Three years of a shop under the test clock: 1,000 random customers, a programme that changes, and the slow reference beside
the server. PATRON_SEED repeats a run, PATRON_YEARS_STEPS makes it longer."""

import json
import os
import random
import time

import pytest

import servers
from client import Client
from reference_calendar import text_of
from shop import eventually
from walk import Walk, random_program
from crowd import Wire

CUSTOMERS = int(os.environ.get("PATRON_YEARS_CUSTOMERS", "1000"))
STEPS = int(os.environ.get("PATRON_YEARS_STEPS", "64"))  # instants at which something happens
ENOUGH = 1000 * 64  # customers x steps, for everything to happen
BEGIN = 1767225600  # 2026-01-01
SECONDS = 3 * 365 * 86400
MONTH = SECONDS // 36
PROGRAM_CHANGES = 12
SEED = os.environ.get("PATRON_SEED") or f"{time.time_ns():x}"
CONNECTIONS = 32
ACTS_A_STEP = 125  # customers who do something at an instant, each up to WAVES things
WAVES = 2

BOOKS = """
SELECT json_object_agg(c.external_id, json_build_object(
        'account', json_build_array(a.active, a.pending, a.held, a.debt, a.lifetime_earned, a.lifetime_spent, a.lifetime_expired),
        'lots', coalesce((SELECT json_agg(json_build_array(l.amount, l.remaining, l.pending, to_char(l.active_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                        to_char(l.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) ORDER BY l.lot_no)
                FROM points_lots l WHERE l.customer_id = c.id), '[]')))
FROM customers c JOIN points_accounts a ON a.customer_id = c.id
"""
NO_BOOKS = {"account": [0] * 7, "lots": []}


class Years:
    def __init__(self, server, rng):
        self.server, self.rng = server, rng
        self.wire, self.admin = Wire(server, CONNECTIONS), Client(server, None)
        self.walk = Walk(rng, CUSTOMERS, BEGIN)
        self.second = server.new_key("second", "admin")  # the other pair of eyes
        self.calls = 0

    def say(self, walker=None):
        who = f", customer {walker.name}" if walker else ""
        return f"PATRON_SEED={SEED}, at {text_of(self.walk.now)}{who}"

    def put_program(self):
        self.walk.program = random_program(self.rng)
        stored = self.admin.put("/v1/program", self.walk.program).ok()
        eventually(lambda: self.admin.get("/v1/meta").ok()["program_version"] == stored["version"])
        self.go_to(self.walk.now)  # what lapses by the new one

    def go_to(self, now):
        done = self.admin.post("/v1/test/clock", {"now": text_of(now), "stands": True, "chores": True}).ok()
        assert done == {"now": text_of(now), "chores_failed": 0}, self.say()
        if self.walk.program:
            self.walk.go_to(now)
        self.walk.now = now

    def act(self):
        """Some customers do something, each one thing at a time."""
        acting = self.walk.choose(ACTS_A_STEP)
        for _ in range(WAVES):
            pairs = [(walker, call) for walker in acting if not walker.waits and (call := walker.next())]
            answers = self.wire.call([(call.method, call.path, call.body, call.key, self.second if call.second else None) for _, call in pairs])
            self.calls += len(pairs)
            for (walker, call), answer in zip(pairs, answers):
                self.judge(walker, call, answer)
            self.rng.shuffle(acting)
        if self.walk.settle() or any(walker.imported for walker in acting):
            self.go_to(self.walk.now)  # what else the housekeeper does would come some seconds later by itself

    def judge(self, walker, call, answer):
        where = f"{self.say(walker)}: {call.method} {call.path} {json.dumps(call.body)} -> {answer.status}"
        assert answer.status == call.status, f"{where} {answer.body}"
        if walker.sent and walker.sent[-1][1] is None:
            walker.sent[-1][1] = answer
        if call.check:
            try:
                call.check(answer)
            except AssertionError as wrong:
                raise AssertionError(f"{where}: {wrong}") from None

    def compare_books(self):
        stored = json.loads(servers.psql(self.server.database_url, BOOKS) or "{}")
        for walker in self.walk.joined:
            assert stored.get(walker.name, NO_BOOKS) == walker.books(), f"{self.say(walker)}: {stored[walker.name]}, {walker.books()}"

    def compare_shown(self):
        """What the API shows, customer by customer."""
        walkers = self.walk.joined
        for path, wanted in (("points", lambda walker: walker.balance()), ("tier", lambda walker: walker.standing())):
            answers = self.wire.call([("GET", f"/v1/customers/ext:{walker.name}/{path}", None, None) for walker in walkers])
            for walker, answer in zip(walkers, answers):
                assert answer.status == 200, (self.say(walker), answer.body)
                shown, expected = answer.json(), wanted(walker)
                shown = {name: shown[name] for name in expected}
                assert shown == expected, f"{self.say(walker)}: {shown}, {expected}"

    def prove(self):
        proof = self.admin.get("/v1/points/proof").ok()
        assert proof["ok"] and proof["faults"] == [], (self.say(), proof)

    def was_worth_it(self):
        """A life in which nothing of some kind happened would prove nothing of it."""
        causes = servers.psql(self.server.database_url, "SELECT string_agg(DISTINCT cause, ' ' ORDER BY cause) FROM tier_history")
        kinds = servers.psql(self.server.database_url, "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM points_ledger")
        assert causes == "activity cycle_end order refund", self.say()
        assert kinds == "activate adjust earn expire hold release restore reverse spend write_off", self.say()
        wanted = {"earned", "pending", "reversed", "written_off", "spent", "restored", "held", "debt", "program:cap_per_order",
                  "program:cap_per_month", "pieces:cap_per_month", "base:cap_per_order", "base:cap_per_month", "bags:cap_per_order",
                  "referral paid", "referral taken_back", "applied", "refused", "declined"}
        assert not wanted - self.walk.seen, (self.say(), wanted - self.walk.seen)

    def live(self):
        instants = sorted(self.rng.sample(range(SECONDS // 60), STEPS - 1)) + [SECONDS // 60]
        changes = {0, *self.rng.sample(range(STEPS), PROGRAM_CHANGES)}
        month = 0
        for step, minute in enumerate(instants):
            self.go_to(BEGIN + minute * 60)
            if minute * 60 // MONTH > month or step == STEPS - 1:
                month = minute * 60 // MONTH
                self.compare_books()
                self.prove()
            if step % (STEPS // 4) == 0:
                self.compare_shown()
            if step in changes:
                self.put_program()
            if step < STEPS - 1:
                self.act()
        self.compare_shown()


@pytest.fixture(scope="module")
def server():
    with servers.running_server("years", test_clock=1) as running:
        yield running


def test_three_years_of_random_customers_are_as_the_slow_reference_says(server):
    years = Years(server, random.Random(SEED))
    years.live()
    if CUSTOMERS * STEPS >= ENOUGH:
        years.was_worth_it()
    print(f"{years.calls} calls")
