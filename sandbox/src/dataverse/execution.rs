//! Carries out one operation of the Web API on the environment, without waiting for anything.
//!
//! Each kind of work has its own file; here the path and method choose among them.

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::reply::{Operation, Preferences, Reply};
use super::resource::{self, References, Resource};
use super::schema::Entity;
use super::state::State;

/// An operation at work: the environment, how callers address it, and what a changeset made so far.
#[derive(Debug)]
pub(crate) struct Execution<'a> {
    pub(crate) state: &'a mut State,
    /// The service root that links are made with, with a slash at its end.
    pub(crate) root: &'a str,
    pub(crate) references: &'a mut References,
}

/// Request headers that change what Dataverse does and that the sandbox does not imitate.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>
const FOREIGN_HEADERS: &[&str] = &[
    "mscrm.bypassbusinesslogicexecution",
    "mscrm.bypassbusinesslogicexecutionstepids",
    "mscrm.bypasscustompluginexecution",
    "mscrm.solutionuniquename",
    "mscrmcallerid",
    "callerobjectid",
];

impl Execution<'_> {
    /// Answers an operation, refusals included.
    pub(crate) fn answer(&mut self, operation: &Operation) -> Reply {
        self.perform(operation).unwrap_or_else(Refusal::into_reply)
    }

    /// Carries an operation out.
    pub(crate) fn perform(&mut self, operation: &Operation) -> Result<Reply, Refusal> {
        if let Some(header) = FOREIGN_HEADERS
            .iter()
            .find(|name| operation.header(name).is_some())
        {
            return Err(Refusal::unsupported(format!("the header '{header}'")));
        }
        check_content_type(operation)?;
        let preferences = Preferences::read(&operation.headers)
            .map_err(|name| Refusal::unsupported(format!("the preference '{name}'")))?;
        let (path, _) = operation.split();
        let resource = resource::parse(self.state, self.references, path)?;
        if self.state.settings.notes_columns {
            self.note_columns(operation, &resource);
        }
        self.dispatch(operation, &preferences, resource)
    }

    fn dispatch(
        &mut self,
        operation: &Operation,
        preferences: &Preferences,
        resource: Resource,
    ) -> Result<Reply, Refusal> {
        match (&operation.method, resource) {
            (&Method::GET, Resource::WhoAmI) => Ok(self.who_am_i()),
            (&Method::GET, Resource::Definition(table, part)) => {
                self.definition(operation, &table, part.as_deref())
            }
            (&Method::GET, Resource::Definitions) => self.definitions(operation),
            (&Method::GET, Resource::RolePrivileges(role)) => self.role_privileges(role),
            (&Method::POST, Resource::ReplacePrivileges(role)) => {
                self.replace_privileges(operation, role)
            }
            (&Method::GET, Resource::Set(entity)) => self.list(operation, preferences, entity),
            (&Method::GET, Resource::Count(entity)) => self.count(operation, entity),
            (&Method::GET, Resource::Row(entity, id)) => {
                self.get(operation, preferences, entity, id)
            }
            (&Method::GET, Resource::Navigation(entity, id, name)) => {
                self.navigate(operation, preferences, (entity, id), &name)
            }
            (&Method::GET, Resource::Privileges(entity, id)) => self.user_privileges(entity, id),
            (&Method::POST, Resource::Set(entity)) => self.post(operation, preferences, entity),
            (&Method::PATCH, Resource::Row(entity, id)) => {
                self.patch(operation, preferences, entity, id)
            }
            (&Method::DELETE, Resource::Row(entity, id)) => self.delete(operation, entity, id),
            (_, Resource::Link(entity, id, name, other)) => {
                self.change_link(operation, (entity, id), &name, other)
            }
            (_, Resource::Batch) => Err(Refusal::bad("", "A batch cannot hold another batch.")),
            (method, Resource::Navigation(..)) => Err(Refusal::unsupported(format!(
                "{method} of a single property"
            ))),
            (method, _) => Err(Refusal::method(method)),
        }
    }

    /// Notes the columns that a request names in its address, and in the keys of its body.
    fn note_columns(&mut self, operation: &Operation, resource: &Resource) {
        let (Resource::Set(entity) | Resource::Row(entity, _) | Resource::Count(entity)) = resource
        else {
            return;
        };
        let target = percent_decode_str(&operation.target).decode_utf8_lossy();
        let body: Map<String, Value> = serde_json::from_slice(&operation.body).unwrap_or_default();
        let keys = body
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        let text = format!("{target} {keys}");
        for word in text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_') {
            let lookup = || entity.navigation(word).map(|(column, _)| column);
            let column = entity.property(word).or_else(|| entity.column(word));
            if let Some(column) = column.or_else(lookup) {
                let named = (entity.table.set, column.name);
                self.state.columns_named.insert(named);
            }
        }
    }

    fn who_am_i(&self) -> Reply {
        Reply::new(StatusCode::OK).with_body(json!({
            "@odata.context":
                format!("{}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse", self.root),
            "BusinessUnitId": self.state.business_unit,
            "UserId": self.state.caller,
            "OrganizationId": self.state.organization,
        }))
    }

    /// The row that a reference in a body names.
    pub(crate) fn reference(&self, uri: &str) -> Result<(Entity, Uuid), Refusal> {
        resource::reference(self.state, self.references, self.root, uri)
    }
}

fn check_content_type(operation: &Operation) -> Result<(), Refusal> {
    let kind = operation.header("content-type").unwrap_or_default();
    if operation.body.is_empty() || kind.starts_with("application/json") {
        return Ok(());
    }
    let message = format!("The content type '{kind}' is not supported; send application/json.");
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "",
        message,
    ))
}
