//! Webhooks: steps that tell a web service of rows that were made or changed, after the write and beside it.
//!
//! One call an event, 60 seconds each, one more after 502, 503 and 504; nothing of an answer is read but its status.
//! What a changeset takes back is never told.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks>

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use url::Url;
use uuid::Uuid;

use super::payload::Changes;
use super::schema::Entity;
use super::state::State;
use super::store::Cells;
use super::webhook_payload::{self, Payload};
use super::{Dataverse, Shared};
use crate::host::client::client;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Calls under way at once; nothing documents how many.
const AT_ONCE: usize = 32;

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// It was made.
    Create,
    /// It was changed.
    Update,
}

/// An asynchronous step on a table, and where it tells of an event.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where to.
    pub url: Url,
    /// Headers that prove who calls (`HttpHeader` authentication).
    pub headers: Vec<(String, String)>,
    /// Logical name of the table.
    pub table: &'static str,
    /// What it tells of.
    pub messages: Vec<Message>,
    /// An update counts only if it sets one of these columns; none means any.
    pub filtering_attributes: Vec<&'static str>,
}

/// An event that a step told of, as the row of `asyncoperation` would show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The row.
    pub id: Uuid,
    /// What happened to it.
    pub message: Message,
    /// The body was too large, and was sent without what makes it so.
    pub oversized: bool,
    /// The status of each try; `None` where there was no answer.
    pub tries: Vec<Option<u16>>,
}

impl Delivery {
    /// Whether the service took it in the end.
    pub fn succeeded(&self) -> bool {
        matches!(self.tries.last(), Some(Some(200..=299)))
    }
}

/// The steps of an environment and what they have to tell.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    steps: Vec<Webhook>,
    outbox: Vec<(Webhook, Payload)>,
    deliveries: Vec<Delivery>,
    outstanding: usize,
    wake: Arc<Notify>,
}

impl Webhooks {
    /// How much there is to tell, before a transaction.
    pub(crate) fn mark(&self) -> usize {
        self.outbox.len()
    }

    /// Forgets what a transaction did that is taken back.
    pub(crate) fn roll_back(&mut self, mark: usize) {
        self.outbox.truncate(mark);
    }
}

impl State {
    /// Notes what is to be told of a write that was just made.
    pub(crate) fn announce(
        &mut self,
        entity: Entity,
        id: Uuid,
        message: Message,
        changes: &Changes,
    ) {
        let concerns = |step: &&Webhook| {
            let filter = &step.filtering_attributes;
            let counts = message == Message::Create
                || filter.is_empty()
                || filter.iter().any(|column| changes.contains_key(column));
            step.table == entity.table.logical && step.messages.contains(&message) && counts
        };
        let steps: Vec<_> = self
            .webhooks
            .steps
            .iter()
            .filter(concerns)
            .cloned()
            .collect();
        for step in steps {
            let payload = webhook_payload::write(self, entity, id, message, changes);
            self.webhooks.outbox.push((step, payload));
            self.webhooks.wake.notify_one();
        }
    }
}

impl Dataverse {
    /// Registers a step; must be called inside a runtime, which then carries the calls.
    ///
    /// # Panics
    /// If no HTTP client can be made.
    pub fn register_webhook(&self, webhook: Webhook) {
        let mut state = self.state();
        state.webhooks.steps.push(webhook);
        if state.webhooks.steps.len() == 1 {
            let client = client().unwrap_or_else(|error| panic!("no HTTP client: {error}"));
            let wake = Arc::clone(&state.webhooks.wake);
            tokio::spawn(tell(Arc::downgrade(&self.shared), wake, client));
        }
    }

    /// What was told so far, in the order in which it ended.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().webhooks.deliveries.clone()
    }

    /// How many events are still to be told, or being told.
    pub fn untold(&self) -> usize {
        let state = self.state();
        state.webhooks.outbox.len() + state.webhooks.outstanding
    }
}

/// What a step is told of a new row: what was given, and what the table adds by itself.
pub(crate) fn told(defaults: &Cells, changes: &Changes) -> Changes {
    let given = changes.clone().into_iter();
    let defaults = defaults.clone().into_iter();
    defaults
        .map(|(column, cell)| (column, Some(cell)))
        .chain(given)
        .collect()
}

/// Tells of events as they come, for as long as the environment is there.
async fn tell(environment: Weak<Shared>, wake: Arc<Notify>, client: reqwest::Client) {
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        wake.notified().await;
        let Some(shared) = environment.upgrade() else {
            return;
        };
        let mut state = shared.state.lock();
        let events = std::mem::take(&mut state.webhooks.outbox);
        state.webhooks.outstanding += events.len();
        drop(state);
        for (step, payload) in events {
            let (environment, client) = (environment.clone(), client.clone());
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                let _turn = gate.acquire().await;
                let delivery = deliver(&client, &step, payload).await;
                if let Some(shared) = environment.upgrade() {
                    let webhooks = &mut shared.state.lock().webhooks;
                    webhooks.outstanding -= 1;
                    webhooks.deliveries.push(delivery);
                }
            });
        }
    }
}

async fn deliver(client: &reqwest::Client, step: &Webhook, payload: Payload) -> Delivery {
    let mut tries = vec![call(client, step, &payload).await];
    if matches!(tries[0], Some(502..=504)) {
        tries.push(call(client, step, &payload).await);
    }
    if !matches!(tries.last(), Some(Some(200..=299))) {
        tracing::warn!(id = %payload.id, ?tries, "a webhook failed");
    }
    Delivery {
        id: payload.id,
        message: payload.message,
        oversized: payload.oversized,
        tries,
    }
}

async fn call(client: &reqwest::Client, step: &Webhook, payload: &Payload) -> Option<u16> {
    let mut request = client.post(step.url.clone()).timeout(TIMEOUT);
    for (name, value) in payload.headers.iter().chain(&step.headers) {
        request = request.header(name, value);
    }
    let answer = request.body(payload.body.clone()).send().await.ok()?;
    Some(answer.status().as_u16())
}
