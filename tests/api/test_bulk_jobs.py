"""Jobs: seen, watched, cancelled, and gone on with after a crash."""

import contextlib
import json
import os
import subprocess
import time

import servers
from bulk import CSV, NDJSON, import_all, job_over, lines_of, ndjson, upload
from client import Client
from shop import eventually, fresh, order

NOBODY = "01234567-89ab-7def-8123-456789abcdef"


def big_file(number, lines=8000):
    return ndjson(order(f"{number}-{i % 500}", 100) for i in range(lines))


def test_jobs_are_listed_newest_first_and_by_type(admin):
    a = import_all(admin, "customers", [{"external_id": fresh("bulk")}])
    b = import_all(admin, "orders", [order(fresh("bulk"), 100)])
    ids = [one["id"] for page in admin.pages("/v1/jobs?limit=3") for one in page]
    assert ids.index(b["id"]) < ids.index(a["id"]) and len(set(ids)) == len(ids)
    assert {one["type"] for one in admin.get("/v1/jobs?type=orders").ok()["data"]} == {"orders"}
    admin.get("/v1/jobs?cursor=x").is_problem(400, "bad-cursor")


def test_a_job_is_watched_until_it_is_over(admin):
    job = upload(admin, "orders", big_file(fresh("bulk"), 2000)).ok(201)
    seen = lines_of(admin.get(f"/v1/jobs/{job['id']}?watch=true"))
    assert seen[-1]["status"] == "complete" and seen[-1]["progress"] == 100
    assert [one["processed"] for one in seen] == sorted(one["processed"] for one in seen)
    seen = lines_of(admin.get(f"/v1/jobs/{job['id']}?watch=true", Accept=NDJSON))
    assert len(seen) == 1 and seen[0]["rows_per_second"] > 0


def test_unknown_jobs_are_404_and_unfinished_ones_have_no_results(admin, client_with):
    for path in ("", "/results", "/errors"):
        admin.get(f"/v1/jobs/{NOBODY}{path}").is_problem(404, "not-found")
        assert admin.get(f"/v1/jobs/nonsense{path}").faults == {("job", "wrong_format")}
        client_with("orders:read").get(f"/v1/jobs/{NOBODY}{path}").is_problem(403, "missing-scope")
        client_with("orders:read").with_key("pk_0_0").get(f"/v1/jobs/{NOBODY}{path}").is_problem(401, "unauthenticated")
    admin.post(f"/v1/jobs/{NOBODY}/cancel", {}).is_problem(404, "not-found")
    assert admin.post("/v1/jobs/nonsense/cancel", {}).faults == {("job", "wrong_format")}
    client_with("orders:read").post(f"/v1/jobs/{NOBODY}/cancel", {}).is_problem(403, "missing-scope")
    client_with("orders:read").with_key("pk_0_0").post(f"/v1/jobs/{NOBODY}/cancel", {}).is_problem(401, "unauthenticated")
    admin.send("POST", f"/v1/jobs/{NOBODY}/cancel", b"x", [("Authorization", f"Bearer {admin.key}"),
                                                           ("Content-Type", "text/plain")]).is_problem(415, "unsupported-media-type")


def test_a_running_job_is_cancelled_and_what_it_did_stays(admin):
    job = upload(admin, "orders", big_file(fresh("bulk"))).ok(201)
    eventually(lambda: admin.get(f"/v1/jobs/{job['id']}").ok()["processed"] > 0, seconds=30)
    for path in ("results", "errors"):
        answer = admin.get(f"/v1/jobs/{job['id']}/{path}")
        assert answer.is_problem(409, "job-is-not-over")["job_status"] in ("running", "canceling")
    assert admin.post(f"/v1/jobs/{job['id']}/cancel", {}).ok()["status"] == "canceling"
    over = job_over(admin, job)
    assert over["status"] == "canceled" and 0 < over["processed"] < over["total"]
    assert len(lines_of(admin.get(f"/v1/jobs/{job['id']}/results"))) == over["processed"]
    assert admin.post(f"/v1/jobs/{job['id']}/cancel", {}).is_problem(409, "job-is-over")["job_status"] == "canceled"


def test_a_cancelled_atomic_job_leaves_nothing(admin, server):
    number = fresh("atomic")
    job = upload(admin, "orders", big_file(number), "?mode=atomic").ok(201)
    eventually(lambda: admin.get(f"/v1/jobs/{job['id']}").ok()["processed"] > 0, seconds=30)
    admin.post(f"/v1/jobs/{job['id']}/cancel", {}).ok()
    assert job_over(admin, job)["status"] == "canceled"
    assert servers.psql(server.database_url, f"SELECT count(*) FROM customers WHERE external_id LIKE '{number}-%'") == "0"


def test_results_as_csv(admin):
    job = import_all(admin, "customers", [{"external_id": fresh("bulk")}])
    for path in ("results", "errors"):
        answer = admin.get(f"/v1/jobs/{job['id']}/{path}", Accept=CSV)
        assert answer.body.decode().splitlines()[0] == "input,_status,_id,_error_code,_error_detail"


def test_results_hide_the_input_from_another_key_without_personal_data(admin, client_with):
    job = job_over(admin, upload(admin, "customers", ndjson([{"external_id": fresh("bulk"), "phone": "x"}])).ok(201))
    assert "input" in lines_of(admin.get(f"/v1/jobs/{job['id']}/errors"))[0]
    assert "input" not in lines_of(client_with("imports:read").get(f"/v1/jobs/{job['id']}/errors"))[0]


@contextlib.contextmanager
def process_on(database_url):
    """A server that a test may kill."""
    address = servers.free_address()
    environment = {**os.environ, "PATRON_DATABASE_URL": database_url, "PATRON_LISTEN": address, "PATRON_LOG_LEVEL": "error"}
    program = str(servers.binary())
    made = subprocess.run([program, "key", "create", "--name", "test", "--scopes", "admin"], env=environment, check=True,
                          capture_output=True, text=True)
    with subprocess.Popen([program, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            servers.wait_ready(f"http://{address}", process)
            yield servers.Server(f"http://{address}", made.stdout.strip().splitlines()[-1], process, database_url, environment)
        finally:
            process.terminate()
            process.wait(servers.STOP_SECONDS)


def test_a_killed_server_is_succeeded_by_another_that_ran_beside_it_and_no_line_is_done_twice(contract):
    with servers.fresh_database("killed") as url:
        subprocess.run([str(servers.binary()), "migrate"], env={**os.environ, "PATRON_DATABASE_URL": url}, check=True,
                       capture_output=True)
        with process_on(url) as first:
            client = Client(first, contract)
            job = upload(client, "orders", big_file(fresh("killed"), 40_000)).ok(201)
            eventually(lambda: client.get(f"/v1/jobs/{job['id']}").ok()["processed"] > 1000, seconds=60)
            with process_on(url) as second:
                client.close()
                first.process.kill()
                first.process.wait()
                done = int(servers.psql(url, f"SELECT processed FROM jobs WHERE id = '{job['id']}'"))
                assert 0 < done < 40_000
                client = Client(second, contract)
                assert client.get(f"/v1/jobs/{job['id']}").ok()["processed"] == done  # it is the first one's still
                servers.psql(url, "UPDATE jobs SET heartbeat_at = heartbeat_at - interval '1 minute'")  # the lease is out
                over = job_over(client, job)
                assert (over["status"], over["succeeded"], over["failed"]) == ("complete", 40_000, 0)
                lines = lines_of(client.get(f"/v1/jobs/{job['id']}/results"))
                assert [one["line"] for one in lines] == list(range(1, 40_001))
                assert {one["status"] for one in lines} == {201}  # none was a replay
                counted = json.loads(servers.psql(url, "SELECT json_build_array(count(*), (SELECT count(*) FROM points_ledger), "
                                                  "(SELECT max(calls) FROM orders)) FROM orders"))
                assert counted == [40_000, 40_000, 1] and client.get("/v1/points/proof").ok()["ok"]
                client.close()


def test_a_server_that_stops_gives_its_job_back_at_once(contract):
    with servers.running_server("stops", log_level="error") as server:
        client = Client(server, contract)
        job = upload(client, "orders", big_file(fresh("stops"), 20_000)).ok(201)
        eventually(lambda: client.get(f"/v1/jobs/{job['id']}").ok()["processed"] > 0, seconds=60)
        began = time.monotonic()
        server.process.terminate()
        assert server.process.wait(servers.STOP_SECONDS) == 0 and time.monotonic() - began < 20
        assert servers.psql(server.database_url, f"SELECT heartbeat_at IS NULL FROM jobs WHERE id = '{job['id']}'") == "t"
        client.close()
