//! Reads `$filter` over messages: comparisons and extended properties, joined by `and`.
//!
//! Follows <https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get>: the id of an
//! extended property compares with case, its value without. Other filters are left to the caller to
//! refuse.

use jiff::Timestamp;
use serde_json::Value;
use winnow::ascii::{alpha1, alphanumeric1, multispace0, multispace1};
use winnow::combinator::{alt, delimited, preceded, repeat, separated, terminated};
use winnow::prelude::*;
use winnow::token::take_while;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
    StartsWith,
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Text(String),
    Boolean(bool),
    Moment(Timestamp),
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    /// A property of the message.
    Property(String, Test, Literal),
    /// The value of the extended property with this id.
    Extended(String, Test, String),
}

/// A filter; all its terms must hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter(Vec<Term>);

impl Filter {
    /// Reads a filter; `None` where it is not one that the sandbox knows.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let and = (multispace1, "and", multispace1);
        let terms = separated(1.., alt((extended, function, comparison)), and);
        let mut filter = delimited(multispace0, terms, multispace0).map(Self);
        let filter: Self = filter.parse(text).ok()?;
        filter.0.iter().all(Term::is_known).then_some(filter)
    }

    /// Whether a message with these properties and extended properties passes.
    pub(super) fn matches<'m>(
        &self,
        message: &Value,
        extended: impl Fn(&str) -> Option<&'m str>,
    ) -> bool {
        self.0.iter().all(|term| match term {
            Term::Property(name, test, literal) => test.holds(&message[name.as_str()], literal),
            Term::Extended(id, test, value) => {
                extended(id).is_some_and(|stored| test.holds_for_text(stored, value))
            }
        })
    }
}

impl Term {
    /// Whether the property is of the literal's type, and the test fits that type.
    fn is_known(&self) -> bool {
        let (name, test, literal) = match self {
            Self::Extended(id, ..) => return super::view::is_readable(id),
            Self::Property(name, test, literal) => (name, test, literal),
        };
        let ordered = !matches!(test, Test::Contains | Test::StartsWith);
        match literal {
            Literal::Text(_) if name == "conversationId" => *test == Test::Equal,
            Literal::Text(_) => {
                let sorts = matches!(
                    test,
                    Test::Greater | Test::GreaterOrEqual | Test::Less | Test::LessOrEqual
                );
                ["subject", "internetMessageId"].contains(&name.as_str()) && !sorts
            }
            Literal::Boolean(_) => {
                name == "isDraft" && matches!(test, Test::Equal | Test::NotEqual)
            }
            Literal::Moment(_) => name.ends_with("DateTime") && ordered,
        }
    }
}

impl Test {
    fn holds(self, stored: &Value, literal: &Literal) -> bool {
        match literal {
            Literal::Text(text) => stored
                .as_str()
                .is_some_and(|s| self.holds_for_text(s, text)),
            Literal::Boolean(value) => (stored == value) == (self == Self::Equal),
            Literal::Moment(moment) => {
                let stored = stored
                    .as_str()
                    .and_then(|text| text.parse::<Timestamp>().ok());
                stored.is_some_and(|stored| self.holds_for_moment(stored, *moment))
            }
        }
    }

    fn holds_for_text(self, stored: &str, text: &str) -> bool {
        let (stored, text) = (stored.to_lowercase(), text.to_lowercase());
        match self {
            Self::NotEqual => stored != text,
            Self::Contains => stored.contains(&text),
            Self::StartsWith => stored.starts_with(&text),
            _ => stored == text,
        }
    }

    fn holds_for_moment(self, stored: Timestamp, moment: Timestamp) -> bool {
        match self {
            Self::NotEqual => stored != moment,
            Self::Greater => stored > moment,
            Self::GreaterOrEqual => stored >= moment,
            Self::Less => stored < moment,
            Self::LessOrEqual => stored <= moment,
            _ => stored == moment,
        }
    }
}

fn extended(input: &mut &str) -> ModalResult<Term> {
    ("singleValueExtendedProperties/", alt(("Any", "any")), "(").parse_next(input)?;
    let variable = delimited(multispace0, alphanumeric1, multispace0).parse_next(input)?;
    (
        ":",
        multispace0,
        variable,
        "/id",
        multispace1,
        "eq",
        multispace1,
    )
        .parse_next(input)?;
    let id = text.parse_next(input)?;
    (multispace1, "and", multispace1).parse_next(input)?;
    let value = (variable, "/value");
    let compared = preceded(
        (value, multispace1),
        (terminated(equality, multispace1), text),
    );
    let value = (variable, "/value");
    let called = (
        terminated(
            text_test,
            ("(", multispace0, value, multispace0, ",", multispace0),
        ),
        terminated(text, (multispace0, ")")),
    );
    let (test, value) = alt((compared, called)).parse_next(input)?;
    (multispace0, ")").parse_next(input)?;
    Ok(Term::Extended(id, test, value))
}

fn function(input: &mut &str) -> ModalResult<Term> {
    let head = (text_test, preceded(("(", multispace0), alpha1));
    let comma = (multispace0, ",", multispace0);
    (
        terminated(head, comma),
        terminated(text, (multispace0, ")")),
    )
        .map(|((test, name), text): ((_, &str), _)| {
            Term::Property(name.to_owned(), test, Literal::Text(text))
        })
        .parse_next(input)
}

fn comparison(input: &mut &str) -> ModalResult<Term> {
    let order = alt((
        equality,
        "gt".value(Test::Greater),
        "ge".value(Test::GreaterOrEqual),
        "lt".value(Test::Less),
        "le".value(Test::LessOrEqual),
    ));
    (
        terminated(alpha1, multispace1),
        terminated(order, multispace1),
        literal,
    )
        .map(|(name, test, literal): (&str, _, _)| Term::Property(name.to_owned(), test, literal))
        .parse_next(input)
}

fn equality(input: &mut &str) -> ModalResult<Test> {
    alt(("eq".value(Test::Equal), "ne".value(Test::NotEqual))).parse_next(input)
}

fn text_test(input: &mut &str) -> ModalResult<Test> {
    let contains = "contains".value(Test::Contains);
    alt((contains, "startswith".value(Test::StartsWith))).parse_next(input)
}

fn literal(input: &mut &str) -> ModalResult<Literal> {
    let moment = take_while(20.., ('0'..='9', '-', ':', '.', 'T', 'Z'));
    alt((
        text.map(Literal::Text),
        "true".value(Literal::Boolean(true)),
        "false".value(Literal::Boolean(false)),
        moment.parse_to().map(Literal::Moment),
    ))
    .parse_next(input)
}

/// A quoted text; two quotes inside stand for one.
fn text(input: &mut &str) -> ModalResult<String> {
    let part = alt(("''".value("'"), take_while(1.., |c| c != '\'')));
    let parts = repeat(0.., part).fold(String::new, |text, part| text + part);
    delimited("'", parts, "'").parse_next(input)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use serde_json::json;

    const ID: &str = "String {00020329-0000-0000-c000-000000000046} Name Key";

    fn passes(filter: &str) -> Option<bool> {
        let message = json!({
            "subject": "It's here",
            "isDraft": true,
            "internetMessageId": "<a@b.c>",
            "conversationId": "AAQ=",
            "createdDateTime": "2026-01-02T03:04:05Z",
        });
        let extended = BTreeMap::from([(ID.to_owned(), "Id/Invite/1".to_owned())]);
        let extended = |id: &str| extended.get(id).map(String::as_str);
        Filter::parse(filter).map(|filter| filter.matches(&message, extended))
    }

    #[test]
    fn filters_are_applied() {
        let any = |value: &str| {
            format!("singleValueExtendedProperties/Any(ep: ep/id eq '{ID}' and {value})")
        };
        for (filter, passing) in [
            (any("ep/value eq 'id/invite/1'"), true),
            (any("ep/value eq 'id/invite/2'"), false),
            (any("startswith(ep/value, 'id/')"), true),
            (any("contains(ep/value,'remind')"), false),
            (
                any("ep/value ne 'x'").replace("Name Key", "Name key"),
                false,
            ),
            (
                any("ep/value eq 'id/invite/1'") + " and isDraft eq false",
                false,
            ),
            ("internetMessageId eq '<a@b.c>'".to_owned(), true),
            ("conversationId eq 'AAQ='".to_owned(), true),
            ("conversationId eq 'AAR='".to_owned(), false),
            ("subject eq 'it''s here'".to_owned(), true),
            ("startswith(subject,'Undeliverable')".to_owned(), false),
            (
                "createdDateTime ge 2026-01-02T03:04:05Z and isDraft eq true".to_owned(),
                true,
            ),
            ("createdDateTime lt 2026-01-02T03:04:05Z".to_owned(), false),
        ] {
            assert_eq!(passes(&filter), Some(passing), "{filter}");
        }
    }

    #[test]
    fn other_filters_are_not_known() {
        for filter in [
            "",
            "subject",
            "subject eq 5",
            "subject eq 'a' or subject eq 'b'",
            "isDraft gt true",
            "hasAttachments eq true",
            "createdDateTime ge 2026-01-02",
            "subject eq 'open",
            "startswith(conversationId,'a')",
            "singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001B' and ep/value eq 'b')",
            "singleValueExtendedProperties/Any(ep: other/id eq 'a' and ep/value eq 'b')",
        ] {
            assert_eq!(passes(filter), None, "{filter}");
        }
    }
}
