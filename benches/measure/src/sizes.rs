//! How much is measured: all of it, or so little that a test can run it.

use std::time::Duration;

/// How often and how large.
#[derive(Clone, Debug)]
pub(crate) struct Sizes {
    /// Starts, for a median.
    pub(crate) starts: usize,
    /// Invitations of one contact, one after another.
    pub(crate) singles: usize,
    /// Contacts of a batch.
    pub(crate) bulk: Vec<usize>,
    /// The flow is measured up to this; beyond, its figures are worked out.
    pub(crate) flow_bulk: usize,
    /// Contacts that the flow invites with latency.
    pub(crate) flow_patience: usize,
    /// Sender mailboxes of an instance.
    pub(crate) senders: Vec<usize>,
    /// Windows of a minute that each mailbox sends in.
    pub(crate) minutes: usize,
    /// Expired rows.
    pub(crate) sweep: Vec<usize>,
    /// Rows of the table, and how many of them one batch made.
    pub(crate) table: usize,
    pub(crate) batch: usize,
    /// How long callers keep calling.
    pub(crate) load: Duration,
}

impl Sizes {
    /// What is published.
    pub(crate) fn full() -> Self {
        Self {
            starts: 25,
            singles: 200,
            bulk: vec![100, 1_000, 2_000, 10_000, 20_000],
            flow_bulk: 2_000,
            flow_patience: 100,
            senders: vec![1, 4, 16, 64],
            minutes: 4,
            sweep: vec![1_000, 10_000, 100_000],
            table: 50_000,
            batch: 20_000,
            // Longer, and the flow would run out of contacts.
            load: Duration::from_secs(5),
        }
    }

    /// Enough to see that everything is measured.
    pub(crate) fn small() -> Self {
        Self {
            starts: 3,
            singles: 5,
            bulk: vec![20, 60],
            flow_bulk: 20,
            flow_patience: 3,
            senders: vec![1, 2],
            minutes: 1,
            sweep: vec![50, 300],
            table: 400,
            batch: 100,
            load: Duration::from_millis(500),
        }
    }
}
