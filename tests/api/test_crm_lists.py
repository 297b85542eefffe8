"""Lists of customers: search, filters, orders, pages."""

import itertools
import urllib.parse

import pytest

from shop import fresh, fresh_phone, order, take

SORTS = ["created_at", "updated_at", "name", "last_order_at", "orders", "spend_minor", "growth", "points_active"]


@pytest.fixture(scope="module")
def mark():
    """An owner that only these customers have."""
    return fresh("owner")


@pytest.fixture(scope="module")
def people(admin, mark):
    """Twelve customers with names, contacts and orders of several kinds."""
    names = ["王小明", "王芳", "李小红", "张伟", "欧阳娜娜", "Anna Wang", "anna MÜLLER", None, "小明", "Bob 100%", "a_b", "陈'd"]
    made = []
    for n, name in enumerate(names):
        body = {"external_id": fresh("listed"), "name": name, "owner": mark, "language": ["zh-CN", "en"][n % 2],
                "province": ["浙江", "广东", "上海"][n % 3], "source": {"channel": ["live", "search"][n % 2], "campaign": ["spring", None][n % 2]},
                "district": ["西湖", None][n % 2], "gender": ["female", "male", None][n % 3],
                "birthday": ["05-20", "1990-05-31", "2000-02-29", None, "12-24", "1970-01-03"][n % 6]}
        if n % 2 == 0:
            body["phone"] = fresh_phone()
        if n % 3 == 0:
            body["email"] = f"{fresh('mail')}@example.com"
        made.append(admin.post("/v1/customers", body).ok(201))
        for _ in range(n % 4):
            take(admin, order(body["external_id"], 10_000 * (n % 3 + 1)))
    return [admin.get(f"/v1/customers/{one['id']}").ok() for one in made]


def listed(client, **query):
    return [one for page in client.pages("/v1/customers?" + urllib.parse.urlencode(query)) for one in page]


def ids(people):
    return [one["id"] for one in people]


@pytest.mark.parametrize("q,found", [
    ("王", ["王小明", "王芳"]), ("小明", ["王小明", "小明"]), ("王小明", ["王小明"]), ("欧阳娜", ["欧阳娜娜"]), ("欧阳娜娜", ["欧阳娜娜"]),
    ("阳娜娜", ["欧阳娜娜"]), ("anna", ["Anna Wang", "anna MÜLLER"]), ("WANG", ["Anna Wang"]), ("wang anna", ["Anna Wang"]),
    ("100%", ["Bob 100%"]), ("%", ["Bob 100%"]), ("_", ["a_b"]), ("'", ["陈'd"]), ("\\", []), ("王明", []), ("nn", ["Anna Wang", "anna MÜLLER"]),
])
def test_search_finds_every_run_of_characters_in_a_name(admin, people, mark, q, found):
    assert sorted(one["name"] for one in listed(admin, q=q, owner=mark)) == sorted(found)


def test_search_finds_phones_mails_and_numbers_by_any_part(admin, people, mark):
    one = people[0]
    for q in (one["phone"], one["phone"][3:], one["phone"][-5:], one["email"], one["email"].upper(), one["external_id"],
              one["external_id"][:6] + " " + one["phone"][-6:]):
        assert one["id"] in ids(listed(admin, q=q, owner=mark)), q
    assert listed(admin, q=one["phone"] + "9", owner=mark) == []
    assert listed(admin, q="  \t ", owner=mark, limit=200) == listed(admin, owner=mark, limit=200)


def test_what_changed_is_found_at_once_under_the_new_and_no_longer_under_the_old(admin, mark):
    old, new = fresh("Oldname"), fresh("Newname")
    path = f"/v1/customers/{admin.post('/v1/customers', {'external_id': fresh('renamed'), 'name': old}).ok(201)['id']}"
    assert len(listed(admin, q=old)) == 1
    phone = fresh_phone()
    admin.patch(path, {"name": new, "phone": phone}).ok()
    assert listed(admin, q=old) == [] and len(listed(admin, q=new)) == len(listed(admin, q=phone)) == 1


@pytest.mark.parametrize("down", ["", "-"])
@pytest.mark.parametrize("sort", SORTS)
def test_every_order_is_right_and_the_same_in_pages_of_any_size(admin, people, mark, sort, down):
    whole = listed(admin, owner=mark, sort=down + sort, limit=200)
    assert sorted(ids(whole)) == sorted(ids(people))
    for limit in (1, 5):
        assert ids(listed(admin, owner=mark, sort=down + sort, limit=limit)) == ids(whole)
    if sort == "name":
        return  # the order of Chinese names is the database's: by pinyin
    value = lambda one: "" if (one["metrics"] | one)[sort] is None else (one["metrics"] | one)[sort]  # noqa: E731
    keys = [(value(one), one["id"]) for one in whole]
    assert keys == sorted(keys, reverse=bool(down))


def test_names_are_in_the_order_of_pinyin(admin, people, mark):
    chinese = [one["name"] for one in listed(admin, owner=mark, sort="name") if one["name"] and one["name"] >= "一"]
    assert chinese == ["陈'd", "李小红", "欧阳娜娜", "王芳", "王小明", "小明", "张伟"]


def day_of_birth(one):
    return (one["birthday"] or "")[-5:]


FILTERS = {
    "has_phone=true": lambda one: one["phone"] is not None, "has_phone=false": lambda one: one["phone"] is None,
    "has_email=true": lambda one: one["email"] is not None, "has_email=false": lambda one: one["email"] is None,
    "language=en": lambda one: one["language"] == "en", "province=浙江": lambda one: one["province"] == "浙江",
    "channel=live": lambda one: one["source"]["channel"] == "live",
    "tier=silver": lambda one: one["metrics"]["tier"] == "silver",
    "deal_status=deal": lambda one: one["deal_status"] == "deal", "deal_status=no_deal": lambda one: one["deal_status"] == "no_deal",
    "deal_status=inquiring": lambda one: one["deal_status"] == "inquiring",
    **{f"lifecycle={name}": lambda one, name=name: one["lifecycle"] == name
       for name in ("lead", "inquiring", "new", "repeat", "loyal", "at_risk", "lost")},
    "spend_min=20000": lambda one: one["metrics"]["spend_minor"] >= 20_000,
    "spend_max=20000": lambda one: one["metrics"]["spend_minor"] <= 20_000,
    "orders_min=2": lambda one: one["metrics"]["orders"] >= 2, "orders_max=1": lambda one: one["metrics"]["orders"] <= 1,
    "points_min=100": lambda one: one["metrics"]["points_active"] >= 100, "points_max=0": lambda one: one["metrics"]["points_active"] <= 0,
    "created_from=2020-01-01T00:00:00Z": lambda one: True, "created_before=2020-01-01T00:00:00Z": lambda one: False,
    "last_order_from=2020-01-01T00:00:00Z": lambda one: one["metrics"]["orders"] > 0,
    "last_order_before=2099-01-01T00:00:00Z": lambda one: one["metrics"]["orders"] > 0,
    "gender=female": lambda one: one["gender"] == "female", "district=西湖": lambda one: one["district"] == "西湖",
    "campaign=spring": lambda one: one["source"]["campaign"] == "spring",
    "birthday_month=5": lambda one: day_of_birth(one)[:2] == "05", "birthday_month=11": lambda one: False,
    "birthday_from=05-20&birthday_to=05-30": lambda one: day_of_birth(one) == "05-20",
    "birthday_from=12-24&birthday_to=01-03": lambda one: day_of_birth(one) in ("12-24", "01-03"),
    "birthday_within_days=366": lambda one: one["birthday"] is not None,
    "growth_min=200": lambda one: one["metrics"]["growth"] >= 200, "growth_max=200": lambda one: one["metrics"]["growth"] <= 200,
    "updated_from=2020-01-01T00:00:00Z": lambda one: True, "updated_before=2020-01-01T00:00:00Z": lambda one: False,
    "country=中国": lambda one: False, "city=x": lambda one: False, "tag=no": lambda one: False, "group=no": lambda one: False,
}


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_passes_those_and_only_those_in_every_order(admin, people, mark, text):
    wanted = sorted(one["id"] for one in people if FILTERS[text](one))
    query = dict((pair.split("=") for pair in text.split("&")), owner=mark)
    for sort in ("created_at", "-spend_minor"):
        assert sorted(ids(listed(admin, **query, sort=sort))) == wanted
    assert admin.get("/v1/customers?include_total=true&" + urllib.parse.urlencode(query)).ok()["total"] == len(wanted)


def test_lists_of_a_lifecycle_move_with_the_days(admin, mark, clock):
    """Each list holds those whom reading them says it of, on the days on which somebody moves and on those before."""
    owner = fresh("lives")
    october = "2026-10-10"
    lives = [((), False), ((), True), ((october,), False), (("2024-01-01", october), False), (("2026-09-01",) * 3 + (october,), True),
             (("2025-12-10", "2026-01-01", "2026-02-01", "2026-03-01", october), False), ((october,) * 6, False)]
    for days, asked in lives:
        number = fresh("life")
        path = f"/v1/customers/{admin.post('/v1/customers', {'external_id': number, 'owner': owner}).ok(201)['id']}"
        if asked:
            admin.post(f"{path}/interactions", {"kind": "consultation"}).ok(201)
        for day in days:
            take(admin, order(number, 1000, paid_at=f"{day}T04:00:00Z", placed_at=f"{day}T04:00:00Z"))
    seen = set()
    for moment in ("2026-11-18T05:00:00Z", "2026-12-09T04:00:00Z", "2026-12-09T17:00:00Z", "2027-04-10T04:00:00Z", "2027-04-10T17:00:00Z",
                   "2027-10-10T04:00:00Z", "2027-10-10T17:00:00Z"):
        clock.set(moment)
        everybody = listed(admin, owner=owner)
        assert len(everybody) == 7
        for name in ("lead", "inquiring", "new", "repeat", "loyal", "at_risk", "lost"):
            wanted = ids([one for one in everybody if one["lifecycle"] == name])
            for sort in ("created_at", "-spend_minor"):
                assert sorted(ids(listed(admin, owner=owner, lifecycle=name, sort=sort))) == sorted(wanted), (moment, name)
            seen |= {(name, len(wanted))} if wanted else set()
    assert seen >= {("lead", 1), ("inquiring", 1), ("new", 1), ("repeat", 2), ("repeat", 3), ("loyal", 2), ("loyal", 1), ("at_risk", 5), ("lost", 5)}


def test_birthdays_to_come_are_those_of_the_shops_days_and_leap_days_are_kept(admin, clock):
    owner = fresh("born")
    for day in ("02-28", "02-29", "1999-03-01", "12-31", "01-01"):
        admin.post("/v1/customers", {"external_id": fresh("born"), "owner": owner, "name": day[-5:], "birthday": day}).ok(201)

    def born(moment, days):
        clock.set(moment)
        return sorted(one["name"] for one in listed(admin, owner=owner, birthday_within_days=days))
    assert born("2026-12-30T16:00:00Z", 0) == ["12-31"] and born("2026-12-30T15:59:59Z", 0) == []
    assert born("2026-12-30T16:00:00Z", 1) == ["01-01", "12-31"]
    assert born("2027-02-28T04:00:00Z", 0) == ["02-28", "02-29"] and born("2027-03-01T04:00:00Z", 0) == ["03-01"]
    assert born("2028-02-28T04:00:00Z", 0) == ["02-28"] and born("2028-02-29T04:00:00Z", 0) == ["02-29"]
    assert len(born("2027-02-27T04:00:00Z", 365)) == 5


def test_days_of_birth_are_asked_for_by_those_who_may_see_them_and_in_full(admin, client_with):
    for query in ("birthday_month=5", "birthday_from=05-20&birthday_to=05-20", "birthday_to=05-20", "birthday_within_days=0"):
        refused = client_with("customers:read,imports:read")
        assert refused.get(f"/v1/customers?{query}").is_problem(403, "missing-scope")["scope"] == "customers:pii"
        assert refused.get(f"/v1/exports/customers?{query}").is_problem(403, "missing-scope")["scope"] == "customers:pii"
    for query, parameter in (("birthday_from=05-20", "birthday_to"), ("birthday_to=05-20", "birthday_from"),
                             ("birthday_from=1990-05-20&birthday_to=05-21", "birthday_from"), ("birthday_month=13", "birthday_month"),
                             ("birthday_from=05-20&birthday_to=1990-05-21", "birthday_to"), ("birthday_within_days=367", "birthday_within_days")):
        assert [fault["parameter"] for fault in admin.get(f"/v1/customers?{query}").is_problem(422, "invalid")["errors"]] == [parameter]


def test_filters_add_up(admin, people, mark):
    for a, b in itertools.combinations(["has_phone=true", "province=浙江", "orders_min=2", "channel=live"], 2):
        wanted = sorted(one["id"] for one in people if FILTERS[a](one) and FILTERS[b](one))
        assert sorted(ids(listed(admin, **dict([a.split("="), b.split("=")]), owner=mark))) == wanted


def test_the_total_is_only_told_when_asked_for(admin, people, mark):
    assert admin.get(f"/v1/customers?owner={mark}").ok()["total"] is None
    assert admin.get(f"/v1/customers?owner={mark}&include_total=true&limit=1").ok()["total"] == len(people)


def test_a_cursor_is_bound_to_filters_and_order(admin, people, mark):
    cursor = admin.get(f"/v1/customers?owner={mark}&limit=2").ok()["next_cursor"]
    for query in ("", "sort=-created_at&", f"owner={mark}&has_phone=true&", f"owner={mark}&q=a&"):
        admin.get(f"/v1/customers?{query}cursor={cursor}").is_problem(400, "bad-cursor")
    assert len(admin.get(f"/v1/customers?owner={mark}&limit=3&cursor={cursor}").ok()["data"]) == 3


def test_a_list_follows_an_order_at_once(admin, mark):
    number = fresh("follower")
    admin.post("/v1/customers", {"external_id": number, "owner": number}).ok(201)
    for n in range(1, 4):
        take(admin, order(number, 5_000))
        page = admin.get(f"/v1/customers?owner={number}&orders_min={n}&spend_min={n * 5000}").ok()["data"]
        assert [one["metrics"]["orders"] for one in page] == [n]


def test_masked_lists_hold_no_personal_data_in_any_part(people, mark, client_with):
    answer = client_with("customers:read").get(f"/v1/customers?owner={mark}&sort=name&limit=5")
    page = answer.ok()
    assert page["has_more"]
    for one in people:
        for value in (one["name"], one["phone"], one["email"]):
            if value is not None and len(value) > 1:
                assert value.encode() not in answer.body


def test_who_may_not_see_personal_data_finds_only_what_he_knows_in_full(people, mark, client_with):
    masked, one = client_with("customers:read"), people[0]
    for q in (one["phone"], one["email"].upper(), one["external_id"], one["name"]):
        assert ids(listed(masked, q=q, owner=mark)) == [one["id"]], q
    for q in (one["phone"][3:], one["phone"][:-1], one["email"][1:], one["name"][:2], one["phone"] + " " + one["external_id"]):
        assert listed(masked, q=q, owner=mark) == [], q
