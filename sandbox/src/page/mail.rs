//! What the mailboxes sent and got, as the view Mailboxes shows it.

use axum::Router;

use super::{Page, feed::Feed};

pub(super) const FEEDS: &[Feed] = &[];

pub(super) fn router() -> Router<Page> {
    Router::new()
}
