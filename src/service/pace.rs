//! Owns the pace of each sender mailbox: one chunk at a time, and so many letters in any 60 seconds.
//!
//! Exchange Online takes 30 messages a minute from a mailbox and defers the rest.
//! <https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>
//! A slot counts as used from the moment it is reserved until 60 seconds after the letter was surely handed over,
//! so that a slow answer can never let more than the rate through. Waiting workers get their turns in order,
//! which keeps a small batch from being stuck behind a huge one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

const WINDOW: Duration = Duration::from_mins(1);

/// A slot is used for this long: the window, and the least that a clock can tell apart from it.
const USED: Duration = WINDOW.saturating_add(Duration::from_millis(1));

/// How long before a slot comes free the letters for it are begun: the reading, the drafts, all that is not the sending.
/// No longer, since what was read then may change until they leave.
const LEAD: Duration = Duration::from_secs(4);

/// Slots that come free so soon after the first one are waited for, so that their letters share its requests.
const GATHERING: Duration = Duration::from_secs(3);

/// In how many handovers the letters of a full window leave. A slot is used until a minute after the last moment at which
/// its letter may have been taken, so whatever a handover takes comes on top of that minute.
const HANDOVERS: usize = 5;

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

    /// The most letters that are handed over together.
    pub(super) fn letters_a_handover(&self) -> usize {
        self.letters_a_window.div_ceil(HANDOVERS)
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
        self.room_for(1, budget).await?;
        Ok(self.free_within(Duration::ZERO))
    }

    /// Waits until the mailbox may send so many letters.
    pub(super) async fn room_for(
        &self,
        letters: usize,
        budget: &Budget,
    ) -> Result<(), RemoteError> {
        loop {
            match self.wait_for(letters) {
                Duration::ZERO => return Ok(()),
                wait => budget.wait(wait).await?,
            }
        }
    }

    /// Waits until it is time to begin letters, and says how many: those that may go by now or in a moment.
    ///
    /// # Errors
    ///
    /// [`RemoteError::OutOfTime`] at once, where none may go before the time is over.
    pub(super) async fn soon(&self, budget: &Budget) -> Result<usize, RemoteError> {
        let wait = self.wait_for(1);
        if wait >= budget.left() {
            return Err(RemoteError::OutOfTime);
        }
        budget.wait(wait.saturating_sub(LEAD)).await?;
        Ok(self.free_within(budget.left().min(LEAD + GATHERING)))
    }

    /// Notes letters that were handed over by now, or may have been.
    pub(super) fn handed_over(&self, letters: usize) {
        let now = self.clock.instant();
        self.window().extend(std::iter::repeat_n(now, letters));
    }

    /// How many letters may go once so much time is over.
    fn free_within(&self, time: Duration) -> usize {
        let then = self.clock.instant() + time;
        let window = self.window();
        let used = window.iter().filter(|at| **at + USED > then).count();
        self.letters_a_window.saturating_sub(used)
    }

    /// How long it is until so many letters may go.
    fn wait_for(&self, letters: usize) -> Duration {
        let now = self.clock.instant();
        let mut window = self.window();
        while window.front().is_some_and(|at| *at + USED <= now) {
            window.pop_front();
        }
        let over = (window.len() + letters).saturating_sub(self.letters_a_window);
        let last = over.checked_sub(1).and_then(|place| window.get(place));
        last.map_or(Duration::ZERO, |at| (*at + USED).duration_since(now))
    }

    fn window(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        let window = self.mailbox.handed_over.lock();
        window.unwrap_or_else(PoisonError::into_inner)
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
    async fn letters_are_begun_a_moment_before_they_may_leave_and_only_where_they_may_in_time() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let mailboxes = Mailboxes::new(clock.clone(), 30);
        let within = |seconds| Budget::within(&clock, Duration::from_secs(seconds));
        let turn = mailboxes.turn("a@example.com", &within(1)).await.unwrap();
        assert_eq!(turn.soon(&within(1)).await.unwrap(), 30);
        turn.handed_over(20);
        tokio::time::advance(Duration::from_secs(2)).await;
        turn.handed_over(10);
        let begun = clock.instant();
        let too_soon = turn.soon(&within(58)).await;
        assert!(matches!(too_soon, Err(RemoteError::OutOfTime)));
        assert_eq!(clock.instant(), begun, "nobody waits in vain");
        assert_eq!(
            turn.soon(&within(59)).await.unwrap(),
            20,
            "the others come too late"
        );
        let waited = clock.instant().duration_since(begun);
        assert_eq!(waited + LEAD + Duration::from_secs(2), USED);
        assert_eq!(
            turn.soon(&within(9)).await.unwrap(),
            30,
            "they come together"
        );
        turn.room_for(20, &within(9)).await.unwrap();
        turn.room_for(30, &within(9)).await.unwrap();
        assert_eq!(clock.instant().duration_since(begun), USED);
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
