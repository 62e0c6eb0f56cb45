//! Owns the host key: who is let in with it, and who may show it. A host without one lets everybody in.
//! <https://learn.microsoft.com/azure/azure-functions/function-keys-how-to>

use http::Request;

use super::{Desk, Inner, function::AuthLevel};

/// Where callers show it.
const HEADER: &str = "x-functions-key";

impl Desk {
    /// The header that callers prove themselves by, where the host asks for one.
    pub fn key_header(&self) -> Option<(String, String)> {
        let key = self.inner.key.clone()?;
        Some((HEADER.to_owned(), key))
    }
}

impl Inner {
    /// Whether a caller may call a function of this level; the header goes before the query.
    pub(super) fn is_allowed<B>(&self, request: &Request<B>, level: AuthLevel) -> bool {
        let Some(key) = self
            .key
            .as_deref()
            .filter(|_| level != AuthLevel::Anonymous)
        else {
            return true;
        };
        match request.headers().get(HEADER) {
            Some(header) => header.as_bytes() == key.as_bytes(),
            None => {
                url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                    .any(|(name, value)| name == "code" && value == key)
            }
        }
    }
}
