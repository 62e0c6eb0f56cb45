//! The environment behind the Web API: its data, its switches, its caller and the caller's privileges.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::cell::{Cell, whole_seconds};
use super::customization::{Customization, PLAIN};
use super::errors::{PRIVILEGE, Refusal};
use super::limits::Limits;
use super::privileges::Role;
use super::relationships::RELATIONSHIPS;
use super::roles::Roles;
use super::schema::{Entity, ManyToMany, Model, Table};
use super::store::{Cells, Store};
use super::tables::TABLES;
use super::webhooks::Webhooks;
use crate::clock::Clock;
use crate::latency::DataverseTimes;

/// How an environment differs from another; the default is a fresh one with an enhanced-model site.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, set by name"
)]
pub struct Settings {
    /// Whether the caller has an application user here.
    pub application_user: bool,
    /// Whether the columns that the portal solutions add to contact exist.
    pub portal_columns: bool,
    /// Whether web roles are site components (`adx_invitation_mspp_webrole_powerpagecomponent`), and contacts choose
    /// their language by its number (`mspp_userpreferredlcid`).
    pub enhanced_data_model: bool,
    /// Whether web roles are rows of `adx_webrole` (`adx_invitation_webrole`), and contacts refer to their language
    /// (`adx_preferredlanguageid`).
    pub standard_data_model: bool,
    /// Whether a PATCH whose values all equal the stored ones changes nothing, not even the `ETag`.
    pub equal_values_keep_etag: bool,
    /// Whether a synchronous process gives each new invitation a code of its own (172 characters).
    pub overwrite_codes_at_create: bool,
    /// Whether a new row needs its business-required columns. Dataverse leaves that to forms; the
    /// sandbox insists by default, as a row without them is a mistake of its maker.
    pub enforce_required: bool,
    /// Whether a page of a view names the next one by a link, or by the cookie of its FetchXML. It is not documented
    /// which.
    pub views_link_pages: bool,
    /// The largest body, in bytes, that a webhook sends whole.
    pub webhook_bytes: usize,
    /// Whether to note which columns requests name.
    pub notes_columns: bool,
    /// The `x-ms-dop-hint` header.
    pub parallelism_hint: u32,
    /// Requests that may be in work at once.
    pub concurrent_requests: usize,
    /// Requests in any window.
    pub requests_per_window: usize,
    /// Combined time that requests may take in any window.
    pub execution_per_window: Duration,
    /// Length of the sliding window.
    pub window: Duration,
    /// How long operations take; a batch takes as long as its operations together.
    pub times: DataverseTimes,
}

impl Default for Settings {
    /// Limits as <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits> states them.
    fn default() -> Self {
        Self {
            application_user: true,
            portal_columns: true,
            enhanced_data_model: true,
            standard_data_model: false,
            equal_values_keep_etag: false,
            overwrite_codes_at_create: false,
            enforce_required: true,
            views_link_pages: true,
            webhook_bytes: 256 * 1024,
            notes_columns: false,
            parallelism_hint: 8,
            concurrent_requests: 52,
            requests_per_window: 6_000,
            execution_per_window: Duration::from_mins(20),
            window: Duration::from_mins(5),
            times: DataverseTimes::default(),
        }
    }
}

/// Everything that the Web API works on.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    /// The user who calls; every caller is the same one until roles count.
    pub(crate) caller: Uuid,
    pub(crate) business_unit: Uuid,
    pub(crate) organization: Uuid,
    pub(crate) role: Role,
    /// What each role gives, from when that counts.
    pub(crate) roles: Option<Roles>,
    /// What metadata says of optimistic concurrency; nothing when it does not say.
    pub(crate) optimistic_concurrency: Option<bool>,
    /// Rows of other users that are not shared with the caller.
    pub(crate) private: BTreeSet<Uuid>,
    pub(crate) cookies_seen: u64,
    pub(crate) webhooks: Webhooks,
    /// Columns that requests named, each after its entity set.
    pub(crate) columns_named: BTreeSet<(&'static str, &'static str)>,
    customizations: BTreeMap<&'static str, &'static Customization>,
    namespace: Uuid,
    minted: u64,
}

impl State {
    pub(crate) fn new(clock: Clock, seed: u64) -> Self {
        let mut state = Self {
            settings: Settings::default(),
            store: Store::default(),
            clock,
            limits: Limits::default(),
            caller: Uuid::nil(),
            business_unit: Uuid::nil(),
            organization: Uuid::nil(),
            role: Role::default(),
            roles: None,
            optimistic_concurrency: Some(true),
            private: BTreeSet::new(),
            cookies_seen: 0,
            webhooks: Webhooks::default(),
            columns_named: BTreeSet::new(),
            customizations: BTreeMap::new(),
            namespace: Uuid::new_v5(&Uuid::NAMESPACE_OID, &seed.to_be_bytes()),
            minted: 0,
        };
        state.caller = state.mint();
        state.business_unit = state.mint();
        state.organization = state.mint();
        state.seed_caller();
        state.seed_zones();
        state
    }

    fn seed_caller(&mut self) {
        let application = self.mint();
        let cells = Cells::from([
            ("systemuserid", Cell::Guid(self.caller)),
            ("fullname", Cell::Text("# portal-invite".to_owned())),
            ("applicationid", Cell::Guid(application)),
            ("isdisabled", Cell::Boolean(false)),
            (
                "businessunitid",
                Cell::Reference("businessunit", self.business_unit),
            ),
            ("createdon", Cell::Moment(self.now())),
            ("modifiedon", Cell::Moment(self.now())),
        ]);
        self.store.put("systemuser", self.caller, cells);
    }

    /// A new identifier; the same seed gives the same ones.
    pub(crate) fn mint(&mut self) -> Uuid {
        self.minted += 1;
        Uuid::new_v5(&self.namespace, &self.minted.to_be_bytes())
    }

    /// Now, as the database would write it.
    pub(crate) fn now(&self) -> Timestamp {
        whole_seconds(self.clock.now())
    }

    fn has_model(&self, model: Model) -> bool {
        match model {
            Model::Any => true,
            Model::Enhanced => self.settings.enhanced_data_model,
            Model::Standard => self.settings.standard_data_model,
        }
    }

    fn entity_where(&self, test: impl Fn(&Table) -> bool) -> Option<Entity> {
        let table = TABLES
            .iter()
            .find(|table| self.has_model(table.model) && test(table))?;
        let custom = self.customizations.get(table.logical);
        let custom = custom.copied().unwrap_or(&PLAIN);
        (!custom.absent).then(|| Entity {
            portal_columns: self.settings.portal_columns,
            enhanced: self.settings.enhanced_data_model,
            standard: self.settings.standard_data_model,
            custom,
            ..Entity::new(table)
        })
    }

    /// Changes a table's definition; the old ones stay in memory, which tests can afford.
    pub(crate) fn customize(&mut self, table: &'static str, custom: Customization) {
        self.customizations
            .insert(table, Box::leak(Box::new(custom)));
    }

    /// A table by logical name.
    pub(crate) fn entity(&self, logical: &str) -> Option<Entity> {
        self.entity_where(|table| table.logical == logical)
    }

    /// A table by the name of its entity set.
    pub(crate) fn entity_of_set(&self, set: &str) -> Result<Entity, Refusal> {
        self.entity_where(|table| table.set == set).ok_or_else(|| {
            if TABLES.iter().any(|table| table.set == set) {
                Refusal::not_here(set)
            } else {
                Refusal::no_segment(set)
            }
        })
    }

    /// The many-to-many relationships that a table takes part in.
    pub(crate) fn relationships(
        &self,
        entity: Entity,
    ) -> impl Iterator<Item = &'static ManyToMany> {
        let logical = entity.table.logical;
        RELATIONSHIPS.iter().filter(move |relationship| {
            self.has_model(relationship.model)
                && (relationship.first == logical || relationship.second == logical)
        })
    }

    /// The relationship behind a collection of a table, and whether the table is its first side.
    pub(crate) fn collection(
        &self,
        entity: Entity,
        name: &str,
    ) -> Option<(&'static ManyToMany, bool)> {
        let relationship = self
            .relationships(entity)
            .find(|relationship| relationship.schema_name == name)?;
        let first = relationship.first == entity.table.logical;
        (first || relationship.both_sides).then_some((relationship, first))
    }

    /// Refuses a row that somebody keeps to themselves.
    /// <https://learn.microsoft.com/power-platform/admin/wp-security-cds>
    pub(crate) fn see(&self, table: &'static str, id: Uuid) -> Result<(), Refusal> {
        if self
            .store
            .row(table, id)
            .is_none_or(|row| self.sees(table, row))
        {
            return Ok(());
        }
        let message = format!(
            "Principal user (Id={}, type=8) is missing ReadAccess rights for {table} {id}.",
            self.caller
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, PRIVILEGE, message))
    }
}
