"""Calls of any operation, made from /openapi.json."""

import json

import pytest

from contract import CONTRACT
from schema import Schemas
from shop import fresh

SCHEMAS = Schemas(CONTRACT)
# What takes files or many items at once, and what belongs to jobs, is tested by itself: test_bulk_*.py.
APART = {"customer_batch", "order_batch", "tag_batch", "group_member_batch", "address_batch", "interaction_batch", "consent_batch", "job_cancel_one"}
OPERATIONS = [one for one in CONTRACT.operations
              if one.path.startswith("/v1/") and not one.streams and one.id not in APART]
WITH_BODY = [one for one in OPERATIONS if "requestBody" in one.spec]
WITH_SCOPE = [one for one in OPERATIONS if one.scope]


def every(operations):
    return pytest.mark.parametrize("operation", operations, ids=[f"{one.method} {one.path}" for one in operations])


def address(operation, known):
    return operation.path.format(**known)


def headers_for(client, operation, *more, kind="application/json"):
    """All that the operation wants of its headers, as pairs."""
    pairs = [("Authorization", f"Bearer {client.key}")]
    if "requestBody" in operation.spec:
        pairs.append(("Content-Type", kind))
    if any(one["name"] == "Idempotency-Key" for one in operation.spec["parameters"]):
        pairs.append(("Idempotency-Key", fresh("key")))
    return pairs + list(more)


def send(client, operation, known, body, query=""):
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return client.send(operation.method, address(operation, known) + query, raw, headers_for(client, operation))


def sound_body(operation):
    schema = SCHEMAS.of_body(operation)
    return SCHEMAS.sound(schema) if schema else None
