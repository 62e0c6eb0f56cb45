"""Settings on their way to the app: README, Bicep, what azd fills in, docs/DEPLOY.md, the schedules of the timers.

tests/it/settings.rs compares the README with what the program asks for, and the limits below with its own.
"""

import json
import re
import unittest

from bicep import ROOT, documented_settings, only, parameters_file, reads, template

# What no parameter decides, because it follows from the deployment itself. The README tells of the last two.
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings
OF_THE_DEPLOYMENT = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AZURE_CLIENT_ID",
    "AZURE_CREDENTIAL",
}

# Flex Consumption refuses these. https://learn.microsoft.com/azure/azure-functions/functions-app-settings
REFUSED = {"FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE", "AzureWebJobsStorage"}

# What azd calls otherwise than after the parameter; a workflow's own GITHUB_* variables would count as set.
AZD_NAMES = {
    "environmentName": "AZURE_ENV_NAME",
    "location": "AZURE_LOCATION",
    "resourceGroupName": "AZURE_RESOURCE_GROUP_NAME",
    "githubRepository": "DEPLOY_GITHUB_REPOSITORY",
    "githubEnvironment": "DEPLOY_GITHUB_ENVIRONMENT",
}


def upper(parameter):
    return re.sub(r"([A-Z])", r"_\1", parameter).upper()


class Settings(unittest.TestCase):
    def setUp(self):
        self.main = template("main")
        self.settings = self.main.variable("settings")
        self.host = template("app").variable("hostSettings")

    def test_each_setting_of_the_readme_is_an_app_setting_and_no_other_is(self):
        self.assertEqual(set(self.host), OF_THE_DEPLOYMENT)
        own = set(self.settings) | {name for name in self.host if name in documented_settings()}
        self.assertEqual(own, documented_settings())
        self.assertFalse((set(self.settings) | set(self.host)) & REFUSED)

    def test_each_setting_comes_from_the_parameter_of_its_name(self):
        parameters = {upper(name): name for name in self.main.section("parameters")}
        for name, value in self.settings.items():
            self.assertIn(parameters[name], reads(value), name)
            described = self.main.decorator(parameters[name], "description")
            self.assertTrue(described.startswith(f"{name}: "), name)

    def test_no_default_of_the_app_is_repeated(self):
        for name in self.settings:
            parameter = next(one for one in self.main.section("parameters") if upper(one) == name)
            self.assertIn(self.main.section("parameters")[parameter]["default"], (None, ""), name)

    def test_what_is_empty_is_not_written_and_the_rest_is(self):
        app = template("app")
        self.assertIn("filter(items(union(settings, hostSettings)), setting => !empty(setting.value))", app.text)
        site = only(app.of_type("Microsoft.Web/sites")).body["properties"]["siteConfig"]["appSettings"]["function"]
        self.assertEqual((site["type"], site["parameters"]["arg_1"]), ("map", "filledSettings"))

    def test_each_timer_has_its_schedule_and_each_schedule_its_timer(self):
        asked = set()
        for file in ROOT.glob("function-*/function.json"):
            bindings = json.loads(file.read_text())["bindings"]
            asked |= {binding["schedule"] for binding in bindings if "schedule" in binding}
        self.assertEqual(asked, {f"%{name}%" for name in self.settings if name.endswith("_SCHEDULE")})

    def test_a_schedule_that_is_left_empty_is_that_of_the_example(self):
        example = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
        for name, value in self.settings.items():
            if name.endswith("_SCHEDULE"):
                self.assertIn(example[name], reads(value), name)


class Azd(unittest.TestCase):
    """infra/main.parameters.json and docs/DEPLOY.md."""

    def test_each_parameter_is_filled_in_from_its_variable(self):
        expected = {name: AZD_NAMES.get(name, upper(name)) for name in template("main").section("parameters")}
        self.assertEqual({name: variable for name, (variable, _) in parameters_file().items()}, expected)

    def test_only_what_is_required_is_asked_for(self):
        asked = {name for name, (_, otherwise) in parameters_file().items() if otherwise is None}
        self.assertEqual(asked, template("main").required())

    def test_what_is_not_set_is_the_default_of_the_parameter(self):
        main = template("main")
        for name, (_, otherwise) in parameters_file().items():
            default = main.section("parameters")[name]["default"]
            # azd leaves an empty number out, and would pass an empty text over a default that is none.
            if isinstance(default, str):
                self.assertEqual(otherwise, default, name)
            else:
                self.assertIn(otherwise, ("", None), name)

    def test_the_deployment_guide_tells_of_each_variable_and_no_other(self):
        guide = (ROOT / "docs/DEPLOY.md").read_text().split("\n## Parameters\n")[1].split("\n## ")[0]
        cells = " ".join(line.split("|")[1] for line in guide.splitlines() if line.startswith("|"))
        told = set(re.findall(r"`([A-Z_]+)`", cells))
        self.assertEqual(told, {variable for variable, _ in parameters_file().values()})


if __name__ == "__main__":
    unittest.main()
