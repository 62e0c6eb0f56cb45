//! The mailboxes that letters leave from, as the command line names them: how many, or which.

use std::str::FromStr;

/// Where a mailbox without a name of its own is.
const DOMAIN: &str = "contoso.example";

/// What mailboxes are called that are only counted.
const NAMES: [&str; 9] = [
    "invitations",
    "welcome",
    "portal",
    "service",
    "members",
    "customers",
    "partners",
    "office",
    "hello",
];

/// Addresses of mailboxes, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Senders(pub(super) Vec<String>);

impl FromStr for Senders {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(count) = text.trim().parse::<usize>() {
            let named = (1..=NAMES.len()).contains(&count).then(|| &NAMES[..count]);
            let named = named.ok_or_else(|| format!("1 to {} mailboxes", NAMES.len()))?;
            let addresses = named.iter().map(|name| format!("{name}@{DOMAIN}"));
            return Ok(Self(addresses.collect()));
        }
        let addresses = text.split(',').map(|address| address.trim().to_owned());
        let addresses: Vec<String> = addresses.collect();
        match addresses.iter().find(|address| !is_address(address)) {
            Some(wrong) => Err(format!("{wrong:?} is neither a number nor an address")),
            None => Ok(Self(addresses)),
        }
    }
}

/// Whether a text looks like an address; the handler judges it in full.
fn is_address(text: &str) -> bool {
    (text.split_once('@')).is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_counted_or_named() {
        let senders = |text: &str| Senders::from_str(text).map(|senders| senders.0.join(" "));
        assert_eq!(senders("1").unwrap(), "invitations@contoso.example");
        assert_eq!(senders("9").unwrap().split(' ').count(), 9);
        assert_eq!(
            senders("a@b.example, c@d.test").unwrap(),
            "a@b.example c@d.test"
        );
        for wrong in ["0", "10", "-1", "", "a@b.example,", "a@b", "@b.example"] {
            assert!(senders(wrong).is_err(), "{wrong}");
        }
    }
}
