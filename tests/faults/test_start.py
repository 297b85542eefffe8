"""Servers that start: many at once, and those that must refuse to."""

import json
from pathlib import Path

import house
import pytest
from house import START_SECONDS, await_true
from wire import ask

TOGETHER = 8
MIGRATIONS = {int(path.stem.split("_")[0]): path.stem for path in sorted((house.ROOT / "migrations").glob("*.sql"))}


def refused(shop, **settings):
    """What a server says that refuses to start."""
    process = shop.process(**settings)
    status = process.popen.wait(START_SECONDS)
    assert status == 1, process.said()
    return process.said()


def test_servers_starting_together_on_an_empty_database_migrate_once(cluster):
    with house.shop(cluster, "together", migrated=False) as shop:
        started = [shop.process(currency="EUR", zone="Europe/Berlin") for _ in range(TOGETHER)]
        for server in started:
            server.await_ready()
        applied = shop.counts("SELECT json_agg(number ORDER BY number) FROM schema_migrations")
        assert applied == list(MIGRATIONS)
        assert shop.sql("SELECT count(*) FROM installation") == "1"
        shop.key = shop.make_key()
        for server in started:
            await_true("every server knows the key", lambda server=server: server.ask("GET", "/v1/program").status == 200)
            assert server.ask("GET", "/v1/meta").json["currency"] == "EUR"


def test_killed_migration_is_finished_by_the_next_start(cluster):
    with house.shop(cluster, "half", migrated=False) as shop:
        with shop.locked("SELECT pg_advisory_lock(7265174411)"):
            first = shop.process()
            await_true("the first waits for its turn", lambda: shop.waiting() == 1)
            first.kill()
            second = shop.process()
            await_true("the second waits for its turn", lambda: shop.waiting() >= 1)
            assert second.probe("/healthz") is None
        second.await_ready()
        assert shop.sql("SELECT count(*) FROM schema_migrations") == str(len(MIGRATIONS))


def to_before(shop, number):
    """Migrated to before a migration, by undoing the later ones."""
    undoings = {96: "DROP INDEX groups_name, groups_members, groups_created; ALTER TABLE coupon_stocks DROP COLUMN created_at; "
                    "ALTER TABLE reward_stocks DROP COLUMN created_at",
                98: "ALTER TABLE programs DROP COLUMN silent_from",
                99: "",
                100: "ALTER TABLE coupons DROP COLUMN due_at; CREATE INDEX coupons_lock_over ON coupons (locked_until) WHERE state = 'locked'; "
                     "CREATE INDEX coupons_lapsing ON coupons (expires_at) WHERE state = 'available' AND expires_at IS NOT NULL",
                101: "DROP INDEX customer_identities_other"}
    assert shop.run("migrate").returncode == 0
    for later in sorted((one for one in MIGRATIONS if one >= number), reverse=True):
        shop.sql(f"{undoings[later]}; DELETE FROM schema_migrations WHERE number = {later}")


def test_coupons_of_an_older_installation_are_looked_at_in_time(cluster):
    with house.shop(cluster, "coupons", migrated=False) as shop:
        to_before(shop, 100)
        shop.sql("INSERT INTO coupons (code, id, template, template_version, state, source, valid_from, expires_at, locked_until, redeemed_at, off_minor, "
                 "changes, created_at) SELECT code, gen_random_uuid(), 'x', 1, state, 'api', '2026-01-01', expires_at::timestamptz, locked_until::timestamptz, "
                 "redeemed_at::timestamptz, 0, 1, '2026-01-01' FROM (VALUES ('a', 'available', NULL, NULL, NULL), ('b', 'available', '2036-01-02Z', NULL, NULL), "
                 "('c', 'locked', '2036-01-02Z', '2036-01-01Z', NULL), ('d', 'redeemed', '2036-01-02Z', NULL, '2026-01-01Z'), "
                 "('e', 'expired', '2026-01-02Z', NULL, NULL)) AS v(code, state, expires_at, locked_until, redeemed_at)")
        assert shop.run("migrate").returncode == 0
        assert shop.counts("SELECT json_agg(code || ' ' || coalesce((due_at AT TIME ZONE 'UTC')::date::text, 'never') ORDER BY code) FROM coupons") == [
            "a never", "b 2036-01-02", "c 2036-01-01", "d never", "e never"]


def test_templates_and_rewards_of_an_older_installation_know_when_they_were_first_there(cluster):
    with house.shop(cluster, "older", migrated=False) as shop:
        to_before(shop, 96)
        for stocks, counted, key in (("coupon_stocks", "issued", "template"), ("reward_stocks", "taken", "reward")):
            shop.sql(f"INSERT INTO {stocks} ({key}, {counted}) VALUES ('old', 3), ('new', 0)")
        for table, columns, values in (
                ("coupon_templates", "kind, off_minor, off_permille, threshold_minor, with_tier_discount, with_full_reduction, with_points, "
                 "with_coupons, returns_on_refund, returned_days", "'amount', 1, 0, 0, true, true, true, true, true, 0"),
                ("rewards", "kind, points, redeem_days", "'gift', 1, 1")):
            shop.sql(f"INSERT INTO {table} (code, version, name, active, created_at, {columns}) SELECT code, version, 'x', true, day, {values} "
                     "FROM (VALUES ('old', 1, timestamptz '2026-01-01Z'), ('old', 2, '2026-03-01Z'), ('new', 1, '2026-02-01Z')) AS v(code, version, day)")
        assert shop.run("migrate").returncode == 0
        for stocks, key in (("coupon_stocks", "template"), ("reward_stocks", "reward")):
            days = shop.counts(f"SELECT json_agg({key} || ' ' || (created_at AT TIME ZONE 'UTC')::date ORDER BY created_at) FROM {stocks}")
            assert days == ["old 2026-01-01", "new 2026-02-01"]


def test_changed_migration_refuses_to_start(shop):
    shop.sql("UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE number = 3")
    said = refused(shop)
    assert f"{MIGRATIONS[3]} was changed after it had been applied" in said


def test_newer_schema_refuses_to_start(shop):
    shop.sql("INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (9001, 'future', 'x', now())")
    assert "9001_future, which this program does not know: it is older than the database" in refused(shop)


def test_missing_migration_refuses_to_start_when_it_must_not_migrate(cluster):
    with house.shop(cluster, "unmigrated", migrated=False) as shop:
        assert shop.run("migrate").returncode == 0
        last = max(MIGRATIONS)
        shop.sql(f"DELETE FROM schema_migrations WHERE number = {last}")
        assert f"{MIGRATIONS[last]} has not been applied" in refused(shop, migrate="false")


def test_empty_database_without_migration_says_what_to_do(cluster):
    with house.shop(cluster, "empty", migrated=False) as shop:
        said = refused(shop, migrate="false")
        assert "patron migrate" in said


@pytest.mark.parametrize("change, statement, word", [
    ("ALTER TABLE refunds DROP COLUMN reason", "refund_insert", "reason"),
    ("ALTER TABLE orders ALTER COLUMN total_minor TYPE integer", "order", "total_minor"),
    ("DROP TABLE points_allocations", "draws_insert", "points_allocations"),
])
def test_statement_that_does_not_fit_refuses_to_start_and_is_named(shop, change, statement, word):
    shop.sql(change)
    said = refused(shop)
    assert "do not fit the schema" in said and word in said
    assert any(line.startswith(statement) and word in line for line in said.splitlines()), said


def test_constraint_that_errors_go_by_must_exist(shop):
    shop.sql("ALTER TABLE orders RENAME CONSTRAINT orders_id_key TO something_else")
    assert "orders_id_key" in refused(shop)


@pytest.mark.parametrize("setting, value, sentence", [
    ("currency", "GBP", "This database keeps its amounts in CNY, but the setting currency says GBP."),
    ("zone", "Europe/London", "This database counts days, birthdays and cycles in Asia/Shanghai, "
                              "but the setting zone says Europe/London."),
])
def test_other_currency_or_zone_refuses_in_a_sentence(shop, setting, value, sentence):
    assert sentence in refused(shop, **{setting: value})


@pytest.mark.parametrize("settings, word", [
    ({"currency": "POUND"}, "POUND"), ({"zone": "Mars/Olympus"}, "Mars/Olympus"), ({"api_workers": "0"}, "api_workers"),
])
def test_nonsense_setting_refuses_in_a_sentence(cluster, settings, word):
    with house.shop(cluster, "nonsense", migrated=False) as shop:
        process = shop.process(**settings)
        assert process.popen.wait(START_SECONDS) in (1, 2) and word in process.said()


def test_port_in_use_refuses_in_a_sentence(shop):
    first = shop.serve()
    second = house.Process(shop, first.address[1], {})
    assert second.popen.wait(START_SECONDS) == 1
    assert "Address already in use" in second.said()
    assert first.probe("/healthz") == 200


def test_absent_database_refuses_in_a_sentence(shop):
    process = shop.process()
    process.kill()
    shop.url = "host=/nowhere dbname=patron"
    process.start()
    assert process.popen.wait(START_SECONDS) == 1
    assert "/nowhere" in process.said()
