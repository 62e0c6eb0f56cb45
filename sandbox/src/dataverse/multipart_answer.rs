//! Puts the answers of a batch together as `multipart/mixed`.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>

use std::fmt::Write;

use super::reply::Reply;

/// The answer to one part.
#[derive(Debug)]
pub(crate) enum Answer {
    Single(Option<String>, Reply),
    /// The answers of a changeset that succeeded, with their `Content-ID`s.
    ChangeSet(String, Vec<(Option<String>, Reply)>),
}

/// Writes the answers of a batch.
pub(crate) fn write(boundary: &str, answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        match answer {
            Answer::Single(id, reply) => {
                text.push_str(&format_reply(boundary, id.as_deref(), reply));
            }
            Answer::ChangeSet(inner, replies) => {
                let start = "Content-Type: multipart/mixed; boundary=";
                _ = write!(text, "--{boundary}\r\n{start}{inner}\r\n\r\n");
                for (id, reply) in replies {
                    text.push_str(&format_reply(inner, id.as_deref(), reply));
                }
                _ = write!(text, "--{inner}--\r\n");
            }
        }
    }
    text + "--" + boundary + "--\r\n"
}

fn format_reply(boundary: &str, content_id: Option<&str>, reply: &Reply) -> String {
    let mut text = format!("--{boundary}\r\nContent-Type: application/http\r\n");
    text.push_str("Content-Transfer-Encoding: binary\r\n");
    if let Some(id) = content_id {
        _ = write!(text, "Content-ID: {id}\r\n");
    }
    let reason = reply.status.canonical_reason().unwrap_or("Unknown");
    _ = write!(text, "\r\nHTTP/1.1 {} {reason}\r\n", reply.status.as_u16());
    for (name, value) in &reply.headers {
        let value = value.to_str().unwrap_or_default();
        _ = write!(text, "{}: {value}\r\n", spelled(name.as_str()));
    }
    let body = String::from_utf8_lossy(&reply.body);
    text + "\r\n" + &body + "\r\n"
}

/// Header names as the service spells them; readers that search text expect that.
fn spelled(name: &str) -> &str {
    match name {
        "content-type" => "Content-Type",
        "etag" => "ETag",
        "location" => "Location",
        "odata-entityid" => "OData-EntityId",
        "odata-version" => "OData-Version",
        "preference-applied" => "Preference-Applied",
        "retry-after" => "Retry-After",
        other => other,
    }
}
