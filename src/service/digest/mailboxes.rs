//! Owns what the sender mailboxes tell of some time: letters that came back, and drafts that were left over.
//!
//! Only where letters leave as drafts: the other mode has no right to read a mailbox.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;

use super::findings::{Mailbox, invitation_of};
use super::period::left_over;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;
use crate::service::Parts;
use crate::service::pace::Turn;

/// How long to wait for the turn at a mailbox.
const SOON: Duration = Duration::from_secs(2);

/// The turn at a mailbox, where it comes soon, so that one batch of requests at a time is in flight there. Whoever has
/// it for longer waits for its pace and asks nothing meanwhile; that may take a minute, which a digest does not have.
pub(super) async fn soon(parts: &Parts, address: &str) -> Option<Turn> {
    let soon = Budget::within(&parts.clock, SOON);
    parts.mailboxes.turn(address, &soon).await.ok()
}

/// What one mailbox tells.
pub(super) async fn look_into(
    parts: &Parts,
    address: &str,
    time: &Range<Timestamp>,
    budget: &Budget,
) -> Result<Mailbox, RemoteError> {
    let _turn = soon(parts, address).await;
    let inspection = parts
        .graph
        .inspect(address, time.clone(), left_over(time), budget)
        .await?;
    let keys = parts
        .graph
        .keys_of(address, &inspection.reports, budget)
        .await?;
    let mut mailbox = Mailbox {
        address: address.to_owned(),
        drafts: inspection.drafts,
        more: inspection.more_reports,
        ..Mailbox::default()
    };
    for key in keys {
        match key.as_deref().and_then(invitation_of) {
            Some(invitation) => {
                mailbox.returned.insert(invitation);
            }
            None => mailbox.strange += 1,
        }
    }
    Ok(mailbox)
}
