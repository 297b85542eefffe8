"""Bodies made from the schemas of /openapi.json: one that is sound, and all the ways to break it, each with what the answer must
say."""

import copy
from typing import NamedTuple

WRONG_OF_TYPE = {"string": "text", "integer": 7, "boolean": True, "object": {}, "array": []}
SOUND_FORMATS = {"uuid": "01234567-89ab-7def-8123-456789abcdef", "date-time": "2026-11-01T10:00:00Z", "date": "2026-11-01"}
SOUND_PATTERNS = {"^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$": "05-20", "^[A-Z]{3}$": "CNY"}


class Break(NamedTuple):
    path: tuple  # where
    value: object  # what to put there; REMOVE takes it away
    pointer: str  # what the answer must point at
    code: str  # and call it


REMOVE = object()


class Schemas:
    def __init__(self, contract):
        self.contract = contract

    def plain(self, schema):
        """Without references and without the wrapping of nested ones."""
        while True:
            if "$ref" in schema:
                schema = self.contract.resolve(schema["$ref"])
            elif "allOf" in schema or "anyOf" in schema:
                schema = (schema.get("allOf") or schema["anyOf"])[0]
            else:
                return schema

    def of_body(self, operation):
        """The schema of what the operation takes as application/json, or None."""
        body = operation.spec.get("requestBody")
        return self.plain(body["content"]["application/json"]["schema"]) if body else None

    def sound(self, schema):
        """A value with every field in it that the shape of the schema takes."""
        schema = self.plain(schema)
        kind = types_of(schema)[0]
        if kind == "object":
            return {name: self.sound(inner) for name, inner in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.sound(schema["items"])]
        if kind == "integer":
            return max(schema.get("minimum", 1), 1)
        if kind == "boolean":
            return True
        if "enum" in schema:
            return schema["enum"][0]
        text = SOUND_FORMATS.get(schema.get("format")) or SOUND_PATTERNS.get(schema.get("pattern")) or "a"
        return text.ljust(schema.get("minLength", 0), "a")

    def breaks(self, schema, path=(), pointer="#"):
        """All that can be wrong with a value of the schema and with what is in it."""
        schema = self.plain(schema)
        types = types_of(schema)
        for kind, value in WRONG_OF_TYPE.items():
            if kind not in types and path:
                yield Break(path, value, pointer, "wrong_type")
        if "integer" in types:
            yield Break(path, 1.0, pointer, "wrong_type")
        yield from limits(schema, types[0], path, pointer)
        if types[0] == "array":
            items = self.plain(schema["items"])
            yield from self.breaks(items, path + (0,), f"{pointer}/0")
            if "minItems" in schema:
                yield Break(path, [], pointer, "too_few")
            one = self.sound(items)
            yield Break(path, [one] * (schema["maxItems"] + 1), pointer, "too_many")
        if types[0] == "object" and "properties" in schema:
            yield from self.object_breaks(schema, path, pointer)

    def object_breaks(self, schema, path, pointer):
        yield Break(path + ("no_such_field",), 1, f"{pointer}/no_such_field", "unknown_field")
        for name in schema.get("required", ()):
            yield Break(path + (name,), REMOVE, f"{pointer}/{name}", "required")
            yield Break(path + (name,), None, f"{pointer}/{name}", "required")
        for name, inner in schema["properties"].items():
            yield from self.breaks(inner, path + (name,), f"{pointer}/{name}")


def types_of(schema):
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return [kind for kind in types if kind != "null"]


def limits(schema, kind, path, pointer):
    """Each limit exceeded by one, and what is not in a list of names or not in a format."""
    if kind == "integer":
        if "minimum" in schema:
            yield Break(path, schema["minimum"] - 1, pointer, "too_small")
        if "maximum" in schema:
            yield Break(path, schema["maximum"] + 1, pointer, "too_large")
    if kind != "string":
        return
    if "enum" in schema:
        yield Break(path, "no such name", pointer, "unknown_value")
    elif "format" in schema or "pattern" in schema and "minLength" not in schema:
        yield Break(path, "not in the format \x07", pointer, "wrong_format")
    else:
        if schema.get("minLength"):
            yield Break(path, "a" * (schema["minLength"] - 1), pointer, "too_short")
        yield Break(path, "á" * (schema["maxLength"] + 1), pointer, "too_long")
        if "pattern" in schema:
            yield Break(path, "\x07" * schema["minLength"], pointer, "wrong_format")


def broken(body, *breaks):
    """A copy of the body with the breaks in it."""
    body = copy.deepcopy(body)
    for one in breaks:
        at = body
        for step in one.path[:-1]:
            at = at[step]
        if one.value is REMOVE:
            del at[one.path[-1]]
        else:
            at[one.path[-1]] = one.value
    return body


def together(breaks):
    """As many of the breaks as fit into one body: one a place, none inside another."""
    chosen = []
    for one in breaks:
        if not any(one.path[:len(other.path)] == other.path or other.path[:len(one.path)] == one.path for other in chosen):
            chosen.append(one)
    return chosen
