//! function-batch: `GET /api/batches/{number}`, 202 while work is left, then 200 with the results.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::problem::{Code, Problem};
use crate::domain::ids::BatchNumber;
use crate::domain::outcome::OutcomeKind;
use crate::service::Service;
use crate::service::invite::FieldError;
use crate::service::report::Window;

/// Entries in one answer.
const DEFAULT_TOP: usize = 1_000;
const MOST_TOP: usize = 5_000;

#[derive(Deserialize)]
pub(super) struct Parameters {
    outcome: Option<String>,
    top: Option<String>,
    cursor: Option<String>,
}

pub(super) async fn handle(
    State(service): State<Service>,
    number: Result<Path<String>, PathRejection>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let not_found = || Problem::new(Code::BatchNotFound);
    let number = number
        .ok()
        .and_then(|Path(number)| number.parse::<i64>().ok())
        .and_then(|number| BatchNumber::try_from(number).ok());
    let Query(parameters) = parameters
        .map_err(|rejection| Problem::new(Code::InvalidRequest).detail(rejection.body_text()))?;
    let window = window(&parameters)?;
    let number = number.ok_or_else(not_found)?;
    let report = service.batch_page(number, window).await?;
    Ok(super::invite::answer(report, &headers))
}

const OUTCOMES: &str =
    "must be sent, created, kept, pending, planned, skipped, failed or unconfirmed";

fn window(parameters: &Parameters) -> Result<Window, Problem> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        errors.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    let outcome = parameters.outcome.as_deref().map(|text| {
        let outcome = serde_json::from_value::<OutcomeKind>(text.into());
        outcome.map_err(|_| wrong("outcome", OUTCOMES))
    });
    let top = parameters
        .top
        .as_deref()
        .map_or(Some(DEFAULT_TOP), |text| text.parse().ok());
    let top = top.filter(|top| (1..=MOST_TOP).contains(top));
    if top.is_none() {
        wrong("top", "must be a whole number from 1 to 5000");
    }
    let skip = parameters
        .cursor
        .as_deref()
        .map_or(Some(0), |text| text.parse().ok());
    if skip.is_none() {
        wrong("cursor", "is not one that an earlier answer gave");
    }
    match (outcome.transpose(), top, skip) {
        (Ok(outcome), Some(top), Some(skip)) => Ok(Window { outcome, skip, top }),
        _ => Err(Problem::invalid(errors)),
    }
}
