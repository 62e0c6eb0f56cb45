"""What every flow here must keep to: secrecy, repetition, keys, no loop over contacts, a word when something fails."""

import re
import unittest
from datetime import datetime

from definitions import build, calls, definitions, flow_files, steps
from expressions import parse

SECURE = {"inputs", "outputs"}
# One run is one request, but for contacts that Dataverse tells of, perhaps more than once: there the contact is the request.
KEYS = {name: "@{workflow()['run']['name']}" for name in definitions()}
KEYS["InviteNewContacts"] = "@{concat('new-contact-', triggerOutputs()?['body/contactid'])}"
FAILED = {"Failed", "TimedOut"}


def all_steps(definition):
    return [*steps(definition["actions"])]


def connector_calls(definition, operation=None):
    for step in all_steps(definition):
        if step.action["type"] == "OpenApiConnection":
            host = step.action["inputs"]["host"]
            if host["connectionName"] == build.CONNECTOR and operation in (None, host["operationId"]):
                yield step


def readable(definition):
    """Actions and triggers whose history shows names, addresses or messages to whoever may read it."""
    open_ones = []
    for step in all_steps(definition):
        secured = step.action.get("runtimeConfiguration", {}).get("secureData", {}).get("properties", [])
        if step.action["type"] in ("OpenApiConnection", "Http", "Query") and set(secured) != SECURE:
            open_ones.append(step.name)
    for name, trigger in definition["triggers"].items():
        secured = trigger.get("runtimeConfiguration", {}).get("secureData", {}).get("properties", [])
        tells = trigger["type"] == "OpenApiConnectionWebhook" or trigger.get("inputs", {}).get("schema", {}).get("properties")
        if tells and "outputs" not in secured:
            open_ones.append(name)
    return open_ones


def unanswered(definition):
    """Calls of the service after whose failure nothing is said, and the flow ends as it may."""
    wrong = []
    for step in connector_calls(definition):
        followers = [one for one in all_steps(definition) if step.name in one.action["runAfter"]]
        if not any(set(one.action["runAfter"][step.name]) == FAILED for one in followers):
            wrong.append(step.name)
    return wrong


class Rules(unittest.TestCase):
    def each(self):
        yield from definitions().items()

    def test_no_history_shows_names_addresses_or_links(self):
        for _, definition in self.each():
            self.assertEqual(readable(definition), [])

    def test_an_action_with_readable_history_is_found(self):
        definition = definitions()["TellWhenRedeemed"]
        for place in (definition["actions"]["Tell"], definition["triggers"]["When_an_invitation_is_redeemed"]):
            place["runtimeConfiguration"]["secureData"]["properties"] = ["inputs"]
        self.assertEqual(readable(definition), ["Tell", "When_an_invitation_is_redeemed"])

    def test_every_call_is_repeated_with_growing_pauses(self):
        for _, definition in self.each():
            for step in connector_calls(definition):
                self.assertEqual(step.action["inputs"]["retryPolicy"]["type"], "exponential", step.name)

    def test_every_invite_has_the_key_that_its_repetition_has_too(self):
        for name, definition in self.each():
            for step in connector_calls(definition, "InviteContacts"):
                key = step.action["inputs"]["parameters"].get("Idempotency-Key", "")
                self.assertEqual(key, KEYS[name])
                self.assertNotIn("guid", [call.name for call in calls(key)])

    def test_one_run_sends_at_most_one_request_to_invite(self):
        sending = {name: len([*connector_calls(definition, "InviteContacts")]) for name, definition in self.each()}
        self.assertEqual(sending, {name: int(name != "TellWhenRedeemed") for name in sending})

    def test_nobody_gets_two_letters_because_a_flow_ran_twice(self):
        for _, definition in self.each():
            for step in connector_calls(definition, "InviteContacts"):
                self.assertEqual(step.action["inputs"]["parameters"]["body/whenPending"], "keep")

    def test_no_flow_goes_through_contacts_one_by_one(self):
        for name, definition in self.each():
            kinds = {step.action["type"] for step in all_steps(definition)}
            self.assertNotIn("Foreach", kinds)
            self.assertEqual("Until" in kinds, name == "InviteViewAndWait")

    def test_only_the_flow_that_waits_by_itself_turns_the_asynchronous_pattern_off(self):
        for name, definition in self.each():
            off = [step.name for step in all_steps(definition) if "operationOptions" in step.action]
            self.assertEqual(off, ["Invite_contacts", "Get_batch"] if name == "InviteViewAndWait" else [])

    def test_a_call_that_waits_for_the_end_of_a_batch_has_a_limit(self):
        for name, definition in self.each():
            for step in connector_calls(definition, "InviteContacts"):
                self.assertEqual("limit" in step.action, name != "InviteViewAndWait")

    def test_each_failed_call_ends_in_words(self):
        for name, definition in self.each():
            # What fails inside the loop is told after it.
            self.assertEqual(unanswered(definition), ["Get_batch"] if name == "InviteViewAndWait" else [])

    def test_each_flow_that_invites_ends_as_failed_where_somebody_must_look(self):
        for name, definition in self.each():
            if name == "TellWhenRedeemed":
                continue
            judges = [s for s in all_steps(definition) if re.match("(Are_all|Is_the_contact)_", s.name)]
            self.assertEqual(len(judges), 1)
            ends = [s.action for s in steps(judges[0].action["else"]["actions"]) if s.action["type"] == "Terminate"]
            self.assertEqual([end["inputs"]["runStatus"] for end in ends], ["Failed"])

    def test_the_schedule_does_not_overtake_itself_and_events_are_never_dropped(self):
        concurrency = {name: [t.get("runtimeConfiguration", {}).get("concurrency") for t in d["triggers"].values()] for name, d in self.each()}
        self.assertEqual(concurrency.pop("InviteViewOnSchedule"), [{"runs": 1}])
        self.assertEqual(set(map(str, concurrency.values())), {"[None]"})

    def test_the_schedule_has_a_start_so_that_turning_it_on_sends_nothing(self):
        recurrence = definitions()["InviteViewOnSchedule"]["triggers"]["Recurrence"]["recurrence"]
        self.assertLess(datetime.fromisoformat(recurrence["startTime"]), datetime.now())

    def test_names_that_strangers_chose_cannot_become_markup_in_a_mail(self):
        body = definitions()["TellWhenRedeemed"]["actions"]["Tell"]["inputs"]["parameters"]["emailMessage/Body"]
        for call in parse(body).parts:
            if not hasattr(call, "value"):
                self.assertEqual(call.name, "replace")
                self.assertEqual([argument.value for argument in call.arguments[1:]], ["<", "&lt;"])
                self.assertEqual([argument.value for argument in call.arguments[0].arguments[1:]], ["&", "&amp;"])

    def test_no_flow_names_anybody_or_anything_of_a_real_tenant(self):
        patterns = [r"[\w.+-]+@[\w-]+\.\w+", r"https?://(?!schema\.management\.azure\.com/)", r"(?i)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"]
        for path in flow_files():
            for pattern in patterns:
                with self.subTest(path.name, pattern=pattern):
                    self.assertIsNone(re.search(pattern, path.read_text()))


if __name__ == "__main__":
    unittest.main()
