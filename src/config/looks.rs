//! Owns the settings that letters are shown by at a desk, where nothing is required.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::parse::{self, Reader};
use super::{BrandSettings, ConfigError, Environment};
use crate::domain::redeem_link::{LanguagePath, PortalUrl};

/// What the looks of a letter depend on.
#[derive(Debug)]
pub struct Looks {
    /// `BRAND_*` and `SUPPORT_EMAIL`.
    pub brand: BrandSettings,
    /// `TEMPLATE_DIR`.
    pub template_dir: PathBuf,
    /// `PORTAL_URL`, else a sample's.
    pub portal: PortalUrl,
    /// `LANGUAGES`: letter language, and the site's path for it where there is one.
    pub languages: BTreeMap<String, Option<LanguagePath>>,
    /// `DEFAULT_LANGUAGE`, else the first of `LANGUAGES`.
    pub default_language: String,
    /// `PORTAL_TIME_ZONE`.
    pub time_zone: TimeZone,
}

impl Looks {
    /// Reads and checks these settings and no others; the brand is a sample's where nothing names it.
    ///
    /// # Errors
    ///
    /// All mistakes at once.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let mut read = Reader::new(environment);
        let looks = Self::read(&mut read);
        match (looks, read.into_mistakes()) {
            (Some(looks), mistakes) if mistakes.is_empty() => Ok(looks),
            (_, mistakes) => Err(ConfigError { mistakes }),
        }
    }

    fn read(read: &mut Reader<'_>) -> Option<Self> {
        let portal = read.optional("PORTAL_URL", parse::portal_url);
        let portal = portal.or_else(|| PortalUrl::parse("https://contoso.example").ok());
        let brand = read.brand(portal.as_ref());
        let template_dir = read.with_default("TEMPLATE_DIR", "templates", parse::path);
        let (languages, default_language) = read.languages();
        let time_zone = read.with_default("PORTAL_TIME_ZONE", "UTC", parse::time_zone);
        Some(Self {
            portal: portal?,
            languages,
            brand: brand?,
            template_dir: template_dir?,
            default_language,
            time_zone: time_zone?,
        })
    }
}
