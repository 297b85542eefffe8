"""Something of every kind, for calls of any operation."""

import coupons
from client import quoted
from shop import fresh, order, take


def references(admin):
    """What the paths of all operations may name: a customer, an order, a hold and the like, each of which is there."""
    customer, number = fresh("known"), fresh("known order")
    take(admin, order(customer, 1000, external_id=number))
    note = admin.post(f"/v1/customers/ext:{customer}/notes", {"content": "known"}).ok(201)
    call = admin.post(f"/v1/customers/ext:{customer}/interactions", {"kind": "call"}).ok(201)
    admin.put(f"/v1/customers/ext:{customer}/addresses/known", {"street": "known"}).ok(201)
    group = fresh("known").replace("-", "_")
    admin.put(f"/v1/attributes/{group}", {"type": "text"}).ok(201)
    admin.put(f"/v1/groups/{group}", {"name": "known"}).ok(201)
    admin.post(f"/v1/customers/ext:{customer}/points/holds", {"points": 1, "reference": "known"}, Idempotency_Key=fresh("key")).ok(201)
    approval = admin.post(f"/v1/customers/ext:{customer}/points/adjustments", {"points": 1_000_000, "reason": "known"},
                          Idempotency_Key=fresh("key")).ok(201)["adjustment"]["approval_id"]
    coupons.act(admin, coupon := coupons.issue(admin, template := coupons.template(admin))["code"], "lock", {"session": "known"}).ok()
    reward = fresh("known").replace("-", "_")
    admin.put(f"/v1/rewards/{reward}", {"name": "known", "kind": "gift", "points": 1}).ok(201)
    redemption = admin.post(f"/v1/customers/ext:{customer}/rewards/redemptions", {"reward": reward}, Idempotency_Key=fresh("key")).ok(201)["id"]
    key = admin.post("/v1/keys", {"name": "known", "scopes": ["orders:read"]}).ok(201)["id"]
    others = [admin.post("/v1/customers", {"external_id": fresh("known")}).ok(201)["id"] for _ in range(2)]
    merge = admin.post(f"/v1/customers/{others[0]}/merges", {"absorbed": others[1]}, Idempotency_Key=fresh("key")).ok(201)["id"]
    return {"customer": f"ext:{customer}", "merge": merge, "order": f"ext:{quoted(number)}", "hold": "ext:known", "slug": "invalid", "key": key,
            "note": note["id"], "interaction": call["id"], "group": group, "tag": "known", "address": "known", "channel": "sms", "attribute": group,
            "approval": approval, "version": 1, "job": "01234567-89ab-7def-8123-456789abcdef", "type": "customers",
            "template": template, "coupon": coupon, "reward": reward, "redemption": redemption}
