//! What holds for any batch answer of Dataverse, and for any text that goes into a query.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::multipart::{Part, boundary, decode};
use super::odata::{Filter, Query, Value};
use super::rows::InvitationRow;
use super::{Page, refusal};
use crate::domain::invitation::Invitation;

/// The first line is the content type, the rest the body.
///
/// Parts that are read are read again as they would be written; a cut-off answer gives nothing, not some of it; no
/// refusal passes on an address.
pub(crate) fn batch_answer(input: &[u8]) -> bool {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let content_type = HeaderValue::from_bytes(lines.next().unwrap_or_default());
    let body = Bytes::copy_from_slice(lines.next().unwrap_or_default());
    let headers = content_type.map(|value| HeaderMap::from_iter([(CONTENT_TYPE, value)]));
    let Ok(boundary) = boundary(&headers.unwrap_or_default()) else {
        return false;
    };
    let Ok(parts) = decode(&boundary, &body) else {
        return false;
    };
    for cut in [body.len() / 3, body.len() / 2, body.len().saturating_sub(4)] {
        if let Ok(fewer) = decode(&boundary, &body.slice(..cut)) {
            assert!(shown(&fewer) == shown(&parts));
        }
    }
    let plain: Vec<_> = parts
        .iter()
        .filter(|part| !holds(&part.body, b"--again"))
        .cloned()
        .collect();
    let again = decode("again", &written(&plain)).map(|parts| shown(&parts));
    assert!(again == Ok(shown(&plain)));
    for part in &parts {
        assert!(!refusal(part).to_string().contains('@'));
        if let Ok(page) = serde_json::from_slice::<Page<InvitationRow>>(&part.body) {
            page.value.into_iter().map(Invitation::from).for_each(drop);
        }
    }
    true
}

fn shown(parts: &[Part]) -> Vec<String> {
    let shown = parts.iter().map(|part| format!("{part:?}"));
    shown.collect()
}

fn holds(body: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(body, needle).is_some()
}

fn written(parts: &[Part]) -> Bytes {
    let mut bytes = Vec::new();
    for part in parts {
        let status = part.status.as_u16().to_string();
        let head = "--again\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 ";
        bytes.extend([head, &status, " -\r\n"].map(str::as_bytes).concat());
        for (name, value) in &part.headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend([b"\r\n", part.body.as_ref(), b"\r\n"].concat());
    }
    bytes.extend(b"--again--\r\n");
    Bytes::from(bytes)
}

/// A text in a filter stays one literal, and the filter one query option, whatever the text is.
pub(crate) fn odata_value(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input).into_owned();
    let literal = Value::Text(text.clone()).to_string();
    let inner = literal
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    let inner = inner.unwrap_or_default();
    assert!(inner.replace("''", "").find('\'').is_none() && inner.replace("''", "'") == text);
    let filter = Filter::equals("lastname", Value::Text(text));
    let path = Query::over("contacts").filter(&filter).to_path();
    let url = url::Url::parse(&format!("https://example.org/{path}"));
    let pairs = url.map(|url| url.query_pairs().into_owned().collect::<Vec<_>>());
    assert!(
        pairs == Ok(vec![("$filter".to_owned(), filter.to_string())]),
        "{path}"
    );
    true
}
