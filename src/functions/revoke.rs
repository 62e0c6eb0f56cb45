//! function-revoke: `POST /api/invitations/{id}/revoke`, closed for good and its link dead.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::problem::Problem;
use super::resend::invitation_id;
use crate::service::Service;

pub(super) async fn handle(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let revocation = service.revoke(invitation_id(id)?).await?;
    let mut answer = json!({"invitationId": revocation.id, "standing": "revoked"});
    if revocation.letter_may_follow {
        answer["warning"] =
            "A letter about this invitation may still arrive. Its link does not work any more."
                .into();
    }
    Ok(Json(answer))
}
