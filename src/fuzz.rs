//! Owns what must hold whatever comes in: one target for each reader of something that others have written.
//!
//! Every test run tries the inputs under `tests/fuzz/corpus` and changed forms of them. With cargo-fuzz a fuzzer that
//! watches the code's branches looks for more: see `tests/fuzz`. This module is in no other build.

use crate::domain::email_address::EmailAddress;
use crate::domain::invitation_code::InvitationCode;
use crate::domain::redeem_link::{PortalUrl, RedeemLink};
use crate::{functions, remote};

#[cfg(test)]
mod mutate;
#[cfg(test)]
mod run;

/// Something that reads input, and what it promises about it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder of inputs.
    pub name: &'static str,
    /// Reads one input, and says whether it was taken for what it should be; panics where a promise is broken.
    pub check: fn(&[u8]) -> bool,
}

/// Every target.
pub const TARGETS: [Target; 10] = [
    target("invitation_request", functions::fuzz::invitation_request),
    target("timer_envelope", functions::fuzz::timer_envelope),
    target("webhook_event", functions::fuzz::webhook_event),
    target("dataverse_batch", remote::dataverse::fuzz::batch_answer),
    target("odata_value", remote::dataverse::fuzz::odata_value),
    target("graph_batch", remote::graph::fuzz::batch_answer),
    target("journal", remote::journal::fuzz::journal),
    target("service_words", remote::fuzz::service_words),
    target("letter_html", letter_html),
    target("email_address", email_address),
];

const fn target(name: &'static str, check: fn(&[u8]) -> bool) -> Target {
    Target { name, check }
}

/// Checks one input by a target's name.
///
/// # Panics
///
/// Where a promise is broken, or nothing has this name.
pub fn check(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let Some(target) = target else {
        panic!("there is no target {name}")
    };
    (target.check)(input);
}

/// The code found in a letter is one that a link can carry there and back, and two links that disagree give none.
fn letter_html(input: &[u8]) -> bool {
    let html = String::from_utf8_lossy(input);
    let Ok(portal) = PortalUrl::parse("https://portal.example/site") else {
        panic!("the address is sound")
    };
    let Some(code) = RedeemLink::code_in(&html, &portal) else {
        return false;
    };
    let link = RedeemLink::new(&portal, None, &code, None);
    let anchor = |link: &RedeemLink| format!("<a href=\"{}\">x</a>", link.expose());
    let again = RedeemLink::code_in(&anchor(&link), &portal);
    assert!(again.is_some_and(|again| again.same_as(&code)));
    let other = RedeemLink::new(&portal, None, &InvitationCode::from_random([7; 32]), None);
    let both = format!("{}{html}", anchor(&other));
    assert!(RedeemLink::code_in(&both, &portal).is_none());
    true
}

/// An address that is taken is taken again as it is written, and never printed in full.
fn email_address(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let read = EmailAddress::parse(&text);
    assert!(
        read == EmailAddress::parse(text.trim()),
        "space around an address does not count"
    );
    let Ok(address) = read else {
        return false;
    };
    let written = address.as_str();
    assert!(
        written == text.trim() && written.len() <= 254 && !written.contains(char::is_whitespace)
    );
    assert!(EmailAddress::parse(written) == Ok(address.clone()));
    let (name, _) = written.rsplit_once('@').unwrap_or_default();
    let shown = address.to_string();
    assert!(name.chars().count() == 1 || !shown.starts_with(&format!("{name}@")));
    assert!(format!("{address:?}").contains(&shown));
    true
}
