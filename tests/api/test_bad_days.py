"""Bad days of the server, for every operation of /openapi.json alike: its queue is full, it is late, the database is away, changes
or breaks under it, it stops. Each is answered 503, 409 or 500 as declared, and afterwards everything works again."""

import contextlib
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import coupons
import servers
from calls import OPERATIONS, address, headers_for
from client import Client
from shop import eventually, fresh, order, refund, take

QUEUE_LIMIT = 64
WORKERS = {"api": 2, "reads": 1, "orders": 1, "reports": 1}
DEADLINE_MS = 300
SETTINGS = {"test_clock": 1, "api_workers": WORKERS["api"], "order_workers": WORKERS["orders"], "report_workers": WORKERS["reports"],
            "queue_limit": QUEUE_LIMIT, "request_deadline_ms": DEADLINE_MS}
LANES = {"points_get": "reads", "order_take": "orders", "points_proof": "reports", "report_points_liability": "reports",
         "tiers_simulate": "reports", "customer_export": "reports", "duplicate_list": "reports", "coupon_job_create": "bulk"}  # all others: api
BLOCKING = {"api": "customer_get_one", "reads": "points_get", "orders": "order_take", "reports": "points_proof"}
KEYED = [one for one in OPERATIONS if any(spec["name"] == "Idempotency-Key" for spec in one.spec["parameters"])]
UNTOUCHED = {"meta_get"}  # reads no table


def lane(operation):
    return LANES.get(operation.id, "api")

SPARE = 80  # far more than there are calls about one


class House:
    """A server with little room, one customer and one order in it, and sound calls of every operation."""

    def __init__(self, server, contract):
        self.server, self.contract = server, contract
        self.client = Client(server, contract)
        self.asking = server.new_key("asking", "points:write")
        eventually(lambda: Client(server, contract, self.asking).get("/v1/program").status == 403)
        self.customer, self.number = fresh("customer"), fresh("number")
        take(self.client, order(self.customer, *[100000] * 20, external_id=self.number))
        program = self.client.get("/v1/program").ok()
        self.program = {name: value for name, value in program.items() if name != "version"}
        self.lines = iter(range(1, 21))
        self.template, self.reward = coupons.template(self.client), fresh("reward").replace("-", "_")
        self.closed = {"template": coupons.template(self.client), "reward": "closed"}  # that may be switched off
        for code in (self.reward, self.closed["reward"]):
            self.client.put(f"/v1/rewards/{code}", {"name": "spare", "kind": "gift", "points": 1}).ok(201)
        self.spare = {name: iter([make() for _ in range(SPARE)]) for name, make in (
            ("hold", self.hold), ("approval", self.approval), ("note", self.note), ("tag", self.tag), ("group", self.group), ("attribute", self.attribute),
            ("stranger", self.stranger), ("housed", self.housed), ("merge", self.merge),
            ("coupon", self.coupon), ("used", self.used), ("redemption", self.redemption))}
        self.put("addresses/home", {"street": "spare"}).ok(201)
        self.interaction = self.client.post(f"/v1/customers/ext:{self.customer}/interactions", {"kind": "call"}).ok(201)["id"]
        self.rotated, self.revoked = (server.new_key(name, "orders:read").split("_")[1] for name in ("rotated", "revoked"))

    def hold(self):
        """A hold that can be resolved once."""
        path = f"/v1/customers/ext:{self.customer}/points/holds"
        return self.client.post(path, {"points": 1}, Idempotency_Key=fresh("key")).ok(201)["hold"]["id"]

    def stranger(self):
        """Somebody who can be erased."""
        return self.client.post("/v1/customers", {"external_id": fresh("stranger")}).ok(201)["id"]

    def housed(self):
        """Somebody whose address can be taken away: one customer has not enough of them."""
        return self.client.post("/v1/customers", {"external_id": fresh("housed"), "addresses": [{"name": "home", "street": "spare"}]}).ok(201)["id"]

    def merge(self):
        """A merge that can be undone."""
        path = f"/v1/customers/{self.stranger()}/merges"
        return self.client.post(path, {"absorbed": self.stranger()}, Idempotency_Key=fresh("key")).ok(201)["id"]

    def coupon(self):
        """A coupon that can be locked, released, redeemed or withdrawn."""
        code = coupons.issue(self.client, self.template)["code"]
        coupons.act(self.client, code, "lock", {"session": "days", "expires_in_seconds": 7 * 86400}).ok()
        return code

    def used(self):
        """A coupon whose use can be undone."""
        code = coupons.issue(self.client, self.template)["code"]
        coupons.act(self.client, code, "redeem", {"reference": "days"}).ok()
        return code

    def redemption(self):
        path = f"/v1/customers/ext:{self.customer}/rewards/redemptions"
        return self.client.post(path, {"reward": self.reward}, Idempotency_Key=fresh("key")).ok(201)["id"]

    def approval(self):
        """A request that waits for another key than the house's."""
        other = Client(self.server, self.contract, self.asking)
        body = {"points": 1_000_000, "reason": "a test"}
        path = f"/v1/customers/ext:{self.customer}/points/adjustments"
        return other.post(path, body, Idempotency_Key=fresh("key")).ok(201)["adjustment"]["approval_id"]

    def put(self, path, body):
        return self.client.put(f"/v1/customers/ext:{self.customer}/{path}", body)

    def note(self):
        return self.client.post(f"/v1/customers/ext:{self.customer}/notes", {"content": "spare"}).ok(201)["id"]

    def tag(self):
        tag = fresh("tag")
        self.put(f"tags/{tag}", {}).ok(201)
        return tag

    def group(self):
        code = fresh("group").replace("-", "_")
        self.client.put(f"/v1/groups/{code}", {"name": "spare"}).ok(201)
        return code

    def attribute(self):
        name = fresh("attribute").replace("-", "_")
        self.client.put(f"/v1/attributes/{name}", {"type": "text"}).ok(201)
        return name

    def body(self, operation):
        """A fresh body that the operation accepts."""
        bodies = {
            "order_take": lambda: order(self.customer, 100),
            "order_refund_one": lambda: refund({"line_no": next(self.lines), "amount_minor": 1}),
            "customer_create_one": lambda: {"external_id": fresh("customer")},
            "customer_put_one": lambda: {"name": fresh("name")},
            "customer_patch_one": lambda: {"name": fresh("name")},
            "points_redeem": lambda: {"points": 1},
            "points_hold_create": lambda: {"points": 1},
            "points_hold_capture_one": lambda: {"points": 1},
            "points_hold_release_one": lambda: {"reason": "left"},
            "activity_record_one": lambda: {"key": fresh("activity"), "customer": f"ext:{self.customer}", "type": "photo_review"},
            "points_adjust_one": lambda: {"points": 1, "reason": "a test"},
            "points_adjust_many": lambda: {"items": [{"customer": f"ext:{self.customer}", "points": 1, "reason": "a test"}]},
            "points_approval_approve": lambda: {"reason": "right"},
            "points_approval_decline": lambda: {"reason": "wrong"},
            "program_replace": lambda: self.program,
            "program_diff_proposed": lambda: self.program,
            "program_roll_back": lambda: {"version": 1},
            "checkout_quote_basket": lambda: {"customer": f"ext:{self.customer}", "lines": [{"sku": "S", "unit_price_minor": 100}]},
            "tiers_simulate": lambda: {"tiers": self.program["tiers"]},
            "test_clock_change": lambda: {"advance_seconds": 0},
            "tier_pin_set": lambda: {"tier": "gold", "until": "2036-01-01T00:00:00Z", "reason": "a test"},
            "key_make": lambda: {"name": "till", "scopes": ["orders:read"]},
            "key_rotate_one": lambda: {"overlap_seconds": 0},
            "token_mint_one": lambda: {"scopes": ["orders:read"]},
            "tag_put_one": lambda: {},
            "address_put_one": lambda: {"street": fresh("street")},
            "address_patch_one": lambda: {"street": fresh("street")},
            "note_create": lambda: {"content": fresh("note")},
            "note_patch_one": lambda: {"content": fresh("note")},
            "group_put_one": lambda: {"name": fresh("name")},
            "member_change": lambda: {"add": [f"ext:{self.customer}"]},
            "interaction_create": lambda: {"kind": "call"},
            "behaviour_create": lambda: {"events": [{"customer": f"ext:{self.customer}", "type": "view"}]},
            "consent_put_one": lambda: {"state": "granted"},
            "suppression_put_one": lambda: {"reason": "manual"},
            "attribute_put_one": lambda: {"type": "text"},
            "merge_preview_one": lambda: {"absorbed": f"ext:{self.customer}"},
            "merge_undo_one": lambda: {"reason": "two people"},
            "merge_create": lambda: {"absorbed": next(self.spare["stranger"])},
            "coupon_template_put_one": lambda: {"name": "spare", "kind": "amount", "off_minor": 1},
            "coupon_issue_many": lambda: {"count": 1, "key": fresh("key")},
            "coupon_job_create": lambda: {"count": 1, "key": fresh("key")},
            "coupon_issue_single": lambda: {"template": self.template},
            "coupon_lock_single": lambda: {"session": "days"},
            "coupon_release_single": lambda: {"session": "days"},
            "coupon_redeem_single": lambda: {"session": "days", "reference": "days"},
            "coupon_rollback_single": lambda: {"reference": "days"},
            "reward_put_one": lambda: {"name": "spare", "kind": "gift", "points": 1},
            "reward_issue": lambda: {"reward": self.reward},
            "reward_redeem": lambda: {"reason": "a test"},
            "reward_cancel": lambda: {"reason": "a test"},
        }
        assert (operation.id in bodies) == ("requestBody" in operation.spec), f"say what {operation.id} accepts"
        return json.dumps(bodies[operation.id]()).encode() if operation.id in bodies else None

    def known(self, operation):
        """What its path may name."""
        spare = {name: next(made) for name, made in self.spare.items() if f"{{{name}}}" in operation.path} | self.closed
        if operation.id in ("coupon_issue_many", "coupon_job_create"):
            spare["template"] = self.template
        if operation.id == "coupon_rollback_single":
            spare["coupon"] = next(self.spare["used"])
        whose = {"customer_erase": "stranger", "address_delete_one": "housed"}.get(operation.id)
        customer = next(self.spare[whose]) if whose else f"ext:{self.customer}"
        return {"customer": customer, "order": f"ext:{self.number}", "key": self.spare_key(operation),
                "interaction": self.interaction, "address": "home", "channel": "sms", "version": 1, **spare}

    def spare_key(self, operation):
        """The id of a key that the operation may do anything with."""
        if operation.id == "key_rotate_one":  # a revoked one gets no new secret
            return self.rotated
        return self.revoked

    def call(self, operation, client=None, *more):
        client = client or self.client
        return client.send(operation.method, address(operation, self.known(operation)), self.body(operation), headers_for(client, operation, *more))

    def call_alone(self, operation, *more):
        """Over a connection of its own, for threads."""
        client = Client(self.server, self.contract)
        try:
            return self.call(operation, client, *more)
        finally:
            client.close()

    def by_id(self, name):
        return self.contract.by_id[name]

    def waiting(self):
        """Statements of this database that wait for a lock."""
        return int(servers.psql(servers.admin_url(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                f"AND datname = '{self.database}'"))

    @property
    def database(self):
        return self.server.database_url.rpartition("dbname=")[2]

    def depth(self, name):
        text = self.client.get("/metrics").body.decode()
        return int(text.partition(f'patron_queue_depth{{lane="{name}"}} ')[2].split()[0])

    def assert_well(self):
        """Every operation succeeds."""
        for operation in OPERATIONS:
            assert self.call(operation).status in (200, 201, 204, 207), operation.id


@pytest.fixture(scope="module")
def house(contract):
    with servers.running_server("days", **SETTINGS) as server:
        yield House(server, contract)


@contextlib.contextmanager
def locked(server, *tables):
    """Whoever touches one of the tables waits as long as this lasts."""
    with subprocess.Popen([servers.psql_program(), "-XqtA", server.database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as program:
        program.stdin.write(f"BEGIN; LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
        program.stdin.flush()
        assert program.stdout.readline() == "locked\n"
        yield
        program.stdin.write("ROLLBACK;\n")


@contextlib.contextmanager
def busy_workers(house, name, pool):
    """All workers of the lane hang as long as this lasts; then their calls end well."""
    blocked = []
    with locked(house.server, "customers", "points_accounts"):
        for n in range(WORKERS[name]):
            blocked.append(pool.submit(house.call_alone, house.by_id(BLOCKING[name])))
            eventually(lambda: house.waiting() == n + 1)
        yield
    assert {one.result().status for one in blocked} <= {200, 201}


@pytest.mark.parametrize("name", WORKERS)
def test_with_a_full_queue_it_is_503_busy_at_once(house, name):
    with ThreadPoolExecutor(QUEUE_LIMIT + 2) as pool:
        with busy_workers(house, name, pool):
            queued = [pool.submit(house.call_alone, house.by_id(BLOCKING[name])) for _ in range(QUEUE_LIMIT)]
            eventually(lambda: house.depth(name) == QUEUE_LIMIT)
            for operation in OPERATIONS:
                if lane(operation) == name:
                    house.call(operation).is_problem(503, "busy")
            ready = house.client.get("/readyz").ok(503)
            assert not ready["ready"] and ready["lanes"] == "full"
        assert all(one.result().status in (200, 201, 503) for one in queued)
    eventually(lambda: house.client.get("/readyz").status == 200)


@pytest.mark.parametrize("name", WORKERS)
def test_whoever_waited_beyond_the_deadline_is_answered_503_and_has_changed_nothing(house, name):
    operations = [one for one in OPERATIONS if lane(one) == name]
    rounds = [operations[at:at + QUEUE_LIMIT] for at in range(0, len(operations), QUEUE_LIMIT)]
    count = "SELECT count(*) FROM orders"
    before, orders = servers.content(house.server.database_url), int(servers.psql(house.server.database_url, count))
    with ThreadPoolExecutor(QUEUE_LIMIT + 2) as pool:
        for some in rounds:
            with busy_workers(house, name, pool):
                late = [pool.submit(house.call_alone, one) for one in some]
                eventually(lambda: house.depth(name) == len(some))
                time.sleep(DEADLINE_MS / 1000)
            for one in late:
                one.result().is_problem(503, "deadline-exceeded")
    if name == "orders":  # whose workers hung on an order each
        assert int(servers.psql(house.server.database_url, count)) == orders + WORKERS[name] * len(rounds)
    else:
        assert servers.content(house.server.database_url) == before


@pytest.mark.parametrize("operation", KEYED, ids=[one.id for one in KEYED])
def test_a_second_request_under_a_key_that_is_at_work_is_409(house, operation):
    key = ("Idempotency-Key", fresh("key"))
    pairs = [pair for pair in headers_for(house.client, operation) if pair[0] != "Idempotency-Key"] + [key]
    path, body = address(operation, house.known(operation)), house.body(operation)

    def one_of_two():
        client = Client(house.server, house.contract)
        answer = client.send(operation.method, path, body, pairs)
        client.close()
        return answer

    with ThreadPoolExecutor(2) as pool:
        with locked(house.server, "idempotency_keys"):
            both = [pool.submit(one_of_two) for _ in range(2)]
            eventually(lambda: house.waiting() == 2)
        done, refused = sorted((one.result() for one in both), key=lambda answer: answer.status)
    assert done.status in (200, 201, 207)
    refused.is_problem(409, "request-in-progress")
    again = one_of_two()
    assert again.body == done.body and again.headers["idempotency-hit"] == "true"
    other = house.client.send(operation.method, path, body + b" ", pairs)
    other.is_problem(422, "idempotency-key-reused")


def declares(operation, status):
    return str(status) in operation.spec["responses"]


def test_what_is_known_is_304_and_what_is_not_wanted_is_left_out(house):
    for operation in OPERATIONS:
        if operation.method == "GET" and declares(operation, 304):
            path, pairs = address(operation, house.known(operation)), headers_for(house.client, operation)
            tag = house.client.send("GET", path, None, pairs).headers["etag"]
            again = house.client.send("GET", path, None, pairs + [("If-None-Match", tag)])
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag), operation.id
        if declares(operation, 204) and operation.method != "DELETE":
            answer = house.call(operation, house.client, ("Prefer", "return=minimal"))
            assert (answer.status, answer.body) == (204, b"") and answer.headers["preference-applied"] == "return=minimal", operation.id


@pytest.mark.parametrize("name,kind", [("coupon_template_put_one", "template"), ("reward_put_one", "reward")])
def test_what_is_created_and_not_wanted_is_located(house, name, kind):
    operation, code = house.by_id(name), fresh("made").replace("-", "_")
    path = address(operation, {kind: code})
    answer = house.client.send("PUT", path, house.body(operation), headers_for(house.client, operation, ("Prefer", "return=minimal")))
    assert (answer.status, answer.headers["location"]) == (204, path)


def test_without_the_database_it_is_503_and_well_again_when_it_is_back(house):
    servers.psql(servers.admin_url(), f"ALTER DATABASE {house.database} ALLOW_CONNECTIONS false")
    servers.psql(servers.admin_url(), f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{house.database}'")
    try:
        for operation in OPERATIONS:
            house.call(operation).is_problem(503, "database-away")
        eventually(lambda: house.client.get("/readyz").status == 503)
        assert house.client.get("/readyz").json()["database"] == "away" and house.client.get("/healthz").status == 200
    finally:
        servers.psql(servers.admin_url(), f"ALTER DATABASE {house.database} ALLOW_CONNECTIONS true")
    house.assert_well()
    eventually(lambda: house.client.get("/readyz").status == 200)


BREAK = """
CREATE FUNCTION fails() RETURNS boolean LANGUAGE plpgsql STABLE AS
    $f$ BEGIN RAISE EXCEPTION 'a secret of the database' USING ERRCODE = '{state}'; END $f$;
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO %I', t, t || '_kept');
        EXECUTE format('CREATE VIEW %I AS SELECT * FROM %I WHERE fails()', t, t || '_kept');
    END LOOP;
END $$
"""
MEND = """
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT viewname FROM pg_views WHERE schemaname = 'public' LOOP
        EXECUTE format('DROP VIEW %I', t);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', t || '_kept', t);
    END LOOP;
END $$;
DROP FUNCTION fails()
"""


@contextlib.contextmanager
def broken_tables(house, state):
    """Whoever reads a table gets this SQLSTATE as long as this lasts."""
    servers.psql(house.server.database_url, BREAK.format(state=state))
    try:
        yield
    finally:
        servers.psql(house.server.database_url, MEND)


def test_a_change_that_loses_every_race_is_409_conflict(house):
    with broken_tables(house, "40001"):
        for operation in OPERATIONS:
            if "conflict" in operation.slugs:
                house.call(operation).is_problem(409, "conflict")
    house.assert_well()


def test_what_goes_wrong_inside_is_500_without_a_word_of_the_cause(house):
    with broken_tables(house, "XX000"):
        for operation in OPERATIONS:
            if operation.id not in UNTOUCHED:
                answer = house.call(operation)
                answer.is_problem(500, "internal")
                assert b"secret" not in answer.body
    house.assert_well()


def test_a_stopping_server_refuses_what_is_new_and_ends_what_it_began(contract):
    with servers.running_server("drain", **SETTINGS) as server:
        house = House(server, contract)
        kept = {operation.id: Client(server, contract) for operation in OPERATIONS} | {"readyz": Client(server, contract)}
        for client in kept.values():
            client.get("/healthz").ok()
        with ThreadPoolExecutor(1) as pool:
            with locked(server, "customers"):
                began = pool.submit(house.call_alone, house.by_id("order_take"))
                eventually(lambda: house.waiting() == 1)
                server.process.terminate()
                eventually(lambda: not reachable(server, contract))
                for operation in OPERATIONS:
                    house.call(operation, kept[operation.id]).is_problem(503, "draining")
                assert kept["readyz"].get("/readyz").ok(503)["draining"]
            assert began.result().status == 201
        assert server.process.wait(servers.STOP_SECONDS) == 0


def reachable(server, contract):
    client = Client(server, contract)
    try:
        client.connection.connect()
        return True
    except OSError:
        return False
    finally:
        client.close()
