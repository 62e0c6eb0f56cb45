//! What went over the wire, kept in memory for tests and for the page that shows it.
//!
//! Headers are not kept, so no bearer token is; paths and queries are kept as they came.

use std::sync::Arc;

use http::Method;
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::faults::Service;

/// One request and how it ended.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it arrived.
    pub at: Timestamp,
    /// The service it was for.
    pub service: Service,
    /// Its method.
    pub method: Method,
    /// Its path and query, still percent-encoded.
    pub path: String,
    /// Length of its body, in bytes.
    pub request_bytes: usize,
    /// Status of the answer; `None` where the connection broke instead.
    pub status: Option<u16>,
    /// How many operations a `$batch` held; 0 for any other request.
    pub operations: usize,
}

/// How many operations a `$batch` held: a service leaves it among the extensions of its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operations(pub(crate) usize);

/// A shared log of requests in the order in which they ended; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Mutex<Vec<Entry>>>);

impl Traffic {
    /// Every request so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().clone()
    }

    /// How many requests `service` got, broken connections included.
    pub fn count(&self, service: Service) -> usize {
        let entries = self.0.lock();
        entries.iter().filter(|e| e.service == service).count()
    }

    /// Forgets every request.
    pub fn clear(&self) {
        self.0.lock().clear();
    }

    pub(crate) fn record(&self, entry: Entry) {
        self.0.lock().push(entry);
    }
}
