"""scripts/grant without any service: its command line, what it would run, and whether the documentation says the same.

The stand-ins for az, pac and PowerShell in `fake` note how they are called. What needs Dataverse is told by the test
`it`, module `grant`.
"""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import tree_sitter
import tree_sitter_powershell

ROOT = Path(__file__).resolve().parents[2]
CLIENT = "11111111-1111-4111-8111-11111111111A"
OBJECT = "22222222-2222-4222-8222-222222222222"
URL = "https://org.crm4.dynamics.com"
# https://learn.microsoft.com/graph/permissions-reference
READ_WRITE = "e2a3a72e-5f79-4c64-b1b1-878b674786c9"
SEND = "b633e1c5-b582-4048-a93e-9f11b44c7e96"
EXCHANGE = ["exchange", "--client-id", CLIENT, "--object-id", OBJECT]
# The parameters that are used here, as their pages name them:
# https://learn.microsoft.com/powershell/module/exchangepowershell/
DOCUMENTED = {
    "Import-Module": set(),
    "Connect-ExchangeOnline": {"-ShowBanner"},
    "Disconnect-ExchangeOnline": {"-Confirm"},
    "Get-ServicePrincipal": set(),
    "New-ServicePrincipal": {"-AppId", "-ObjectId", "-DisplayName"},
    "Get-ManagementScope": set(),
    "New-ManagementScope": {"-Name", "-RecipientRestrictionFilter"},
    "Set-ManagementScope": {"-Identity", "-RecipientRestrictionFilter"},
    "Get-ManagementRoleAssignment": set(),
    "New-ManagementRoleAssignment": {"-Name", "-App", "-Role", "-CustomResourceScope"},
    "Remove-ManagementRoleAssignment": {"-Identity", "-Confirm"},
    "Test-ServicePrincipalAuthorization": {"-Identity", "-Resource"},
    "Get-EXOMailbox": {"-ResultSize"},
}
PLAIN = {"Where-Object", "ForEach-Object", "Select-Object", "Write-Output", "Out-Null"}


class Desk(unittest.TestCase):
    """A desk with the stand-ins on the path, where an administrator is signed in."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "directory.json").write_text("[]")
        self.sign_in()

    def sign_in(self, **account):
        account = {"tenant": OBJECT, "tokens": {"https://graph.microsoft.com": "token"}} | account
        account |= {"calls": str(self.folder / "calls"), "directory": str(self.folder / "directory.json")}
        (self.folder / "fake.json").write_text(json.dumps(account))

    def grant(self, *arguments, code=0, path=None):
        path = path or f"{ROOT}/tests/grant/fake:{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "FAKE": str(self.folder / "fake.json")}
        command = ["/bin/bash", ROOT / "scripts/grant", *arguments]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(ended.returncode, code, ended.stdout + ended.stderr)
        return ended.stdout + ended.stderr

    def calls(self):
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def grants(self):
        return json.loads((self.folder / "directory.json").read_text())


class CommandLine(Desk):
    def test_what_is_wrong_is_said_with_the_usage_and_64(self):
        dataverse = ["dataverse", "--url", URL, "--client-id", CLIENT]
        for arguments, words in [
            ([], "say what to grant"),
            (["everything"], "say what to grant"),
            (["dataverse"], "needs --url and --client-id together"),
            (["dataverse", "--url", URL], "needs --url and --client-id together"),
            (["dataverse", "--url", "http://org.crm4.dynamics.com", "--client-id", CLIENT], "--url is https://"),
            (["dataverse", "--url", f"{URL}/main.aspx", "--client-id", CLIENT], "--url is https://"),
            (["dataverse", "--url", URL, "--client-id", "portal-invite"], "--client-id is not a GUID"),
            ([*dataverse, "--features", "account"], "'account' is not a feature"),
            ([*dataverse, "--features"], "--features needs a value"),
            ([*dataverse, "--with", "power"], "--with is az or pac"),
            ([*dataverse, "--senders", "a@contoso.com"], "'--senders' is not an option of dataverse"),
            ([*dataverse, "--dryrun"], "'--dryrun' is not an option"),
            (EXCHANGE, "needs --client-id, --object-id and --senders"),
            ([*EXCHANGE, "--senders", "contoso.com"], "--senders is a list of addresses"),
            ([*EXCHANGE, "--senders", "*@contoso.com"], "--senders is a list of addresses"),
            ([*EXCHANGE, "--senders", "a@contoso.com, b@contoso.com"], "--senders is a list of addresses"),
            (["graph"], "graph needs --object-id"),
            (["check"], "check needs"),
        ]:
            with self.subTest(arguments=arguments):
                said = self.grant(*arguments, code=64)
                self.assertIn(words, said)
                self.assertIn("usage: scripts/grant", said)
        self.assertEqual(self.calls(), [])

    def test_a_missing_tool_is_named_with_where_it_comes_from(self):
        bare = self.folder / "bin"
        bare.mkdir()
        for tool in ["dirname", "jq", "sed", "cut", "bash"]:
            (bare / tool).symlink_to(subprocess.check_output(["which", tool], text=True).strip())
        said = self.grant("check", "--object-id", OBJECT, code=1, path=str(bare))
        self.assertIn("'az' is missing: see https://learn.microsoft.com/", said)
        said = self.grant(*EXCHANGE, "--senders", "a@contoso.com", code=1, path=str(bare))
        self.assertIn("'pwsh' is missing: see https://learn.microsoft.com/", said)
        (bare / "jq").unlink()
        self.assertIn("'jq' is missing", self.grant("check", "--object-id", OBJECT, code=1, path=str(bare)))

    def test_no_dry_run_calls_anything(self):
        bare = self.folder / "bin"
        bare.mkdir()
        for tool in ["dirname", "jq", "sed", "cut", "bash"]:
            (bare / tool).symlink_to(subprocess.check_output(["which", tool], text=True).strip())
        dataverse = ["--url", URL, "--client-id", CLIENT, "--features", "all", "--doctor"]
        for arguments in [
            ["dataverse", *dataverse],
            ["dataverse", *dataverse, "--with", "pac"],
            [*EXCHANGE, "--senders", "a@contoso.com"],
            ["graph", "--object-id", OBJECT, "--tenant-wide"],
            ["check", *dataverse, "--object-id", OBJECT],
        ]:
            with self.subTest(arguments=arguments):
                said = self.grant(*arguments, "--dry-run", path=str(bare))
                self.assertTrue(said.startswith("# A dry run"), said)

    def test_help_is_the_head_of_the_script(self):
        said = self.grant("--help")
        self.assertTrue(said.startswith("Grants the rights"), said)
        self.assertTrue(said.rstrip().endswith("the command line is wrong."), said)


class TenantWide(Desk):
    def test_it_is_not_granted_by_accident(self):
        said = self.grant("graph", "--object-id", OBJECT, code=64)
        self.assertIn("open every mailbox", said)
        self.assertEqual((self.calls(), self.grants()), ([], []))

    def test_both_roles_are_granted_once(self):
        arguments = ["graph", "--object-id", OBJECT, "--tenant-wide"]
        self.assertIn("Mail.Send: granted", self.grant(*arguments))
        self.assertEqual({grant["appRoleId"] for grant in self.grants()}, {READ_WRITE, SEND})
        again = self.grant(*arguments)
        self.assertEqual(again.count("there already"), 2, again)
        self.assertEqual(len(self.grants()), 2)

    def test_send_only_leaves_reading_out(self):
        self.grant("graph", "--object-id", OBJECT, "--tenant-wide", "--send-only")
        self.assertEqual([grant["appRoleId"] for grant in self.grants()], [SEND])

    def test_check_warns_of_it_and_of_nothing_else(self):
        self.assertIn("Nothing is granted", self.grant("check", "--object-id", OBJECT))
        other = {"principalId": OBJECT, "resourceId": "the-graph", "appRoleId": CLIENT}
        foreign = {"principalId": CLIENT, "resourceId": "the-graph", "appRoleId": SEND}
        (self.folder / "directory.json").write_text(json.dumps([other, foreign]))
        self.assertIn("Nothing is granted", self.grant("check", "--object-id", OBJECT))
        self.grant("graph", "--object-id", OBJECT, "--tenant-wide", "--send-only")
        said = self.grant("check", "--object-id", OBJECT)
        self.assertIn("Warning: Mail.Send granted in the whole tenant", said)

    def test_the_stand_in_refuses_what_az_does_not_know(self):
        environment = os.environ | {"FAKE": str(self.folder / "fake.json")}
        for wrong in [["rest", "--verb", "GET", "--url", "x"], ["rest", "--method", "GET"], ["login"]]:
            command = [ROOT / "tests/grant/fake/az", *wrong]
            ended = subprocess.run(command, env=environment, capture_output=True, check=False)
            self.assertEqual(ended.returncode, 2, wrong)


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


class PowerShell:
    """The commands of a script, each with its parameters."""

    def __init__(self, source):
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
        self.tree = parser.parse(source.encode()).root_node
        self.commands = [self.command(node) for node in nodes(self.tree) if node.type == "command"]

    @staticmethod
    def command(node):
        name = node.child_by_field_name("command_name").text.decode()
        parts = [part for part in nodes(node) if part.type == "command_parameter"]
        return name, {part.text.decode() for part in parts}


class Exchange(Desk):
    def dry_run(self, senders, *more):
        said = self.grant(*EXCHANGE, "--senders", senders, *more, "--dry-run")
        lines = [line for line in said.splitlines() if re.match(r"(New|Test|Connect)-", line)]
        return "\n".join(lines)

    def test_powershell_gets_each_value_as_one_argument(self):
        self.grant(*EXCHANGE, "--senders", "o'brien@contoso.com,b@contoso.com", "--send-only")
        script = str(ROOT / "scripts/grant.ps1")
        call = ["pwsh", "-NoProfile", "-File", script, "-AppId", CLIENT, "-ObjectId", OBJECT]
        self.assertEqual(self.calls(), [[*call, "-Senders", "o'brien@contoso.com,b@contoso.com", "-SendOnly"]])

    def test_both_scripts_take_the_same_parameters(self):
        source = (ROOT / "scripts/grant.ps1").read_text()
        declared = re.findall(r"^    (?:\[Parameter\(Mandatory\)\] )?\[\w+\] \$(\w+)", source, re.MULTILINE)
        self.assertEqual(declared, ["AppId", "ObjectId", "Senders", "SendOnly"])

    def test_the_powershell_script_parses_and_uses_documented_parameters_only(self):
        script = PowerShell((ROOT / "scripts/grant.ps1").read_text())
        self.assertFalse(script.tree.has_error)
        for name, parameters in script.commands:
            if name not in PLAIN:
                self.assertIn(name, DOCUMENTED)
                self.assertLessEqual(parameters, DOCUMENTED[name], name)

    def test_the_dry_run_shows_the_commands_that_the_script_runs(self):
        script = dict(PowerShell((ROOT / "scripts/grant.ps1").read_text()).commands)
        shown = PowerShell(self.dry_run("a@contoso.com"))
        self.assertFalse(shown.tree.has_error)
        for name, parameters in shown.commands:
            self.assertEqual(parameters, script[name], name)
        made = {name for name in script if name.startswith("New-")}
        self.assertEqual({name for name, _ in shown.commands if name.startswith("New-")}, made)

    def test_a_quotation_mark_in_an_address_stays_inside_the_filter(self):
        shown = self.dry_run("o'brien@contoso.com,b@contoso.com")
        literal = re.search(r"-RecipientRestrictionFilter '((?:[^']|'')*)'$", shown, re.MULTILINE).group(1)
        filter_ = "PrimarySmtpAddress -eq 'o''brien@contoso.com' -or PrimarySmtpAddress -eq 'b@contoso.com'"
        self.assertEqual(literal.replace("''", "'"), filter_)
        # Nothing here can run the script's own way to the same filter.
        source = (ROOT / "scripts/grant.ps1").read_text()
        self.assertIn("""{ "PrimarySmtpAddress -eq '" + $_.Replace("'", "''") + "'" }) -join ' -or '""", source)

    def test_send_only_leaves_reading_out(self):
        self.assertIn("Mail.ReadWrite", self.dry_run("a@contoso.com"))
        shown = self.dry_run("a@contoso.com", "--send-only")
        self.assertIn("Application Mail.Send", shown)
        self.assertNotIn("Mail.ReadWrite", shown)

    def test_two_apps_of_a_tenant_have_names_of_their_own(self):
        self.assertIn("-Name portal-invite-11111111 ", self.dry_run("a@contoso.com"))
        source = (ROOT / "scripts/grant.ps1").read_text()
        self.assertIn("""'portal-invite-' + "$AppId".Substring(0, 8)""", source)


class Documentation(unittest.TestCase):
    page = (ROOT / "docs/PERMISSIONS.md").read_text()
    entries = json.loads((ROOT / "scripts/rights/privileges.json").read_text())

    def rows(self, columns):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in self.page.splitlines()]
        return [row for row in rows if len(row) == columns]

    def test_the_table_of_privileges_is_the_list_that_the_script_works_from(self):
        told = [
            (feature, re.search(r"\(`(\w+)`\)", table).group(1), verbs.replace("Append To", "AppendTo").split(", "),
             why.replace("`", ""), check.strip("`"))
            for feature, table, verbs, why, check in self.rows(5)
            if "(`" in table
        ]
        listed = [(it["feature"], it["table"], it["verbs"], it["why"], it["check"]) for it in self.entries]
        self.assertEqual(told, listed)

    def test_each_feature_is_explained_and_known_to_the_script(self):
        script = (ROOT / "scripts/grant").read_text()
        known = re.search(r"^known=(\S+)$", script, re.MULTILINE).group(1).split(",")
        listed = {it["feature"] for it in self.entries} - {"core", "doctor"}
        self.assertEqual(set(known), listed)
        explained = [row[0] for row in self.rows(2)]
        for feature in known:
            self.assertIn(feature, explained)

    def test_every_command_in_the_page_is_one_that_the_script_takes(self):
        commands = re.findall(r"^scripts/grant (.*)$", self.page, re.MULTILINE)
        self.assertGreater(len(commands), 4)
        for command in commands:
            words = command.replace(" ID", f" {CLIENT}").split()
            dry = [] if "--dry-run" in words else ["--dry-run"]
            ended = subprocess.run([ROOT / "scripts/grant", *words, *dry], capture_output=True, check=False)
            self.assertEqual(ended.returncode, 0, command)


if __name__ == "__main__":
    unittest.main()
