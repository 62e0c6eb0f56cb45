//! Owns the pace of each sender mailbox: one chunk at a time, and so many letters in any 60 seconds.
//!
//! Exchange Online takes 30 messages a minute from a mailbox and defers the rest.
//! <https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>
//! A slot counts as used from the moment it is reserved until 60 seconds after the letter was surely handed over,
//! so that a slow answer can never let more than the rate through. Waiting workers get their turns in order,
//! which keeps a small batch from being stuck behind a huge one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

const WINDOW: Duration = Duration::from_mins(1);

/// Every sender mailbox this process has used.
#[derive(Debug)]
pub struct Mailboxes {
    clock: Clock,
    letters_a_window: usize,
    by_address: Mutex<BTreeMap<String, Arc<Mailbox>>>,
}

#[derive(Debug)]
struct Mailbox {
    turn: Arc<Semaphore>,
    handed_over: Mutex<VecDeque<Instant>>,
}

/// The turn at one mailbox; the next worker's turn comes when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    clock: Clock,
    letters_a_window: usize,
    mailbox: Arc<Mailbox>,
    _permit: OwnedSemaphorePermit,
}

impl Mailboxes {
    /// Paces each mailbox at `letters_a_minute`.
    pub fn new(clock: Clock, letters_a_minute: u32) -> Self {
        Self {
            clock,
            letters_a_window: usize::try_from(letters_a_minute).unwrap_or(usize::MAX),
            by_address: Mutex::default(),
        }
    }

    /// The most letters a mailbox sends in a minute.
    pub(super) fn letters_a_minute(&self) -> usize {
        self.letters_a_window
    }

    /// Whether a mailbox may send a letter before so much time is over.
    pub(super) fn has_room(&self, address: &str, within: Duration) -> bool {
        let mailbox = self.mailbox(address);
        let window = mailbox
            .handed_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let first = window.len().checked_sub(self.letters_a_window);
        let first = first.and_then(|place| window.get(place));
        first.is_none_or(|at| *at + WINDOW < self.clock.instant() + within)
    }

    /// Waits for the turn at a mailbox, in the order of asking.
    pub(super) async fn turn(&self, address: &str, budget: &Budget) -> Result<Turn, RemoteError> {
        let mailbox = self.mailbox(address);
        let waiting = Arc::clone(&mailbox.turn).acquire_owned();
        let permit = tokio::time::timeout(budget.left(), waiting).await;
        let permit = permit
            .ok()
            .and_then(Result::ok)
            .ok_or(RemoteError::OutOfTime)?;
        Ok(Turn {
            clock: self.clock.clone(),
            letters_a_window: self.letters_a_window,
            mailbox,
            _permit: permit,
        })
    }

    fn mailbox(&self, address: &str) -> Arc<Mailbox> {
        let mut mailboxes = self
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mailbox = mailboxes.entry(address.to_lowercase()).or_insert_with(|| {
            Arc::new(Mailbox {
                turn: Arc::new(Semaphore::new(1)),
                handed_over: Mutex::default(),
            })
        });
        Arc::clone(mailbox)
    }
}

impl Turn {
    /// Waits until the mailbox may send, and says how many letters it may.
    pub(super) async fn free(&self, budget: &Budget) -> Result<usize, RemoteError> {
        loop {
            match self.room() {
                Ok(free) => return Ok(free),
                Err(wait) => budget.wait(wait).await?,
            }
        }
    }

    /// Notes letters that were handed over by now, or may have been.
    pub(super) fn handed_over(&self, letters: usize) {
        let now = self.clock.instant();
        let mut window = self
            .mailbox
            .handed_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        window.extend(std::iter::repeat_n(now, letters));
    }

    /// How many letters may go now; or, when none, how long until one may.
    fn room(&self) -> Result<usize, Duration> {
        let now = self.clock.instant();
        let mut window = self
            .mailbox
            .handed_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while window
            .front()
            .is_some_and(|at| now.duration_since(*at) > WINDOW)
        {
            window.pop_front();
        }
        match self.letters_a_window.saturating_sub(window.len()) {
            0 => {
                let oldest = window.front().copied().unwrap_or(now);
                Err((oldest + WINDOW + Duration::from_millis(1)).saturating_duration_since(now))
            }
            free => Ok(free),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn no_sixty_seconds_see_more_letters_than_the_rate() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let mailboxes = Mailboxes::new(clock.clone(), 30);
        let budget = Budget::within(&clock, Duration::from_hours(1));
        let mut sent: Vec<Instant> = Vec::new();
        while sent.len() < 200 {
            let turn = mailboxes.turn("a@example.com", &budget).await.unwrap();
            let chunk = turn.free(&budget).await.unwrap().min(20);
            tokio::time::advance(Duration::from_secs(sent.len() as u64 % 7)).await;
            sent.extend(std::iter::repeat_n(clock.instant(), chunk));
            turn.handed_over(chunk);
        }
        for (place, first) in sent.iter().enumerate() {
            let within = sent[place..]
                .iter()
                .take_while(|at| at.duration_since(*first) <= WINDOW)
                .count();
            assert!(within <= 30, "{within} letters in 60 s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_mailbox_is_one_worker_s_at_a_time_however_its_address_is_written() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let mailboxes = Mailboxes::new(clock.clone(), 30);
        let budget = || Budget::within(&clock, Duration::from_secs(1));
        let turn = mailboxes.turn("a@example.com", &budget()).await.unwrap();
        let other = mailboxes.turn("b@example.com", &budget()).await;
        assert!(other.is_ok(), "mailboxes do not wait for each other");
        let second = mailboxes.turn("A@Example.com", &budget()).await;
        assert!(matches!(second, Err(RemoteError::OutOfTime)));
        drop(turn);
        assert!(mailboxes.turn("a@example.com", &budget()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn turns_come_in_the_order_of_asking() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let mailboxes = Arc::new(Mailboxes::new(clock.clone(), 30));
        let budget = Budget::within(&clock, Duration::from_hours(1));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut workers = Vec::new();
        for worker in 0..3 {
            let (mailboxes, budget, order) =
                (Arc::clone(&mailboxes), budget.clone(), Arc::clone(&order));
            workers.push(tokio::spawn(async move {
                for _ in 0..2 {
                    let turn = mailboxes.turn("A@example.com", &budget).await.unwrap();
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    order.lock().unwrap().push(worker);
                    drop(turn);
                }
            }));
            tokio::task::yield_now().await;
        }
        futures::future::join_all(workers).await;
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 0, 1, 2]);
    }
}
