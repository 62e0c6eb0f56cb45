//! Owns how one setting's text becomes a value, and the collecting of what is wrong.
//!
//! A problem is a lower-case fragment that reads after the setting's name. It never repeats the value:
//! settings end up in logs, and a mistyped secret is still a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use jiff::tz::TimeZone;
use url::{Host, Url};
use uuid::Uuid;

use super::container::{container, container_of};
use super::{BrandSettings, Environment};
use crate::domain::batch::MailDelivery;
use crate::domain::email_address::EmailAddress;
use crate::domain::expiry::ValidDays;
use crate::domain::ids::IdError;
use crate::domain::invitation::SweepScope;
use crate::domain::redeem_link::{LanguagePath, PortalUrl};
use crate::remote::dataverse::invitations::Owner;
use crate::remote::identity::Credential;
use crate::remote::journal::Place;

pub(super) type Parsed<T> = Result<T, String>;
type Languages = BTreeMap<String, Option<LanguagePath>>;

/// Reads settings and remembers every mistake, and every name that was asked for.
pub(super) struct Reader<'a> {
    environment: &'a Environment,
    asked: BTreeSet<&'static str>,
    mistakes: Vec<(&'static str, String)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            asked: BTreeSet::new(),
            mistakes: Vec::new(),
        }
    }

    pub(super) fn into_asked(self) -> BTreeSet<&'static str> {
        self.asked
    }

    pub(super) fn into_mistakes(self) -> Vec<(&'static str, String)> {
        self.mistakes
    }

    fn get(&mut self, name: &'static str) -> Option<String> {
        self.asked.insert(name);
        self.environment.get(name)
    }

    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Option<T> {
        match self.get(name) {
            Some(text) => self.keep(name, parse(text.trim())),
            None => self.keep(name, Err("is required and not set".to_owned())),
        }
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Option<T> {
        let text = self.get(name)?;
        self.keep(name, parse(text.trim()))
    }

    pub(super) fn with_default<T>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Option<T> {
        let text = self.get(name);
        self.keep(name, parse(text.as_deref().unwrap_or(default).trim()))
    }

    fn keep<T>(&mut self, name: &'static str, parsed: Parsed<T>) -> Option<T> {
        parsed
            .map_err(|problem| self.mistakes.push((name, problem)))
            .ok()
    }

    pub(super) fn credential(&mut self) -> Option<Credential> {
        let client_id = self.get("AZURE_CLIENT_ID");
        self.with_default("AZURE_CREDENTIAL", "managed-identity", |text| match text {
            "managed-identity" => Ok(Credential::ManagedIdentity { client_id }),
            "developer-tools" => Ok(Credential::DeveloperTools),
            _ => Err("must be managed-identity or developer-tools".to_owned()),
        })
    }

    /// The letter languages and which of them is the default: the one that is set, else the first.
    pub(super) fn languages(&mut self) -> (Languages, String) {
        let listed = self
            .with_default("LANGUAGES", "en", language_list)
            .unwrap_or_default();
        let first = listed
            .first()
            .map(|(language, _)| language.clone())
            .unwrap_or_default();
        let languages: Languages = listed.into_iter().collect();
        let default = self
            .optional("DEFAULT_LANGUAGE", |text| {
                let known = languages.contains_key(text) || languages.is_empty();
                known
                    .then(|| text.to_owned())
                    .ok_or_else(|| "must be one of LANGUAGES".to_owned())
            })
            .unwrap_or(first);
        (languages, default)
    }

    pub(super) fn brand(&mut self, portal: Option<&PortalUrl>) -> Option<BrandSettings> {
        let host = portal.and_then(|portal| portal.as_url().host_str().map(str::to_owned));
        let name = self
            .optional("BRAND_NAME", |text| Ok(text.to_owned()))
            .or(host);
        let color = self.with_default("BRAND_COLOR", "#0f6cbd", color);
        let logo_url = self.optional("BRAND_LOGO_URL", service_url);
        let support_email = self.optional("SUPPORT_EMAIL", email);
        Some(BrandSettings {
            name: name?,
            color: color?,
            logo_url,
            support_email,
        })
    }

    /// Whether Azure App Service set the environment.
    /// <https://learn.microsoft.com/azure/app-service/reference-app-settings>
    pub(super) fn on_azure(&mut self) -> bool {
        self.get("WEBSITE_INSTANCE_ID").is_some()
    }

    /// A directory where one is named, else the app's own storage account: on Azure journals must outlive the
    /// instance. The account is named as an identity-based connection of the Functions host.
    /// <https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity>
    pub(super) fn batch_store(&mut self) -> Option<Place> {
        if let Some(directory) = self.optional("BATCH_STORE", path) {
            return Some(Place::Directory(directory));
        }
        let service = "AzureWebJobsStorage__blobServiceUri";
        let account = "AzureWebJobsStorage__accountName";
        let (service, account) = if self.get(service).is_some() {
            (self.optional(service, container), None)
        } else {
            (None, self.optional(account, container_of))
        };
        let client_id = self.get("AzureWebJobsStorage__clientId");
        if let Some(url) = service.or(account) {
            return Some(Place::Container { url, client_id });
        }
        let named = self
            .mistakes
            .iter()
            .any(|(name, _)| name.starts_with("AzureWebJobsStorage__"));
        if !named && self.on_azure() {
            let problem = "names no directory, and AzureWebJobsStorage__accountName or \
                           AzureWebJobsStorage__blobServiceUri names no storage account to keep journals in; \
                           a connection string is not used, because it is a secret";
            return self.keep("BATCH_STORE", Err(problem.to_owned()));
        }
        Some(Place::Directory(PathBuf::from(".portal-invite")))
    }
}

pub(super) fn parsed<T: FromStr>(text: &str) -> Parsed<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// An absolute https address, plain http only on loopback.
pub(super) fn service_url(text: &str) -> Parsed<Url> {
    let url = Url::parse(text).map_err(|error| format!("is no absolute address ({error})"))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("has no host".to_owned()),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err("must start with https://".to_owned()),
    }
}

pub(super) fn portal_url(text: &str) -> Parsed<PortalUrl> {
    PortalUrl::parse(text).map_err(|error| error.to_string())
}

pub(super) fn email(text: &str) -> Parsed<EmailAddress> {
    EmailAddress::parse(text).map_err(|error| error.to_string())
}

pub(super) fn email_list(text: &str) -> Parsed<Vec<EmailAddress>> {
    let mut seen = BTreeSet::new();
    let addresses: Vec<_> = list(text).map(email).collect::<Result<_, _>>()?;
    match addresses
        .iter()
        .all(|address| seen.insert(address.folded()))
    {
        _ if addresses.is_empty() => Err("names no mailbox".to_owned()),
        true => Ok(addresses),
        false => Err("names a mailbox twice".to_owned()),
    }
}

pub(super) fn mail_delivery(text: &str) -> Parsed<MailDelivery> {
    match text {
        "draft" => Ok(MailDelivery::Draft),
        "send" => Ok(MailDelivery::Send),
        _ => Err("must be draft or send".to_owned()),
    }
}

pub(super) fn whole_number(text: &str, allowed: RangeInclusive<i64>) -> Parsed<i64> {
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| {
        format!(
            "must be a whole number from {} to {}",
            allowed.start(),
            allowed.end()
        )
    })
}

pub(super) fn valid_days(text: &str) -> Parsed<ValidDays> {
    let days = whole_number(text, 1..=365)?;
    ValidDays::try_from(days).map_err(|error| error.to_string())
}

pub(super) fn owner(text: &str) -> Parsed<Owner> {
    let problem = || "must be team/guid or systemuser/guid".to_owned();
    let (table, id) = text.split_once('/').ok_or_else(problem)?;
    let id: Uuid = id.parse().map_err(|_| problem())?;
    match table {
        "team" => Ok(Owner::Team(id)),
        "systemuser" => Ok(Owner::SystemUser(id)),
        _ => Err(problem()),
    }
}

pub(super) fn time_zone(text: &str) -> Parsed<TimeZone> {
    TimeZone::get(text).map_err(|_| "is no IANA time zone name, such as Europe/Oslo".to_owned())
}

/// Any text is a path.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every setting's parser has this shape"
)]
pub(super) fn path(text: &str) -> Parsed<PathBuf> {
    Ok(PathBuf::from(text))
}

/// An `OData` filter; only Dataverse can tell whether it is right.
pub(super) fn filter(text: &str) -> Parsed<String> {
    if text.starts_with("$filter") {
        return Err("is what follows $filter=, without that name".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn boolean(text: &str) -> Parsed<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

pub(super) fn sweep_scope(text: &str) -> Parsed<SweepScope> {
    match text {
        "all" => Ok(SweepScope::All),
        "ours" => Ok(SweepScope::Ours),
        _ => Err("must be all or ours".to_owned()),
    }
}

pub(super) fn id_list<T: FromStr<Err = IdError> + Ord>(text: &str) -> Parsed<BTreeSet<T>> {
    list(text).map(parsed).collect()
}

/// `en=en-US,da=da-DK,nb`: letter language, and after `=` the site's path for it.
fn language_list(text: &str) -> Parsed<Vec<(String, Option<LanguagePath>)>> {
    let languages: Vec<_> = list(text).map(language).collect::<Result<_, _>>()?;
    let distinct: BTreeSet<_> = languages
        .iter()
        .map(|(language, _)| language.as_str())
        .collect();
    match distinct.len() {
        0 => Err("names no language".to_owned()),
        count if count < languages.len() => Err("names a language twice".to_owned()),
        _ => Ok(languages),
    }
}

fn language(text: &str) -> Parsed<(String, Option<LanguagePath>)> {
    match text.split_once('=') {
        None => Ok((text.to_owned(), None)),
        Some((language, path)) => {
            let path = LanguagePath::parse(path.trim()).map_err(|error| error.to_string())?;
            Ok((language.trim().to_owned(), Some(path)))
        }
    }
}

fn color(text: &str) -> Parsed<String> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    match digits {
        Some(digits) if digits.chars().all(|digit| digit.is_ascii_hexdigit()) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err("must be a colour such as #0f6cbd".to_owned()),
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}
