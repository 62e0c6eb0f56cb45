"""Alerts ask for functions that exist, and for lines that the program really logs."""

import json
import re
import unittest

from bicep import ROOT, body, only, template

# https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule
WINDOWS = {"PT5M", "PT10M", "PT15M", "PT30M", "PT45M", "PT1H", "PT2H"}


def queries():
    variables = template("alerts").section("variables").items()
    return {name: entry["value"] for name, entry in variables if isinstance(entry["value"], str)}


def timers():
    files = ROOT.glob("function-*/function.json")
    return {file.parent.name for file in files if json.loads(file.read_text())["bindings"][0]["type"] == "timerTrigger"}


class Alerts(unittest.TestCase):
    def setUp(self):
        self.rules = template("alerts").variable("rules")

    def test_each_query_is_one_rule(self):
        self.assertEqual(sorted(rule["query"] for rule in self.rules), sorted(queries()))
        for rule in self.rules:
            self.assertIn(rule["window"], WINDOWS, rule["key"])

    def test_every_timer_is_watched_by_its_name_and_nothing_else_is(self):
        asked = {name for query in queries().values() for name in re.findall(r"function-[a-z]+", query)}
        self.assertEqual(asked, timers())

    def test_each_message_is_one_that_the_program_logs(self):
        logged = "".join(file.read_text() for file in (ROOT / "src").rglob("*.rs"))
        messages = [text for query in queries().values() for text in re.findall(r"has '([^']+)'", query)]
        self.assertTrue(messages)
        for message in messages:
            self.assertIn(f'"{message}"', logged)

    def test_each_rule_tells_the_addresses_and_ends_by_itself(self):
        loop = template("alerts").section("resources")["alerts"]["config"]
        self.assertEqual(loop["loop_type"]["detail"]["array_name"], "rules")
        properties = only(template("alerts").of_type("Microsoft.Insights/scheduledQueryRules")).body["properties"]
        self.assertIn("receivers", str(properties["actions"]["actionGroups"]))
        self.assertEqual(properties["scopes"], ["monitoringId"])
        self.assertIs(properties["autoMitigate"], True)

    def test_without_addresses_there_are_none(self):
        module = template("main").section("modules")["alerts"]["config"]
        self.assertIn("alertEmails", str(module["condition"]))
        self.assertEqual(body(module)["params"]["emails"], "alertEmails")


if __name__ == "__main__":
    unittest.main()
