//! The use cases: invite, deliver, dispatch, sweep, report, digest.
//!
//! They know the domain and the remote services, and nothing of HTTP requests, settings or the Functions host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::domain::batch::MailDelivery;
use crate::domain::expiry::ValidDays;
use crate::domain::ids::{Site, WebRoleId, WorkflowId};
use crate::domain::invitation::SweepScope;
use crate::domain::redeem_link::{LanguagePath, PortalUrl};
use crate::letter::Brand;
use crate::remote::dataverse::Dataverse;
use crate::remote::dataverse::invitations::Owner;
use crate::remote::graph::Graph;
use crate::remote::identity::Credential;
use crate::remote::journal::Store;
use crate::remote::portal::Visitor;

mod again;
mod choose;
mod claim;
mod compose;
pub mod contact_created;
mod create;
mod deliver;
pub mod digest;
pub mod dispatch;
pub mod doctor;
mod find;
pub mod invitations;
pub mod invite;
pub mod legacy;
mod look;
mod mark;
mod pace;
mod plan;
mod prepare;
mod refusal;
pub mod remind;
mod replace;
pub mod report;
pub mod resend;
pub mod revoke;
mod rows;
pub mod sweep;
mod templates;
pub mod views;
mod work;

pub use pace::Mailboxes;
pub use templates::Templates;

/// What this deployment may and should do; fixed for the life of the process.
#[derive(Debug)]
pub struct Policy {
    /// What this deployment serves.
    pub site: Site,
    /// Where contacts redeem.
    pub portal_url: PortalUrl,
    /// The zone in which days end.
    pub time_zone: TimeZone,
    /// Letter languages, and the site's path for each where there is one.
    pub languages: BTreeMap<String, Option<LanguagePath>>,
    /// The language of a letter where neither its request nor its contact names one of them.
    pub default_language: String,
    /// The looks of a letter.
    pub brand: Brand,
    /// Where answers to letters go.
    pub reply_to: Option<String>,
    /// How long an invitation of a request that says nothing is valid.
    pub valid_days: ValidDays,
    /// Which credential signs in.
    pub credential: Credential,
    /// Whether it runs on Azure, where a local directory goes with the instance.
    pub on_azure: bool,
    /// Who owns new rows.
    pub owner: Option<Owner>,
    /// Whether callers may be handed links.
    pub allow_links: bool,
    /// The workflows that callers may bind.
    pub allowed_workflows: BTreeSet<WorkflowId>,
    /// The web roles that callers may give.
    pub allowed_roles: BTreeSet<WebRoleId>,
    /// The mailboxes that new batches send from.
    pub senders: Vec<String>,
    /// How many letters a sender may send in any 60 seconds from one process.
    pub mail_rate_per_minute: u32,
    /// How letters leave.
    pub delivery: MailDelivery,
    /// How long a POST goes on sending before it answers 202.
    pub inline_time: Duration,
    /// Which rows the sweep closes.
    pub sweep_scope: SweepScope,
    /// Which new contacts are invited unasked, as an `OData` filter.
    pub auto_invite_filter: Option<String>,
    /// How many days before an expiry a reminder may go out; 0 for never.
    pub remind_days_before: u32,
    /// Who gets the daily digest; nobody where it is empty.
    pub digest_to: Vec<String>,
    /// How long finished journals are kept.
    pub keep: Duration,
    /// How long after a letter no request without an Idempotency-Key sends another one.
    pub cooldown: Duration,
}

/// Everything a use case works with; one for the process.
#[derive(Debug)]
pub struct Parts {
    /// What this deployment may and should do.
    pub policy: Policy,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub chance: Chance,
    /// The rows.
    pub dataverse: Dataverse,
    /// The mailboxes.
    pub graph: Graph,
    /// The site, as a visitor sees it.
    pub portal: Visitor,
    /// The journals.
    pub store: Store,
    /// The templates.
    pub templates: Templates,
    /// The pace of each sender mailbox.
    pub mailboxes: Mailboxes,
}

/// The use cases.
#[derive(Clone, Debug)]
pub struct Service(Arc<Parts>);

impl Service {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}
