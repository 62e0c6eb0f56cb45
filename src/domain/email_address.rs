//! Owns what counts as an address that a letter may go to.
//!
//! Parsing is stricter than the RFCs allow: what Exchange would bounce is worth refusing before a row exists. An
//! address is personal data, so printing one masks it; only `as_str` gives it away.

use std::fmt;
use std::net::IpAddr;

use email_address::{EmailAddress as Syntax, Options};
use thiserror::Error;

const MAXIMUM_LENGTH: usize = 254;

/// An e-mail address of one person or mailbox, trimmed, in the case it was given in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

/// Why a text is no address that a letter may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EmailAddressError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More than 254 bytes, the most that a mail server takes in a path (RFC 5321, 4.5.3.1.3).
    #[error("must not be longer than 254 bytes")]
    TooLong,
    /// White space, a control character or an invisible one.
    #[error("must not hold white space, control or invisible characters")]
    Invisible,
    /// Not `name@domain.tld`.
    #[error("must be an e-mail address such as name@example.com")]
    Malformed,
}

impl EmailAddress {
    /// Reads a bare address; display names, quoted local parts and IP addresses for a domain are refused.
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let text = text.trim();
        match text {
            "" => return Err(EmailAddressError::Empty),
            _ if text.len() > MAXIMUM_LENGTH => return Err(EmailAddressError::TooLong),
            _ if text.contains(is_unseen) => return Err(EmailAddressError::Invisible),
            _ => {}
        }
        let options = Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        let address =
            Syntax::parse_with_options(text, options).map_err(|_| EmailAddressError::Malformed)?;
        let refused =
            address.local_part().starts_with('"') || address.domain().parse::<IpAddr>().is_ok();
        (!refused)
            .then(|| Self(text.to_owned()))
            .ok_or(EmailAddressError::Malformed)
    }

    /// The address in full.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one mailbox have in common: a key to compare by, not to send to.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Characters nobody typed on purpose; pasted lists are full of them.
fn is_unseen(character: char) -> bool {
    let invisible = matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    invisible || character.is_whitespace() || character.is_control()
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local_part, domain) = self.0.rsplit_once('@').unwrap_or_default();
        let first: String = local_part.chars().take(1).collect();
        write!(formatter, "{first}***@{domain}")
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EmailAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_addresses_are_read() {
        for text in [
            "anna@example.com",
            "o'neil+portal@sub.example.co.uk",
            "A.B-c_d@EXAMPLE.com",
            "jørgen@blåbær.example",
            "1@2.example",
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(
            EmailAddress::parse("\t anna@example.com \r\n")
                .unwrap()
                .as_str(),
            "anna@example.com"
        );
    }

    #[test]
    fn what_cannot_be_mailed_is_refused() {
        use EmailAddressError::{Empty, Invisible, Malformed, TooLong};
        let long = format!("anna@{}.example", "a".repeat(63).repeat(4));
        for (text, error) in [
            ("", Empty),
            (" \t ", Empty),
            (long.as_str(), TooLong),
            ("anna@exa\u{200b}mple.com", Invisible),
            ("anna@example.com\u{202e}", Invisible),
            ("an na@example.com", Invisible),
            ("anna@example.com\r\nBcc:x@example.com", Invisible),
            ("anna", Malformed),
            ("anna@", Malformed),
            ("@example.com", Malformed),
            ("anna@localhost", Malformed),
            ("anna@example.", Malformed),
            ("anna@.com", Malformed),
            ("anna@[127.0.0.1]", Malformed),
            ("anna@127.0.0.1", Malformed),
            ("\"anna\"@example.com", Malformed),
            ("Anna<anna@example.com>", Malformed),
            ("<anna@example.com>", Malformed),
            ("anna@example.com,bert@example.com", Malformed),
            ("anna@example.com;bert@example.com", Malformed),
            ("anna@bert@example.com", Malformed),
            (".anna@example.com", Malformed),
            ("an..na@example.com", Malformed),
            ("anna@-example.com", Malformed),
        ] {
            assert_eq!(EmailAddress::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn addresses_are_compared_without_case() {
        let folded = |text| EmailAddress::parse(text).unwrap().folded();
        assert_eq!(folded("Anna@Example.COM"), folded("aNNa@example.com"));
        assert_ne!(folded("anna@example.com"), folded("anne@example.com"));
    }

    #[test]
    fn printing_masks_all_but_the_first_character_and_the_domain() {
        let address = EmailAddress::parse("anna.berg@example.com").unwrap();
        assert_eq!(address.to_string(), "a***@example.com");
        assert_eq!(format!("{address:?}"), "EmailAddress(a***@example.com)");
    }

    proptest! {
        #[test]
        fn every_plain_address_is_read_and_masked(
            local in "[a-z][a-z0-9]{1,20}", domain in "[a-z]{1,20}\\.[a-z]{2,8}", space in "[ \\t\\n]{0,3}",
        ) {
            let text = format!("{local}@{domain}");
            let address = EmailAddress::parse(&format!("{space}{text}{space}")).unwrap();
            prop_assert_eq!(address.as_str(), &text);
            prop_assert_eq!(address.to_string(), format!("{}***@{domain}", &local[..1]));
        }

        #[test]
        fn whatever_is_read_is_one_bare_address(text in "\\PC{0,20}@?[\\PC]{0,20}\\.?[a-z,;<>\"\\[\\]]{0,9}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                let (local, domain) = address.as_str().rsplit_once('@').unwrap();
                prop_assert!(!local.is_empty() && !local.contains(['"', '@', '<', ',', ';', ' ']));
                prop_assert!(domain.contains('.') && !domain.contains(['[', ']', ' ', '>', ',', ';']));
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
            }
        }
    }
}
