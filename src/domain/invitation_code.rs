//! Owns the invitation code: the bearer secret that lets its holder redeem an invitation.
//!
//! The portal asks for nothing but the code, so it is as good as a password: no format macro prints it, it goes
//! into no journal, and whoever needs the text says `expose`.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The longest code that `adx_invitationcode` holds, in characters
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>).
const MAXIMUM_LENGTH: usize = 200;

/// The code of an invitation, at most 200 characters, never empty.
#[derive(Clone)]
pub struct InvitationCode(SecretString);

/// A text that is no code; the text itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvitationCodeError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More than the column holds.
    #[error("must not be longer than 200 characters")]
    TooLong,
}

impl InvitationCode {
    /// Writes 256 random bits as 43 characters that need no escaping in a link.
    pub fn from_random(random: [u8; 32]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(random).into())
    }

    /// Takes a code as a row or a link holds it, without white space around it: the portal trims what it is given.
    pub fn parse(text: &str) -> Result<Self, InvitationCodeError> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err(InvitationCodeError::Empty),
            1..=MAXIMUM_LENGTH => Ok(Self(text.into())),
            _ => Err(InvitationCodeError::TooLong),
        }
    }

    /// The code itself, for the row, the link and the caller who asked for links. Never for a log.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether both are the same code, case included.
    pub fn same_as(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }

    /// SHA-256 in hexadecimal, 64 characters: proves later which code went out, and redeems nothing.
    pub fn fingerprint(&self) -> String {
        Sha256::digest(self.expose())
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}"); // Writing to a string cannot fail.
                hex
            })
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InvitationCode([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stored_code_is_trimmed_and_bounded() {
        assert_eq!(InvitationCode::parse(" a b\n").unwrap().expose(), "a b");
        assert_eq!(
            InvitationCode::parse(&"é".repeat(200))
                .unwrap()
                .expose()
                .chars()
                .count(),
            200
        );
        assert_eq!(
            InvitationCode::parse(" ").unwrap_err(),
            InvitationCodeError::Empty
        );
        assert_eq!(
            InvitationCode::parse(&"x".repeat(201)).unwrap_err(),
            InvitationCodeError::TooLong
        );
    }

    #[test]
    fn codes_differ_by_case() {
        let code = |text| InvitationCode::parse(text).unwrap();
        assert!(code("Abc").same_as(&code("Abc")));
        assert!(!code("Abc").same_as(&code("abc")));
    }

    #[test]
    fn a_fingerprint_is_the_hash_in_hexadecimal() {
        let fingerprint = InvitationCode::parse("abc").unwrap().fingerprint();
        assert_eq!(
            fingerprint,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    proptest! {
        #[test]
        fn a_fresh_code_is_plain_in_a_link_and_hidden_in_a_log(random: [u8; 32]) {
            let code = InvitationCode::from_random(random);
            prop_assert_eq!(code.expose().len(), 43);
            prop_assert!(code.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(format!("{code:?}"), "InvitationCode([redacted])");
            prop_assert!(InvitationCode::parse(code.expose()).unwrap().same_as(&code));
        }
    }
}
