//! Owns the checks of the site's settings for registration and invitation.
//!
//! A setting that nobody set has its default.
//! <https://learn.microsoft.com/power-pages/security/authentication/set-authentication-identity>

use std::collections::BTreeMap;

use super::answers::unanswered;
use super::{Check, Status};
use crate::remote::budget::Budget;
use crate::remote::dataverse::site_settings::{SiteSetting, SiteSettings};
use crate::service::Parts;

const ENABLED: &str = "Authentication/Registration/Enabled";
const INVITATIONS: &str = "Authentication/Registration/InvitationEnabled";
const OPEN: &str = "Authentication/Registration/OpenRegistrationEnabled";
const LOCAL: &str = "Authentication/Registration/LocalLoginEnabled";
const EXTERNAL: &str = "Authentication/Registration/ExternalLoginEnabled";
const UNIQUE_EMAIL: &str = "Authentication/UserManager/UserValidator/RequireUniqueEmail";

/// What is looked at; each is on where nobody set it.
const NAMES: [&str; 6] = [ENABLED, INVITATIONS, OPEN, LOCAL, EXTERNAL, UNIQUE_EMAIL];

const WHERE: &str = "Change site settings in the Power Pages Management app (Portal Management in the standard data \
    model) > Site Settings, then restart the site in the Power Pages admin center. \
    https://learn.microsoft.com/power-pages/configure/configure-site-settings";

/// What a site says of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Flag {
    Yes,
    No,
    /// It cannot be told from the settings; why.
    Unclear(String),
}

/// A site and its settings.
struct Site<'a> {
    label: String,
    settings: Vec<&'a SiteSetting>,
}

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    let website = parts.policy.site.website();
    match parts.dataverse.site_settings(&NAMES, website, budget).await {
        Ok(found) => judge(&found),
        Err(error) => {
            let privileges =
                "prvReadpowerpagecomponent (prvReadadx_sitesetting in the standard data model)";
            vec![unanswered("registration.site", &error, privileges)]
        }
    }
}

fn judge(found: &SiteSettings) -> Vec<Check> {
    let sites = sites(&found.settings);
    let mut checks = vec![site(found, &sites)];
    if sites.is_empty() {
        return checks;
    }
    let question = |id, weight, test: &dyn Fn(&Site<'_>) -> Flag, good: &str, bad: &str| {
        answer((id, weight), &sites, test, good, bad)
    };
    checks.extend([
        question(
            "registration.enabled",
            Status::Fail,
            &|site| site.flag(ENABLED),
            "Registration is on.",
            "Registration is off (Authentication/Registration/Enabled): the pages that a link leads to answer 404",
        ),
        question(
            "registration.invitations",
            Status::Fail,
            &|site| site.flag(INVITATIONS),
            "Invitations can be redeemed.",
            "Invitations are off (Authentication/Registration/InvitationEnabled): the redeem page answers 404",
        ),
        question(
            "registration.signIn",
            Status::Fail,
            &|site| either(&site.flag(LOCAL), &site.flag(EXTERNAL)),
            "There is a way to sign in.",
            "Both LocalLoginEnabled and ExternalLoginEnabled are off: whoever redeems cannot make a sign-in",
        ),
        question(
            "registration.uniqueEmail",
            Status::Warn,
            &|site| site.flag(UNIQUE_EMAIL),
            "No two contacts register with one address.",
            "RequireUniqueEmail is off: two contacts can register with one address, and letters then reach both",
        ),
    ]);
    checks
}

fn sites(settings: &[SiteSetting]) -> Vec<Site<'_>> {
    let mut sites: BTreeMap<_, Site<'_>> = BTreeMap::new();
    for setting in settings {
        let own = sites.entry(setting.site).or_insert_with(|| Site {
            label: label(setting),
            settings: Vec::new(),
        });
        own.settings.push(setting);
    }
    sites.into_values().collect()
}

fn label(setting: &SiteSetting) -> String {
    let id = setting.site.map(|id| id.to_string());
    let name = setting.site_name.clone().or(id);
    name.unwrap_or_else(|| "no site".to_owned())
}

impl Site<'_> {
    /// Whether a setting is on. Setting names do not mind case.
    fn flag(&self, name: &str) -> Flag {
        let own = self.settings.iter();
        let own = own.filter(|setting| setting.name.eq_ignore_ascii_case(name));
        let mut flags: Vec<_> = own
            .map(|setting| read(name, setting.value.as_deref()))
            .collect();
        flags.dedup();
        match flags.as_slice() {
            [] => Flag::Yes,
            [flag] => flag.clone(),
            _ => Flag::Unclear(format!("{name} is set more than once, differently")),
        }
    }
}

fn read(name: &str, value: Option<&str>) -> Flag {
    match value.map(str::trim) {
        None => Flag::Unclear(format!(
            "{name} is kept elsewhere, such as in an environment variable"
        )),
        Some(text) if text.is_empty() || text.eq_ignore_ascii_case("true") => Flag::Yes,
        Some(text) if text.eq_ignore_ascii_case("false") => Flag::No,
        Some(_) => Flag::Unclear(format!("{name} is neither true nor false")),
    }
}

fn either(one: &Flag, other: &Flag) -> Flag {
    match (one, other) {
        (Flag::Yes, _) | (_, Flag::Yes) => Flag::Yes,
        (Flag::Unclear(why), _) | (_, Flag::Unclear(why)) => Flag::Unclear(why.clone()),
        (Flag::No, Flag::No) => Flag::No,
    }
}

fn site(found: &SiteSettings, sites: &[Site<'_>]) -> Check {
    const ID: &str = "registration.site";
    match &found.site_exists {
        Some(Ok(false)) => {
            return Check::fail(
                ID,
                "PORTAL_WEBSITE_ID names no site of this environment.",
                "Set it to the id of the site's row in the table Site (powerpagesite), or take it away.",
            );
        }
        Some(Err(error)) => return unanswered(ID, error, "prvReadpowerpagesite"),
        _ => {}
    }
    if sites.is_empty() {
        return Check::warn(
            ID,
            "No setting of registration was found for the site, so all of them have their defaults.",
            "A site made in the usual way has them. Check PORTAL_WEBSITE_ID and DATAVERSE_URL.",
        );
    }
    let labels: Vec<_> = sites.iter().map(|site| site.label.as_str()).collect();
    let open = if sites.iter().all(|site| site.flag(OPEN) == Flag::No) {
        "only invited people can register"
    } else {
        "people can register without an invitation too"
    };
    Check::pass(ID, format!("Settings of {}: {open}.", labels.join(", ")))
}

/// Puts a question to every site; what is wrong on some of several sites may be another deployment's.
fn answer(
    (id, weight): (&'static str, Status),
    sites: &[Site<'_>],
    test: &dyn Fn(&Site<'_>) -> Flag,
    good: &str,
    bad: &str,
) -> Check {
    let flags: Vec<_> = sites.iter().map(|site| (site, test(site))).collect();
    let off = flags.iter().filter(|(_, flag)| *flag == Flag::No);
    let off: Vec<_> = off.map(|(site, _)| site.label.as_str()).collect();
    if off.len() == sites.len() && weight == Status::Fail {
        return Check::fail(id, format!("{bad}."), WHERE);
    }
    if !off.is_empty() {
        let seen = format!("{bad}. Sites: {}, of {}.", off.join(", "), sites.len());
        let advice =
            format!("If this deployment serves one of them, set PORTAL_WEBSITE_ID. {WHERE}");
        return Check::warn(
            id,
            seen,
            if sites.len() > 1 {
                advice
            } else {
                WHERE.to_owned()
            },
        );
    }
    let unclear = flags.into_iter().find_map(|(site, flag)| match flag {
        Flag::Unclear(why) => Some(format!("{why} ({}).", site.label)),
        _ => None,
    });
    match unclear {
        Some(why) => Check::warn(id, why, WHERE),
        None => Check::pass(id, good),
    }
}
