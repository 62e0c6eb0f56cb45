//! function-revoke: `POST /api/invitations/{id}/revoke`, closed for good and its link dead.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;

use super::invitations::invitation_id;
use super::problem::Problem;
use crate::service::Service;
use crate::service::invitations::InvitationEntry;
use crate::service::revoke::RevokeError;

const LETTER_MAY_FOLLOW: &str =
    "A letter about this invitation may still arrive. Its link does not work any more.";

#[derive(Serialize)]
pub(super) struct Revoked {
    #[serde(flatten)]
    invitation: InvitationEntry,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

pub(super) async fn handle(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Revoked>, Problem> {
    let revocation = service.revoke(invitation_id(id)?).await?;
    let invitation = service.invitation(revocation.id).await?;
    Ok(Json(Revoked {
        invitation: invitation.ok_or(RevokeError::Unknown)?,
        warning: revocation.letter_may_follow.then_some(LETTER_MAY_FOLLOW),
    }))
}
