//! What the mailboxes sent and got, as the view Mailboxes shows it, and whether Graph lets anybody use them.
//!
//! Lists hold no bodies: a letter is served by itself, so that a browser shows it in a frame in which nothing runs.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router, body::Body};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, feed::Feed, files::status};
use crate::graph::{self, Fate, Letter, Place, Seen};

pub(super) const FEEDS: &[Feed] = &[
    Feed {
        name: "mailboxes",
        version: |page| page.sandbox.graph.touched(),
        rows: mailboxes,
    },
    Feed {
        name: "letters",
        version: |page| page.sandbox.graph.touched(),
        rows: letters,
    },
];

/// No script, no form, no request but for pictures; links open in a window of their own.
/// <https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/sandbox>
const POLICY: HeaderValue = HeaderValue::from_static(
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; \
     img-src https: http: data:",
);

pub(super) fn router() -> Router<Page> {
    Router::new()
        .route("/sandbox/letters/{mailbox}/{id}", get(body))
        .route("/sandbox/letters/{mailbox}/{id}/head", get(head))
        .route("/sandbox/mailboxes", post(set_state))
}

fn mailboxes(page: &Page) -> BTreeMap<String, Value> {
    let mailboxes = page.sandbox.graph.mailboxes().into_iter();
    let rows = mailboxes.map(|(address, state)| {
        let row = json!({"id": address, "state": state_name(state)});
        (address, row)
    });
    rows.collect()
}

fn letters(page: &Page) -> BTreeMap<String, Value> {
    let seen = page.sandbox.graph.overview().into_iter();
    seen.map(|seen| (seen.id.clone(), show(&seen))).collect()
}

fn show(seen: &Seen) -> Value {
    json!({
        "id": seen.id,
        "mailbox": seen.mailbox,
        "place": match seen.place {
            Place::Drafts => "drafts",
            Place::Sent => "sent",
            Place::Inbox => "inbox",
            Place::Deleted => "deleted",
        },
        "fate": match seen.fate {
            Fate::Draft => "draft",
            Fate::Underway => "underway",
            Fate::Delivered => "delivered",
            Fate::Lost => "lost",
            Fate::Received => "received",
        },
        "deliveries": seen.deliveries,
        "from": seen.from,
        "to": seen.to,
        "toName": seen.to_name,
        "subject": seen.subject,
        "at": seen.at,
        "isReport": seen.is_report,
        "about": seen.about,
    })
}

/// The body as it was written; before HTML stands what makes its links open elsewhere.
async fn body(
    State(page): State<Page>,
    Path((mailbox, id)): Path<(String, String)>,
) -> Response<Body> {
    let Some(letter) = page.sandbox.graph.message(&mailbox, &id) else {
        return status(StatusCode::NOT_FOUND);
    };
    let kind = if letter.is_text {
        "text/plain; charset=utf-8"
    } else {
        "text/html; charset=utf-8"
    };
    let body = if letter.is_text {
        letter.html
    } else {
        with_base(&letter.html)
    };
    let mut answer = Response::new(Body::from(body));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Puts `<base target>` where the parser takes it for a part of the head.
fn with_base(html: &str) -> String {
    const BASE: &str = "<base target=\"_blank\">";
    let (before, after) = html
        .find("<head>")
        .map_or(("", html), |start| html.split_at(start + "<head>".len()));
    format!("{before}{BASE}{after}")
}

/// What stands above a letter for those who ask: its headers, and what the mailbox keeps with it.
async fn head(
    State(page): State<Page>,
    Path((mailbox, id)): Path<(String, String)>,
) -> Result<Json<Value>, StatusCode> {
    let letter = page.sandbox.graph.message(&mailbox, &id);
    letter
        .map(|letter| Json(headers(&letter)))
        .ok_or(StatusCode::NOT_FOUND)
}

fn headers(letter: &Letter) -> Value {
    let own = letter.headers.iter().cloned();
    let id = ("Message-ID".to_owned(), letter.internet_message_id.clone());
    json!({
        "replyTo": letter.reply_to,
        "headers": own.chain([id]).collect::<Vec<_>>(),
        "properties": letter.extended_properties,
    })
}

/// How a mailbox shall behave from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Behaviour {
    mailbox: String,
    state: String,
}

async fn set_state(
    State(page): State<Page>,
    Json(behaviour): Json<Behaviour>,
) -> Result<(), (StatusCode, String)> {
    let graph = &page.sandbox.graph;
    let refuse = |status, what: &str, name| Err((status, format!("There is no {what} “{name}”.")));
    let mailboxes = graph.mailboxes();
    if !mailboxes
        .iter()
        .any(|(address, _)| *address == behaviour.mailbox)
    {
        return refuse(StatusCode::NOT_FOUND, "mailbox", behaviour.mailbox);
    }
    let Some((state, _)) = STATES
        .into_iter()
        .find(|(_, name)| *name == behaviour.state)
    else {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "state", behaviour.state);
    };
    graph.mailbox_state(&behaviour.mailbox, state);
    Ok(())
}

/// The states of a mailbox, as the page names them.
const STATES: [(graph::State, &str); 4] = [
    (graph::State::Ok, "works"),
    (graph::State::AccessDenied, "denied"),
    (graph::State::NoMailbox, "gone"),
    (graph::State::Full, "full"),
];

fn state_name(state: graph::State) -> &'static str {
    let known = STATES.into_iter().find(|(known, _)| *known == state);
    known.map_or("works", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_open_elsewhere_and_the_letter_stays_as_it_is() {
        let base = "<base target=\"_blank\">";
        for (html, expected) in [
            (
                "<html><head>\r\n<title>x</title></head></html>",
                format!("<html><head>{base}\r\n<title>x</title></head></html>"),
            ),
            ("<p>x</p>", format!("{base}<p>x</p>")),
        ] {
            assert_eq!(with_base(html), expected);
        }
    }
}
