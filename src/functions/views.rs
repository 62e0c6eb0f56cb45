//! function-views: `GET /api/views`, the views that a request to invite can name, for a drop-down to choose from.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::problem::Problem;
use crate::service::Service;
use crate::service::views::ViewEntry;

#[derive(Serialize)]
pub(super) struct List {
    value: Vec<ViewEntry>,
}

pub(super) async fn handle(State(service): State<Service>) -> Result<Json<List>, Problem> {
    let value = service.views().await?;
    Ok(Json(List { value }))
}
