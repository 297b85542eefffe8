"""Very many coupons by a job: each once, whatever is cancelled, sent again or killed; and their codes as a file."""

import csv
import io
import os
import subprocess

import servers
from bulk import CSV, export, job_over, lines_of
from client import Client
from coupons import template
from shop import eventually, fresh
from test_bulk_jobs import process_on


def begin(client, code, count, key):
    answer = client.post(f"/v1/coupon-templates/{code}/jobs", {"count": count, "key": key})
    job = answer.ok(201)
    assert (answer.headers["location"], job["type"], job["total"]) == (f"/v1/jobs/{job['id']}", "coupons", count)
    return job


def done(client, code, count, key):
    over = job_over(client, begin(client, code, count, key))
    assert (over["status"], over["processed"]) == ("complete", count), over
    return over


def test_a_job_issues_each_code_once_and_they_are_had_as_files(admin, server):
    code, key = template(admin, name="=Print", valid_days=30), fresh("run")
    job = done(admin, code, 2500, key)
    assert (job["succeeded"], job["failed"], admin.get(f"/v1/coupon-templates/{code}").ok()["issued"]) == (2500, 0, 2500)
    results = lines_of(admin.get(job["result_url"]))
    assert [one["line"] for one in results] == list(range(1, 2501)) and {one["status"] for one in results} == {201}

    lines = export(admin, "coupons", f"?job={job['id']}")
    assert len(lines) == 2500 and {(one["template"], one["state"], one["source"], one["origin_id"]) for one in lines} == {
        (code, "available", "job", job["id"])}
    assert {one["code"] for one in lines} == {one["external_id"] for one in results}
    by_key = {one["issue_key"]: one["code"] for one in lines}
    assert by_key.keys() == {f"{key}/{n}" for n in range(1, 2501)}
    assert by_key[f"{key}/7"] == results[6]["external_id"] and lines[0]["expires_at"]
    assert lines == export(admin, "coupons", f"?template={code}&state=available") and export(admin, "coupons", f"?template={code}&state=redeemed") == []
    table = admin.get(f"/v1/exports/coupons?job={job['id']}", Accept=CSV)
    rows = list(csv.DictReader(io.StringIO(table.body.decode())))
    assert [one["code"] for one in rows] == [one["code"] for one in lines] and rows[0]["customer_id"] == ""

    # sent again, and larger: only what is not there yet is issued
    again = done(admin, code, 2600, key)
    seen = lines_of(admin.get(again["result_url"]))
    assert [one["external_id"] for one in seen[:2500]] == [one["external_id"] for one in results]
    assert [one["status"] for one in seen] == [200] * 2500 + [201] * 100
    assert len(export(admin, "coupons", f"?job={again['id']}")) == 100 and len(export(admin, "coupons", f"?template={code}")) == 2600
    # the n-th coupon of a job is that of a call with the same key
    assert admin.post(f"/v1/coupon-templates/{code}/coupons", {"count": 1, "key": key}).slug == "coupon-differs"
    assert " 0 wrong" in server.command("check")


def test_a_total_limit_ends_a_job_exactly_and_says_so(admin, server, client_with):
    code, key = template(admin, total_limit=1234), fresh("run")
    two = [begin(admin, code, 1000, f"{key}/{n}") for n in range(2)]
    over = [job_over(admin, one) for one in two]
    assert {one["status"] for one in over} == {"complete"} and sum(one["succeeded"] for one in over) == 1234
    told = [line for one in over for line in lines_of(admin.get(one["errors_url"]))]
    assert len(told) == 766 and {(one["status"], one["error"]["type"]) for one in told} == {(409, "/problems/coupons-sold-out")}
    assert len(export(admin, "coupons", f"?template={code}")) == 1234
    job = done(admin, code, 1000, f"{key}/0")  # now nothing is left for any
    assert job["succeeded"] == over[0]["succeeded"]
    assert " 0 wrong" in server.command("check")

    path = f"/v1/coupon-templates/{code}"
    admin.call("DELETE", path).ok()
    assert admin.post(f"{path}/jobs", {"count": 5, "key": key}).is_problem(409, "coupons-sold-out")["template"] == code
    admin.post("/v1/coupon-templates/no_such/jobs", {"count": 5, "key": key}).is_problem(404, "not-found")
    assert admin.post(f"{path}/jobs", {"count": 1_000_001, "key": ""}).faults == {("#/count", "too_large"), ("#/key", "too_short")}
    client_with("rewards:read,imports:write").post(f"{path}/jobs", {"count": 5, "key": key}).is_problem(403, "missing-scope")
    client_with("imports:read").get("/v1/exports/coupons").is_problem(403, "missing-scope")
    assert admin.get("/v1/exports/coupons?state=gone").faults == {("state", "unknown_value")}
    assert admin.send("POST", "/v1/imports/coupons", b"{}", [("Authorization", f"Bearer {admin.key}"), (
        "Content-Type", "application/x-ndjson")]).faults == {("type", "unknown_value")}


def test_a_cancelled_job_is_gone_on_with_by_another(admin):
    code, key = template(admin), fresh("run")
    job = begin(admin, code, 30_000, key)
    eventually(lambda: admin.get(f"/v1/jobs/{job['id']}").ok()["processed"] > 0, seconds=30)
    admin.post(f"/v1/jobs/{job['id']}/cancel", {}).ok()
    over = job_over(admin, job)
    issued = admin.get(f"/v1/coupon-templates/{code}").ok()["issued"]
    assert (over["status"], over["succeeded"]) == ("canceled", issued) and 0 < issued < 30_000
    assert done(admin, code, issued + 500, key)["succeeded"] == issued + 500
    assert admin.get(f"/v1/coupon-templates/{code}").ok()["issued"] == issued + 500


def test_a_killed_server_is_succeeded_and_no_coupon_is_issued_twice(contract):
    count = 10_000
    with servers.fresh_database("killed") as url:
        subprocess.run([str(servers.binary()), "migrate"], env={**os.environ, "PATRON_DATABASE_URL": url}, check=True, capture_output=True)
        with process_on(url) as first:
            client = Client(first, contract)
            code = template(client, total_limit=count)
            job = begin(client, code, count, "run")
            eventually(lambda: client.get(f"/v1/jobs/{job['id']}").ok()["processed"] > 0, seconds=60)
            first.process.kill()
            first.process.wait()
            client.close()
        assert 0 < int(servers.psql(url, "SELECT count(*) FROM coupons")) < count
        servers.psql(url, "UPDATE jobs SET heartbeat_at = heartbeat_at - interval '1 minute'")  # the lease is out
        with process_on(url) as second:
            client = Client(second, contract)
            over = job_over(client, job)
            assert (over["status"], over["succeeded"], over["failed"]) == ("complete", count, 0)
            assert {one["status"] for one in lines_of(client.get(over["result_url"]))} == {201}  # none was a replay
            assert len({one["code"] for one in export(client, "coupons", f"?template={code}")}) == count
            assert " 0 wrong" in second.command("check")
            client.close()
