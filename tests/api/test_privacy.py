"""What is held on a person is exported whole, and an erasure leaves nothing of him in the whole database."""

import itertools
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import servers
from bulk import job_over, ndjson, upload
from calls import OPERATIONS, address, headers_for, sound_body
from person import Person
from shop import balance, eventually, fresh, give_back, order, refund, take


BYTES = re.compile(r"\\\\x((?:[0-9a-f]{2})+)")  # as COPY writes bytea


@pytest.fixture
def person(admin):
    """Nothing is left of him for the next test, which searches the same database."""
    filled = Person(admin)
    yield filled
    assert admin.call("DELETE", filled.at).status in (204, 410)


def dump(url):
    """The whole database as text, in lower case; what it keeps as bytes, too."""
    program = Path(servers.psql_program()).with_name("pg_dump")
    done = subprocess.run([str(program), "--no-owner", url], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return BYTES.sub(lambda found: bytes.fromhex(found[1]).decode(errors="replace").replace("\n", " "), done.stdout.decode()).lower()


def held(url):
    """Which of the traces are in the database, and in which of its lines."""
    lines = dump(url).splitlines()
    tables = [line for line in itertools.accumulate(lines, lambda table, line: line if line.startswith("copy ") else table)]

    def find(traces):
        return {(one, table, line) for one in traces for table, line in zip(tables, lines) if one in line}
    return find


def ids_of(url, person):
    """Those he has and had, and the one that each of his external ids stands for."""
    rows = f"SELECT id FROM customers WHERE id = '{person.id}' UNION SELECT alias_id FROM customer_aliases WHERE customer_id = '{person.id}'"
    return set(servers.psql(url, rows).split())


def tells_of_the_erasure(table, line):
    """Where nothing but who was erased is kept: the ids themselves, the event and the entry of the audit log."""
    return "erased_customers" in table or "customer.erased" in line or "customer_erase\t" in line


def test_an_export_holds_everything_and_is_audited(admin, client_with, person):
    export = admin.get(f"{person.at}/export", Audit_Reason="he asked").ok()
    assert export["customer_id"] == person.id
    text = json.dumps(export["data"], ensure_ascii=False)
    for said in (person.name, person.phone, person.email.lower(), person.openid, person.first_external, person.address_phone, "Xoqdiary", "Xoqtag", "Xoqstreet", "Xoqnote",
                 "Xoqcontent", "Xoqquery", "Xoqevidence", "Xoqbounce", "Xoqcoupon", "Xoqrefund", "Xoqredeemed", "Xoqheld", "Xoqpin",
                 "Xoqbecause"):
        assert said in text, said
    assert len(export["data"]["order_lines"]) == 2 and len(export["data"]["refunds"]) == 1
    assert [one["external_id"] for one in export["data"]["customers"]] == [person.external]
    assert "fingerprint" not in text
    entry = admin.get(f"/v1/audit?customer={person.id}&kind=read&operation=customer_export").ok()["data"][0]
    assert entry["reason"] == "he asked"
    client_with("customers:read").get(f"{person.at}/export").is_problem(403, "missing-scope")
    admin.get("/v1/customers/ext:nobody/export").is_problem(404, "not-found")


SLOWLY = """CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';
CREATE TRIGGER slowly AFTER INSERT ON job_results FOR EACH STATEMENT EXECUTE FUNCTION slowly()"""


def test_an_erasure_reaches_files_that_are_still_being_imported(admin, server, person):
    other = admin.post("/v1/customers", {"external_id": fresh("other")}).ok(201)["id"]
    servers.psql(server.database_url, SLOWLY)
    try:
        jobs = [upload(admin, "interactions", ndjson([{"customer": who, "kind": "call", "external_id": fresh("call"), "content": text}])).ok(201)
                for who, text in ((other, "a bag"), (f"ext:{person.external}", "Xoqstaged"))]
        eventually(lambda: admin.get(f"/v1/jobs/{jobs[0]['id']}").ok()["status"] == "running")
        admin.call("DELETE", person.at).empty()
        assert admin.get(f"/v1/jobs/{jobs[1]['id']}").ok()["status"] in ("queued", "running"), "it waited for the first"
        for job in jobs:  # both: nobody knows who is in a file
            eventually(lambda job=job: admin.get(f"/v1/jobs/{job['id']}").status == 404, seconds=30)
    finally:
        servers.psql(server.database_url, "DROP FUNCTION slowly CASCADE")
    assert held(server.database_url)(person.traces) == set()
    after = job_over(admin, upload(admin, "interactions", ndjson([{"customer": other, "kind": "call", "external_id": fresh("call")}])).ok(201))
    assert after["expires_at"][:10] > after["completed_at"][:10], "what comes later is kept as ever"


def test_an_erasure_leaves_nothing_of_the_person_and_the_ledgers_balanced(admin, server, person):
    line = {"customer": f"ext:{person.external}", "kind": "call", "content": "Xoqstaged"}
    job = job_over(admin, upload(admin, "interactions", ndjson([{**line, "external_id": fresh("call")}, line])).ok(201))
    assert (job["succeeded"], job["failed"]) == (1, 1)
    found = held(server.database_url)(person.traces)
    assert any("job_chunks" in table and "xoqstaged" in line for _, table, line in found)
    before = {trace for trace, _, _ in found}
    ids = ids_of(server.database_url, person)
    assert len(ids) >= 3 and {one for one, table, _ in held(server.database_url)(ids) if "activities" in table} >= {person.id}
    assert person.name.lower() in before and "xoq" in before and person.phone in before, "or the search would find nothing at all"
    spend = admin.get(person.at).ok()["metrics"]["spend_minor"]
    admin.call("DELETE", f"{person.at}?reason=requested", headers={"Audit-Reason": "Xoq asked by letter"}).empty()
    assert held(server.database_url)(person.traces) == set()
    left = {found for found in held(server.database_url)(ids) if not tells_of_the_erasure(*found[1:])}
    assert left == set(), "an id leads to him"
    for reference in person.references:
        admin.get(f"/v1/customers/{reference}").is_problem(410, "erased")
    admin.call("DELETE", person.at).is_problem(410, "erased")
    event, = servers.psql(server.database_url, f"SELECT type || payload FROM events WHERE customer_id = '{person.id}'").splitlines()
    assert event.startswith("customer.erased")
    entry, = admin.get(f"/v1/audit?customer={person.id}").ok()["data"]
    assert (entry["operation"], entry["changes"]["reason"]["after"], entry["reason"]) == ("customer_erase", "requested", None)
    assert spend == int(servers.psql(server.database_url, "SELECT spend_minor FROM tier_standings JOIN orders USING (customer_id) "
                                     f"WHERE external_id = '{person.number}'"))
    assert admin.get(f"/v1/groups/{person.group}").ok()["members"] == 0
    # the order goes on, as nobody's
    give_back(admin, person.number, refund({"line_no": 2, "amount_minor": 30_000}))
    assert " 0 wrong" in server.command("check")


def test_whoever_referred_somebody_erased_is_told_of_nobody(admin, server, person):
    admin.call("DELETE", person.at).empty()
    kept = servers.psql(server.database_url, "SELECT outcome FROM activities WHERE key IN ('{}', '{}')".format(*person.referred))
    assert [json.loads(line)["activity"]["referred_id"] for line in kept.splitlines()] == [None, None]
    for key, referred in zip(person.referred, (person.external, person.twin)):
        body = {"key": key, "customer": f"ext:{person.referrer}", "type": "referral", "referred": f"ext:{referred}"}
        assert admin.post("/v1/activities", body).faults == {("#/referred", "unknown_customer")}
    listed = admin.get(f"/v1/customers/ext:{person.referrer}/activities").ok()["data"]
    assert len(listed) == 2 and person.id not in json.dumps(listed)


def test_what_was_erased_is_free_for_somebody_new(admin, server, person):
    admin.call("DELETE", person.at).empty()
    take(admin, order({"external_id": person.external, "phone": person.later_phone, "name": "Somebody New"}, 1000))
    new = admin.get(f"/v1/customers/ext:{person.external}").ok()
    assert (new["name"], new["metrics"]["orders"], new["attributes"]) == ("Somebody New", 1, None)
    assert balance(admin, person.external)["lifetime_earned"] == 10
    listed = admin.get(f"/v1/customers?q={person.later_phone}").ok()["data"]
    assert [one["id"] for one in listed] == [new["id"]]
    admin.get(f"/v1/customers/ext:{person.first_external}").is_problem(410, "erased")
    admin.call("DELETE", f"/v1/customers/{new['id']}").empty()
    admin.get(f"/v1/customers/ext:{person.external}").is_problem(410, "erased")
    admin.call("DELETE", "/v1/customers/ext:nobody").is_problem(404, "not-found")
    assert " 0 wrong" in server.command("check")


# What a path may name beside the erased customer; it is looked at later.
ELSEWHERE = {"address": "a", "note": "01234567-89ab-7def-8123-456789abcdef", "interaction": "01234567-89ab-7def-8123-456789abcdef", "tag": "t",
             "channel": "sms", "hold": "ext:h", "type": "orders",
             "redemption": "01234567-89ab-7def-8123-456789abcdef"}
SOUND = {"points_adjust_one": {"points": 1, "reason": "r"}, "customer_put_one": {"name": "n"}, "customer_patch_one": {"name": "n"}, "note_create": {"content": "n"}, "tag_put_one": {}, "tier_pin_set": {"tier": "gold", "until": "2036-01-01T00:00:00Z", "reason": "r"}}


def test_every_operation_about_somebody_erased_is_410(admin):
    gone = admin.post("/v1/customers", {"external_id": fresh("gone")}).ok(201)["id"]
    admin.call("DELETE", f"/v1/customers/{gone}").empty()
    elsewhere = {"order_take": {**order("", 100), "customer": {"id": gone}},
                 "checkout_quote_basket": {"customer": gone, "lines": [{"sku": "S", "unit_price_minor": 1}]}}
    elsewhere["coupon_issue_single"] = {"template": "none", "customer": gone}
    elsewhere["activity_record_one"] = {"key": fresh("gone"), "type": "check_in", "customer": gone}
    for operation in OPERATIONS:
        if "erased" not in operation.slugs:
            continue
        body = elsewhere.get(operation.id) or SOUND.get(operation.id) or sound_body(operation)
        raw = None if body is None else json.dumps(body).encode()
        query = f"?customer={gone}" if "{customer}" not in operation.path and operation.method == "GET" else ""
        path = address(operation, {"customer": gone, **ELSEWHERE}) + query
        admin.send(operation.method, path, raw, headers_for(admin, operation)).is_problem(410, "erased")
    admin.get(f"/v1/exports/orders?customer={gone}").is_problem(410, "erased")
