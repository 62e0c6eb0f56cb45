//! Listings of a container, page by page: <https://learn.microsoft.com/rest/api/storageservices/list-blobs>.

use std::fmt::Write;
use std::ops::Bound;

use html_escape::encode_text;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::blob::Blob;
use super::server::date;
use super::{Answer, Blobs, etag, status};

/// The blobs whose names begin with `prefix`, from `marker` on.
pub(super) fn list(blobs: &Blobs, prefix: &str, marker: Option<&str>, most: usize) -> Answer {
    let from = marker.map_or(prefix, |marker| marker.max(prefix));
    let mut found = blobs
        .range::<str, _>((Bound::Included(from), Bound::Unbounded))
        .take_while(|(name, _)| name.starts_with(prefix));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults>");
    let _ = write!(xml, "<Prefix>{}</Prefix><Blobs>", encode_text(prefix));
    for (name, blob) in found.by_ref().take(most) {
        write_blob(&mut xml, name, blob);
    }
    let next = found.next().map_or("", |(name, _)| name);
    let _ = write!(
        xml,
        "</Blobs><NextMarker>{}</NextMarker></EnumerationResults>",
        encode_text(next)
    );
    Answer {
        headers: vec![(CONTENT_TYPE, "application/xml".to_owned())],
        body: xml.into_bytes(),
        ..status(StatusCode::OK)
    }
}

fn write_blob(xml: &mut String, name: &str, blob: &Blob) {
    let _ = write!(
        xml,
        "<Blob><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag>\
         <Content-Length>{}</Content-Length><BlobType>{}</BlobType></Properties></Blob>",
        encode_text(name),
        date(blob.modified),
        etag(blob.etag).trim_matches('"'),
        blob.bytes.len(),
        blob.kind(),
    );
}
