//! Owns the part of a request that says whom to invite: ids, a view, FetchXML or a filter, and exactly one of them.

use serde_json::Value;

use super::fields::Fields;
use super::problem::Problem;
use crate::domain::ids::{ContactId, IdError};
use crate::remote::dataverse::sources::ContactQuery;
use crate::service::invite::{MOST_CONTACTS, Source};

const SOURCES: [&str; 4] = ["contactIds", "view", "fetchXml", "filter"];

/// What an address inside a `$batch` can hold.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>
const LONGEST_QUERY: usize = 65_536;

/// Reads the source; one that is wrong counts as an empty list.
///
/// # Errors
///
/// At once, where more contacts are listed than fit.
pub(super) fn source(fields: &mut Fields) -> Result<Source, Problem> {
    let given: Vec<_> = SOURCES
        .into_iter()
        .filter(|name| fields.has(name))
        .collect();
    match given.as_slice() {
        [] => fields.wrong(
            SOURCES[0],
            "or view, fetchXml or filter must say whom to invite",
        ),
        [first, others @ ..] => {
            for other in others {
                fields.wrong(other, format!("cannot be combined with {first}"));
            }
        }
    }
    let listed = contacts(fields)?;
    let query = view(fields)
        .or(text(fields, "fetchXml").map(ContactQuery::FetchXml))
        .or(text(fields, "filter").map(ContactQuery::Filter));
    Ok(query.map_or(Source::Listed(listed), Source::Query))
}

fn contacts(fields: &mut Fields) -> Result<Vec<ContactId>, Problem> {
    let values = match fields.take("contactIds") {
        Some(Value::Array(values)) => values,
        other => {
            if other.is_some() {
                fields.wrong("contactIds", "must be a list of contact ids");
            }
            return Ok(Vec::new());
        }
    };
    if values.is_empty() {
        fields.wrong("contactIds", "must name at least one contact");
    }
    if values.len() > MOST_CONTACTS {
        return Err(Problem::too_many_contacts());
    }
    let mut contacts = Vec::with_capacity(values.len());
    for (place, value) in values.iter().enumerate() {
        match value.as_str().map(str::parse) {
            Some(Ok(contact)) => contacts.push(contact),
            _ => fields.wrong(&format!("contactIds[{place}]"), IdError.to_string()),
        }
    }
    Ok(contacts)
}

fn view(fields: &mut Fields) -> Option<ContactQuery> {
    let Value::Object(members) = fields.take("view")? else {
        fields.wrong("view", "must be an object with the id of a view");
        return None;
    };
    let mut view = Fields::new(members);
    if !view.has("id") {
        view.wrong("id", "must name a view");
    }
    let id = view.parsed("id", str::parse);
    let personal = view.choice("personal");
    for error in view.finish() {
        fields.wrong(&format!("view.{}", error.field), error.message);
    }
    Some(ContactQuery::View { id: id?, personal })
}

fn text(fields: &mut Fields, field: &str) -> Option<String> {
    fields.parsed(field, |text| match text.len() {
        _ if text.trim().is_empty() => Err("must not be empty".to_owned()),
        0..=LONGEST_QUERY => Ok(text.to_owned()),
        _ => Err(format!("must have at most {LONGEST_QUERY} bytes")),
    })
}
