//! Microsoft Graph mail, as far as an app that writes letters uses it, and the mailboxes behind it.
//!
//! [`Graph`] is the handle that tests hold: it shows what was sent and sets how mailboxes behave. The
//! modules below know one thing each; `routes` joins them. Mailboxes, ids and the order of answers follow
//! from the seed.

mod batch;
mod filter;
mod input;
mod letter;
mod limits;
mod mailbox;
mod message;
mod operation;
mod overview;
mod routes;
mod rules;
mod sending;
mod server;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use jiff::SignedDuration;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

pub use letter::Letter;
pub use overview::{Fate, Place, Seen};
pub use rules::{Rate, Rules, SecondSend, State};

use crate::clock::Clock;
use crate::faults::Faults;
use crate::identity::TokenCheck;
use crate::latency::{GraphTimes, Spread};
use mailbox::Mailbox;
use message::{Folder, seconds};
use operation::{Answer, Operation, Refusal};

struct Inner {
    mailboxes: BTreeMap<String, Mailbox>,
    rules: Rules,
    times: Option<(GraphTimes, Spread)>,
    token_check: Option<TokenCheck>,
    chance: fastrand::Rng,
}

/// Microsoft Graph; clones share the same mailboxes.
#[derive(Clone)]
pub struct Graph {
    clock: Clock,
    faults: Faults,
    inner: Arc<Mutex<Inner>>,
}

impl Graph {
    /// Graph with an empty mailbox for each of `senders`; `faults` strike inside batches.
    pub fn new(clock: Clock, seed: u64, senders: &[String], faults: Faults) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mailboxes = senders
            .iter()
            .map(|address| (address.to_lowercase(), Mailbox::new(address, chance.fork())));
        let mailboxes = mailboxes.collect();
        let inner = Inner {
            mailboxes,
            rules: Rules::default(),
            times: None,
            token_check: None,
            chance,
        };
        Self {
            clock,
            faults,
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// Changes the rules of every mailbox from now on.
    pub fn configure(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.inner.lock().rules);
    }

    /// Sets how long each operation takes, and counts as in flight; until it is set, none takes any time.
    pub fn take_time(&self, times: GraphTimes, spread: Spread) {
        self.inner.lock().times = Some((times, spread));
    }

    /// Accepts only tokens that pass this check; until it is set, every bearer token passes.
    pub fn set_token_check(&self, check: TokenCheck) {
        self.inner.lock().token_check = Some(check);
    }

    /// Lets a mailbox work or fail; makes an empty one where there was none.
    pub fn mailbox_state(&self, address: &str, state: State) {
        let mut inner = self.inner.lock();
        let chance = inner.chance.fork();
        let mailbox = inner.mailboxes.entry(address.to_lowercase());
        let mailbox = mailbox.or_insert_with(|| Mailbox::new(address, chance));
        mailbox.state = state;
        mailbox.next_change();
    }

    /// Every letter that reached its recipients by now, in order of delivery.
    pub fn letters(&self) -> Vec<Letter> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let mut letters = Vec::new();
        for mailbox in inner.mailboxes.values_mut() {
            mailbox.settle(now);
            letters.extend_from_slice(&mailbox.delivered);
        }
        letters.sort_by_key(|letter| letter.sent_at);
        letters
    }

    /// Recipients and subject of each letter that came to be delivered after the first `seen` ones of its mailbox, which are
    /// then seen too.
    pub(crate) fn news(&self, seen: &mut BTreeMap<String, usize>) -> Vec<(Vec<String>, String)> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let mut news = Vec::new();
        for (address, mailbox) in &mut inner.mailboxes {
            mailbox.settle(now);
            let seen = seen.entry(address.clone()).or_default();
            let letters = mailbox.delivered.iter().skip(*seen);
            news.extend(letters.map(|letter| (letter.to.clone(), letter.subject.clone())));
            *seen = mailbox.delivered.len();
        }
        news
    }

    /// The messages in a mailbox's Drafts, oldest first.
    pub fn drafts(&self, mailbox: &str) -> Vec<Letter> {
        self.folder(mailbox, Folder::Drafts)
    }

    /// The messages in a mailbox's Sent Items, oldest first.
    pub fn sent_items(&self, mailbox: &str) -> Vec<Letter> {
        self.folder(mailbox, Folder::SentItems)
    }

    /// The messages in a mailbox's Inbox, oldest first: reports of letters that could not be delivered.
    pub fn inbox(&self, mailbox: &str) -> Vec<Letter> {
        self.folder(mailbox, Folder::Inbox)
    }

    /// Lets an ordinary message from a person arrive.
    pub fn receive(&self, mailbox: &str, subject: &str) {
        let now = self.clock.now();
        if let Some(mailbox) = self.inner.lock().mailboxes.get_mut(&mailbox.to_lowercase()) {
            mailbox.receive(subject, now);
        }
    }

    /// Lets a non-delivery report arrive that names no letter of this mailbox.
    pub fn strange_report(&self, mailbox: &str) {
        let now = self.clock.now();
        if let Some(mailbox) = self.inner.lock().mailboxes.get_mut(&mailbox.to_lowercase()) {
            mailbox.strange_report(now);
        }
    }

    /// Takes a message out of its mailbox for good, as a person or a retention policy may; whether it
    /// was there. `message_id` is the immutable id.
    pub fn delete_message(&self, mailbox: &str, message_id: &str) -> bool {
        let mut inner = self.inner.lock();
        let mailbox = inner.mailboxes.get_mut(&mailbox.to_lowercase());
        mailbox.is_some_and(|mailbox| mailbox.erase(message_id))
    }

    /// The most operations that were in flight for a mailbox at once, refused ones included.
    pub fn max_in_flight(&self, mailbox: &str) -> usize {
        let inner = self.inner.lock();
        let mailbox = inner.mailboxes.get(&mailbox.to_lowercase());
        mailbox.map_or(0, |mailbox| mailbox.meter.max_in_flight())
    }

    /// The most letters that were handed to a mailbox in any 60 seconds, refused ones included.
    pub fn max_sent_in_60s(&self, mailbox: &str) -> usize {
        let inner = self.inner.lock();
        let mailbox = inner.mailboxes.get(&mailbox.to_lowercase());
        mailbox.map_or(0, |mailbox| mailbox.meter.max_submitted())
    }

    /// Makes every message, letter and count this much older.
    pub fn age(&self, by: SignedDuration) {
        let now = self.clock.now();
        for mailbox in self.inner.lock().mailboxes.values_mut() {
            mailbox.settle(now);
            mailbox.age(by);
        }
    }

    pub(crate) fn router(&self) -> axum::Router {
        server::router(self.clone())
    }

    fn folder(&self, mailbox: &str, folder: Folder) -> Vec<Letter> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let Some(mailbox) = inner.mailboxes.get_mut(&mailbox.to_lowercase()) else {
            return Vec::new();
        };
        mailbox.settle(now);
        mailbox.letters_in(folder)
    }

    fn check_token(&self, token: Option<&str>) -> Result<(), Refusal> {
        let check = self.inner.lock().token_check.clone();
        match token {
            Some(token) if check.is_none_or(|check| check(token)) => Ok(()),
            _ => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "InvalidAuthenticationToken",
                "Access token is empty, has expired or is not for this service.",
            )),
        }
    }

    /// Does one operation on a mailbox, within the limits of the mailbox.
    async fn perform(&self, operation: &Operation) -> Result<Answer, Refusal> {
        let key = match operation.path.as_slice() {
            [users, address, _, ..] if users == "users" => address.to_lowercase(),
            path => return Err(Refusal::unknown(format!("the address {}", path.join("/")))),
        };
        let _slot = self.enter(&key)?;
        match self.due(&key) {
            Some(moment) => sleep_until(moment).await,
            // Operations that came together are in flight together, even where they take no time.
            None => yield_now().await,
        }
        let now = self.clock.now();
        let inner = &mut *self.inner.lock();
        let mailbox = inner.mailboxes.get_mut(&key).ok_or_else(invalid_user)?;
        mailbox.settle(now);
        let answer = routes::apply(mailbox, operation, now, &inner.rules);
        mailbox.settle(now);
        answer
    }

    fn enter(&self, key: &str) -> Result<Slot, Refusal> {
        let now = self.clock.now();
        let inner = &mut *self.inner.lock();
        let mailbox = inner.mailboxes.get_mut(key).ok_or_else(invalid_user)?;
        mailbox.meter.enter(now, &inner.rules)?;
        Ok(Slot {
            inner: Arc::clone(&self.inner),
            key: key.to_owned(),
        })
    }

    /// When an operation that begins now is done: after its turn at the mailbox, and its own time.
    fn due(&self, key: &str) -> Option<Instant> {
        let inner = &mut *self.inner.lock();
        let (times, spread) = inner.times?;
        let own = spread.vary(times.operation, &mut inner.chance);
        let mailbox = inner.mailboxes.get_mut(key)?;
        Some(mailbox.meter.turn(Instant::now(), times.mailbox) + own)
    }

    fn shuffle(&self, responses: &mut [Value]) {
        self.inner.lock().chance.shuffle(responses);
    }

    /// The part of an error that names the request.
    fn inner_error(&self, client_request_id: Option<&str>) -> Value {
        let id = Uuid::from_u128(self.inner.lock().chance.u128(..)).to_string();
        let date = seconds(self.clock.now());
        json!({
            "date": date.trim_end_matches('Z'),
            "request-id": id,
            "client-request-id": client_request_id.unwrap_or(&id),
        })
    }
}

fn invalid_user() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "ErrorInvalidUser",
        "The requested user is invalid.",
    )
}

/// A place among the requests in flight; given back when dropped.
struct Slot {
    inner: Arc<Mutex<Inner>>,
    key: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(mailbox) = self.inner.lock().mailboxes.get_mut(&self.key) {
            mailbox.meter.leave();
        }
    }
}
