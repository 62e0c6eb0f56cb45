//! The pages of the site: showing one never changes anything, only a posted form redeems.
//!
//! Paths are compared without case and may begin with a language, as on the real server.
//! <https://github.com/Adoxio/xRM-Portals-Community-Edition>

use std::collections::BTreeSet;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use url::form_urlencoded;

use super::looks::{Form, Frame, TOKEN, Visitor};
use super::{Portal, RedeemError};

/// The largest form, in bytes.
const LARGEST_FORM: usize = 65_536;
/// The cookie of who is signed in. Ports share cookies, so that its name says whose it is.
const SESSION: &str = "portal-invite-sandbox";

/// Only the page's own looks; and only pages on this machine may show it in a frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; \
     frame-ancestors http://127.0.0.1:* http://localhost:*",
);

/// What a path shows.
#[derive(Debug, PartialEq, Eq)]
enum Page {
    Redeem,
    Home,
    Profile,
    SignOut,
}

/// Where a private site sends visitors.
const SIGN_IN: &str =
    "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/oauth2/authorize";

/// Finds the page of a path, and the language that the path begins with, as `/da-DK` or nothing.
fn page<'a>(path: &'a str, languages: &BTreeSet<String>) -> Option<(Page, &'a str)> {
    let first = path.split('/').nth(1).unwrap_or_default();
    let (prefix, rest) = path.split_at(if is_language(first) {
        1 + first.len()
    } else {
        0
    });
    let spoken = || languages.contains(&first.to_ascii_lowercase());
    if !prefix.is_empty() && !languages.is_empty() && !spoken() {
        return None;
    }
    let page = match rest.trim_matches('/').to_ascii_lowercase().as_str() {
        "" => Page::Home,
        "profile" => Page::Profile,
        "register" | "account/login/redeeminvitation" => Page::Redeem,
        "account/login/logoff" => Page::SignOut,
        _ => return None,
    };
    Some((page, prefix))
}

/// Whether a segment looks like `da` or `da-DK`.
pub(crate) fn is_language(segment: &str) -> bool {
    let (language, region) = segment.split_once('-').unwrap_or((segment, "XX"));
    [language, region]
        .iter()
        .all(|part| part.len() == 2 && part.chars().all(|c| c.is_ascii_alphabetic()))
}

pub(super) fn router(portal: Portal) -> Router {
    Router::new().fallback(handle).with_state(portal)
}

async fn handle(State(portal): State<Portal>, request: Request) -> Response<Body> {
    let settings = portal.settings();
    if settings.private {
        return redirect(SIGN_IN);
    }
    let path = request.uri().path().to_owned();
    let visitor = session(request.headers()).and_then(|session| portal.visitor(&session));
    let (found, prefix) = page(&path, &settings.languages).unzip();
    let frame = Frame {
        prefix: prefix.unwrap_or_default(),
        visitor: visitor.as_ref(),
    };
    let is_get = [Method::GET, Method::HEAD].contains(request.method());
    match found {
        Some(Page::Redeem) if !portal.is_open() => not_found(&frame, CLOSED),
        Some(Page::Redeem) if is_get => portal.empty_form(&frame, request.uri().query()),
        Some(Page::Redeem) if request.method() == Method::POST => {
            portal.accept(&frame, request).await
        }
        Some(Page::SignOut) if request.method() == Method::POST => {
            portal.sign_out(&frame, request).await
        }
        Some(Page::Home) if is_get => html(StatusCode::OK, frame.home()),
        Some(Page::Profile) if is_get => html(StatusCode::OK, frame.profile(&portal.token())),
        _ => not_found(&frame, UNKNOWN),
    }
}

const CLOSED: &str = "This site takes no sign-ups: registration or invitations are switched off in its site settings.";
const UNKNOWN: &str = "The sandbox's portal has no such page. On your own site, this may well be the page that people come for.";

/// A value of a query or form, by its name without case; empty where there is none.
fn value(form: &str, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    let found = pairs.find(|(own, _)| own.eq_ignore_ascii_case(name));
    found
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// Whether a path stays on this site.
fn is_local(url: &str) -> bool {
    url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\")
}

impl Portal {
    /// A new antiforgery token.
    fn token(&self) -> String {
        let token = self.dataverse.state().mint().to_string();
        self.site.lock().forms.insert(token.clone());
        token
    }

    /// The form as a link opens it: with the code, and with the address of whom it is for.
    fn empty_form(&self, frame: &Frame<'_>, query: Option<&str>) -> Response<Body> {
        let query = query.unwrap_or_default();
        let form = Form {
            token: &self.token(),
            code: &value(query, "invitation"),
            return_url: &value(query, "returnurl"),
            username: "",
            email: &self.address_of(&value(query, "invitation")),
            error: None,
        };
        html(StatusCode::OK, frame.form(&form))
    }

    /// Takes a form that was filled in.
    async fn accept(&self, frame: &Frame<'_>, request: Request) -> Response<Body> {
        let Some(form) = self.genuine_form(request).await else {
            return html(StatusCode::BAD_REQUEST, frame.stale());
        };
        let field = |name| value(&form, name);
        let [code, return_url] = ["invitation", "returnurl"].map(field);
        let [username, email] = ["username", "email"].map(|name| field(name).trim().to_owned());
        match self.redeem(&code, &username, &email) {
            Ok(redemption) => {
                let next = if is_local(&return_url) {
                    return_url
                } else {
                    format!("{}/profile", frame.prefix)
                };
                let mut answer = redirect(&next);
                set_session(answer.headers_mut(), &self.sign_in(redemption.contact));
                answer
            }
            Err(error) => self.refused(frame, [&code, &return_url, &username, &email], error),
        }
    }

    /// The form once more, with what was typed and what was wrong.
    fn refused(
        &self,
        frame: &Frame<'_>,
        [code, return_url, username, email]: [&str; 4],
        error: RedeemError,
    ) -> Response<Body> {
        let form = Form {
            token: &self.token(),
            code,
            return_url,
            username,
            email,
            error: Some(error),
        };
        html(StatusCode::OK, frame.form(&form))
    }

    async fn sign_out(&self, frame: &Frame<'_>, request: Request) -> Response<Body> {
        let session = session(request.headers()).unwrap_or_default();
        if self.genuine_form(request).await.is_none() {
            return html(StatusCode::BAD_REQUEST, frame.stale());
        }
        self.site.lock().sessions.remove(&session);
        redirect(&format!("{}/", frame.prefix))
    }

    /// A form that this site handed out, as it was posted.
    async fn genuine_form(&self, request: Request) -> Option<String> {
        let body = to_bytes(request.into_body(), LARGEST_FORM).await.ok()?;
        let form = String::from_utf8_lossy(&body).into_owned();
        let known = self.site.lock().forms.contains(&value(&form, TOKEN));
        known.then_some(form)
    }

    /// Who is signed in.
    fn visitor(&self, session: &str) -> Option<Visitor> {
        let contact = *self.site.lock().sessions.get(session)?;
        let state = self.dataverse.state();
        let row = state.store.row("contact", contact)?;
        let text = |column| row.text(column).unwrap_or_default().to_owned();
        Some(Visitor {
            name: text("fullname"),
            username: text("adx_identity_username"),
            email: text("emailaddress1"),
        })
    }
}

fn session(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?.split(';');
    let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    let (_, session) = pairs.find(|(name, _)| *name == SESSION)?;
    Some(session.to_owned())
}

fn set_session(headers: &mut HeaderMap, session: &str) {
    let cookie = format!("{SESSION}={session}; Path=/; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.insert(SET_COOKIE, cookie);
    }
}

fn redirect(target: &str) -> Response<Body> {
    let first_page = HeaderValue::from_static("/");
    let target = HeaderValue::from_str(target).unwrap_or(first_page);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(LOCATION, target);
    response
}

fn not_found(frame: &Frame<'_>, why: &str) -> Response<Body> {
    html(StatusCode::NOT_FOUND, frame.not_found(why))
}

fn html(status: StatusCode, page: String) -> Response<Body> {
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}
