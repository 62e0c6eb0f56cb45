"""Every flow is a workflow definition as the public pages describe one, and nothing else."""

import copy
import json
import unittest
from pathlib import Path

from jsonschema import Draft202012Validator

from definitions import CODE_VIEW, build, flows

SCHEMA = json.loads(Path(__file__).with_name("workflow.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)


def mistakes(flow):
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(flow)]


class Schema(unittest.TestCase):
    def test_each_flow_is_a_workflow_definition(self):
        Draft202012Validator.check_schema(SCHEMA)
        for name, flow in flows().items():
            with self.subTest(name):
                self.assertEqual(mistakes(flow), [])

    def test_each_flow_with_http_instead_of_the_connector_is_one_too(self):
        for name, flow in flows().items():
            definition = flow["properties"]["definition"]
            definition |= json.loads((CODE_VIEW / f"{name}.http.json").read_text())
            with self.subTest(name):
                self.assertEqual(mistakes(flow), [])
                self.assertNotIn(build.CONNECTOR, json.dumps(definition))

    def test_a_word_that_is_no_word_of_a_definition_is_refused(self):
        good = flows()["InviteViewOnSchedule"]
        actions = good["properties"]["definition"]["actions"]
        places = [
            ("runafter", lambda flow: flow["actions"]["Invite_contacts"]),
            ("retrypolicy", lambda flow: flow["actions"]["Invite_contacts"]["inputs"]),
            ("securedata", lambda flow: flow["actions"]["Invite_contacts"]["runtimeConfiguration"]),
            ("concurency", lambda flow: flow["triggers"]["Recurrence"]["runtimeConfiguration"]),
            ("timezone", lambda flow: flow["triggers"]["Recurrence"]["recurrence"]),
            ("foreach", lambda flow: flow["actions"]["Are_all_invited"]),
        ]
        self.assertIn("Invite_contacts", actions)
        for word, place in places:
            bad = copy.deepcopy(good)
            place(bad["properties"]["definition"])[word] = {}
            with self.subTest(word):
                self.assertTrue(mistakes(bad))

    def test_values_that_the_service_does_not_know_are_refused(self):
        good = flows()["InviteViewAndWait"]
        invite = ["actions", "Invite_contacts"]
        bad_values = [
            ([*invite, "type"], "OpenApiConnections"),
            ([*invite, "runAfter"], {"Initialize_Seconds": ["Success"]}),
            ([*invite, "inputs", "retryPolicy", "count"], 91),
            ([*invite, "inputs", "retryPolicy", "interval"], "10 seconds"),
            ([*invite, "inputs", "authentication"], "@parameters('$auth')"),
            ([*invite, "operationOptions"], "DisableAsync"),
            (["actions", "Are_all_invited", "expression"], {"equal": [1, 1]}),
        ]
        for path, value in bad_values:
            bad = copy.deepcopy(good)
            place = bad["properties"]["definition"]
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = value
            with self.subTest(path=path):
                self.assertTrue(mistakes(bad))


if __name__ == "__main__":
    unittest.main()
