//! One request to the Web API and its answer, whether it came alone or inside a `$batch`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::traffic::Operations;

/// Where a request comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The service root as the caller addressed it.
    pub(crate) root: String,
    /// The systemuser who asks.
    pub(crate) caller: Uuid,
}

/// One operation of the Web API.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// What follows the service root, with the query, percent-encoded.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How later operations of a changeset may refer to this one.
    pub(crate) content_id: Option<String>,
}

impl Operation {
    /// A header as text, when it is there and printable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path and the query, split, still percent-encoded.
    pub(crate) fn split(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }
}

/// The answer to an operation.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What a batch held.
    pub(crate) operations: Operations,
    /// How many rows it shows.
    pub(crate) rows: usize,
}

impl Reply {
    pub(crate) fn new(status: StatusCode) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        let reply = Self {
            status,
            headers,
            body,
            operations: Operations::default(),
            rows: 0,
        };
        reply.with_header("odata-version", "4.0")
    }

    /// Sets a header; a value that cannot stand in a header is left out.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Notes how many rows it shows.
    pub(crate) fn showing(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand the document over"
    )]
    pub(crate) fn with_body(mut self, body: Value) -> Self {
        self.body = body.to_string().into();
        self.with_header("content-type", "application/json; odata.metadata=minimal")
    }
}

/// What a caller asks for in `Prefer`.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors#prefer-headers>
#[derive(Clone, Debug, Default)]
pub(crate) struct Preferences {
    pub(crate) representation: bool,
    pub(crate) max_page_size: Option<usize>,
    pub(crate) continue_on_error: bool,
    /// The annotations asked for; `*` at the end of one is a wildcard.
    annotations: Vec<String>,
}

impl Preferences {
    /// Reads all `Prefer` headers; a preference that is not known is the error.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, String> {
        let mut preferences = Self::default();
        for header in headers.get_all("prefer") {
            for preference in split_list(header.to_str().map_err(|_| "binary".to_owned())?) {
                preferences.add(&preference)?;
            }
        }
        Ok(preferences)
    }

    fn add(&mut self, preference: &str) -> Result<(), String> {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let value = value.trim().trim_matches('"');
        match name.trim() {
            "return" => self.representation = value == "representation",
            "odata.maxpagesize" => {
                self.max_page_size = Some(value.parse().map_err(|_| preference.to_owned())?);
            }
            "odata.continue-on-error" => self.continue_on_error = value != "false",
            "odata.include-annotations" => {
                self.annotations = value
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect();
            }
            "" => {}
            _ => return Err(preference.to_owned()),
        }
        Ok(())
    }

    /// Whether an annotation of this name is wanted.
    pub(crate) fn wants(&self, annotation: &str) -> bool {
        self.annotations
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => annotation.starts_with(start),
                None => annotation == pattern,
            })
    }
}

/// Splits at commas that stand outside quotation marks.
fn split_list(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        match character {
            ',' if !quoted => parts.push(String::new()),
            _ => {
                quoted ^= character == '"';
                if let Some(last) = parts.last_mut() {
                    last.push(character);
                }
            }
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<Preferences, String> {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static("prefer"),
            HeaderValue::from_static(value),
        )]);
        Preferences::read(&headers)
    }

    #[test]
    fn preferences_are_read_from_one_list() {
        let read = read("return=representation,odata.maxpagesize=3, odata.include-annotations=\"Microsoft.*,a.b\"")
            .unwrap();
        assert!(read.representation);
        assert_eq!(read.max_page_size, Some(3));
        assert!(read.wants("Microsoft.Dynamics.CRM.totalrecordcount") && read.wants("a.b"));
        assert!(!read.wants("a.c") && !read.continue_on_error);
    }

    #[test]
    fn an_unknown_preference_is_named() {
        assert_eq!(
            read("odata.track-changes").unwrap_err(),
            "odata.track-changes"
        );
        assert!(read("odata.maxpagesize=many").is_err());
    }
}
