//! Owns what can go wrong with a remote call, told by what the caller must decide.
//!
//! The question is always the same: did the call have its effect? `Refused`, `Throttled`, `NotSent` and
//! `OutOfTime` mean surely not; `Unclear` means nobody knows. Texts of remote services are passed on only
//! after [`redact`] has taken addresses and codes out of them.

use std::fmt;
use std::time::Duration;

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The Dataverse Web API.
    Dataverse,
    /// Microsoft Graph.
    Graph,
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Dataverse => "Dataverse",
            Self::Graph => "Microsoft Graph",
        })
    }
}

/// A service's definite no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The service's own code, such as `0x80040217` or `ErrorAccessDenied`; may be empty.
    pub code: String,
    /// The service's own words, redacted.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.status, self.code, self.message)
    }
}

/// A remote call that did not give an answer to work with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RemoteError {
    /// The service said no; the same call again would be refused again.
    #[error("{service} refused to {action}: {refusal}")]
    Refused {
        /// Which service.
        service: Service,
        /// What was asked, as a verb phrase.
        action: &'static str,
        /// Its answer.
        refusal: Refusal,
    },
    /// The service asks to wait longer than there is time. Nothing was done.
    #[error("{service} asks to wait {} s before it will {action}", wait.as_secs())]
    Throttled {
        /// Which service.
        service: Service,
        /// What was asked.
        action: &'static str,
        /// How long, from now.
        wait: Duration,
    },
    /// The service could not be reached. Nothing was done.
    #[error("{service} could not be reached to {action}: {detail}")]
    NotSent {
        /// Which service.
        service: Service,
        /// What was asked.
        action: &'static str,
        /// What failed.
        detail: String,
    },
    /// The call may or may not have had its effect.
    #[error("it is unclear whether {service} did {action}: {detail}")]
    Unclear {
        /// Which service.
        service: Service,
        /// What was asked.
        action: &'static str,
        /// What failed.
        detail: String,
    },
    /// The answer cannot be understood. The call had its effect.
    #[error("{service} answered something unexpected to {action}: {detail}")]
    Unreadable {
        /// Which service.
        service: Service,
        /// What was asked.
        action: &'static str,
        /// What is odd.
        detail: String,
    },
    /// No token could be had. Nothing was done.
    #[error(
        "no token for {service}: {detail}. Check that the function app's managed identity is on \
         (or AZURE_CLIENT_ID names an assigned one)"
    )]
    Identity {
        /// For which service.
        service: Service,
        /// What the identity endpoint said.
        detail: String,
    },
    /// The time given to this work is up. Nothing was done.
    #[error("the time is up")]
    OutOfTime,
    /// The lease on the journal is not surely ours any more. Nothing was done.
    #[error("the lease on the batch is no longer certain")]
    LeaseLost,
}

impl RemoteError {
    /// Whether the call may have had its effect.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Unclear { .. } | Self::Unreadable { .. })
    }

    /// The service's definite no, if that is what it is.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}

/// Takes e-mail addresses, long opaque words and values named as codes out of a remote service's text, and caps its
/// length.
///
/// An invitation code of ours is a word of 43 characters; no word a person needs is that long. Codes that others made
/// may be short, or look like an id; they are known by their names.
pub fn redact(text: &str) -> String {
    const LONGEST_TEXT: usize = 300;
    let is_separator =
        |character: char| character.is_whitespace() || "'\"<>()[]{},;:=&?/".contains(character);
    let (mut redacted, mut code_follows, mut assigned) = (String::new(), false, false);
    for piece in text.split_inclusive(is_separator) {
        let word = piece.trim_end_matches(is_separator);
        let separator = &piece[word.len()..];
        if word.is_empty() {
            assigned |= separator.contains([':', '=']);
        } else {
            redacted.push_str(if code_follows && assigned {
                "[removed]"
            } else {
                shown(word)
            });
            code_follows = CODES.contains(&word.to_ascii_lowercase().as_str());
            assigned = separator.contains([':', '=']);
        }
        redacted.push_str(separator);
        if redacted.len() > LONGEST_TEXT {
            redacted.push('…');
            break;
        }
    }
    redacted
}

/// What a code is called: the column, and the parameters of the site's addresses.
const CODES: [&str; 3] = ["adx_invitationcode", "invitation", "invitationcode"];

fn shown(word: &str) -> &str {
    const LONGEST_WORD: usize = 35;
    // A refused address in a path is percent-encoded.
    if word.contains('@') || word.contains("%40") {
        "[address]"
    } else if word.len() > LONGEST_WORD && uuid::Uuid::try_parse(word).is_err() {
        "[removed]"
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_words_lose_addresses_and_codes_and_keep_the_rest() {
        let code = "k".repeat(43);
        let text = format!(
            "Recipient <ann@example.com> of /users/ann%40example%2Ecom/ with invitation={code}& failed, row 7f1c1d7e-0000-4000-8000-000000000001"
        );
        assert_eq!(
            redact(&text),
            "Recipient <[address]> of /users/[address]/ with invitation=[removed]& failed, row 7f1c1d7e-0000-4000-8000-000000000001"
        );
        let id = "7f1c1d7e-0000-4000-8000-000000000002";
        let text = format!(
            r#"{{"adx_invitationcode": "{id}", "adx_name":"Ann"}} at register?invitationCode=short&x={id}: an invitation {id} has no 'adx_invitationcode' now"#
        );
        assert_eq!(
            redact(&text),
            format!(
                r#"{{"adx_invitationcode": "[removed]", "adx_name":"Ann"}} at register?invitationCode=[removed]&x={id}: an invitation {id} has no 'adx_invitationcode' now"#
            )
        );
        // One that nothing names is known by its length.
        assert_eq!(
            redact(&format!("the value {code} is taken")),
            "the value [removed] is taken"
        );
        assert!(redact(&"word ".repeat(500)).len() < 320);
    }
}
