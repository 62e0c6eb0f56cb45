//! Owns the life of an invitation: what a row's columns mean, and what may be done with it when.
//!
//! These are the only rules; no other file compares a status or an expiry. The option values of the table stand
//! here once. What the portal does follows Microsoft's published portal source, `InvitationManager.cs` and
//! `CrmInvitationStore.cs` (<https://github.com/Adoxio/xRM-Portals-Community-Edition>).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{BatchNumber, ContactId, InvitationId, WebsiteId};
use super::invitation_code::InvitationCode;

// The table's option values
// (<https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>).
// One number has two meanings: 756150000 is Single in `adx_type` and Sent in `statuscode`.

/// `adx_type`: one contact, one redemption.
pub const TYPE_SINGLE: i32 = 756_150_000;
/// `adx_type`: one code for many.
pub const TYPE_GROUP: i32 = 756_150_001;
/// `statecode`: in use, and the only state in which the portal redeems.
pub const STATE_ACTIVE: i32 = 0;
/// `statecode`: closed.
pub const STATE_INACTIVE: i32 = 1;
/// `statuscode` of an active row: made, no letter sent.
pub const STATUS_NEW: i32 = 1;
/// `statuscode` of an inactive row.
pub const STATUS_INACTIVE: i32 = 2;
/// `statuscode` of an active row: a letter went out, or a link was handed over.
pub const STATUS_SENT: i32 = 756_150_000;
/// `statuscode` of a redeemed row, which stays active.
pub const STATUS_REDEEMED: i32 = 756_150_001;

/// How far our clock and Dataverse's may be apart when a sweep closes a row just after its expiry.
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(5);

/// Whom an invitation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// One contact, who redeems it once.
    Single,
    /// Whoever has the code, up to a number of redemptions.
    Group,
}

impl Kind {
    /// Reads `adx_type`. A row without one counts as Single: so it is neither sent twice nor swept once redeemed.
    pub const fn from_option(value: Option<i32>) -> Self {
        match value {
            Some(TYPE_GROUP) => Self::Group,
            _ => Self::Single,
        }
    }
}

/// What `statuscode` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Made, no letter sent.
    New,
    /// A letter went out, or a link was handed over.
    Sent,
    /// Redeemed; the row stays active.
    Redeemed,
    /// Closed.
    Inactive,
    /// A status that someone added to the table.
    Other(i32),
}

impl From<i32> for Status {
    fn from(value: i32) -> Self {
        match value {
            STATUS_NEW => Self::New,
            STATUS_SENT => Self::Sent,
            STATUS_REDEEMED => Self::Redeemed,
            STATUS_INACTIVE => Self::Inactive,
            other => Self::Other(other),
        }
    }
}

/// The version of a row as Dataverse gave it, for `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// Takes an `ETag` as it came, quotes and weakness mark included.
    pub fn new(etag: impl Into<String>) -> Self {
        Self(etag.into())
    }

    /// The `ETag`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An `adx_invitation` row as it was read.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// `adx_invitationid`.
    pub id: InvitationId,
    /// `adx_name`.
    pub name: String,
    /// `adx_type`.
    pub kind: Kind,
    /// Whether `statecode` is 0.
    pub active: bool,
    /// `statuscode`.
    pub status: Status,
    /// `adx_invitecontact`.
    pub contact: Option<ContactId>,
    /// `mspp_websiteid`; absent also where the table has no such column.
    pub website: Option<WebsiteId>,
    /// `adx_invitationcode`.
    pub code: Option<InvitationCode>,
    /// `adx_expirydate`; a row without it never expires.
    pub expires: Option<Timestamp>,
    /// `adx_maximumredemptions`; without it the portal counts no redemption as the last.
    pub maximum_redemptions: Option<i32>,
    /// `adx_redemptions`.
    pub redemptions: i32,
    /// `adx_redeemedcontact`.
    pub redeemed_contact: Option<ContactId>,
    /// `importsequencenumber` where it is a batch number.
    pub batch: Option<BatchNumber>,
    /// `createdon`.
    pub created: Timestamp,
    /// `modifiedon`.
    pub modified: Timestamp,
    /// `@odata.etag`.
    pub version: Version,
}

/// How an invitation stands, for people and for decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It could be redeemed, but nobody was told.
    Unsent,
    /// It waits to be redeemed.
    Pending,
    /// It was redeemed.
    Redeemed,
    /// Its time is over, whether or not it was closed since.
    Expired,
    /// It was closed before its time.
    Revoked,
}

/// Which rows the sweep closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepScope {
    /// Every expired row.
    All,
    /// Rows with a batch number only.
    Ours,
}

impl Invitation {
    /// How the invitation stands at a moment.
    pub fn standing(&self, now: Timestamp) -> Standing {
        self.standing_with(self.code.is_some(), now)
    }

    /// The same for a row that was read without its code, where it is known otherwise whether there is one.
    pub fn standing_with(&self, has_code: bool, now: Timestamp) -> Standing {
        match self.status {
            _ if self.is_redeemed() => Standing::Redeemed,
            _ if !self.active => self.closed_standing(has_code, now),
            _ if self.is_past_expiry(now) => Standing::Expired,
            Status::New => Standing::Unsent,
            _ => Standing::Pending,
        }
    }

    /// Whether it belongs to a site.
    ///
    /// A row without a website counts for every site, and so does every row where the deployment names no website.
    pub fn is_of(&self, site: Option<WebsiteId>) -> bool {
        self.website.is_none() || site.is_none() || self.website == site
    }

    /// Whether it stands in the way of another invitation of its contact to the site.
    pub fn is_pending_for(&self, now: Timestamp, site: Option<WebsiteId>) -> bool {
        self.is_of(site)
            && self.kind == Kind::Single
            && self.is_open()
            && !self.is_redeemed()
            && !self.is_past_expiry(now)
    }

    /// Whether a reminder of it is due: sent by a batch, for one contact, and expiring by `horizon`.
    ///
    /// Whoever got the letter lately needs no reminder yet: it has to be as old as what is left of its time. The row's
    /// last change stands for the letter, which it never precedes.
    pub fn remindable(&self, now: Timestamp, horizon: Timestamp) -> bool {
        let soon = |expires: Timestamp| {
            expires <= horizon && now.duration_since(self.modified) >= expires.duration_since(now)
        };
        self.batch.is_some()
            && self.kind == Kind::Single
            && self.status == Status::Sent
            && self.standing(now) == Standing::Pending
            && self.expires.is_some_and(soon)
    }

    /// Whether the sweep closes it: open, past its expiry, in scope, and not half redeemed.
    pub fn sweepable(&self, now: Timestamp, scope: SweepScope) -> bool {
        let in_scope = scope == SweepScope::All || self.batch.is_some();
        in_scope && self.is_open() && !self.is_redeemed() && self.is_past_expiry(now)
    }

    /// Whether somebody other than the invited contact redeemed it: the code opens it for whoever has it.
    pub fn is_redeemed_by_another(&self) -> bool {
        let (invited, redeemed) = (self.contact, self.redeemed_contact);
        invited.is_some() && redeemed.is_some() && invited != redeemed
    }

    /// Whether it was redeemed more often than it should be. The portal counts without a lock, and takes an empty
    /// maximum for no limit, which is never meant for one contact.
    pub fn is_overused(&self) -> bool {
        let most = match self.kind {
            Kind::Single => Some(1),
            Kind::Group => self.maximum_redemptions.filter(|most| *most > 0),
        };
        most.is_some_and(|most| self.redemptions > most)
    }

    /// The portal counts a redemption and sets the status in two steps, and may stop between them.
    fn is_redeemed(&self) -> bool {
        self.status == Status::Redeemed || (self.kind == Kind::Single && self.redemptions >= 1)
    }

    fn is_open(&self) -> bool {
        self.active && matches!(self.status, Status::New | Status::Sent)
    }

    /// The portal still redeems at the very moment of expiry.
    fn is_past_expiry(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires < now)
    }

    /// Revoking removes the code; a person who closes a row by hand before its time leaves it there.
    fn closed_standing(&self, has_code: bool, now: Timestamp) -> Standing {
        let in_time = |expires| {
            self.modified
                .saturating_add(CLOCK_DIFFERENCE)
                .is_ok_and(|closed| closed < expires)
        };
        let closed_early = self.expires.is_none_or(in_time);
        if !has_code || closed_early || !self.is_past_expiry(now) {
            Standing::Revoked
        } else {
            Standing::Expired
        }
    }
}

#[cfg(test)]
mod tests;
