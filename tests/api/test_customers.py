"""Customers: created, found by either reference, changed by merge patch, listed, masked."""

import json
import uuid

import pytest

from client import quoted
from shop import fresh, fresh_phone, order, take

PROFILE = {"name": "王小明", "gender": "male", "birthday": "1990-05-20", "language": "zh-CN", "country": "中国", "province": "浙江",
           "city": "杭州", "district": "西湖", "owner": "li", "source": {"channel": "live", "detail": "room 7", "campaign": "11.11"},
           "attributes": {"size": 42, "shoes": {"left": 1, "right": 2}}, "preferences": {"colour": "red"}}


def create(client, **profile):
    return client.post("/v1/customers", profile).ok(201)


@pytest.fixture
def someone(admin):
    return create(admin, external_id=fresh("customer"), phone=fresh_phone(), email=f"{fresh('mail')}@example.com", **PROFILE)


def test_a_new_customer_is_201_with_location_and_etag_and_all_that_was_said(admin):
    phone, mail, number = fresh_phone(), fresh("Mail"), fresh("customer")
    answer = admin.post("/v1/customers", {"external_id": number, "phone": f"0{phone[:3]}-{phone[3:7]} {phone[7:]}",
                                          "email": f" {mail}@Example.COM ", **PROFILE})
    made = answer.ok(201)
    assert answer.headers["location"] == f"/v1/customers/{made['id']}" and answer.headers["etag"] == '"1"'
    assert made["phone"] == f"+86{phone}" and made["email"] == f"{mail.lower()}@example.com" and made["version"] == 1
    assert {name: made[name] for name in PROFILE} == {**PROFILE, "source": {**PROFILE["source"], "referrer_id": None}}
    for reference in (made["id"], f"ext:{number}", f"ext%3A{number}", made["id"].upper()):
        assert admin.get(f"/v1/customers/{reference}").ok() == made
    assert admin.get(answer.headers["location"]).ok() == made


def test_the_id_is_made_of_the_external_id_or_of_the_time(admin):
    assert uuid.UUID(create(admin, external_id=fresh("customer"))["id"]).version == 5
    assert uuid.UUID(create(admin, phone=fresh_phone())["id"]).version == 7


def test_an_external_id_of_any_characters_is_found_again(admin):
    for number in (fresh("a/b?c#d%"), fresh("客户"), "汉" * 190 + fresh("x"), fresh(" spaces "), fresh('"quotes\\')):
        made = admin.put(f"/v1/customers/ext:{quoted(number)}", {"name": "N"}).ok(201)
        assert made["external_id"] == number
        assert admin.get(f"/v1/customers/ext:{quoted(number)}").ok() == made


def test_a_customer_with_nothing_to_know_him_by_is_refused(admin):
    assert admin.post("/v1/customers", {"name": "Nobody"}).faults == {("#", "required")}
    assert admin.post("/v1/customers", {"id": str(uuid.uuid4()), "phone": fresh_phone()}).faults == {("#/id", "unknown_field")}


def test_return_minimal_is_204_without_a_body(admin, someone):
    path = f"/v1/customers/{someone['id']}"
    answers = [admin.post("/v1/customers", {"external_id": fresh("customer")}, Prefer="return=minimal"),
               admin.put(f"/v1/customers/ext:{fresh('customer')}", {"name": "A"}, Prefer="return=minimal"),
               admin.put(path, {"name": "A"}, Prefer="return=minimal"), admin.patch(path, {"name": "B"}, Prefer="return=minimal")]
    for answer in answers:
        assert answer.status == 204 and answer.headers["preference-applied"] == "return=minimal" and "etag" in answer.headers
    for created in answers[:2]:
        assert admin.get(created.headers["location"]).ok()["version"] == 1


def test_a_retry_under_an_idempotency_key_gets_the_first_answer(admin):
    body, key = {"external_id": fresh("customer"), "name": "A"}, fresh("key")
    first = admin.post("/v1/customers", body, Idempotency_Key=key)
    again = admin.post("/v1/customers", body, Idempotency_Key=f'"{key}"')
    assert again.status == first.status == 201 and again.body == first.body
    assert again.headers["idempotency-hit"] == "true" and "idempotency-hit" not in first.headers
    assert again.headers["location"] == first.headers["location"] and again.headers["etag"] == first.headers["etag"]
    admin.post("/v1/customers", {**body, "name": "B"}, Idempotency_Key=key).is_problem(422, "idempotency-key-reused")
    admin.post("/v1/customers", body).is_problem(409, "identity-taken")


def test_the_retry_of_another_key_is_another_request(admin, client_with):
    key = fresh("key")
    assert admin.post("/v1/customers", {"external_id": fresh("customer")}, Idempotency_Key=key).status == 201
    other = client_with("customers:write").post("/v1/customers", {"external_id": fresh("customer")}, Idempotency_Key=key)
    assert other.status == 201 and "idempotency-hit" not in other.headers


def test_a_refused_request_is_not_kept_under_its_idempotency_key(admin):
    key, number = fresh("key"), fresh("customer")
    admin.post("/v1/customers", {"external_id": number, "phone": "nonsense"}, Idempotency_Key=key).is_problem(422, "invalid")
    assert admin.post("/v1/customers", {"external_id": number, "phone": fresh_phone()}, Idempotency_Key=key).status == 201


# ---------------------------------------------------------------------- upsert


def test_put_by_external_id_creates_then_updates_and_keeps_what_is_left_out(admin):
    path = f"/v1/customers/ext:{fresh('customer')}"
    created = admin.put(path, {"name": "A", "city": "杭州", "source": {"channel": "live"}})
    assert created.status == 201 and created.headers["location"] == f"/v1/customers/{created.json()['id']}"
    updated = admin.put(path, {"name": "B", "city": None, "source": None})
    assert updated.ok()["name"] == "B" and updated.json()["city"] == "杭州" and updated.headers["etag"] == '"2"'
    assert updated.json()["source"]["channel"] == "live" and "location" not in updated.headers
    assert admin.put(path, {"name": "B"}).ok()["version"] == 2, "what changes nothing is no new version"


def test_put_by_uuid_updates_and_never_creates(admin, someone):
    assert admin.put(f"/v1/customers/{someone['id']}", {"name": "B"}).ok()["name"] == "B"
    admin.put(f"/v1/customers/{uuid.uuid4()}", {"name": "B"}).is_problem(404, "not-found")


def test_put_with_another_external_id_or_an_id_in_the_body_is_refused(admin, someone):
    path = f"/v1/customers/ext:{someone['external_id']}"
    body = {"external_id": "another", "id": someone["id"]}
    assert admin.put(path, body).faults == {("#/external_id", "differs"), ("#/id", "unknown_field")}
    assert admin.put(path, {"external_id": someone["external_id"]}).ok() == someone


# ---------------------------------------------------------------------- patch


def test_patch_keeps_what_is_left_out_and_clears_what_is_null(admin, someone):
    path = f"/v1/customers/{someone['id']}"
    changed = admin.patch(path, {"name": "李", "gender": None, "birthday": None, "source": {"detail": None}}).ok()
    wanted = {**someone, "name": "李", "gender": None, "birthday": None, "version": 2,
              "source": {"channel": "live", "detail": None, "campaign": "11.11", "referrer_id": None}, "updated_at": changed["updated_at"]}
    assert changed == wanted == admin.get(path).ok()
    clear = {name: None for name in PROFILE} | {"phone": None, "email": None}
    cleared = admin.patch(path, clear).ok()
    empty = {name: None for name in clear} | {"source": {"channel": None, "detail": None, "campaign": None, "referrer_id": None}}
    assert {name: cleared[name] for name in clear} == empty


def test_patch_merges_attributes_as_rfc_7396_says(admin, someone):
    path = f"/v1/customers/{someone['id']}"
    patched = admin.patch(path, {"attributes": {"size": None, "shoes": {"left": None, "middle": {"a": None, "b": 1}}, "hat": "L"}}).ok()
    assert patched["attributes"] == {"shoes": {"right": 2, "middle": {"b": 1}}, "hat": "L"}
    assert patched["preferences"] == PROFILE["preferences"]


def test_attributes_cannot_grow_beyond_their_limit_by_patches(admin, someone):
    path, half = f"/v1/customers/{someone['id']}", "a" * 40_000
    admin.patch(path, {"attributes": {"one": half}}).ok()
    assert admin.patch(path, {"attributes": {"two": half}}).faults == {("#/attributes", "too_long")}
    assert admin.put(path, {"attributes": {"one": half * 2}}).faults == {("#/attributes", "too_long")}


def test_patch_takes_its_own_content_type(admin, someone):
    pairs = [("Authorization", f"Bearer {admin.key}"), ("Content-Type", "application/merge-patch+json")]
    assert admin.send("PATCH", f"/v1/customers/{someone['id']}", b'{"name":"C"}', pairs).ok()["name"] == "C"


def test_patch_cannot_clear_the_external_id_nor_change_the_id(admin, someone):
    answer = admin.patch(f"/v1/customers/{someone['id']}", {"external_id": None, "id": str(uuid.uuid4())})
    assert answer.faults == {("#/external_id", "required"), ("#/id", "unknown_field")}
    admin.patch("/v1/customers/ext:nobody", {"name": "N"}).is_problem(404, "not-found")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_stale_if_match_is_412_and_changes_nothing(admin, someone, method):
    path, change = f"/v1/customers/{someone['id']}", getattr(admin, method)
    assert change(path, {"name": "B"}, If_Match='"1"').ok()["version"] == 2
    for stale in ('"1"', '"3"', 'W/"2"', '"x"', '""'):
        assert change(path, {"name": "C"}, If_Match=stale).is_problem(412, "stale-version")["version"] == 2
    assert change(path, {"name": "D"}, If_Match="*").ok()["version"] == 3
    assert admin.get(path).ok()["name"] == "D"


def test_get_with_the_known_etag_is_304(admin, someone):
    path = f"/v1/customers/{someone['id']}"
    etag = admin.get(path).headers["etag"]
    for known in (etag, f"W/{etag}", f'"0", {etag}', "*"):
        answer = admin.get(path, If_None_Match=known)
        assert answer.status == 304 and answer.body == b"" and answer.headers["etag"] == etag
    assert admin.get(path, If_None_Match='"0"').status == 200
    admin.patch(path, {"name": "B"}).ok()
    assert admin.get(path, If_None_Match=etag).ok()["name"] == "B"


# ---------------------------------------------------------------------- identities


@pytest.mark.parametrize("written", ["13{n}", "+8613{n}", "008613{n}", "+86 (13) {n}", "013{n}"])
def test_a_phone_is_one_however_it_is_written(admin, written):
    tail = fresh_phone()[2:]
    made = create(admin, phone=f"13{tail}")
    assert made["phone"] == f"+8613{tail}"
    problem = admin.post("/v1/customers", {"phone": written.format(n=tail)}).is_problem(409, "identity-taken")
    assert problem["kind"] in ("phone", "identity")


def test_identities_without_a_normal_form_are_refused_all_at_once(admin):
    body = {"phone": "12", "email": "no at", "identities": [{"kind": "phone", "value": "x"}, {"kind": "email", "value": "a@b"}]}
    assert admin.post("/v1/customers", body).faults == {("#/phone", "wrong_format"), ("#/email", "wrong_format"),
                                                       ("#/identities/0/value", "wrong_format"),
                                                       ("#/identities/1/value", "wrong_format")}


@pytest.mark.parametrize("kind", ["email", "phone", "wechat_openid", "wechat_unionid", "taobao", "douyin", "qq", "loyalty_card"])
def test_an_identity_of_somebody_else_is_409_and_its_kind_is_named(admin, someone, kind):
    value = {"email": f"{fresh('mail')}@example.com", "phone": fresh_phone()}.get(kind) or fresh(kind)
    identity = {"identities": [{"kind": kind, "value": value}]}
    owner = create(admin, external_id=fresh("owner"), **identity)
    path = f"/v1/customers/{someone['id']}"
    for answer in (admin.patch(path, identity), admin.put(path, identity),
                   admin.post("/v1/customers", {"external_id": fresh("thief"), **identity}),
                   admin.put(f"/v1/customers/ext:{fresh('thief')}", identity)):
        assert answer.is_problem(409, "identity-taken")["kind"] == kind
    assert admin.put(f"/v1/customers/{owner['id']}", identity).ok() == owner


def test_a_phone_that_is_changed_or_cleared_is_free_again(admin, someone):
    old, new, path = someone["phone"], fresh_phone(), f"/v1/customers/{someone['id']}"
    assert admin.patch(path, {"phone": new}).ok()["phone"] == f"+86{new}"
    assert create(admin, phone=old)["phone"] == old
    admin.patch(path, {"phone": None}).ok()
    assert create(admin, phone=new)["phone"] == f"+86{new}"


def identity(kind, value=None, secondary=False):
    return {"kind": kind, "value": value or fresh(kind), "secondary": secondary}


def said(*identities):
    return {"identities": [{"kind": one["kind"], "value": one["value"]} for one in identities]}


def test_a_patch_replaces_the_list_of_identities(admin, someone, client_with):
    path, card, wechat, other = f"/v1/customers/{someone['id']}", identity("card"), identity("wechat_openid"), identity("card")
    assert someone["identities"] == []
    assert admin.put(path, said(wechat)).ok()["identities"] == [wechat]
    assert admin.put(path, said(card)).ok()["identities"] == [card, wechat], "a PUT adds"
    assert admin.patch(path, {"name": "N"}).ok()["identities"] == [card, wechat], "what is left out stays"
    assert admin.patch(path, said(other, wechat, other)).ok()["identities"] == sorted((other, wechat), key=lambda one: one["kind"])
    assert create(admin, **said(card))["id"] != someone["id"], "what was left out is free"
    admin.patch(path, said(card)).is_problem(409, "identity-taken")
    kept = admin.get(path).ok()
    assert kept["identities"] == [other, wechat] and admin.get(f"/v1/customers?q={someone['external_id']}").ok()["data"] == [kept]
    masked = client_with("customers:read").get(path).ok()["identities"]
    assert [one["kind"] for one in masked] == ["card", "wechat_openid"]
    assert wechat["value"] not in json.dumps(masked) and masked[0]["value"] != other["value"]


@pytest.mark.parametrize("nothing", [None, []])
def test_identities_are_cleared_but_for_the_phone_and_the_email_of_the_profile(admin, someone, nothing):
    path, card, phone = f"/v1/customers/{someone['id']}", identity("card"), identity("phone", f"+86{fresh_phone()}", secondary=True)
    listed = admin.patch(path, said(card, phone)).ok()
    assert listed["identities"] == [card, phone] and listed["phone"] == someone["phone"]
    assert take(admin, order({"phone": phone["value"]}, 100))["customer"]["id"] == someone["id"]
    cleared = admin.patch(path, {"identities": nothing}).ok()
    assert (cleared["identities"], cleared["phone"], cleared["email"]) == ([], someone["phone"], someone["email"])
    assert create(admin, **said(card, phone))["phone"] == phone["value"]
    entry = admin.get(f"/v1/audit?customer={someone['id']}&operation=customer_patch_one").ok()["data"][0]
    assert entry["personal"]["identities"] == {"before": [card, phone], "after": []}


def test_a_phone_among_the_identities_is_the_profiles_where_it_has_none(admin):
    made, one, two = create(admin, external_id=fresh("customer")), f"+86{fresh_phone()}", f"+86{fresh_phone()}"
    path = f"/v1/customers/{made['id']}"
    patched = admin.patch(path, said(identity("phone", one), identity("phone", two))).ok()
    assert (patched["phone"], patched["identities"]) == (one, [identity("phone", two, secondary=True)])
    patched = admin.patch(path, {"phone": two}).ok()
    assert (patched["phone"], patched["identities"]) == (two, [identity("phone", one, secondary=True)]), "they change places"
    assert admin.patch(path, {"phone": one}).ok()["phone"] == one
    patched = admin.patch(path, {"phone": None, **said(identity("phone", two))}).ok()
    assert (patched["phone"], patched["identities"]) == (two, [])


def test_a_second_phone_of_one_call_is_kept_beside_the_first(admin):
    one, two, three, known = (f"+86{fresh_phone()}" for _ in range(4))
    made = create(admin, external_id=fresh("customer"), phone=one, **said(identity("phone", two)))
    beside = [identity("phone", two, secondary=True)]
    assert (made["phone"], made["identities"]) == (one, beside)
    path = f"/v1/customers/{made['id']}"
    again = admin.put(path, {"phone": one, **said(identity("phone", two))}).ok()
    assert again == made, "the same once more changes nothing"
    changed = admin.put(path, {"phone": three, **said(identity("phone", two))}).ok()
    assert (changed["phone"], changed["identities"]) == (three, beside), "the second one stays when the first is replaced"
    entry = admin.get(f"/v1/audit?customer={made['id']}&operation=customer_put_one").ok()["data"][0]
    assert entry["personal"]["phone"] == {"before": one, "after": three}
    assert create(admin, phone=one)["id"] != made["id"], "what was replaced is free"
    first, second = identity("phone", known), identity("phone")
    second["value"] = f"+86{fresh_phone()}"
    listed = create(admin, external_id=fresh("customer"), **said(first, second))
    assert (listed["phone"], [held["value"] for held in listed["identities"]]) == (known, [second["value"]])


def test_an_order_finds_its_customer_by_any_identity(admin, someone):
    card = fresh("card")
    admin.patch(f"/v1/customers/{someone['id']}", {"identities": [{"kind": "card", "value": card}]}).ok()
    for customer in ({"id": someone["id"]}, {"phone": someone["phone"]}, {"email": someone["email"].upper()},
                     {"external_id": someone["external_id"]}, {"identities": [{"kind": "card", "value": card}]}):
        who = take(admin, order(customer, 100))["customer"]
        assert who == {"id": someone["id"], "external_id": someone["external_id"], "created": False}


def test_an_external_id_given_later_leads_to_the_same_customer(admin):
    made, number = create(admin, phone=fresh_phone()), fresh("customer")
    assert made["external_id"] is None
    named = admin.put(f"/v1/customers/ext:{number}", {"phone": made["phone"]}).ok()
    assert named["id"] == made["id"] and named["external_id"] == number
    assert admin.get(f"/v1/customers/ext:{number}").ok() == named


def test_after_a_change_of_external_id_old_and_new_answer_with_the_same_customer(admin, someone):
    old, new = someone["external_id"], fresh("renamed")
    renamed = admin.patch(f"/v1/customers/ext:{old}", {"external_id": new}).ok()
    assert renamed["external_id"] == new and renamed["id"] == someone["id"]
    for path in (f"ext:{old}", f"ext:{new}", someone["id"]):
        assert admin.get(f"/v1/customers/{path}").ok() == renamed
        assert admin.get(f"/v1/customers/{path}/points").ok()["customer_id"] == someone["id"]
        assert admin.get(f"/v1/customers/{path}/tier").ok()["customer_id"] == someone["id"]
    outcome = take(admin, order(new, 1000))
    assert outcome["customer"] == {"id": someone["id"], "external_id": new, "created": False}
    assert take(admin, order(old, 1000))["customer"]["id"] == someone["id"]
    assert admin.get(f"/v1/customers/ext:{old}/points").ok()["active"] == 20
    assert len(admin.get(f"/v1/orders?customer=ext:{old}").ok()["data"]) == 2
    admin.post("/v1/customers", {"external_id": old}).is_problem(409, "identity-taken")
    back = admin.patch(f"/v1/customers/{someone['id']}", {"external_id": old}).ok()
    assert back["external_id"] == old and admin.get(f"/v1/customers/ext:{new}").ok() == back


def test_the_external_id_of_somebody_else_is_409(admin, someone):
    other = create(admin, external_id=fresh("other"))
    problem = admin.patch(f"/v1/customers/{someone['id']}", {"external_id": other["external_id"]})
    assert problem.is_problem(409, "identity-taken")["kind"] == "external_id"


# ---------------------------------------------------------------------- list


def test_the_list_leads_through_all_pages_in_the_order_of_creation(admin):
    made = [create(admin, external_id=fresh("listed"))["id"] for _ in range(7)]
    whole = [one for page in admin.pages("/v1/customers?limit=200") for one in page]
    pages = list(admin.pages("/v1/customers?limit=3"))
    ids = [one["id"] for page in pages for one in page]
    assert all(len(page) == 3 for page in pages[:-1]) and 1 <= len(pages[-1]) <= 3
    assert ids == [one["id"] for one in whole] and len(set(ids)) == len(ids)
    assert [one for one in ids if one in made] == made
    assert [one["created_at"] for one in whole] == sorted(one["created_at"] for one in whole)
    assert len(admin.get("/v1/customers").ok()["data"]) == min(50, len(ids))


def test_a_cursor_of_another_list_or_of_nobody_is_400(admin):
    customers = admin.get("/v1/customers?limit=1").ok()["next_cursor"]
    take(admin, order(fresh("cursor"), 100))
    take(admin, order(fresh("cursor"), 100))
    orders = admin.get("/v1/orders?limit=1").ok()["next_cursor"]
    for path, cursor in (("/v1/customers", orders), ("/v1/orders", customers), ("/v1/orders?customer=ext:x", orders)):
        admin.get(path + ("&" if "?" in path else "?") + f"cursor={cursor}").is_problem(400, "bad-cursor")
    for cursor in ("", "x", "AAAA", customers[:-1], customers + "A", "%2B", "a" * 1000):
        admin.get(f"/v1/customers?cursor={cursor}").is_problem(400, "bad-cursor")


# ---------------------------------------------------------------------- personal data


def test_personal_data_is_masked_unless_the_key_may_see_it(admin, someone, client_with):
    path = f"/v1/customers/{someone['id']}"
    masked = client_with("customers:read").get(path).ok()
    assert masked == {**someone, "name": "王*", "phone": f"{someone['phone'][:6]}****{someone['phone'][-4:]}",
                      "email": "m***@example.com", "birthday": "***"}
    assert client_with("customers:read,customers:pii").get(path).ok() == someone
    listed = [one for page in client_with("customers:read").pages("/v1/customers?limit=200") for one in page]
    assert masked in listed and someone["phone"] not in json.dumps(listed)
    written = client_with("customers:write").patch(path, {"name": "李四"}).ok()
    assert written["name"] == "李*" and written["phone"] == masked["phone"]
    kept = client_with("customers:write").put(path, {"owner": "wu"}).ok()
    assert kept["birthday"] == "***" and admin.get(path).ok()["birthday"] == PROFILE["birthday"]
