//! Owns what the shown letters say: people and events such as there are, none of them real.

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::digest;
use crate::app;
use crate::clock::Clock;
use crate::config::Looks;
use crate::domain::batch::LetterTerms;
use crate::domain::expiry::{self, ValidDays};
use crate::domain::invitation_code::InvitationCode;
use crate::domain::redeem_link::RedeemLink;
use crate::letter::{Brand, DigestContent, Letter, LetterContent, Letters};

/// The name of the letter to the people who run the service.
const DIGEST: &str = "digest";

/// What somebody wants to read in a sample; an empty text leaves the value out.
#[derive(Debug, Args)]
#[command(next_help_heading = "What it says ('' leaves it out)")]
pub(super) struct Words {
    /// Whom it greets [default: Amara Okafor].
    #[arg(
        long,
        value_name = "NAME",
        default_value = "Amara Okafor",
        hide_default_value = true
    )]
    contact_name: String,
    /// Who invites [default: Kim Berg].
    #[arg(
        long,
        value_name = "NAME",
        default_value = "Kim Berg",
        hide_default_value = true
    )]
    inviter_name: String,
    /// What that person adds [default: two sentences].
    #[arg(long, value_name = "TEXT", default_value = MESSAGE, hide_default_value = true)]
    message: String,
}

const MESSAGE: &str = "Good to meet you last week.\n\nThis is where your orders will be.";

/// How much a letter has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Variant {
    /// Each value that there may be.
    Everything,
    /// No value that may be absent: no name, message or expiry; no news.
    Least,
    /// The same as everything, and that an earlier link no longer works.
    Replacing,
}

impl Variant {
    /// As the command line has it.
    pub(super) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// One letter to show.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) language: String,
    pub(super) template: String,
    pub(super) variant: Variant,
}

impl Shown {
    /// Whether both are the same letter, with more or less in it.
    pub(super) fn is_template_of(&self, other: &Self) -> bool {
        (&self.language, &self.template) == (&other.language, &other.template)
    }
}

/// Every letter there is, language by language.
pub(super) fn all(letters: &Letters) -> Vec<Shown> {
    let mut names: Vec<_> = letters.names().collect();
    let digests = letters.languages().map(|language| (language, DIGEST));
    names.extend(
        digests.filter(|(language, _)| letters.digest_language(language) == Some(*language)),
    );
    names.sort_unstable_by_key(|(language, template)| (*language, *template == DIGEST, *template));
    let shown = names.into_iter().flat_map(|(language, template)| {
        variants_of(template).iter().map(|variant| Shown {
            language: language.to_owned(),
            template: template.to_owned(),
            variant: *variant,
        })
    });
    shown.collect()
}

/// A letter about an invitation that stands already replaces none.
fn variants_of(template: &str) -> &'static [Variant] {
    match template {
        DIGEST | LetterTerms::REMINDER | LetterTerms::RESEND => {
            &[Variant::Everything, Variant::Least]
        }
        _ => Variant::value_variants(),
    }
}

/// What letters are made from, all at the same moment.
pub(super) struct Samples<'a> {
    looks: &'a Looks,
    letters: &'a Letters,
    words: &'a Words,
    brand: Brand,
    now: Timestamp,
    expires: Timestamp,
}

impl<'a> Samples<'a> {
    pub(super) fn new(
        looks: &'a Looks,
        letters: &'a Letters,
        words: &'a Words,
    ) -> anyhow::Result<Self> {
        let now = Clock::system().now();
        let last_day = expiry::last_day_after(now, ValidDays::try_from(14)?, &looks.time_zone);
        Ok(Self {
            looks,
            letters,
            words,
            brand: app::brand(&looks.brand),
            now,
            expires: expiry::end_of(last_day, &looks.time_zone),
        })
    }

    /// Whose letters they are.
    pub(super) fn brand_name(&self) -> &str {
        &self.brand.name
    }

    /// The language that letters are in where nothing names another.
    pub(super) fn default_language(&self) -> &str {
        &self.looks.default_language
    }

    pub(super) fn letter(&self, shown: &Shown) -> anyhow::Result<Letter> {
        let least = shown.variant == Variant::Least;
        if shown.template == DIGEST {
            return self.digest(&shown.language, least);
        }
        let text = |text: &'a str| Some(text).filter(|text| !least && !text.is_empty());
        let letter = self.letters.render(&LetterContent {
            language: &shown.language,
            template: &shown.template,
            brand: &self.brand,
            contact_name: text(&self.words.contact_name).unwrap_or_default(),
            inviter_name: text(&self.words.inviter_name),
            // A reminder repeats nobody's words.
            message: text(&self.words.message).filter(|_| shown.template != LetterTerms::REMINDER),
            subject: None,
            link: &self.link(&shown.language),
            replaces: shown.variant == Variant::Replacing,
            expires: Some(self.expires).filter(|_| !least),
            zone: &self.looks.time_zone,
        })?;
        Ok(letter)
    }

    /// As long as a real one, with a code that was never given out.
    fn link(&self, language: &str) -> RedeemLink {
        let path = self.looks.languages.get(language).and_then(Option::as_ref);
        let bytes = std::array::from_fn(|place| u8::try_from(place * 7).unwrap_or_default());
        RedeemLink::new(
            &self.looks.portal,
            path,
            &InvitationCode::from_random(bytes),
            None,
        )
    }

    fn digest(&self, language: &str, least: bool) -> anyhow::Result<Letter> {
        let content = if least {
            DigestContent::default()
        } else {
            digest::busy_day(&self.words.contact_name, &self.words.inviter_name)
        };
        let yesterday = self.now - jiff::SignedDuration::from_hours(24);
        let time = (yesterday, self.now, &self.looks.time_zone);
        Ok(self
            .letters
            .render_digest(language, &self.brand, &content, time)?)
    }
}
