"""No step of a flow asks for something that has not surely happened before it."""

import unittest

from definitions import calls, definitions, order, own, steps
from expressions import Literal

OF_ACTIONS = {"body", "outputs", "actions", "result", "actionBody", "actionOutputs"}


def named(value, functions):
    """What the calls of these functions name."""
    for call in calls(value):
        if call.name in functions:
            argument = call.arguments[0]
            yield argument.value if isinstance(argument, Literal) else None


def too_early(definition):
    """Actions and variables that some step names though they may not be there yet."""
    wrong, trigger_asks = [], list(named(definition["triggers"], OF_ACTIONS | {"variables"}))
    wrong += [f"the trigger asks for {name}" for name in trigger_asks]
    variables = {}
    for step in steps(definition["actions"]):
        action = own(step.action)
        # The condition of a loop is asked after its actions; what these set is asked for by variables only.
        wrong += [f"{step.name} asks for {name}" for name in named(action, OF_ACTIONS) if name not in step.before]
        wrong += [f"{step.name} is in no loop {name}" for name in named(action, {"items"})]
        set_here = [action["inputs"]["name"]] if action["type"] == "SetVariable" else []
        for name in [*named(action, {"variables"}), *set_here]:
            if variables.get(name) not in step.before:
                wrong.append(f"{step.name} asks for the variable {name}")
        if action["type"] == "InitializeVariable":
            variables[action["inputs"]["variables"][0]["name"]] = step.name
    return wrong


def group(**after):
    """Actions that wait for others; the first that a call names is what it asks for."""
    return {name: {"type": "Compose", "runAfter": {one: ["Succeeded"] for one in waits}} for name, waits in after.items()}


class Order(unittest.TestCase):
    def test_every_step_asks_only_for_what_was_before_it(self):
        for name, definition in definitions().items():
            with self.subTest(name):
                self.assertEqual(too_early(definition), [])

    def test_every_parameter_that_a_flow_asks_for_is_declared_and_every_declared_one_is_asked_for(self):
        for name, definition in definitions().items():
            asked = set(named([definition["triggers"], definition["actions"]], {"parameters"}))
            with self.subTest(name):
                self.assertEqual(asked | {"$connections", "$authentication"}, set(definition["parameters"]))

    def test_actions_have_names_of_their_own_in_every_depth(self):
        for name, definition in definitions().items():
            names = [step.name for step in steps(definition["actions"])]
            with self.subTest(name):
                self.assertEqual(len(names), len(set(names)))

    def test_circles_and_unknown_names_are_found(self):
        self.assertEqual(order(group(B=["A"], A=[])), ["A", "B"])
        for wrong in [group(A=["B"], B=["A"]), group(A=["C"]), group(A=["A"])]:
            with self.subTest(wrong), self.assertRaises(ValueError):
                order(wrong)

    def test_asking_too_early_is_found(self):
        def definition(actions):
            return {"triggers": {}, "actions": actions}

        beside = group(A=[], B=[])
        beside["B"]["inputs"] = "@body('A')"
        self.assertEqual(too_early(definition(beside)), ["B asks for A"])
        skipped = group(A=[], B=["A"])
        skipped["B"] |= {"inputs": "@body('A')", "runAfter": {"A": ["Succeeded", "Skipped"]}}
        self.assertEqual(too_early(definition(skipped)), ["B asks for A"])
        inside = group(A=[], B=["A"])
        inside["A"] |= {"type": "If", "expression": {}, "actions": group(Inner=[])}
        inside["B"]["inputs"] = "@body('Inner')"
        self.assertEqual(too_early(definition(inside)), ["B asks for Inner"])
        inside["A"]["actions"]["Inner"]["inputs"] = "@body('B')"
        self.assertIn("Inner asks for B", too_early(definition(inside)))
        variable = group(A=[])
        variable["A"]["inputs"] = "@variables('Done')"
        self.assertEqual(too_early(definition(variable)), ["A asks for the variable Done"])


if __name__ == "__main__":
    unittest.main()
