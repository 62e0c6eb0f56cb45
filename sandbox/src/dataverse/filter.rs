//! Reads the text of `$filter` into an expression; knows no table.
//!
//! The subset of <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows>:
//! comparisons, `contains`, `startswith`, `endswith`, `and`, `or`, `not`, parentheses and the query
//! function `In`. Anything else is a syntax error or, where Dataverse has it, unsupported.

use jiff::Timestamp;
use uuid::Uuid;
use winnow::ascii::{digit1, multispace0, multispace1};
use winnow::combinator::{alt, cut_err, delimited, opt, preceded, repeat, separated, terminated};
use winnow::prelude::*;
use winnow::token::{one_of, take_while};

/// Deepest nesting of parentheses and negations.
const DEEPEST: usize = 64;

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A function over text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextFunction {
    Contains,
    StartsWith,
    EndsWith,
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Boolean(bool),
    Integer(i64),
    Decimal(f64),
    Text(String),
    Guid(Uuid),
    Moment(Timestamp),
    /// A date, or a time without an offset: OData has no moment without one.
    Date(String),
}

/// A filter as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Compare(String, Operator, Literal),
    Matches(TextFunction, String, Literal),
    /// Another function, by name, with its named text arguments.
    Function(String, Vec<(String, Vec<String>)>),
}

/// Reads a whole filter; the error says where it stops making sense, counted in characters.
pub(crate) fn parse(text: &str) -> Result<Expression, usize> {
    delimited(
        multispace0,
        |input: &mut &str| any_of(input, 0),
        multispace0,
    )
    .parse(text)
    .map_err(|error| text[..error.offset()].chars().count())
}

fn any_of(input: &mut &str, depth: usize) -> ModalResult<Expression> {
    let or = (multispace1, "or", multispace1);
    let terms: Vec<_> =
        separated(1.., |input: &mut &str| all_of(input, depth), or).parse_next(input)?;
    Ok(one_or(terms, Expression::Any))
}

fn all_of(input: &mut &str, depth: usize) -> ModalResult<Expression> {
    let and = (multispace1, "and", multispace1);
    let terms: Vec<_> =
        separated(1.., |input: &mut &str| term(input, depth), and).parse_next(input)?;
    Ok(one_or(terms, Expression::All))
}

fn one_or(mut terms: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            many(terms)
        }
        None => many(terms),
    }
}

fn term(input: &mut &str, depth: usize) -> ModalResult<Expression> {
    if depth > DEEPEST {
        return cut_err(winnow::combinator::fail).parse_next(input);
    }
    let negated = preceded(("not", multispace0), move |input: &mut &str| {
        term(input, depth + 1)
    })
    .map(|inner| Expression::Not(Box::new(inner)));
    let nested = delimited(
        ('(', multispace0),
        move |input: &mut &str| any_of(input, depth + 1),
        (multispace0, ')'),
    );
    alt((nested, matches, function, comparison, negated)).parse_next(input)
}

fn comparison(input: &mut &str) -> ModalResult<Expression> {
    let name = terminated(name, multispace1);
    let operator = terminated(operator, multispace1);
    (name, operator, literal)
        .map(|(name, operator, literal)| Expression::Compare(name, operator, literal))
        .parse_next(input)
}

fn operator(input: &mut &str) -> ModalResult<Operator> {
    alt((
        "eq".value(Operator::Equal),
        "ne".value(Operator::NotEqual),
        "gt".value(Operator::Greater),
        "ge".value(Operator::GreaterOrEqual),
        "lt".value(Operator::Less),
        "le".value(Operator::LessOrEqual),
    ))
    .parse_next(input)
}

fn matches(input: &mut &str) -> ModalResult<Expression> {
    let function = alt((
        "contains".value(TextFunction::Contains),
        "startswith".value(TextFunction::StartsWith),
        "endswith".value(TextFunction::EndsWith),
    ));
    let comma = (multispace0, ',', multispace0);
    let arguments = delimited(
        ('(', multispace0),
        (terminated(name, comma), literal),
        (multispace0, ')'),
    );
    (function, arguments)
        .map(|(function, (name, literal))| Expression::Matches(function, name, literal))
        .parse_next(input)
}

/// A namespaced function with named arguments, each a text or a list of texts.
fn function(input: &mut &str) -> ModalResult<Expression> {
    let dotted = (name, repeat::<_, _, (), _, _>(1.., ('.', name))).take();
    let argument = (
        terminated(name, '='),
        alt((texts, quoted.map(|text| vec![text]))),
    );
    let arguments = separated(0.., argument, (multispace0, ',', multispace0));
    (dotted, delimited('(', arguments, ')'))
        .map(|(function, arguments): (&str, _)| {
            Expression::Function(function.to_owned(), arguments)
        })
        .parse_next(input)
}

fn texts(input: &mut &str) -> ModalResult<Vec<String>> {
    let comma = (multispace0, ',', multispace0);
    delimited(
        ('[', multispace0),
        separated(0.., quoted, comma),
        (multispace0, ']'),
    )
    .parse_next(input)
}

/// A property name; a path to another table keeps its slashes.
fn name(input: &mut &str) -> ModalResult<String> {
    let start = one_of(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = take_while(0.., |c: char| {
        c.is_ascii_alphanumeric() || c == '_' || c == '/'
    });
    (start, rest).take().map(str::to_owned).parse_next(input)
}

/// Text in single quotation marks, which are doubled inside it.
fn quoted(input: &mut &str) -> ModalResult<String> {
    let piece = alt((take_while(1.., |c| c != '\''), "''".value("'")));
    let text = repeat(0.., piece).fold(String::new, |text, piece: &str| text + piece);
    delimited('\'', text, '\'').parse_next(input)
}

fn literal(input: &mut &str) -> ModalResult<Literal> {
    alt((quoted.map(Literal::Text), word)).parse_next(input)
}

/// A constant without quotation marks: everything up to a blank, comma or parenthesis.
fn word(input: &mut &str) -> ModalResult<Literal> {
    let end = |c: char| !c.is_whitespace() && !matches!(c, ',' | '(' | ')' | '\'');
    take_while(1.., end).verify_map(constant).parse_next(input)
}

fn constant(text: &str) -> Option<Literal> {
    match text {
        "null" => Some(Literal::Null),
        "true" => Some(Literal::Boolean(true)),
        "false" => Some(Literal::Boolean(false)),
        _ => guid(text)
            .or_else(|| number(text))
            .or_else(|| text.parse().ok().map(Literal::Moment))
            .or_else(|| date(text)),
    }
}

/// A GUID in its usual form, with hyphens and without braces.
fn guid(text: &str) -> Option<Literal> {
    let id = (text.len() == 36).then(|| Uuid::try_parse(text).ok())??;
    Some(Literal::Guid(id))
}

fn number(text: &str) -> Option<Literal> {
    let mut digits = text.strip_prefix('-').unwrap_or(text);
    let shape =
        (digit1::<_, winnow::error::ContextError>, opt(('.', digit1))).parse_next(&mut digits);
    shape.ok().filter(|_| digits.is_empty())?;
    let whole = text.parse().ok().map(Literal::Integer);
    whole.or_else(|| text.parse().ok().map(Literal::Decimal))
}

fn date(text: &str) -> Option<Literal> {
    let shaped = text.parse::<jiff::civil::DateTime>().is_ok();
    shaped.then(|| Literal::Date(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compare(name: &str, operator: Operator, literal: Literal) -> Expression {
        Expression::Compare(name.to_owned(), operator, literal)
    }

    #[test]
    fn constants_have_types() {
        let moment: Timestamp = "2026-12-06T22:00:00Z".parse().unwrap();
        let id = Uuid::from_u128(0xab);
        for (text, literal) in [
            ("null", Literal::Null),
            ("true", Literal::Boolean(true)),
            ("-12", Literal::Integer(-12)),
            ("1.5", Literal::Decimal(1.5)),
            ("'O''Neil, (x)'", Literal::Text("O'Neil, (x)".to_owned())),
            ("''", Literal::Text(String::new())),
            ("00000000-0000-0000-0000-0000000000ab", Literal::Guid(id)),
            ("2026-12-06T22:00:00Z", Literal::Moment(moment)),
            ("2026-12-07T00:00:00+02:00", Literal::Moment(moment)),
            ("2026-12-06", Literal::Date("2026-12-06".to_owned())),
            (
                "2026-12-06T22:00:00",
                Literal::Date("2026-12-06T22:00:00".to_owned()),
            ),
        ] {
            let read = parse(&format!("x eq {text}"));
            assert_eq!(read, Ok(compare("x", Operator::Equal, literal)), "{text}");
        }
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        let one = |name| compare(name, Operator::NotEqual, Literal::Null);
        let read = parse("a ne null or not (b ne null) and c ne null").unwrap();
        let negated = Expression::Not(Box::new(one("b")));
        let right = Expression::All(vec![negated, one("c")]);
        assert_eq!(read, Expression::Any(vec![one("a"), right]));
    }

    #[test]
    fn functions_are_read() {
        let matches = parse("startswith(emailaddress1, 'anna')").unwrap();
        let text = Literal::Text("anna".to_owned());
        let expected =
            Expression::Matches(TextFunction::StartsWith, "emailaddress1".to_owned(), text);
        assert_eq!(matches, expected);
        let read =
            parse("Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=['a','b'])");
        let arguments = vec![
            ("PropertyName".to_owned(), vec!["contactid".to_owned()]),
            (
                "PropertyValues".to_owned(),
                vec!["a".to_owned(), "b".to_owned()],
            ),
        ];
        let name = "Microsoft.Dynamics.CRM.In".to_owned();
        assert_eq!(read.unwrap(), Expression::Function(name, arguments));
    }

    #[test]
    fn mistakes_are_refused() {
        for text in [
            "",
            "a",
            "a eq",
            "eq 1",
            "a eq 'x",
            "a eq b",
            "(a eq 1",
            "a eq 1)",
            "a eq 1 and",
            "a == 1",
            "a eq 1 b eq 2",
            "a in (1,2)",
            "contains(a)",
            "a eq {x}",
            "not",
            "a eq 1.",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("notes eq 'x' and order eq 1 and nothing ne null").is_ok());
        let deep = format!("{}a eq 1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(parse(&deep).is_err());
        assert!(parse(&format!("{}a eq 1", "not ".repeat(10_000))).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn no_mixture_of_its_own_words_makes_the_parser_panic(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "eq", "and", "or", "not", "(", ")", "'", "''", "null", "1", ",", "-",
                    "contains(", "In(", "[", "]", "=", ".", " ", "2026-12-06", "é",
                ]),
                0..40,
            ),
        ) {
            let _ = (parse(&words.join(" ")), parse(&words.concat()));
        }

        #[test]
        fn any_quoted_text_is_read_back(text in "\\PC*") {
            let filter = format!("a eq '{}'", text.replace('\'', "''"));
            prop_assert_eq!(parse(&filter), Ok(compare("a", Operator::Equal, Literal::Text(text))));
        }
    }
}
