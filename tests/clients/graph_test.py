"""msgraph-sdk, Microsoft's own Graph client for Python, writes, sends and finds letters.

It signs in with azure-identity, which asks the sandbox's identity endpoint. Each test has a client
of its own, because a client belongs to one event loop.
"""

import json
import logging
import os
import subprocess
import unittest
from pathlib import Path

from azure.identity.aio import ManagedIdentityCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.single_value_legacy_extended_property import (
    SingleValueLegacyExtendedProperty,
)
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import (
    SendMailPostRequestBody,
)
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

BUILT = Path(__file__).resolve().parents[2] / "target/debug/examples/services"
KEY = "String {5f3c7d0a-1f0c-4c9b-8a4e-9d7c6f1b2a33} Name LetterKey"
IMMUTABLE = 'IdType="ImmutableId"'


def start_sandbox():
    """Starts the services, and makes the environment that of a function app."""
    program = Path(os.environ.get("SANDBOX_SERVICES", BUILT))
    if not program.exists():
        raise SystemExit(f"{program} is not there: cargo build -p sandbox --example services")
    services = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    os.environ.update(json.loads(services.stdout.readline()))
    return services


def setUpModule():
    unittest.addModuleCleanup(start_sandbox().communicate)


def letter(subject, *, to="zoe@fabrikam.example", key=None):
    """A message as the handler writes it: HTML, one recipient, a key in an extended property."""
    message = Message(
        subject=subject,
        body=ItemBody(content_type=BodyType.Html, content="<p>Welcome</p>"),
        to_recipients=[Recipient(email_address=EmailAddress(address=to))],
    )
    if key:
        message.single_value_extended_properties = [
            SingleValueLegacyExtendedProperty(id=KEY, value=key)
        ]
    return message


def prefer(parameters=None):
    """A request that speaks of immutable ids."""
    configuration = RequestConfiguration(query_parameters=parameters)
    configuration.headers.add("Prefer", IMMUTABLE)
    return configuration


def with_key(key):
    """The query for the messages that carry this key."""
    parameters = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        filter=f"singleValueExtendedProperties/any(ep: ep/id eq '{KEY}' and ep/value eq '{key}')",
        expand=[f"singleValueExtendedProperties($filter=id eq '{KEY}')"],
        select=["id", "isDraft", "subject"],
    )
    return prefer(parameters)


def sending(message, *, keep=True):
    return SendMailPostRequestBody(message=message, save_to_sent_items=keep)


class Letters(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        url = os.environ["GRAPH_URL"]
        credential = ManagedIdentityCredential()
        self.addAsyncCleanup(credential.close)
        provider = AzureIdentityAuthenticationProvider(
            credential, scopes=[f"{url}/.default"], allowed_hosts=["127.0.0.1"]
        )
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = f"{url}/v1.0"
        self.client = GraphServiceClient(request_adapter=adapter)
        self.sender = os.environ["MAIL_SENDERS"]
        self.mailbox = self.client.users.by_user_id(self.sender)

    async def test_a_draft_keeps_its_immutable_id_when_it_is_sent(self):
        draft = await self.mailbox.messages.post(letter("Draft", key="a/1"), prefer())
        self.assertTrue(draft.is_draft)
        self.assertEqual(draft.to_recipients[0].email_address.address, "zoe@fabrikam.example")
        message = self.mailbox.messages.by_message_id(draft.id)
        self.assertIsNone(await message.send.post(prefer()))
        sent = await message.get(prefer())
        self.assertFalse(sent.is_draft)
        self.assertEqual(sent.internet_message_id, draft.internet_message_id)
        self.assertEqual(sent.body.content_type, BodyType.Html)

    async def test_a_letter_is_found_by_its_extended_property(self):
        draft = await self.mailbox.messages.post(letter("Found", key="b/1"), prefer())
        await self.mailbox.messages.post(letter("Other", key="b/2"), prefer())
        found = (await self.mailbox.messages.get(with_key("b/1"))).value
        self.assertEqual([message.id for message in found], [draft.id])
        self.assertEqual(found[0].single_value_extended_properties[0].value, "b/1")
        self.assertEqual((await self.mailbox.messages.get(with_key("b/3"))).value, [])

    async def test_send_mail_leaves_a_copy_in_sent_items(self):
        answer = await self.mailbox.send_mail.post(sending(letter("Sent", key="c/1")))
        self.assertIsNone(answer)
        found = (await self.mailbox.messages.get(with_key("c/1"))).value
        self.assertEqual([(m.subject, m.is_draft) for m in found], [("Sent", False)])

    async def test_send_mail_leaves_no_copy_where_none_is_wanted(self):
        await self.mailbox.send_mail.post(sending(letter("Unkept", key="d/1"), keep=False))
        self.assertEqual((await self.mailbox.messages.get(with_key("d/1"))).value, [])

    async def test_a_batch_answers_each_request_on_its_own(self):
        requests = {}
        for name, mailbox in (("good", self.sender), ("bad", "nobody@contoso.example")):
            send_mail = self.client.users.by_user_id(mailbox).send_mail
            request = send_mail.to_post_request_information(sending(letter(name, key="e/1")))
            requests[name] = BatchRequestItem(request, name)
        answer = await self.client.batch.post(BatchRequestContent(requests))
        self.assertEqual(answer.get_response_status_codes(), {"good": 202, "bad": 404})
        found = (await self.mailbox.messages.get(with_key("e/1"))).value
        self.assertEqual([message.subject for message in found], ["good"])

    async def test_a_mailbox_that_does_not_exist_is_an_error_with_a_code(self):
        mailbox = self.client.users.by_user_id("nobody@contoso.example")
        with self.assertRaises(ODataError) as raised:
            await mailbox.send_mail.post(sending(letter("Nowhere")))
        self.assertEqual(raised.exception.response_status_code, 404)
        self.assertEqual(raised.exception.error.code, "ErrorInvalidUser")

    async def test_a_letter_to_no_address_is_refused(self):
        with self.assertRaises(ODataError) as raised:
            await self.mailbox.send_mail.post(sending(letter("Bad", to="not an address")))
        self.assertEqual(raised.exception.response_status_code, 400)
        self.assertEqual(raised.exception.error.code, "ErrorInvalidRecipients")


if __name__ == "__main__":
    logging.disable()  # What the client logs of an error, the test says better.
    unittest.main(warnings="ignore")  # The client warns of its own classes.
