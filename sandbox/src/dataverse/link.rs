//! Links rows to one another and takes links away, through `$ref`.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/associate-disassociate-entities-using-web-api>

use http::{Method, StatusCode};
use url::form_urlencoded;
use uuid::Uuid;

use super::errors::{PAYLOAD, Refusal};
use super::execution::Execution;
use super::payload::{self, Changes, Writer};
use super::privileges::Verb;
use super::reply::{Operation, Reply};
use super::schema::{Entity, ManyToMany};

impl Execution<'_> {
    /// A request to `.../{navigation}/$ref` or `.../{navigation}({other})/$ref`.
    pub(crate) fn change_link(
        &mut self,
        operation: &Operation,
        (entity, id): (Entity, Uuid),
        name: &str,
        other: Option<Uuid>,
    ) -> Result<Reply, Refusal> {
        let logical = entity.table.logical;
        let row = self.state.store.row(logical, id);
        row.ok_or_else(|| Refusal::no_row(logical, id))?;
        if let Some((relationship, first)) = self.state.collection(entity, name) {
            let other = self.other_side(operation, relationship, first, other)?;
            let pair = if first { (id, other) } else { (other, id) };
            return self.change_pair(&operation.method, entity, relationship, pair);
        }
        let Some((column, targets)) = entity.navigation(name) else {
            return Err(Refusal::no_segment(name));
        };
        let cell = match operation.method {
            Method::PUT => {
                let uri = linked(operation)?;
                Some(self.read_reference(entity, &targets, &uri, Writer::Updates)?)
            }
            Method::DELETE => None,
            _ => return Err(Refusal::method(&operation.method)),
        };
        self.update(
            entity,
            id,
            Changes::from([(column.name, cell)]),
            Writer::Updates,
        )?;
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    /// The row on the other side: in the path, in `$id`, or in the body.
    fn other_side(
        &self,
        operation: &Operation,
        relationship: &ManyToMany,
        first: bool,
        other: Option<Uuid>,
    ) -> Result<Uuid, Refusal> {
        let table = if first {
            relationship.second
        } else {
            relationship.first
        };
        let id = match (&operation.method, other) {
            (&Method::DELETE, Some(id)) => id,
            (&Method::DELETE | &Method::POST, None) => {
                let uri = linked(operation)?;
                let (entity, id) = self.reference(&uri)?;
                if entity.table.logical != table {
                    let message = format!("'{uri}' is not a {table}.");
                    return Err(Refusal::bad(PAYLOAD, message));
                }
                id
            }
            (method, _) => return Err(Refusal::method(method)),
        };
        let row = self.state.store.row(table, id);
        row.map(|row| row.id)
            .ok_or_else(|| Refusal::no_row(table, id))
    }

    fn change_pair(
        &mut self,
        method: &Method,
        entity: Entity,
        relationship: &'static ManyToMany,
        pair: (Uuid, Uuid),
    ) -> Result<Reply, Refusal> {
        self.allow_pair(entity, relationship)?;
        let name = relationship.schema_name;
        if method == Method::POST && !self.state.store.link(name, pair) {
            return Err(Refusal::exists());
        }
        if method == Method::DELETE && !self.state.store.unlink(name, pair) {
            return Err(Refusal::no_row(name, pair.1));
        }
        self.state.store.writes += 1;
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }
}

impl Execution<'_> {
    /// Linking takes Append on both tables.
    /// <https://learn.microsoft.com/power-platform/admin/security-roles-privileges>
    fn allow_pair(&self, entity: Entity, relationship: &ManyToMany) -> Result<(), Refusal> {
        for side in [relationship.first, relationship.second] {
            let side = self.state.entity(side);
            let side = side.ok_or_else(|| Refusal::no_segment(relationship.schema_name))?;
            self.state.allow(side, Verb::Append)?;
            if side.table.logical != entity.table.logical {
                self.state.allow(side, Verb::AppendTo)?;
            }
        }
        Ok(())
    }
}

/// The address of the other row: `$id` of a DELETE, `@odata.id` of a body.
fn linked(operation: &Operation) -> Result<String, Refusal> {
    let (_, query) = operation.split();
    let mut options = form_urlencoded::parse(query.as_bytes());
    if let Some((_, uri)) = options.find(|(name, _)| name == "$id") {
        return Ok(uri.into_owned());
    }
    let body = payload::object(&operation.body)?;
    let uri = body.get("@odata.id").and_then(|uri| uri.as_str());
    let message = "The body has to name the other record in '@odata.id'.";
    uri.map(str::to_owned)
        .ok_or_else(|| Refusal::bad(PAYLOAD, message))
}
