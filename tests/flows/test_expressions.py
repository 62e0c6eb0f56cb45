"""Expressions are read strictly, and those of the flows can all be read."""

import unittest

from definitions import calls, definitions
from expressions import Call, Literal, Member, Refused, Text, parse


class Reading(unittest.TestCase):
    def test_a_string_is_a_text_an_expression_or_a_text_with_expressions(self):
        self.assertEqual(parse("plain, and mail@contoso.example"), Text((Literal("plain, and mail@contoso.example"),)))
        self.assertEqual(parse("@null"), Literal(None))
        self.assertEqual(parse("a @{1} b"), Text((Literal("a "), Literal(1), Literal(" b"))))
        self.assertEqual(parse("@@{1}"), Text((Literal("@"), Literal("{1}"))))
        self.assertEqual(parse("@concat('it''s')"), Call("concat", (Literal("it's"),)))
        member = Member(Call("body", (Literal("A"),)), Literal("b"), True)
        self.assertEqual(parse("@body('A')?['b']"), member)
        self.assertEqual(parse("@{body('A')?.b}"), Text((member,)))

    def test_what_is_no_expression_is_refused(self):
        bad = [
            "@", "@body('A'", "@body('A'))", "@body('A)", "@body(A)", "@boddy('A')", "@Body('A')", "@body()", "@body('A', 'B')",
            "@equals(1)", "@if(true, 1)", "@body('A')?", "@body('A')['b'", "@body('A')[]", "@body('A') 'b'", "@{body('A')",
            "text @{body('A'} text", '@body("A")', "@concat('a',)", "@equals(1 2)", "@body('A').1", "@12a",
        ]
        for text in bad:
            with self.subTest(text), self.assertRaises(Refused):
                parse(text)

    def test_every_expression_of_every_flow_can_be_read(self):
        for name, definition in definitions().items():
            with self.subTest(name):
                self.assertTrue(list(calls(definition)))


if __name__ == "__main__":
    unittest.main()
