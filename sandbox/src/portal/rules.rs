//! When a portal accepts an invitation code, and what accepting it writes, step by step.
//!
//! Follows the published ancestor of today's server; the hosted one may differ in details.
//! <https://github.com/Adoxio/xRM-Portals-Community-Edition>

use jiff::{Timestamp, Unit};
use uuid::Uuid;

use crate::dataverse::{Cell, Changes, Row, State};

const REDEEMED: i64 = 756_150_001;
const GROUP: i64 = 756_150_001;
/// The longest user name and e-mail address, in characters.
const LONGEST: usize = 100;

/// Why a code was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    /// No active invitation has this code.
    #[error("the invitation code is not valid")]
    Unknown,
    /// More than one active invitation has this code.
    #[error("more than one invitation has this code")]
    Ambiguous,
    /// The invitation is past its expiry date.
    #[error("the invitation has expired")]
    Expired,
    /// The invitation has been redeemed as often as it may be.
    #[error("the invitation has been used up")]
    UsedUp,
    /// The invitation names no contact, so nobody can register with it.
    #[error("the invitation names no contact")]
    NoContact,
    /// Another contact has this user name or e-mail address, or this contact has another user name.
    #[error("the user name or e-mail address is taken")]
    Taken,
    /// A user name and an e-mail address of at most 100 characters each are needed.
    #[error("a user name and an e-mail address are needed")]
    Incomplete,
}

/// An invitation that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// The invitation.
    pub invitation: Uuid,
    /// The contact that registered with it.
    pub contact: Uuid,
    /// The invite redemption activity that was written.
    pub activity: Uuid,
}

/// Now, as the portal compares expiry dates with it: from half past on it is the next full hour.
pub(super) fn rounded_up(now: Timestamp) -> Timestamp {
    let utc = now.to_zoned(jiff::tz::TimeZone::UTC);
    if utc.minute() < 30 {
        return now;
    }
    let hour = (utc.datetime().round(Unit::Hour).ok())
        .and_then(|hour| hour.to_zoned(jiff::tz::TimeZone::UTC).ok());
    hour.map_or(now, |hour| hour.timestamp())
}

/// Finds the one active invitation with a code, and checks that it can still be redeemed. The status
/// reason does not matter: one that says Redeemed or New will do.
pub(super) fn find(state: &State, code: &str, now: Timestamp) -> Result<Row, RedeemError> {
    let code = code.to_lowercase();
    let has_code = |row: &&Row| {
        let own = row.text("adx_invitationcode").unwrap_or_default();
        row.integer("statecode") == Some(0) && own.to_lowercase() == code
    };
    let mut found = state.store.rows("adx_invitation").filter(has_code);
    let row = found
        .next()
        .filter(|_| !code.is_empty())
        .ok_or(RedeemError::Unknown)?;
    if found.next().is_some() {
        return Err(RedeemError::Ambiguous);
    }
    check(row, now)?;
    Ok(row.clone())
}

/// Checks that an active invitation can still be redeemed.
pub(super) fn check(row: &Row, now: Timestamp) -> Result<(), RedeemError> {
    let expired = |expiry: Timestamp| expiry < rounded_up(now);
    if row.moment("adx_expirydate").is_some_and(expired) {
        return Err(RedeemError::Expired);
    }
    let most = row.integer("adx_maximumredemptions").unwrap_or(0);
    if most > 0 && redemptions(row) >= most {
        return Err(RedeemError::UsedUp);
    }
    Ok(())
}

fn redemptions(row: &Row) -> i64 {
    row.integer("adx_redemptions").unwrap_or(0)
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

/// The contact that registers, once its user name and address are known to be free.
pub(super) fn registrant(
    state: &State,
    invitation: &Row,
    username: &str,
    email: &str,
) -> Result<Uuid, RedeemError> {
    let contact = invitation
        .id_in("adx_invitecontact")
        .ok_or(RedeemError::NoContact)?;
    let own = state
        .store
        .row("contact", contact)
        .ok_or(RedeemError::NoContact)?;
    if [username, email]
        .iter()
        .any(|text| !(1..=LONGEST).contains(&text.chars().count()))
    {
        return Err(RedeemError::Incomplete);
    }
    let same = |stored: Option<&str>, given: &str| {
        stored.is_some_and(|stored| stored.eq_ignore_ascii_case(given))
    };
    let clashes = |other: &Row| {
        other.id != contact
            && (same(other.text("emailaddress1"), email)
                || same(other.text("adx_identity_username"), username))
    };
    let renamed = own
        .text("adx_identity_username")
        .is_some_and(|name| !same(Some(name), username));
    if renamed || state.store.rows("contact").any(clashes) {
        return Err(RedeemError::Taken);
    }
    Ok(contact)
}

/// Step one: the contact becomes a portal user, with the address that the person typed.
pub(super) fn register(state: &mut State, contact: Uuid, username: &str, email: &str) {
    let stamp = state.mint().to_string();
    let mut changes = Changes::from([("emailaddress1", Some(text(email)))]);
    if state.settings.portal_columns {
        changes.extend([
            ("adx_identity_username", Some(text(username))),
            ("adx_identity_securitystamp", Some(text(&stamp))),
            ("adx_identity_lockoutenabled", Some(Cell::Boolean(true))),
            ("adx_identity_logonenabled", Some(Cell::Boolean(true))),
        ]);
    }
    state.change("contact", contact, changes);
}

/// Step two: the redemption is written, the counter goes up, and the invitation names its redeemer.
pub(super) fn count(
    state: &mut State,
    invitation: &Row,
    contact: Uuid,
    username: &str,
) -> Redemption {
    let activity = state.mint();
    let changes = Changes::from([
        ("subject", Some(text(username))),
        ("adx_ipaddress", Some(text("127.0.0.1"))),
        (
            "regardingobjectid",
            Some(Cell::Reference("adx_invitation", invitation.id)),
        ),
    ]);
    state.insert("adx_inviteredemption", activity, changes);
    let mut changes = Changes::from([(
        "adx_redemptions",
        Some(Cell::Integer(redemptions(invitation) + 1)),
    )]);
    if invitation.integer("adx_type") == Some(GROUP) {
        state
            .store
            .link("adx_invitation_redeemedcontacts", (invitation.id, contact));
    } else {
        changes.insert(
            "adx_redeemedcontact",
            Some(Cell::Reference("contact", contact)),
        );
    }
    state.change("adx_invitation", invitation.id, changes);
    Redemption {
        invitation: invitation.id,
        contact,
        activity,
    }
}

/// Step three, a request of its own: an invitation that is used up becomes Redeemed, and stays active.
/// An empty maximum counts as used up.
pub(super) fn close(state: &mut State, invitation: Uuid) {
    let Some(row) = state.store.row("adx_invitation", invitation) else {
        return;
    };
    if redemptions(row) >= row.integer("adx_maximumredemptions").unwrap_or(0) {
        let changes = Changes::from([
            ("statecode", Some(Cell::Integer(0))),
            ("statuscode", Some(Cell::Integer(REDEEMED))),
        ]);
        state.change("adx_invitation", invitation, changes);
    }
}
