"""What staff keep about customers: tags, notes, groups and communities."""

import pytest

from bulk import errors, import_all, job_over, ndjson, upload
from client import quoted
from shop import eventually, fresh


@pytest.fixture
def who(admin):
    made = admin.post("/v1/customers", {"external_id": fresh("crm")}).ok(201)
    return f"/v1/customers/{made['id']}"


def tags(client, who):
    return [(one["kind"], one["tag"]) for one in client.get(f"{who}/tags").ok()["data"]]


def test_a_tag_is_put_on_once_per_kind_and_taken_off(admin, who):
    tag = f"{who}/tags/{quoted('大客户 50%')}"
    made = admin.put(tag, {}).ok(201)
    assert (made["kind"], made["tag"], made["expires_at"]) == ("manual", "大客户 50%", None)
    assert admin.put(f"{who}/tags/{quoted('新 1')}", {}).headers["location"] == f"{who}/tags/{quoted('新 1')}"
    assert admin.call("DELETE", f"{who}/tags/{quoted('新 1')}").status == 204
    assert admin.put(tag, {}).ok() == made
    admin.put(tag, {"kind": "official"}).ok(201)
    assert tags(admin, who) == [("manual", "大客户 50%"), ("official", "大客户 50%")]
    assert admin.call("DELETE", tag).status == 204
    assert tags(admin, who) == [("official", "大客户 50%")]
    admin.call("DELETE", tag).is_problem(404, "not-found")
    assert admin.call("DELETE", f"{tag}?kind=official").status == 204
    assert tags(admin, who) == []


def test_a_tag_expires_at_its_time_and_may_come_back(admin, who, clock):
    now = admin.get("/v1/meta").ok()["now"]
    assert admin.put(f"{who}/tags/trial", {"expires_at": now}).faults == {("#/expires_at", "too_early")}
    admin.put(f"{who}/tags/trial", {"expires_at": "2026-11-25T00:00:00Z"}).ok(201)
    admin.put(f"{who}/tags/trial", {"expires_at": "2026-11-26T00:00:00Z"}).ok(200)
    clock.set("2026-11-25T00:00:01Z")
    assert tags(admin, who) == [("manual", "trial")]
    clock.set("2026-11-26T00:00:00Z")
    assert tags(admin, who) == []
    admin.put(f"{who}/tags/trial", {}).ok(201)
    assert tags(admin, who) == [("manual", "trial")]


def test_at_most_250_tags_of_a_kind(admin, who):
    for number in range(250):
        admin.put(f"{who}/tags/t{number}", {}).ok(201)
    admin.put(f"{who}/tags/one-more", {}).is_problem(409, "too-many-tags")
    admin.put(f"{who}/tags/t7", {}).ok(200)
    admin.put(f"{who}/tags/one-more", {"kind": "official"}).ok(201)
    assert admin.call("DELETE", f"{who}/tags/t7").status == 204
    admin.put(f"{who}/tags/one-more", {}).ok(201)


def test_tags_of_rules_come_from_segments_and_from_history_only(admin, who):
    assert admin.put(f"{who}/tags/kept", {"kind": "rule"}).faults == {("#/kind", "not_allowed")}
    line = {"customer": who.rpartition("/")[2], "tag": "kept", "kind": "rule"}
    refused = job_over(admin, upload(admin, "tags", ndjson([line])).ok(201))
    assert [one["code"] for one in errors(admin, refused)[0]["error"]["errors"]] == ["not_allowed"]
    assert admin.get(f"{who}/tags").ok()["data"] == []
    import_all(admin, "tags", [line], "?backfill=true")
    assert [(one["kind"], one["tag"]) for one in admin.get(f"{who}/tags").ok()["data"]] == [("rule", "kept")]
    import_all(admin, "tags", [{**line, "remove": True}])
    assert admin.get(f"{who}/tags").ok()["data"] == []


def test_customers_are_listed_by_tag_and_by_group_at_once(admin, who):
    tag, group = fresh("listed"), fresh("listed").replace("-", "_")
    ids = lambda query: [one["id"] for one in admin.get(f"/v1/customers?{query}").ok()["data"]]  # noqa: E731
    assert ids(f"tag={tag}") == ids(f"group={group}") == []
    admin.put(f"{who}/tags/{tag}", {}).ok(201)
    admin.put(f"/v1/groups/{group}", {"name": "G"}).ok(201)
    admin.post(f"/v1/groups/{group}/members", {"add": [who.split("/")[-1]]}).ok()
    assert ids(f"tag={tag}") == ids(f"group={group}") == ids(f"tag={tag}&group={group}&sort=-spend_minor") == [who.split("/")[-1]]


# ---------------------------------------------------------------------- notes


def test_notes_are_written_changed_listed_and_removed(admin, who):
    answer = admin.post(f"{who}/notes", {"content": "喜欢红色", "author": "li"})
    first = answer.ok(201)
    read = admin.get(answer.headers["location"])
    assert read.ok() == first
    assert admin.get(answer.headers["location"], If_None_Match=read.headers["etag"]).status == 304
    second = admin.post(f"{who}/notes", {"content": "call back", "pinned": True}).ok(201)
    assert [one["id"] for one in admin.get(f"{who}/notes").ok()["data"]] == [second["id"], first["id"]]
    changed = admin.patch(f"{who}/notes/{first['id']}", {"content": "喜欢蓝色", "author": None}).ok()
    assert (changed["content"], changed["author"], changed["version"]) == ("喜欢蓝色", None, 2)
    assert admin.patch(f"{who}/notes/{first['id']}", {"content": "喜欢蓝色"}).ok()["version"] == 2
    admin.patch(f"{who}/notes/{first['id']}", {"content": "x"}, If_Match='"1"').is_problem(412, "stale-version")
    assert admin.patch(f"{who}/notes/{first['id']}", {"content": None}).faults == {("#/content", "required")}
    assert admin.call("DELETE", f"{who}/notes/{first['id']}").status == 204
    admin.call("DELETE", f"{who}/notes/{first['id']}").is_problem(404, "not-found")
    admin.get(f"{who}/notes/{first['id']}").is_problem(404, "not-found")
    assert [one["id"] for one in admin.get(f"{who}/notes").ok()["data"]] == [second["id"]]


def test_a_note_without_content_is_refused(admin, who):
    assert admin.post(f"{who}/notes", {"author": "li"}).faults == {("#/content", "required")}


def test_notes_are_paged_and_their_cursor_is_theirs(admin, who):
    made = [admin.post(f"{who}/notes", {"content": f"note {n}"}).ok(201)["id"] for n in range(5)]
    pages = list(admin.pages(f"{who}/notes?limit=2"))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one["id"] for page in pages for one in page] == made[::-1]
    cursor = admin.get(f"{who}/notes?limit=2").ok()["next_cursor"]
    admin.get(f"{who}/interactions?cursor={cursor}").is_problem(400, "bad-cursor")
    admin.get(f"{who}/notes?cursor=x").is_problem(400, "bad-cursor")


def test_what_notes_say_is_masked_without_customers_pii(admin, who, client_with):
    admin.post(f"{who}/notes", {"content": "13800138000", "author": "li"}).ok(201)
    masked = client_with("customers:read").get(f"{who}/notes").ok()["data"][0]
    assert masked["content"] == "***" and masked["author"] == "li"


def test_answers_may_be_minimal(admin, who):
    assert admin.post(f"{who}/notes", {"content": "a"}, Prefer="return=minimal").status == 204
    note = admin.get(f"{who}/notes").ok()["data"][0]["id"]
    assert admin.patch(f"{who}/notes/{note}", {"content": "b"}, Prefer="return=minimal").status == 204
    group = fresh("group").replace("-", "_")
    made = admin.put(f"/v1/groups/{group}", {"name": "G"}, Prefer="return=minimal")
    assert made.status == 204 and made.headers["location"] == f"/v1/groups/{group}"


def test_a_retry_is_answered_with_the_first_one(admin, who):
    person, group = who.split("/")[-1], fresh("group").replace("-", "_")
    admin.put(f"/v1/groups/{group}", {"name": "G"}).ok(201)
    calls = [(f"{who}/notes", {"content": "once"}, {"content": "twice"}), (f"{who}/interactions", {"kind": "call"}, {"kind": "chat"}),
             (f"/v1/groups/{group}/members", {"add": [person]}, {"remove": [person]}),
             ("/v1/behaviour-events", {"events": [{"customer": person, "type": "view"}]},
              {"events": [{"customer": person, "type": "cart"}]})]
    for path, body, other in calls:
        key = fresh("key")
        first = admin.post(path, body, Idempotency_Key=key)
        again = admin.post(path, body, Idempotency_Key=key)
        assert first.status == again.status in (200, 201) and again.json() == first.json()
        assert again.headers["idempotency-hit"] == "true"
        admin.post(path, other, Idempotency_Key=key).is_problem(422, "idempotency-key-reused")
    for part in ("notes", "interactions", "behaviour-events"):
        assert len(admin.get(f"{who}/{part}").ok()["data"]) == 1


def test_every_change_is_in_the_audit_log_with_its_path_and_masked(admin, who):
    person, group = who.split("/")[-1], fresh("group").replace("-", "_")
    admin.put(f"{who}/tags/vip", {}).ok(201)
    note = admin.post(f"{who}/notes", {"content": "13800138000"}).ok(201)["id"]
    admin.patch(f"{who}/notes/{note}", {"content": "secret"}).ok()
    call = admin.post(f"{who}/interactions", {"kind": "call", "content": "secret"}).ok(201)["id"]
    admin.put(f"/v1/groups/{group}", {"name": "G"}).ok(201)
    admin.post(f"/v1/groups/{group}/members", {"add": [person]}).ok()
    admin.put(f"{who}/consents/sms", {"state": "granted", "evidence": "secret"}).ok()
    admin.put(f"{who}/suppressions/sms", {"reason": "manual", "detail": "secret"}).ok()
    for path in (f"{who}/suppressions/sms", f"{who}/tags/vip", f"{who}/notes/{note}"):
        assert admin.call("DELETE", path).status == 204
    log = [one for one in admin.get(f"/v1/audit?kind=write&customer={person}").ok()["data"] if one["operation"] != "customer_create_one"]
    assert [(one["operation"], one["subject"]) for one in log] == [
        ("note_delete_one", f"{who}/notes/{note}"), ("tag_delete_one", f"{who}/tags/vip"),
        ("suppression_delete_one", f"{who}/suppressions/sms"), ("suppression_put_one", f"{who}/suppressions/sms"),
        ("consent_put_one", f"{who}/consents/sms"), ("member_change", f"/v1/groups/{group}"),
        ("interaction_create", f"{who}/interactions/{call}"), ("note_patch_one", f"{who}/notes/{note}"),
        ("note_create", f"{who}/notes/{note}"), ("tag_put_one", f"{who}/tags/vip")]
    assert log[7]["changes"]["content"] == {"before": "***", "after": "***"}
    assert log[7]["personal"]["content"] == {"before": "13800138000", "after": "secret"}
    assert "secret" not in str([one["changes"] for one in log])
    about = {one["subject"]: one["changes"] for one in admin.get("/v1/audit?operation=group_put_one&limit=200").ok()["data"]}
    assert about[f"/v1/groups/{group}"]["name"] == {"before": None, "after": "G"}


# ---------------------------------------------------------------------- groups


@pytest.fixture
def group(admin):
    code = fresh("group").replace("-", "_")
    admin.put(f"/v1/groups/{code}", {"name": "老客户群", "platform": "wechat_group", "introduction": "群介绍",
                                     "invite_link": "https://weixin.example/g/1"}).ok(201)
    return code


def several(admin, n):
    return [admin.post("/v1/customers", {"external_id": fresh("member")}).ok(201) for _ in range(n)]


def test_a_community_keeps_who_joined_and_who_left(admin, group, clock):
    one, two = several(admin, 2)
    path = f"/v1/groups/{group}/members"
    assert admin.post(path, {"add": [one["id"], f"ext:{two['external_id']}"]}).ok() == {"added": 2, "removed": 0, "members": 2}
    assert admin.post(path, {"add": [one["id"]]}).ok() == {"added": 0, "removed": 0, "members": 2}
    clock.advance(days=1)
    assert admin.post(path, {"remove": [one["id"]], "add": [two["id"]]}).ok() == {"added": 0, "removed": 1, "members": 1}
    assert [m["customer_id"] for m in admin.get(path).ok()["data"]] == [two["id"]]
    gone = {m["customer_id"]: m for m in admin.get(f"{path}?gone=true").ok()["data"]}
    assert gone[one["id"]]["left_at"] > gone[one["id"]]["joined_at"] and gone[two["id"]]["left_at"] is None
    assert admin.get(f"/v1/groups/{group}").ok()["members"] == 1
    listed = admin.get(f"/v1/customers/{one['id']}/groups").ok()["data"]
    assert [(m["group"], m["left_at"] is None) for m in listed] == [(group, False)]
    assert admin.post(path, {"add": [one["id"]]}).ok()["members"] == 2
    assert admin.get(f"/v1/customers/{one['id']}/groups").ok()["data"][0]["left_at"] is None


def test_unknown_and_doubled_members_are_told_all_at_once_and_nobody_joins(admin, group):
    one = several(admin, 1)[0]
    answer = admin.post(f"/v1/groups/{group}/members", {"add": [one["id"], "ext:nobody", one["id"]], "remove": ["nonsense"]})
    assert answer.faults == {("#/add/1", "not_found"), ("#/add/2", "duplicate"), ("#/remove/0", "not_found")}
    assert admin.post(f"/v1/groups/{group}/members", {}).faults == {("#", "too_few")}
    assert admin.get(f"/v1/groups/{group}").ok()["members"] == 0


def test_parallel_joins_are_all_counted(admin, group):
    people = several(admin, 16)
    calls = [("POST", f"/v1/groups/{group}/members", {"add": [one["id"]]}) for one in people for _ in range(2)]
    answers = admin.parallel(calls)
    assert all(answer.status == 200 for answer in answers)
    assert sum(answer.json()["added"] for answer in answers) == 16
    assert admin.get(f"/v1/groups/{group}").ok()["members"] == 16
    pages = [one for page in admin.pages(f"/v1/groups/{group}/members?limit=5") for one in page]
    assert {one["customer_id"] for one in pages} == {one["id"] for one in people} and len(pages) == 16


def test_a_group_is_replaced_listed_by_platform_and_removed(admin, group):
    read = admin.get(f"/v1/groups/{group}")
    assert admin.get(f"/v1/groups/{group}", If_None_Match=read.headers["etag"]).status == 304
    replaced = admin.put(f"/v1/groups/{group}", {"name": "N", "platform": "qq_group"}, If_Match=read.headers["etag"]).ok()
    stale = admin.put(f"/v1/groups/{group}", {"name": "O"}, If_Match=read.headers["etag"])
    assert stale.is_problem(412, "stale-version")["version"] == 2
    assert replaced["introduction"] is None and replaced["version"] == 2
    everybody = [one["code"] for page in admin.pages("/v1/groups?limit=2&platform=qq_group") for one in page]
    assert group in everybody and everybody == sorted(everybody)
    admin.get("/v1/groups?cursor=x").is_problem(400, "bad-cursor")
    admin.get(f"/v1/groups/{group}/members?cursor=x").is_problem(400, "bad-cursor")
    assert admin.call("DELETE", f"/v1/groups/{group}").status == 204
    for method, path, body in (("GET", "", None), ("DELETE", "", None), ("GET", "/members", None),
                               ("POST", "/members", {"add": ["ext:x"]})):
        answer = admin.call(method, f"/v1/groups/{group}{path}", body)
        assert answer.status in (404, 422), answer
    one = several(admin, 1)[0]
    admin.post(f"/v1/groups/{group}/members", {"add": [one["id"]]}).is_problem(404, "not-found")


# ---------------------------------------------------------------------- attributes


@pytest.fixture
def define(admin):
    """Defines attributes that are gone after the test."""
    made = []

    def put(name, **definition):
        stored = admin.put(f"/v1/attributes/{name}", definition).json()
        made.append(name)
        probe = admin.post("/v1/customers", {"external_id": fresh("probe")}).ok(201)["id"]
        wrong = [] if definition["type"] != "texts" else 7
        eventually(lambda: admin.patch(f"/v1/customers/{probe}", {"attributes": {name: wrong}}).status == 422)
        return stored

    yield put
    for name in made:
        assert admin.call("DELETE", f"/v1/attributes/{name}").status == 204


def test_a_defined_attribute_must_be_what_it_is_defined_as_wherever_customers_come_in(admin, who, define):
    define("shoe_size", type="integer", min=20, max=50)
    define("colour", type="choice", choices=["red", "蓝"])
    define("hobbies", type="texts", max=2, choices=["golf", "tea"])
    define("joined_club", type="date")
    define("motto", type="text", max=3)
    define("vip_until", type="instant")
    define("weight", type="number", min=0)
    define("subscribed", type="boolean")
    good = {"shoe_size": 42, "colour": "蓝", "hobbies": ["tea"], "joined_club": "2026-01-31", "motto": "一二三",
            "vip_until": "2027-01-01T00:00:00Z", "weight": 1.5, "subscribed": False, "anything": {"else": [1]}}
    assert admin.patch(who, {"attributes": good}).ok()["attributes"] == good
    bad = {"shoe_size": 51, "colour": "green", "hobbies": ["golf", "tea", "chess"], "joined_club": "31.1.2026", "motto": "一二三四",
           "vip_until": "tomorrow", "weight": -1, "subscribed": "yes"}
    codes = {("shoe_size", "too_large"), ("colour", "unknown_value"), ("hobbies", "too_large"), ("hobbies/2", "unknown_value"),
             ("joined_club", "wrong_type"), ("motto", "too_large"), ("vip_until", "wrong_type"), ("weight", "too_small"),
             ("subscribed", "wrong_type")}
    for method, path in (("PATCH", who), ("PUT", who), ("POST", "/v1/customers")):
        body = {"attributes": bad, **({"external_id": fresh("bad")} if method == "POST" else {})}
        assert admin.call(method, path, body).faults == {(f"#/attributes/{name}", code) for name, code in codes}
    order = {"external_id": fresh("order"), "customer": {"external_id": fresh("x"), "attributes": {"shoe_size": "L"}},
             "lines": [{"sku": "A", "total_minor": 1}], "total_minor": 1}
    assert admin.post("/v1/orders", order).faults == {("#/customer/attributes/shoe_size", "wrong_type")}
    assert admin.patch(who, {"attributes": {"shoe_size": None}}).ok()["attributes"].get("shoe_size") is None


def test_a_personal_attribute_is_only_for_those_who_may_see_personal_data(admin, who, define, client_with):
    define("id_card", type="text", visibility="personal")
    admin.patch(who, {"attributes": {"id_card": "330106199001011234", "size": "L"}}).ok()
    seen = client_with("customers:read").get(who).ok()["attributes"]
    assert seen == {"id_card": "***", "size": "L"}
    log = admin.get(f"/v1/audit?customer={who.split('/')[-1]}&operation=customer_patch_one").ok()["data"][0]
    assert log["changes"]["attributes"]["after"] == seen, "the log masks as answers do"
    assert log["personal"]["attributes"]["after"]["id_card"] == "330106199001011234"
    assert admin.get(who).ok()["attributes"]["id_card"] == "330106199001011234"
    listed = [one for page in client_with("customers:read").pages("/v1/customers?limit=200") for one in page]
    assert "330106199001011234" not in str(listed)


def test_definitions_are_listed_and_what_makes_no_sense_is_refused(admin, define):
    name = fresh("listed").replace("-", "_")
    stored = define(name, type="integer", label="尺码")
    assert stored in admin.get("/v1/attributes").ok()["data"]
    read = admin.get(f"/v1/attributes/{name}")
    assert read.ok() == stored
    assert admin.get(f"/v1/attributes/{name}", If_None_Match=read.headers["etag"]).status == 304
    admin.put(f"/v1/attributes/{name}", {"type": "text"}, If_Match='"7"').is_problem(412, "stale-version")
    admin.get("/v1/attributes/no_such").is_problem(404, "not-found")
    assert admin.put(f"/v1/attributes/{name}", {"type": "choice"}).faults == {("#/choices", "required")}
    wrong = {"type": "integer", "min": 2, "max": 1, "choices": ["a"]}
    assert admin.put(f"/v1/attributes/{name}", wrong).faults == {("#/max", "too_small"), ("#/choices", "unknown_field")}
    admin.call("DELETE", "/v1/attributes/no_such").is_problem(404, "not-found")
    assert admin.put(f"/v1/attributes/{name}", {"type": "integer"}).ok()["version"] == 2


def test_at_most_200_attributes(admin):
    names, already = [], len(admin.get("/v1/attributes").ok()["data"])
    while True:
        name = fresh("many").replace("-", "_")
        answer = admin.put(f"/v1/attributes/{name}", {"type": "text"})
        if answer.status == 409:
            break
        names.append(name)
    answer.is_problem(409, "too-many-attributes")
    assert len(names) == 200 - already
    for name in names:
        assert admin.call("DELETE", f"/v1/attributes/{name}").status == 204
