"""azure.yaml: what azd packages and deploys."""

import json
import re
import stat
import unittest

import yaml

from bicep import ROOT, template

FILE = ROOT / "azure.yaml"


class Project(unittest.TestCase):
    def setUp(self):
        self.project = yaml.safe_load(FILE.read_text())
        self.service = self.project["services"]["api"]

    def test_its_first_line_names_its_schema(self):
        first = FILE.read_text().splitlines()[0]
        self.assertRegex(first, r"^# yaml-language-server: \$schema=https://\S+/schemas/v1\.0/azure\.yaml\.json$")

    def test_it_has_nothing_that_azd_does_not_know(self):
        # https://learn.microsoft.com/azure/developer/azure-developer-cli/azd-schema
        self.assertEqual(set(self.project), {"name", "metadata", "requiredVersions", "services", "hooks"})
        self.assertEqual(set(self.project["services"]), {"api"})
        self.assertEqual(set(self.service), {"project", "host", "language", "dist", "hooks"})
        hooks = self.service["hooks"] | self.project["hooks"]
        self.assertEqual(set(hooks), {"prepackage", "postprovision"})
        for hook in hooks.values():
            self.assertEqual({system: entry["shell"] for system, entry in hook.items()}, {"posix": "sh", "windows": "pwsh"})

    def test_its_version_is_that_of_the_program(self):
        cargo = (ROOT / "Cargo.toml").read_text()
        version = re.search(r'^version = "(.+)"', cargo, re.MULTILINE).group(1)
        self.assertEqual(self.project["metadata"]["template"], f"portal-invite@{version}")

    def test_azd_is_one_that_knows_custom_handlers(self):
        self.assertEqual(self.project["requiredVersions"]["azd"], ">= 1.20.0")
        self.assertEqual((self.service["language"], self.service["host"]), ("custom", "function"))

    def test_what_is_deployed_is_what_the_script_makes(self):
        script = ROOT / self.service["hooks"]["prepackage"]["posix"]["run"]
        self.assertTrue(script.stat().st_mode & stat.S_IXUSR)
        made = script.read_text() + "".join(file.read_text() for file in script.parent.glob("package.*"))
        self.assertIn("target/package", made)
        self.assertEqual(self.service["dist"], "target/package/root")

    def test_windows_is_told_what_to_do_instead_and_stops(self):
        run = self.service["hooks"]["prepackage"]["windows"]["run"]
        self.assertIn("WSL", run)
        self.assertRegex(run, r"exit 1\s*$")

    def test_the_hook_after_provisioning_reads_only_what_azd_has(self):
        known = set(template("main").section("outputs"))
        known |= set(re.findall(r"\$\{([A-Z_]+)", json.dumps(json.loads((ROOT / "infra/main.parameters.json").read_text()))))
        for hook in self.project["hooks"]["postprovision"].values():
            read = set(re.findall(r"\$\{?(?:env:)?([A-Z_]+)", hook["run"]))
            self.assertTrue(read)
            self.assertLessEqual(read, known)


if __name__ == "__main__":
    unittest.main()
