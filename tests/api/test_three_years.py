"""Three years of a shop under the test clock: 1,000 random customers, a programme that changes, and the slow reference beside
the server. PATRON_SEED repeats a run, PATRON_YEARS_STEPS makes it longer."""

import json
import os
import random
import time
from collections import Counter

import pytest

import servers
from client import Client
from crowd import Wire
from reference_calendar import text_of
from reference_coupons import Template
from reference_program import Program
from reference_rewards import Reward
from shop import eventually
from walk import Walk, Walker
from walk_programs import REWARDS, random_program, random_templates

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
PAGE_MAX = 200

BOOKS = """
SELECT json_object_agg(c.external_id, json_build_object(
        'account', json_build_array(a.active, a.pending, a.held, a.debt, a.lifetime_earned, a.lifetime_spent, a.lifetime_expired),
        'lots', coalesce((SELECT json_agg(json_build_array(l.amount, l.remaining, l.pending, to_char(l.active_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                        to_char(l.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) ORDER BY l.lot_no)
                FROM points_lots l WHERE l.customer_id = c.id), '[]')))
FROM customers c JOIN points_accounts a ON a.customer_id = c.id
"""
# What the database keeps of coupons, and what each customer was told.
HISTORIES = """
SELECT json_object_agg(code, changes) FROM (SELECT code, json_agg(json_build_array(action, state, to_char(created_at AT TIME ZONE 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS"Z"')) ORDER BY change_no) AS changes FROM coupon_history GROUP BY code) AS h
"""
GIFTS = """
SELECT json_agg(json_build_array(c.external_id, o.template, o.code) ORDER BY o.code) FROM coupons o JOIN customers c ON c.id = o.customer_id
WHERE o.source = 'birthday' AND o.created_at = '%s'
"""
EVENTS = r"""
SELECT json_object_agg(external_id, told) FROM (SELECT c.external_id, json_agg(json_build_array(e.type, e.payload)) AS told
        FROM events e JOIN customers c ON c.id = e.customer_id WHERE type ~ '^(points|tier|coupon|reward|birthday)\.' GROUP BY 1) AS t
"""
NO_BOOKS = {"account": [0] * 7, "lots": []}


EVENT_FIELDS = {
    "points.adjusted": ("points",), "points.adjustment_pending": ("points",), "points.adjustment_ended": ("points",),
    "points.expiring": ("expires_at", "points"), "tier.changed": ("before", "after"), "tier.notice": ("before", "until"),
    "tier.pinned": ("after", "until"), "tier.unpinned": (), "birthday.given": ("rule", "year", "points", "coupon"),
    "coupon": ("code", "template_code"), "reward": ("reward", "points")}


def events_told(stored, was_pinned):
    """How often each was told, and what lapsed in all by its date. A pin may hide a fall of which there is no notice then."""
    told, lapsed = Counter(), {}
    for kind, what in stored:
        if kind == "points.expired":
            lapsed[what["expires_at"]] = lapsed.get(what["expires_at"], 0) + what["points"]
        elif kind != "tier.notice" or not was_pinned:
            names = EVENT_FIELDS.get(kind, EVENT_FIELDS.get(kind.split(".")[0]))
            told[(kind, *(str(what[name]) for name in names))] += 1
    return told, lapsed


# What happens in every life; and what is rare enough that one life in a dozen lacks something of it: then the others have it.
ALWAYS = {"earned", "pending", "reversed", "written_off", "spent", "restored", "held", "debt", "program:cap_per_order",
          "program:cap_per_month", "pieces:cap_per_month", "base:cap_per_order", "base:cap_per_month", "bags:cap_per_order",
          "referral paid", "referral taken_back", "applied", "refused", "declined"}
NEARLY_ALWAYS = {"coupon limit_reached", "coupon sold_out", "brought issued", "brought limit_reached", "brought withdrawn", "used coupon",
                 "wrong coupon", "no care", "no trial", "birthday cake", "birthday loyal", "birthday month", "birthday gold_month",
                 "coupon.issued", "coupon.locked", "coupon.redeemed", "coupon.released", "coupon.expired", "coupon.revoked", "reward.issued",
                 "reward.redeemed", "reward.cancelled", "reward.expired", *set(EVENT_FIELDS) - {"coupon", "reward"}}
MISSED_MAX = 2


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

    def put_templates(self):
        """Coupons that are out keep what they were issued with."""
        for code, body in random_templates(self.rng).items():
            assert self.admin.put(f"/v1/coupon-templates/{code}", {"name": code, **body}).status in (200, 201)
            template = self.walk.templates.setdefault(code, Template(code, body))
            template.body = body

    def put_rewards(self):
        for code, body in REWARDS.items():
            self.admin.put(f"/v1/rewards/{code}", {"name": code, **body}).ok(201)
            self.walk.rewards[code] = Reward(code, body)

    def put_program(self):
        self.put_templates()
        self.walk.program = Program(random_program(self.rng), self.walk.program, self.walk.now)
        stored = self.admin.put("/v1/program", self.walk.program).ok()
        eventually(lambda: self.admin.get("/v1/meta").ok()["program_version"] == stored["version"])
        self.go_to(self.walk.now)  # what lapses by the new one

    def go_to(self, now):
        done = self.admin.post("/v1/test/clock", {"now": text_of(now), "stands": True, "chores": True}).ok()
        assert done == {"now": text_of(now), "chores_failed": 0}, self.say()
        if self.walk.program:
            self.learn(self.walk.go_to(now))
        self.walk.now = now

    def learn(self, gifts):
        """The codes of the coupons that birthdays have just brought."""
        if not gifts:
            return
        codes = {}
        for name, template, code in json.loads(servers.psql(self.server.database_url, GIFTS % text_of(self.walk.now)) or "[]"):
            codes.setdefault((name, template), []).append(code)
        for walker, coupon in gifts:
            known = {one.code for one in walker.customer.coupons}
            coupon.code = next((code for code in codes.get((walker.name, coupon.template.code), []) if code not in known), None)
            assert coupon.code, f"{self.say(walker)}: no coupon of {coupon.template.code} for a birthday"

    def act(self):
        """Some customers do something, each one thing at a time."""
        acting = self.walk.choose(ACTS_A_STEP)
        for _ in range(WAVES):
            self.walk.touched = set()
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

    def compare_lists(self):
        """Whole histories, as the API lists them, newest first; what came at one instant in any order, but for tiers."""
        walkers = self.walk.joined
        for path, wanted, instant in (("customers/ext:{}/tier/history?", Walker.moves, None),
                                      ("customers/ext:{}/rewards/redemptions?", Walker.redeemed, "created_at"),
                                      ("coupons?customer=ext:{}&", Walker.coupons, "valid_from")):
            calls = [("GET", f"/v1/{path.format(walker.name)}limit={PAGE_MAX}", None, None) for walker in walkers]
            for walker, answer in zip(walkers, self.wire.call(calls)):
                assert answer.status == 200, (self.say(walker), answer.body)
                page, expected = answer.json(), wanted(walker)[::-1]
                listed = [{name: one[name] for name in expected[0]} for one in page["data"]] if expected else page["data"]
                if instant:
                    assert [one[instant] for one in listed] == [one[instant] for one in expected], f"{self.say(walker)}, {path}"
                    listed, expected = (sorted(some, key=str) for some in (listed, expected))
                assert listed == expected and not page["has_more"], f"{self.say(walker)}, {path}: {listed}, {expected}"

    def compare_stocks(self):
        """How many of each template were issued, and how many of each reward are taken."""
        for path, kept, name in (("coupon-templates", self.walk.templates, "issued"), ("rewards", self.walk.rewards, "taken")):
            for code, one in kept.items():
                assert self.admin.get(f"/v1/{path}/{code}").ok()[name] == getattr(one, name), f"{self.say()}, {path} {code}"

    def compare_coupons(self):
        """What became of each, in its order."""
        stored = json.loads(servers.psql(self.server.database_url, HISTORIES) or "{}")
        coupons = [one for walker in self.walk.joined for one in walker.customer.coupons] + self.walk.bearer
        assert len(stored) == len(coupons)
        for one in coupons:
            wanted = [[action, state, text_of(at)] for action, state, at in one.history]
            assert stored[one.code] == wanted, f"{self.say()}, {one.code} of {one.template.code}: {stored[one.code]}, {wanted}"

    def compare_events(self):
        """Each change is told once, and nothing else is."""
        stored = json.loads(servers.psql(self.server.database_url, EVENTS) or "{}")
        for walker in self.walk.joined:
            told, lapsed = events_told(stored.get(walker.name, []), walker.customer.was_pinned)
            wanted = walker.told()
            assert told == wanted, f"{self.say(walker)}: too many {told - wanted}, too few {wanted - told}"
            self.walk.seen.update(kind for kind, *_ in told)
            assert lapsed == {text_of(at): points for at, points in walker.customer.lapsed.items()}, self.say(walker)

    def prove(self):
        proof = self.admin.get("/v1/points/proof").ok()
        assert proof["ok"] and proof["faults"] == [], (self.say(), proof)

    def was_worth_it(self):
        """A life in which nothing of some kind happened would prove nothing of it."""
        causes = servers.psql(self.server.database_url, "SELECT string_agg(DISTINCT cause, ' ' ORDER BY cause) FROM tier_history")
        kinds = servers.psql(self.server.database_url, "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM points_ledger")
        assert causes == "activity cycle_end order refund", self.say()
        assert kinds == "activate adjust earn expire hold release restore reverse spend write_off", self.say()
        assert not ALWAYS - self.walk.seen, (self.say(), ALWAYS - self.walk.seen)
        assert len(NEARLY_ALWAYS - self.walk.seen) <= MISSED_MAX, (self.say(), NEARLY_ALWAYS - self.walk.seen)

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
            if step == 0:
                self.put_rewards()
            if step < STEPS - 1:
                self.act()
        self.compare_shown()
        self.compare_lists()
        self.compare_stocks()
        self.compare_coupons()
        self.compare_events()


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
