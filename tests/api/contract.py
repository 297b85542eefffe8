"""The API as /openapi.json tells it: finds the operation of a call, holds the answer to it, and counts what was seen."""

import json
import re
import subprocess
import urllib.parse
from typing import NamedTuple

import jsonschema

import servers

METHODS = ("get", "post", "put", "patch", "delete")
# Headers that say something about the answer itself and so must be declared where they are sent.
TELLING = ("location", "etag", "idempotency-hit", "preference-applied", "retry-after")

FORMATS = jsonschema.FormatChecker()


@FORMATS.checks("date-time")
def is_instant(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None


def bodies_of(kind, answer):
    """What the schema is held against: of NDJSON each line."""
    if kind == "application/x-ndjson":
        return [json.loads(line) for line in answer.body.splitlines()]
    return [answer.json() if kind.endswith("json") else answer.body.decode()]


def tree_of(paths):
    """{"a": None, "b": {"c": None}} of ["a", "b.c"]: what is chosen, and of what is not chosen whole, what of it."""
    tree = {}
    for path in paths:
        first, _, rest = path.partition(".")
        below = tree.setdefault(first, [] if rest else None)
        if rest:
            below.append(rest)
    return {name: below and tree_of(below) for name, below in tree.items()}


def fields_in(path):
    """The names that a call slims its answer to, or None."""
    given = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query).get("fields")
    return tuple(given[0].split(",")) if given else None


class Operation(NamedTuple):
    id: str
    method: str
    path: str
    spec: dict

    @property
    def scope(self):
        return self.spec.get("x-scope")

    @property
    def streams(self):
        return self.spec.get("x-streams", False)

    def slugs_of(self, status):
        return set(self.spec["responses"][str(status)].get("x-problems", ()))

    @property
    def slugs(self):
        return {slug for response in self.spec["responses"].values() for slug in response.get("x-problems", ())}


def read_document():
    """The document of the binary, as `patron openapi` prints it: there before any server runs."""
    done = subprocess.run([str(servers.binary()), "openapi"], capture_output=True, check=True,
                          env={"PATRON_TEST_CLOCK": "1", "PATH": "/usr/bin:/bin"})
    return json.loads(done.stdout)


class Contract:
    def __init__(self, document):
        self.document = document
        self.operations = [Operation(spec["operationId"], method.upper(), path, self.deref_all(spec))
                           for path, methods in document["paths"].items()
                           for method, spec in methods.items() if method in METHODS]
        self.by_id = {operation.id: operation for operation in self.operations}
        self.validators = {}
        self.seen = set()

    def deref(self, part):
        while "$ref" in part:
            part = self.resolve(part["$ref"])
        return part

    def resolve(self, reference):
        part = self.document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step.replace("~1", "/").replace("~0", "~")]
        return part

    def deref_all(self, spec):
        """The operation with its parameters and responses written out; schemas stay references."""
        return {**spec, "parameters": [self.deref(one) for one in spec.get("parameters", ())],
                "responses": {status: self.deref(one) for status, one in spec["responses"].items()}}

    def operation(self, method, path):
        """The operation of a call, at the path with the fewest parameters of those that fit; None when it takes no such method."""
        method, path = "GET" if method == "HEAD" else method, path.split("?")[0]
        fitting = [one for one in self.operations if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one.path), path)]
        nearest = min((one.path for one in fitting), key=lambda one: one.count("{"), default=None)
        return next((one for one in fitting if (one.path, one.method) == (nearest, method)), None)

    def slimmed(self, schema, tree):
        """The schema of what fields leaves of an answer: exactly the chosen members, all of them, and nothing else."""
        for wrapper in ("allOf", "anyOf"):
            if wrapper in schema:
                return {wrapper: [one if one.get("type") == "null" else self.slimmed(one, tree) for one in schema[wrapper]]}
        schema = self.deref(schema)
        if schema["type"] == "array":
            return {**schema, "items": self.slimmed(schema["items"], tree)}
        chosen = {name: self.slimmed(schema["properties"][name], below) if below else schema["properties"][name]
                  for name, below in tree.items()}
        return {**schema, "properties": chosen, "required": sorted(chosen)}

    def slimmed_answer(self, operation, schema, names):
        """As the parameter says: of each item of a list, or of the answer itself."""
        chooser = next(one for one in operation.spec["parameters"] if one["name"] == "fields")
        tree, place = tree_of(names), chooser["x-chooses-from"]
        if not place:
            return self.slimmed(schema, tree)
        schema = self.deref(schema)
        return {**schema, "properties": {**schema["properties"], place: self.slimmed(schema["properties"][place], tree)}}

    def validator(self, operation, status, kind, names=None):
        key = (operation.id, status, kind, names)
        if key not in self.validators:
            schema = operation.spec["responses"][str(status)]["content"][kind]["schema"]
            if names is not None:
                schema = self.slimmed_answer(operation, schema, names)
            root = {**schema, "components": self.document["components"]}
            self.validators[key] = jsonschema.Draft202012Validator(root, format_checker=FORMATS)
        return self.validators[key]

    def check(self, method, path, answer):
        """Hold an answer to what is declared, and note it."""
        where = f"{method} {path[:100]} -> {answer.status} {answer.body[:300]!r}"
        operation = self.operation(method, path)
        if operation is None or (method == "OPTIONS"):
            self.check_elsewhere(where, answer)
            return
        response = operation.spec["responses"].get(str(answer.status))
        assert response is not None, f"{where}: {operation.id} does not declare this status"
        self.seen.add((operation.id, answer.status, "status", ""))
        self.check_headers(where, operation, answer, response)
        if method != "HEAD":
            slimmed = answer.status == 200 and not operation.streams
            self.check_body(where, operation, answer, response, fields_in(path) if slimmed else None)

    def check_headers(self, where, operation, answer, response):
        declared = {name.lower(): self.deref(header) for name, header in response.get("headers", {}).items()}
        for name in TELLING:
            assert name in declared or name not in answer.headers, f"{where}: {name} is sent and not declared"
        for name, header in declared.items():
            if name not in answer.headers:
                continue
            jsonschema.validate(answer.headers[name], header["schema"])
            self.seen.add((operation.id, answer.status, "header", name))

    def check_body(self, where, operation, answer, response, names):
        kinds = response.get("content", {})
        if not kinds:
            assert answer.body == b"" and "content-type" not in answer.headers, f"{where}: a body that is not declared"
            return
        kind = answer.headers["content-type"].split(";")[0]
        assert kind in kinds, f"{where}: {kind} is not declared"
        self.seen.add((operation.id, answer.status, "content type", kind))
        for body in bodies_of(kind, answer):
            fault = next(self.validator(operation, answer.status, kind, names).iter_errors(body), None)
            assert fault is None, f"{where}: {fault.json_path}: {fault.message}"
        if kind == "application/problem+json":
            self.check_problem(where, answer)
            assert answer.slug in response["x-problems"], f"{where}: this problem is not declared"
            self.seen.add((operation.id, answer.status, "problem", answer.slug))

    def check_problem(self, where, answer):
        problem = answer.json()
        assert problem["status"] == answer.status, where
        assert problem["instance"] == f"/requests/{answer.headers['request-id']}", where
        assert answer.status not in (429, 503) or answer.headers["retry-after"].isdigit(), where
        assert (answer.status == 401) == (answer.headers.get("www-authenticate") == "Bearer"), where

    def check_elsewhere(self, where, answer):
        """What no operation declares: addresses and methods that do not exist, and OPTIONS."""
        assert answer.status in (204, 400, 404, 405, 414), f"{where}: no operation has this address"
        if answer.status == 204:
            assert answer.body == b"" and "OPTIONS" in answer.headers["allow"], where
            return
        if answer.body:
            self.check_problem(where, answer)
        assert (answer.status == 405) == ("allow" in answer.headers), where

    def declared(self):
        """All that the document promises or threatens, in the form of `seen`."""
        for operation in self.operations:
            for status, response in operation.spec["responses"].items():
                status = int(status)
                yield operation.id, status, "status", ""
                for name in response.get("headers", ()):
                    yield operation.id, status, "header", name.lower()
                for kind in response.get("content", ()):
                    yield operation.id, status, "content type", kind
                for slug in response.get("x-problems", ()):
                    yield operation.id, status, "problem", slug


CONTRACT = Contract(read_document())
