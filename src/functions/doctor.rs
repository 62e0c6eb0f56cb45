//! function-doctor: `GET /api/doctor`, 200 with what the doctor found, also where something is wrong.

use axum::Json;
use axum::extract::State;

use crate::service::Service;
use crate::service::doctor::Diagnosis;

pub(super) async fn handle(State(service): State<Service>) -> Json<Diagnosis> {
    Json(service.diagnose().await)
}
