//! Owns the codes that a caller can be answered with, and the status and words of each.
//!
//! Flows branch on them: a code keeps its name. docs/TROUBLESHOOTING.md explains each.

use axum::http::StatusCode;
use serde::Serialize;

/// What is wrong, as callers tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(strum::VariantArray))]
#[serde(rename_all = "camelCase")]
pub(in crate::functions) enum Code {
    InvalidRequest,
    InvalidJson,
    NotAllowed,
    NotFound,
    InvitationNotFound,
    BatchNotFound,
    MethodNotAllowed,
    AlreadyRedeemed,
    Revoked,
    NotSendable,
    TooManyContacts,
    BodyTooLarge,
    KeyReused,
    SourceRejected,
    Cooldown,
    InternalError,
    RuleRejected,
    Refused,
    Busy,
    Unavailable,
    Contended,
}

impl Code {
    /// The status it is answered with, unless the framework refused a request with one of its own.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::InvalidJson => StatusCode::BAD_REQUEST,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::NotFound | Self::InvitationNotFound | Self::BatchNotFound => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::AlreadyRedeemed | Self::Revoked | Self::NotSendable => StatusCode::CONFLICT,
            Self::TooManyContacts | Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::KeyReused | Self::SourceRejected => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Cooldown => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError | Self::RuleRejected => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Refused => StatusCode::BAD_GATEWAY,
            Self::Busy | Self::Unavailable | Self::Contended => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What it means, in words.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is not valid.",
            Self::InvalidJson => "The body is not valid JSON.",
            Self::NotAllowed => "The settings do not allow this.",
            Self::NotFound => "There is nothing at this address.",
            Self::InvitationNotFound => "There is no such invitation.",
            Self::BatchNotFound => "There is no such batch.",
            Self::MethodNotAllowed => "This address does not take this method.",
            Self::AlreadyRedeemed => "The invitation was redeemed.",
            Self::Revoked => "The invitation was revoked.",
            Self::NotSendable => "The letter of this invitation cannot be sent again.",
            Self::TooManyContacts => "The request names too many contacts.",
            Self::BodyTooLarge => "The body is too large.",
            Self::KeyReused => "The Idempotency-Key was used for another request.",
            Self::SourceRejected => "The contacts cannot be found out that way.",
            Self::Cooldown => "A letter about this invitation went out lately.",
            Self::InternalError => "Something went wrong.",
            Self::RuleRejected => "Dataverse does not understand AUTO_INVITE_FILTER.",
            Self::Refused => "A service that is needed refused the call.",
            Self::Busy => {
                "The service is busy. Send the request again, with the same Idempotency-Key."
            }
            Self::Unavailable => {
                "A service that is needed cannot be reached. Nothing was done; send the request again."
            }
            Self::Contended => {
                "The invitation is being changed by someone else. Send the request again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::ReasonCode;
    use strum::VariantArray as _;

    const DOCUMENT: &str = include_str!("../../../docs/TROUBLESHOOTING.md");

    /// The rows of the table under a heading, as far as their first cells go.
    fn rows(heading: &str, cells: usize) -> Vec<String> {
        let (_, section) = DOCUMENT.split_once(heading).unwrap();
        let lines = section.lines().skip_while(|line| !line.starts_with("|---"));
        let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
        let first = |row: &str| row.split(" | ").take(cells).collect::<Vec<_>>().join(" | ");
        rows.map(first).collect()
    }

    /// A code as it goes over the wire.
    fn name(code: impl Serialize) -> String {
        let name = serde_json::to_value(code).unwrap();
        name.as_str().unwrap().to_owned()
    }

    #[test]
    fn each_code_of_an_answer_is_explained_with_its_status_and_words_and_no_other_is() {
        let codes = Code::VARIANTS.iter().map(|code| {
            let (status, title) = (code.status().as_u16(), code.title());
            format!("| {status} | `{}` | {title}", name(code))
        });
        assert_eq!(
            rows("### The answer has a `code`\n", 3),
            codes.collect::<Vec<_>>()
        );
    }

    #[test]
    fn each_reason_of_an_entry_is_explained_with_its_words_and_no_other_is() {
        let reasons = ReasonCode::VARIANTS
            .iter()
            .map(|reason| format!("| `{}` | {}", name(reason), reason.message()));
        assert_eq!(
            rows("### An entry has a `reason`\n", 2),
            reasons.collect::<Vec<_>>()
        );
        assert_eq!(ReasonCode::ALL, ReasonCode::VARIANTS);
    }
}
