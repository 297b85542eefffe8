"""The replay against the real binary: a made shop always, the real shop's year where its file is at hand."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import retail_customers
import servers
from client import Client
from reference_calendar import seconds, text_of
from shop import eventually

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PATRON_SHARED_DATA") or ROOT.parent / "shared" / "data") / "online_retail.csv.gz"
WITHOUT_DATA = (f"{DATA.name} is not in {DATA.parent}: it is the UCI Online Retail data set "
                "(archive.ics.uci.edu/dataset/352, CC BY 4.0); PATRON_SHARED_DATA says in which folder it is")
REPLAY_SECONDS = 300


# The real year has just ended when it is sent, then years pass. A tier is held for two of them: what the housekeeper would
# judge of a history that is half there depends on when it looks.
AFTER_THE_YEAR, LATER, MUCH_LATER = "2011-12-10T12:00:00Z", "2013-06-01T12:00:00Z", "2016-06-01T12:00:00Z"
CYCLE_MONTHS = 24


def let_it_be(server, now):
    """Set the clock, and have done what this made due."""
    admin = Client(server, contract=None)
    done = admin.post("/v1/test/clock", {"now": now, "stands": True, "chores": True}).ok()
    assert done == {"now": now, "chores_failed": 0}
    admin.close()


@pytest.fixture(scope="module")
def london():
    with servers.running_server("replay", currency="GBP", zone="Europe/London", test_clock=1) as server:
        let_it_be(server, AFTER_THE_YEAR)
        admin = Client(server, contract=None)
        program = admin.get("/v1/program").ok()
        stored = admin.put("/v1/program", {**program, "cycle": {**program["cycle"], "cycle_months": CYCLE_MONTHS}}).ok()
        eventually(lambda: admin.get("/v1/meta").ok()["program_version"] == stored["version"])
        admin.close()
        yield server


@pytest.fixture(scope="module")
def replayed(london):
    """The exit status and the report of the real year's replay."""
    return replay(london, DATA)


@pytest.fixture(scope="module")
def shanghai():
    with servers.running_server("made", currency="CNY", zone="Asia/Shanghai") as server:
        yield server


def replay(server, *arguments):
    """The exit status and the report of tools/replay."""
    done = subprocess.run([ROOT / "tools" / "replay", *map(str, arguments), "--url", server.url, "--json", "--quiet"],
                          env={**os.environ, "PATRON_KEY": server.key}, capture_output=True, text=True,
                          timeout=REPLAY_SECONDS, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else done.stderr


def stored(server):
    """What the database holds, counted past the server: customers, orders, lines, gross, refunds, paid back."""
    row = servers.psql(server.database_url, """
        SELECT json_build_array((SELECT count(*) FROM customers), count(*), sum(line_count), sum(total_minor),
                                (SELECT count(*) FROM refunds), sum(refunded_minor)) FROM orders""")
    return json.loads(row)


def counts(report, kind):
    return {name: report[kind][name] for name in ("sent", "created", "changed", "replayed", "failed", "minor")}


def all_new(count, minor):
    return {"sent": count, "created": count, "changed": 0, "replayed": 0, "failed": 0, "minor": minor}


def all_hits(count, minor):
    return {"sent": count, "created": 0, "changed": 0, "replayed": count, "failed": 0, "minor": minor}


@pytest.mark.skipif(not DATA.exists(), reason=WITHOUT_DATA)
def test_replay_of_the_real_year_is_right_to_the_penny_and_twice_changes_nothing(london, replayed):
    held = [4339, 18536, 397924, 891140790, 3849, 46676512]
    status, report = replayed
    assert report["failures"] == []
    assert counts(report, "orders") == all_new(18536, 891140790)
    assert counts(report, "refunds") == all_new(3849, 46676512)
    assert (report["customers"], report["lines"], status) == (4339, 397924, 0)
    accounts = servers.psql(london.database_url, "SELECT count(*) FROM points_accounts")
    assert report["proof"]["ok"] and report["proof"]["customers"] == int(accounts) >= 4338  # one only got gifts
    cancelled = sum(entry["minor"] for entry in report["left_out"] if entry["reason"].startswith("cancelled"))
    assert cancelled - 46676512 == -61134209
    assert stored(london) == held
    status, report = replay(london, DATA)
    assert counts(report, "orders") == all_hits(18536, 891140790)
    assert counts(report, "refunds") == all_hits(3849, 46676512)
    assert (stored(london), status) == (held, 0)


EVERY_CUSTOMER = """
SELECT json_object_agg(c.external_id, json_build_array(
        coalesce(a.active, 0), coalesce(a.debt, 0), coalesce(a.lifetime_earned, 0), s.growth, s.spend_minor, s.orders, s.tier,
        to_char(s.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), to_char(s.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
FROM customers c LEFT JOIN tier_standings s ON s.customer_id = c.id LEFT JOIN points_accounts a ON a.customer_id = c.id
"""


@pytest.mark.skipif(not DATA.exists(), reason=WITHOUT_DATA)
def test_every_customer_of_the_real_year_has_what_a_computation_from_the_file_alone_gives(london, replayed):
    program = Client(london, contract=None).get("/v1/program").ok()
    expected = retail_customers.customers(DATA, program, seconds(AFTER_THE_YEAR))
    assert len(expected) == 4339
    for now in (AFTER_THE_YEAR, LATER, MUCH_LATER):
        let_it_be(london, now)
        stored = json.loads(servers.psql(london.database_url, EVERY_CUSTOMER))
        assert stored.keys() == expected.keys()
        for name, one in expected.items():
            one.pass_time(program, seconds(now))
            wanted = [one.active, one.debt, one.earned, one.total("growth"), one.total("spend"), one.total("orders"), one.tier,
                      text_of(one.since), text_of(one.until)]
            assert stored[name] == wanted, f"customer {name} at {now}"
        tiers = {code: sum(one.tier == code for one in expected.values()) for code in ("basic", "silver", "gold", "diamond")}
        assert min(tiers.values()) > 100, "the real shop has customers in every tier"


def test_replay_of_a_made_shop_twice_changes_nothing(shanghai):
    status, first = replay(shanghai, "--made", 600)
    assert (first["failures"], status) == ([], 0)
    assert first["orders"]["created"] == 600 and first["refunds"]["created"] > 20
    held = stored(shanghai)
    refunds = first["refunds"]
    assert held[1:] == [600, first["lines"], first["orders"]["minor"], refunds["sent"], refunds["minor"]]
    status, second = replay(shanghai, "--made", 600)
    assert (second["orders"]["replayed"], second["orders"]["created"], status) == (600, 0, 0)
    assert stored(shanghai) == held


PROPOSAL = {"cycle": {"downgrade": "reassess"}, "samples": 4, "tiers": [
    {"rank": 0, "code": "basic", "name": "B", "benefits": {"discount_permille": 20}},
    {"rank": 1, "code": "silver", "name": "S", "qualify": {"any_of": [{"metric": "spend", "at_least": 30000}]},
     "keep": {"all_of": [{"metric": "orders", "window_months": 120, "at_least": 4}]},
     "benefits": {"discount_permille": 55, "full_reduction": [{"threshold_minor": 20000, "off_minor": 1500}]}},
    {"rank": 2, "code": "jade", "name": "J", "qualify": {"all_of": [{"metric": "orders", "window_months": 120, "at_least": 3},
                                                                  {"metric": "growth", "at_least": 900}]}}]}


def forecast(one):
    """Where PROPOSAL takes somebody, said again in other words."""
    if one["orders"] >= 3 and one["growth"] >= 900:
        return "jade"
    return "silver" if one["spend"] >= 30000 or (one["tier"] == "silver" and one["orders"] >= 4) else "basic"


def test_a_simulation_over_the_made_shop_is_what_its_customers_add_up_to(shanghai, contract):
    assert replay(shanghai, "--made", 600)[0] == 0
    client = Client(shanghai, contract)
    everybody = json.loads(servers.psql(shanghai.database_url, """
        SELECT json_agg(json_build_object('id', c.id, 'name', external_id, 'tier', coalesce(tier, 'basic'), 'orders', coalesce(orders, 0),
                                          'spend', coalesce(spend_minor, 0), 'growth', coalesce(growth, 0)) ORDER BY c.id)
        FROM customers c LEFT JOIN tier_standings s ON s.customer_id = c.id"""))
    answer = client.post("/v1/tiers/simulate", PROPOSAL).ok()
    moves, ranks = {}, {"basic": 0, "silver": 1, "jade": 2, "gold": 2, "diamond": 3}
    for one in everybody:
        moves[one["tier"], forecast(one)] = moves.get((one["tier"], forecast(one)), 0) + 1
    assert {(one["from"], one["to"]): one["customers"] for one in answer["moves"]} == moves
    rising = sum(count for (held, to), count in moves.items() if ranks[to] > ranks[held])
    falling = sum(count for (held, to), count in moves.items() if ranks[to] < ranks[held])
    assert (answer["rising"]["customers"], answer["falling"]["customers"]) == (rising, falling) and rising > 0
    assert answer["unchanged"] == len(everybody) - rising - falling and answer["customers"] == len(everybody)
    assert {one["code"]: one["customers"] for one in answer["proposed"]} == {
        code: sum(count for (_, to), count in moves.items() if to == code) for code in ("basic", "silver", "jade")}
    names = {one["id"]: one["name"] for one in everybody}
    for sample in answer["rising"]["samples"] + answer["falling"]["samples"]:
        assert names[sample["customer_id"]] == sample["external_id"] and set(sample) == {"customer_id", "external_id", "from", "to"}
    assert len(answer["rising"]["samples"]) == min(rising, 4)
    assert client.post("/v1/tiers/simulate", {"tiers": [{"rank": 1, "code": "basic", "name": "B"}]}).faults == {
        ("#/tiers/0/rank", "out_of_order")}


def test_replay_of_another_made_shop_under_the_same_numbers_says_that_it_is_not_right(shanghai):
    assert replay(shanghai, "--made", 600)[0] == 0
    status, report = replay(shanghai, "--made", 601)
    assert status == 1 and not report["right"]
    assert report["orders"]["changed"] + report["orders"]["failed"] > 0 and report["refunds"]["failed"] > 0
    assert any(failure.startswith("refund made-") and "409" in failure for failure in report["failures"])


def test_replay_into_a_shop_of_another_currency_is_refused(shanghai, tmp_path):
    (tmp_path / "file.csv.gz").write_bytes(b"")
    status, said = replay(shanghai, tmp_path / "file.csv.gz")
    assert status == 1 and "PATRON_CURRENCY=GBP" in said


def test_replay_with_a_wrong_key_says_so(shanghai):
    status, said = replay(shanghai._replace(key="pk_wrong_key"), "--made", 10)
    assert status == 1 and "401" in (said if isinstance(said, str) else " ".join(said["failures"]))
