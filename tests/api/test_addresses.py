"""Where parcels go: put by name, within the customer and beside him, one the default at most; merged, and alike."""

import pytest

from bulk import CSV, errors, export, import_all, job_over, ndjson, upload
from client import quoted
from shop import fresh, fresh_phone, order, take

MOST = 20
PLACE = {"recipient": "王小明", "phone": "010-12345678-801", "country": "CN", "province": "上海", "city": "上海市", "district": "徐汇区",
         "street": "淮海中路 999 号\n18 楼", "postal_code": "200031", "is_default": True}
EMPTY = dict.fromkeys(("recipient", "phone", "country", "province", "city", "district", "postal_code"))


@pytest.fixture
def someone(admin):
    return admin.post("/v1/customers", {"external_id": fresh("lives")}).ok(201)


@pytest.fixture
def who(someone):
    return f"/v1/customers/{someone['id']}"


def names(client, who):
    return [one["name"] for one in client.get(f"{who}/addresses").ok()["data"]]


def of(address):
    """What an address says."""
    return {name: value for name, value in address.items() if name not in ("customer_id", "version", "created_at", "updated_at")}


def fill(client, who, n):
    for at in range(n):
        client.put(f"{who}/addresses/n{at}", {"street": "s"}).ok(201)


# ---------------------------------------------------------------------- one address


def test_an_address_is_put_read_changed_and_taken_away(admin, someone, who):
    at = f"{who}/addresses/{quoted('家 1')}"
    answer = admin.put(at, PLACE)
    made = answer.ok(201)
    assert admin.put(f"{who}/addresses/less", {"street": "s"}, Prefer="return=minimal").headers["location"] == f"{who}/addresses/less"
    admin.call("DELETE", f"{who}/addresses/less").empty()
    assert answer.headers["location"] == at and of(made) == {"name": "家 1", **PLACE}
    assert (made["customer_id"], made["version"], made["created_at"]) == (someone["id"], 1, made["updated_at"])
    read = admin.get(at)
    assert read.ok() == made and admin.get(at, If_None_Match=read.headers["etag"]).status == 304
    assert admin.put(at, PLACE).ok(200) == made, "the same again changes nothing"
    replaced = admin.put(at, {"street": "另一条路 1 号"}).ok(200)
    assert of(replaced) == {"name": "家 1", **EMPTY, "street": "另一条路 1 号", "is_default": False} and replaced["version"] == 2
    patched = admin.patch(at, {"city": "北京", "recipient": "李"}).ok()
    assert (patched["street"], patched["city"], patched["recipient"], patched["version"]) == ("另一条路 1 号", "北京", "李", 3)
    assert admin.patch(at, {"recipient": None}).ok()["recipient"] is None
    assert admin.patch(at, {"city": "北京"}).ok()["version"] == 4
    assert admin.call("DELETE", at).status == 204
    for gone in (admin.call("DELETE", at), admin.get(at), admin.patch(at, {"city": "x"})):
        gone.is_problem(404, "not-found")
    assert names(admin, who) == []


def test_an_address_is_changed_by_whoever_has_seen_it(admin, who):
    at = f"{who}/addresses/home"
    assert admin.put(at, PLACE, If_Match='"1"').is_problem(412, "stale-version")["version"] == 0
    etag = admin.put(at, PLACE).headers["etag"]
    admin.put(at, {**PLACE, "city": "x"}, If_Match=etag).ok(200)
    admin.put(at, PLACE, If_Match=etag).is_problem(412, "stale-version")
    admin.patch(at, {"city": "y"}, If_Match=etag).is_problem(412, "stale-version")
    assert admin.get(at).ok()["city"] == "x"


def test_every_fault_of_an_address_is_named(admin, who):
    assert admin.put(f"{who}/addresses/home", {"city": "x"}).faults == {("#/street", "required")}
    assert admin.put(f"{who}/addresses/home", {"street": "", "phone": "1" * 41, "postal_code": "a\u0001", "is_default": "yes", "floor": 1}).faults == {
        ("#/street", "too_short"), ("#/phone", "too_long"), ("#/postal_code", "wrong_format"), ("#/is_default", "wrong_type"),
        ("#/floor", "unknown_field")}
    admin.put(f"{who}/addresses/home", PLACE).ok(201)
    assert admin.patch(f"{who}/addresses/home", {"street": None}).faults == {("#/street", "required")}
    admin.put(f"{who}/addresses/{'x' * 101}", PLACE).is_problem(422, "invalid")
    for path in ("", "/home"):
        admin.get(f"/v1/customers/ext:nobody/addresses{path}").is_problem(404, "not-found")


def test_the_default_is_one_at_most_and_comes_first(admin, who):
    for name in ("b", "a", "c"):
        admin.put(f"{who}/addresses/{name}", {"street": name, "is_default": name != "a"}).ok(201)
    assert [(one["name"], one["is_default"]) for one in admin.get(f"{who}/addresses").ok()["data"]] == [("c", True), ("a", False), ("b", False)]
    assert admin.get(f"{who}/addresses/b").ok()["version"] == 2, "it lost the mark"
    admin.patch(f"{who}/addresses/a", {"is_default": True}).ok()
    assert names(admin, who) == ["a", "b", "c"]
    admin.patch(f"{who}/addresses/a", {"is_default": False}).ok()
    assert [one["is_default"] for one in admin.get(f"{who}/addresses").ok()["data"]] == [False] * 3


def test_at_most_20_addresses(admin, someone, who):
    fill(admin, who, MOST)
    more = {"name": "more", "street": "s"}
    admin.put(f"{who}/addresses/more", {"street": "s"}).is_problem(409, "too-many-addresses")
    admin.put(who, {"addresses": [{"name": "n3", "street": "new"}, more]}).is_problem(409, "too-many-addresses")
    refused = order({"id": someone["id"], "name": "never", "addresses": [more]}, 1000)
    admin.post("/v1/orders", refused).is_problem(409, "too-many-addresses")
    failed = job_over(admin, upload(admin, "customers", ndjson([{"external_id": someone["external_id"], "name": "never", "addresses": [more]}])).ok(201))
    assert [one["error"]["type"] for one in errors(admin, failed)] == ["/problems/too-many-addresses"]
    seen = admin.get(who).ok()
    assert (seen["name"], len(seen["addresses"]), {one["street"] for one in seen["addresses"]}) == (None, MOST, {"s"}), "all or nothing"
    admin.put(f"{who}/addresses/n3", {"street": "new"}).ok(200)
    lines = [{"customer": someone["id"], **more}, {"customer": someone["id"], "name": "n3", "remove": True}, {"customer": someone["id"], **more}]
    job = job_over(admin, upload(admin, "addresses", ndjson(lines)).ok(201))
    assert [(one["line"], one["error"]["type"]) for one in errors(admin, job)] == [(1, "/problems/too-many-addresses")]
    assert admin.patch(who, {"addresses": [{"name": f"m{n}", "street": "s"} for n in range(MOST + 1)]}).faults == {("#/addresses", "too_many")}
    admin.post("/v1/customers", {"external_id": someone["external_id"], "addresses": [more, {**more, "name": "x"}]}).is_problem(409, "identity-taken")


# ---------------------------------------------------------------------- within the customer


def test_a_customer_is_sent_and_shown_with_addresses(admin):
    number = fresh("lives")
    made = admin.post("/v1/customers", {"external_id": number, "addresses": [{"name": "office", "street": "b"}, {"name": "home", **PLACE}]}).ok(201)
    assert [of(one) for one in made["addresses"]] == [{"name": "home", **PLACE},
                                                      {"name": "office", **EMPTY, "street": "b", "is_default": False}]
    assert {one["customer_id"] for one in made["addresses"]} == {made["id"]}
    path = f"/v1/customers/{made['id']}"
    assert admin.get(path).ok()["addresses"] == made["addresses"]
    listed = admin.get(f"/v1/customers?q={number}").ok()["data"]
    assert [one["addresses"] for one in listed] == [made["addresses"]]
    put = admin.put(path, {"addresses": [{"name": "shop", "street": "c", "is_default": True}]}).ok(200)
    assert [(one["name"], one["is_default"]) for one in put["addresses"]] == [("shop", True), ("home", False), ("office", False)], "a PUT adds"
    assert admin.put(path, {"addresses": None}).ok(200)["addresses"] == put["addresses"]
    line, = export(admin, "customers", f"?q={number}")
    assert "addresses" not in line, "they go out as lines of their own"
    assert "addresses" not in admin.get(f"/v1/exports/customers?q={number}", Accept=CSV).body.decode()
    import_all(admin, "customers", [{**line, "addresses": [{"name": "home", "street": "d"}]}])
    assert [(one["name"], one["street"]) for one in export(admin, "addresses", f"?customer=ext:{number}")] == [
        ("home", "d"), ("office", "b"), ("shop", "c")]


def test_a_patch_replaces_the_list_of_addresses(admin, who, clock):
    admin.put(who, {"addresses": [{"name": "home", **PLACE}, {"name": "office", "street": "b"}]}).ok(200)
    before = admin.get(who).ok()
    assert admin.patch(who, {"name": "N"}).ok()["addresses"] == before["addresses"], "what is left out stays"
    clock.advance(hours=1)
    patched = admin.patch(who, {"addresses": [{"name": "office", "street": "b", "is_default": True}, {"name": "home", "street": "c"}]}).ok()
    assert [(one["name"], one["street"], one["version"], one["created_at"]) for one in patched["addresses"]] == [
        ("office", "b", 2, before["addresses"][1]["created_at"]), ("home", "c", 2, before["addresses"][0]["created_at"])]
    assert names(admin, who) == ["office", "home"]
    admin.patch(who, {"addresses": []}, If_Match='"1"').is_problem(412, "stale-version")
    twice = [{"name": "home", "street": "c", "is_default": True}] * 2 + [{"street": "d"}]
    assert admin.patch(who, {"addresses": twice}).faults == {("#/addresses/2/name", "required")}
    for body in (lambda: admin.patch(who, {"addresses": twice[:2]}), lambda: admin.put(who, {"addresses": twice[:2]})):
        assert body().faults == {("#/addresses/1/name", "duplicate"), ("#/addresses/1/is_default", "duplicate")}
    assert admin.patch(who, {"addresses": [{"name": "home", "street": "c"}]}).ok()["addresses"] == [
        {**patched["addresses"][1], "version": 2}], "what is in the list and the same stays as it is"
    assert admin.patch(who, {"addresses": None}).ok()["addresses"] == []


def test_every_change_of_an_address_changes_what_the_customer_is_shown_with(admin, who):
    versions = [admin.get(who).ok()["version"]]
    for change in (lambda: admin.put(f"{who}/addresses/home", PLACE).ok(201), lambda: admin.put(f"{who}/addresses/home", PLACE).ok(200),
                   lambda: admin.patch(f"{who}/addresses/home", {"city": "x"}).ok(), lambda: admin.call("DELETE", f"{who}/addresses/home").empty()):
        change()
        versions.append(admin.get(who).ok()["version"])
    assert versions == [1, 2, 2, 3, 4]


def test_orders_bring_addresses_and_their_replays_nothing(admin, server):
    number = fresh("buys")
    body = order({"external_id": number, "phone": fresh_phone(), "addresses": [{"name": "home", **PLACE}]}, 60_000)
    first = take(admin, body)
    who = f"/v1/customers/ext:{number}"
    assert [of(one) for one in admin.get(who).ok()["addresses"]] == [{"name": "home", **PLACE}]
    assert "addresses" not in str(first) and "淮海" not in str(first), "the outcome is kept for whoever sends it again"
    admin.put(f"{who}/addresses/home", {"street": "moved"}).ok(200)
    again = admin.post("/v1/orders", body)
    assert again.ok(200) == first and again.headers["idempotency-hit"] == "true"
    assert admin.get(f"{who}/addresses/home").ok()["street"] == "moved"
    take(admin, order({"external_id": number, "addresses": [{"name": "office", "street": "b"}]}, 1_000))
    take(admin, order(number, 1_000))
    assert names(admin, who) == ["home", "office"]
    assert admin.post("/v1/orders", order({"external_id": number, "addresses": [{"name": "x"}]}, 1_000)).faults == {
        ("#/customer/addresses/0/street", "required")}
    assert " 0 wrong" in server.command("check")


# ---------------------------------------------------------------------- told, exported, masked


def test_changes_are_told_and_audited_each_by_itself(admin, someone, who):
    admin.put(f"{who}/addresses/home", PLACE).ok(201)
    admin.put(who, {"addresses": [{"name": "office", "street": "b", "is_default": True}]}).ok(200)
    admin.patch(who, {"addresses": [{"name": "office", "street": "b"}]}).ok()
    events = [(one["type"], one["payload"]) for one in export(admin, "events", f"?customer={someone['id']}") if one["type"].startswith("address.")]
    assert sorted(events, key=str) == sorted([
        ("address.added", {"address": "home"}), ("address.added", {"address": "office"}), ("address.changed", {"address": "home"}),
        ("address.changed", {"address": "office"}), ("address.removed", {"address": "home"})], key=str)
    entries = [one for one in admin.get(f"/v1/audit?customer={someone['id']}&kind=write&limit=200").ok()["data"] if "/addresses/" in one["subject"]]
    assert {one["operation"] for one in entries} == {"address_put_one", "customer_put_one", "customer_patch_one"} and len(entries) == 5
    gone, = (one for one in entries if one["subject"] == f"{who}/addresses/home" and one["operation"] == "customer_patch_one")
    assert gone["changes"]["street"] == {"before": "***", "after": None} and gone["changes"]["recipient"]["before"] == "王*"
    assert gone["personal"]["street"]["before"] == PLACE["street"]
    of_customer = [one for one in admin.get(f"/v1/audit?customer={someone['id']}&kind=write").ok()["data"] if one["subject"] == who]
    assert [one["operation"] for one in of_customer] == ["customer_patch_one", "customer_put_one", "customer_create_one"]
    assert all(one["changes"].get("addresses", {"after": []})["after"] == [] for one in of_customer), "each address has an entry of its own"


def test_an_address_is_masked_without_customers_pii(admin, who, client_with):
    admin.put(f"{who}/addresses/home", {**PLACE, "phone": "+8613800138000"}).ok(201)
    for shown in (client_with("customers:read").get(f"{who}/addresses/home").ok(), client_with("customers:read").get(who).ok()["addresses"][0]):
        assert of(shown) == {"name": "home", **PLACE, "recipient": "王*", "phone": "+86138****8000", "street": "***", "postal_code": "***"}
    admin.patch(f"{who}/addresses/home", {"phone": "010-12345678 转 801"}).ok()
    assert client_with("customers:read").get(f"{who}/addresses/home").ok()["phone"] == "***"


def test_what_fails_is_mended_and_sent_again(admin, someone):
    raw = f"customer,name,street,is_default\next:{someone['external_id']},home,,true\n{someone['id']},office,\"b, 1\",\n".encode()
    job = job_over(admin, upload(admin, "addresses", raw, content_type=CSV).ok(201))
    told_back = admin.get(f"/v1/jobs/{job['id']}/errors", Accept=CSV).body.decode()
    assert "required" in told_back
    mended = told_back.replace(",home,,", ",home,a road,")
    assert job_over(admin, upload(admin, "addresses", mended.encode(), content_type=CSV).ok(201))["succeeded"] == 1
    assert [(one["name"], one["street"]) for one in admin.get(f"/v1/customers/{someone['id']}/addresses").ok()["data"]] == [
        ("home", "a road"), ("office", "b, 1")]


# ---------------------------------------------------------------------- merged


def merge(admin, survivor, absorbed):
    return admin.post(f"{survivor}/merges", {"absorbed": absorbed.rpartition("/")[2]}, Idempotency_Key=fresh("key"))


def undo(admin, merged):
    admin.post(f"/v1/merges/{merged['id']}/undo", {}, Idempotency_Key=fresh("key")).ok()


def other_one(admin):
    return f"/v1/customers/{admin.post('/v1/customers', {'external_id': fresh('other')}).ok(201)['id']}"


def places(client, who):
    return [(one["name"], one["street"], one["is_default"]) for one in client.get(f"{who}/addresses").ok()["data"]]


def test_a_merge_loses_no_address_and_its_undoing_gives_each_back(admin, who):
    other = other_one(admin)
    for path, name, street, default in ((who, "home", "a", True), (who, "office", "b", False), (other, "home", "c", True),
                                        (other, "work", "b", False), (other, "mother", "d", False)):
        admin.put(f"{path}/addresses/{name}", {"street": street, "is_default": default}).ok(201)
    before = [admin.get(f"{path}/addresses").ok()["data"] for path in (who, other)]
    preview = admin.post(f"{who}/merges/preview", {"absorbed": other.rpartition("/")[2]}).ok()
    assert {"table": "customer_addresses", "rows": 3} in preview["moves"]
    assert (preview["survivor"]["addresses"], preview["absorbed"]["addresses"]) == tuple(before)
    merged = merge(admin, who, other).ok(201)
    assert places(admin, who) == [("home", "a", True), ("home 2", "c", False), ("mother", "d", False), ("office", "b", False)]
    admin.patch(f"{who}/addresses/mother", {"city": "since"}).ok()
    admin.put(f"{who}/addresses/new", {"street": "e"}).ok(201)
    undo(admin, merged)
    assert places(admin, who) == [("home", "a", True), ("new", "e", False), ("office", "b", False)]
    assert places(admin, other) == [("home", "c", True), ("mother", "d", False), ("work", "b", False)]
    assert admin.get(f"{other}/addresses/mother").ok()["city"] == "since", "what has become of it goes along"


def test_a_merge_that_would_make_too_many_addresses_is_blocked(admin, who):
    other = other_one(admin)
    fill(admin, who, MOST)
    admin.put(f"{other}/addresses/n0", {"street": "s"}).ok(201)
    preview = admin.post(f"{who}/merges/preview", {"absorbed": other.rpartition("/")[2]}).ok()
    assert preview["possible"], "he has that one"
    admin.put(f"{other}/addresses/more", {"street": "another"}).ok(201)
    assert merge(admin, who, other).is_problem(409, "merge-blocked")["blocker"] == "too_many_addresses"
    assert admin.call("DELETE", f"{who}/addresses/n7").status == 204
    undo(admin, merge(admin, who, other).ok(201))
    assert names(admin, other) == ["more", "n0"]


# ---------------------------------------------------------------------- alike


def alike(admin, why):
    return [({row["id"] for row in one["customers"]}, one["score"])
            for page in admin.pages(f"/v1/customers/duplicates?why={why}&limit=200") for one in page]


def at_home(admin, name, *addresses, **profile):
    body = {"external_id": fresh("alike"), "name": name, "addresses": [{"name": f"n{at}", **one} for at, one in enumerate(addresses)], **profile}
    return admin.post("/v1/customers", body).ok(201)["id"]


def test_customers_are_alike_by_the_same_name_and_any_address_however_it_is_typed(admin):
    mark = fresh("road")
    one = at_home(admin, f"王 {mark}", {"street": "elsewhere"}, {"province": "上海", "city": "上海市", "district": "徐汇区", "street": f"{mark}路 12 号，3 楼"})
    two = at_home(admin, f"王{mark.upper()}", {"city": "上海", "street": f"徐汇区{mark}路１２号 3楼", "postal_code": "200031"})
    stranger = at_home(admin, f"李{mark}", {"city": "上海", "street": f"徐汇区{mark}路１２号 3楼"})
    assert ({one, two}, 75) in alike(admin, "address")
    assert not any(stranger in ids for ids, _ in alike(admin, "address"))
    shown = next(each for page in admin.pages("/v1/customers/duplicates?why=address&limit=200") for each in page
                 if {row["id"] for row in each["customers"]} == {one, two})
    assert sorted(len(row["addresses"]) for row in shown["customers"]) == [1, 2], "to be looked at before a merge"
    for each in (one, two):
        admin.patch(f"/v1/customers/{each}", {"birthday": "1990-02-03"}).ok()
    assert ({one, two}, 90) in alike(admin, "address")


def test_likeness_follows_the_addresses_whatever_changes_them(admin):
    mark = fresh("street")
    one, two, three = (at_home(admin, f"N{mark}") for _ in range(3))
    def seen():
        return [ids for ids, _ in alike(admin, "address") if ids & {one, two, three}]
    admin.put(f"/v1/customers/{one}/addresses/home", {"street": mark}).ok(201)
    import_all(admin, "addresses", [{"customer": two, "name": "office", "street": f"{mark}."}])
    assert seen() == [{one, two}]
    take(admin, order({"id": three, "addresses": [{"name": "x", "street": mark}]}, 1000))
    assert seen() == [{one, two, three}]
    admin.patch(f"/v1/customers/{two}", {"addresses": None}).ok()
    admin.patch(f"/v1/customers/{one}/addresses/home", {"city": "another"}).ok()
    assert seen() == []
    admin.patch(f"/v1/customers/{three}/addresses/x", {"city": "Another"}).ok()
    assert seen() == [{one, three}]
    admin.call("DELETE", f"/v1/customers/{one}/addresses/home").empty()
    assert seen() == []


def test_somebody_without_a_name_is_whoever_takes_the_parcels(admin):
    mark = fresh("parcel")
    one = at_home(admin, f"张{mark}", {"city": "x", "street": mark, "recipient": "somebody else"})
    two = admin.post("/v1/customers", {"phone": fresh_phone(), "addresses": [{"name": "h", "city": "x", "street": mark, "recipient": f"张{mark}"}]}).ok(201)
    assert ({one, two["id"]}, 75) in alike(admin, "address")


def test_a_city_is_a_hint_only_where_no_address_says_more(admin):
    mark = fresh("hint")
    one, two, three = (at_home(admin, f"N{mark}", city=mark) for _ in range(3))
    def seen():
        return [(ids, score) for ids, score in alike(admin, "region") if ids & {one, two, three}]
    assert seen() == [({one, two, three}, 40)]
    admin.put(f"/v1/customers/{three}/addresses/home", {"city": mark, "street": "a"}).ok(201)
    assert seen() == [({one, two}, 40)]
    admin.call("DELETE", f"/v1/customers/{three}/addresses/home").empty()
    assert seen() == [({one, two, three}, 40)]
