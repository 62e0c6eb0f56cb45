//! Owns what the sender mailboxes tell of some time: letters that came back, and drafts that were left over.
//!
//! Only where letters leave as drafts: the other mode has no right to read a mailbox.

use std::ops::Range;

use jiff::Timestamp;

use super::findings::{Mailbox, invitation_of};
use super::period::left_over;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;
use crate::service::Parts;

/// What one mailbox tells.
pub(super) async fn look_into(
    parts: &Parts,
    address: &str,
    time: &Range<Timestamp>,
    budget: &Budget,
) -> Result<Mailbox, RemoteError> {
    // One batch of requests at a time in a mailbox, whoever sends it.
    let _turn = parts.mailboxes.turn(address, budget).await?;
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
        more: inspection.more,
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
