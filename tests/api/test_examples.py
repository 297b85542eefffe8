"""The scripts of api-spec/examples do what they say."""

import gzip
import json
import os
import subprocess

import pytest

import servers
from bulk import export, import_all, ndjson
from client import Client
from shop import balance, eventually, fresh, order

EXAMPLES = servers.ROOT / "api-spec" / "examples"


@pytest.fixture(scope="module")
def run(server):
    used = set()

    def run(name, *arguments, status=0, source=server, **rest):
        used.add(name)
        done = subprocess.run([EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120,
                              **({} if "input" in rest else {"stdin": subprocess.DEVNULL}),
                              env={**os.environ, "PATRON_URL": source.url, "PATRON_KEY": source.key}, **rest)
        assert done.returncode == status, (name, done.returncode, done.stdout, done.stderr)
        return done
    run.used = used
    return run


def test_a_file_is_imported_its_bad_lines_mended_and_sent_again(run, admin, tmp_path):
    numbers = [fresh("example") for _ in range(3)]
    file = tmp_path / "customers.csv"
    file.write_text(f"external_id,name,phone\n{numbers[0]},A,\n{numbers[1]},B,nonsense\n{numbers[2]},C,\n")
    assert run("try-first.sh", "customers", file).stdout.count('"status":201') == 2
    admin.get(f"/v1/customers/ext:{numbers[0]}").is_problem(404, "not-found")
    said = run("import.sh", "customers", file, status=1)
    assert "3 of 3 lines, 1 failed" in said.stderr
    errors = tmp_path / "customers.csv.errors.csv"
    assert "nonsense" in errors.read_text() and "invalid" in errors.read_text()
    job = said.stderr.partition("job ")[2].split()[0]
    assert run("errors.sh", job).stdout == errors.read_bytes().decode().replace("\r\n", "\n")
    errors.write_text(errors.read_text().replace("nonsense", ""))
    run("import.sh", "customers", errors)
    assert admin.get(f"/v1/customers/ext:{numbers[1]}").ok()["name"] == "B"
    assert run("watch.sh").stderr.strip().endswith("1 of 1 lines, 0 failed")


def test_orders_all_or_nothing_history_and_from_a_pipe(run, admin, tmp_path):
    number = fresh("example")
    file = tmp_path / "orders.ndjson"
    file.write_bytes(ndjson([order(number, 1000), {"external_id": "x"}]))
    run("import-all-or-nothing.sh", "orders", file, status=1)
    admin.get(f"/v1/customers/ext:{number}").is_problem(404, "not-found")
    times = {"placed_at": "2026-01-05T10:00:00Z", "paid_at": "2026-01-05T11:00:00Z"}
    file.write_bytes(ndjson([order(number, 1000, **times)]))
    run("import-history.sh", "orders", file)
    run("import-from-pipe.sh", "orders", input=ndjson([order(number, 2000)]).decode())
    assert balance(admin, number)["active"] == 30
    items = tmp_path / "items.json"
    items.write_text(json.dumps([order(number, 3000), {}]))
    assert run("small-batch.sh", "orders", items).stdout.count('"status":201') == 1


def test_small_batches_take_every_type_that_their_header_names(run, admin, tmp_path):
    number, group = fresh("example"), fresh("group").replace("-", "_")
    admin.put(f"/v1/groups/{group}", {"name": "G"}).ok(201)
    who = {"customer": f"ext:{number}"}
    items = {"customers": {"external_id": number, "name": "A"}, "orders": order(number, 500), "tags": {**who, "tag": "t"},
             "group-members": {**who, "group": group}, "addresses": {**who, "name": "home", "street": "s"}, "interactions": {**who, "kind": "call", "external_id": fresh("call")},
             "consents": {**who, "channel": "sms", "state": "granted", "occurred_at": "2026-01-05T10:00:00Z"},
             "points/adjustments": {**who, "points": 5, "reason": "r", "external_id": fresh("adjust")}}
    header = (EXAMPLES / "small-batch.sh").read_text().partition("TYPE: ")[2].partition(")")[0]
    assert header.split(", ") == list(items)
    paths = {path[4:-6] for path in admin.get("/openapi.json").ok()["paths"] if path.endswith(":batch")}
    assert paths == set(items)
    for name, item in items.items():
        file = tmp_path / "items.json"
        file.write_text(json.dumps([item]))
        said = json.loads(run("small-batch.sh", name, file).stdout)
        assert [one["status"] in (200, 201) for one in next(iter(said.values()))] == [True], said


def test_the_commands_of_the_guide_for_files_run_as_they_stand(admin, tmp_path):
    """Pasted into a shell, with the address and the key of this server."""
    guide = (servers.ROOT / "api-spec" / "guide.md").read_text()
    blocks = [block.partition("```")[0] for block in guide.split("```sh\n")[1:]]
    files = [block for block in blocks if "/v1/imports/" in block]
    assert len(files) == 1
    admin.put("/v1/customers/ext:C-77", {"name": "A"})
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", files[0].replace("localhost:8080", admin.server.url.removeprefix("http://"))],
                          cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "AUTH": f"Authorization: Bearer {admin.server.key}"})
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["status"] in (200, 201) for line in done.stdout.splitlines()] == [True], done.stdout
    assert "88vip" in {tag["tag"] for tag in admin.get("/v1/customers/ext:C-77/tags").ok()["data"]}
    assert (tmp_path / "ledger.csv").read_text().startswith("customer_id,")
    assert all(json.loads(line)["id"] for line in (tmp_path / "asleep.ndjson").read_text().splitlines())


def test_a_job_is_cancelled(run, admin, tmp_path):
    file = tmp_path / "many.ndjson"
    file.write_bytes(ndjson(order(fresh("example"), 100) for _ in range(6000)))
    with subprocess.Popen([EXAMPLES / "import.sh", "orders", file], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env={**os.environ, "PATRON_URL": admin.server.url, "PATRON_KEY": admin.server.key}) as importing:
        def running():
            newest = admin.get("/v1/jobs?limit=1").ok()["data"][0]
            return newest if newest["status"] == "running" and newest["total"] == 6000 else None
        assert '"status":"canceling"' in run("cancel.sh", eventually(running, seconds=30)["id"]).stdout
        assert importing.wait(60) == 1


def test_everything_moves_to_another_server(run, contract):
    with servers.running_server("moved", log_level="error") as other:
        client = Client(other, contract)
        import_all(client, "orders", [order(fresh("example"), 1000)])
        with servers.running_server("moved_to", log_level="error") as third:
            done = run("move.sh", third.url, third.key, source=other)
            assert "1 of 1 lines, 0 failed" in done.stderr
        client.close()


INVOICES = """line_no,invoice_no,kind,stock_code,description,quantity,invoice_ts,unit_price,customer_id,country
1,900001,sale,A,"A, B",6,2010-12-01T08:26:00,2.55,90001,United Kingdom
2,900001,sale,B,,1,2010-12-01T08:27:00,3.395,90001,United Kingdom
3,900002,sale,A,A,1,2010-12-02T08:26:00,1.00,,France
4,900003,sale,A,A,2,2011-07-02T08:26:00,1.00,90002,France
5,C900004,cancel,A,A,-4,2010-12-03T08:26:00,2.55,90001,United Kingdom
6,C900005,cancel,Z,Z,-1,2010-12-03T08:26:00,9.00,90001,United Kingdom
"""
PURCHASES = """line_no,master_id,sample_id,order_date,cds,amount
1,4,1,1997-01-01,2,29.33
2,4,1,1997-01-01,1,10.00
3,5,2,1997-01-18,2,29.73
"""


def test_published_data_sets_are_imported_by_one_command(admin, contract, tmp_path):
    (tmp_path / "retail.csv.gz").write_bytes(gzip.compress(INVOICES.encode()))
    (tmp_path / "cdnow.csv.gz").write_bytes(gzip.compress(PURCHASES.encode()))
    (tmp_path / "other.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))

    def bring(name, server):
        return subprocess.run([servers.ROOT / "tools" / "import-dataset", tmp_path / name], capture_output=True, text=True, check=False,
                              timeout=60, stdin=subprocess.DEVNULL, env={**os.environ, "PATRON_URL": server.url, "PATRON_KEY": server.key})

    assert "no known data set" in bring("other.csv.gz", admin.server).stderr
    refused = bring("cdnow.csv.gz", admin.server)
    assert refused.returncode == 1 and "PATRON_CURRENCY=USD" in refused.stderr
    for name, currency, zone, expected in (("retail.csv.gz", "GBP", "Europe/London", [(200, 0), (1870, 1020)]),
                                           ("cdnow.csv.gz", "USD", "UTC", [(2973, 0), (3933, 0)])):
        with servers.running_server("dataset", log_level="error", currency=currency, zone=zone) as server:
            done = bring(name, server)
            assert done.returncode == 0 and "2 of 2 lines, 0 failed" in done.stderr, done.stderr
            assert ("cancelled: the customer never ordered it before: 1 lines, -9.00 GBP" in done.stderr) == (currency == "GBP")
            client = Client(server, contract)
            assert sorted((one["total_minor"], one["refunded_minor"]) for one in export(client, "orders")) == expected
            client.close()


def test_a_file_that_is_refused_says_why_and_lines_of_json_come_back_as_json(run, admin, tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text("external_id;name\nA;x\n")
    assert "separated by commas" in run("import.sh", "customers", file, status=1).stderr
    assert "can't be read" in run("import.sh", "customers", tmp_path / "none.csv", status=1).stderr
    number, file = fresh("example"), tmp_path / "customers.ndjson"
    file.write_bytes(ndjson([{"external_id": number, "phone": "nonsense"}, {"external_id": fresh("example")}]))
    run("import.sh", "customers", file, status=1)
    bad = tmp_path / "customers.ndjson.errors.ndjson"
    bad.write_text(bad.read_text().replace("nonsense", ""))
    run("import.sh", "customers", bad, status=1)
    bad.write_text(bad.read_text().replace(',"phone":""', "").replace(', "phone": ""', ""))
    assert "1 of 1 lines, 0 failed" in run("import.sh", "customers", bad).stderr
    admin.get(f"/v1/customers/ext:{number}").ok()


def test_an_export_is_a_file_that_is_whole(run, tmp_path):
    run("export.sh", "customers", tmp_path / "customers.csv")
    assert (tmp_path / "customers.csv").read_text().startswith("id,external_id,")
    assert [path.name for path in tmp_path.iterdir()] == ["customers.csv"]


def test_every_example_was_run(run):
    scripts = {path.name for path in EXAMPLES.glob("*.sh")} - {"common.sh"}
    assert run.used == scripts
