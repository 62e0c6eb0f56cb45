//! Who called whom, how long it took and what the handler logged, as the view Traffic shows it.

use axum::Router;

use super::{Page, feed::Feed};

pub(super) const FEEDS: &[Feed] = &[];

pub(super) fn router() -> Router<Page> {
    Router::new()
}
