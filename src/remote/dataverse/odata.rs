//! Owns how values are written into OData queries: by their type, never by pasting text.
//!
//! Filters stay inside what Dataverse documents.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows>

use std::fmt::{self, Display, Write};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use uuid::Uuid;

/// A literal in a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Unquoted.
    Guid(Uuid),
    /// A whole number.
    Number(i64),
    /// Single-quoted, quotes doubled.
    Text(String),
    /// UTC, whole seconds.
    Moment(Timestamp),
    /// `null`.
    Null,
}

impl Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guid(id) => write!(formatter, "{}", id.hyphenated()),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => write!(formatter, "'{}'", text.replace('\'', "''")),
            Self::Moment(moment) => write!(formatter, "{}", moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
            Self::Null => formatter.write_str("null"),
        }
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Guid(id)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Moment(moment)
    }
}

/// A condition over rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter(String);

impl Filter {
    /// `column eq value`.
    pub(super) fn equals(column: &str, value: impl Into<Value>) -> Self {
        Self(format!("{column} eq {}", value.into()))
    }

    /// `column ge value`.
    pub(super) fn at_least(column: &str, value: impl Into<Value>) -> Self {
        Self(format!("{column} ge {}", value.into()))
    }

    /// `column le value`.
    pub(super) fn at_most(column: &str, value: impl Into<Value>) -> Self {
        Self(format!("{column} le {}", value.into()))
    }

    /// `column lt value`.
    pub(super) fn below(column: &str, value: impl Into<Value>) -> Self {
        Self(format!("{column} lt {}", value.into()))
    }

    /// `column ne value`.
    pub(super) fn differs(column: &str, value: impl Into<Value>) -> Self {
        Self(format!("{column} ne {}", value.into()))
    }

    /// The column is one of the values. At most a hundred belong in one query.
    pub(super) fn any_of(column: &str, values: impl IntoIterator<Item = Uuid>) -> Self {
        Self::any(values.into_iter().map(|value| Self::equals(column, value)))
    }

    /// The primary key is one of the ids, by the documented `In` function.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/in>
    pub(super) fn key_in(column: &str, ids: impl IntoIterator<Item = Uuid>) -> Self {
        let mut list = String::new();
        for id in ids {
            let separator = if list.is_empty() { "" } else { "," };
            let _ = write!(list, "{separator}'{}'", id.hyphenated());
        }
        let name = Value::Text(column.to_owned());
        Self(format!(
            "Microsoft.Dynamics.CRM.In(PropertyName={name},PropertyValues=[{list}])"
        ))
    }

    /// At least one holds.
    pub(super) fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(filters, " or ")
    }

    /// Each holds.
    pub(super) fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(filters, " and ")
    }

    /// Both hold.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        Self::joined([self, other], " and ")
    }

    fn joined(filters: impl IntoIterator<Item = Self>, word: &str) -> Self {
        let parts: Vec<_> = filters.into_iter().map(|filter| filter.0).collect();
        Self(format!("({})", parts.join(word)))
    }
}

impl Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a query component may hold unencoded: Dataverse reads the rest of the sub-delimiters as they are.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A query over one table.
#[derive(Clone, Debug)]
pub(super) struct Query {
    table: &'static str,
    options: Vec<(&'static str, String)>,
}

impl Query {
    /// Rows of an entity set.
    pub(super) fn over(table: &'static str) -> Self {
        Self {
            table,
            options: Vec::new(),
        }
    }

    /// Which columns.
    #[must_use]
    pub(super) fn select(mut self, columns: &[&str]) -> Self {
        self.options.push(("$select", columns.join(",")));
        self
    }

    /// Which rows.
    #[must_use]
    pub(super) fn filter(mut self, filter: &Filter) -> Self {
        self.options.push(("$filter", filter.to_string()));
        self
    }

    /// Anything else, whole, as somebody else wrote it.
    #[must_use]
    pub(super) fn option(mut self, name: &'static str, value: String) -> Self {
        self.options.push((name, value));
        self
    }

    /// In which order.
    #[must_use]
    pub(super) fn order(mut self, columns: &'static str) -> Self {
        self.options.push(("$orderby", columns.to_owned()));
        self
    }

    /// The path and query, relative to the service root, percent-encoded.
    pub(super) fn to_path(&self) -> String {
        let mut path = self.table.to_owned();
        for (index, (name, value)) in self.options.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            let _ = write!(
                path,
                "{separator}{name}={}",
                utf8_percent_encode(value, QUERY)
            );
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a quoted literal back the way an OData parser does.
    fn unquote(literal: &str) -> Option<String> {
        let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        let mut text = String::new();
        let mut characters = inner.chars();
        while let Some(character) = characters.next() {
            if character == '\'' && characters.next() != Some('\'') {
                return None;
            }
            text.push(character);
        }
        Some(text)
    }

    proptest! {
        #[test]
        fn any_text_survives_quoting_and_encoding(text in "\\PC*") {
            let literal = Value::Text(text.clone()).to_string();
            prop_assert_eq!(unquote(&literal), Some(text.clone()));
            let path = Query::over("contacts").filter(&Filter::equals("lastname", Value::Text(text.clone()))).to_path();
            let url = url::Url::parse(&format!("https://example.org/{path}")).unwrap();
            let pairs: Vec<_> = url.query_pairs().collect();
            prop_assert_eq!(pairs.len(), 1);
            prop_assert_eq!(pairs[0].1.as_ref(), format!("lastname eq {literal}"));
        }
    }

    #[test]
    fn filters_nest_in_parentheses() {
        let id = Uuid::from_u128(1);
        let filter = Filter::equals("statecode", 0)
            .and(Filter::any_of("_adx_invitecontact_value", [id, id]));
        assert_eq!(
            filter.to_string(),
            format!(
                "(statecode eq 0 and (_adx_invitecontact_value eq {id} or _adx_invitecontact_value eq {id}))"
            )
        );
    }
}
