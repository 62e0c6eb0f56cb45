//! Owns the settings: what the app settings (environment variables) mean, their defaults and their limits.
//!
//! Every mistake is collected and reported at once, by name and without the value, because an operator
//! who fixes settings one start at a time pays a cold start for each. Nothing else reads the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use url::Url;

use crate::domain::batch::MailDelivery;
use crate::domain::email_address::EmailAddress;
use crate::domain::expiry::ValidDays;
use crate::domain::ids::{Site, WebRoleId, WebsiteId, WorkflowId};
use crate::domain::invitation::SweepScope;
use crate::domain::redeem_link::{LanguagePath, PortalUrl};
use crate::remote::dataverse::invitations::Owner;
use crate::remote::identity::Credential;
use crate::remote::journal::Place;

mod container;
mod looks;
mod parse;

pub use looks::Looks;
use parse::Reader;

/// Where settings are read from.
#[derive(Debug)]
pub enum Environment {
    /// The process environment, as the Functions host passes it on.
    Process,
    /// The same but for these names: the given value counts, or where there is none, the default.
    ProcessBut(BTreeMap<&'static str, Option<String>>),
    /// Given settings; for tests and for commands that need no environment.
    Given(BTreeMap<String, String>),
}

impl Environment {
    /// The value of a setting; an empty one counts as absent.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the only reader of the environment"
    )]
    pub fn get(&self, name: &str) -> Option<String> {
        let value = match self {
            Self::ProcessBut(settings) if settings.contains_key(name) => {
                settings.get(name).cloned().flatten()
            }
            Self::Process | Self::ProcessBut(_) => std::env::var(name).ok(),
            Self::Given(settings) => settings.get(name).cloned(),
        };
        value.filter(|value| !value.trim().is_empty())
    }

    /// The same without these settings.
    #[must_use]
    pub fn without(&self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.but(names.into_iter().map(|name| (name, None)))
    }

    /// The same but for these settings, which have the given value, or none.
    #[must_use]
    pub fn but(&self, settings: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Self {
        match self {
            Self::Process => Self::ProcessBut(settings.into_iter().collect()),
            Self::ProcessBut(earlier) => {
                Self::ProcessBut(earlier.clone().into_iter().chain(settings).collect())
            }
            Self::Given(given) => {
                let mut given = given.clone();
                for (name, value) in settings {
                    given.remove(name);
                    given.extend(value.map(|value| (name.to_owned(), value)));
                }
                Self::Given(given)
            }
        }
    }
}

/// Everything that can be set.
#[derive(Debug)]
pub struct Config {
    /// `DATAVERSE_URL`: the organisation's address, without a path.
    pub dataverse_url: Url,
    /// `GRAPH_URL`: Microsoft Graph, for sovereign clouds.
    pub graph_url: Url,
    /// `PORTAL_URL`: where contacts redeem.
    pub portal_url: PortalUrl,
    /// `PORTAL_WEBSITE_ID`, together with the portal's address: what this deployment serves.
    pub site: Site,
    /// `PORTAL_WEBSITE_ID`: written on rows, and used to tell them from other sites' rows.
    pub website: Option<WebsiteId>,
    /// `PORTAL_TIME_ZONE`: the zone in which days end, and its IANA name for letters.
    pub time_zone: TimeZone,
    /// `MAIL_SENDERS`: the mailboxes that letters leave from; at least one.
    pub mail_senders: Vec<EmailAddress>,
    /// `MAIL_DELIVERY`.
    pub mail_delivery: MailDelivery,
    /// `MAIL_RATE_PER_MINUTE`: letters a sender in any 60 seconds from one process.
    pub mail_rate_per_minute: u32,
    /// `MAIL_REPLY_TO`, else `SUPPORT_EMAIL`.
    pub mail_reply_to: Option<EmailAddress>,
    /// `INVITATION_VALID_DAYS`.
    pub invitation_valid_days: ValidDays,
    /// `INVITATION_OWNER`: who owns the rows, when not the app's own user.
    pub invitation_owner: Option<Owner>,
    /// `LANGUAGES`: letter language, and the site's path for it where there is one.
    pub languages: BTreeMap<String, Option<LanguagePath>>,
    /// `DEFAULT_LANGUAGE`: one of `LANGUAGES`.
    pub default_language: String,
    /// `BRAND_*` and `SUPPORT_EMAIL`.
    pub brand: BrandSettings,
    /// `TEMPLATE_DIR`.
    pub template_dir: PathBuf,
    /// `ALLOW_LINKS`: whether a caller may be handed a redeem link.
    pub allow_links: bool,
    /// `ALLOWED_WORKFLOWS`: the redemption workflows a caller may bind.
    pub allowed_workflows: BTreeSet<WorkflowId>,
    /// `ALLOWED_WEB_ROLES`: the web roles a caller may give to whoever redeems.
    pub allowed_roles: BTreeSet<WebRoleId>,
    /// `RESEND_COOLDOWN_MINUTES`: how long after a letter no other one follows unasked.
    pub resend_cooldown: Duration,
    /// `SWEEP_SCOPE`.
    pub sweep_scope: SweepScope,
    /// `AUTO_INVITE_FILTER`: which new contacts are invited unasked, as an `OData` filter.
    pub auto_invite_filter: Option<String>,
    /// `REMIND_DAYS_BEFORE`: how many days before an expiry a reminder may go out; 0 for never.
    pub remind_days_before: u32,
    /// `DIGEST_TO`: who gets the daily digest; nobody where it is empty.
    pub digest_to: Vec<EmailAddress>,
    /// `INLINE_SECONDS`: how long a POST goes on sending before it answers 202.
    pub inline_time: Duration,
    /// `BATCH_STORE`, else `AzureWebJobsStorage__*`: where the journals are.
    pub batch_store: Place,
    /// `BATCH_KEEP_DAYS`: how long finished journals are kept.
    pub batch_keep_days: u32,
    /// `WEBSITE_INSTANCE_ID`: whether it runs on Azure, which sets it.
    pub on_azure: bool,
    /// `AZURE_CREDENTIAL` and `AZURE_CLIENT_ID`.
    pub credential: Credential,
}

/// The looks of a letter, as set.
#[derive(Clone, Debug)]
pub struct BrandSettings {
    /// `BRAND_NAME`, else the portal's host name.
    pub name: String,
    /// `BRAND_COLOR`: `#rrggbb`.
    pub color: String,
    /// `BRAND_LOGO_URL`.
    pub logo_url: Option<Url>,
    /// `SUPPORT_EMAIL`.
    pub support_email: Option<EmailAddress>,
}

/// Every mistake in the settings, in the order they are documented.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Setting and what is wrong with it.
    pub mistakes: Vec<(&'static str, String)>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} app settings need attention:",
            self.mistakes.len()
        )?;
        self.mistakes
            .iter()
            .try_for_each(|(name, problem)| write!(formatter, "\n  {name}: {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// The most letters a sender and minute that make sense to ask for; Exchange Online takes 30.
/// <https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>
const HIGHEST_MAIL_RATE: i64 = 1_000;

/// A POST must answer well before Power Automate's 120 seconds.
/// <https://learn.microsoft.com/power-automate/limits-and-config>
const LONGEST_INLINE_SECONDS: i64 = 90;

/// A day: whoever asks a day later has a reason.
const LONGEST_COOLDOWN_MINUTES: i64 = 1_440;

/// As long as an invitation can be valid.
const LONGEST_REMIND_DAYS: i64 = 365;

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    ///
    /// All mistakes at once.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let mut read = Reader::new(environment);
        let config = Self::read(&mut read);
        match (config, read.into_mistakes()) {
            (Some(config), mistakes) if mistakes.is_empty() => Ok(config),
            (_, mistakes) => Err(ConfigError { mistakes }),
        }
    }

    /// Every name that [`Self::from_environment`] asks for where nothing is set, in alphabetical order.
    #[must_use]
    pub fn names() -> BTreeSet<&'static str> {
        let nothing = Environment::Given(BTreeMap::new());
        let mut read = Reader::new(&nothing);
        drop(Self::read(&mut read));
        read.into_asked()
    }

    /// Reads all settings first and unwraps last, so that no mistake hides another.
    fn read(read: &mut Reader<'_>) -> Option<Self> {
        let dataverse_url = read.required("DATAVERSE_URL", parse::service_url);
        let portal_url = read.required("PORTAL_URL", parse::portal_url);
        let mail_senders = read.required("MAIL_SENDERS", parse::email_list);
        let credential = read.credential();
        let mail_delivery = read.with_default("MAIL_DELIVERY", "draft", parse::mail_delivery);
        let mail_rate = read.with_default("MAIL_RATE_PER_MINUTE", "30", |text| {
            parse::whole_number(text, 1..=HIGHEST_MAIL_RATE)
        });
        let reply_to = read.optional("MAIL_REPLY_TO", parse::email);
        let valid_days = read.with_default("INVITATION_VALID_DAYS", "14", parse::valid_days);
        let owner = read.optional("INVITATION_OWNER", parse::owner);
        let website = read.optional("PORTAL_WEBSITE_ID", parse::parsed);
        let time_zone = read.with_default("PORTAL_TIME_ZONE", "UTC", parse::time_zone);
        let (languages, default_language) = read.languages();
        let brand = read.brand(portal_url.as_ref());
        let template_dir = read.with_default("TEMPLATE_DIR", "templates", parse::path);
        let allow_links = read.with_default("ALLOW_LINKS", "false", parse::boolean);
        let workflows = read.optional("ALLOWED_WORKFLOWS", parse::id_list);
        let roles = read.optional("ALLOWED_WEB_ROLES", parse::id_list);
        let cooldown = read.with_default("RESEND_COOLDOWN_MINUTES", "10", |text| {
            parse::whole_number(text, 0..=LONGEST_COOLDOWN_MINUTES)
        });
        let sweep_scope = read.with_default("SWEEP_SCOPE", "all", parse::sweep_scope);
        let auto_invite_filter = read.optional("AUTO_INVITE_FILTER", parse::filter);
        let remind_days = read.with_default("REMIND_DAYS_BEFORE", "3", |text| {
            parse::whole_number(text, 0..=LONGEST_REMIND_DAYS)
        });
        let digest_to = read.optional("DIGEST_TO", parse::email_list);
        let inline = read.with_default("INLINE_SECONDS", "60", |text| {
            parse::whole_number(text, 1..=LONGEST_INLINE_SECONDS)
        });
        let graph_url = read.with_default(
            "GRAPH_URL",
            "https://graph.microsoft.com",
            parse::service_url,
        );
        let batch_store = read.batch_store();
        let keep_days = read.with_default("BATCH_KEEP_DAYS", "90", |text| {
            parse::whole_number(text, 1..=3_650)
        });

        let portal_url = portal_url?;
        let brand = brand?;
        Some(Self {
            dataverse_url: dataverse_url?,
            graph_url: graph_url?,
            site: Site::new(website, portal_url.as_url()),
            portal_url,
            website,
            time_zone: time_zone?,
            mail_senders: mail_senders?,
            mail_delivery: mail_delivery?,
            mail_rate_per_minute: u32::try_from(mail_rate?).ok()?,
            mail_reply_to: reply_to.or_else(|| brand.support_email.clone()),
            invitation_valid_days: valid_days?,
            invitation_owner: owner,
            languages,
            default_language,
            brand,
            template_dir: template_dir?,
            allow_links: allow_links?,
            allowed_workflows: workflows.unwrap_or_default(),
            allowed_roles: roles.unwrap_or_default(),
            resend_cooldown: Duration::from_mins(u64::try_from(cooldown?).ok()?),
            sweep_scope: sweep_scope?,
            auto_invite_filter,
            remind_days_before: u32::try_from(remind_days?).ok()?,
            digest_to: digest_to.unwrap_or_default(),
            inline_time: Duration::from_secs(u64::try_from(inline?).ok()?),
            batch_store: batch_store?,
            batch_keep_days: u32::try_from(keep_days?).ok()?,
            on_azure: read.on_azure(),
            credential: credential?,
        })
    }
}

#[cfg(test)]
mod tests;
