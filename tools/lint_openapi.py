#!/usr/bin/python3
"""Lint an OpenAPI 3.1 document: lint_openapi.py FILE (or - for standard input). Prints each fault; fails when there is one."""

import json
import re
import sys

import jsonschema

METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
PROBLEM_FIRST_STATUS = 400
STATES = ("GET /readyz",)  # which tell the same of themselves whether it is good or bad


class Lint:
    def __init__(self, document):
        self.document = document
        self.faults = []

    def fault(self, where, what):
        self.faults.append(f"{where}: {what}")

    def resolve(self, reference):
        """The target of a local reference, or None."""
        if not reference.startswith("#/"):
            return None
        node = self.document
        for step in reference[2:].split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or step not in node:
                return None
            node = node[step]
        return node

    def walk(self, node, where="#"):
        """Every reference leads somewhere; every schema is valid 2020-12."""
        if isinstance(node, list):
            for index, item in enumerate(node):
                self.walk(item, f"{where}/{index}")
        if not isinstance(node, dict):
            return
        reference = node.get("$ref")
        if isinstance(reference, str) and self.resolve(reference) is None:
            self.fault(where, f"{reference} leads nowhere")
        for name, value in node.items():
            if name == "schema":
                self.schema(value, f"{where}/schema")
            self.walk(value, f"{where}/{name}")

    def schema(self, schema, where):
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            self.fault(where, error.message)
            return
        self.examples(schema, where)

    def examples(self, schema, where):
        """An example, a default and the values of an enum fit the schema they stand in."""
        if not isinstance(schema, dict):
            return
        whole = {"$defs": {}, "components": self.document.get("components", {}), **schema}
        validator = jsonschema.Draft202012Validator(whole)
        values = list(schema.get("examples", [])) + ([schema["default"]] if "default" in schema else [])
        for value in values:
            for error in validator.iter_errors(value):
                self.fault(where, f"{json.dumps(value)}: {error.message}")
        for name, inner in schema.get("properties", {}).items():
            self.examples(inner, f"{where}/properties/{name}")
        for word in schema.get("required", []):
            if word not in schema.get("properties", {}) and "properties" in schema:
                self.fault(where, f"requires {word}, which it does not describe")

    def components(self):
        for name, schema in self.document["components"]["schemas"].items():
            where = f"#/components/schemas/{name}"
            self.schema(schema, where)
            if not schema.get("description"):
                self.fault(where, "has no description")
        used = set(re.findall(r'"#/components/(\w+/[^"]+)"', json.dumps(self.document)))
        for kind, parts in self.document["components"].items():
            for name in parts:
                if kind != "securitySchemes" and f"{kind}/{name}" not in used:
                    self.unused(kind, name)

    def unused(self, kind, name):
        # Parameters and answers of the frame may wait for their first endpoint; a schema without a user is dead.
        if kind == "schemas":
            self.fault(f"#/components/{kind}/{name}", "is used nowhere")

    def operation(self, path, method, operation, seen):
        where = f"{method.upper()} {path}"
        name = operation.get("operationId")
        if not name or name in seen:
            self.fault(where, f"operationId {name!r} is missing or not unique")
        seen.add(name)
        for member in ("summary", "description", "tags"):
            if not operation.get(member):
                self.fault(where, f"has no {member}")
        for tag in operation.get("tags", []):
            if tag not in {entry["name"] for entry in self.document.get("tags", [])}:
                self.fault(where, f"tag {tag} is not described")
        if operation.get("security") != [] and not operation.get("x-scope"):
            self.fault(where, "is neither open nor names its scope")
        self.parameters(where, path, operation)
        self.responses(where, operation)

    def parameters(self, where, path, operation):
        named, seen = set(), set()
        for parameter in operation.get("parameters", []):
            parameter = self.resolve(parameter["$ref"]) if "$ref" in parameter else parameter
            if not parameter:
                continue
            key = (parameter["in"], parameter["name"].lower())
            if key in seen:
                self.fault(where, f"parameter {parameter['name']} comes twice")
            seen.add(key)
            if parameter["in"] == "path":
                named.add(parameter["name"])
                if not parameter.get("required"):
                    self.fault(where, f"path parameter {parameter['name']} is not required")
            if not parameter.get("description"):
                self.fault(where, f"parameter {parameter['name']} has no description")
            if "schema" not in parameter:
                self.fault(where, f"parameter {parameter['name']} has no schema")
        if named != set(re.findall(r"{(\w+)}", path)):
            self.fault(where, f"declares path parameters {sorted(named)}")

    def responses(self, where, operation):
        responses = operation.get("responses", {})
        if not any(status.startswith("2") for status in responses):
            self.fault(where, "has no success")
        for status, response in responses.items():
            response = self.resolve(response["$ref"]) if "$ref" in response else response
            if not response or not response.get("description"):
                self.fault(where, f"answer {status} has no description")
            elif (int(status) >= PROBLEM_FIRST_STATUS and where not in STATES
                  and "application/problem+json" not in response.get("content", {})):
                self.fault(where, f"answer {status} is no problem document")

    def run(self):
        if not self.document.get("openapi", "").startswith("3.1."):
            self.fault("#", "is not OpenAPI 3.1")
        for member in ("title", "version"):
            if not self.document.get("info", {}).get(member):
                self.fault("#/info", f"has no {member}")
        self.walk(self.document)
        self.components()
        seen = set()
        for path, item in self.document.get("paths", {}).items():
            for method, operation in item.items():
                if method in METHODS:
                    self.operation(path, method, operation, seen)
                else:
                    self.fault(path, f"{method} is no method")
        if not seen:
            self.fault("#/paths", "holds no operation")
        return len(seen)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with sys.stdin if sys.argv[1] == "-" else open(sys.argv[1], encoding="utf-8") as file:
        lint = Lint(json.load(file))
    count = lint.run()
    for fault in lint.faults:
        print(fault)
    print(f"{count} operations, {len(lint.faults)} faults")
    sys.exit(1 if lint.faults else 0)


main()
