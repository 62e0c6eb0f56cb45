//! A new contact, as somebody in the environment enters one, and what tells the handler of it.

use anyhow::{Context as _, anyhow};
use axum::extract::State;
use axum::{Json, Router, routing::post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Page;
use crate::Sandbox;
use crate::dataverse::{Message, Webhook};
use crate::host::Desk;

/// The column that counts whatever a rule says: without an address nobody is invited.
const ADDRESS: &str = "emailaddress1";

/// The column of the language that a contact prefers.
const LANGUAGE: &str = "mspp_userpreferredlcid";

/// What a person fills in; texts may be blank but for the last name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Newcomer {
    #[serde(default)]
    first_name: String,
    last_name: String,
    #[serde(default)]
    email: String,
    /// The number of the language that the contact prefers.
    language: Option<i64>,
}

pub(super) fn router() -> Router<Page> {
    Router::new().route("/sandbox/contacts", post(enter))
}

async fn enter(
    State(page): State<Page>,
    Json(newcomer): Json<Newcomer>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let row = newcomer.row(&languages(&page.sandbox));
    let row = row.map_err(|sentence| (StatusCode::UNPROCESSABLE_ENTITY, sentence))?;
    let id = page.sandbox.dataverse.insert("contacts", &row);
    Ok(Json(json!({ "id": id })))
}

impl Newcomer {
    /// The row, or a sentence on what does not fit.
    fn row(&self, languages: &[i64]) -> Result<Value, String> {
        if self.last_name.trim().is_empty() {
            return Err("A contact needs a last name.".to_owned());
        }
        let texts = [
            ("first name", &self.first_name, 50),
            ("last name", &self.last_name, 50),
            ("e-mail address", &self.email, 100),
        ];
        for (what, text, most) in texts {
            if text.chars().count() > most {
                return Err(format!("The {what} is longer than {most} characters."));
            }
        }
        if (self.language).is_some_and(|language| !languages.contains(&language)) {
            return Err("No site has this language; leave it out.".to_owned());
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(json!({
            "firstname": some(&self.first_name),
            "lastname": self.last_name,
            "emailaddress1": some(&self.email),
            (LANGUAGE): self.language,
        }))
    }
}

/// The numbers of the languages that a contact can prefer.
fn languages(sandbox: &Sandbox) -> Vec<i64> {
    let state = sandbox.dataverse.state();
    let Some(contact) = state.entity("contact") else {
        return Vec::new();
    };
    let options = contact
        .column(LANGUAGE)
        .map(|column| contact.table.options(column));
    options
        .into_iter()
        .flatten()
        .map(|(number, _)| number)
        .collect()
}

/// Registers the step by which Dataverse tells the handler of contacts that are made, or changed in what the rule of
/// `AUTO_INVITE_FILTER` names; must be called inside a runtime.
pub fn tell_of_contacts(sandbox: &Sandbox, host: &Desk, rule: &str) -> anyhow::Result<()> {
    let state = sandbox.dataverse.state();
    let entity = state
        .entity("contact")
        .context("there is no table contact")?;
    let named = |column: &&'static str| *column == ADDRESS || names(rule, column);
    let columns = entity
        .columns()
        .map(|column| column.name)
        .filter(named)
        .collect();
    drop(state);
    let url = host.url().join("api/contact-created");
    sandbox.dataverse.register_webhook(Webhook {
        url: url.map_err(|error| anyhow!(error))?,
        headers: host.key_header().into_iter().collect(),
        table: "contact",
        messages: vec![Message::Create, Message::Update],
        filtering_attributes: columns,
    });
    Ok(())
}

/// Whether a rule has a column's name as a word; inside a text it counts too, which costs a call and nothing else.
fn names(rule: &str, column: &str) -> bool {
    let mut words = rule.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.any(|word| word == column)
}
