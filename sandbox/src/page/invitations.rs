//! The invitations of the environment, as the view Invitations lists them.

use axum::Router;

use super::{Page, feed::Feed};

pub(super) const FEEDS: &[Feed] = &[];

pub(super) fn router() -> Router<Page> {
    Router::new()
}
