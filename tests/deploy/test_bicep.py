"""What the Bicep of infra/ promises: it is whole, it keeps no secret, and it gives no right that is not listed here."""

import re
import unittest

from bicep import FUNCTIONS, MAIN, ROOT, name_of, nodes, only, reads, template, templates

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Website Contributor": "de139f84-1756-47ae-9be6-808fbbe84772",
}

# Who may do what, on what: file, role, scope, kind of principal.
RIGHTS = {
    ("github.bicep", "Website Contributor", "app", "ServicePrincipal"),
    ("monitoring.bicep", "Monitoring Metrics Publisher", "insights", "ServicePrincipal"),
    ("storage.bicep", "Storage Blob Data Contributor", "journals", "editorPrincipalType"),
    ("storage.bicep", "Storage Blob Data Owner", "account", "ServicePrincipal"),
}

DECLARATIONS = ("parameter_declaration", "variable_declaration", "resource_declaration", "module_declaration")


class Whole(unittest.TestCase):
    """What the compiler would refuse first."""

    def test_each_file_is_free_of_errors_of_syntax(self):
        self.assertGreater(len(templates()), 5)
        for file in templates():
            self.assertFalse(file.syntax.has_error, file.path.name)
            self.assertTrue(file.tree, file.path.name)

    def test_each_name_is_declared(self):
        for file in templates():
            declared = {name_of(node) for node in nodes(file.syntax) if node.type in DECLARATIONS}
            for name, kind in used(file):
                known = FUNCTIONS if kind == "function" else declared | bound(file)
                self.assertIn(name, known, file.path.name)

    def test_each_parameter_and_variable_is_used(self):
        for file in templates():
            names = {name for name, _ in used(file)}
            for node in nodes(file.syntax):
                if node.type in ("parameter_declaration", "variable_declaration"):
                    self.assertIn(name_of(node), names, file.path.name)

    def test_each_parameter_and_output_is_described(self):
        for file in templates():
            for kind in ("parameters", "outputs"):
                for name, entry in file.section(kind).items():
                    described = [one["argument"] for one in entry["decorators"] if one["type"] == "description"]
                    self.assertTrue(described and described[0].endswith("."), f"{file.path.name}: {name}")

    def test_each_module_exists_and_gets_the_parameters_that_it_has(self):
        modules = template("main").modules()
        self.assertEqual({module.kind for module in modules}, {file.path.name for file in templates()} - {MAIN.name})
        for module in modules:
            file = template(module.kind.removesuffix(".bicep"))
            passed = set(module.body["params"])
            self.assertEqual(passed - set(file.section("parameters")), set(), module.kind)
            self.assertEqual(file.required() - passed, set(), module.kind)

    def test_each_output_that_is_read_is_one_that_the_module_has(self):
        main = template("main")
        files = {module.symbol: template(module.kind.removesuffix(".bicep")) for module in main.modules()}
        read = re.findall(r"(\w+)!?\.outputs\.(\w+)", main.text)
        self.assertGreater(len(read), 10)
        for symbol, output in read:
            self.assertIn(output, files[symbol].section("outputs"), symbol)

    def test_the_outputs_that_azd_the_workflow_and_the_grants_read_are_there(self):
        expected = {
            "SERVICE_API_NAME", "AZURE_FUNCTION_NAME", "AZURE_RESOURCE_GROUP", "AZURE_TENANT_ID",
            "AZURE_SUBSCRIPTION_ID", "API_BASE_URL", "IDENTITY_CLIENT_ID", "IDENTITY_OBJECT_ID", "GITHUB_CLIENT_ID",
            "STORE_BLOB_ENDPOINT",
        }  # fmt: skip
        self.assertEqual(set(template("main").section("outputs")), expected)


class Runtime(unittest.TestCase):
    """The plan and the app."""

    def setUp(self):
        self.file = template("app")
        self.app = only(self.file.of_type("Microsoft.Web/sites")).body

    def test_it_is_a_custom_handler_on_small_instances_of_flex_consumption(self):
        plan = only(self.file.of_type("Microsoft.Web/serverfarms")).body
        self.assertEqual(plan["sku"], {"name": "FC1", "tier": "FlexConsumption"})
        self.assertIs(plan["properties"]["reserved"], True)
        config = self.app["properties"]["functionAppConfig"]
        self.assertEqual(config["runtime"], {"name": "custom", "version": "1.0"})
        self.assertEqual(config["scaleAndConcurrency"]["instanceMemoryMB"], 512)
        self.assertEqual(self.app["kind"], "functionapp,linux")

    def test_the_package_is_read_by_the_identity(self):
        storage = self.app["properties"]["functionAppConfig"]["deployment"]["storage"]
        self.assertEqual(storage["type"], "blobContainer")
        identity = {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": "identityId"}
        self.assertEqual(storage["authentication"], identity)
        self.assertEqual(self.app["identity"]["userAssignedIdentities"], {"${identityId}": {}})

    def test_only_tls_and_no_password_lead_in(self):
        properties = self.app["properties"]
        self.assertIs(properties["httpsOnly"], True)
        self.assertEqual(properties["siteConfig"]["minTlsVersion"], "1.2")
        self.assertEqual(properties["siteConfig"]["scmMinTlsVersion"], "1.2")
        self.assertEqual(properties["siteConfig"]["ftpsState"], "Disabled")
        policies = self.file.of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
        allowed = {policy.body["name"]: policy.body["properties"]["allow"] for policy in policies}
        self.assertEqual(allowed, {"scm": False, "ftp": False})

    def test_azd_finds_the_app_and_its_group(self):
        self.assertIn("azd-service-name", str(self.app["tags"]))
        self.assertEqual(template("main").variable("tags"), {"azd-env-name": "environmentName"})


class Secrets(unittest.TestCase):
    """Nothing that could be stolen."""

    def test_no_key_and_no_connection_string_with_one_is_anywhere(self):
        for file in templates():
            for word in ("listKeys", "listAccountSas", "AccountKey", "SharedAccess", "EndpointSuffix", "InstrumentationKey"):
                self.assertNotIn(word.lower(), file.text.lower(), file.path.name)

    def test_the_storage_account_takes_no_key_and_no_stranger(self):
        file = template("storage")
        properties = only(file.of_type("Microsoft.Storage/storageAccounts")).body["properties"]
        self.assertIs(properties["allowSharedKeyAccess"], False)
        self.assertIs(properties["allowBlobPublicAccess"], False)
        self.assertIs(properties["supportsHttpsTrafficOnly"], True)
        self.assertEqual(properties["minimumTlsVersion"], "TLS1_2")
        containers = file.of_type("Microsoft.Storage/storageAccounts/blobServices/containers")
        access = {container.body["name"]: container.body["properties"]["publicAccess"] for container in containers}
        self.assertEqual(access, {"app-package": "None", "portal-invite": "None"})
        service = only(file.of_type("Microsoft.Storage/storageAccounts/blobServices")).body["properties"]
        self.assertIs(service["deleteRetentionPolicy"]["enabled"], True)

    def test_application_insights_takes_no_key(self):
        insights = only(template("monitoring").of_type("Microsoft.Insights/components")).body["properties"]
        self.assertIs(insights["DisableLocalAuth"], True)

    def test_the_lifecycle_rule_leaves_open_work_and_letters_alone(self):
        policy = only(template("storage").of_type("Microsoft.Storage/storageAccounts/managementPolicies")).body
        rule = only(policy["properties"]["policy"]["rules"])["definition"]
        self.assertEqual(rule["filters"]["prefixMatch"], ["portal-invite/done/", "portal-invite/keys/"])
        self.assertEqual(set(rule["filters"]["blobTypes"]), {"blockBlob", "appendBlob"})
        after = rule["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]["function"]
        later = {"operator": {"type": "add", "operands": {"operand_1": "batchKeepDays", "operand_2": 90}}}
        self.assertEqual((after["type"], after["parameters"]["arg_1"]), ("max", later))
        self.assertIn('const CONTAINER: &str = "portal-invite";', (ROOT / "src/config/container.rs").read_text())


class Rights(unittest.TestCase):
    """Role assignments."""

    def test_each_role_has_the_id_of_its_name(self):
        listed = {}
        for file in templates():
            listed |= file.section("variables").get("roleIds", {}).get("value", {})
        self.assertEqual(listed, ROLES)

    def test_exactly_these_rights_are_given(self):
        found = set()
        for file in templates():
            for assignment in file.of_type("Microsoft.Authorization/roleAssignments"):
                properties = assignment.body["properties"]
                role = only(set(reads(properties["roleDefinitionId"])) & set(ROLES))
                found.add((file.path.name, role, assignment.body["scope"], properties["principalType"]))
        self.assertEqual(found, RIGHTS)

    def test_the_name_of_an_assignment_follows_from_where_who_and_what(self):
        for file in templates():
            for assignment in file.of_type("Microsoft.Authorization/roleAssignments"):
                name = assignment.body["name"]["function"]
                self.assertEqual(name["type"], "guid")
                role = only(set(reads(assignment.body["properties"]["roleDefinitionId"])) & set(ROLES))
                who = set(reads(assignment.body["properties"]["principalId"]))
                self.assertLessEqual({assignment.body["scope"], role}, set(reads(name)), assignment.symbol)
                self.assertTrue(who & set(reads(name)), assignment.symbol)

    def test_a_workflow_signs_in_for_one_repository_and_no_fork(self):
        credential = only(file for file in template("github").resources() if "federated" in file.kind).body["properties"]
        self.assertEqual(credential["issuer"], "https://token.actions.githubusercontent.com")
        self.assertEqual(credential["audiences"], ["api://AzureADTokenExchange"])
        self.assertTrue(credential["subject"].startswith("repo:${repository}:"))


class Callers(unittest.TestCase):
    """App Service authentication."""

    def setUp(self):
        self.file = template("auth")
        self.properties = only(self.file.of_type("Microsoft.Web/sites/config")).body["properties"]

    def test_whoever_has_no_token_is_answered_401(self):
        validation = self.properties["globalValidation"]
        self.assertIs(validation["requireAuthentication"], True)
        self.assertEqual(validation["unauthenticatedClientAction"], "Return401")

    def test_only_health_and_the_webhook_go_without_a_token(self):
        excluded = self.properties["globalValidation"]["excludedPaths"]
        self.assertIn("webhook", reads(excluded))
        paths = {text for text in reads(excluded) + self.file.variable("health") if text.startswith("/")}
        self.assertEqual(paths, {"/api/health", "/api/contact-created"})

    def test_no_tokens_are_kept_and_only_those_for_this_api_count(self):
        provider = self.properties["identityProviders"]["azureActiveDirectory"]
        self.assertEqual(provider["validation"]["allowedAudiences"], ["clientId", "api://${clientId}"])
        self.assertIs(self.properties["login"]["tokenStore"]["enabled"], False)


def used(file):
    """Names in expressions, each with what it is: a function that is called, or a value."""
    for node in nodes(file.syntax):
        if node.type != "identifier" or is_key(node) or in_decorator(node):
            continue
        called = node.parent.type == "call_expression" and node.parent.named_children[0] == node
        if called or node.parent.type not in (*DECLARATIONS, "output_declaration"):
            yield node.text.decode(), "function" if called else "value"
        elif node.parent.named_children[0] != node:
            yield node.text.decode(), "value"


def bound(file):
    """Names that a loop or a lambda gives its entries."""
    owners = [node for node in nodes(file.syntax) if node.type in ("for_statement", "lambda_expression")]
    return {name_of(node) for node in owners}


def is_key(node):
    return node.parent.type == "object_property" and node.parent.named_children[0] == node


def in_decorator(node):
    while node := node.parent:
        if node.type == "decorators":
            return True
    return False


if __name__ == "__main__":
    unittest.main()
