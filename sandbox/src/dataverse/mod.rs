//! A Dataverse environment in memory, with the part of its Web API that invitations need.
//!
//! It follows the public documentation and refuses what it does not know. Tests reach into it through
//! [`Dataverse`]: they see and change rows as a colleague with all privileges would.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview>

mod batch;
mod cell;
mod condition;
mod cookie;
mod customization;
mod errors;
mod execution;
mod fetch;
mod fetch_value;
mod filter;
mod forgotten;
mod installation;
mod language_tables;
mod limits;
mod link;
mod message_tables;
mod metadata;
mod metadata_parts;
mod multipart;
mod multipart_answer;
mod options;
mod paging;
mod pattern;
mod payload;
mod portal_tables;
mod privileges;
mod process_tables;
mod query;
mod relationships;
mod render;
mod reply;
mod resource;
mod role_tables;
mod roles;
mod row_rules;
mod rows;
mod schema;
mod service;
mod state;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod time_tables;
mod webhook_payload;
mod webhooks;
mod write;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Map, Value};
use uuid::Uuid;

pub use self::customization::Redefinition;
use self::errors::Refusal;
use self::execution::Execution;
pub use self::installation::process_xaml;
use self::payload::Writer;
pub use self::privileges::Verb;
use self::render::Shape;
use self::reply::Preferences;
use self::resource::References;
use self::schema::Entity;
pub use self::state::Settings;
pub use self::webhooks::{Delivery, Message, Webhook};
use crate::clock::Clock;
use crate::faults::Faults;

pub(crate) use self::cell::Cell;
pub(crate) use self::forgotten::is_open;
pub(crate) use self::payload::Changes;
pub(crate) use self::state::State;
pub(crate) use self::store::Row;

/// Decides whether a bearer token is good for this service.
type TokenCheck = Arc<dyn Fn(&str) -> bool + Send + Sync>;

struct Shared {
    state: Mutex<State>,
    faults: Faults,
    token_check: Mutex<Option<TokenCheck>>,
}

/// An environment; clones are handles on the same one.
#[derive(Clone)]
pub struct Dataverse {
    shared: Arc<Shared>,
}

impl fmt::Debug for Dataverse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Dataverse").finish_non_exhaustive()
    }
}

impl Dataverse {
    /// An empty environment; `faults` are consulted for each operation inside a batch.
    pub fn new(clock: Clock, seed: u64, faults: Faults) -> Self {
        let state = Mutex::new(State::new(clock, seed));
        let token_check = Mutex::new(None);
        Self {
            shared: Arc::new(Shared {
                state,
                faults,
                token_check,
            }),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock()
    }

    fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Sets which bearer tokens are accepted; until then every one is.
    pub fn set_token_check(&self, check: TokenCheck) {
        *self.shared.token_check.lock() = Some(check);
    }

    fn accepts(&self, token: &str) -> bool {
        let check = self.shared.token_check.lock().clone();
        check.is_none_or(|check| check(token))
    }

    /// Changes how the environment behaves.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Turns on a synchronous process that gives every new invitation a code of its own.
    pub fn overwrite_codes_at_create(&self, on: bool) {
        self.configure(|settings| settings.overwrite_codes_at_create = on);
    }

    /// Sets `IsOptimisticConcurrencyEnabled` of every table, or leaves it out of the metadata.
    /// Where it is false, writes that carry an `ETag` are refused.
    pub fn set_optimistic_concurrency(&self, enabled: Option<bool>) {
        self.state().optimistic_concurrency = enabled;
    }

    /// Makes a row somebody else's own: callers of the Web API do not see it until it is shared.
    pub fn keep_private(&self, id: Uuid) {
        self.state().private.insert(id);
    }

    /// Shares a row that somebody kept to themselves.
    pub fn share(&self, id: Uuid) {
        self.state().private.remove(&id);
    }

    fn known(&self, set: &str) -> Entity {
        let entity = self.state().entity_of_set(set);
        entity.unwrap_or_else(|refusal| panic!("{}", refusal.message))
    }

    /// The systemuser that every caller of the Web API is; where roles count, the latest one.
    pub fn caller(&self) -> Uuid {
        self.state().caller
    }

    /// How many requests sent the affinity cookie back.
    pub fn cookies_seen(&self) -> u64 {
        self.state().cookies_seen
    }

    /// The columns that requests named since [`Settings::notes_columns`] is on, each after its entity set.
    pub fn columns_named(&self) -> BTreeSet<(&'static str, &'static str)> {
        self.state().columns_named.clone()
    }

    /// How many changes to data callers of the Web API have made.
    pub fn writes(&self) -> u64 {
        self.state().store.writes
    }

    /// Makes every stored moment this much older.
    pub fn age(&self, by: SignedDuration) {
        self.state().store.age(by);
    }

    /// Adds a row as somebody inside the environment: every column may be set, lookups also as
    /// `_column_value`, and only the types and limits of the columns are checked.
    ///
    /// # Panics
    /// If the row does not fit the table, or its key is taken.
    pub fn insert(&self, set: &str, row: &Value) -> Uuid {
        let entity = self.known(set);
        self.inside(|execution| {
            let changes = execution.read_payload(entity, &object(row), Writer::Inside)?;
            let given = changes
                .get(entity.table.key)
                .and_then(|cell| cell.as_ref()?.id());
            let id = given.unwrap_or_else(|| execution.state.mint());
            execution.create(entity, id, changes, Writer::Inside)?;
            Ok(id)
        })
    }

    /// Changes a row as somebody inside the environment; it gets a new version.
    ///
    /// # Panics
    /// If there is no such row, or the values do not fit the table.
    pub fn change(&self, set: &str, id: Uuid, values: &Value) {
        let entity = self.known(set);
        self.inside(|execution| {
            let changes = execution.read_payload(entity, &object(values), Writer::Inside)?;
            execution.update(entity, id, changes, Writer::Inside)
        });
    }

    /// Removes a row as somebody inside the environment; false when there was none.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn delete(&self, set: &str, id: Uuid) -> bool {
        let entity = self.known(set);
        self.state().store.remove(entity.table.logical, id)
    }

    fn inside<T>(&self, work: impl FnOnce(&mut Execution<'_>) -> Result<T, Refusal>) -> T {
        let mut state = self.state();
        let references = &mut References::new();
        let mut execution = Execution {
            state: &mut state,
            root: "/",
            references,
        };
        let outcome = work(&mut execution);
        drop(state);
        outcome.unwrap_or_else(|refusal| panic!("{}", refusal.message))
    }

    /// A row with all its columns, as the Web API shows them.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn row(&self, set: &str, id: Uuid) -> Option<Value> {
        let entity = self.known(set);
        let state = self.state();
        let row = state.store.row(entity.table.logical, id)?;
        Some(show(&state, entity, row))
    }

    /// All rows of a table, with all their columns.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn rows(&self, set: &str) -> Vec<Value> {
        self.rows_where(set, |_| true)
    }

    /// The invitations whose invited contact is this one, oldest first.
    pub fn invitations_of(&self, contact: Uuid) -> Vec<Value> {
        let mut rows = self.rows_where("adx_invitations", |row| {
            row.id_in("adx_invitecontact") == Some(contact)
        });
        rows.sort_by_key(|row| row["createdon"].to_string());
        rows
    }

    fn rows_where(&self, set: &str, test: impl Fn(&Row) -> bool) -> Vec<Value> {
        let entity = self.known(set);
        let state = self.state();
        let rows = state
            .store
            .rows(entity.table.logical)
            .filter(|row| test(row));
        rows.map(|row| show(&state, entity, row)).collect()
    }

    /// The rows that a many-to-many relationship links, first side first.
    pub fn links(&self, relationship: &str) -> Vec<(Uuid, Uuid)> {
        self.state().store.links(relationship).collect()
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn show(state: &State, entity: Entity, row: &Row) -> Value {
    render::row(
        state,
        entity,
        row,
        &Shape::default(),
        &Preferences::default(),
    )
    .into()
}
