//! Owns the reading of invitations for people: newest first, with the names of contacts, and never with a code.
//!
//! What is asked of Dataverse is wider than what is wanted where a rule is the domain's: a standing becomes a filter
//! that certainly holds for each row of it. Whether a row has a code is asked by a filter that does not read it.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results>

use std::collections::{HashMap, HashSet};

use http::header::HeaderName;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::multipart::{Operation, Step};
use super::odata::{Filter, Query, Value};
use super::rows::{self, Codes, InvitationRow};
use super::schema::Schema;
use super::{Dataverse, Page};
use crate::domain::ids::{BatchNumber, ContactId, InvitationId, WebsiteId};
use crate::domain::invitation::{Invitation, STATE_ACTIVE, STATUS_NEW, STATUS_REDEEMED, Standing};
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// The most rows that Dataverse puts on a page.
pub const LARGEST_PAGE: usize = 5_000;

/// Ids in one query: Dataverse documents no bound, so it stays low.
const IDS_A_QUERY: usize = 100;

/// A column of dates alone is compared by days, in whichever zone: so much wider the filter is.
const SLACK: SignedDuration = SignedDuration::from_hours(48);

const READ: &str = "list invitations";

/// Which invitations are read; `None` leaves a condition out.
#[derive(Clone, Copy, Debug)]
pub struct InvitationQuery {
    /// The one with this id.
    pub id: Option<InvitationId>,
    /// Those that may stand like this; the domain has the last word.
    pub standing: Option<Standing>,
    /// Those for this contact.
    pub contact: Option<ContactId>,
    /// Those that this batch created.
    pub batch: Option<BatchNumber>,
    /// Those of this site, and those of none.
    pub site: Option<WebsiteId>,
    /// When it is.
    pub now: Timestamp,
    /// Those created at this moment or later.
    pub since: Option<Timestamp>,
    /// Those created earlier than this.
    pub before: Option<Timestamp>,
}

/// An invitation with the names that people know its contacts by.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The row, without its code.
    pub invitation: Invitation,
    /// Who is invited.
    pub contact_name: Option<String>,
    /// Who redeemed it.
    pub redeemer_name: Option<String>,
}

/// The newest rows of a query.
#[derive(Debug)]
pub struct ListedPage {
    /// The rows, newest first; within a second in no order.
    pub rows: Vec<Listed>,
    /// Whether there are older ones.
    pub more: bool,
}

#[derive(Deserialize)]
struct IdRow {
    adx_invitationid: Uuid,
}

#[derive(Deserialize)]
struct RedemptionRow {
    #[serde(rename = "_regardingobjectid_value")]
    invitation: Option<Uuid>,
    createdon: Timestamp,
}

impl Dataverse {
    /// The newest rows of a query, at most `size`, which is at most [`LARGEST_PAGE`].
    pub async fn list(
        &self,
        query: &InvitationQuery,
        size: usize,
        budget: &Budget,
    ) -> Result<ListedPage, RemoteError> {
        let path = query.path(self.schema(budget).await?);
        let page = self.rows_page::<InvitationRow>(path, size, budget).await?;
        Ok(ListedPage {
            more: page.next.is_some(),
            rows: page.value.into_iter().map(Listed::from).collect(),
        })
    }

    /// Every row of a query, on as many pages as it takes.
    pub async fn list_all(
        &self,
        query: &InvitationQuery,
        budget: &Budget,
    ) -> Result<Vec<Listed>, RemoteError> {
        let mut path = Some(query.path(self.schema(budget).await?));
        let mut rows = Vec::new();
        while let Some(page) = path.take() {
            let page = self
                .rows_page::<InvitationRow>(page, LARGEST_PAGE, budget)
                .await?;
            rows.extend(page.value.into_iter().map(Listed::from));
            path = page
                .next
                .map(|link| self.own_path(link.as_str()))
                .transpose()?;
        }
        Ok(rows)
    }

    /// The invitations among these that have a code.
    pub async fn with_code(
        &self,
        ids: &[InvitationId],
        budget: &Budget,
    ) -> Result<HashSet<InvitationId>, RemoteError> {
        let coded = Filter::differs("adx_invitationcode", Value::Null);
        let steps = queries(ids, |ids| {
            let among = Filter::any_of("adx_invitationid", ids);
            let query = Query::over("adx_invitations").select(&["adx_invitationid"]);
            query.filter(&coded.clone().and(among))
        });
        let rows: Vec<IdRow> = self.rows_of(&steps, budget).await?;
        let ids = rows.into_iter().map(|row| row.adx_invitationid);
        Ok(ids.map(InvitationId::new).collect())
    }

    /// When each of these invitations was redeemed last: the portal writes a row each time it accepts a code.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_inviteredemption>
    pub async fn redeemed_on(
        &self,
        ids: &[InvitationId],
        budget: &Budget,
    ) -> Result<HashMap<InvitationId, Timestamp>, RemoteError> {
        let steps = queries(ids, |ids| {
            Query::over("adx_inviteredemptions")
                .select(&["createdon", "_regardingobjectid_value"])
                .filter(&Filter::any_of("_regardingobjectid_value", ids))
        });
        let rows: Vec<RedemptionRow> = self.rows_of(&steps, budget).await?;
        let mut moments = HashMap::new();
        for row in rows {
            if let Some(id) = row.invitation.map(InvitationId::new) {
                let moment = moments.entry(id).or_insert(row.createdon);
                *moment = row.createdon.max(*moment);
            }
        }
        Ok(moments)
    }

    async fn rows_of<T: DeserializeOwned>(
        &self,
        steps: &[Step],
        budget: &Budget,
    ) -> Result<Vec<T>, RemoteError> {
        let mut rows = Vec::new();
        if steps.is_empty() {
            return Ok(rows);
        }
        for part in &self.batch(READ, steps, false, budget).await? {
            rows.extend(self.all_rows::<T>(READ, part, budget).await?);
        }
        Ok(rows)
    }

    async fn rows_page<T: DeserializeOwned>(
        &self,
        path: String,
        size: usize,
        budget: &Budget,
    ) -> Result<Page<T>, RemoteError> {
        let preferences = format!(
            "odata.maxpagesize={size},\
             odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\""
        );
        let step = Step::Single(Operation {
            condition: Some((HeaderName::from_static("prefer"), preferences)),
            ..Operation::get(path)
        });
        let parts = self.batch(READ, &[step], false, budget).await?;
        let part = parts.first();
        let part = part.ok_or_else(|| self.endpoint.unreadable(READ, "no answer"))?;
        self.page(READ, part)
    }

    /// The path of a link to the next page; the token goes to our own environment only.
    fn own_path(&self, link: &str) -> Result<String, RemoteError> {
        let path = link.strip_prefix(self.root.as_str());
        let elsewhere = || self.endpoint.unreadable(READ, "the next page is elsewhere");
        path.map(str::to_owned).ok_or_else(elsewhere)
    }
}

/// One query for each hundred ids.
pub(super) fn queries(ids: &[InvitationId], query: impl Fn(Vec<Uuid>) -> Query) -> Vec<Step> {
    let chunks = ids.chunks(IDS_A_QUERY);
    chunks
        .map(|chunk| query(chunk.iter().map(|id| id.uuid()).collect()))
        .map(|query| Step::get(query.to_path()))
        .collect()
}

impl InvitationQuery {
    pub(super) fn path(&self, schema: &Schema) -> String {
        let query = Query::over("adx_invitations").select(&rows::columns(schema, Codes::Left));
        let conditions = self.conditions(schema);
        let query = if conditions.is_empty() {
            query
        } else {
            query.filter(&Filter::all(conditions))
        };
        query.order("createdon desc,adx_invitationid asc").to_path()
    }

    fn conditions(&self, schema: &Schema) -> Vec<Filter> {
        let number = |batch: BatchNumber| i64::from(batch.get());
        let site = self.site.filter(|_| schema.invitation_website);
        [
            self.id
                .map(|id| Filter::equals("adx_invitationid", id.uuid())),
            self.contact
                .map(|contact| Filter::equals("_adx_invitecontact_value", contact.uuid())),
            self.batch
                .map(|batch| Filter::equals("importsequencenumber", number(batch))),
            site.map(|site| {
                let column = "_mspp_websiteid_value";
                let none = Filter::equals(column, Value::Null);
                Filter::any([none, Filter::equals(column, site.uuid())])
            }),
            self.since.map(|since| Filter::at_least("createdon", since)),
            self.before.map(|before| Filter::below("createdon", before)),
            self.standing.map(|standing| may_stand(standing, self.now)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Holds for every row that stands so, and for others that the domain sorts out.
fn may_stand(standing: Standing, now: Timestamp) -> Filter {
    let active = || Filter::equals("statecode", i64::from(STATE_ACTIVE));
    let unredeemed = || Filter::differs("statuscode", i64::from(STATUS_REDEEMED));
    let by = |slack: Result<Timestamp, jiff::Error>| slack.unwrap_or(now);
    let open_ended = || Filter::equals("adx_expirydate", Value::Null);
    let in_time = || Filter::at_least("adx_expirydate", by(now.checked_sub(SLACK)));
    let unexpired = || Filter::any([open_ended(), in_time()]);
    match standing {
        Standing::Unsent => Filter::all([
            active(),
            Filter::equals("statuscode", i64::from(STATUS_NEW)),
            unexpired(),
        ]),
        Standing::Pending => Filter::all([
            active(),
            unredeemed(),
            Filter::differs("statuscode", i64::from(STATUS_NEW)),
            unexpired(),
        ]),
        Standing::Redeemed => Filter::any([
            Filter::equals("statuscode", i64::from(STATUS_REDEEMED)),
            Filter::at_least("adx_redemptions", 1),
        ]),
        Standing::Expired => {
            unredeemed().and(Filter::below("adx_expirydate", by(now.checked_add(SLACK))))
        }
        Standing::Revoked => {
            Filter::differs("statecode", i64::from(STATE_ACTIVE)).and(unredeemed())
        }
    }
}

impl From<InvitationRow> for Listed {
    fn from(mut row: InvitationRow) -> Self {
        Self {
            contact_name: row.contact_name.take(),
            redeemer_name: row.redeemer_name.take(),
            invitation: row.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_query_reads_the_column_of_codes() {
        let schema = Schema::default();
        let standings = [
            None,
            Some(Standing::Expired),
            Some(Standing::Revoked),
            Some(Standing::Redeemed),
        ];
        for standing in standings {
            let query = InvitationQuery {
                id: None,
                standing,
                contact: None,
                batch: None,
                site: None,
                now: Timestamp::UNIX_EPOCH,
                since: None,
                before: None,
            };
            let path = query.path(&schema);
            assert!(path.contains("$select=adx_invitationid,"), "{path}");
            assert!(!path.contains("adx_invitationcode"), "{path}");
        }
    }
}
