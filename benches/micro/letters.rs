//! Rendering: each kind of letter to a contact, in two languages.

use std::path::{Path, PathBuf};

use divan::Bencher;
use jiff::tz::TimeZone;
use portal_invite::domain::invitation_code::InvitationCode;
use portal_invite::domain::redeem_link::{PortalUrl, RedeemLink};
use portal_invite::letter::{Brand, Letter, LetterContent, Letters};
use url::Url;

use super::replay::moment;

const LETTERS: [(&str, &str); 6] = [
    ("en", "invitation"),
    ("en", "resend"),
    ("en", "reminder"),
    ("nb", "invitation"),
    ("nb", "resend"),
    ("nb", "reminder"),
];

/// Subject and HTML of one letter.
#[divan::bench(args = LETTERS)]
fn render(bencher: Bencher<'_, '_>, (language, template): (&str, &str)) {
    let (letters, looks) = (packaged(), Looks::new());
    let content = looks.content(language, template);
    bencher.bench_local(|| letters.render(&content).unwrap());
}

/// A letter as most are.
pub(crate) fn invitation() -> Letter {
    let looks = Looks::new();
    packaged()
        .render(&looks.content("en", "invitation"))
        .unwrap()
}

/// What a letter's content refers to.
struct Looks {
    brand: Brand,
    link: RedeemLink,
    zone: TimeZone,
}

impl Looks {
    fn new() -> Self {
        Self {
            brand: brand(),
            link: link(),
            zone: TimeZone::get("Europe/Oslo").unwrap(),
        }
    }

    fn content<'a>(&'a self, language: &'a str, template: &'a str) -> LetterContent<'a> {
        LetterContent {
            language,
            template,
            brand: &self.brand,
            contact_name: "Ada Lovelace",
            inviter_name: Some("Grace Hopper"),
            message: Some("Welcome to the new site.\n\nIt has all your orders."),
            subject: None,
            link: &self.link,
            replaces: false,
            expires: Some(moment("2026-12-06T22:00:00Z")),
            zone: &self.zone,
        }
    }
}

/// What a cold start does for one language: every template read, compiled and tried out.
#[divan::bench(sample_count = 20)]
fn load() -> Letters {
    Letters::load_languages(&templates(), ["en"]).unwrap()
}

fn packaged() -> Letters {
    Letters::load(&templates()).unwrap()
}

fn templates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

fn brand() -> Brand {
    Brand {
        name: "Contoso".to_owned(),
        color: "#0f6cbd".to_owned(),
        logo_url: Url::parse("https://portal.test/logo.png").ok(),
        support_email: Some("help@contoso.example".to_owned()),
    }
}

fn link() -> RedeemLink {
    let portal = PortalUrl::parse("https://portal.test").unwrap();
    RedeemLink::new(&portal, None, &InvitationCode::from_random([7; 32]), None)
}
