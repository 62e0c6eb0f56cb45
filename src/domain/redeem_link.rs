//! Owns the address of the site and the redeem link: how a code becomes a link, and how it is read back.
//!
//! A link holds a code, so it is as secret as one. Reading back works on a letter that a mail server has stored and
//! rewritten: it looks at links only, never at text, which may hold whatever the person who invites has typed.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use url::{Host, Url};

use super::html::{Piece, pieces};
use super::invitation_code::InvitationCode;

/// All but the characters that RFC 3986 calls unreserved.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// A path stays readable inside a query: RFC 3986 allows its slashes there.
const PATH: &AsciiSet = &VALUE.remove(b'/');

const MAXIMUM_RETURN_PATH: usize = 1_000;
const MAXIMUM_LANGUAGE_PATH: usize = 35;

/// Why a text is no part of a redeem link. Each reads after the name of the setting or field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RedeemLinkError {
    /// Not an absolute address with a host.
    #[error("must be an absolute address such as https://portal.example.com")]
    NotAbsolute,
    /// Plain http to another machine would send codes in the clear.
    #[error("must start with https://")]
    NotSecure,
    /// Credentials, a query or a fragment, which a link made from it would repeat.
    #[error("must have no credentials, query or fragment")]
    NotBare,
    /// A return path that leads off the site, or may.
    #[error(
        "must be a path on the site: one slash first, no double slash, backslash or control character"
    )]
    NotOnSite,
    /// A return path of more than 1,000 characters.
    #[error("must not be longer than 1000 characters")]
    TooLong,
    /// A language path with other characters than a language code has.
    #[error("must be a language code such as en-US")]
    NotLanguage,
}

/// The address of the site, https or on loopback, possibly with a path prefix, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalUrl(Url);

impl PortalUrl {
    /// Reads the address of a site.
    pub fn parse(text: &str) -> Result<Self, RedeemLinkError> {
        let url = Url::parse(text).map_err(|_| RedeemLinkError::NotAbsolute)?;
        let bare = url.username().is_empty() && url.password().is_none();
        match url.scheme() {
            _ if !url.has_host() => Err(RedeemLinkError::NotAbsolute),
            _ if !bare || url.query().is_some() || url.fragment().is_some() => {
                Err(RedeemLinkError::NotBare)
            }
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            _ => Err(RedeemLinkError::NotSecure),
        }
    }

    /// The address as it was normalised; a bare host ends in a slash here.
    pub const fn as_url(&self) -> &Url {
        &self.0
    }

    fn prefix(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// Whether an address is a redeem page of this site, in whatever language.
    fn redeems_at(&self, url: &Url) -> bool {
        let rest = url
            .path()
            .strip_prefix(self.prefix())
            .filter(|_| url.origin() == self.0.origin());
        let segments: Vec<_> = rest.unwrap_or_default().split('/').collect();
        matches!(segments[..], ["", page] | ["", _, page] if page.eq_ignore_ascii_case("register"))
    }
}

impl fmt::Display for PortalUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Where on the site the recipient goes after redeeming: a path, possibly with query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// Reads a path that no browser can take for another site.
    pub fn parse(text: &str) -> Result<Self, RedeemLinkError> {
        let stray = |character: char| character == '\\' || character.is_control();
        match text {
            _ if !text.starts_with('/') => Err(RedeemLinkError::NotOnSite),
            _ if text.contains("//") || text.contains(stray) => Err(RedeemLinkError::NotOnSite),
            _ if text.chars().count() > MAXIMUM_RETURN_PATH => Err(RedeemLinkError::TooLong),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The path as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The part of a site's addresses that chooses a language, such as `en-US`
/// (<https://learn.microsoft.com/power-apps/maker/portals/configure/enable-multiple-language-support>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguagePath(String);

impl LanguagePath {
    /// Reads letters, digits and hyphens, a letter first, at most 35 (RFC 5646, 4.4.1).
    pub fn parse(text: &str) -> Result<Self, RedeemLinkError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let sound = text.len() <= MAXIMUM_LANGUAGE_PATH
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(known);
        sound
            .then(|| Self(text.to_owned()))
            .ok_or(RedeemLinkError::NotLanguage)
    }

    /// The path segment.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A link that redeems an invitation once its holder has signed in or registered.
#[derive(Clone)]
pub struct RedeemLink(SecretString);

impl RedeemLink {
    /// Builds `{site}[/{language}]/register?invitation={code}[&returnurl={path}]`.
    ///
    /// The register page asks for the code and fills in the one from the link
    /// (<https://learn.microsoft.com/power-pages/security/invite-contacts>).
    pub fn new(
        portal: &PortalUrl,
        language: Option<&LanguagePath>,
        code: &InvitationCode,
        return_path: Option<&ReturnPath>,
    ) -> Self {
        let mut link = portal.to_string();
        if let Some(language) = language {
            link.extend(["/", language.as_str()]);
        }
        link.push_str("/register?invitation=");
        link.extend(utf8_percent_encode(code.expose(), VALUE));
        if let Some(path) = return_path {
            link.push_str("&returnurl=");
            link.extend(utf8_percent_encode(path.as_str(), PATH));
        }
        Self(link.into())
    }

    /// A link that redeems nothing, to try templates with.
    pub(crate) fn sample() -> Self {
        let code = "a-sample-code-as-long-as-a-true-one-is-made";
        Self(format!("https://portal.example/register?invitation={code}&returnurl=/").into())
    }

    /// The site's host, and its port where it is not the usual one: what a reader can compare with the address bar.
    pub fn host(&self) -> String {
        let (_, after) = self.expose().split_once("://").unwrap_or_default();
        after.split('/').next().unwrap_or_default().to_owned()
    }

    /// The link itself, for the letter and the caller who asked for links. Never for a log.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether a letter's HTML links to exactly this address.
    pub fn stands_in(&self, html: &str) -> bool {
        link_targets(html).any(|target| target == self.expose())
    }

    /// Reads the code back out of a letter's HTML: none where no redeem link of the site stands in it, or two
    /// that disagree.
    pub fn code_in(html: &str, portal: &PortalUrl) -> Option<InvitationCode> {
        let mut codes = link_targets(html).filter_map(|target| code_of(&target, portal));
        let first = codes.next()?;
        codes.all(|code| code.same_as(&first)).then_some(first)
    }
}

impl fmt::Debug for RedeemLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedeemLink([redacted])")
    }
}

/// The addresses that links lead to, in order, as a mail program sees them: not those in comments, scripts or text.
fn link_targets(html: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pieces(html).filter_map(|piece| match piece {
        Piece::Start(tag) if tag.is("a") => tag.attribute("href"),
        _ => None,
    })
}

fn code_of(target: &str, portal: &PortalUrl) -> Option<InvitationCode> {
    let url = Url::parse(target)
        .ok()
        .filter(|url| portal.redeems_at(url))?;
    let mut values = url.query_pairs().filter(|(name, _)| name == "invitation");
    let (_, code) = values.next().filter(|_| values.next().is_none())?;
    InvitationCode::parse(&code).ok()
}

#[cfg(test)]
mod tests;
