"""Versions of the programme: compared before they are switched on, listed, brought back."""

from shop import eventually, fresh, order, take
from test_program import base, document, GROWTH


def proposed(admin, **parts):
    return {**document(admin.get("/v1/program").ok()), **parts}


def test_a_proposal_is_compared_by_names_and_stored_only_by_put(admin, program):
    program({})
    before = admin.get("/v1/program").ok()
    sent = proposed(admin, earning=[base(rate=2000000), GROWTH, {"code": "welcome", "kind": "add", "points": 100, "when": "first_order"}])
    sent["tiers"][2]["benefits"]["discount_permille"] = 120
    sent["tiers"][1]["qualify"]["any_of"] = [{"metric": "orders", "at_least": 3}]
    answer = admin.post("/v1/program/diff", sent).ok()
    assert (answer["from_version"], answer["to_version"]) == (before["version"], None)
    told = {one["path"]: (one["change"], one["before"], one["after"]) for one in answer["changes"]}
    assert list(told) == ["/earning/base/rate_millionths", "/earning/welcome", "/tiers/silver/qualify/any_of",
                          "/tiers/gold/benefits/discount_permille"]
    assert told["/earning/base/rate_millionths"] == ("changed", 1000000, 2000000)
    assert told["/earning/welcome"][0::2] == ("added", {**answer["changes"][1]["after"], "points": 100, "when": "first_order"})
    assert told["/tiers/silver/qualify/any_of"][2] == [{"metric": "orders", "window_months": None, "at_least": 3}]
    assert admin.get("/v1/program").ok() == before
    key = fresh("key")
    admin.post("/v1/program/diff", sent, Idempotency_Key=key).ok()
    admin.post("/v1/program/diff", document(before), Idempotency_Key=key).is_problem(422, "idempotency-key-reused")
    stored = program(sent)
    same = admin.get(f"/v1/program/versions/{stored['version']}/diff").ok()
    assert same["changes"] == answer["changes"] and same["to_version"] == stored["version"]
    assert admin.post("/v1/program/diff", document(stored)).ok()["changes"] == []


def test_a_faulty_proposal_is_told_as_put_tells_it(admin):
    sent = proposed(admin, earning=[base(when="catgory = 'x'"), base()])
    wrong = {("#/earning/0/when", "expression_unknown_field"), ("#/earning/1/code", "duplicate")}
    assert admin.post("/v1/program/diff", sent).faults == wrong == admin.put("/v1/program", sent).faults


def test_an_earlier_version_comes_back_as_a_new_one_and_decides_again(admin, program):
    first = program({})
    admin.put("/v1/program?note=double%20days", proposed(admin, earning=[base(rate=2000000), GROWTH])).ok()
    eventually(lambda: take(admin, order(fresh("customer"), 100))["points"]["earned"] == 2, seconds=2)
    admin.post("/v1/program/rollback", {"version": 1 << 40}).is_problem(404, "not-found")
    admin.post("/v1/program/rollback", {"version": first["version"]}, If_Match=f'"{first["version"]}"').is_problem(412, "stale-version")
    key = fresh("key")
    back = admin.post("/v1/program/rollback", {"version": first["version"], "note": "the days are over"}, Idempotency_Key=key).ok()
    admin.post("/v1/program/rollback", {"version": first["version"]}, Idempotency_Key=key).is_problem(422, "idempotency-key-reused")
    assert back["version"] == first["version"] + 2 and document(back) == document(first)
    eventually(lambda: take(admin, order(fresh("customer"), 100))["points"]["earned"] == 1, seconds=2)
    page = admin.get("/v1/program/versions?limit=3").ok()
    assert [(one["version"] - first["version"], one["note"], one["restored_version"]) for one in page["data"]] == [
        (2, "the days are over", first["version"]), (1, "double days", None), (0, None, None)]
    assert page["data"][0]["key_id"] == admin.key.split("_")[1]
    old = admin.get(f"/v1/program/versions/{first['version']}")
    assert old.ok() == first
    assert admin.get(f"/v1/program/versions/{first['version']}", If_None_Match=old.headers["etag"]).status == 304
    admin.get(f"/v1/program/versions/{back['version'] + 1}").is_problem(404, "not-found")
    diff = f"/v1/program/versions/{back['version']}/diff"
    assert [one["path"] for one in admin.get(diff).ok()["changes"]] == ["/earning/base/rate_millionths"]
    assert admin.get(f"{diff}?from={first['version']}").ok()["changes"] == [] == admin.get("/v1/program/versions/1/diff").ok()["changes"]
    admin.get(f"{diff}?from={back['version'] + 1}").is_problem(404, "not-found")


def test_versions_are_listed_page_by_page_to_the_first(admin, program):
    newest = program({})["version"]
    seen, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"/v1/program/versions?limit=7{cursor and '&cursor=' + cursor}").ok()
        seen += [one["version"] for one in page["data"]]
        cursor = page["next_cursor"]
    assert seen == list(range(newest, 0, -1))
    admin.get("/v1/program/versions?cursor=x").is_problem(400, "bad-cursor")
