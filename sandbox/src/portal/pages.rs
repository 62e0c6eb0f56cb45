//! The pages of the site: showing one never changes anything, only a posted form redeems.
//!
//! Paths are compared without case and may begin with a language, as on the real server.
//! <https://github.com/Adoxio/xRM-Portals-Community-Edition>

use std::collections::BTreeSet;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Response, StatusCode};
use url::form_urlencoded;

use super::Portal;

/// The largest form, in bytes.
const LARGEST_FORM: usize = 65_536;
const TOKEN: &str = "__RequestVerificationToken";

/// What a path shows.
#[derive(Debug, PartialEq, Eq)]
enum Page {
    Redeem,
    Home,
    Profile,
}

/// Where a private site sends visitors.
const SIGN_IN: &str =
    "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/oauth2/authorize";

/// Finds the page of a path.
fn page(path: &str, languages: &BTreeSet<String>) -> Option<Page> {
    let path = path.trim_matches('/').to_ascii_lowercase();
    let (first, rest) = path.split_once('/').unwrap_or((path.as_str(), ""));
    let path = if is_language(first) {
        if !languages.is_empty() && !languages.contains(first) {
            return None;
        }
        rest
    } else {
        path.as_str()
    };
    match path {
        "" => Some(Page::Home),
        "profile" => Some(Page::Profile),
        "register" | "account/login/redeeminvitation" => Some(Page::Redeem),
        _ => None,
    }
}

/// Whether a segment looks like `da` or `da-DK`.
fn is_language(segment: &str) -> bool {
    let (language, region) = segment.split_once('-').unwrap_or((segment, "XX"));
    [language, region]
        .iter()
        .all(|part| part.len() == 2 && part.chars().all(|c| c.is_ascii_alphabetic()))
}

pub(super) fn router(portal: Portal) -> Router {
    Router::new().fallback(handle).with_state(portal)
}

async fn handle(State(portal): State<Portal>, request: Request) -> Response<Body> {
    if portal.site.lock().private {
        return redirect(SIGN_IN);
    }
    let found = page(request.uri().path(), &portal.site.lock().languages);
    match (found, request.method()) {
        (Some(Page::Redeem), _) if !portal.is_open() => not_found(),
        (Some(Page::Redeem), &Method::GET | &Method::HEAD) => {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let (code, return_url) = (value(&query, "invitation"), value(&query, "returnurl"));
            portal.form(&code, &return_url, None)
        }
        (Some(Page::Redeem), &Method::POST) => portal.accept(request).await,
        (Some(Page::Home), &Method::GET) => html(StatusCode::OK, "<h1>Welcome</h1>"),
        (Some(Page::Profile), &Method::GET) => html(StatusCode::OK, "<h1>Profile</h1>"),
        _ => not_found(),
    }
}

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
    /// The form in which a visitor redeems a code.
    fn form(&self, code: &str, return_url: &str, error: Option<&str>) -> Response<Body> {
        let token = self.dataverse.state().mint().to_string();
        self.site.lock().forms.insert(token.clone());
        let escape = html_escape::encode_double_quoted_attribute;
        let (code, return_url) = (escape(code), escape(return_url));
        let error =
            error.map(|error| format!("<p role=\"alert\">{}</p>", html_escape::encode_text(error)));
        let body = format!(
            "<h1>Redeem invitation</h1>{}<form method=\"post\">\
             <input type=\"hidden\" name=\"{TOKEN}\" value=\"{token}\">\
             <input type=\"hidden\" name=\"returnurl\" value=\"{return_url}\">\
             <p><label>Invitation code <input name=\"invitation\" value=\"{code}\" required></label></p>\
             <p><label>User name <input name=\"username\" autocomplete=\"username\" required></label></p>\
             <p><label>E-mail <input name=\"email\" type=\"email\" autocomplete=\"email\" required></label></p>\
             <p><button>Register</button></p></form>",
            error.unwrap_or_default()
        );
        html(StatusCode::OK, &body)
    }

    /// Takes a form that was filled in.
    async fn accept(&self, request: Request) -> Response<Body> {
        let body = to_bytes(request.into_body(), LARGEST_FORM)
            .await
            .unwrap_or_default();
        let form = String::from_utf8_lossy(&body).into_owned();
        if !self.site.lock().forms.contains(&value(&form, TOKEN)) {
            return html(
                StatusCode::BAD_REQUEST,
                "<h1>The antiforgery token is missing</h1>",
            );
        }
        let (code, return_url) = (value(&form, "invitation"), value(&form, "returnurl"));
        match self.redeem(
            &code,
            value(&form, "username").trim(),
            value(&form, "email").trim(),
        ) {
            Ok(_) => redirect(if is_local(&return_url) {
                &return_url
            } else {
                "/profile"
            }),
            Err(error) => self.form(&code, &return_url, Some(&error.to_string())),
        }
    }
}

fn redirect(target: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    match HeaderValue::from_str(target) {
        Ok(target) => {
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, target);
            response
        }
        Err(_) => not_found(),
    }
}

fn not_found() -> Response<Body> {
    html(StatusCode::NOT_FOUND, "<h1>Page not found</h1>")
}

fn html(status: StatusCode, body: &str) -> Response<Body> {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Portal</title><body>{body}</body></html>"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
