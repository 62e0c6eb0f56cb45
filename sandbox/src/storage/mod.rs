//! Azure Blob Storage, as far as an app keeps journals in it: append blobs, small block blobs, leases, listings.
//!
//! [`Storage`] is the handle that tests hold: it shows what is stored. `request` takes requests apart, `blob` and
//! `lease` hold the rules of one blob, `list` writes listings, `server` is the front door. One account, which
//! is the root of the address; leases run by the sandbox's clock.

mod blob;
mod lease;
mod list;
mod refusal;
mod request;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use http::StatusCode;
use http::header::HeaderName;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::clock::Clock;
use crate::identity::TokenCheck;
use blob::Blob;
use lease::Action;
use refusal::Refusal;
use request::{Operation, Request};
use server::{etag, headers_of, part_of, status, version_of};

type Blobs = BTreeMap<String, Blob>;

#[derive(Default)]
struct Inner {
    containers: BTreeMap<String, Blobs>,
    writes: u64,
    token_check: Option<TokenCheck>,
}

/// Blob Storage; clones share the same blobs.
#[derive(Clone)]
pub struct Storage {
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

/// A successful answer.
struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Storage {
    /// An account without containers.
    pub fn new(clock: Clock) -> Self {
        let inner = Arc::default();
        Self { clock, inner }
    }

    /// Accepts only tokens that pass this check; until it is set, every bearer token passes.
    pub fn set_token_check(&self, check: TokenCheck) {
        self.inner.lock().token_check = Some(check);
    }

    /// The names of the blobs in a container, in order.
    pub fn names(&self, container: &str) -> Vec<String> {
        let inner = self.inner.lock();
        let blobs = inner.containers.get(container);
        blobs.map_or_else(Vec::new, |blobs| blobs.keys().cloned().collect())
    }

    /// What a blob holds.
    pub fn content(&self, container: &str, blob: &str) -> Option<Vec<u8>> {
        let inner = self.inner.lock();
        let blob = inner.containers.get(container)?.get(blob)?;
        Some(blob.bytes.clone())
    }

    /// Writes a block blob, as somebody with a tool for storage accounts does; makes the container where it is missing.
    pub fn put(&self, container: &str, blob: &str, bytes: &[u8]) {
        let mut inner = self.inner.lock();
        inner.writes += 1;
        let new = Blob::new(bytes.to_vec(), false, inner.writes, self.clock.now());
        let blobs = inner.containers.entry(container.to_owned()).or_default();
        blobs.insert(blob.to_owned(), new);
    }

    /// Removes a blob; one that is not there is gone already.
    pub fn remove(&self, container: &str, blob: &str) {
        let mut inner = self.inner.lock();
        if let Some(blobs) = inner.containers.get_mut(container) {
            blobs.remove(blob);
        }
    }

    /// Makes every blob this much older; leases run on.
    pub fn age(&self, by: SignedDuration) {
        let mut inner = self.inner.lock();
        for blob in inner.containers.values_mut().flat_map(BTreeMap::values_mut) {
            blob.modified = blob.modified.saturating_sub(by).unwrap_or(Timestamp::MIN);
        }
    }

    pub(crate) fn router(&self) -> axum::Router {
        server::router(self.clone())
    }

    fn check_token(&self, token: Option<&str>) -> Result<(), Refusal> {
        let check = self.inner.lock().token_check.clone();
        match token {
            Some(token) if check.is_none_or(|check| check(token)) => Ok(()),
            None => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "NoAuthenticationInformation",
            )),
            Some(_) => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "InvalidAuthenticationInfo",
            )),
        }
    }

    fn perform(&self, request: Request) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        let inner = &mut *self.inner.lock();
        inner.writes += 1;
        let version = (inner.writes, now);
        if let Operation::CreateContainer = request.operation {
            return inner.create_container(request.container);
        }
        let blobs = inner.containers.get_mut(&request.container);
        let blobs = blobs.ok_or_else(|| Refusal::not_found("ContainerNotFound"))?;
        match request.operation {
            Operation::CreateContainer => Ok(status(StatusCode::CREATED)),
            Operation::List {
                prefix,
                marker,
                most,
            } => Ok(list::list(blobs, &prefix, marker.as_deref(), most)),
            Operation::PutBlock(ref bytes) => put(blobs, &request, bytes.to_vec(), false, version),
            Operation::PutAppend => put(blobs, &request, Vec::new(), true, version),
            _ => {
                let blob = request.blob.clone();
                let Entry::Occupied(blob) = blobs.entry(blob) else {
                    return Err(Refusal::not_found("BlobNotFound"));
                };
                on_blob(blob, request, version)
            }
        }
    }
}

impl Inner {
    fn create_container(&mut self, name: String) -> Result<Answer, Refusal> {
        match self.containers.entry(name) {
            Entry::Occupied(_) => Err(Refusal::conflict("ContainerAlreadyExists")),
            Entry::Vacant(place) => {
                place.insert(Blobs::new());
                Ok(status(StatusCode::CREATED))
            }
        }
    }
}

fn put(
    blobs: &mut Blobs,
    request: &Request,
    bytes: Vec<u8>,
    append: bool,
    (etag, now): (u64, Timestamp),
) -> Result<Answer, Refusal> {
    let mut blob = Blob::new(bytes, append, etag, now);
    if let Some(old) = blobs.get(&request.blob) {
        if request.only_new {
            return Err(Refusal::conflict("BlobAlreadyExists"));
        }
        old.lease.admit_write(request.lease.as_deref(), now)?;
        blob.lease = old.lease.clone();
        blob.lease.written(now);
    }
    let headers = version_of(&blob);
    blobs.insert(request.blob.clone(), blob);
    Ok(Answer {
        headers,
        ..status(StatusCode::CREATED)
    })
}

type Occupied<'a> = std::collections::btree_map::OccupiedEntry<'a, String, Blob>;

fn on_blob(
    mut entry: Occupied<'_>,
    request: Request,
    version: (u64, Timestamp),
) -> Result<Answer, Refusal> {
    let (now, lease) = (version.1, request.lease.as_deref());
    let blob = entry.get_mut();
    match request.operation {
        Operation::Append { block, at } => {
            blob.lease.admit_write(lease, now)?;
            let offset = blob.append(&block, at, version)?;
            let mut headers = version_of(blob);
            let name = HeaderName::from_static("x-ms-blob-append-offset");
            headers.push((name, offset.to_string()));
            Ok(Answer {
                headers,
                ..status(StatusCode::CREATED)
            })
        }
        Operation::Delete => {
            blob.lease.admit_write(lease, now)?;
            entry.remove();
            Ok(status(StatusCode::ACCEPTED))
        }
        Operation::Lease(action) => lease_blob(blob, action, now),
        _ if lease.is_some() => Err(Refusal::unknown("reading under a lease")),
        Operation::Get { from, to } => get(blob, from, to, now),
        _ => Ok(Answer {
            headers: with_length(headers_of(blob, now), blob.bytes.len()),
            ..status(StatusCode::OK)
        }),
    }
}

fn lease_blob(blob: &mut Blob, action: Action, now: Timestamp) -> Result<Answer, Refusal> {
    let (answer, id) = match &action {
        Action::Acquire { id, .. } => (StatusCode::CREATED, Some(id.clone())),
        Action::Renew(id) => (StatusCode::OK, Some(id.clone())),
        Action::Release(_) => (StatusCode::OK, None),
        Action::Break(_) => (StatusCode::ACCEPTED, None),
    };
    let left = blob.lease.act(action, now)?;
    let mut headers = version_of(blob);
    headers.extend(id.map(|id| (HeaderName::from_static("x-ms-lease-id"), id)));
    if answer == StatusCode::ACCEPTED {
        let name = HeaderName::from_static("x-ms-lease-time");
        headers.push((name, left.to_string()));
    }
    Ok(Answer {
        headers,
        ..status(answer)
    })
}

fn get(blob: &Blob, from: Option<u64>, to: Option<u64>, now: Timestamp) -> Result<Answer, Refusal> {
    let mut headers = headers_of(blob, now);
    let Some(from) = from else {
        let body = blob.bytes.clone();
        return Ok(Answer {
            headers,
            body,
            ..status(StatusCode::OK)
        });
    };
    let body = blob.range(from, to)?.to_vec();
    headers.push(part_of(blob, from, body.len()));
    Ok(Answer {
        headers,
        body,
        ..status(StatusCode::PARTIAL_CONTENT)
    })
}

fn with_length(mut headers: Vec<(HeaderName, String)>, length: usize) -> Vec<(HeaderName, String)> {
    headers.push((http::header::CONTENT_LENGTH, length.to_string()));
    headers
}
