"""The workflows of GitHub, as far as they can be checked away from it: rules that the public checkers do not know."""

import re
import unittest
from pathlib import Path

from ruamel.yaml import YAML

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))


def load(text):
    """A workflow."""
    return YAML(typ="safe").load(text)


def steps(jobs):
    """Every step of every job."""
    return [step for job in jobs.values() for step in job.get("steps", [])]


class Workflows(unittest.TestCase):
    """Each rule, for each workflow."""

    def each(self):
        self.assertEqual([path.stem for path in WORKFLOWS], ["ci", "deploy", "release"])
        for path in WORKFLOWS:
            with self.subTest(path.name):
                text = path.read_text()
                yield text, load(text)

    def test_every_action_is_pinned_by_its_commit_and_says_its_version(self):
        for text, _workflow in self.each():
            for line in re.findall(r"^.*\buses: (.+)$", text, re.MULTILINE):
                if not line.startswith("./"):
                    self.assertRegex(line, r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

    def test_rights_are_given_to_jobs_and_only_where_they_are_needed(self):
        given = {}
        for _text, workflow in self.each():
            self.assertEqual(workflow["permissions"], {})
            for name, job in workflow["jobs"].items():
                given[name] = {right for right, level in job["permissions"].items() if level == "write"}
        writers = {name: rights for name, rights in given.items() if rights}
        self.assertEqual(writers, {"deploy": {"id-token"}, "release": {"contents", "id-token", "attestations"}})

    def test_no_secret_is_needed(self):
        for text, _workflow in self.each():
            self.assertNotIn("secrets.", text)

    def test_no_expression_is_pasted_into_a_script(self):
        for _text, workflow in self.each():
            for step in steps(workflow["jobs"]):
                self.assertNotIn("${{", step.get("run", ""))

    def test_the_token_does_not_stay_in_the_work_tree(self):
        for _text, workflow in self.each():
            for step in steps(workflow["jobs"]):
                if step.get("uses", "").startswith("actions/checkout@"):
                    self.assertIs(step["with"]["persist-credentials"], False)

    def test_every_script_that_is_run_is_there(self):
        for text, _workflow in self.each():
            for script in re.findall(r"(?:scripts|tests/package)/[\w-]+|\.ci/run", text):
                self.assertTrue((REPOSITORY / script).stat().st_mode & 0o100, script)

    def test_nothing_is_deployed_or_released_that_did_not_pass_every_check(self):
        workflows = {path.stem: load(path.read_text()) for path in WORKFLOWS}
        self.assertIn("ci", workflows["deploy"]["jobs"]["deploy"]["needs"])
        self.assertIn("ci", workflows["release"]["jobs"]["release"]["needs"])
        for name in ("deploy", "release"):
            self.assertEqual(workflows[name]["jobs"]["ci"]["uses"], "./.github/workflows/ci.yml")
        self.assertIn(".ci/run", [step.get("run") for step in steps(workflows["ci"]["jobs"])])


if __name__ == "__main__":
    unittest.main()
