"""The flows call the connector as its definition says it is called."""

import copy
import unittest

from connector import mistakes, operations, read
from definitions import build, definitions, steps

SMALL = {
    "paths": {
        "/invitations": {
            "post": {
                "operationId": "Invite",
                "parameters": [
                    {"name": "Idempotency-Key", "in": "header", "required": True, "type": "string"},
                    {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Request"}},
                ],
            }
        },
        "/invitations/{id}": {
            "parameters": [{"$ref": "#/parameters/Id"}],
            "get": {"operationId": "Get", "parameters": [{"name": "top", "in": "query", "type": "integer"}]},
        },
    },
    "parameters": {"Id": {"name": "id", "in": "path", "required": True, "type": "string"}},
    "definitions": {
        "Request": {
            "type": "object",
            "required": ["who"],
            "properties": {"who": {"type": "string"}, "view": {"$ref": "#/definitions/View"}},
        },
        "View": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "personal": {"type": "boolean"}}},
    },
}


class Checking(unittest.TestCase):
    def test_a_call_as_the_definition_says_has_no_mistake(self):
        whole = {"Idempotency-Key": "1", "body/who": "a", "body/view/id": "b"}
        self.assertEqual(mistakes(SMALL, "Invite", whole), [])
        self.assertEqual(mistakes(SMALL, "Get", {"id": "1", "top": 2}), [])

    def test_each_mistake_is_named(self):
        whole = {"Idempotency-Key": "1", "body/who": "a"}
        for given, said in [
            ({"body/who": "a"}, "Invite lacks Idempotency-Key"),
            ({"Idempotency-Key": "1"}, "Invite lacks body/who"),
            (whole | {"body/whom": "b"}, "Invite has no field body/whom"),
            (whole | {"body/view/ids": "b"}, "Invite has no field body/view/ids"),
            (whole | {"body/view/personal": True}, "Invite lacks body/view/id"),
            (whole | {"idempotency-key": "1"}, "Invite has no parameter idempotency-key"),
            (whole | {"body": {}}, "Invite has no parameter body"),
        ]:
            with self.subTest(given):
                self.assertIn(said, mistakes(SMALL, "Invite", given))
        self.assertEqual(mistakes(SMALL, "Get", {}), ["Get lacks id"])
        self.assertEqual(mistakes(SMALL, "Post", {}), ["there is no operation Post"])

    def test_reading_leaves_the_definition_alone(self):
        before = copy.deepcopy(SMALL)
        mistakes(SMALL, "Invite", {})
        self.assertEqual(SMALL, before)


class Flows(unittest.TestCase):
    def test_every_call_of_every_flow_is_one_that_the_connector_takes(self):
        definition = read()
        for name, flow in definitions().items():
            for step in steps(flow["actions"]):
                inputs = step.action.get("inputs", {})
                if step.action["type"] == "OpenApiConnection" and inputs["host"]["connectionName"] == build.CONNECTOR:
                    with self.subTest(name, step=step.name):
                        self.assertEqual(mistakes(definition, inputs["host"]["operationId"], inputs["parameters"]), [])

    def test_with_http_the_same_paths_are_asked(self):
        definition = read()
        base = definition.get("basePath", "").rstrip("/")
        known = {name: (method, base + path) for name, (method, path, _) in operations(definition).items()}
        for name, (method, path) in build.OPERATIONS.items():
            with self.subTest(name):
                self.assertEqual(known.get(name), (method, "/api" + path))


if __name__ == "__main__":
    unittest.main()
