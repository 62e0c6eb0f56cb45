//! Owns the step from a request's source to the contacts it names.

use std::borrow::Cow;

use super::{FieldError, InviteError, MOST_CONTACTS, Source, busy_when_late};
use crate::domain::ids::ContactId;
use crate::remote::budget::Budget;
use crate::remote::dataverse::sources::{ContactQuery, QueryError};
use crate::service::Parts;

/// The contacts in the source's order. A caller's list keeps its duplicates: they are the caller's mistake.
pub(super) async fn contacts<'a>(
    parts: &Parts,
    source: &'a Source,
    budget: &Budget,
) -> Result<Cow<'a, [ContactId]>, InviteError> {
    let query = match source {
        Source::Listed(contacts) => return Ok(contacts.into()),
        Source::Query(query) => query,
    };
    let contacts = parts
        .dataverse
        .contacts_of(query, MOST_CONTACTS, budget)
        .await;
    contacts.map(Cow::Owned).map_err(|error| match error {
        QueryError::Rejected(message) => InviteError::SourceRejected(FieldError {
            field: field(query).to_owned(),
            message,
        }),
        QueryError::TooMany => InviteError::TooManyContacts,
        QueryError::Remote(error) => busy_when_late(error),
    })
}

/// The field of a request that holds a query.
fn field(query: &ContactQuery) -> &'static str {
    match query {
        ContactQuery::View { .. } => "view",
        ContactQuery::FetchXml(_) => "fetchXml",
        ContactQuery::Filter(_) => "filter",
    }
}
