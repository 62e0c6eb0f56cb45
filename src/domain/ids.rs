//! Owns what names a thing: the ids of Dataverse rows, the batch number, and the site that a deployment serves.
//!
//! An id of one table cannot be taken for an id of another. The next invitation's id is planned here, so that two
//! racing requests plan the same row and Dataverse lets only one of them create it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// A text that is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be a guid with hyphens and without braces")]
pub struct IdError;

macro_rules! row_id {
    ($(#[doc = $doc:literal] $name:ident)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "Uuid")]
        pub struct $name(Uuid);

        impl $name {
            /// Takes a guid that is known to name such a row.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare guid.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads a guid in hyphenated form, in either case.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let hyphenated: Hyphenated = text.parse().map_err(|_| IdError)?;
                Ok(Self(hyphenated.into_uuid()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

row_id! {
    /// The id of a `contact` row.
    ContactId
    /// The id of an `adx_invitation` row.
    InvitationId
    /// The id of an `account` row.
    AccountId
    /// The id of a `workflow` row.
    WorkflowId
    /// The id of a web role, whichever table holds the roles of the site's data model.
    WebRoleId
    /// The id of a `powerpagesite` row.
    WebsiteId
    /// The id of a view of contacts: a `savedquery` row, or a `userquery` row where the view is a personal one.
    ViewId
}

/// The number of a batch, in 1,000,000,000..=2,147,483,647.
///
/// Rows carry it as `importsequencenumber`, a whole number of 32 bits that otherwise names the import which made a row
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>). Imports
/// count from small numbers, so one this high marks a row of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i32")]
pub struct BatchNumber(i32);

/// A number outside the range of batch numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "must be a whole number from {} to {}",
    BatchNumber::FIRST,
    BatchNumber::LAST
)]
pub struct BatchNumberError;

impl BatchNumber {
    const FIRST: i32 = 1_000_000_000;
    const LAST: i32 = i32::MAX;
    /// The smallest batch number: what a row with a larger or equal number came from is a batch.
    pub const MIN: Self = Self(Self::FIRST);

    /// The number as Dataverse stores it.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// Spreads 32 random bits over the numbers of an urgency.
    pub fn from_random(random: u32, urgency: Urgency) -> Self {
        let count = u64::from(Self::LAST.abs_diff(Self::FIRST) / 10);
        let tens = (u64::from(random) * count) >> 32;
        let digit = match urgency {
            Urgency::Request => random % 8,
            Urgency::Rule => 8,
            Urgency::Reminder => 9,
        };
        let offset = u32::try_from(tens * 10).unwrap_or_default() + digit;
        Self(Self::FIRST.saturating_add_unsigned(offset))
    }

    /// Who waits for the batch.
    pub const fn urgency(self) -> Urgency {
        match self.0 % 10 {
            8 => Urgency::Rule,
            9 => Urgency::Reminder,
            _ => Urgency::Request,
        }
    }
}

/// Who waits for a batch, from the most urgent on.
///
/// It stands in the last digit of the batch's number: thousands of journals may be open, and the dispatcher puts them in
/// order without reading one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Somebody asked for it, and may be waiting.
    Request,
    /// A rule asked for it.
    Rule,
    /// It reminds of letters that went out before.
    Reminder,
}

impl Urgency {
    /// From the most urgent on.
    pub const ALL: [Self; 3] = [Self::Request, Self::Rule, Self::Reminder];
}

impl TryFrom<i64> for BatchNumber {
    type Error = BatchNumberError;

    fn try_from(number: i64) -> Result<Self, BatchNumberError> {
        let number = i32::try_from(number).map_err(|_| BatchNumberError)?;
        (number >= Self::FIRST)
            .then_some(Self(number))
            .ok_or(BatchNumberError)
    }
}

impl From<BatchNumber> for i32 {
    fn from(number: BatchNumber) -> Self {
        number.0
    }
}

impl fmt::Display for BatchNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The one site that a deployment serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    website: Option<WebsiteId>,
    key: String,
}

impl Site {
    /// The namespace of planned ids. Changing it would let a contact with a half-made invitation get a second one.
    const NAMESPACE: Uuid = Uuid::from_u128(0x601b_13dd_b6aa_438d_9077_76d2_29d7_45f8);

    /// Knows the site by its website row, else by its address.
    pub fn new(website: Option<WebsiteId>, portal_url: &Url) -> Self {
        let address = || portal_url.as_str().trim_end_matches('/').to_owned();
        let key = website.map_or_else(address, |website| website.to_string());
        Self { website, key }
    }

    /// The website row that invitations are bound to, where the deployment names one.
    pub const fn website(&self) -> Option<WebsiteId> {
        self.website
    }

    /// The id that the contact's next invitation must have, after its `newest` one of ours for this site.
    pub fn plan_invitation(
        &self,
        contact: ContactId,
        newest: Option<InvitationId>,
    ) -> InvitationId {
        let newest = newest.map_or(Uuid::nil(), InvitationId::uuid);
        let name = format!("{}\n{contact}\n{newest}", self.key);
        InvitationId(Uuid::new_v5(&Self::NAMESPACE, name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

    fn contact(number: u128) -> ContactId {
        ContactId::new(Uuid::from_u128(number))
    }

    fn site(address: &str) -> Site {
        Site::new(None, &Url::parse(address).unwrap())
    }

    #[test]
    fn an_id_is_read_in_either_case_and_written_in_lower_case() {
        let id: ContactId = TEXT.to_uppercase().parse().unwrap();
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{TEXT}\""));
        assert_eq!(
            serde_json::from_str::<ContactId>(&format!("\"{TEXT}\"")).unwrap(),
            id
        );
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let braced = format!("{{{TEXT}}}");
        let urn = format!("urn:uuid:{TEXT}");
        let bare = TEXT.replace('-', "");
        for text in [
            "",
            "x",
            &braced,
            &urn,
            &bare,
            &TEXT[1..],
            &format!(" {TEXT}"),
        ] {
            assert_eq!(text.parse::<InvitationId>(), Err(IdError), "{text}");
            assert!(
                serde_json::from_str::<InvitationId>(&format!("\"{text}\"")).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_batch_number_stays_in_its_range() {
        for number in [i64::MIN, -1, 0, 999_999_999, 2_147_483_648, i64::MAX] {
            assert_eq!(
                BatchNumber::try_from(number),
                Err(BatchNumberError),
                "{number}"
            );
            assert!(
                serde_json::from_str::<BatchNumber>(&number.to_string()).is_err(),
                "{number}"
            );
        }
        for number in [1_000_000_000, 2_147_483_647] {
            assert_eq!(
                BatchNumber::try_from(i64::from(number)).unwrap().get(),
                number
            );
        }
        assert_eq!(
            serde_json::to_string(&BatchNumber(1_734_829_102)).unwrap(),
            "1734829102"
        );
    }

    #[test]
    fn random_bits_spread_over_the_whole_range() {
        let number = |random, urgency| BatchNumber::from_random(random, urgency).get();
        assert_eq!(number(0, Urgency::Request), BatchNumber::FIRST);
        assert_eq!(number(u32::MAX, Urgency::Request), 2_147_483_637);
        assert_eq!(number(u32::MAX, Urgency::Reminder), 2_147_483_639);
        assert_eq!(number(1 << 31, Urgency::Rule), 1_573_741_828);
    }

    #[test]
    fn a_planned_id_depends_on_site_contact_and_newest_invitation() {
        let here = site("https://portal.example");
        let first = here.plan_invitation(contact(1), None);
        assert_eq!(first.uuid().get_version_num(), 5);
        assert_eq!(first, here.plan_invitation(contact(1), None));
        assert_ne!(first, here.plan_invitation(contact(2), None));
        assert_ne!(first, here.plan_invitation(contact(1), Some(first)));
        assert_ne!(
            first,
            site("https://other.example").plan_invitation(contact(1), None)
        );
    }

    /// A release that planned other ids would invite contacts a second time that an older one was just inviting.
    #[test]
    fn planned_ids_are_the_same_in_every_release() {
        let planned = site("https://portal.example").plan_invitation(contact(1), None);
        assert_eq!(planned.to_string(), "f9f9b039-fdea-5927-9d1e-be41daaa4fb2");
    }

    #[test]
    fn a_website_row_names_the_site_whatever_its_address() {
        let website = Some(WebsiteId::new(Uuid::from_u128(7)));
        let plan = |address| {
            Site::new(website, &Url::parse(address).unwrap()).plan_invitation(contact(1), None)
        };
        assert_eq!(plan("https://portal.example"), plan("https://new.example/"));
        assert_eq!(
            site("https://portal.example/a/"),
            site("https://portal.example/a")
        );
    }

    proptest! {
        #[test]
        fn every_random_batch_number_is_a_batch_number(random: u32) {
            for urgency in Urgency::ALL {
                let number = BatchNumber::from_random(random, urgency);
                prop_assert_eq!(BatchNumber::try_from(i64::from(number.get())), Ok(number));
                prop_assert_eq!(number.urgency(), urgency);
            }
        }

        #[test]
        fn every_id_survives_its_text(number: u128) {
            let id = contact(number);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
