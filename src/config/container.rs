//! Owns where in a storage account the journals lie, as the settings of the Functions host name the account.

use url::Url;

use super::parse::Parsed;

/// The container that holds the journals and keys.
const CONTAINER: &str = "portal-invite";

/// The container at a blob service; a token never travels over plain http.
pub(super) fn container(text: &str) -> Parsed<Url> {
    let mut url = Url::parse(text).map_err(|error| format!("is no absolute address ({error})"))?;
    if url.scheme() != "https" || url.query().is_some() {
        return Err("must be an address that starts with https:// and has no query".to_owned());
    }
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push(CONTAINER);
    }
    Ok(url)
}

/// The container in a storage account of the public cloud.
pub(super) fn container_of(account: &str) -> Parsed<Url> {
    let is_name = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    if !(3..=24).contains(&account.len()) || !account.chars().all(is_name) {
        return Err("must be 3 to 24 small letters and digits".to_owned());
    }
    container(&format!("https://{account}.blob.core.windows.net"))
}
