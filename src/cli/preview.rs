//! The command `preview`: a letter with sample values, so that templates can be written at a desk.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::{EXIT_USAGE, say};
use crate::app;
use crate::clock::Clock;
use crate::config::{Environment, Looks};
use crate::domain::expiry::{self, ValidDays};
use crate::domain::redeem_link::RedeemLink;
use crate::letter::{Letter, LetterContent, Letters};

#[derive(Debug, Args)]
#[command(after_help = "\
The looks come from BRAND_NAME, BRAND_COLOR, BRAND_LOGO_URL, SUPPORT_EMAIL and
TEMPLATE_DIR, where they are set. Nothing is sent, and the link in the letter
redeems nothing.

Examples:
  portal-invite preview --out letter.html
  BRAND_NAME=Contoso portal-invite preview --language en > letter.html")]
pub(super) struct Arguments {
    /// Which letter.
    #[arg(long, default_value = "invitation", value_name = "NAME")]
    template: String,
    /// In which language [default: `DEFAULT_LANGUAGE`].
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// Where to write it [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self, environment: &Environment) -> anyhow::Result<ExitCode> {
        let looks = Looks::from_environment(environment)?;
        let letters = Letters::load(&looks.template_dir).map_err(app::AppError::from)?;
        let language = self.language.as_deref().unwrap_or(&looks.default_language);
        if !letters.has(language, &self.template) {
            return Ok(unknown(&letters, language, &self.template));
        }
        let letter = sample(&looks, &letters, language, &self.template)?;
        match &self.out {
            None => say(&letter.html),
            Some(path) => {
                fs::write(path, &letter.html)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                say(&format!("Subject: {}", letter.subject));
                say(&format!("The letter is in {}.", path.display()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[expect(clippy::print_stderr, reason = "why there is no answer")]
fn unknown(letters: &Letters, language: &str, template: &str) -> ExitCode {
    let known: Vec<String> = letters
        .names()
        .map(|(language, template)| format!("  --language {language} --template {template}"))
        .collect();
    eprintln!("portal-invite: there is no letter {language}/{template}. These are there:");
    eprintln!("{}", known.join("\n"));
    ExitCode::from(EXIT_USAGE)
}

fn sample(
    looks: &Looks,
    letters: &Letters,
    language: &str,
    template: &str,
) -> anyhow::Result<Letter> {
    let now = Clock::system().now();
    let days = ValidDays::try_from(14)?;
    let last_day = expiry::last_day_after(now, days, &looks.time_zone);
    let letter = letters.render(&LetterContent {
        language,
        template,
        brand: &app::brand(&looks.brand),
        contact_name: "Amara Okafor",
        inviter_name: Some("Kim Berg"),
        message: Some("Good to meet you last week.\n\nThis is where your orders will be."),
        subject: None,
        link: &RedeemLink::sample(),
        replaces: false,
        expires: Some(expiry::end_of(last_day, &looks.time_zone)),
        zone: &looks.time_zone,
    })?;
    Ok(letter)
}
