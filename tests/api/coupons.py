"""What the tests of coupons and rewards share."""

from shop import fresh


def template(client, **rest):
    """A fresh template; its code."""
    code = fresh("template").replace("-", "_")
    client.put(f"/v1/coupon-templates/{code}", {"name": "Test", **({"kind": "amount", "off_minor": 1000} if "kind" not in rest else {}), **rest}).ok(201)
    return code


def issue(client, code, customer=None, status=201, **rest):
    who = {} if customer is None else {"customer": f"ext:{customer}"}
    return client.post("/v1/coupons", {"template": code, **who, **rest}, Idempotency_Key=fresh("key")).ok(status)


def act(client, code, action, body):
    """Lock, release, redeem or roll back."""
    return client.post(f"/v1/coupons/{code}/{action}", body, Idempotency_Key=fresh("key"))


def state(client, code):
    return client.get(f"/v1/coupons/{code}").ok()["state"]


def history(client, code):
    """Its actions, oldest first."""
    return [one["action"] for one in client.get(f"/v1/coupons/{code}/history").ok()["data"]][::-1]
