//! The Power Pages site, as the view Portal shows and sets it.

use axum::Router;

use super::{Page, feed::Feed};

pub(super) const FEEDS: &[Feed] = &[];

pub(super) fn router() -> Router<Page> {
    Router::new()
}
