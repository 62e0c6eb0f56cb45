//! What the caller may do: privileges by table, how far they reach, and the function that lists them.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/security-access-coding>

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Dataverse;
use super::cell::Cell;
use super::errors::{PRIVILEGE, Refusal};
use super::execution::Execution;
use super::reply::Reply;
use super::roles::Depth;
use super::schema::{Entity, Ownership, Table};
use super::state::State;
use super::store::Row;
use super::tables::TABLES;

/// What a privilege allows to do with the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Make rows.
    Create,
    /// See rows.
    Read,
    /// Change rows.
    Write,
    /// Remove rows.
    Delete,
    /// Give a row a reference to another one.
    Append,
    /// Let another row refer to a row.
    AppendTo,
    /// Give a row to another owner.
    Assign,
}

const VERBS: [Verb; 7] = [
    Verb::Create,
    Verb::Read,
    Verb::Write,
    Verb::Delete,
    Verb::Append,
    Verb::AppendTo,
    Verb::Assign,
];

/// The caller's role: everything, but for these.
#[derive(Debug, Default)]
pub(crate) struct Role {
    denied: BTreeSet<(&'static str, Verb)>,
    /// Privileges that reach no further than the caller's own rows.
    own_only: BTreeSet<(&'static str, Verb)>,
}

/// A privilege's name: most say the table's schema name, old tables have names of their own.
fn name(table: &Table, verb: Verb) -> String {
    let of = match table.logical {
        "systemuser" => "User",
        "savedquery" => "Query",
        // A kind of activity has the privileges of all activities.
        // https://learn.microsoft.com/power-apps/developer/data-platform/custom-activities
        "adx_inviteredemption" => "Activity",
        _ => table.schema_name,
    };
    format!("prv{verb:?}{of}")
}

/// The identifier of a privilege.
pub(crate) fn id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// Rows that belong to the organization are not assigned.
fn verbs(table: &Table) -> impl Iterator<Item = Verb> {
    let owned = table.ownership == Ownership::User;
    (VERBS.into_iter()).filter(move |verb| owned || *verb != Verb::Assign)
}

/// The name of a privilege by the table's logical name and the verb's own.
pub(crate) fn named(table: &str, verb: &str) -> Option<String> {
    let table = TABLES.iter().find(|known| known.logical == table)?;
    let verb = verbs(table).find(|known| format!("{known:?}") == verb)?;
    Some(name(table, verb))
}

/// The names of all privileges on the tables that an environment has, each once.
pub(crate) fn names(state: &State) -> BTreeSet<String> {
    let tables = TABLES
        .iter()
        .filter(|table| state.entity(table.logical).is_some());
    let named = tables.flat_map(|table| verbs(table).map(|verb| name(table, verb)));
    named.collect()
}

/// `Privileges` of a table's definition.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/securityprivilegemetadata>
pub(crate) fn describe(table: &Table) -> Value {
    // It is not documented that the definitions of definitions tell any: they are found by name.
    if ["entity", "attribute", "relationship"].contains(&table.logical) {
        return json!([]);
    }
    let owned = table.ownership == Ownership::User;
    let one = |verb: Verb| {
        let name = name(table, verb);
        json!({
            "CanBeBasic": owned,
            "CanBeDeep": owned,
            "CanBeGlobal": true,
            "CanBeLocal": owned,
            "CanBeEntityReference": false,
            "CanBeParentEntityReference": false,
            "PrivilegeId": id(&name),
            "Name": name,
            "PrivilegeType": format!("{verb:?}"),
        })
    };
    verbs(table).map(one).collect()
}

impl State {
    /// Refuses what the caller has no privilege for.
    pub(crate) fn allow(&self, entity: Entity, verb: Verb) -> Result<(), Refusal> {
        if self.depth(entity.table, verb).is_some() {
            return Ok(());
        }
        let (privilege, roles) = (name(entity.table, verb), self.role_count());
        if roles == 0 {
            return Err(self.without_roles());
        }
        let message = format!(
            "Principal user (Id={}, type=8, roleCount={roles}) is missing {privilege} privilege on entity '{}'.",
            self.caller, entity.table.logical
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, PRIVILEGE, message))
    }

    /// Refuses who may not read a table, by its logical name.
    pub(crate) fn allow_reading(&self, table: &str) -> Result<(), Refusal> {
        let entity = self.entity(table);
        entity.map_or(Ok(()), |entity| self.allow(entity, Verb::Read))
    }

    /// How far a privilege of the caller reaches; nothing where it has none.
    fn depth(&self, table: &Table, verb: Verb) -> Option<Depth> {
        let of = (table.logical, verb);
        if self.role.denied.contains(&of) {
            return None;
        }
        let depth = match self.roles {
            Some(_) => self.role_depth(id(&name(table, verb)))?,
            None => Depth::Global,
        };
        let confined = self.role.own_only.contains(&of);
        Some(if confined { Depth::Basic } else { depth })
    }

    /// Whether the caller sees a row: it is not kept private, and the reach of the privilege includes it.
    pub(crate) fn sees(&self, table: &'static str, row: &Row) -> bool {
        let known = TABLES.iter().find(|known| known.logical == table);
        let depth = known.and_then(|table| self.depth(table, Verb::Read));
        let reaches = depth != Some(Depth::Basic)
            || row.cells.get("ownerid") == Some(&Cell::Reference("systemuser", self.caller));
        reaches && !self.private.contains(&row.id)
    }
}

impl Execution<'_> {
    /// `RetrieveUserPrivileges` of a user. It takes the privileges to read users and the organization.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrieveuserprivileges>
    pub(crate) fn user_privileges(&self, entity: Entity, user: Uuid) -> Result<Reply, Refusal> {
        self.state.allow(entity, Verb::Read)?;
        self.state.allow_reading("organization")?;
        if user != self.state.caller {
            return Err(Refusal::unsupported("the privileges of another user"));
        }
        let granted: BTreeMap<_, _> = (TABLES.iter())
            .flat_map(|table| verbs(table).map(move |verb| (table, verb)))
            .filter_map(|(table, verb)| Some((name(table, verb), self.state.depth(table, verb)?)))
            .collect();
        let granted = granted.into_iter().map(|(name, depth)| {
            json!({
                "Depth": format!("{depth:?}"),
                "PrivilegeId": id(&name),
                "BusinessUnitId": self.state.business_unit,
                "PrivilegeName": name,
                "RecordFilterId": Uuid::nil(),
                "RecordFilterUniqueName": null,
            })
        });
        let kind = "Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse";
        Ok(Reply::new(StatusCode::OK).with_body(json!({
            "@odata.context": format!("{}$metadata#{kind}", self.root),
            "RolePrivileges": granted.collect::<Value>(),
        })))
    }
}

impl Dataverse {
    /// Takes a privilege on a table, named by its entity set, from the caller.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn deny(&self, set: &str, verb: Verb) {
        let table = self.known(set).table.logical;
        self.state().role.denied.insert((table, verb));
    }

    /// Whether the caller lacks a privilege on a table, named by its entity set.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn denies(&self, set: &str, verb: Verb) -> bool {
        let table = self.known(set).table.logical;
        self.state().role.denied.contains(&(table, verb))
    }

    /// Gives a privilege back, as far as it reached before.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn permit(&self, set: &str, verb: Verb) {
        let table = self.known(set).table.logical;
        self.state().role.denied.remove(&(table, verb));
    }

    /// Lets a privilege reach no further than rows that the caller owns. Only reading minds it.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn confine(&self, set: &str, verb: Verb) {
        let table = self.known(set).table.logical;
        self.state().role.own_only.insert((table, verb));
    }
}
