//! Trouble on demand, as the view Faults asks for it.

use axum::Router;

use super::{Page, feed::Feed};

pub(super) const FEEDS: &[Feed] = &[];

pub(super) fn router() -> Router<Page> {
    Router::new()
}
