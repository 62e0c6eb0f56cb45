//! Owns how long a piece of work may go on, and whether it may still touch anything.
//!
//! Azure Functions kills the process of a function that overstays, and another worker takes over a batch whose
//! lease has run out. So every try of a call asks its [`Budget`] first; nothing is cancelled in the middle.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::RemoteError;
use crate::clock::{Clock, Mark};

/// A renewal older than this no longer proves that the lease (60 s) is ours.
const LEASE_TRUST: Duration = Duration::from_secs(40);

/// A call with effect under a lease ends this soon, well before the lease could.
pub const EFFECT_TIMEOUT: Duration = Duration::from_secs(15);

/// When a lease was last renewed; shared between the renewer and the workers.
#[derive(Clone, Debug)]
pub struct Tenure {
    clock: Clock,
    renewed: Arc<Mutex<Option<Mark>>>,
}

impl Tenure {
    /// A lease taken just now.
    pub fn begin(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            renewed: Arc::new(Mutex::new(Some(clock.mark()))),
        }
    }

    /// Notes that the lease was renewed by a request that left at `mark`; a lease that was lost stays lost.
    pub fn renew(&self, mark: Mark) {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        *renewed = renewed.map(|_| mark);
    }

    /// Notes that the lease is gone, for good.
    pub fn lose(&self) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether somebody noted that the lease is gone.
    pub fn lost(&self) -> bool {
        let renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.is_none()
    }

    /// Whether the lease is surely ours.
    pub fn holds(&self) -> bool {
        let renewed = *self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.is_some_and(|mark| mark.elapsed(&self.clock) < LEASE_TRUST)
    }
}

/// The time given to a piece of work and the lease it works under.
#[derive(Clone, Debug)]
pub struct Budget {
    clock: Clock,
    /// No wait goes beyond this.
    patience: Instant,
    /// No try begins after this.
    deadline: Instant,
    tenure: Option<Tenure>,
}

impl Budget {
    /// Work that must end within `time` from now, under no lease.
    pub fn within(clock: &Clock, time: Duration) -> Self {
        let deadline = clock.instant() + time;
        Self {
            clock: clock.clone(),
            patience: deadline,
            deadline,
            tenure: None,
        }
    }

    /// The same, with more time for calls and no more for waits: what was begun can be brought to its end.
    #[must_use]
    pub fn with_slack(mut self, slack: Duration) -> Self {
        self.deadline += slack;
        self
    }

    /// The same, under a lease.
    #[must_use]
    pub fn under(mut self, tenure: Tenure) -> Self {
        self.tenure = Some(tenure);
        self
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.deadline
            .saturating_duration_since(self.clock.instant())
    }

    /// Asks before a try: is there time, and, for a call with effect, is the lease surely ours?
    pub fn permit(&self, effect: bool) -> Result<(), RemoteError> {
        if self.left().is_zero() {
            return Err(RemoteError::OutOfTime);
        }
        match &self.tenure {
            Some(tenure) if effect && !tenure.holds() => Err(RemoteError::LeaseLost),
            _ => Ok(()),
        }
    }

    /// How long one try may take.
    pub fn try_timeout(&self, effect: bool, usual: Duration) -> Duration {
        let capped = if effect && self.tenure.is_some() {
            usual.min(EFFECT_TIMEOUT)
        } else {
            usual
        };
        capped.min(self.left())
    }

    /// Waits, unless the wait would pass the deadline.
    ///
    /// # Errors
    ///
    /// [`RemoteError::OutOfTime`] at once, so that the rest of the time can be given back.
    pub async fn wait(&self, time: Duration) -> Result<(), RemoteError> {
        let left = self
            .patience
            .saturating_duration_since(self.clock.instant());
        if time >= left {
            return Err(RemoteError::OutOfTime);
        }
        tokio::time::sleep(time).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_trusted_for_forty_seconds_by_either_clock() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let tenure = Tenure::begin(&clock);
        let budget = Budget::within(&clock, Duration::from_mins(10)).under(tenure.clone());
        tokio::time::advance(Duration::from_secs(39)).await;
        assert!(budget.permit(true).is_ok());
        clock.skew(2);
        assert!(matches!(budget.permit(true), Err(RemoteError::LeaseLost)));
        assert!(budget.permit(false).is_ok(), "reading needs no lease");
        tenure.renew(clock.mark());
        assert!(budget.permit(true).is_ok());
        tenure.lose();
        assert!(matches!(budget.permit(true), Err(RemoteError::LeaseLost)));
        tenure.renew(clock.mark());
        assert!(tenure.lost() && !tenure.holds(), "what is lost stays lost");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_with_effect_ends_well_before_the_lease_it_is_made_under() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let usual = Duration::from_mins(2);
        let free = Budget::within(&clock, Duration::from_mins(10));
        assert_eq!(free.try_timeout(true, usual), usual);
        let leased = free.under(Tenure::begin(&clock));
        assert_eq!(leased.try_timeout(true, usual), EFFECT_TIMEOUT);
        assert_eq!(leased.try_timeout(false, usual), usual);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_past_the_deadline_is_given_back_at_once() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let budget = Budget::within(&clock, Duration::from_secs(10));
        assert!(budget.wait(Duration::from_secs(9)).await.is_ok());
        assert!(matches!(
            budget.wait(Duration::from_secs(2)).await,
            Err(RemoteError::OutOfTime)
        ));
        assert_eq!(
            budget.left().as_secs(),
            1,
            "no time was spent on a wait that cannot end"
        );
    }
}
