//! Owns the checks of the site: that it answers, and that its register page is there. No code ever goes along.

use std::time::Duration;

use http::StatusCode;
use url::Url;

use super::Check;
use crate::remote::budget::Budget;
use crate::remote::http::Broken;
use crate::remote::portal::{Lost, Visit};
use crate::service::{Parts, Policy};

/// Where a private site sends visitors.
/// <https://learn.microsoft.com/power-pages/security/site-visibility>
const SIGN_IN_HOSTS: [&str; 4] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
];

/// Each look ends by this, with its redirects.
const TIME: Duration = Duration::from_secs(45);

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    let time = TIME.min(budget.left());
    let home = visit(parts, parts.policy.portal_url.as_url().clone(), time);
    let pages = futures::future::join_all(
        register_pages(&parts.policy)
            .into_iter()
            .map(|page| visit(parts, page, time)),
    );
    let (home, pages) = tokio::join!(home, pages);
    vec![answers(home), register(pages)]
}

async fn visit(parts: &Parts, page: Url, time: Duration) -> Result<Visit, Lost> {
    let visit = tokio::time::timeout(time, parts.portal.visit(page.clone(), time));
    visit.await.unwrap_or_else(|_| {
        let broken = Broken::Lost(format!("no answer within {} s", time.as_secs()));
        Err(Lost { broken, at: page })
    })
}

/// The register page of each language that letters may lead to, without anything to redeem.
fn register_pages(policy: &Policy) -> Vec<Url> {
    let paths = policy.languages.values();
    let mut pages: Vec<Url> = paths
        .filter_map(|path| {
            let language = path
                .as_ref()
                .map_or(String::new(), |path| format!("/{}", path.as_str()));
            format!("{}{language}/register", policy.portal_url)
                .parse()
                .ok()
        })
        .collect();
    pages.sort_unstable();
    pages.dedup();
    pages
}

fn answers(home: Result<Visit, Lost>) -> Check {
    let id = "portal.answers";
    match home {
        Err(lost) => broken(id, &lost),
        Ok(Visit::Elsewhere(to)) if is_sign_in(&to) => Check::warn(
            id,
            format!(
                "The site is private: it sends visitors to sign in at {}.",
                host(&to)
            ),
            "Make it public before you invite anyone: Power Pages, edit the site, Security, Site visibility. Only \
             people of your own organisation get into a private site.",
        ),
        Ok(Visit::Elsewhere(to)) => Check::warn(
            id,
            format!("The site sends visitors on to {}.", host(&to)),
            "Set PORTAL_URL to the address where visitors end, so that letters lead there straight.",
        ),
        Ok(Visit::Circle) => Check::fail(
            id,
            "Each page of the site leads to another one.",
            "Open PORTAL_URL in a private window of a browser and follow where it leads.",
        ),
        Ok(Visit::Answered { status, .. }) if status.is_success() => {
            Check::pass(id, "The site answers.")
        }
        Ok(Visit::Answered { status, at }) => unwell(id, status, &at),
    }
}

fn unwell(id: &'static str, status: StatusCode, at: &Url) -> Check {
    let seen = format!("{at} answers HTTP {}.", status.as_u16());
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Check::warn(
            id,
            seen,
            "The site may let only some IP addresses in, so that it cannot be seen from here: check that contacts \
             can open it.",
        ),
        _ => Check::fail(
            id,
            seen,
            "Check PORTAL_URL, and in the Power Platform admin center that the site is on and not in maintenance.",
        ),
    }
}

fn broken(id: &'static str, lost: &Lost) -> Check {
    let host = host(&lost.at);
    match &lost.broken {
        Broken::NoSuchHost(cause) => Check::fail(
            id,
            format!("{host} cannot be found: {cause}."),
            "Check the spelling of PORTAL_URL; for a domain of your own, its DNS record.",
        ),
        Broken::NotSecure(cause) => Check::fail(
            id,
            format!("{host} cannot be reached securely: {cause}."),
            "Check the certificate of the site: visitors see a warning instead of the page. For a domain of your \
             own, renew or bind it in the Power Platform admin center.",
        ),
        Broken::NotConnected(cause) => Check::fail(
            id,
            format!("{host} cannot be reached: {cause}."),
            "Check PORTAL_URL, and that the function app may call out to it.",
        ),
        Broken::Lost(cause) => Check::not_checked(
            id,
            format!("{host} gave no answer: {cause}."),
            "A site that was idle starts slowly: try again in a minute.",
        ),
    }
}

fn register(pages: Vec<Result<Visit, Lost>>) -> Check {
    let id = "portal.register";
    let seen: Vec<String> = pages.iter().filter_map(found).collect();
    let mut worst = pages
        .into_iter()
        .filter_map(|page| missing(id, page))
        .collect::<Vec<_>>();
    worst.sort_by_key(|check| check.status);
    worst.pop().unwrap_or_else(|| {
        Check::pass(
            id,
            format!("The register page is there: {}.", seen.join(", ")),
        )
    })
}

fn found(page: &Result<Visit, Lost>) -> Option<String> {
    match page {
        Ok(Visit::Answered { status, at }) if status.is_success() => Some(at.path().to_owned()),
        _ => None,
    }
}

/// <https://learn.microsoft.com/power-pages/security/invite-contacts>
fn missing(id: &'static str, page: Result<Visit, Lost>) -> Option<Check> {
    match page {
        Ok(Visit::Answered { status, .. }) if status.is_success() => None,
        Ok(Visit::Answered {
            status: StatusCode::NOT_FOUND,
            at,
        }) => Some(Check::fail(
            id,
            format!(
                "{} is not there (HTTP 404): no letter's link works.",
                at.path()
            ),
            "The site answers so when registration is off or invitations are. Set both site settings to true: \
             Authentication/Registration/Enabled and Authentication/Registration/InvitationEnabled, then restart the \
             site. For a path with a language, check too that LANGUAGES names a language of the site.",
        )),
        Ok(Visit::Answered { status, at }) => Some(unwell(id, status, &at)),
        Ok(Visit::Circle) => Some(Check::fail(
            id,
            "The register page leads in a circle.",
            "Open PORTAL_URL/register in a private window of a browser and follow where it leads.",
        )),
        Ok(Visit::Elsewhere(to)) => Some(Check::not_checked(
            id,
            format!(
                "The register page sends visitors on to {}, which was not asked.",
                host(&to)
            ),
            "See what portal.answers says.",
        )),
        Err(lost) => Some(Check::not_checked(
            id,
            format!("{} could not be opened.", lost.at.path()),
            "See what portal.answers says.",
        )),
    }
}

fn is_sign_in(to: &Url) -> bool {
    to.host_str()
        .is_some_and(|host| SIGN_IN_HOSTS.contains(&host))
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}
