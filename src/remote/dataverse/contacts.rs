//! Owns the reading of contacts: who they are, whether they have a sign-in, and which invitations they have.
//!
//! One `$batch` answers all of that for up to a thousand contacts, because requests, not rows, are what the
//! service's limits and a function's time are spent on.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::languages::{LanguageColumns, PreferredLanguage};
use super::multipart::{Part, Step};
use super::odata::{Filter, Query};
use super::rows::{self, Codes, InvitationRow};
use super::schema::Schema;
use super::{Dataverse, Page};
use crate::domain::ids::{BatchNumber, ContactId};
use crate::domain::invitation::{Invitation, STATE_ACTIVE, STATUS_NEW, STATUS_SENT};
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// Conditions on a lookup in one query: Dataverse documents no bound, so it stays low.
const CONTACTS_A_QUERY: usize = 100;

/// A contact as far as inviting goes.
#[derive(Clone, Debug)]
pub struct Contact {
    /// `fullname`.
    pub name: Option<String>,
    /// `emailaddress1`, as stored.
    pub email: Option<String>,
    /// Whether `statecode` is 0.
    pub active: bool,
    /// Whether e-mail to the contact is allowed (`donotemail` is not set).
    pub email_allowed: bool,
    /// Whether the contact has a local sign-in.
    pub has_username: bool,
    /// The language of the site that the contact prefers.
    pub language: Option<PreferredLanguage>,
}

/// What Dataverse says about some contacts at one moment.
#[derive(Debug, Default)]
pub struct Survey {
    /// Those that exist.
    pub contacts: HashMap<ContactId, Contact>,
    /// Those with an active external sign-in.
    pub external: HashSet<ContactId>,
    /// Their invitations: every open one, and every one with a batch number.
    pub invitations: BTreeMap<ContactId, Vec<Invitation>>,
}

impl Survey {
    /// The contact's invitations.
    pub fn invitations_of(&self, contact: ContactId) -> &[Invitation] {
        self.invitations.get(&contact).map_or(&[], Vec::as_slice)
    }

    /// Whether the contact can sign in to the site. `adx_identity_logonenabled` alone does not count: an
    /// administrator may have prepared it.
    pub fn is_registered(&self, contact: ContactId) -> bool {
        let local = self
            .contacts
            .get(&contact)
            .is_some_and(|contact| contact.has_username);
        local || self.external.contains(&contact)
    }

    fn add_invitation(&mut self, invitation: Invitation) {
        if let Some(contact) = invitation.contact {
            self.invitations
                .entry(contact)
                .or_default()
                .push(invitation);
        }
    }
}

#[derive(Deserialize)]
struct ContactRow {
    contactid: Uuid,
    fullname: Option<String>,
    emailaddress1: Option<String>,
    statecode: i32,
    donotemail: Option<bool>,
    adx_identity_username: Option<String>,
    #[serde(flatten)]
    language: LanguageColumns,
}

#[derive(Deserialize)]
struct ExternalIdentityRow {
    #[serde(rename = "_adx_contactid_value")]
    contact: Option<Uuid>,
}

const READ: &str = "read the contacts";

impl Dataverse {
    /// Reads what matters about the contacts. Up to a thousand belong in one call.
    pub async fn survey(
        &self,
        contacts: &[ContactId],
        codes: Codes,
        budget: &Budget,
    ) -> Result<Survey, RemoteError> {
        let schema = self.schema(budget).await?;
        let chunks: Vec<Vec<Uuid>> = contacts
            .chunks(CONTACTS_A_QUERY)
            .map(|chunk| chunk.iter().map(|contact| contact.uuid()).collect())
            .collect();
        let operations: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| questions(schema, codes, chunk))
            .collect();
        let questions_a_chunk = operations
            .len()
            .checked_div(chunks.len())
            .unwrap_or(1)
            .max(1);
        let parts = self.batch(READ, &operations, false, budget).await?;
        let mut survey = Survey::default();
        for answers in parts.chunks(questions_a_chunk) {
            self.take_answers(answers, (schema, &mut survey), budget)
                .await?;
        }
        Ok(survey)
    }

    async fn take_answers(
        &self,
        answers: &[Part],
        (schema, survey): (&Schema, &mut Survey),
        budget: &Budget,
    ) -> Result<(), RemoteError> {
        let [contacts, invitations, external @ ..] = answers else {
            return Err(self
                .endpoint
                .unreadable(READ, "fewer answers than questions"));
        };
        for row in self.all_rows::<ContactRow>(READ, contacts, budget).await? {
            survey
                .contacts
                .insert(ContactId::new(row.contactid), row.read(schema));
        }
        for row in self
            .all_rows::<InvitationRow>(READ, invitations, budget)
            .await?
        {
            survey.add_invitation(row.into());
        }
        for part in external {
            let rows = self
                .all_rows::<ExternalIdentityRow>(READ, part, budget)
                .await?;
            survey.external.extend(
                rows.into_iter()
                    .filter_map(|row| row.contact)
                    .map(ContactId::new),
            );
        }
        Ok(())
    }

    /// The rows of a part, and of the pages after it.
    pub(super) async fn all_rows<T: DeserializeOwned>(
        &self,
        action: &'static str,
        part: &Part,
        budget: &Budget,
    ) -> Result<Vec<T>, RemoteError> {
        let Page {
            mut value,
            mut next,
        } = self.page::<T>(action, part)?;
        while let Some(link) = next.take() {
            let page: Option<Page<T>> = self.get(action, link, budget).await?;
            let page =
                page.ok_or_else(|| self.endpoint.unreadable(action, "a page of rows is gone"))?;
            value.extend(page.value);
            next = page.next;
        }
        Ok(value)
    }

    /// The row a part answers with; `None` for 404.
    pub(super) fn found<T: DeserializeOwned>(
        &self,
        action: &'static str,
        part: &Part,
    ) -> Result<Option<T>, RemoteError> {
        match part.status.as_u16() {
            404 => Ok(None),
            200..300 => self.json(action, &part.body).map(Some),
            _ => Err(self.part_error(action, part)),
        }
    }
}

/// What is asked about up to a hundred contacts.
fn questions(schema: &Schema, codes: Codes, contacts: &[Uuid]) -> Vec<Step> {
    let ids = || contacts.iter().copied();
    let mut columns = vec![
        "contactid",
        "fullname",
        "emailaddress1",
        "statecode",
        "donotemail",
    ];
    if schema.contact_username {
        columns.push("adx_identity_username");
    }
    columns.extend(LanguageColumns::of(schema));
    let people = Query::over("contacts")
        .select(&columns)
        .filter(&Filter::key_in("contactid", ids()));
    let invitations = Query::over("adx_invitations")
        .select(&rows::columns(schema, codes))
        .filter(&Filter::any_of("_adx_invitecontact_value", ids()).and(that_matters()));
    let mut queries = vec![people, invitations];
    if schema.external_identities {
        let active = Filter::equals("statecode", i64::from(STATE_ACTIVE));
        let external = Query::over("adx_externalidentities")
            .select(&["_adx_contactid_value"])
            .filter(&active.and(Filter::any_of("_adx_contactid_value", ids())));
        queries.push(external);
    }
    queries
        .iter()
        .map(|query| Step::get(query.to_path()))
        .collect()
}

/// Open invitations, and those that continue a chain of planned ids.
fn that_matters() -> Filter {
    let open = Filter::equals("statecode", i64::from(STATE_ACTIVE)).and(Filter::any([
        Filter::equals("statuscode", i64::from(STATUS_NEW)),
        Filter::equals("statuscode", i64::from(STATUS_SENT)),
    ]));
    let numbered = Filter::at_least("importsequencenumber", i64::from(BatchNumber::MIN.get()));
    Filter::any([numbered, open])
}

impl ContactRow {
    fn read(self, schema: &Schema) -> Contact {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Contact {
            name: filled(self.fullname),
            email: filled(self.emailaddress1),
            active: self.statecode == STATE_ACTIVE,
            email_allowed: self.donotemail != Some(true),
            has_username: filled(self.adx_identity_username).is_some(),
            language: self.language.read(schema),
        }
    }
}
