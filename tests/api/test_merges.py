"""Two customers become one and are taken apart again; duplicates are found; orders may come in all the while."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import servers
from bulk import job_over, ndjson, upload
from client import Client
from shop import balance, fresh, fresh_phone, give_back, order, refund, take


def make(admin, external_id, **profile):
    return admin.put(f"/v1/customers/ext:{external_id}", profile).ok(201)["id"]


def merge(admin, survivor, absorbed, status=201):
    return admin.post(f"/v1/customers/ext:{survivor}/merges", {"absorbed": f"ext:{absorbed}"}, Idempotency_Key=fresh("key")).ok(status)


def undo(admin, merged):
    return admin.post(f"/v1/merges/{merged['id']}/undo", {"reason": "two people"}, Idempotency_Key=fresh("key"))


class Two:
    """A survivor and somebody to be absorbed, who have some things alike and others not."""

    def __init__(self, admin):
        self.admin = admin
        self.one, self.other = fresh("survivor"), fresh("absorbed")
        self.phones = fresh_phone(), fresh_phone()
        self.group = fresh("merged").replace("-", "_")
        admin.put(f"/v1/groups/{self.group}", {"name": "merged"}).ok(201)
        self.ids = (make(admin, self.one, name="王小明", phone=self.phones[0], attributes={"a": 1, "b": 1}),
                    make(admin, self.other, name="王晓明", phone=self.phones[1], city="上海", attributes={"b": 2, "c": 3},
                         email=f"{self.other}@example.com"))
        self.orders = fresh("one"), fresh("other")
        for at, (name, number) in enumerate(zip((self.one, self.other), self.orders)):
            path = f"/v1/customers/ext:{name}"
            take(admin, order(name, 30_000, external_id=number))
            for tag in ("both", f"only-{at}"):
                admin.put(f"{path}/tags/{tag}", {}).ok(201)
            admin.post(f"{path}/notes", {"content": f"note {at}"}).ok(201)
            admin.put(f"{path}/consents/sms", {"state": "granted" if at == 0 else "denied"}).ok()
            admin.put(f"{path}/consents/email", {"state": "granted"}).ok()
            admin.post(f"/v1/groups/{self.group}/members", {"add": [path.rpartition("/")[2]]}).ok()
            admin.post(f"{path}/interactions", {"kind": "call"}).ok(201)
            admin.post("/v1/behaviour-events", {"events": [{"customer": f"ext:{name}", "type": "view"}]}).ok()
        admin.put(f"/v1/customers/ext:{self.other}/suppressions/push", {"reason": "manual"}).ok()

    def seen(self, name):
        """What is shown of somebody, without what every change changes."""
        get = lambda path: self.admin.get(f"/v1/customers/ext:{name}{path}").ok()
        profile = {key: value for key, value in get("").items() if key not in ("version", "updated_at")}
        tier = get("/tier")
        return (profile, [one["tag"] for one in get("/tags")["data"]], [one["content"] for one in get("/notes")["data"]],
                [(one["channel"], one["consent"], one["suppression"]) for one in get("/consents")["channels"]],
                get("/points"), get("/points/ledger")["data"], (tier["code"], tier["spend_minor"]), get("/groups"),
                len(get("/interactions")["data"]), len(get("/behaviour-events")["data"]))


def test_a_merge_moves_everything_and_its_undoing_gives_it_back(admin, server):
    two = Two(admin)
    before = two.seen(two.one), two.seen(two.other)
    path = f"/v1/customers/ext:{two.one}"
    preview = admin.post(f"{path}/merges/preview", {"absorbed": f"ext:{two.other}"}).ok()
    assert preview["possible"] and preview["blockers"] == [] and preview["absorbed"]["id"] == two.ids[1]
    moves = {one["table"]: one["rows"] for one in preview["moves"]}
    assert (moves["orders"], moves["customer_tags"], moves["points_lots"]) == (1, 2, 1)
    assert (two.seen(two.one), two.seen(two.other)) == before, "a preview writes nothing"

    merged = merge(admin, two.one, two.other)
    assert (merged["customer_id"], merged["absorbed_id"], merged["undone_at"]) == (*two.ids, None)
    now = two.seen(two.one)
    assert two.seen(two.other) == now and admin.get(f"/v1/customers/{two.ids[1]}").ok()["id"] == two.ids[0]
    profile, tags, notes, consents, points, ledger, tier, _, calls, views = now
    assert (profile["name"], profile["city"], profile["external_id"]) == ("王小明", "上海", two.one)
    assert profile["attributes"] == {"a": 1, "b": 1, "c": 3}
    assert profile["phone"] == f"+86{two.phones[0]}" and profile["email"] == f"{two.other}@example.com"
    assert profile["identities"] == [{"kind": "phone", "value": f"+86{two.phones[1]}", "secondary": True}]
    assert all(one["identities"] == [] for one in (preview["survivor"], preview["absorbed"]))
    assert sorted(tags) == ["both", "only-0", "only-1"] and sorted(notes) == ["note 0", "note 1"]
    assert {channel: (consent, why) for channel, consent, why in consents}["sms"] == ("denied", None), "the stricter one"
    assert {channel: why for channel, _, why in consents}["push"] == "manual"
    assert (points["active"], points["lifetime_earned"], [one["seq"] for one in ledger]) == (600, 600, [2, 1])
    assert tier == ("silver", 60_000) and (calls, views) == (2, 2)
    assert admin.get(f"/v1/groups/{two.group}").ok()["members"] == 1
    listed = admin.get(f"/v1/customers?q={two.phones[0]}").ok()["data"]
    assert [one["id"] for one in listed] == [two.ids[0]]
    assert admin.post("/v1/customers", {"external_id": fresh("third"), "phone": two.phones[1]}).status == 409
    assert " 0 wrong" in server.command("check")

    # later orders of the absorbed are the survivor's; what happens to his old ones goes back with them
    take(admin, order(two.other, 10_000))
    give_back(admin, two.orders[1], refund({"line_no": 1, "amount_minor": 10_000}))
    assert balance(admin, two.one)["active"] == 600
    assert [one["id"] for one in admin.get(f"/v1/merges?customer=ext:{two.one}").ok()["data"]] == [merged["id"]]
    undone = undo(admin, merged).ok()
    assert undone["undone_at"] and undone["undo_reason"] == "two people" and admin.get(f"/v1/merges/{merged['id']}").ok() == undone
    assert (balance(admin, two.one)["active"], balance(admin, two.other)["active"]) == (400, 200)
    after = two.seen(two.one), two.seen(two.other)
    for was, is_ in zip(before, after):
        assert (was[0]["attributes"], was[0]["phone"], was[0]["city"], *was[1:4], was[7:]) == (
            is_[0]["attributes"], is_[0]["phone"], is_[0]["city"], *is_[1:4], is_[7:])
    assert (after[0][6], after[1][6]) == (("basic", 40_000), ("basic", 20_000))
    assert admin.get(f"/v1/groups/{two.group}").ok()["members"] == 2
    undo(admin, merged).is_problem(409, "merge-undone")
    assert " 0 wrong" in server.command("check")


def test_what_stands_in_the_way_is_named(admin, clock):
    two = Two(admin)
    path = f"/v1/customers/ext:{two.one}"
    for absorbed, code in ((two.one, "same_customer"), (two.other, "open_holds")):
        if code == "open_holds":
            held = admin.post(f"/v1/customers/ext:{two.other}/points/holds", {"points": 5}, Idempotency_Key=fresh("key")).ok(201)
        preview = admin.post(f"{path}/merges/preview", {"absorbed": f"ext:{absorbed}"}).ok()
        assert not preview["possible"] and [one["code"] for one in preview["blockers"]] == [code]
        problem = admin.post(f"{path}/merges", {"absorbed": f"ext:{absorbed}"}, Idempotency_Key=fresh("key")).is_problem(
            409, "merge-blocked")
        assert problem["blocker"] == code
    admin.post(f"/v1/customers/ext:{two.other}/points/holds/{held['hold']['id']}/release", {}, Idempotency_Key=fresh("key")).ok()
    admin.post(f"{path}/merges", {"absorbed": "ext:nobody"}, Idempotency_Key=fresh("key")).is_problem(404, "not-found")
    merged = merge(admin, two.one, two.other)
    third = fresh("third")
    make(admin, third)
    later = merge(admin, two.one, third)
    assert undo(admin, merged).is_problem(409, "merge-blocked")["blocker"] == "later_merge"
    undo(admin, later).ok()
    make(admin, fresh("fourth"))
    late = merge(admin, third, fresh_customer(admin))
    clock.advance(days=31)
    undo(admin, late).is_problem(409, "merge-too-old")
    admin.post("/v1/merges/01234567-89ab-7def-8123-456789abcdef/undo", {}, Idempotency_Key=fresh("key")).is_problem(404, "not-found")
    admin.get("/v1/merges/01234567-89ab-7def-8123-456789abcdef").is_problem(404, "not-found")
    admin.get("/v1/merges?customer=ext:nobody").is_problem(404, "not-found")


def fresh_customer(admin):
    name = fresh("another")
    make(admin, name)
    return name


OLDER, NEWER = "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"


@pytest.mark.parametrize("survivor, absorbed, holds", [
    (("denied", OLDER), ("granted", NEWER), "denied"),
    (("withdrawn", OLDER), ("granted", NEWER), "withdrawn"),
    (("granted", NEWER), ("denied", OLDER), "denied"),
    (("granted", NEWER), ("withdrawn", OLDER), "withdrawn"),
    (("granted", OLDER), ("withdrawn", NEWER), "withdrawn"),
    (("denied", NEWER), ("withdrawn", OLDER), "denied"),
    (("denied", OLDER), ("withdrawn", NEWER), "withdrawn"),
    (("granted", OLDER), ("granted", NEWER), "granted"),
    (None, ("denied", OLDER), "denied"),
    (("withdrawn", OLDER), None, "withdrawn"),
    (None, ("granted", OLDER), "granted"),
])
def test_the_stricter_consent_wins_whichever_is_newer_and_both_get_theirs_back(admin, survivor, absorbed, holds):
    names = fresh("survivor"), fresh("absorbed")
    for name, said in zip(names, (survivor, absorbed)):
        make(admin, name)
        if said is not None:
            admin.put(f"/v1/customers/ext:{name}/consents/email", {"state": said[0], "occurred_at": said[1]}).ok()

    def email(name):
        one = next(one for one in admin.get(f"/v1/customers/ext:{name}/consents").ok()["channels"] if one["channel"] == "email")
        return one["consent"], one["contactable"]
    merged = merge(admin, *names)
    assert [email(name) for name in names] == [(holds, holds == "granted")] * 2
    history = [one["state"] for one in admin.get(f"/v1/customers/ext:{names[0]}/consent-history").ok()["data"]]
    given = [one[0] for one in sorted(filter(None, (survivor, absorbed)), key=lambda one: one[1], reverse=True)]
    assert history[-len(given):] == given and history[0] == holds, "what was said stays, and why it holds is told"
    undo(admin, merged).ok()
    for name, said in zip(names, (survivor, absorbed)):
        state = said and said[0]
        assert email(name) == (state, state == "granted")


def test_an_erased_survivor_takes_the_absorbed_along(admin, server):
    two = Two(admin)
    merged = merge(admin, two.one, two.other)
    admin.call("DELETE", f"/v1/customers/ext:{two.one}").empty()
    for reference in (*two.ids, f"ext:{two.one}", f"ext:{two.other}"):
        admin.get(f"/v1/customers/{reference}").is_problem(410, "erased")
    undo(admin, merged).is_problem(404, "not-found")
    admin.get(f"/v1/merges?customer={two.ids[0]}").is_problem(410, "erased")
    assert " 0 wrong" in server.command("check")


def test_duplicates_are_found_by_mailbox_number_and_region(admin):
    mark = fresh("dup").replace("-", "")
    alike = [("email", {"email": f"Li.{mark}+shop@example.com"}, {"email": f"li{mark}@example.com"}),
             ("number", {"phone": f"+1{fresh_phone()}"}, None),
             ("region", {"name": f"Li {mark}", "city": mark, "birthday": "1990-02-03"}, {"name": f"li{mark}", "city": mark,
                                                                                          "birthday": "1990-02-03"})]
    pairs = {}
    for why, first, second in alike:
        second = second or {"phone": first["phone"][2:]}
        pairs[why] = {make(admin, fresh("alike"), **one) for one in (first, second)}
    found = {}
    for page in admin.pages("/v1/customers/duplicates?limit=1"):
        for one in page:
            found.setdefault(one["why"], []).append(({row["id"] for row in one["customers"]}, one["score"]))
    for why, score in (("email", 90), ("number", 95), ("region", 70)):
        assert (pairs[why], score) in found[why], why
    admin.get("/v1/customers/duplicates?cursor=x").is_problem(400, "bad-cursor")
    admin.get("/v1/merges?cursor=x").is_problem(400, "bad-cursor")


def test_a_person_who_comes_through_64_doors_at_once_is_one_customer(admin, server):
    phone, name = fresh_phone(), fresh("doors")
    body = {"phone": phone, "name": "A"}
    answers = admin.parallel([("PUT", f"/v1/customers/ext:{name}", body)] * 32 + [
        ("POST", "/v1/orders", order({"external_id": name, "phone": phone}, 100)) for _ in range(32)])
    assert {answer.status for answer in answers} <= {200, 201}
    ids = {one["customer"]["id"] if "customer" in one else one["id"] for one in (answer.json() for answer in answers)}
    assert len(ids) == 1
    assert admin.get(f"/v1/customers/ext:{name}").ok()["metrics"]["orders"] == 32


@pytest.mark.parametrize("undone", (False, True))
def test_orders_for_both_come_in_while_they_are_merged_and_taken_apart(admin, server, contract, undone):
    two = Two(admin)
    clients, each = 6, 12
    sent = [[order(name, 1000, external_id=fresh("during")) for name in (two.one, two.other) * (each // 2)] for _ in range(clients)]

    def send_all(orders):
        client = Client(server, contract)
        statuses = [client.post("/v1/orders", one).status for one in orders]
        client.close()
        return statuses

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(send_all, orders) for orders in sent]
        for _ in range(3):
            merged = merge(admin, two.one, two.other)
            if undone:
                undo(admin, merged).ok()
            else:
                break
        assert {status for one in running for status in one.result()} == {201}
    points = servers.psql(server.database_url, "SELECT sum(active), sum(lifetime_earned) FROM points_accounts "
                          f"WHERE customer_id IN ('{two.ids[0]}', '{two.ids[1]}')")
    assert points == "|".join([str(600 + clients * each * 10)] * 2)
    numbers = ", ".join(f"'{one['external_id']}'" for orders in sent for one in orders)
    owners = servers.psql(server.database_url, f"SELECT count(*), count(DISTINCT customer_id) FROM orders WHERE external_id IN ({numbers})")
    assert owners.split("|")[0] == str(clients * each) and (undone or owners.split("|")[1] == "1")
    assert " 0 wrong" in server.command("check")


def test_what_was_sent_before_a_merge_is_known_after_it(admin, server):
    two = Two(admin)
    at = f"/v1/customers/ext:{two.other}"
    held = admin.post(f"{at}/points/holds", {"points": 20, "reference": "till-1"}, Idempotency_Key=fresh("key")).ok(201)["hold"]
    paid = order(two.other, 10_000, external_id=fresh("held"), points_hold="ext:till-1")
    take(admin, paid)
    call = {"kind": "call", "external_id": "call-1", "content": "said"}
    made = admin.post(f"{at}/interactions", call).ok(201)
    gift = {"external_id": "gift-1", "points": 5, "reason": "a gift"}
    given = admin.post(f"{at}/points/adjustments", gift, Idempotency_Key=fresh("key")).ok(201)["adjustment"]
    seen = {"events": [{"customer": f"ext:{two.other}", "type": "view", "key": f"seen-{n}", "occurred_at": f"2026-10-0{n}T12:00:00Z"}
                       for n in (1, 2)]}
    assert admin.post("/v1/behaviour-events", seen).ok()["accepted"] == 2
    merged = merge(admin, two.one, two.other)

    shipped = {**paid, "status": "shipped"}
    assert admin.post("/v1/orders", shipped).ok(200)["order"]["status"] == "shipped"
    admin.post("/v1/orders", {**shipped, "status": "delivered", "points_hold": "ext:till-2"}).is_problem(409, "order-differs")
    assert admin.get(f"{at}/points/holds/ext:till-1").ok()["id"] == held["id"]
    admin.post(f"{at}/points/holds/ext:till-1/release", {}, Idempotency_Key=fresh("key")).is_problem(409, "hold-resolved")
    admin.post(f"{at}/points/holds", {"points": 1, "reference": "till-1"}, Idempotency_Key=fresh("key")).is_problem(409, "hold-exists")
    admin.get(f"{at}/points/holds/ext:till-2").is_problem(404, "not-found")

    for name in (two.one, two.other):  # both mean the survivor
        again = f"/v1/customers/ext:{name}"
        assert admin.post(f"{again}/interactions", call).ok(200)["id"] == made["id"]
        admin.post(f"{again}/interactions", {**call, "content": "other"}).is_problem(409, "interaction-differs")
        assert admin.post(f"{again}/points/adjustments", gift, Idempotency_Key=fresh("key")).json()["adjustment"]["id"] == given["id"]
        events = [{**one, "customer": f"ext:{name}"} for one in seen["events"]]
        events.append({**events[0], "occurred_at": f"2026-10-0{3 + (name == two.one)}T12:00:00Z"})  # another one
        assert admin.post("/v1/behaviour-events", {"events": events}).ok()["accepted"] == 3
    assert balance(admin, two.one)["active"] == 600 + 100 - 20 + 5
    assert len(admin.get(f"{at}/interactions").ok()["data"]) == 3
    assert len(admin.get(f"{at}/behaviour-events").ok()["data"]) == 2 + 2 + 2
    undo(admin, merged).ok()
    assert admin.post("/v1/orders", {**shipped, "status": "delivered"}).ok(200)["order"]["status"] == "delivered"
    assert balance(admin, two.other)["active"] == 300 + 100 - 20 + 5
    assert " 0 wrong" in server.command("check")


def test_an_import_loses_no_line_while_its_customers_are_merged_and_taken_apart(admin, server):
    two = Two(admin)
    lines = [order(name, 1000, external_id=fresh("line")) for name in (two.one, two.other) * 1000]
    job = upload(admin, "orders", ndjson(lines)).ok(201)
    merges = 0
    while admin.get(f"/v1/jobs/{job['id']}").ok()["status"] not in ("complete", "failed", "canceled"):
        undo(admin, merge(admin, two.one, two.other)).ok()
        merges += 1
    job = job_over(admin, job)
    assert (job["status"], job["succeeded"], job["failed"]) == ("complete", len(lines), 0)
    assert merges >= 2, "the import was over before anything happened"
    found = servers.psql(server.database_url, "SELECT (SELECT count(*) FROM orders WHERE customer_id IN (:people)), "
                         "(SELECT sum(active) || ' ' || sum(lifetime_earned) FROM points_accounts WHERE customer_id IN (:people)), "
                         "(SELECT sum(orders) FROM tier_standings WHERE customer_id IN (:people))".replace(
                             ":people", "'{}', '{}'".format(*two.ids)))
    points = 600 + len(lines) * 10
    assert found == f"{len(lines) + 2}|{points} {points}|{len(lines) + 2}"
    assert " 0 wrong" in server.command("check")
