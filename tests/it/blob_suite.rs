//! What a blob service answers to the requests that a store makes, and to those that come too late or twice.
//!
//! Asked of the sandbox in `blob.rs` and of Azurite in the `azurite` test binary: one that answers otherwise is
//! no stand-in for the other. <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api>

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use portal_invite::remote::http::{Outgoing, Reply, Transport};
use url::Url;

const MINE: &str = "00000000-0000-4000-8000-000000000001";
const OTHER: &str = "00000000-0000-4000-8000-000000000002";

/// A blob service, one container in it, and a token for it.
pub(crate) struct Service {
    pub(crate) transport: Transport,
    pub(crate) container: Url,
    pub(crate) token: String,
}

impl Service {
    pub(crate) async fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut url = self.container.clone();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !path.is_empty() {
            url.set_path(&format!("{}/{path}", url.path()));
        }
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let bearer = format!("Bearer {}", self.token);
        let length = body.len().to_string();
        let usual = [
            ("authorization", bearer.as_str()),
            ("x-ms-version", "2021-12-02"),
            ("content-length", &length),
        ];
        let header = |(name, value): &(&str, &str)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::try_from(*value).unwrap())
        };
        let outgoing = Outgoing {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            url,
            headers: usual.iter().chain(headers).map(header).collect(),
            body: Bytes::from(body.to_owned()),
        };
        let patience = Duration::from_secs(30);
        self.transport.exchange(outgoing, patience).await.unwrap()
    }

    /// Status, and the error code where there is one.
    async fn says(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> String {
        let reply = self.ask(method, target, headers, body).await;
        let code = reply.headers.get("x-ms-error-code");
        let code = code.map(|code| code.to_str().unwrap());
        let words = [Some(reply.status.as_str()), code];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    async fn lease(&self, action: &str, headers: &[(&str, &str)]) -> String {
        let action = [("x-ms-lease-action", action)];
        let headers: Vec<_> = action.iter().chain(headers).copied().collect();
        self.says("PUT", "open/1?comp=lease", &headers, "").await
    }

    async fn append(&self, at: &str, lease: Option<&str>, body: &str) -> String {
        let mut headers = vec![("x-ms-blob-condition-appendpos", at)];
        headers.extend(lease.map(|lease| ("x-ms-lease-id", lease)));
        self.says("PUT", "open/1?comp=appendblock", &headers, body)
            .await
    }
}

const BLOCK_BLOB: [(&str, &str); 2] = [("x-ms-blob-type", "BlockBlob"), ("if-none-match", "*")];
const APPEND_BLOB: [(&str, &str); 2] = [("x-ms-blob-type", "AppendBlob"), ("if-none-match", "*")];

pub(crate) async fn containers_and_blobs_are_made_once(service: &Service) {
    let put = |name: &'static str, kind| service.says("PUT", name, kind, "");
    assert_eq!(put("open/1", &APPEND_BLOB).await, "404 ContainerNotFound");
    let list = "?restype=container&comp=list";
    assert_eq!(
        service.says("GET", list, &[], "").await,
        "404 ContainerNotFound"
    );
    let container = "?restype=container";
    assert_eq!(put(container, &[]).await, "201");
    assert_eq!(put(container, &[]).await, "409 ContainerAlreadyExists");
    assert_eq!(put("open/1", &APPEND_BLOB).await, "201");
    assert_eq!(put("open/1", &APPEND_BLOB).await, "409 BlobAlreadyExists");
    assert_eq!(
        service.says("PUT", "keys/1", &BLOCK_BLOB, "key").await,
        "201"
    );
    let again = service.says("PUT", "keys/1", &BLOCK_BLOB, "other").await;
    assert_eq!(again, "409 BlobAlreadyExists");
    assert_eq!(service.ask("GET", "keys/1", &[], "").await.body, "key");
    assert_eq!(
        service.says("GET", "keys/2", &[], "").await,
        "404 BlobNotFound"
    );
    assert_eq!(service.says("DELETE", "keys/1", &[], "").await, "202");
    assert_eq!(
        service.says("DELETE", "keys/1", &[], "").await,
        "404 BlobNotFound"
    );
    let nobody = Service {
        transport: service.transport.clone(),
        container: service.container.clone(),
        token: "no token".to_owned(),
    };
    let refused = nobody.ask("GET", "open/1", &[], "").await.status;
    assert!(refused == 401 || refused == 403, "{refused}");
}

pub(crate) async fn a_lease_has_one_holder(service: &Service) {
    service.ask("PUT", "?restype=container", &[], "").await;
    let acquire = |id| {
        let headers = [
            ("x-ms-lease-duration", "60"),
            ("x-ms-proposed-lease-id", id),
        ];
        async move { service.lease("acquire", &headers).await }
    };
    let by = |action, id| {
        let headers = [("x-ms-lease-id", id)];
        async move { service.lease(action, &headers).await }
    };
    assert_eq!(acquire(MINE).await, "404 BlobNotFound");
    assert_eq!(service.says("PUT", "open/1", &APPEND_BLOB, "").await, "201");
    let mismatch = "409 LeaseIdMismatchWithLeaseOperation";
    assert_eq!(by("renew", MINE).await, mismatch);
    assert_eq!(acquire(MINE).await, "201");
    assert_eq!(acquire(MINE).await, "201");
    assert_eq!(acquire(OTHER).await, "409 LeaseAlreadyPresent");
    assert_eq!(by("renew", OTHER).await, mismatch);
    assert_eq!(by("renew", MINE).await, "200");
    let missing = service.says("DELETE", "open/1", &[], "").await;
    assert_eq!(missing, "412 LeaseIdMissing");
    let foreign = [("x-ms-lease-id", OTHER)];
    let refused = service.says("DELETE", "open/1", &foreign, "").await;
    assert_eq!(refused, "412 LeaseIdMismatchWithBlobOperation");
    assert_eq!(by("release", OTHER).await, mismatch);
    assert_eq!(by("release", MINE).await, "200");
    assert_eq!(acquire(OTHER).await, "201");
    assert_eq!(service.says("DELETE", "open/1", &foreign, "").await, "202");
}

pub(crate) async fn blocks_come_where_they_belong_and_under_the_lease(service: &Service) {
    service.ask("PUT", "?restype=container", &[], "").await;
    service.ask("PUT", "open/1", &APPEND_BLOB, "").await;
    assert_eq!(service.append("0", None, "one,").await, "201");
    let early = service.append("0", Some(MINE), "two,").await;
    assert_eq!(early, "412 LeaseNotPresentWithBlobOperation");
    let acquire = [
        ("x-ms-lease-duration", "60"),
        ("x-ms-proposed-lease-id", MINE),
    ];
    assert_eq!(service.lease("acquire", &acquire).await, "201");
    assert_eq!(
        service.append("4", None, "two,").await,
        "412 LeaseIdMissing"
    );
    let foreign = service.append("4", Some(OTHER), "two,").await;
    assert_eq!(foreign, "412 LeaseIdMismatchWithBlobOperation");
    assert_eq!(service.append("4", Some(MINE), "two,").await, "201");
    let late = service.append("4", Some(MINE), "two,").await;
    assert_eq!(late, "412 AppendPositionConditionNotMet");
    let part = service
        .ask("GET", "open/1", &[("x-ms-range", "bytes=4-")], "")
        .await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"two,"[..]));
    assert_eq!(part.headers["content-range"], "bytes 4-7/8");
    // At its very end Azurite gives nothing, where the service refuses; the store takes both for the same.
    let beyond = service
        .says("GET", "open/1", &[("x-ms-range", "bytes=9-")], "")
        .await;
    assert_eq!(beyond, "416 InvalidRange");
    let look = service.ask("HEAD", "open/1", &[], "").await;
    assert_eq!(look.headers["x-ms-lease-state"], "leased");
    assert_eq!(look.headers["x-ms-blob-type"], "AppendBlob");
    service.ask("PUT", "keys/1", &BLOCK_BLOB, "key").await;
    let append = service
        .says("PUT", "keys/1?comp=appendblock", &[], "x")
        .await;
    assert_eq!(append, "409 InvalidBlobType");
}

pub(crate) async fn listings_come_in_pages(service: &Service) {
    service.ask("PUT", "?restype=container", &[], "").await;
    for name in ["a/1", "a/2", "a/3", "b/1"] {
        service.ask("PUT", name, &BLOCK_BLOB, "x").await;
    }
    let names = |listing: &str| -> Vec<String> {
        let after = listing.split("<Name>").skip(1);
        after
            .map(|text| text.split('<').next().unwrap().to_owned())
            .collect()
    };
    let (mut pages, mut marker) = (Vec::new(), String::new());
    loop {
        let query = "?restype=container&comp=list&prefix=a%2F&maxresults=2&marker=";
        let page = service
            .ask("GET", &format!("{query}{marker}"), &[], "")
            .await;
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        pages.push(names(&page));
        let next = page.split_once("<NextMarker>");
        match next.and_then(|(_, next)| next.split_once('<')) {
            Some((next, _)) if !next.is_empty() => marker = next.replace('/', "%2F"),
            _ => break,
        }
    }
    assert_eq!(pages, [vec!["a/1", "a/2"], vec!["a/3"]]);
}
