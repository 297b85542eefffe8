"""The manners of lists, for every one of /openapi.json alike: fields slims, include_total counts, sort orders."""

import itertools

import pytest

import coupons
from bulk import CSV, job_over, ndjson, upload
from calls import OPERATIONS, address, every
from client import quoted
from contract import CONTRACT, tree_of
from shop import eventually, fresh, fresh_phone, order, take

# Which count and time the very calls that look at them, or say when they looked.
MOVING = ("/v1/audit", "/v1/meta", "/v1/keys", "/v1/keys/{key}", "/v1/customers/{customer}/export", "/v1/reports/points/liability")


def parameter(operation, name):
    return next((one for one in operation.spec["parameters"] if one["name"] == name), None)


def having(name):
    return [one for one in OPERATIONS if parameter(one, name)]


def names_of(operation):
    return CONTRACT.deref(parameter(operation, "fields")["schema"]["items"])["enum"]


def slim(value, tree):
    """What fields leaves of a value, done the plain way."""
    if isinstance(value, list):
        return [slim(one, tree) for one in value]
    if value is None:
        return None
    return {name: slim(value[name], below) if below else value[name] for name, below in tree.items()}


def slim_answer(operation, answer, names):
    place = parameter(operation, "fields")["x-chooses-from"]
    return {**answer, place: slim(answer[place], tree_of(names))} if place else slim(answer, tree_of(names))


# ---------------------------------------------------------------------- fields


def test_every_list_and_every_get_can_be_slimmed():
    gets = {one.id for one in OPERATIONS if one.method == "GET"}
    assert {one.id for one in having("fields")} == gets and len(gets) > 50


@every(having("fields"))
def test_fields_leaves_what_is_named_and_nothing_else(admin, known, operation):
    at, names = address(operation, known), names_of(operation)
    outer = [name for name in names if "." not in name]
    leaves = [name for name in names if not any(other.startswith(name + ".") for other in names)]
    full = admin.get(at).ok()
    for chosen in [outer[::-1], leaves, *([name] for name in names)]:
        answer = admin.get(f"{at}?fields={','.join(chosen)}").ok()  # the contract holds it to exactly these members
        if operation.path not in MOVING:
            assert answer == slim_answer(operation, full, chosen), chosen


def told(answer):
    """The faults of fields, each as (code, detail)."""
    problem = answer.is_problem(422, "invalid")
    assert {fault["parameter"] for fault in problem["errors"]} == {"fields"}
    return [(fault["code"], fault["detail"]) for fault in problem["errors"]]


@pytest.mark.parametrize("fields,faults", [
    ("nam", [("unknown_field", "there is no member nam; did you mean name?")]),
    ("id,extrnal_id,no_such_thing", [("unknown_field", "there is no member extrnal_id; did you mean external_id?"),
                                     ("unknown_field", "there is no member no_such_thing")]),
    ("sorce.channel", [("unknown_field", "there is no member sorce.channel; did you mean source.channel?")]),
    ("source.chanel", [("unknown_field", "there is no member source.chanel; did you mean source.channel?")]),
    ("spend_minor", [("unknown_field", "there is no member spend_minor; did you mean metrics.spend_minor?")]),
    ("name.first", [("unknown_field", "there is no member name.first; name can only be asked for whole")]),
    ("attributes.shoe", [("unknown_field", "there is no member attributes.shoe; attributes can only be asked for whole")]),
    ("data.id", [("unknown_field", "there is no member data.id")]),
    ("id,id", [("duplicate", "must name id once")]),
    ("source,source.channel", [("duplicate", "must name source.channel once")]),
    ("source.channel,source", [("duplicate", "must name source once")]),
    ("", [("too_short", "must name members, with commas between")]),
    (",", [("too_short", "must name members, with commas between")] * 2),
    ("id,,name", [("too_short", "must name members, with commas between")]),
    ("id,", [("too_short", "must name members, with commas between")]),
    ("id, name", [("unknown_field", "there is no member  name; did you mean name?")]),
    ("ID", [("unknown_field", "there is no member ID")]),
    (".", [("unknown_field", "there is no member .")]),
    ("source.", [("unknown_field", "there is no member source.")]),
    ("source..channel", [("unknown_field", "there is no member source..channel")]),
    ("*", [("unknown_field", "there is no member *")]),
    ("姓名", [("unknown_field", "there is no member 姓名")]),
    ("a" * 3001, [("too_long", "must have at most 3000 characters")]),
])
@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/{}"])
def test_each_name_that_is_wrong_is_told_and_the_right_one_guessed(admin, path, fields, faults):
    customer = admin.post("/v1/customers", {"external_id": fresh("slim")}).ok(201)["id"]
    assert told(admin.get(f"{path.format(customer)}?fields={quoted(fields)}")) == faults


def test_wrong_names_are_told_together_with_the_other_faults(admin):
    answer = admin.get("/v1/orders?fields=nothing&limit=0&status=lost&no_such=1")
    assert answer.faults == {("fields", "unknown_field"), ("limit", "too_small"), ("status", "unknown_value"), ("no_such", "unknown_parameter")}


def test_more_wrong_names_than_are_told_are_counted(admin):
    problem = admin.get("/v1/orders?fields=" + ",".join(f"x{n}" for n in range(150))).is_problem(422, "invalid")
    assert len(problem["errors"]) == 100 and problem["errors_dropped"] == 50


@every([one for one in OPERATIONS if one.method != "GET"])
def test_only_what_reads_takes_fields(admin, known, operation):
    assert parameter(operation, "fields") is None
    raw = b"{}" if "requestBody" in operation.spec else None
    headers = [("Authorization", f"Bearer {admin.key}"), ("Content-Type", "application/json"), ("Idempotency-Key", fresh("key"))]
    answer = admin.send(operation.method, address(operation, known) + "?fields=id", raw, headers)
    assert ("fields", "unknown_parameter") in answer.faults


def test_a_cursor_goes_on_with_other_fields_but_not_with_another_sort(admin):
    customer = fresh("pages")
    for total in (100, 200, 300):
        take(admin, order(customer, total))
    at = f"/v1/orders?customer=ext:{customer}&limit=1"
    first = admin.get(f"{at}&fields=total_minor").ok()
    assert first["data"] == [{"total_minor": 300}]
    cursor = f"&cursor={quoted(first['next_cursor'])}"
    assert admin.get(f"{at}&fields=id,total_minor{cursor}").ok()["data"][0]["total_minor"] == 200
    assert admin.get(f"{at}{cursor}&include_total=true").ok()["total"] == 3
    admin.get(f"{at}{cursor}&sort=placed_at").is_problem(400, "bad-cursor")


def test_a_slim_answer_has_the_etag_of_the_whole(admin):
    one = admin.post("/v1/customers", {"external_id": fresh("slim")}).ok(201)
    answer = admin.get(f"/v1/customers/{one['id']}?fields=external_id")
    assert answer.ok() == {"external_id": one["external_id"]} and answer.headers["etag"] == f'"{one["version"]}"'
    assert admin.get(f"/v1/customers/{one['id']}?fields=name", If_None_Match=answer.headers["etag"]).status == 304


def test_slim_answers_are_masked_and_only_personal_ones_audited(admin, client_with):
    one = admin.post("/v1/customers", {"external_id": fresh("slim"), "name": "王小明", "phone": (phone := fresh_phone())}).ok(201)
    at = f"/v1/customers/{one['id']}"
    masked = client_with("customers:read").get(f"{at}?fields=name,phone").ok()
    assert set(masked) == {"name", "phone"} and masked["name"].startswith("王*") and "****" in masked["phone"] and phone not in str(masked)
    looks = f"/v1/audit?customer={one['id']}&kind=read&include_total=true&fields=id"
    before = admin.get(looks).ok()["total"]
    admin.get(f"{at}?fields=id,external_id,source.channel").ok()
    assert admin.get(looks).ok()["total"] == before
    admin.get(f"{at}?fields=name").ok()
    assert admin.get(looks).ok()["total"] == before + 1


def test_attributes_alone_are_audited_when_one_of_them_is_personal(admin):
    name = fresh("private").replace("-", "_")
    admin.put(f"/v1/attributes/{name}", {"type": "text", "visibility": "personal"}).ok(201)
    people = [admin.post("/v1/customers", {"external_id": fresh("slim"), "attributes": {key: "42"}}).ok(201)["id"] for key in (name, "shoe")]
    for one, noted in zip(people, (1, 0)):
        looks = f"/v1/audit?customer={one}&kind=read&include_total=true&fields=id"
        assert eventually(lambda: admin.get(f"/v1/customers/{one}?fields=attributes").ok()) and admin.get(looks).ok()["total"] == noted


def test_an_export_without_personal_columns_is_not_audited(admin):
    looks = "/v1/audit?operation=export_lines&include_total=true&fields=id"
    before = admin.get(looks).ok()["total"]
    exported(admin, "customers", "external_id,source.channel")
    assert admin.get(looks).ok()["total"] == before
    exported(admin, "customers", "external_id,phone")
    assert admin.get(looks).ok()["total"] == before + 1


# ---------------------------------------------------------------------- include_total


UNCOUNTED = {"timeline_get", "duplicate_list"}
LISTS = having("cursor")


def test_every_list_can_be_counted_but_for_those_that_have_no_table_to_count():
    assert {one.id for one in LISTS} - {one.id for one in having("include_total")} == UNCOUNTED


@every([one for one in having("include_total") if one.path != "/v1/audit"])
def test_the_total_is_what_all_pages_hold_together(admin, known, operation):
    at = address(operation, known)
    rows = [one for page in admin.pages(f"{at}?limit=200") for one in page]
    assert admin.get(f"{at}?limit=1").ok()["total"] is None
    assert admin.get(f"{at}?limit=1&include_total=false").ok()["total"] is None
    page = admin.get(f"{at}?limit=1&include_total=true").ok()
    assert page["total"] == len(rows) and page["has_more"] == (len(rows) > 1)
    if page["has_more"]:
        assert admin.get(f"{at}?limit=1&include_total=true&cursor={quoted(page['next_cursor'])}").ok()["total"] == len(rows)


def test_totals_count_what_passes_the_filters(admin):
    customer, mark = fresh("counted"), fresh("counted").replace("-", "_")
    for n in range(5):
        take(admin, order(customer, 100 * (n + 1), channel=["live", "search"][n % 2], status=["paid", "shipped"][n % 2]))

    def total(path, query):
        page = admin.get(f"{path}?{query}&limit=1&include_total=true").ok()
        assert page["total"] == sum(len(one) for one in admin.pages(f"{path}?{query}&limit=2")), (path, query)
        return page["total"]

    mine = f"customer=ext:{customer}"
    counts = [total("/v1/orders", f"{mine}&{one}") for one in ("status=paid", "status=shipped", "channel=live", "total_min=300",
                                                               "total_max=200", "total_min=200&total_max=400&channel=search",
                                                               "since=2000-01-01T00:00:00Z", "until=2000-01-01T00:00:00Z")]
    assert counts == [3, 2, 3, 3, 2, 2, 5, 0]
    ledger = f"/v1/customers/ext:{customer}/points/ledger"
    assert total(ledger, "") == len(admin.get(f"{ledger}?limit=200").ok()["data"]) >= 5
    for n in range(3):
        admin.put(f"/v1/groups/{mark}_{n}", {"name": mark, **({"platform": "wechat_group"} if n else {})}).ok(201)
    assert total("/v1/groups", "platform=wechat_group") >= 2
    template = coupons.template(admin)
    issued = [coupons.issue(admin, template)["code"] for _ in range(3)]
    admin.call("DELETE", f"/v1/coupons/{issued[0]}").ok()
    assert (total("/v1/coupons", f"template={template}"), total("/v1/coupons", f"template={template}&state=revoked")) == (3, 1)
    assert total("/v1/audit", "operation=coupon_revoke_single&since=2000-01-01T00:00:00Z") >= 1
    assert total("/v1/audit", "operation=nothing_of_the_kind") == 0


def test_a_value_that_is_no_yes_or_no_is_refused(admin):
    for value in ("", "1", "yes", "TRUE", "null"):
        assert admin.get(f"/v1/groups?include_total={value}").faults == {("include_total", "wrong_type")}


# ---------------------------------------------------------------------- sort


def sorts(operation):
    return parameter(operation, "sort")["schema"]["enum"]


@pytest.fixture(scope="module")
def several(admin):
    """Some of everything that can be sorted; equal ones among them."""
    customer = fresh("sorted")
    at = "2026-03-01T00:00:00Z"
    for n in range(6):
        take(admin, order(customer, 100, placed_at=at if n % 2 else f"2026-03-0{n + 1}T00:00:00Z"))
        code = fresh("sorted").replace("-", "_")
        admin.put(f"/v1/groups/{code}", {"name": f"sorted {n % 3}"}).ok(201)
        if n % 2:
            admin.post(f"/v1/groups/{code}/members", {"add": [f"ext:{customer}"]}).ok()
        coupons.template(admin)
        admin.put(f"/v1/rewards/{code}", {"name": "sorted", "kind": "gift", "points": n + 1}).ok(201)
        job_over(admin, upload(admin, "customers", ndjson([{"external_id": fresh("sorted")}])).ok(201))


SORTED = [one for one in having("sort") if one.id != "customer_list"]  # which test_crm_lists.py does


@every(SORTED)
def test_each_order_is_kept_over_all_pages_and_turned_around_by_a_minus(admin, several, operation):
    names = sorts(operation)
    assert [f"-{name}" for name in names[::2]] == names[1::2]
    assert parameter(operation, "sort")["schema"]["default"] in names
    for name in names[::2]:
        up, down = ([one for page in admin.pages(f"{operation.path}?limit=7&sort={sort}") for one in page] for sort in (name, f"-{name}"))
        assert len(up) >= 6 and up == down[::-1], name
        key = "code" if "code" in up[0] else "id"
        places = [(one[name], one[key]) for one in up]
        assert len(set(places)) == len(places)
        if name in ("code", "name"):  # in the order of the database's collation, in which equal ones stand together
            assert len([value for value, _ in itertools.groupby(one[name] for one in up)]) == len({one[name] for one in up})
        else:
            assert [value for value, _ in places] == sorted(value for value, _ in places)


@every(SORTED)
def test_without_sort_a_list_has_its_default_order(admin, several, operation):
    default = parameter(operation, "sort")["schema"]["default"]
    assert admin.get(f"{operation.path}?limit=20").ok() == admin.get(f"{operation.path}?limit=20&sort={default}").ok()


@every(having("sort"))
def test_an_unknown_order_is_refused_with_all_there_are(admin, operation):
    for value in ("no_such", "", "-", "+created_at", "CODE", "code,name", "--code", "id;drop table orders"):
        answer = admin.get(f"{operation.path}?sort={quoted(value)}")
        assert answer.faults == {("sort", "unknown_value")}
        assert answer.json()["errors"][0]["detail"] == "must be one of: " + ", ".join(sorts(operation))


def test_orders_can_be_listed_oldest_first_with_filters(admin):
    customer = fresh("oldest")
    placed = [f"2026-0{month}-01T00:00:00Z" for month in (3, 1, 5, 2, 4)]
    for n, at in enumerate(placed):
        take(admin, order(customer, 100 + n, placed_at=at, channel=["live", "search"][n % 2]))
    for query, months in (("sort=placed_at", [1, 2, 3, 4, 5]), ("sort=-placed_at", [5, 4, 3, 2, 1]), ("", [5, 4, 3, 2, 1]),
                          ("sort=placed_at&channel=live", [3, 4, 5]), ("sort=placed_at&since=2026-03-01T00:00:00Z", [3, 4, 5]),
                          ("sort=-placed_at&until=2026-03-01T00:00:00Z", [2, 1])):
        for limit in (1, 2, 50):
            pages = admin.pages(f"/v1/orders?customer=ext:{customer}&limit={limit}&{query}")
            assert [int(one["placed_at"][5:7]) for page in pages for one in page] == months, query


# ---------------------------------------------------------------------- exports


def exported(client, kind, fields, accept=CSV, more=""):
    return client.get(f"/v1/exports/{kind}?fields={quoted(fields)}{more}", Accept=accept)


def test_an_export_has_the_columns_that_are_asked_for_in_their_order(admin):
    customer = fresh("columns")
    take(admin, order({"external_id": customer, "name": "=王", "source": {"channel": "live", "campaign": "spring, one"}}, 12_300, 700))
    admin.get(f"/v1/customers?q={customer}").ok()  # which settles what exports are filtered by
    one = f"&q={customer}"
    assert exported(admin, "customers", "name,external_id", more=one).body.decode() == f'name,external_id\r\n"\'=王",{customer}\r\n'
    assert exported(admin, "customers", "source.campaign,source.channel", more=one).body.decode() == \
        'source.campaign,source.channel\r\n"spring, one",live\r\n'
    header = exported(admin, "customers", "external_id,source", more=one).body.decode().split("\r\n")[0].split(",")
    assert header[0] == "external_id" and len(header) > 3 and all(name.startswith("source.") for name in header[1:])
    lines = exported(admin, "customers", "phone,source.channel,external_id", "application/x-ndjson", one).body.decode()
    assert lines == f'{{"external_id":"{customer}","source":{{"channel":"live"}}}}\n'
    number = admin.get(f"/v1/orders?customer=ext:{customer}").ok()["data"][0]["external_id"]
    assert exported(admin, "orders", "total_minor,external_id,status", more=f"&customer=ext:{customer}").body.decode() == \
        f"total_minor,external_id,status\r\n13000,{number},paid\r\n"


def test_every_type_of_export_can_be_slimmed_to_each_of_its_columns(admin, known):
    types = next(one for one in CONTRACT.by_id["export_lines"].spec["parameters"] if one["name"] == "type")["schema"]["enum"]
    for kind in types:
        rows = admin.get(f"/v1/exports/{kind}", Accept=CSV).body.decode().split("\r\n", 1)[0].split(",")
        for chosen in (rows[:1], rows[::-1]):
            answer = exported(admin, kind, ",".join(chosen))
            assert answer.status == 200 and answer.body.decode().split("\r\n", 1)[0].split(",") == chosen, kind


@pytest.mark.parametrize("fields,faults", [
    ("exernal_id", [("unknown_field", "there is no member exernal_id; did you mean external_id?")]),
    ("campaign", [("unknown_field", "there is no member campaign; did you mean source.campaign?")]),
    ("name,nothing,name", [("unknown_field", "there is no member nothing"), ("duplicate", "must name name once")]),
    ("identities.kind", [("unknown_field", "there is no member identities.kind; identities can only be asked for whole")]),
    ("", [("too_short", "must name members, with commas between")]),
    ("a" * 3001, [("too_long", "must have at most 3000 characters")]),
])
@pytest.mark.parametrize("accept", [CSV, "application/x-ndjson"])
def test_a_column_that_an_export_does_not_have_is_told(admin, accept, fields, faults):
    assert told(exported(admin, "customers", fields, accept)) == faults


def test_a_slim_export_is_masked(client_with, admin):
    one = admin.post("/v1/customers", {"external_id": fresh("slim"), "name": "欧阳娜娜"}).ok(201)
    client = client_with("imports:read,customers:read")
    rows = exported(client, "customers", "name,external_id").body.decode().split("\r\n")
    assert [row.split(",")[0] for row in rows if row.endswith("," + one["external_id"])] == ["欧*"]
