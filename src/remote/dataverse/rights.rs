//! Owns finding out what our own user may do, without doing any of it.
//!
//! Reading is tried, a row at a time. Nothing that writes can be tried without harm, so Dataverse is asked which
//! privileges the user's roles and teams give.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrieveuserprivileges>

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use uuid::Uuid;

use super::Dataverse;
use super::multipart::{Part, Step};
use super::used::{
    ACCOUNTS, CONTACTS, EXTERNAL_IDENTITIES, INVITATIONS, PERSONAL_VIEWS, PROCESSES, REDEMPTIONS,
    SITE_LANGUAGES, SITES, UsedTable, VIEWS, roles,
};
use crate::domain::batch::DataModel;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// What a privilege allows; the names are those of `PrivilegeType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Verb {
    /// Make rows.
    Create,
    /// See rows.
    Read,
    /// Change rows.
    Write,
    /// Give a row a reference to another one.
    Append,
    /// Let another row refer to a row.
    AppendTo,
    /// Give a row to another owner.
    Assign,
    /// One that nothing here needs.
    #[serde(other)]
    Other,
}

/// Whose rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Invitations.
    Invitations,
    /// Contacts.
    Contacts,
    /// External sign-ins of contacts.
    ExternalIdentities,
    /// Redemptions of invitations.
    Redemptions,
    /// The languages of sites.
    SiteLanguages,
    /// The sites.
    Sites,
    /// Accounts.
    Accounts,
    /// Processes.
    Processes,
    /// Views.
    Views,
    /// Personal views.
    PersonalViews,
    /// Web roles in a data model.
    Roles(DataModel),
}

impl Rows {
    fn table(self) -> &'static UsedTable {
        match self {
            Self::Invitations => &INVITATIONS,
            Self::Contacts => &CONTACTS,
            Self::ExternalIdentities => &EXTERNAL_IDENTITIES,
            Self::Redemptions => &REDEMPTIONS,
            Self::SiteLanguages => &SITE_LANGUAGES,
            Self::Sites => &SITES,
            Self::Accounts => &ACCOUNTS,
            Self::Processes => &PROCESSES,
            Self::Views => &VIEWS,
            Self::PersonalViews => &PERSONAL_VIEWS,
            Self::Roles(model) => roles(model),
        }
    }
}

/// How far a privilege reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is not granted.
    Nowhere,
    /// Not to every row: to our user's own ones, or those of its business unit.
    Part,
    /// To every row.
    Everywhere,
    /// Nobody could say.
    Unknown,
}

/// A privilege, and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// What for.
    pub verb: Verb,
    /// The environment's own name for it, such as `prvReadContact`.
    pub name: String,
    /// How far.
    pub reach: Reach,
}

/// What our user may do.
#[derive(Debug)]
pub struct Rights {
    /// The privileges asked about, table by table, in the order they were asked about; `None` for a table that does
    /// not exist.
    pub tables: Vec<Option<Vec<Privilege>>>,
    /// Why Dataverse did not list the privileges, where it did not: only reading is known then.
    pub unlisted: Option<RemoteError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WhoAmI {
    user_id: Uuid,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    #[serde(default)]
    privileges: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: String,
    privilege_id: Uuid,
    privilege_type: Verb,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Granted {
    role_privileges: Vec<Grant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Grant {
    privilege_id: Uuid,
    depth: Depth,
}

/// `PrivilegeDepth`.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/privilegedepth>
#[derive(Deserialize)]
enum Depth {
    Global,
    #[serde(other)]
    Less,
}

const READ: &str = "tell what its user may do";

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl Dataverse {
    /// How far our user's privileges reach.
    pub async fn rights(
        &self,
        asked: &[(Rows, &[Verb])],
        budget: &Budget,
    ) -> Result<Rights, RemoteError> {
        let me: Option<WhoAmI> = self.get(READ, self.url("WhoAmI"), budget).await?;
        let me = me.ok_or_else(|| self.endpoint.unreadable(READ, "no WhoAmI"))?;
        let list = format!(
            "systemusers({})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()",
            me.user_id
        );
        let questions = asked.iter().flat_map(|(rows, _)| questions(rows.table()));
        let steps: Vec<_> = [list].into_iter().chain(questions).map(Step::get).collect();
        let parts = self.batch(READ, &steps, false, budget).await?;
        let (list, answers) = parts
            .split_first()
            .ok_or_else(|| self.endpoint.unreadable(READ, "no answers"))?;
        let granted = self.granted(list);
        let tables = (asked.iter().zip(answers.chunks(QUESTIONS)))
            .map(|(asked, answers)| self.privileges(*asked, answers, granted.as_ref().ok()));
        Ok(Rights {
            tables: tables.collect::<Result<_, _>>()?,
            unlisted: granted.err(),
        })
    }

    /// How far each privilege reaches, by its id. A user may have one from several roles.
    fn granted(&self, part: &Part) -> Result<HashMap<Uuid, Reach>, RemoteError> {
        let granted = self.found::<Granted>(READ, part)?;
        let granted = granted.ok_or_else(|| self.endpoint.unreadable(READ, "no such user"))?;
        let mut reaches = HashMap::new();
        for grant in granted.role_privileges {
            let reach = reaches.entry(grant.privilege_id).or_insert(Reach::Part);
            if matches!(grant.depth, Depth::Global) {
                *reach = Reach::Everywhere;
            }
        }
        Ok(reaches)
    }

    fn privileges(
        &self,
        (rows, verbs): (Rows, &[Verb]),
        answers: &[Part],
        granted: Option<&HashMap<Uuid, Reach>>,
    ) -> Result<Option<Vec<Privilege>>, RemoteError> {
        let [definition, attempt] = answers else {
            return Err(self
                .endpoint
                .unreadable(READ, "fewer answers than questions"));
        };
        let Some(table) = self.found::<Table>(READ, definition)? else {
            return Ok(None);
        };
        let refused = attempt.status.as_u16() == 403;
        let reach = |verb: Verb, id: &Uuid| match granted {
            // What was tried is surer than what a list says.
            _ if verb == Verb::Read && refused => Reach::Nowhere,
            Some(granted) => granted.get(id).copied().unwrap_or(Reach::Nowhere),
            None => Reach::Unknown,
        };
        let privilege = |verb: &Verb| {
            let mut defined = table.privileges.iter();
            let Some(found) = defined.find(|it| it.privilege_type == *verb) else {
                return Privilege {
                    verb: *verb,
                    name: format!("prv{verb}{}", rows.table().name),
                    reach: Reach::Unknown,
                };
            };
            Privilege {
                verb: *verb,
                name: found.name.clone(),
                reach: reach(*verb, &found.privilege_id),
            }
        };
        Ok(Some(verbs.iter().map(privilege).collect()))
    }
}

/// Questions about one table.
const QUESTIONS: usize = 2;

fn questions(table: &UsedTable) -> [String; QUESTIONS] {
    let UsedTable { name, set, key, .. } = table;
    [
        format!("EntityDefinitions(LogicalName='{name}')?$select=LogicalName,Privileges"),
        format!("{set}?$select={key}&$top=1"),
    ]
}
