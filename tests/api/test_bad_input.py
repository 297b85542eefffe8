"""Bad input, for every operation of /openapi.json alike: exactly the right problem, all faults at once, and nothing written."""

import json

import pytest

import servers
from calls import OPERATIONS, SCHEMAS, WITH_BODY, WITH_SCOPE, address, every, headers_for, send, sound_body
from client import Client, quoted
from contract import CONTRACT
from schema import broken, together
from shop import eventually

FAULTS_MAX = 100  # listed in one answer
DEPTH_MAX = 32
BODY_LIMIT_BYTES = 1 << 20
TARGET_LIMIT_BYTES = 4096
PATH_BYTES = 256  # more than any path here has


@pytest.fixture
def nothing_written(server):
    before = servers.content(server.database_url)
    yield
    assert servers.content(server.database_url) == before


@every(WITH_BODY)
def test_each_fault_of_a_body_is_pointed_at(admin, known, nothing_written, operation):
    body, schema = sound_body(operation), SCHEMAS.of_body(operation)
    wrong = []
    for one in SCHEMAS.breaks(schema):
        answer = send(admin, operation, known, broken(body, one))
        if answer.status != 422 or answer.faults != {(one.pointer, one.code)}:
            wrong.append(f"{one}: {answer.status} {answer.body[:300]}")
    assert not wrong, "\n".join(wrong)


@every(WITH_BODY)
def test_all_faults_of_a_body_are_told_at_once(admin, known, nothing_written, operation):
    body = sound_body(operation)
    wrong = together(SCHEMAS.breaks(SCHEMAS.of_body(operation)))[:FAULTS_MAX]
    assert len(wrong) > 1
    answer = send(admin, operation, known, broken(body, *wrong))
    assert answer.faults == {(one.pointer, one.code) for one in wrong}


@every(WITH_BODY)
def test_a_body_that_is_not_one_json_object_is_refused(admin, known, nothing_written, operation):
    sound = json.dumps(sound_body(operation))
    name = next(iter(sound_body(operation)))
    for raw in (b"", b"{", b"no", b'{"a":1', sound.encode()[:-1], sound.encode() + b"}", b"{'a':1}", b"\xff\xfe",
                b'{"a":NaN}', b'{"a":01}', b'{"a":1e999}', b'{"a":99999999999999999999}'):
        send(admin, operation, known, raw).is_problem(400, "not-json")
    for raw in (f'{{"{name}":null,"{name}":null}}'.encode(), b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"\x00"}',
                b'{"a":"\xc3\x28"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\\ud800"}'):
        problem = send(admin, operation, known, raw).is_problem(400, "not-json")
        assert problem["line"] == 1 and problem["column"] > 0
    for raw in (b"[]", b"[1]"):
        assert send(admin, operation, known, raw).faults == {("#", "wrong_type")}


@every(WITH_BODY)
def test_a_scalar_in_place_of_the_body_is_refused(admin, known, nothing_written, operation):
    for raw in (b"1", b'"text"', b"null", b"true"):
        answer = send(admin, operation, known, raw)
        assert (answer.status, answer.slug) in ((400, "not-json"), (422, "invalid")), answer.body


@every(WITH_BODY)
def test_a_body_that_nests_too_deep_is_refused(admin, known, nothing_written, operation):
    for levels in (DEPTH_MAX + 1, 100, 100_000):
        raw = b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"
        assert send(admin, operation, known, raw).faults == {("#", "too_deep")}
    raw = b'{"a":' + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1) + b"}"
    assert ("#/a", "unknown_field") in send(admin, operation, known, raw).faults


@every(WITH_BODY)
def test_a_body_larger_than_the_limit_is_413_and_names_it(server, contract, known, nothing_written, operation):
    for size in (BODY_LIMIT_BYTES + 1, 2 * BODY_LIMIT_BYTES):
        client = Client(server, contract)
        answer = send(client, operation, known, b" " * size)
        assert answer.is_problem(413, "body-too-large")["limit_bytes"] == BODY_LIMIT_BYTES
        client.close()
    client = Client(server, contract)
    send(client, operation, known, b" " * BODY_LIMIT_BYTES).is_problem(400, "not-json")
    client.close()


@every(WITH_BODY)
def test_a_body_of_another_type_is_415(admin, known, nothing_written, operation):
    raw = json.dumps(sound_body(operation)).encode()
    key = [pair for pair in headers_for(admin, operation) if pair[0] != "Content-Type"]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "application/json; charset=latin1", ""):
        answer = admin.send(operation.method, address(operation, known), raw, key + [("Content-Type", kind)])
        answer.is_problem(415, "unsupported-media-type")
    admin.send(operation.method, address(operation, known), raw, key).is_problem(415, "unsupported-media-type")
    coded = headers_for(admin, operation, ("Content-Encoding", "gzip"))
    admin.send(operation.method, address(operation, known), raw, coded).is_problem(415, "unsupported-media-type")


@every([one for one in OPERATIONS if "requestBody" not in one.spec])
def test_an_operation_without_a_body_takes_none(admin, known, nothing_written, operation):
    assert send(admin, operation, known, b'{"a":1}').faults == {("#", "unexpected_body")}


def bad_value(schema):
    """A value of the query that the schema refuses, and what its fault is called."""
    if schema["type"] == "array":
        return "no_such_name", "unknown_field"
    if "enum" in schema:
        return "no-such-name", "unknown_value"
    if schema["type"] == "string" and ("format" in schema or "pattern" in schema and "maxLength" not in schema):
        return "tomorrow", "wrong_format"
    return {"integer": ("x", "wrong_type"), "boolean": ("maybe", "wrong_type")}.get(
        schema["type"], ("a" * (schema.get("maxLength", 0) + 1), "too_long"))


def good_value(schema):
    sound = SCHEMAS.sound(schema)
    return ",".join(sound) if isinstance(sound, list) else str(sound).lower()


def queries(operation):
    """All bad parameters of an operation with one that it has not, in as few queries as an address has room for; and their faults."""
    query, wrong = "?no_such=1", {("no_such", "unknown_parameter")}
    for one in operation.spec["parameters"]:
        if one["in"] != "query":
            continue
        value, code = bad_value(one["schema"])
        if len(query) + len(f"&{one['name']}={value}") > TARGET_LIMIT_BYTES - PATH_BYTES:
            yield query, wrong
            query, wrong = "?no_such=1", {("no_such", "unknown_parameter")}
        query += f"&{one['name']}={value}"
        wrong = wrong | {(one["name"], code)}
    yield query, wrong


@every(OPERATIONS)
def test_an_unknown_query_parameter_is_told_together_with_the_others(admin, known, nothing_written, operation):
    body = sound_body(operation)
    if body is not None:
        body["no_such_field"] = 1
    for query, wrong in queries(operation):
        of_body = {("#/no_such_field", "unknown_field")} if body is not None else set()
        assert send(admin, operation, known, body, query).faults == wrong | of_body


@every([one for one in OPERATIONS if any(spec["in"] == "query" for spec in one.spec["parameters"])])
def test_query_limits_are_exceeded_by_one_or_given_twice(admin, known, nothing_written, operation):
    for one in operation.spec["parameters"]:
        if one["in"] != "query":
            continue
        name, schema, cases = one["name"], one["schema"], []
        if schema["type"] == "integer":
            cases += [(schema["minimum"] - 1, "too_small"), (schema["maximum"] + 1, "too_large"), ("", "wrong_type"),
                      ("1.0", "wrong_type"), ("+1", "wrong_type"), ("99999999999999999999", "wrong_type")]
        if schema["type"] == "boolean":
            cases += [("1", "wrong_type"), ("", "wrong_type"), ("True", "wrong_type")]
        for value, code in cases:
            answer = send(admin, operation, known, sound_body(operation), f"?{name}={quoted(str(value))}")
            assert answer.faults == {(name, code)}, value
        good = quoted(good_value(schema))
        answer = send(admin, operation, known, sound_body(operation), f"?{name}={good}&{name}={good}")
        assert answer.faults == {(name, "duplicate")}


@every([one for one in OPERATIONS if "bad-cursor" in one.slugs])
def test_a_cursor_that_no_page_gave_is_400(admin, known, nothing_written, operation):
    for cursor in ("x", "A" * 40):
        send(admin, operation, known, None, f"?cursor={cursor}").is_problem(400, "bad-cursor")


@every([one for one in OPERATIONS if "idempotency-key-required" in one.slugs])
def test_what_moves_value_needs_an_idempotency_key(admin, known, nothing_written, operation):
    pairs = [pair for pair in headers_for(admin, operation) if pair[0] != "Idempotency-Key"]
    body = {name: value for name, value in sound_body(operation).items() if name != "key"}  # which would do instead
    answer = admin.send(operation.method, address(operation, known), json.dumps(body).encode(), pairs)
    answer.is_problem(400, "idempotency-key-required")


@every(OPERATIONS)
def test_an_address_that_is_not_well_formed_is_400(admin, known, nothing_written, operation):
    for query in ("?a=%zz", "?a=%0", "?a=%00", "?a=%ff", "?%c3%28=1"):
        send(admin, operation, known, sound_body(operation), query).is_problem(400, "bad-address")


@every(OPERATIONS)
def test_an_address_that_is_too_long_is_414_and_names_the_limit(server, contract, known, nothing_written, operation):
    client = Client(server, contract)
    answer = send(client, operation, known, sound_body(operation), "?a=" + "a" * TARGET_LIMIT_BYTES)
    assert answer.is_problem(414, "address-too-long")["limit_bytes"] == TARGET_LIMIT_BYTES
    client.close()


@every(OPERATIONS)
def test_a_header_without_a_valid_value_is_400(admin, known, nothing_written, operation):
    raw = json.dumps(sound_body(operation)).encode() if sound_body(operation) else None
    for more in ([("If-Match", "3")], [("If-Match", '"1", "2"')], [("Request-Id", "a"), ("Request-Id", "b")]):
        answer = admin.send(operation.method, address(operation, known), raw, headers_for(admin, operation, *more))
        answer.is_problem(400, "bad-header")


@every(OPERATIONS)
def test_a_client_that_takes_no_json_gets_406(admin, known, nothing_written, operation):
    raw = json.dumps(sound_body(operation)).encode() if sound_body(operation) else None
    for accept in ("text/html", "application/xml, text/*;q=0.5", "application/json;q=0", "*/*;q=0"):
        pairs = headers_for(admin, operation, ("Accept", accept))
        admin.send(operation.method, address(operation, known), raw, pairs).is_problem(406, "not-acceptable")


# ---------------------------------------------------------------------- keys


@pytest.fixture(scope="module")
def revoked(server, admin):
    key = server.new_key("to be revoked", "admin")
    client = admin.with_key(key)
    eventually(lambda: client.get("/v1/program").status == 200)
    server.command("key", "revoke", key.split("_")[1])
    eventually(lambda: client.get("/v1/program").status == 401)
    client.close()
    return key


@every(WITH_SCOPE)
def test_without_a_good_key_it_is_401(admin, known, revoked, nothing_written, operation):
    raw = json.dumps(sound_body(operation)).encode() if sound_body(operation) else None
    name, id_, secret = admin.key.split("_")
    good = [pair for pair in headers_for(admin, operation) if pair[0] != "Authorization"]
    for value in (None, "", "Bearer", f"Bearer {name}_{id_}_{'A' * len(secret)}", f"Bearer {name}_{'0' * len(id_)}_{secret}",
                  f"Bearer {admin.key}x", f"Bearer {admin.key[:-1]}", f"Basic {admin.key}", f"Bearer {revoked}"):
        more = [("Authorization", value)] if value is not None else []
        answer = admin.send(operation.method, address(operation, known), raw, good + more)
        answer.is_problem(401, "unauthenticated")


@pytest.fixture(scope="module")
def elsewhere(admin):
    """A key that may all, but from a network that no test lives in."""
    made = admin.post("/v1/keys", {"name": "elsewhere", "scopes": ["admin"], "networks": ["192.0.2.0/24", "2001:db8::/32"]}).ok(201)
    client = admin.with_key(made["key"])
    eventually(lambda: client.get("/v1/program").status == 403)
    return client


@every(WITH_SCOPE)
def test_a_key_from_outside_its_networks_is_403_and_the_address_is_named(elsewhere, known, nothing_written, operation):
    answer = send(elsewhere, operation, known, sound_body(operation))
    assert answer.is_problem(403, "network-refused")["address"] == "127.0.0.1"


@pytest.fixture(scope="module")
def hasty(admin):
    """A key that may all, but not this fast."""
    made = admin.post("/v1/keys", {"name": "hasty", "scopes": ["admin"], "rate_per_second": 1, "rate_burst": 1}).ok(201)
    client = admin.with_key(made["key"])
    eventually(lambda: client.get("/v1/program").status == 429)
    return client


@every(WITH_SCOPE)
def test_a_key_that_calls_too_often_is_429_and_told_when_to_come_back(hasty, known, nothing_written, operation):
    for _ in range(3):  # a second may pass before one of them, and let it through
        answer = send(hasty, operation, known, sound_body(operation), "?no_such=1")
        assert answer.status in (422, 429)
        if answer.status == 429:
            break
    answer.is_problem(429, "rate-limited")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["ratelimit-policy"] == '"key";q=1;w=1'
    assert answer.headers["ratelimit"] == '"key";r=0;t=1'


@every(WITH_SCOPE)
def test_a_key_without_the_scope_is_403_and_the_scope_is_named(client_with, known, nothing_written, operation):
    others = {one.scope for one in WITH_SCOPE} - {operation.scope, "admin"}
    answer = send(client_with(min(others)), operation, known, sound_body(operation))
    assert answer.is_problem(403, "missing-scope")["scope"] == operation.scope


@every([one for one in WITH_SCOPE if one.scope != "admin"])
def test_the_scope_of_the_operation_is_enough(client_with, known, nothing_written, operation):
    answer = send(client_with(operation.scope), operation, known, sound_body(operation), "?no_such=1")
    assert answer.faults == {("no_such", "unknown_parameter")}


# ---------------------------------------------------------------------- addresses and methods


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v2/orders", "/v1/orders/", "/v1/order", "/v1/customers//points",
                                  "/v1/customers/ext:a/points/", "/v1/orders/ext:a/refunds/1", "/healthz/", "/docs/x",
                                  "/openapi.yaml", "/problems/", "/problems/no-such-problem", "/V1/orders"])
def test_an_unknown_path_is_404(admin, nothing_written, path):
    admin.get(path).is_problem(404, "no-such-route")
    admin.post(path, {}).is_problem(405 if path.startswith("/problems/") else 404,
                                    "method-not-allowed" if path.startswith("/problems/") else "no-such-route")


@pytest.mark.parametrize("path", sorted({one.path for one in CONTRACT.operations}))
def test_another_method_is_405_and_allow_names_those_there_are(admin, known, nothing_written, path):
    methods = {one.method for one in CONTRACT.operations if one.path == path}
    allowed = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    target = path.format(**known)
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"} - allowed:
        answer = admin.send(method, target, None, [("Authorization", f"Bearer {admin.key}")])
        assert answer.status == 405 and set(answer.headers["allow"].split(", ")) == allowed, method
    answer = admin.send("OPTIONS", target)
    assert answer.status == 204 and set(answer.headers["allow"].split(", ")) == allowed


@every([one for one in CONTRACT.operations if one.method == "GET" and not one.streams])
def test_head_is_get_without_the_body(admin, known, nothing_written, operation):
    target, pairs = address(operation, known), [("Authorization", f"Bearer {admin.key}")]
    get, head = admin.send("GET", target, None, pairs), admin.send("HEAD", target, None, pairs)
    assert get.status == head.status == 200 and head.body == b""
    for name in ("content-type", "etag", "cache-control"):
        assert head.headers.get(name) == get.headers.get(name)
    if not any(word in target for word in ("/metrics", "/meta", "/audit", "/export")):  # which count, tell the time, and list who looked
        assert head.headers["content-length"] == str(len(get.body))


@every([one for one in OPERATIONS if "{customer}" in one.path or "{order}" in one.path])
def test_a_reference_to_nobody_is_404(admin, known, nothing_written, operation):
    references = ["01234567-89ab-7def-8123-456789abcdef", "nobody", "ext:", "ext:" + "a" * 201, "%E4%BD%A0"]
    bodies = {"customer_put_one": {"name": "Nobody"}, "customer_patch_one": {"name": "Nobody"},
              "points_adjust_one": {"points": 1, "reason": "a test"},
              "tier_pin_set": {"tier": "gold", "until": "2036-01-01T00:00:00Z", "reason": "a test"}}
    body = bodies.get(operation.id) or sound_body(operation)
    if operation.id != "customer_put_one":  # which creates him
        references.append("ext:nobody")
    for reference in references:
        target = {**known, "customer": reference, "order": reference, "hold": reference}
        send(admin, operation, target, body).is_problem(404, "not-found")
    names = [name for name in ("customer", "order", "hold") if f"{{{name}}}" in operation.path]
    answer = send(admin, operation, known | dict.fromkeys(names, "a" * 301), sound_body(operation))
    assert answer.faults == {(name, "too_long") for name in names}
