"""What stands beside the connector's definition: its properties, and the files that scripts/connector makes of both.

The keys that properties may have, and the words in them, are those of
https://learn.microsoft.com/connectors/custom-connectors/connection-parameters and
https://learn.microsoft.com/connectors/custom-connectors/policy-templates/setheader/setheader.
"""

import copy
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import jsonschema
import openapi_spec_validator
from description import DEFINITION, OPERATIONS, ROOT

NOBODY = "00000000-0000-0000-0000-000000000000"
SOMEBODY = "11111111-2222-3333-4444-555555555555"
ENTRA = ["--entra", "--tenant", SOMEBODY, "--client", SOMEBODY, "--resource", "api://invite"]


def record(needed, /, **properties):
    return {"type": "object", "required": needed, "additionalProperties": False, "properties": properties}


TEXT = {"type": "string", "minLength": 1}
VALUE = record(["value"], value=TEXT)
KEY = record(
    ["type", "uiDefinition"],
    type={"enum": ["securestring"]},
    uiDefinition=record(
        ["displayName", "description", "tooltip", "constraints"],
        displayName=TEXT, description=TEXT, tooltip=TEXT,
        # The key is no text to look at, and "true" is a text where the platform reads it.
        constraints=record(["clearText", "required"], tabIndex={"type": "integer"}, clearText={"enum": [False]}, required={"enum": ["true"]}),
    ),
)
TOKEN = record(
    ["type", "oAuthSettings"],
    type={"enum": ["oauthSetting"]},
    oAuthSettings=record(
        ["identityProvider", "clientId", "scopes", "redirectMode", "redirectUrl", "properties", "customParameters"],
        identityProvider={"enum": ["aad"]}, clientId=TEXT, scopes={"type": "array", "items": TEXT}, redirectMode={"enum": ["Global", "GlobalPerConnector"]},
        redirectUrl={"enum": ["https://global.consent.azure-apim.net/redirect"]},
        properties=record(["IsFirstParty", "AzureActiveDirectoryResourceId"], IsFirstParty={"enum": ["False"]}, AzureActiveDirectoryResourceId=TEXT),
        customParameters=record(["loginUri", "tenantId", "resourceUri"], loginUri=VALUE, tenantId=VALUE, resourceUri=VALUE, enableOnbehalfOfLogin=VALUE),
    ),
)
PARAMETER = "x-ms-apimTemplateParameter"
HEADER_POLICY = record(
    ["templateId", "title", "parameters"],
    templateId={"enum": ["setheader"]}, title=TEXT,
    parameters=record(
        [f"{PARAMETER}.name", f"{PARAMETER}.value", "x-ms-apimTemplate-policySection"],
        **{f"{PARAMETER}.name": TEXT, f"{PARAMETER}.value": TEXT, f"{PARAMETER}.existsAction": {"enum": ["override", "skip", "append"]},
           "x-ms-apimTemplate-policySection": {"enum": ["Request", "Response", "Failure"]},
           "x-ms-apimTemplate-operationName": {"type": "array", "items": {"enum": list(OPERATIONS)}}},
    ),
)
PROPERTIES = record(["properties"], properties=record(
    ["connectionParameters", "iconBrandColor", "capabilities", "publisher"],
    connectionParameters={"type": "object", "additionalProperties": {"oneOf": [KEY, TOKEN]}},
    # The first two colours are those of a connector that nobody has given one.
    iconBrandColor={"type": "string", "pattern": "^#[0-9a-f]{6}$", "not": {"enum": ["#007ee5", "#ffffff"]}},
    capabilities={"type": "array", "maxItems": 0}, publisher=TEXT, stackOwner=TEXT,
    policyTemplateInstances={"type": "array", "items": HEADER_POLICY},
))


def mistakes(properties):
    return [error.message for error in jsonschema.Draft7Validator(PROPERTIES).iter_errors(properties)]


def read(name):
    return json.loads((ROOT / "connector" / name).read_text())


def prepare(*given):
    """What scripts/connector writes: the definition and the properties; or its complaint."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, ROOT / "scripts/connector", *given, "--out", folder]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            return run.stderr
        icon = (Path(folder) / "icon.png").read_bytes()
        assert icon == (ROOT / "connector/icon.png").read_bytes()
        return tuple(json.loads((Path(folder) / name).read_text()) for name in ("apiDefinition.swagger.json", "apiProperties.json"))


class Properties(unittest.TestCase):
    def test_both_kinds_of_connection_are_well_formed(self):
        for name in ("apiProperties.json", "apiProperties.entra.json"):
            self.assertEqual(mistakes(read(name)), [], name)

    def test_what_is_wrong_in_a_copy_is_found(self):
        for change in (
            lambda it: it.update(iconBrandColor="#007ee5"),
            lambda it: it.update(iconBrandColor="#FFFFFF"),
            lambda it: it.update(colour="#0b5c7a"),
            lambda it: it["connectionParameters"]["api_key"].update(type="string"),
            lambda it: it["connectionParameters"]["api_key"]["uiDefinition"]["constraints"].update(required=True),
            lambda it: it["connectionParameters"]["token"]["oAuthSettings"].update(identityProvider="azure"),
            lambda it: it["policyTemplateInstances"][0]["parameters"].update({"x-ms-apimTemplate-operationName": ["Invite"]}),
        ):
            copied = copy.deepcopy(read("apiProperties.entra.json"))
            change(copied["properties"])
            self.assertNotEqual(mistakes(copied), [])

    def test_the_key_that_people_enter_is_the_one_that_the_host_reads(self):
        name = DEFINITION["securityDefinitions"]["api_key"]["name"]
        self.assertIn("api_key", read("apiProperties.json")["properties"]["connectionParameters"])
        policy = read("apiProperties.entra.json")["properties"]["policyTemplateInstances"][0]["parameters"]
        self.assertEqual(policy[f"{PARAMETER}.name"], name)
        self.assertEqual(policy[f"{PARAMETER}.value"], "@connectionParameters('api_key')")


class Prepared(unittest.TestCase):
    def test_with_a_key_only_the_host_is_another(self):
        definition, properties = prepare("Contoso-Invite.azurewebsites.net")
        self.assertEqual(definition, {**DEFINITION, "host": "contoso-invite.azurewebsites.net"})
        self.assertEqual(properties, read("apiProperties.json"))
        openapi_spec_validator.validate(definition)

    def test_with_entra_people_sign_in_to_the_tenant_and_no_placeholder_is_left(self):
        definition, properties = prepare("contoso-invite.azurewebsites.net", *ENTRA)
        openapi_spec_validator.validate(definition)
        self.assertEqual(mistakes(properties), [])
        self.assertEqual([scheme["type"] for scheme in definition["securityDefinitions"].values()], ["oauth2"])
        self.assertEqual(definition["paths"], DEFINITION["paths"])
        self.assertNotIn(NOBODY, json.dumps([definition, properties]))
        self.assertNotIn("your-function-app", json.dumps(definition))

    def test_what_cannot_be_meant_is_refused(self):
        for given in (["https://contoso.azurewebsites.net"], ["contoso.azurewebsites.net", "--entra"], ["contoso.azurewebsites.net", "--tenant", SOMEBODY],
                      ["contoso.azurewebsites.net", *ENTRA[:-1], ""], ["contoso.azurewebsites.net", "--entra", "--tenant", "contoso"]):
            self.assertIn("error:", prepare(*given), given)


class Definition(unittest.TestCase):
    def test_another_validator_takes_it(self):
        openapi_spec_validator.validate(DEFINITION)

    def test_that_validator_refuses_a_definition_that_is_wrong(self):
        wrong = copy.deepcopy(DEFINITION)
        wrong["securityDefinitions"]["api_key"]["in"] = "body"
        with self.assertRaises(Exception) as raised:
            openapi_spec_validator.validate(wrong)
        self.assertIn("api_key", str(raised.exception.__dict__) + str(raised.exception))


if __name__ == "__main__":
    unittest.main()
