//! Makes, changes and removes rows under the conditions that a request sets.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/perform-conditional-operations-using-web-api>

use http::StatusCode;
use uuid::Uuid;

use super::cell::Cell;
use super::errors::{PAYLOAD, Refusal, VERSIONS_OFF};
use super::execution::Execution;
use super::options::Options;
use super::payload::{self, Changes, Writer};
use super::privileges::Verb;
use super::reply::{Operation, Preferences, Reply};
use super::resource::References;
use super::row_rules;
use super::schema::Entity;
use super::state::State;
use super::store::{Cells, Row};
use super::webhooks::{self, Message};

/// What `If-Match` and `If-None-Match` ask for.
#[derive(Debug, PartialEq, Eq)]
enum Precondition {
    None,
    Exists,
    Missing,
    Version(String),
}

impl Precondition {
    fn read(operation: &Operation) -> Result<Self, Refusal> {
        let none_match = operation
            .header("if-none-match")
            .filter(|value| *value != "null");
        match (operation.header("if-match"), none_match) {
            (None, None) => Ok(Self::None),
            (Some("*"), None) => Ok(Self::Exists),
            (None, Some("*")) => Ok(Self::Missing),
            (Some(etag), None) if is_etag(etag) => Ok(Self::Version(etag.to_owned())),
            (Some(etag), None) => Err(Refusal::bad(
                PAYLOAD,
                format!("'{etag}' is not an ETag of a record."),
            )),
            _ => Err(Refusal::unsupported(
                "this combination of If-Match and If-None-Match",
            )),
        }
    }
}

fn is_etag(text: &str) -> bool {
    let digits = text
        .strip_prefix("W/\"")
        .and_then(|rest| rest.strip_suffix('"'));
    digits.is_some_and(|digits| digits.parse::<u64>().is_ok())
}

impl Execution<'_> {
    /// POST to an entity set: a new row.
    pub(crate) fn post(
        &mut self,
        operation: &Operation,
        preferences: &Preferences,
        entity: Entity,
    ) -> Result<Reply, Refusal> {
        let body = payload::object(&operation.body)?;
        let changes = self.read_payload(entity, &body, Writer::Creates)?;
        let given = match changes.get(entity.table.key) {
            Some(Some(cell)) => cell.id(),
            _ => None,
        };
        let id = given.unwrap_or_else(|| self.state.mint());
        self.create(entity, id, changes, Writer::Creates)?;
        self.written(operation, preferences, (entity, id), StatusCode::CREATED)
    }

    /// PATCH of a row: changes it, or makes it where it is missing and nothing forbids that.
    pub(crate) fn patch(
        &mut self,
        operation: &Operation,
        preferences: &Preferences,
        entity: Entity,
        id: Uuid,
    ) -> Result<Reply, Refusal> {
        let body = payload::object(&operation.body)?;
        let logical = entity.table.logical;
        let row = self.state.store.row(logical, id);
        match (Precondition::read(operation)?, row) {
            (Precondition::Missing, Some(_)) => return Err(Refusal::exists()),
            (Precondition::Exists | Precondition::Version(_), None) => {
                return Err(Refusal::no_row(logical, id));
            }
            (Precondition::Version(etag), Some(row)) => self.check_version(&etag, row)?,
            _ => {}
        }
        let exists = row.is_some();
        let writer = if exists {
            Writer::Updates
        } else {
            Writer::Creates
        };
        let changes = self.read_payload(entity, &body, writer)?;
        if let Some(key) = changes.get(entity.table.key)
            && key.as_ref().and_then(Cell::id) != Some(id)
        {
            let message = "The primary key in the body differs from the one in the URL.";
            return Err(Refusal::bad(PAYLOAD, message));
        }
        let status = if exists {
            self.update(entity, id, changes, writer)?;
            StatusCode::OK
        } else {
            self.create(entity, id, changes, writer)?;
            StatusCode::CREATED
        };
        self.written(operation, preferences, (entity, id), status)
    }

    /// DELETE of a row.
    pub(crate) fn delete(
        &mut self,
        operation: &Operation,
        entity: Entity,
        id: Uuid,
    ) -> Result<Reply, Refusal> {
        self.state.allow(entity, Verb::Delete)?;
        let logical = entity.table.logical;
        let row = self.state.store.row(logical, id);
        let row = row.ok_or_else(|| Refusal::no_row(logical, id))?;
        match Precondition::read(operation)? {
            Precondition::None | Precondition::Exists => {}
            Precondition::Version(etag) => self.check_version(&etag, row)?,
            Precondition::Missing => return Err(Refusal::unsupported("DELETE with If-None-Match")),
        }
        self.state.store.remove(logical, id);
        self.state.store.writes += 1;
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    fn check_version(&self, etag: &str, row: &Row) -> Result<(), Refusal> {
        if self.state.optimistic_concurrency == Some(false) {
            let message = "Optimistic concurrency isn't enabled for this entity type.";
            return Err(Refusal::bad(VERSIONS_OFF, message));
        }
        if etag == row.etag() {
            Ok(())
        } else {
            Err(Refusal::version_mismatch())
        }
    }

    /// The answer to a write: the row where the caller wants it, else only where it is.
    fn written(
        &mut self,
        operation: &Operation,
        preferences: &Preferences,
        (entity, id): (Entity, Uuid),
        status: StatusCode,
    ) -> Result<Reply, Refusal> {
        if let Some(content_id) = &operation.content_id {
            self.references.insert(content_id.clone(), (entity, id));
        }
        let address = format!("{}{}({id})", self.root, entity.table.set);
        if !preferences.representation {
            let reply = Reply::new(StatusCode::NO_CONTENT);
            return Ok(reply
                .with_header("odata-entityid", &address)
                .with_header("location", &address));
        }
        self.state.allow(entity, Verb::Read)?;
        let options = Options::read(operation.split().1)?;
        options.only_shape()?;
        let shape = self.shape(entity, &options)?;
        let row = self.state.store.row(entity.table.logical, id);
        let row = row.ok_or_else(|| Refusal::no_row(entity.table.logical, id))?;
        let reply = self.show_one(status, entity, row, &shape, preferences);
        let reply = reply.with_header("preference-applied", "return=representation");
        Ok(if status == StatusCode::CREATED {
            reply
                .with_header("odata-entityid", &address)
                .with_header("location", &address)
        } else {
            reply
        })
    }

    /// Makes a row with everything that the platform adds.
    pub(crate) fn create(
        &mut self,
        entity: Entity,
        id: Uuid,
        mut changes: Changes,
        writer: Writer,
    ) -> Result<(), Refusal> {
        let logical = entity.table.logical;
        if self.state.store.row(logical, id).is_some() {
            return Err(Refusal::exists());
        }
        self.authorize(entity, Verb::Create, &changes, writer)?;
        row_rules::settle_state(entity, None, &mut changes, writer)?;
        changes.insert(entity.table.key, Some(Cell::Guid(id)));
        let mut cells = row_rules::defaults(entity);
        let told = webhooks::told(&cells, &changes);
        apply(&mut cells, changes);
        row_rules::complete(self.state, entity, &mut cells);
        if writer != Writer::Inside {
            row_rules::check_required(self.state, entity, &cells)?;
            self.state.check_application(entity, &cells)?;
            self.state.store.writes += 1;
        }
        self.state.store.put(logical, id, cells);
        if logical == "role" {
            self.state.found_role(id);
        }
        self.state.announce(entity, id, Message::Create, &told);
        if logical == "adx_invitation" && self.state.settings.overwrite_codes_at_create {
            self.overwrite_code(id);
        }
        Ok(())
    }

    /// Changes a row; the same values again count as a change unless the settings say otherwise.
    pub(crate) fn update(
        &mut self,
        entity: Entity,
        id: Uuid,
        mut changes: Changes,
        writer: Writer,
    ) -> Result<(), Refusal> {
        let logical = entity.table.logical;
        self.authorize(entity, Verb::Write, &changes, writer)?;
        let row = self.state.store.row(logical, id);
        let row = row.ok_or_else(|| Refusal::no_row(logical, id))?;
        row_rules::settle_state(entity, Some(row), &mut changes, writer)?;
        let same = changes
            .iter()
            .all(|(column, cell)| row.cells.get(column) == cell.as_ref());
        if same && self.state.settings.equal_values_keep_etag {
            return Ok(());
        }
        let mut cells = row.cells.clone();
        let stamped = changes.contains_key("modifiedon");
        let told = changes.clone();
        apply(&mut cells, changes);
        if !stamped {
            cells.insert("modifiedon", Cell::Moment(self.state.now()));
        }
        if writer != Writer::Inside {
            cells.insert(
                "modifiedby",
                Cell::Reference("systemuser", self.state.caller),
            );
            self.state.store.writes += 1;
        }
        row_rules::complete(self.state, entity, &mut cells);
        self.state.store.put(logical, id, cells);
        self.state.announce(entity, id, Message::Update, &told);
        Ok(())
    }

    fn authorize(
        &self,
        entity: Entity,
        verb: Verb,
        changes: &Changes,
        writer: Writer,
    ) -> Result<(), Refusal> {
        if writer == Writer::Inside {
            return Ok(());
        }
        self.state.allow(entity, verb)?;
        let owner = changes
            .get("ownerid")
            .map(|cell| cell.as_ref().and_then(Cell::id));
        match owner {
            None => Ok(()),
            Some(None) => Err(Refusal::bad(
                PAYLOAD,
                "A record cannot be without an owner.",
            )),
            Some(Some(owner)) if owner == self.state.caller => Ok(()),
            Some(Some(_)) => self.state.allow(entity, Verb::Assign),
        }
    }

    /// What the stock process does that gives new invitations their codes.
    fn overwrite_code(&mut self, id: Uuid) {
        let code = row_rules::stock_code(self.state);
        if let Some(row) = self.state.store.row("adx_invitation", id) {
            let mut cells = row.cells.clone();
            cells.insert("adx_invitationcode", Cell::Text(code));
            self.state.store.put("adx_invitation", id, cells);
        }
    }
}

impl State {
    /// Makes a row as a process inside the environment; what the platform refuses is logged.
    pub(crate) fn insert(&mut self, table: &str, id: Uuid, changes: Changes) {
        self.inside(table, |execution, entity| {
            execution.create(entity, id, changes, Writer::Inside)
        });
    }

    /// Changes a row as a process inside the environment; what the platform refuses is logged.
    pub(crate) fn change(&mut self, table: &str, id: Uuid, changes: Changes) {
        self.inside(table, |execution, entity| {
            execution.update(entity, id, changes, Writer::Inside)
        });
    }

    fn inside(
        &mut self,
        table: &str,
        work: impl FnOnce(&mut Execution<'_>, Entity) -> Result<(), Refusal>,
    ) {
        let Some(entity) = self.entity(table) else {
            return;
        };
        let references = &mut References::new();
        let outcome = work(
            &mut Execution {
                state: self,
                root: "/",
                references,
            },
            entity,
        );
        if let Err(refusal) = outcome {
            tracing::error!(
                table,
                message = refusal.message,
                "a write inside Dataverse failed"
            );
        }
    }
}

fn apply(cells: &mut Cells, changes: Changes) {
    for (column, cell) in changes {
        match cell {
            Some(cell) => _ = cells.insert(column, cell),
            None => _ = cells.remove(column),
        }
    }
}
