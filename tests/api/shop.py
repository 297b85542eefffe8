"""What the tests send: orders and customers with fresh names, and what they ask again and again."""

import itertools
import time

numbers = itertools.count(1)


def fresh(prefix):
    """A name that no other test has."""
    return f"{prefix}-{next(numbers)}"


def fresh_phone():
    return f"139{next(numbers):08d}"


def line(line_no, total_minor, **rest):
    return {"line_no": line_no, "sku": f"SKU-{line_no}", "total_minor": total_minor, **rest}


def order(customer, *totals, status="paid", **rest):
    """An order of lines worth the totals; a customer's name stands for his external id."""
    lines = rest.pop("lines", None) or [line(i + 1, total) for i, total in enumerate(totals)]
    total = sum(one["total_minor"] for one in lines) + rest.get("shipping_minor", 0) - rest.get("discount_minor", 0)
    return {"external_id": rest.pop("external_id", None) or fresh("order"), "status": status,
            "customer": {"external_id": customer} if isinstance(customer, str) else customer,
            "lines": lines, "total_minor": total, **rest}


def refund(*lines, **rest):
    return {"external_id": rest.pop("external_id", None) or fresh("refund"), "lines": list(lines), **rest}


def take(client, body, status=201, query=""):
    """Send an order that must be accepted."""
    return client.post(f"/v1/orders{query}", body).ok(status)


def give_back(client, order_id, body, status=201):
    return client.post(f"/v1/orders/ext:{order_id}/refunds", body).ok(status)


def balance(client, customer):
    return client.get(f"/v1/customers/ext:{customer}/points").ok()


def tier(client, customer):
    return client.get(f"/v1/customers/ext:{customer}/tier").ok()


def eventually(what, seconds=5.0):
    """What `what` returns as soon as it is true; it must be within the time."""
    deadline = time.monotonic() + seconds
    while not (result := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)
    return result
