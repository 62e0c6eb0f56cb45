//! Owns how a row on the wire becomes what the domain knows.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use uuid::Uuid;

use super::schema::Schema;
use crate::domain::ids::{BatchNumber, ContactId, InvitationId, WebsiteId};
use crate::domain::invitation::{Invitation, Kind, STATE_ACTIVE, Status, Version};
use crate::domain::invitation_code::InvitationCode;

/// Whether a query asks for the bearer secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codes {
    /// Only where a letter or a link is made.
    Included,
    /// Everywhere else.
    Left,
}

/// The columns an [`InvitationRow`] is read from.
pub(super) fn columns(schema: &Schema, codes: Codes) -> Vec<&'static str> {
    let mut columns = vec![
        "adx_invitationid",
        "adx_name",
        "adx_type",
        "adx_expirydate",
        "_adx_invitecontact_value",
        "adx_maximumredemptions",
        "adx_redemptions",
        "_adx_redeemedcontact_value",
        "statecode",
        "statuscode",
        "importsequencenumber",
        "createdon",
        "modifiedon",
    ];
    if schema.invitation_website {
        columns.push("_mspp_websiteid_value");
    }
    if codes == Codes::Included {
        columns.push("adx_invitationcode");
    }
    columns
}

/// An `adx_invitation` row on the wire.
#[derive(Deserialize)]
pub(super) struct InvitationRow {
    #[serde(rename = "@odata.etag")]
    etag: String,
    adx_invitationid: Uuid,
    adx_name: Option<String>,
    adx_type: Option<i32>,
    adx_invitationcode: Option<String>,
    adx_expirydate: Option<String>,
    #[serde(rename = "_adx_invitecontact_value")]
    contact: Option<Uuid>,
    /// Only where the query asks for annotations.
    #[serde(rename = "_adx_invitecontact_value@OData.Community.Display.V1.FormattedValue")]
    pub(super) contact_name: Option<String>,
    #[serde(rename = "_mspp_websiteid_value")]
    website: Option<Uuid>,
    adx_maximumredemptions: Option<i32>,
    adx_redemptions: Option<i32>,
    #[serde(rename = "_adx_redeemedcontact_value")]
    redeemed_contact: Option<Uuid>,
    /// Only where the query asks for annotations.
    #[serde(rename = "_adx_redeemedcontact_value@OData.Community.Display.V1.FormattedValue")]
    pub(super) redeemer_name: Option<String>,
    statecode: i32,
    statuscode: i32,
    importsequencenumber: Option<i64>,
    createdon: Timestamp,
    modifiedon: Timestamp,
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            id: InvitationId::new(row.adx_invitationid),
            name: row.adx_name.unwrap_or_default(),
            kind: Kind::from_option(row.adx_type),
            active: row.statecode == STATE_ACTIVE,
            status: Status::from(row.statuscode),
            contact: row.contact.map(ContactId::new),
            website: row.website.map(WebsiteId::new),
            code: row
                .adx_invitationcode
                .and_then(|code| InvitationCode::parse(&code).ok()),
            expires: row.adx_expirydate.as_deref().and_then(moment),
            maximum_redemptions: row.adx_maximumredemptions,
            redemptions: row.adx_redemptions.unwrap_or(0),
            redeemed_contact: row.redeemed_contact.map(ContactId::new),
            batch: row
                .importsequencenumber
                .and_then(|number| BatchNumber::try_from(number).ok()),
            created: row.createdon,
            modified: row.modifiedon,
            version: Version::new(row.etag),
        }
    }
}

/// A customer may change the expiry column to Date Only; the earliest reading of a bare date is the safe one.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/behavior-format-date-time-attribute>
fn moment(text: &str) -> Option<Timestamp> {
    let day = |text: &str| {
        text.parse::<Date>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(|| day(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_date_is_read_as_its_first_moment() {
        assert_eq!(
            moment("2026-12-06T22:00:00Z"),
            "2026-12-06T22:00:00Z".parse().ok()
        );
        assert_eq!(moment("2026-12-06"), "2026-12-06T00:00:00Z".parse().ok());
        assert_eq!(moment("someday"), None);
    }
}
