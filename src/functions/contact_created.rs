//! function-contact-created: `POST /api/contact-created`, a Dataverse webhook on Create and Update of contacts.
//!
//! Of what Dataverse sends only the contact's id is believed. Dataverse reads nothing of the answer but its status,
//! and comes once more after 502, 503 and 504 alone; so what passes is 503, and what a person must mend is 500.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks>

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument;
use uuid::Uuid;

use super::problem::{Code, Problem};
use crate::domain::ids::{BatchNumber, ContactId};
use crate::domain::outcome::{Reason, ReasonCode};
use crate::service::Service;
use crate::service::contact_created::{ContactCreatedError, Verdict};

/// Why nothing is to be done, beside the reasons that every contact may have.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(strum::VariantArray))]
#[serde(rename_all = "camelCase")]
pub(super) enum OwnReason {
    OtherMessage,
    OtherTable,
    NotMatched,
    NotConfigured,
}

impl OwnReason {
    const fn message(self) -> &'static str {
        match self {
            Self::OtherMessage => "Only Create and Update matter. Register the step on them.",
            Self::OtherTable => "Only contacts matter. Register the step on the table contact.",
            Self::NotMatched => "The contact does not meet AUTO_INVITE_FILTER.",
            Self::NotConfigured => "AUTO_INVITE_FILTER is not set.",
        }
    }
}

/// What happened in Dataverse, as far as it matters; the rest may be there or not.
/// <https://learn.microsoft.com/dotnet/api/microsoft.xrm.sdk.remoteexecutioncontext>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ExecutionContext {
    message_name: String,
    primary_entity_name: String,
    primary_entity_id: Uuid,
    /// How many plug-ins and flows led here; it decides nothing, so it may be anything.
    #[serde(default)]
    depth: Value,
}

/// What was done about the event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub(super) enum Answer {
    /// A batch was accepted.
    #[serde(rename_all = "camelCase")]
    Accepted {
        contact_id: ContactId,
        batch: BatchNumber,
    },
    /// Nothing is to be done.
    Ignored { reason: Why },
}

/// Why nothing is to be done.
#[derive(Debug, Serialize)]
pub(super) struct Why {
    code: WhyCode,
    message: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum WhyCode {
    Contact(ReasonCode),
    Own(OwnReason),
}

pub(super) async fn handle(
    State(service): State<Service>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Answer>, Problem> {
    let context = read(body)?;
    if let Some(why) = irrelevant(&context) {
        return Ok(Json(Answer::Ignored { reason: why }));
    }
    tracing::info!(
        contact = %context.primary_entity_id,
        message_name = context.message_name,
        depth = context.depth.as_i64(),
        "Dataverse tells of a contact"
    );
    let contact = ContactId::new(context.primary_entity_id);
    // In a task of its own: nobody may hang up between two lines of the journal.
    let inviting = async move { service.contact_created(contact).await };
    let verdict = tokio::spawn(inviting.in_current_span()).await;
    let verdict = verdict.map_err(|_| Problem::new(Code::InternalError))?;
    Ok(match verdict? {
        Verdict::Accepted(batch) => Json(Answer::Accepted {
            contact_id: contact,
            batch,
        }),
        verdict => ignored(verdict),
    })
}

fn read(body: Result<Bytes, BytesRejection>) -> Result<ExecutionContext, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::BodyTooLarge),
        _ => invalid("The body could not be read to its end."),
    })?;
    parse(&body)
}

/// Reads what Dataverse posts. What is wrong with a value is not told: the text would repeat it.
pub(super) fn parse(body: &[u8]) -> Result<ExecutionContext, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let needed = "The body must be an execution context of Dataverse, with MessageName, PrimaryEntityName and PrimaryEntityId.";
        if error.is_data() {
            invalid(needed)
        } else {
            invalid(&error.to_string())
        }
    })
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Code::InvalidJson).detail(detail)
}

/// Steps can be registered on anything; only contacts that appear or change matter.
fn irrelevant(context: &ExecutionContext) -> Option<Why> {
    let message = ["Create", "Update"].contains(&context.message_name.as_str());
    let table = context.primary_entity_name == "contact";
    match (message, table) {
        (true, true) => None,
        (false, _) => Some(own(OwnReason::OtherMessage)),
        (true, false) => Some(own(OwnReason::OtherTable)),
    }
}

fn ignored(verdict: Verdict) -> Json<Answer> {
    let reason = match verdict {
        Verdict::NotInvitable(reason) => of(&reason),
        Verdict::NotMatched | Verdict::Accepted(_) => own(OwnReason::NotMatched),
        Verdict::NotConfigured => own(OwnReason::NotConfigured),
    };
    Json(Answer::Ignored { reason })
}

fn of(reason: &Reason) -> Why {
    Why {
        code: WhyCode::Contact(reason.code),
        message: reason.message(),
    }
}

fn own(reason: OwnReason) -> Why {
    Why {
        code: WhyCode::Own(reason),
        message: reason.message().to_owned(),
    }
}

impl From<ContactCreatedError> for Problem {
    fn from(error: ContactCreatedError) -> Self {
        match error {
            ContactCreatedError::Rule(_) => {
                tracing::error!(%error, "no contact can be invited by rule");
                Self::new(Code::RuleRejected).detail(error.to_string())
            }
            ContactCreatedError::Invite(error) => error.into(),
        }
    }
}
