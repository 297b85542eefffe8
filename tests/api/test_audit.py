"""The audit log: who wrote what, who looked at whom, and that personal data in it is guarded and can be forgotten."""

import servers
from shop import fresh, give_back, order, refund, take


def entries(client, query):
    return [entry for page in client.pages(f"/v1/audit?{query}") for entry in page]


def by_admin(admin):
    return admin.key.split("_")[1]


def test_a_change_of_a_customer_is_told_with_before_and_after(admin, client_with):
    customer = fresh("audited")
    id_ = admin.post("/v1/customers", {"external_id": customer, "name": "Anna", "phone": "13800138000"}).ok(201)["id"]
    answer = admin.patch(f"/v1/customers/ext:{customer}", {"name": "Bert", "city": "Graz"}, Audit_Reason="he married")
    changed, created = entries(admin, f"customer=ext:{customer}&kind=write")
    assert (changed["operation"], changed["key_id"], changed["customer_id"]) == ("customer_patch_one", by_admin(admin), id_)
    assert (changed["request_id"], changed["reason"]) == (answer.headers["request-id"], "he married")
    assert changed["subject"] == f"/v1/customers/{id_}"
    assert changed["changes"]["city"] == {"before": None, "after": "Graz"}
    assert changed["changes"]["name"] == {"before": "A*", "after": "B*"}
    assert changed["personal"] == {"name": {"before": "Anna", "after": "Bert"}}
    assert created["operation"] == "customer_create_one" and created["personal"]["phone"]["after"] == "+8613800138000"
    masked = entries(client_with("audit:read"), f"customer={id_}&kind=write")
    assert [entry["personal"] for entry in masked] == [{}, {}] and b"Anna" not in str(masked).encode()


def test_an_order_that_changes_its_customer_is_told_with_the_number_that_went(admin):
    customer = fresh("audited")
    take(admin, order({"external_id": customer, "name": "Anna", "phone": "13800138001"}, 1000))
    assert entries(admin, f"customer=ext:{customer}&kind=write") == []  # the order's own calls tell it
    take(admin, order({"external_id": customer, "name": "Anna", "phone": "13800138001"}, 1000))
    assert entries(admin, f"customer=ext:{customer}&kind=write") == []
    take(admin, order({"external_id": customer, "phone": "13800138002"}, 1000))
    entry, = entries(admin, f"customer=ext:{customer}&kind=write")
    assert entry["operation"] == "order_take"
    assert entry["personal"] == {"phone": {"before": "+8613800138001", "after": "+8613800138002"}}


def test_an_upsert_is_told_whether_it_creates_changes_or_finds_all_as_it_is(admin):
    customer = fresh("audited")
    for body in ({"name": "Anna"}, {"name": "Bert"}, {"name": "Bert"}):
        assert admin.put(f"/v1/customers/ext:{customer}", body).status in (200, 201)
    same, changed, created = entries(admin, f"customer=ext:{customer}&operation=customer_put_one")
    assert created["personal"]["name"] == {"before": None, "after": "Anna"}
    assert changed["personal"]["name"] == {"before": "Anna", "after": "Bert"}
    assert same["changes"] is None and same["personal"] is None


def test_the_calls_of_an_order_keep_who_made_them(admin, server):
    number = fresh("audited-order")
    answer = admin.post("/v1/orders", order(fresh("audited"), 1000, external_id=number))
    kept = servers.psql(server.database_url, "SELECT key_id || ' ' || request_id FROM order_calls c JOIN orders o ON o.id = c.order_id "
                        f"WHERE o.external_id = '{number}'")
    assert kept == f"{by_admin(admin)} {answer.headers['request-id']}"


def test_a_refund_and_a_redemption_are_told_once_and_their_replays_not(admin):
    customer, number = fresh("audited"), fresh("audited-order")
    take(admin, order(customer, 100_000, external_id=number))
    body = refund({"line_no": 1, "amount_minor": 1000})
    give_back(admin, number, body)
    give_back(admin, number, body, status=200)
    for _ in range(2):
        admin.post(f"/v1/customers/ext:{customer}/points/redemptions", {"points": 5}, Idempotency_Key=customer).ok(201)
    assert [entry["operation"] for entry in entries(admin, f"customer=ext:{customer}&kind=write")] == ["points_redeem", "order_refund_one"]


def test_the_programme_and_keys_are_told_and_secrets_never(admin, program):
    program({})
    entry = entries(admin, "operation=program_replace&limit=1")[0]
    assert entry["subject"] == "/v1/program" and "version" in entry["changes"] and entry["customer_id"] is None
    key = admin.post("/v1/keys", {"name": "told", "scopes": ["orders:read"]}).ok(201)
    admin.call("DELETE", f"/v1/keys/{key['id']}")
    told = [one for one in entries(admin, f"key={by_admin(admin)}&kind=write") if one["subject"] == f"/v1/keys/{key['id']}"]
    assert [one["operation"] for one in told] == ["key_revoke_one", "key_make"]
    assert told[0]["changes"]["revoked_at"]["before"] is None and told[1]["changes"]["scopes"]["after"] == ["orders:read"]


def test_what_is_refused_is_not_told(admin):
    customer = fresh("audited")
    admin.post("/v1/customers", {"external_id": customer}).ok(201)
    admin.post("/v1/customers", {"external_id": customer}).is_problem(409, "identity-taken")
    admin.post(f"/v1/customers/ext:{customer}/points/redemptions", {"points": 5}, Idempotency_Key=customer).is_problem(
        409, "insufficient-points")
    admin.post("/v1/checkout/quote", {"customer": f"ext:{customer}", "lines": [{"sku": "S", "unit_price_minor": 1}]}).ok()
    assert [entry["operation"] for entry in entries(admin, f"customer=ext:{customer}&kind=write")] == ["customer_create_one"]


# ---------------------------------------------------------------------- looks


def test_a_look_at_personal_data_is_told_before_it_is_answered(admin, client_with):
    customer = fresh("looked at")
    id_ = admin.post("/v1/customers", {"external_id": customer, "name": "Anna"}).ok(201)["id"]
    masked, auditor = client_with("customers:read"), client_with("audit:read")
    assert masked.get(f"/v1/customers/{id_}").ok()["name"] == "A*"
    assert entries(auditor, f"customer={id_}&kind=read") == []
    answer = admin.get(f"/v1/customers/{id_}", Audit_Reason="a call back")
    entry, = entries(auditor, f"customer={id_}&kind=read")
    assert (entry["operation"], entry["key_id"], entry["reason"]) == ("customer_get_one", by_admin(admin), "a call back")
    assert entry["request_id"] == answer.headers["request-id"] and entry["changes"] is None


def test_a_list_tells_of_everybody_on_the_page_who_has_personal_data(admin, client_with):
    named = [admin.post("/v1/customers", {"external_id": fresh("listed"), "name": "Anna"}).ok(201)["id"] for _ in range(2)]
    bare = admin.post("/v1/customers", {"external_id": fresh("listed")}).ok(201)["id"]
    shown = {row["id"]: row for page in admin.pages("/v1/customers?limit=200") for row in page}
    auditor = client_with("audit:read")
    assert {*named, bare} <= set(shown)
    assert [len(entries(auditor, f"customer={one}&operation=customer_list")) for one in (*named, bare)] == [1, 1, 0]


def test_looks_of_many_at_once_are_all_told(admin, client_with):
    id_ = admin.post("/v1/customers", {"external_id": fresh("famous"), "name": "Anna"}).ok(201)["id"]
    answers = admin.parallel([("GET", f"/v1/customers/{id_}", None)] * 64)
    told = entries(client_with("audit:read"), f"customer={id_}&kind=read")
    assert sorted(one["request_id"] for one in told) == sorted(answer.headers["request-id"] for answer in answers)


def test_without_its_entry_nobody_sees_personal_data(admin, client_with, server):
    id_ = admin.post("/v1/customers", {"external_id": fresh("hidden"), "name": "Anna"}).ok(201)["id"]
    servers.psql(server.database_url, "ALTER TABLE audit_log RENAME TO audit_log_away")
    try:
        answer = admin.get(f"/v1/customers/{id_}")
        answer.is_problem(500, "internal")
        assert b"Anna" not in answer.body
        assert client_with("customers:read").get(f"/v1/customers/{id_}").ok()["name"] == "A*"
    finally:
        servers.psql(server.database_url, "ALTER TABLE audit_log_away RENAME TO audit_log")
    assert admin.get(f"/v1/customers/{id_}").ok()["name"] == "Anna"


# ---------------------------------------------------------------------- the list


def test_the_list_is_filtered_by_key_operation_kind_and_time(admin, client_with, clock):
    writer = client_with("customers:write,audit:read")
    writer_id = writer.key.split("_")[1]
    customers = []
    for _ in range(3):
        clock.advance(minutes=1)
        customers.append(writer.post("/v1/customers", {"external_id": fresh("timed")}).ok(201))
    mine = entries(writer, f"key={writer_id}&limit=1")
    assert [entry["customer_id"] for entry in mine] == [one["id"] for one in reversed(customers)]
    since, until = customers[1]["created_at"], customers[2]["created_at"]
    assert [entry["customer_id"] for entry in entries(writer, f"key={writer_id}&since={since}&until={until}")] == [customers[1]["id"]]
    assert [entry["customer_id"] for entry in entries(writer, f"since={since}&until={until}&kind=write&operation=customer_create_one")
            ] == [customers[1]["id"]]
    assert entries(writer, f"key={writer_id}&kind=read") == []
    assert entries(writer, f"key={writer_id}&operation=customer_patch_one") == []
    writer.get("/v1/audit?customer=ext:nobody").is_problem(404, "not-found")
    cursor = writer.get(f"/v1/audit?key={writer_id}&limit=1").ok()["next_cursor"]
    writer.get(f"/v1/audit?cursor={cursor}").is_problem(400, "bad-cursor")


def test_a_reason_that_is_no_text_is_refused(admin):
    for reason in ("", "a" * 501):
        admin.send("GET", "/v1/customers", None, [("Authorization", f"Bearer {admin.key}"), ("Audit-Reason", reason)]).is_problem(
            400, "bad-header")
    admin.send("GET", "/v1/customers", None, [("Authorization", f"Bearer {admin.key}"), ("Audit-Reason", "\xff")]).is_problem(
        400, "bad-header")
