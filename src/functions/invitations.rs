//! function-invitations: `GET /api/invitations/{id?}`, one invitation, or a page of those that a filter names.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Serialize;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::problem::{Code, Problem};
use crate::domain::ids::{BatchNumber, InvitationId};
use crate::domain::invitation::Standing;
use crate::service::Service;
use crate::service::invitations::{InvitationEntry, InvitationFilter, Place};

mod cursor;

/// Entries in one answer.
const DEFAULT_TOP: usize = 100;
const MOST_TOP: usize = 1_000;

/// Where the host looks for its key and for the key's name.
/// <https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#api-key-authorization>
const OF_THE_HOST: [&str; 2] = ["code", "clientId"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    value: Vec<InvitationEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What a caller asks for.
pub(super) struct Wanted {
    filter: InvitationFilter,
    top: usize,
    after: Option<Place>,
}

pub(super) async fn one(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<InvitationEntry>, Problem> {
    let found = service.invitation(invitation_id(id)?).await?;
    found.map(Json).ok_or_else(not_found)
}

/// The id in a path; one that is no id names no invitation.
pub(super) fn invitation_id(
    id: Result<Path<String>, PathRejection>,
) -> Result<InvitationId, Problem> {
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    id.ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::new(Code::InvitationNotFound)
}

pub(super) async fn list(
    State(service): State<Service>,
    parameters: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(parameters) = parameters
        .map_err(|rejection| Problem::new(Code::InvalidRequest).detail(rejection.body_text()))?;
    let Wanted { filter, top, after } = read(parameters)?;
    let list = service.invitations(filter, top, after).await?;
    Ok(Json(Page {
        value: list.entries,
        next_cursor: list.next.map(|place| cursor::write(place, &filter)),
    }))
}

/// Reads all parameters before it refuses any. A misspelt filter must not show everything, so each one must be known.
pub(super) fn read(parameters: Vec<(String, String)>) -> Result<Wanted, Problem> {
    let mut texts = Map::new();
    let mut repeated = Vec::new();
    for (name, text) in parameters {
        if OF_THE_HOST.contains(&name.as_str()) {
            continue;
        }
        if texts.insert(name.clone(), Value::from(text)).is_some() {
            repeated.push(name);
        }
    }
    let mut fields = Fields::new(texts);
    for name in repeated {
        fields.wrong(&name, "must be given once");
    }
    let filter = InvitationFilter {
        standing: fields.parsed("standing", standing),
        contact: fields.parsed("contactId", str::parse),
        batch: fields.parsed("batch", batch),
    };
    let top = fields.parsed("top", top).unwrap_or(DEFAULT_TOP);
    let after = fields.parsed("cursor", |text| cursor::read(text, &filter));
    match fields.finish() {
        errors if errors.is_empty() => Ok(Wanted { filter, top, after }),
        errors => Err(Problem::invalid(errors)),
    }
}

fn standing(text: &str) -> Result<Standing, &'static str> {
    serde_json::from_value(text.into())
        .map_err(|_| "must be unsent, pending, redeemed, expired or revoked")
}

fn batch(text: &str) -> Result<BatchNumber, &'static str> {
    let number = text.parse::<i64>().ok();
    let number = number.and_then(|number| BatchNumber::try_from(number).ok());
    number.ok_or("is not the number of a batch")
}

fn top(text: &str) -> Result<usize, String> {
    let top = text.parse().ok();
    top.filter(|top| (1..=MOST_TOP).contains(top))
        .ok_or_else(|| format!("must be a whole number from 1 to {MOST_TOP}"))
}
