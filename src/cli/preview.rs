//! The command `preview`: letters with sample values, so that templates can be written and looked at, at a desk.
//!
//! One letter goes to a file or to standard output, all of them to a folder with a page that shows them. Nothing is
//! sent, no service is asked, and the link in a letter redeems nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::{EXIT_USAGE, say};
use crate::app;
use crate::config::{Environment, Looks};
use crate::letter::Letters;
use samples::{Samples, Shown, Variant};

mod digest;
mod gallery;
mod inbox;
mod samples;

#[derive(Debug, Args)]
#[command(after_help = "\
TEMPLATE_DIR, PORTAL_URL, PORTAL_TIME_ZONE and LANGUAGES count too, where they
are set. Nothing is sent, and the link in a letter redeems nothing.

Examples:
  portal-invite preview --all --out letters
  portal-invite preview --all --out letters --brand-color '#8a1f5c'
  portal-invite preview --template reminder --out letter.html
  portal-invite preview --message 'Welcome aboard.' > letter.html")]
pub(super) struct Arguments {
    /// Which letter [default: `invitation`].
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Its language [default: `DEFAULT_LANGUAGE`].
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// everything, least or replacing [default: the first].
    #[arg(long, value_enum, value_name = "NAME", hide_possible_values = true)]
    variant: Option<Variant>,
    /// All of them, and a page that shows them.
    #[arg(long, requires = "out")]
    all: bool,
    /// A file, or with `--all` a folder.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    #[command(flatten)]
    brand: BrandArguments,
    #[command(flatten)]
    words: samples::Words,
}

/// Each stands in for the setting of that name.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it looks")]
struct BrandArguments {
    /// Who invites [default: `BRAND_NAME`].
    #[arg(long, value_name = "NAME")]
    brand_name: Option<String>,
    /// Of the button [default: `BRAND_COLOR`].
    #[arg(long, value_name = "#RRGGBB")]
    brand_color: Option<String>,
    /// On top [default: `BRAND_LOGO_URL`].
    #[arg(long, value_name = "URL")]
    logo_url: Option<String>,
    /// Whom to ask [default: `SUPPORT_EMAIL`].
    #[arg(long, value_name = "ADDRESS")]
    support_email: Option<String>,
}

impl BrandArguments {
    /// The settings, with these in their place; checked as settings are.
    fn over(&self, environment: &Environment) -> Environment {
        let given = [
            ("BRAND_NAME", &self.brand_name),
            ("BRAND_COLOR", &self.brand_color),
            ("BRAND_LOGO_URL", &self.logo_url),
            ("SUPPORT_EMAIL", &self.support_email),
        ];
        let given = given.into_iter().filter(|(_, value)| value.is_some());
        environment.but(given.map(|(name, value)| (name, value.clone())))
    }
}

impl Arguments {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<ExitCode> {
        let looks = Looks::from_environment(&self.brand.over(environment))?;
        let letters = Letters::load(&looks.template_dir).map_err(app::AppError::from)?;
        let chosen = self.choose(&letters, &looks.default_language);
        if chosen.is_empty() {
            return Ok(unknown(&letters));
        }
        let samples = Samples::new(&looks, &letters, &self.words)?;
        match &self.out {
            Some(directory) if self.all => gallery::write(directory, &samples, &chosen),
            out => one(out.as_deref(), &samples, &chosen[0]),
        }
    }

    /// The letters that were asked for; none where there is no such letter.
    fn choose(&self, letters: &Letters, default_language: &str) -> Vec<Shown> {
        let (language, template, variant) = if self.all {
            (None, None, None)
        } else {
            let everything = Variant::Everything;
            (Some(default_language), Some("invitation"), Some(everything))
        };
        let language = self.language.as_deref().or(language);
        let template = self.template.as_deref().or(template);
        let variant = self.variant.or(variant);
        let mut shown = samples::all(letters);
        shown.retain(|shown| {
            language.is_none_or(|language| shown.language == language)
                && template.is_none_or(|template| shown.template == template)
                && variant.is_none_or(|variant| shown.variant == variant)
        });
        shown
    }
}

fn one(out: Option<&Path>, samples: &Samples<'_>, shown: &Shown) -> anyhow::Result<ExitCode> {
    let letter = samples.letter(shown)?;
    let Some(path) = out else {
        say(&letter.html);
        return Ok(ExitCode::SUCCESS);
    };
    fs::write(path, &letter.html).with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("Subject: {}", letter.subject));
    say(&format!("The letter is in {}.", path.display()));
    Ok(ExitCode::SUCCESS)
}

fn unknown(letters: &Letters) -> ExitCode {
    let mut lines = vec!["there is no such letter. These are there:".to_owned()];
    lines.extend(
        samples::all(letters)
            .chunk_by(Shown::is_template_of)
            .map(|variants| {
                let names: Vec<_> = variants.iter().map(|shown| shown.variant.name()).collect();
                let Shown {
                    language, template, ..
                } = &variants[0];
                let variants = names.join("|");
                format!("  --language {language} --template {template} --variant {variants}")
            }),
    );
    refuse(&lines.join("\n"))
}

#[expect(clippy::print_stderr, reason = "why there is no answer")]
fn refuse(why: &str) -> ExitCode {
    eprintln!("portal-invite: {why}");
    ExitCode::from(EXIT_USAGE)
}
