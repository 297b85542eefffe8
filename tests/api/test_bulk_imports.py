"""Imports: what comes in as a file, whole, broken or half."""

import csv
import io
import socket
import subprocess
import urllib.parse

import pytest

import servers
from bulk import CSV, NDJSON, errors, import_all, job_over, lines_of, ndjson, results, upload, zipped
from calls import APART
from client import Client
from contract import CONTRACT
from shop import balance, eventually, fresh, order


def customer(number, **rest):
    return {"external_id": number, **rest}


def jobs_of(server):
    return servers.psql(server.database_url, "SELECT count(*) FROM jobs") + servers.psql(
        server.database_url, "SELECT count(*) FROM job_chunks")


@pytest.fixture
def nothing_kept(server):
    before = jobs_of(server), servers.psql(server.database_url, "SELECT count(*) FROM customers")
    yield
    assert (jobs_of(server), servers.psql(server.database_url, "SELECT count(*) FROM customers")) == before


def test_lines_land_as_single_calls_would_and_again_change_nothing(admin):
    numbers = [fresh("bulk") for _ in range(3)]
    orders = [order(number, 10_000) for number in numbers for _ in range(2)]
    job = import_all(admin, "orders", orders)
    assert (job["total"], job["processed"], job["succeeded"], job["progress"]) == (6, 6, 6, 100)
    seen = results(admin, job)
    assert [(one["line"], one["status"], one["external_id"]) for one in seen] == [
        (n + 1, 201, one["external_id"]) for n, one in enumerate(orders)]
    assert [balance(admin, number)["active"] for number in numbers] == [200] * 3
    again = import_all(admin, "orders", orders)
    assert [one["status"] for one in results(admin, again)] == [200] * 6
    assert [balance(admin, number)["active"] for number in numbers] == [200] * 3


def test_bad_lines_do_not_stop_the_others_and_come_back_with_reason_and_input(admin):
    good, taken = fresh("good"), order(fresh("bulk"), 10_000)
    import_all(admin, "orders", [taken])
    wrong_total = {**order(fresh("bulk"), 500), "total_minor": 501}
    lines = [order(good, 1000), wrong_total, {**taken, "lines": [{"sku": "S", "total_minor": 1}], "total_minor": 1},
             {**order(good, 1000), "nonsense": 1}, order(good, 2000)]
    raw = ndjson(lines) + b"no json\n" + b"\n" + b'{"external_id":"\xff\xfe"}\n' + ndjson([order(good, 3000)])[:-1]
    job = job_over(admin, upload(admin, "orders", raw).ok(201))
    assert (job["status"], job["total"], job["succeeded"], job["failed"]) == ("complete", 8, 3, 5)
    found = {one["line"]: one for one in errors(admin, job)}
    slugs = {line: one["error"]["type"].removeprefix("/problems/") for line, one in found.items()}
    assert slugs == {2: "invalid", 3: "order-differs", 4: "invalid", 6: "not-json", 8: "unreadable-line"}
    assert found[2]["input"] == wrong_total and found[6]["input"] == {"text": "no json"}
    assert found[4]["error"]["errors"][0]["pointer"] == "#/nonsense"
    assert balance(admin, good)["active"] == 60


def test_a_refused_new_customer_leaves_no_trace_among_a_thousand(admin, server):
    known = order(fresh("bulk"), 1000)
    import_all(admin, "orders", [known])
    stranger = fresh("stranger")
    lines = [order(fresh("bulk"), 1000) for _ in range(40)]
    lines.insert(20, {**known, "customer": {"external_id": stranger}})  # another's order
    job = job_over(admin, upload(admin, "orders", ndjson(lines)).ok(201))
    assert (job["succeeded"], job["failed"]) == (40, 1) and errors(admin, job)[0]["line"] == 21
    assert servers.psql(server.database_url, f"SELECT count(*) FROM customers WHERE external_id = '{stranger}'") == "0"


def test_atomic_is_all_or_nothing(admin):
    number = fresh("bulk")
    bad = {**order(number, 500), "total_minor": 501}
    job = job_over(admin, upload(admin, "orders", ndjson([order(number, 1000), bad]), "?mode=atomic").ok(201))
    assert (job["status"], job["failed"]) == ("failed", 1) and "nothing" in job["detail"]
    assert [(one["status"], one["error"]["type"]) for one in results(admin, job)] == [
        (424, "/problems/not-applied"), (422, "/problems/invalid")]
    admin.get(f"/v1/customers/ext:{number}").is_problem(404, "not-found")
    job = job_over(admin, upload(admin, "orders", ndjson([order(number, 1000), order(number, 500)]), "?mode=atomic").ok(201))
    assert job["status"] == "complete" and balance(admin, number)["active"] == 15


def test_a_dry_run_says_what_would_be_and_keeps_nothing(admin):
    number = fresh("bulk")
    bad = {**order(number, 500), "total_minor": 501}
    job = job_over(admin, upload(admin, "orders", ndjson([order(number, 1000), bad]), "?dry_run=true").ok(201))
    assert (job["status"], job["succeeded"], job["failed"]) == ("complete", 1, 1)
    assert [one["status"] for one in results(admin, job)] == [201, 422]
    admin.get(f"/v1/customers/ext:{number}").is_problem(404, "not-found")


def test_wait_streams_a_result_a_line(admin):
    number = fresh("bulk")
    answer = upload(admin, "orders", ndjson([order(number, 1000), {"external_id": "x"}]), "?wait=true")
    assert answer.headers["content-type"] == NDJSON
    assert [(one["line"], one["status"]) for one in lines_of(answer)] == [(1, 201), (2, 422)]
    answer = upload(admin, "customers", ndjson([customer(number)]), "?wait=true", Accept=CSV)
    assert answer.body.decode().startswith("input,_status")


def test_backfill_keeps_times_and_counts_when_it_was_paid(admin):
    number, lines = fresh("bulk"), []
    times = {"placed_at": "2026-01-05T10:00:00Z", "paid_at": "2026-01-05T11:00:00Z"}
    lines.append(order(number, 30_000, status="completed", completed_at="2026-02-01T10:00:00Z", **times))
    lines.append(order(number, 20_000, status="cancelled", cancelled_at="2026-02-02T10:00:00Z", **times))
    import_all(admin, "orders", lines, "?backfill=true")
    assert balance(admin, number)["active"] == 300
    ledger = admin.get(f"/v1/customers/ext:{number}/points/ledger").ok()["data"]
    assert {(one["kind"], one["amount"], one["created_at"][:10]) for one in ledger} == {
        ("earn", 300, "2026-01-05"), ("earn", 200, "2026-01-05"), ("reverse", -200, "2026-02-02")}
    since = fresh("bulk")
    import_all(admin, "customers", [customer(since, created_at="2020-05-05T00:00:00Z")], "?backfill=true")
    assert admin.get(f"/v1/customers/ext:{since}").ok()["created_at"] == "2020-05-05T00:00:00Z"


def test_several_lines_of_one_customer_keep_their_order(admin):
    number = fresh("bulk")
    one = order(number, 10_000)
    lines = []
    for status in ("placed", "paid", "shipped", "delivered", "completed"):
        lines += [{**one, "status": status}] + [order(fresh("bulk"), 100) for _ in range(7)]
    import_all(admin, "orders", lines)
    assert admin.get(f"/v1/orders/ext:{one['external_id']}").ok()["order"]["status"] == "completed"


def test_refunds_come_in_too(admin):
    one = order(fresh("bulk"), 10_000, 5_000)
    import_all(admin, "orders", [one])
    reference = f"ext:{one['external_id']}"
    lines = [{"order": reference, "external_id": "R1", "lines": [{"line_no": 1, "quantity": 1}]},
             {"order": reference, "external_id": "R2", "lines": [{"line_no": 1, "quantity": 1}]},
             {"order": "ext:nobody's", "external_id": "R3", "lines": [{"line_no": 1, "quantity": 1}]}]
    job = job_over(admin, upload(admin, "refunds", ndjson(lines)).ok(201))
    assert [(one["line"], one["status"]) for one in results(admin, job)] == [(1, 201), (2, 409), (3, 404)]


# ---------------------------------------------------------------------- CSV


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def test_csv_of_a_spreadsheet_with_bom_quotes_and_line_breaks(admin):
    number = fresh("bulk")
    raw = ("\ufeffexternal_id,name,source.channel,attributes.colour,identities.0.kind,identities.0.value\r\n"
           f"{number},\"Wang \"\"W\"\", x\r\nsecond line\",live,red,qq,{number}\r\n\r\n").encode()
    job = job_over(admin, upload(admin, "customers", raw, content_type="text/csv; charset=utf-8").ok(201))
    assert (job["total"], job["succeeded"]) == (1, 1), errors(admin, job)
    seen = admin.get(f"/v1/customers/ext:{number}").ok()
    assert seen["name"] == 'Wang "W", x\nsecond line'
    assert (seen["source"]["channel"], seen["attributes"]) == ("live", {"colour": "red"})


def test_csv_in_gb18030_as_chinese_spreadsheets_write_it(admin):
    number = fresh("bulk")
    raw = f"external_id,name\n{number},王小明\n".encode("gb18030")
    job = job_over(admin, upload(admin, "customers", raw, content_type="text/csv; charset=GB18030").ok(201))
    assert job["succeeded"] == 1 and admin.get(f"/v1/customers/ext:{number}").ok()["name"] == "王小明"
    job = job_over(admin, upload(admin, "customers", raw, content_type="text/csv").ok(201))
    assert errors(admin, job)[0]["error"]["type"] == "/problems/unreadable-line"


def test_bad_csv_lines_are_fetched_mended_and_sent_again(admin):
    numbers = [fresh("bulk") for _ in range(3)]
    raw = "external_id,phone,owner\n" + f"{numbers[0]},nonsense,=HYPERLINK(1)\n{numbers[1]},,-x\n{numbers[2]}\n"
    job = job_over(admin, upload(admin, "customers", raw.encode(), content_type=CSV).ok(201))
    assert (job["succeeded"], job["failed"]) == (1, 2)
    answer = admin.get(f"/v1/jobs/{job['id']}/errors", Accept=CSV)
    assert answer.headers["content-type"].startswith(CSV)
    bad = rows(answer)
    assert [one["_error_code"] for one in bad] == ["invalid", "unreadable-line"]
    assert "#/phone" in bad[0]["_error_detail"] and bad[0]["owner"] == "'=HYPERLINK(1)"
    mended = answer.body.decode().replace("nonsense", "138" + numbers[0][-1] * 8, 1)
    mended = "\r\n".join(mended.split("\r\n")[:2]) + "\r\n"
    job = job_over(admin, upload(admin, "customers", mended.encode(), content_type=CSV).ok(201))
    assert (job["succeeded"], job["failed"]) == (1, 0), errors(admin, job)
    assert admin.get(f"/v1/customers/ext:{numbers[0]}").ok()["owner"] == "=HYPERLINK(1)"
    assert admin.get(f"/v1/customers/ext:{numbers[1]}").ok()["owner"] == "-x"


def test_orders_as_csv_by_indexed_columns_or_a_cell_of_json(admin):
    a, b = fresh("bulk-order"), fresh("bulk-order")
    raw = ("external_id,status,customer.external_id,lines.0.sku,lines.0.total_minor,lines.1.sku,lines.1.total_minor,total_minor\n"
           f"{a},paid,{fresh('bulk')},S,100,T,200,300\n{b},paid,{fresh('bulk')},S,100,,,100\n")
    job = job_over(admin, upload(admin, "orders", raw.encode(), content_type=CSV).ok(201))
    assert job["failed"] == 0, errors(admin, job)
    assert [len(admin.get(f"/v1/orders/ext:{one}").ok()["lines"]) for one in (a, b)] == [2, 1]
    c = fresh("bulk-order")
    raw = ("external_id,customer.external_id,lines,total_minor\n"
           f'{c},{fresh("bulk")},"[{{""sku"":""S"",""total_minor"":5}}]",5\n')
    job = job_over(admin, upload(admin, "orders", raw.encode(), content_type=CSV).ok(201))
    assert job["failed"] == 0, errors(admin, job)


def test_csv_with_what_spreadsheets_leave_around_and_times_as_they_write_them(admin):
    numbers = [fresh("sheet") for _ in range(3)]
    raw = ("external_id,birthday,created_at,,\r\n"
           f"{numbers[0]},5月20日,2020/5/1 8:30,,\r\n,,,,\r\n{numbers[1]},1990/5/20,2020-05-01,,\r\n{numbers[2]},,,,x\r\n").encode()
    job = job_over(admin, upload(admin, "customers", raw, "?backfill=true", content_type=CSV).ok(201))
    assert [(one["line"], one["error"]["detail"]) for one in errors(admin, job)] == [
        (4, "A cell of the line stands in a column without a name.")] and job["total"] == 3
    seen = [admin.get(f"/v1/customers/ext:{one}").ok() for one in numbers[:2]]
    assert [(one["birthday"], one["created_at"]) for one in seen] == [
        ("05-20", "2020-05-01T00:30:00Z"), ("1990-05-20", "2020-04-30T16:00:00Z")]  # the shop's clock is Shanghai's


def test_a_file_that_is_marked_as_utf8_is_it_whatever_charset_is_sent(admin):
    number = fresh("bulk")
    raw = f"\ufeffexternal_id,name\n{number},王小明\n".encode()
    job = job_over(admin, upload(admin, "customers", raw, content_type="text/csv; charset=gb18030").ok(201))
    assert job["succeeded"] == 1 and admin.get(f"/v1/customers/ext:{number}").ok()["name"] == "王小明"


def test_bad_lines_of_json_are_mended_in_either_form_and_only_they_are_sent_again(admin, server):
    orders = [order(fresh("mend"), 1000) for _ in range(4)]
    wrong = [{**one, "total_minor": 1001} for one in orders[:2]]
    job = job_over(admin, upload(admin, "orders", ndjson(wrong + orders[2:]) + b'{"cut off\n').ok(201))
    assert (job["succeeded"], job["failed"]) == (2, 3)
    told = admin.get(f"/v1/jobs/{job['id']}/errors").body.decode().splitlines()
    assert '"Column 9: ' in told[2] and '"line":5' in told[2]
    still = job_over(admin, upload(admin, "orders", "\n".join(told[:2]).encode()).ok(201))  # sent again as it is
    assert [one["input"] for one in errors(admin, still)] == wrong
    mended = told[0].replace('"total_minor":1001', '"total_minor":1000').replace('"total_minor": 1001', '"total_minor": 1000')
    job_json = job_over(admin, upload(admin, "orders", mended.encode()).ok(201))
    sheet = admin.get(f"/v1/jobs/{still['id']}/errors", Accept=CSV).body.decode()
    assert "Line 2: " in sheet
    lines = sheet.replace("1001", "1000").splitlines()
    job_csv = job_over(admin, upload(admin, "orders", "\r\n".join([lines[0], lines[2]]).encode(), content_type=CSV).ok(201))
    for again in (job_json, job_csv):
        assert (again["total"], again["succeeded"]) == (1, 1), errors(admin, again)
    calls = servers.psql(server.database_url, "SELECT string_agg(calls::text, '') FROM orders WHERE external_id IN ('" +
                         "','".join(one["external_id"] for one in orders) + "')")
    assert calls == "1111"


# ---------------------------------------------------------------------- files that can't be read


@pytest.mark.parametrize("raw, word", [
    (b"external_id;name\nA;x\n", "separated by commas"), (b"external_id\tname\nA\tx\n", "separated by commas"),
    (b'{"external_id":"A"}\n', "application/x-ndjson"), ("external_id\nA\n".encode("utf-16"), "UTF-16"),
    ("external_id,客户\nA,x\n".encode("gb18030"), "gb18030"), (b"external_id,name\rA,x\r", "line feed"),
    (b"number,name\nA,x\n", "There are: "), (b"\n\n\n", "holds no line"), (b"external_id,name\n,\n", "holds no line")])
def test_a_header_tells_how_the_file_was_saved(admin, nothing_kept, raw, word):
    problem = upload(admin, "customers", raw, content_type=CSV).is_problem(422, "unreadable-file")
    assert word in problem["detail"]


def test_a_line_with_a_nul_fails_alone(admin):
    good = [fresh("bulk"), fresh("bulk")]
    for kind, raw in ((CSV, f"external_id,name\n{good[0]},x\nB,a\0b\n"), (NDJSON, f'{{"external_id":"{good[1]}"}}\n{{"external_id":"a\0b"}}\n')):
        job = job_over(admin, upload(admin, "customers", raw.encode(), content_type=kind).ok(201))
        assert (job["succeeded"], job["failed"]) == (1, 1)
        told = errors(admin, job)[0]
        assert told["line"] == 2 and "NUL" in told["error"]["detail"]


def test_bytes_behind_the_end_of_a_compressed_file_are_damage(admin, nothing_kept):
    raw = ndjson([customer("never")])
    zstd = subprocess.run(["zstd", "-q", "-c"], input=raw, capture_output=True, check=True).stdout
    for packed, encoding in ((zipped(raw), "gzip"), (zstd, "zstd")):
        problem = upload(admin, "customers", packed + b"garbage", Content_Encoding=encoding).is_problem(422, "unreadable-file")
        assert "line 1" in problem["detail"]


@pytest.mark.parametrize("header, word", [
    ("external_id,nane", "nane"), ("external_id,external_id", "twice"), ("source,source.channel", "twice"),
    ("external_id,source.nope", "source.nope"), ("identities.kind", "identities.kind"), ("", "holds no line"),
    ("external_id", "holds no line"), ('external_id,"name', "never closed")])
def test_a_header_that_fits_nothing_is_refused_whole(admin, nothing_kept, header, word):
    raw = (header + ("\nA,B\n" if header not in ("", "external_id") else "")).encode()
    problem = upload(admin, "customers", raw, content_type=CSV).is_problem(422, "unreadable-file")
    assert word in problem["detail"]


def test_an_unclosed_quote_names_its_line(admin, nothing_kept):
    raw = b'external_id,name\nA,x\nB,"open\n' + b"C,y\n" * 100
    assert "line 2" in upload(admin, "customers", raw, content_type=CSV).is_problem(422, "unreadable-file")["detail"]


def test_a_cut_off_or_damaged_file_names_the_line_and_leaves_nothing(admin, nothing_kept):
    lines = ndjson(customer(fresh("bulk"), name=fresh("name" * 9)) for _ in range(5000))
    packed = zipped(lines)
    for raw, word in ((packed[:-20], "cut off"), (packed[:200] + b"\0" * 100 + packed[300:], "damaged"), (lines, "damaged")):
        problem = upload(admin, "customers", raw, Content_Encoding="gzip").is_problem(422, "unreadable-file")
        assert word in problem["detail"] and "line" in problem["detail"]


def test_gzip_of_several_members_and_zstd_are_read(admin):
    a, b, c = (customer(fresh("bulk")) for _ in range(3))
    job = job_over(admin, upload(admin, "customers", zipped(ndjson([a])) + zipped(ndjson([b])), Content_Encoding="gzip").ok(201))
    assert job["succeeded"] == 2
    packed = subprocess.run(["zstd", "-q", "-c"], input=ndjson([c]), capture_output=True, check=True).stdout
    job = job_over(admin, upload(admin, "customers", packed, Content_Encoding="zstd").ok(201))
    assert job["succeeded"] == 1
    upload(admin, "customers", packed[:-3], Content_Encoding="zstd").is_problem(422, "unreadable-file")


def test_a_line_of_ten_megabytes_fails_alone(admin):
    lines = ndjson([customer(fresh("bulk"))]) + b'{"name":"' + b"x" * 10_000_000 + b'"}\n' + ndjson([customer(fresh("bulk"))])
    job = job_over(admin, upload(admin, "customers", lines).ok(201))
    assert (job["succeeded"], job["failed"]) == (2, 1) and errors(admin, job)[0]["line"] == 2


def test_types_and_encodings_that_are_not_known_are_415(admin, nothing_kept):
    raw = ndjson([customer("x")])
    upload(admin, "customers", raw, content_type="application/json").is_problem(415, "unsupported-media-type")
    upload(admin, "customers", raw, Content_Encoding="br").is_problem(415, "unsupported-media-type")
    upload(admin, "customers", raw, content_type="text/csv; charset=koi8-r").is_problem(415, "unsupported-media-type")


def test_unknown_types_and_modes_are_told(admin, nothing_kept):
    assert upload(admin, "nonsense", b"{}").faults == {("type", "unknown_value")}
    assert upload(admin, "customers", b"{}", "?mode=x&wait=1&nope=1").faults == {
        ("mode", "unknown_value"), ("wait", "wrong_type"), ("nope", "unknown_parameter")}


def test_scopes_of_the_import_and_of_what_is_in_it_are_both_needed(client_with, nothing_kept):
    raw = ndjson([customer("x")])
    for scopes, lacking in (("customers:write", "imports:write"), ("imports:write", "customers:write")):
        answer = upload(client_with(scopes), "customers", raw)
        assert answer.is_problem(403, "missing-scope")["scope"] == lacking
    no_key = client_with("imports:write").with_key("pk_0_0")
    upload(no_key, "customers", raw).is_problem(401, "unauthenticated")
    no_key.close()


def test_a_client_that_vanishes_in_the_middle_leaves_no_job(admin, server):
    before = jobs_of(server)
    address = urllib.parse.urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = (f"POST /v1/imports/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin.key}\r\n"
                f"Content-Type: {NDJSON}\r\nContent-Length: 100000000\r\n\r\n")
        connection.sendall(head.encode() + ndjson(customer(fresh("bulk")) for _ in range(30_000)))
        eventually(lambda: jobs_of(server) != before)
    eventually(lambda: jobs_of(server) == before, seconds=20)


def test_the_same_file_from_many_clients_at_once_lands_once(admin, contract, server):
    number = fresh("bulk")
    raw = ndjson([order(number, 1000) for _ in range(50)])
    clients = [Client(server, contract) for _ in range(4)]
    jobs = [upload(client, "orders", raw).ok(201) for client in clients]
    assert all(job_over(admin, job)["failed"] == 0 for job in jobs)
    assert balance(admin, number)["active"] == 500
    for client in clients:
        client.close()


# ---------------------------------------------------------------------- small batches


def test_a_batch_answers_207_with_a_result_for_each(admin):
    number = fresh("bulk")
    answer = admin.post("/v1/orders:batch", {"items": [order(number, 1000), {"external_id": "x"}, 7, order(number, 2000)]}).ok(207)
    assert [(one["index"], one["status"]) for one in answer["results"]] == [(0, 201), (1, 422), (2, 422), (3, 201)]
    assert answer["results"][1]["error"]["type"] == "/problems/invalid" and balance(admin, number)["active"] == 30
    items = [customer(fresh("bulk")) for _ in range(500)]
    answer = admin.post("/v1/customers:batch", {"items": items}).ok(207)
    assert {one["status"] for one in answer["results"]} == {201}


def test_a_batch_under_an_idempotency_key_is_answered_again(admin):
    for path, item in (("customers", customer(fresh("bulk"))), ("orders", order(fresh("bulk"), 100))):
        key = fresh("key")
        first = admin.post(f"/v1/{path}:batch", {"items": [item]}, Idempotency_Key=key)
        again = admin.post(f"/v1/{path}:batch", {"items": [item]}, Idempotency_Key=key)
        assert first.body == again.body and again.headers["idempotency-hit"] == "true"


BATCHES = sorted(one.path.removeprefix("/v1/").removesuffix(":batch") for one in CONTRACT.operations if one.id in APART and "batch" in one.id)


def test_a_batch_that_is_none_is_refused(admin, client_with):
    for path in BATCHES:
        assert admin.post(f"/v1/{path}:batch", {"items": []}).faults == {("#/items", "too_few")}
        assert admin.post(f"/v1/{path}:batch", {"items": [{}] * 501}).faults == {("#/items", "too_many")}
        assert admin.post(f"/v1/{path}:batch", {"items": {}}).faults == {("#/items", "wrong_type")}
        client_with("imports:write").post(f"/v1/{path}:batch", {"items": [{}]}).is_problem(403, "missing-scope")
        client_with("imports:write").with_key("pk_0_0").post(f"/v1/{path}:batch", {}).is_problem(401, "unauthenticated")
        pairs = [("Authorization", f"Bearer {admin.key}"), ("Content-Type", "text/plain")]
        admin.send("POST", f"/v1/{path}:batch", b"x", pairs).is_problem(415, "unsupported-media-type")


def test_time_passes_and_expired_jobs_go(admin, server, clock):
    job = import_all(admin, "customers", [customer(fresh("bulk"))])
    clock.advance(days=8)
    eventually(lambda: admin.get(f"/v1/jobs/{job['id']}").status == 404, seconds=30)
    assert servers.psql(server.database_url, f"SELECT count(*) FROM job_chunks WHERE job_id = '{job['id']}'") == "0"
