//! Owns the reading of what became of invitations within some time: who redeemed, and what expired.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use super::multipart::Step;
use super::odata::{Filter, Query};
use super::rows::{self, Codes, InvitationRow};
use super::{Dataverse, Page};
use crate::domain::ids::{ContactId, InvitationId};
use crate::domain::invitation::{Invitation, STATUS_REDEEMED};
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// Most rows that one look takes in.
const MOST: usize = 500;

/// Ids in one query by the `In` function.
const CONTACTS_A_QUERY: usize = 100;

/// Rows of some time.
#[derive(Debug)]
pub struct Bounded<T> {
    /// The first five hundred.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

/// An activity on the wire. Its subject is the user name, which is often an address, and is not asked for.
#[derive(Deserialize)]
struct RedemptionRow {
    #[serde(rename = "_regardingobjectid_value")]
    invitation: Option<Uuid>,
}

#[derive(Deserialize)]
struct NameRow {
    contactid: Uuid,
    fullname: Option<String>,
}

impl Dataverse {
    /// The invitations that were redeemed within a time, by the activity that the site writes with each redemption;
    /// one that was redeemed twice stands there twice.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_inviteredemption>
    pub async fn redeemed_within(
        &self,
        time: &Range<Timestamp>,
        budget: &Budget,
    ) -> Result<Bounded<InvitationId>, RemoteError> {
        let query = Query::over("adx_inviteredemptions")
            .select(&["_regardingobjectid_value"])
            .filter(&within("createdon", time))
            .order("createdon,activityid");
        let found = self
            .first::<RedemptionRow>("read redemptions", query, budget)
            .await?;
        let ids = found.rows.into_iter().filter_map(|row| row.invitation);
        Ok(Bounded {
            rows: ids.map(InvitationId::new).collect(),
            more: found.more,
        })
    }

    /// The invitations whose expiry lies within a time and that do not say Redeemed; the domain judges the rest.
    ///
    /// With their codes: a closed row without one was revoked.
    pub async fn expiring_within(
        &self,
        time: &Range<Timestamp>,
        budget: &Budget,
    ) -> Result<Bounded<Invitation>, RemoteError> {
        let open = Filter::differs("statuscode", i64::from(STATUS_REDEEMED));
        let query = Query::over("adx_invitations")
            .select(&rows::columns(self.schema(budget).await?, Codes::Included))
            .filter(&within("adx_expirydate", time).and(open))
            .order("adx_expirydate,adx_invitationid");
        let found = self
            .first::<InvitationRow>("read expired invitations", query, budget)
            .await?;
        Ok(Bounded {
            rows: found.rows.into_iter().map(Invitation::from).collect(),
            more: found.more,
        })
    }

    /// The full names of contacts, where they have one.
    pub async fn names(
        &self,
        contacts: &[ContactId],
        budget: &Budget,
    ) -> Result<BTreeMap<ContactId, String>, RemoteError> {
        const ACTION: &str = "read the names of contacts";
        let step = |chunk: &[ContactId]| {
            let ids = chunk.iter().map(|contact| contact.uuid());
            let query = Query::over("contacts").select(&["contactid", "fullname"]);
            Step::get(query.filter(&Filter::key_in("contactid", ids)).to_path())
        };
        let steps: Vec<_> = contacts.chunks(CONTACTS_A_QUERY).map(step).collect();
        if steps.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut names = BTreeMap::new();
        for part in self.batch(ACTION, &steps, false, budget).await? {
            let rows = self.all_rows::<NameRow>(ACTION, &part, budget).await?;
            let found = rows.into_iter().filter_map(|row| {
                Some((
                    ContactId::new(row.contactid),
                    row.fullname.filter(|name| !name.trim().is_empty())?,
                ))
            });
            names.extend(found);
        }
        Ok(names)
    }

    /// Where people with a role in the environment see a row.
    /// <https://learn.microsoft.com/power-apps/developer/model-driven-apps/open-forms-views-dialogs-reports-url>
    pub fn page_of(&self, table: &'static str, id: Uuid) -> Url {
        let mut page = self.root.clone();
        page.set_path("/main.aspx");
        page.set_query(Some(&format!(
            "pagetype=entityrecord&etn={table}&id=%7B{id}%7D"
        )));
        page
    }

    async fn first<T: DeserializeOwned>(
        &self,
        action: &'static str,
        query: Query,
        budget: &Budget,
    ) -> Result<Bounded<T>, RemoteError> {
        let query = query.option("$top", (MOST + 1).to_string());
        let page: Option<Page<T>> = self.get(action, self.url(&query.to_path()), budget).await?;
        let page = page.ok_or_else(|| self.endpoint.unreadable(action, "the table is gone"))?;
        let mut rows = page.value;
        let more = rows.len() > MOST;
        rows.truncate(MOST);
        Ok(Bounded { rows, more })
    }
}

fn within(column: &str, time: &Range<Timestamp>) -> Filter {
    Filter::at_least(column, time.start).and(Filter::below(column, time.end))
}
