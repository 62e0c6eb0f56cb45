//! Roles as administrators give them: who a token stands for, and what that user's roles add up to.
//!
//! They count once somebody asks for it; until then every caller is one user with one role, see `privileges`.
//! <https://learn.microsoft.com/power-platform/admin/security-roles-privileges>

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Dataverse;
use super::cell::Cell;
use super::errors::{ARGUMENT, DISABLED, NOT_A_MEMBER, PAYLOAD, Refusal, WITHOUT_ROLES};
use super::execution::Execution;
use super::privileges::{self, Verb};
use super::reply::{Operation, Reply};
use super::schema::Entity;
use super::state::State;
use super::store::{Cells, Row};

const ASSIGNMENTS: &str = "systemuserroles_association";

/// Privileges that a new role has and keeps, whatever it is given. It is not documented which; that there are some
/// keeps callers from counting on a role that is exactly what they made it.
const KEPT: [&str; 2] = ["prvReadSharePointData", "prvReadSharePointDocument"];

/// How far a privilege reaches: the user's own rows, those of the business unit, of the units below as well, or all.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/privilegedepth>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum Depth {
    Basic,
    Local,
    Deep,
    Global,
}

/// What each role gives.
#[derive(Debug)]
pub(crate) struct Roles {
    /// The role that gives everything.
    administrator: Uuid,
    /// Privileges by their id, for each role.
    granted: BTreeMap<Uuid, BTreeMap<Uuid, Depth>>,
}

/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/roleprivilege>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RolePrivilege {
    privilege_id: Uuid,
    depth: Depth,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Replacement {
    privileges: Vec<RolePrivilege>,
}

impl Dataverse {
    /// From now on each caller is the user that its token names, and may do what that user's roles give: an application
    /// by its client id, a person by the object id. There is one user so far, an administrator with this object id.
    pub fn enforce_roles(&self, administrator: Uuid) {
        let mut state = self.state();
        state.found_organization();
        let role = state.mint();
        let unit = Cell::Reference("businessunit", state.business_unit);
        let name = Cell::Text("System Administrator".to_owned());
        let cells = [("name", name), ("businessunitid", unit.clone())];
        state.place("role", role, "roleid", cells);
        state.roles = Some(Roles {
            administrator: role,
            granted: BTreeMap::new(),
        });
        let user = state.mint();
        let cells = [
            ("fullname", Cell::Text("An administrator".to_owned())),
            ("azureactivedirectoryobjectid", Cell::Guid(administrator)),
            ("isdisabled", Cell::Boolean(false)),
            ("businessunitid", unit),
        ];
        state.place("systemuser", user, "systemuserid", cells);
        state.store.link(ASSIGNMENTS, (user, role));
    }

    /// Makes an application a user with a role of its own, where it is none, and lets that role give these privileges
    /// everywhere, and no others: each the logical name of a table and a verb.
    ///
    /// # Panics
    /// If roles do not count yet, or there is no such privilege.
    pub fn admit(&self, application: Uuid, privileges: &[(&str, &str)]) {
        let granted = privileges.iter().map(|(table, verb)| {
            let name = privileges::named(table, verb);
            let name = name.unwrap_or_else(|| panic!("no privilege to {verb} {table}"));
            (privileges::id(&name), Depth::Global)
        });
        let granted = granted.collect();
        let mut state = self.state();
        let (user, role) = (application, application);
        if state.store.row("systemuser", user).is_none() {
            let unit = Cell::Reference("businessunit", state.business_unit);
            let cells = [("name", Cell::Text("admitted".to_owned()))];
            state.place("role", role, "roleid", cells);
            let cells = [
                ("applicationid", Cell::Guid(application)),
                ("businessunitid", unit),
            ];
            state.place("systemuser", user, "systemuserid", cells);
            state.store.link(ASSIGNMENTS, (user, role));
        }
        let roles = state.roles.as_mut();
        let roles = roles.unwrap_or_else(|| panic!("roles do not count"));
        roles.granted.insert(role, granted);
    }
}

impl State {
    /// The root business unit, the organization and the list of privileges.
    fn found_organization(&mut self) {
        let name = || [("name", Cell::Text("contoso".to_owned()))];
        self.place("businessunit", self.business_unit, "businessunitid", name());
        self.place("organization", self.organization, "organizationid", name());
        let kept = KEPT.iter().map(|name| (*name).to_owned());
        for privilege in privileges::names(self).into_iter().chain(kept) {
            let id = privileges::id(&privilege);
            let cells = [("name", Cell::Text(privilege))];
            self.place("privilege", id, "privilegeid", cells);
        }
    }

    fn place<const N: usize>(
        &mut self,
        table: &'static str,
        id: Uuid,
        key: &'static str,
        cells: [(&'static str, Cell); N],
    ) {
        let mut cells = Cells::from(cells);
        cells.insert(key, Cell::Guid(id));
        cells.insert("createdon", Cell::Moment(self.now()));
        cells.insert("modifiedon", Cell::Moment(self.now()));
        self.store.put(table, id, cells);
    }

    /// The user that the bearer of a token is here.
    pub(crate) fn user_of(&self, token: &str) -> Result<Uuid, Refusal> {
        if self.roles.is_none() {
            return Ok(self.caller);
        }
        let claims = claims(token).unwrap_or_default();
        let (column, claim) = if claims["idtyp"] == "app" {
            ("applicationid", &claims["appid"])
        } else {
            ("azureactivedirectoryobjectid", &claims["oid"])
        };
        let claim = claim.as_str().and_then(|text| Uuid::try_parse(text).ok());
        let mut users = self.store.rows("systemuser");
        let user = users.find(|row| claim.is_some() && guid(row, column) == claim);
        let refuse = |code, message: &str| Err(Refusal::new(StatusCode::FORBIDDEN, code, message));
        match user {
            None => refuse(
                NOT_A_MEMBER,
                "The user is not a member of the organization.",
            ),
            Some(row) if row.cells.get("isdisabled") == Some(&Cell::Boolean(true)) => {
                refuse(DISABLED, "The specified user is disabled.")
            }
            Some(row) => Ok(row.id),
        }
    }

    /// The roles of the user who calls.
    fn own_roles(&self) -> impl Iterator<Item = Uuid> {
        let links = self.store.links(ASSIGNMENTS);
        links.filter_map(|(user, role)| (user == self.caller).then_some(role))
    }

    /// How many roles the user who calls has; one until roles count.
    pub(crate) fn role_count(&self) -> usize {
        self.roles.as_ref().map_or(1, |_| self.own_roles().count())
    }

    /// How far the caller's roles let a privilege reach: as far as the most generous one; not at
    /// all before roles count.
    pub(crate) fn role_depth(&self, privilege: Uuid) -> Option<Depth> {
        let roles = self.roles.as_ref()?;
        let depth = |role: Uuid| {
            if role == roles.administrator {
                return Some(Depth::Global);
            }
            roles.granted.get(&role)?.get(&privilege).copied()
        };
        self.own_roles().filter_map(depth).max()
    }

    /// A user without any role is told so.
    pub(crate) fn without_roles(&self) -> Refusal {
        let message = format!(
            "Principal (Id={}) has not been assigned any roles.",
            self.caller
        );
        Refusal::new(StatusCode::FORBIDDEN, WITHOUT_ROLES, message)
    }

    /// An application has one user at most.
    /// <https://learn.microsoft.com/power-platform/admin/manage-application-users>
    pub(crate) fn check_application(&self, entity: Entity, cells: &Cells) -> Result<(), Refusal> {
        let Some(application) = cells.get("applicationid").and_then(Cell::id) else {
            return Ok(());
        };
        let mut users = self.store.rows(entity.table.logical);
        if users.any(|row| guid(row, "applicationid") == Some(application)) {
            let message = format!("A user for the application {application} exists already.");
            return Err(Refusal::bad(ARGUMENT, message));
        }
        Ok(())
    }

    /// Gives a new role what every role has.
    pub(crate) fn found_role(&mut self, role: Uuid) {
        if let Some(roles) = &mut self.roles {
            let kept = KEPT.map(|name| (privileges::id(name), Depth::Global));
            roles.granted.insert(role, kept.into());
        }
    }
}

impl Execution<'_> {
    /// `RetrieveRolePrivilegesRole`.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrieveroleprivilegesrole>
    pub(crate) fn role_privileges(&self, role: Uuid) -> Result<Reply, Refusal> {
        self.state.allow_reading("role")?;
        let roles = self.roles_of(role)?;
        let granted = roles.granted.get(&role).into_iter().flatten();
        let granted = granted.map(|(id, depth)| {
            json!({
                "Depth": format!("{depth:?}"),
                "PrivilegeId": id,
                "BusinessUnitId": self.state.business_unit,
                "PrivilegeName": self.state.privilege_name(*id),
                "RecordFilterId": Uuid::nil(),
                "RecordFilterUniqueName": null,
            })
        });
        let kind = "Microsoft.Dynamics.CRM.RetrieveRolePrivilegesRoleResponse";
        Ok(Reply::new(StatusCode::OK).with_body(json!({
            "@odata.context": format!("{}$metadata#{kind}", self.root),
            "RolePrivileges": granted.collect::<Value>(),
        })))
    }

    /// `ReplacePrivilegesRole`.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/replaceprivilegesrole>
    pub(crate) fn replace_privileges(
        &mut self,
        operation: &Operation,
        role: Uuid,
    ) -> Result<Reply, Refusal> {
        let entity = self.state.entity("role");
        let entity = entity.ok_or_else(|| Refusal::no_segment("roles"))?;
        self.state.allow(entity, Verb::Write)?;
        if self.roles_of(role)?.administrator == role {
            return Err(Refusal::bad(ARGUMENT, "This role cannot be changed."));
        }
        let read = serde_json::from_slice::<Replacement>(&operation.body);
        let wanted = read.map_err(|error| Refusal::bad(PAYLOAD, error.to_string()))?;
        let mut granted = BTreeMap::from(KEPT.map(|name| (privileges::id(name), Depth::Global)));
        for RolePrivilege {
            privilege_id,
            depth,
        } in wanted.privileges
        {
            let row = self.state.store.row("privilege", privilege_id);
            row.ok_or_else(|| Refusal::no_row("privilege", privilege_id))?;
            granted.insert(privilege_id, depth);
        }
        if let Some(roles) = &mut self.state.roles {
            roles.granted.insert(role, granted);
        }
        self.state.store.writes += 1;
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    fn roles_of(&self, role: Uuid) -> Result<&Roles, Refusal> {
        let known = self.state.store.row("role", role);
        known.ok_or_else(|| Refusal::no_row("role", role))?;
        let roles = self.state.roles.as_ref();
        roles.ok_or_else(|| Refusal::unsupported("roles before they count"))
    }
}

impl State {
    fn privilege_name(&self, id: Uuid) -> Option<String> {
        match self.store.row("privilege", id)?.cells.get("name")? {
            Cell::Text(name) => Some(name.clone()),
            _ => None,
        }
    }
}

fn guid(row: &Row, column: &str) -> Option<Uuid> {
    row.cells.get(column).and_then(Cell::id)
}

/// The claims of a token; whoever issued it vouches for them.
fn claims(token: &str) -> Option<Value> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&claims).ok()
}
