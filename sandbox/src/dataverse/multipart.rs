//! Takes a `multipart/mixed` batch apart into operations.
//!
//! Lines end in CRLF throughout; a batch that breaks the form is refused as a whole.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::errors::{ARGUMENT, Refusal};
use super::reply::Operation;
use super::resource::ROOT_PATH;

/// The most operations in a batch, those in changesets included.
const MOST_OPERATIONS: usize = 1_000;

/// One part of a batch.
#[derive(Debug)]
pub(crate) enum Part {
    Single(Operation),
    /// Operations that succeed or fail together.
    ChangeSet(Vec<Operation>),
}

impl Part {
    /// How many operations it holds.
    pub(crate) fn operations(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::ChangeSet(operations) => operations.len(),
        }
    }
}

fn malformed(why: &str) -> Refusal {
    Refusal::bad("", format!("The batch request is malformed: {why}."))
}

/// The boundary that a content type names.
fn boundary(content_type: &str) -> Option<&str> {
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let named = parts.find_map(|part| part.strip_prefix("boundary="))?;
    Some(named.trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

/// Reads a batch; `root` is the service root that absolute addresses begin with.
pub(crate) fn read(content_type: &str, body: &[u8], root: &str) -> Result<Vec<Part>, Refusal> {
    let outer = boundary(content_type).ok_or_else(|| malformed("no multipart/mixed boundary"))?;
    let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
    let parts = split(text, outer)?;
    let parts: Vec<_> = parts
        .into_iter()
        .map(|part| read_part(part, root))
        .collect::<Result<_, _>>()?;
    if parts.iter().map(Part::operations).sum::<usize>() > MOST_OPERATIONS {
        let message = format!(
            "Number of requests in a batch message exceeded the max limit of {MOST_OPERATIONS}."
        );
        return Err(Refusal::bad(ARGUMENT, message));
    }
    Ok(parts)
}

fn read_part(part: &str, root: &str) -> Result<Part, Refusal> {
    let (headers, content) = read_headers(part)?;
    let kind = headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let Some(inner) = boundary(kind) else {
        return Ok(Part::Single(read_operation(part, root)?));
    };
    let operations = split(content, inner)?;
    let operations: Vec<_> = operations
        .into_iter()
        .map(|part| read_operation(part, root))
        .collect::<Result<_, _>>()?;
    if operations
        .iter()
        .any(|operation| operation.method == Method::GET)
    {
        return Err(malformed("a changeset cannot hold a GET"));
    }
    let mut ids: Vec<_> = operations
        .iter()
        .filter_map(|operation| operation.content_id.as_ref())
        .collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    if ids.len() < all {
        return Err(malformed("a Content-ID stands twice in a changeset"));
    }
    Ok(Part::ChangeSet(operations))
}

/// Cuts a multipart text at its boundary.
fn split<'a>(text: &'a str, boundary: &str) -> Result<Vec<&'a str>, Refusal> {
    let opening = format!("--{boundary}");
    let line = format!("\r\n{opening}");
    let mut rest = match text.strip_prefix(&opening) {
        Some(rest) => rest,
        None => {
            cut(text, &line)
                .ok_or_else(|| malformed("the boundary does not occur"))?
                .1
        }
    };
    let mut parts = Vec::new();
    while !rest.starts_with("--") {
        let start = rest
            .strip_prefix("\r\n")
            .ok_or_else(|| malformed("lines must end in CRLF"))?;
        let (part, after) = cut(start, &line).ok_or_else(|| malformed("it does not end"))?;
        parts.push(part);
        rest = after;
    }
    Ok(parts)
}

/// Splits at the first delimiter that is a whole one, not the start of a longer boundary.
fn cut<'a>(text: &'a str, delimiter: &str) -> Option<(&'a str, &'a str)> {
    text.match_indices(delimiter).find_map(|(at, _)| {
        let after = &text[at + delimiter.len()..];
        (after.starts_with("\r\n") || after.starts_with("--")).then(|| (&text[..at], after))
    })
}

/// Reads header lines up to the blank line, or to the end where there is none.
fn read_headers(text: &str) -> Result<(HeaderMap, &str), Refusal> {
    let (lines, content) = match text.strip_prefix("\r\n") {
        Some(content) => ("", content),
        None => text.split_once("\r\n\r\n").unwrap_or((text, "")),
    };
    let mut headers = HeaderMap::new();
    for line in lines.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| malformed("a header line has no colon"))?;
        let name = HeaderName::try_from(name.trim());
        let value = HeaderValue::from_str(value.trim());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(malformed("a header line is not valid"));
        };
        headers.append(name, value);
    }
    Ok((headers, content))
}

/// Reads an operation: the headers of the part, then a request as HTTP writes it.
fn read_operation(part: &str, root: &str) -> Result<Operation, Refusal> {
    let (outer, content) = read_headers(part)?;
    let header = |name| {
        outer
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    if header("content-type") != Some("application/http") {
        return Err(malformed("a part is not application/http"));
    }
    if !header("content-transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("binary")) {
        return Err(malformed("a part lacks Content-Transfer-Encoding: binary"));
    }
    let (line, rest) = content.split_once("\r\n").unwrap_or((content, ""));
    let (method, target) = read_request_line(line)?;
    let (headers, body) = read_headers(rest)?;
    Ok(Operation {
        method,
        target: relative(target, root),
        headers,
        body: Bytes::copy_from_slice(body.trim_ascii().as_bytes()),
        content_id: header("content-id").map(str::to_owned),
    })
}

/// The method stands before the first blank, the version after the last.
fn read_request_line(line: &str) -> Result<(Method, &str), Refusal> {
    let bad = || malformed("a request line is not 'METHOD address HTTP/1.1'");
    let (method, rest) = line.split_once(' ').ok_or_else(bad)?;
    let (target, version) = rest.rsplit_once(' ').ok_or_else(bad)?;
    let known = [
        Method::GET,
        Method::POST,
        Method::PATCH,
        Method::PUT,
        Method::DELETE,
    ];
    let method = known
        .into_iter()
        .find(|known| known.as_str() == method)
        .ok_or_else(bad)?;
    if version != "HTTP/1.1" || target.is_empty() {
        return Err(bad());
    }
    Ok((method, target))
}

/// An address relative to the service root; one of another service stays as it is, and is not found.
fn relative(target: &str, root: &str) -> String {
    let rest = target
        .strip_prefix(root)
        .or_else(|| target.strip_prefix(ROOT_PATH));
    rest.unwrap_or(target).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "http://dataverse.test/api/data/v9.2/";
    const KIND: &str = "multipart/mixed; boundary=\"batch_1\"";

    fn single(request: &str) -> String {
        format!(
            "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request}\r\n--batch_1--\r\n"
        )
    }

    fn read_single(request: &str) -> Operation {
        match read(KIND, single(request).as_bytes(), ROOT)
            .unwrap()
            .remove(0)
        {
            Part::Single(operation) => operation,
            Part::ChangeSet(_) => panic!("a single operation was written"),
        }
    }

    #[test]
    fn addresses_may_be_absolute_rooted_or_relative() {
        for address in [
            "http://dataverse.test/api/data/v9.2/contacts?$select=fullname",
            "/api/data/v9.2/contacts?$select=fullname",
            "contacts?$select=fullname",
        ] {
            let operation = read_single(&format!(
                "GET {address} HTTP/1.1\r\nAccept: application/json\r\n"
            ));
            assert_eq!(operation.target, "contacts?$select=fullname");
            assert_eq!(operation.header("accept"), Some("application/json"));
        }
    }

    #[test]
    fn a_body_follows_the_blank_line() {
        let operation = read_single(
            "PATCH contacts(1) HTTP/1.1\r\nIf-Match: *\r\nContent-Type: application/json\r\n\r\n{\"a\":\"\u{e9}\"}\r\n",
        );
        assert_eq!(operation.body, "{\"a\":\"\u{e9}\"}");
        assert_eq!(operation.header("if-match"), Some("*"));
    }

    #[test]
    fn a_boundary_that_begins_another_one_does_not_end_it() {
        let body = concat!(
            "--batch_1\r\nContent-Type: multipart/mixed;boundary=batch_12\r\n\r\n",
            "--batch_12\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n",
            "DELETE contacts(1) HTTP/1.1\r\n\r\n\r\n--batch_12--\r\n\r\n--batch_1--\r\n",
        );
        let parts = read(KIND, body.as_bytes(), ROOT).unwrap();
        assert!(matches!(&parts[0], Part::ChangeSet(inside) if inside.len() == 1));
    }

    #[test]
    fn malformed_batches_are_refused_as_a_whole() {
        let good = single("GET contacts HTTP/1.1\r\n\r\n");
        assert!(read(KIND, good.as_bytes(), ROOT).is_ok());
        for (kind, body) in [
            ("application/json", good.clone()),
            ("multipart/mixed", good.clone()),
            ("multipart/mixed; boundary=other", good.clone()),
            (KIND, good.replace("\r\n", "\n")),
            (KIND, good.replace("--batch_1--", "")),
            (KIND, good.replace("HTTP/1.1", "HTTP/2")),
            (KIND, good.replace("GET contacts", "contacts")),
            (
                KIND,
                good.replace("Transfer-Encoding: binary", "Language: en"),
            ),
            (KIND, good.replace("application/http", "text/plain")),
        ] {
            assert_eq!(
                read(kind, body.as_bytes(), ROOT).unwrap_err().status,
                400,
                "{kind} {body}"
            );
        }
    }

    #[test]
    fn at_most_a_thousand_operations_fit() {
        let part = single("GET contacts HTTP/1.1\r\n\r\n").replace("--batch_1--\r\n", "");
        let fits = format!("{}--batch_1--\r\n", part.repeat(1_000));
        assert_eq!(read(KIND, fits.as_bytes(), ROOT).unwrap().len(), 1_000);
        let too_many = format!("{part}{fits}");
        assert_eq!(
            read(KIND, too_many.as_bytes(), ROOT).unwrap_err().code,
            ARGUMENT
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(--batch_1|\r\n|--|: |[a-z/ ]{0,9}|é){0,30}") {
            let _ = read(KIND, text.as_bytes(), ROOT);
        }
    }
}
