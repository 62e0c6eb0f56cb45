//! Owns the writing of invitations, and the reading of them other than by contact.
//!
//! No write here is blind: a row is created only where none is, and changed only in the version that was read.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/perform-conditional-operations-using-web-api>

use http::header::{IF_MATCH, IF_NONE_MATCH};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::bound::{role_relationship, role_row};
use super::multipart::{Operation, Part, Step};
use super::new_row::new_row;
pub use super::new_row::{NewInvitation, NewRows, Owner};
use super::odata::{Filter, Query};
use super::rows::{self, Codes, InvitationRow};
use super::{Dataverse, Page};
use crate::domain::ids::{BatchNumber, InvitationId};
use crate::domain::invitation::{
    Invitation, STATE_ACTIVE, STATE_INACTIVE, STATUS_INACTIVE, STATUS_NEW, STATUS_SENT, SweepScope,
    TYPE_SINGLE, Version,
};
use crate::domain::invitation_code::InvitationCode;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// Writes in one `$batch`: the service carries them out one after another, and a try under a lease has 15 seconds.
pub const WRITES_A_BATCH: usize = 100;

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was written.
    Done,
    /// The condition did not hold: the row is there (create) or another version (change).
    Refused,
    /// There is no such row.
    Gone,
}

/// A conditional change of one row.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which row.
    pub id: InvitationId,
    /// In which version.
    pub version: Version,
    /// To what.
    pub to: ChangeTo,
}

/// What a row is changed to.
#[derive(Clone, Debug)]
pub enum ChangeTo {
    /// Sent; the code that the letter carries wins over whatever the row holds by now.
    Sent(Option<InvitationCode>),
    /// Closed, the code removed: the link is dead for good.
    Closed,
    /// Closed at its expiry; the code stays, so that a resend can reopen the row.
    Expired,
    /// Redeemable, once, and until a day: what an invitation needs before a letter about it is sent again.
    Bounded {
        /// Until when, where the row says otherwise.
        expires: Option<Timestamp>,
        /// Whether it is opened again; its code is still there.
        reopened: bool,
    },
}

impl ChangeTo {
    fn body(&self) -> Value {
        let closed = json!({"statecode": STATE_INACTIVE, "statuscode": STATUS_INACTIVE});
        match self {
            Self::Sent(None) => json!({"statecode": STATE_ACTIVE, "statuscode": STATUS_SENT}),
            Self::Sent(Some(code)) => {
                json!({"statecode": STATE_ACTIVE, "statuscode": STATUS_SENT, "adx_invitationcode": code.expose()})
            }
            Self::Expired => closed,
            Self::Closed => {
                let mut body = closed;
                body["adx_invitationcode"] = Value::Null;
                body
            }
            Self::Bounded { expires, reopened } => {
                let mut body = json!({"adx_maximumredemptions": 1});
                if *reopened {
                    body["statecode"] = json!(STATE_ACTIVE);
                    body["statuscode"] = json!(STATUS_SENT);
                }
                if let Some(expires) = expires {
                    let expires = super::odata::Value::Moment(*expires).to_string();
                    body["adx_expirydate"] = Value::String(expires);
                }
                body
            }
        }
    }
}

impl Change {
    /// A change of a row as it was read.
    pub fn of(row: &Invitation, to: ChangeTo) -> Self {
        Self {
            id: row.id,
            version: row.version.clone(),
            to,
        }
    }

    fn operation(&self) -> Operation {
        let condition = (IF_MATCH, self.version.as_str().to_owned());
        Operation::patch(
            format!("adx_invitations({})", self.id),
            condition,
            self.to.body(),
        )
    }
}

/// A page of rows, and where the next one is.
#[derive(Debug)]
pub struct InvitationPage {
    /// The rows.
    pub invitations: Vec<Invitation>,
    /// The next page.
    pub next: Option<Url>,
}

impl Dataverse {
    /// Creates rows, each only where there is none with its id, together with its web roles and with the closing of
    /// those it replaces.
    ///
    /// At most [`WRITES_A_BATCH`] writes belong in one call: a row, each of its roles and each closing is one.
    pub async fn create<'r>(
        &self,
        common: &NewRows<'_>,
        rows: impl Iterator<Item = &'r NewInvitation<'r>>,
        budget: &Budget,
    ) -> Result<Vec<Result<Written, RemoteError>>, RemoteError> {
        let steps: Vec<_> = rows.map(|row| self.creation(common, row)).collect();
        self.write("create invitations", &steps, budget).await
    }

    fn creation(&self, common: &NewRows<'_>, row: &NewInvitation<'_>) -> Step {
        let path = format!("adx_invitations({})", row.id);
        let condition = (IF_NONE_MATCH, "*".to_owned());
        let mut operations = vec![Operation::patch(
            path.clone(),
            condition,
            new_row(common, row),
        )];
        operations.extend(common.bound.roles.iter().map(|role| {
            let collection = format!("{path}/{}/$ref", role_relationship(role.model));
            let address = self.url(&role_row(*role));
            Operation::post(collection, json!({"@odata.id": address}))
        }));
        operations.extend(row.closes.iter().map(Change::operation));
        Step::of(operations)
    }

    /// Changes rows, each only in the version it was read in.
    pub async fn change(
        &self,
        action: &'static str,
        changes: &[Change],
        budget: &Budget,
    ) -> Result<Vec<Result<Written, RemoteError>>, RemoteError> {
        let steps = changes
            .iter()
            .map(|change| Step::of(vec![change.operation()]));
        self.write(action, &steps.collect::<Vec<_>>(), budget).await
    }

    pub(super) async fn write(
        &self,
        action: &'static str,
        steps: &[Step],
        budget: &Budget,
    ) -> Result<Vec<Result<Written, RemoteError>>, RemoteError> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let parts = self.batch(action, steps, true, budget).await?;
        Ok(parts
            .iter()
            .map(|part| self.written(action, part))
            .collect())
    }

    fn written(&self, action: &'static str, part: &Part) -> Result<Written, RemoteError> {
        match part.status.as_u16() {
            200..300 => Ok(Written::Done),
            412 => Ok(Written::Refused),
            404 if super::refusal(part).code == OBJECT_DOES_NOT_EXIST => Ok(Written::Gone),
            _ => Err(self.part_error(action, part)),
        }
    }

    /// One row; `None` where there is none.
    pub async fn invitation(
        &self,
        id: InvitationId,
        codes: Codes,
        budget: &Budget,
    ) -> Result<Option<Invitation>, RemoteError> {
        Ok(self
            .invitations(&[id], codes, budget)
            .await?
            .pop()
            .flatten())
    }

    /// Rows by id, in the order of the ids; `None` where there is none.
    pub async fn invitations(
        &self,
        ids: &[InvitationId],
        codes: Codes,
        budget: &Budget,
    ) -> Result<Vec<Option<Invitation>>, RemoteError> {
        const ACTION: &str = "read invitations";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let columns = rows::columns(self.schema(budget).await?, codes).join(",");
        let operations: Vec<_> = ids
            .iter()
            .map(|id| Step::get(format!("adx_invitations({id})?$select={columns}")))
            .collect();
        let parts = self.batch(ACTION, &operations, false, budget).await?;
        let rows = parts
            .iter()
            .map(|part| self.found::<InvitationRow>(ACTION, part));
        rows.map(|row| Ok(row?.map(Invitation::from))).collect()
    }

    /// A page of rows that are open and past their expiry, the longest expired first.
    ///
    /// Half-redeemed rows are left out here and judged again by the domain before any is closed.
    pub async fn expired(
        &self,
        now: Timestamp,
        scope: SweepScope,
        page: Option<Url>,
        budget: &Budget,
    ) -> Result<InvitationPage, RemoteError> {
        let filter = past_expiry(now, scope);
        self.by_expiry("read expired invitations", &filter, page, budget)
            .await
    }

    /// A page of rows that a batch has sent and that expire from `now` to `horizon`, the next to expire first.
    pub async fn expiring(
        &self,
        now: Timestamp,
        horizon: Timestamp,
        page: Option<Url>,
        budget: &Budget,
    ) -> Result<InvitationPage, RemoteError> {
        let filter = Filter::equals("statecode", i64::from(STATE_ACTIVE))
            .and(Filter::equals("statuscode", i64::from(STATUS_SENT)))
            .and(numbered())
            .and(Filter::at_least("adx_expirydate", now))
            .and(Filter::at_most("adx_expirydate", horizon));
        self.by_expiry("read invitations that expire", &filter, page, budget)
            .await
    }

    async fn by_expiry(
        &self,
        action: &'static str,
        filter: &Filter,
        page: Option<Url>,
        budget: &Budget,
    ) -> Result<InvitationPage, RemoteError> {
        let first = if let Some(link) = page {
            link
        } else {
            let columns = rows::columns(self.schema(budget).await?, Codes::Left);
            let query = Query::over("adx_invitations")
                .select(&columns)
                .filter(filter);
            self.url(&query.order("adx_expirydate,adx_invitationid").to_path())
        };
        let page: Option<Page<InvitationRow>> = self.get(action, first, budget).await?;
        let page = page.ok_or_else(|| self.endpoint.unreadable(action, "the table is gone"))?;
        Ok(InvitationPage {
            invitations: page.value.into_iter().map(Invitation::from).collect(),
            next: page.next,
        })
    }
}

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes>
const OBJECT_DOES_NOT_EXIST: &str = "0x80040217";

pub(super) fn past_expiry(now: Timestamp, scope: SweepScope) -> Filter {
    let open = Filter::any([
        Filter::equals("statuscode", i64::from(STATUS_NEW)),
        Filter::equals("statuscode", i64::from(STATUS_SENT)),
    ]);
    let unredeemed = Filter::any([
        Filter::differs("adx_type", i64::from(TYPE_SINGLE)),
        Filter::equals("adx_redemptions", super::odata::Value::Null),
        Filter::below("adx_redemptions", 1),
    ]);
    let filter = Filter::equals("statecode", i64::from(STATE_ACTIVE))
        .and(open)
        .and(Filter::below("adx_expirydate", now))
        .and(unredeemed);
    match scope {
        SweepScope::All => filter,
        SweepScope::Ours => filter.and(numbered()),
    }
}

fn numbered() -> Filter {
    Filter::at_least("importsequencenumber", i64::from(BatchNumber::MIN.get()))
}
