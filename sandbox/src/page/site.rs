//! The portal, as the view Portal shows it: its settings, who may still redeem, and who has.
//!
//! No invitation's code leaves this module: a browser names an invitation by its id.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use axum::extract::State;
use axum::{Json, Router, routing::post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::yield_now;
use uuid::Uuid;

use super::{Page, feed::Feed};
use crate::dataverse::{Row, State as Environment};

pub(super) const FEEDS: &[Feed] = &[
    Feed {
        name: "site",
        version: |page| {
            let hasher = BuildHasherDefault::<DefaultHasher>::default();
            hasher.hash_one(page.sandbox.portal.settings())
        },
        rows: site,
    },
    Feed {
        name: "open-invitations",
        version: |page| page.sandbox.dataverse.state().store.touched,
        rows: open,
    },
    Feed {
        name: "redemptions",
        version: |page| page.sandbox.dataverse.state().store.touched,
        rows: redemptions,
    },
];

pub(super) fn router() -> Router<Page> {
    Router::new()
        .route("/sandbox/site", post(configure))
        .route("/sandbox/redeem", post(redeem))
        .route("/sandbox/redeem/open", post(redeem_open))
}

/// What went wrong, for the person at the page.
type Refusal = (StatusCode, String);

fn refusal(words: String) -> Refusal {
    (StatusCode::UNPROCESSABLE_ENTITY, words)
}

fn site(page: &Page) -> BTreeMap<String, Value> {
    let settings = page.sandbox.portal.settings();
    let row = json!({
        "id": "site",
        "url": page.addresses.portal,
        "registration": settings.registration_enabled,
        "invitations": settings.invitation_enabled,
        "private": settings.private,
        "languages": settings.languages,
    });
    [("site".to_owned(), row)].into()
}

fn open(page: &Page) -> BTreeMap<String, Value> {
    let state = page.sandbox.dataverse.state();
    let rows = state.store.rows("adx_invitation");
    let open = rows.filter(|row| page.sandbox.portal.takes(row));
    let show = |row: &Row| {
        let contact = contact(&state, row);
        json!({
            "id": row.id,
            "name": name(contact),
            "email": contact.and_then(|contact| contact.text("emailaddress1")),
            "expires": row.moment("adx_expirydate"),
        })
    };
    open.map(|row| (row.id.to_string(), show(row))).collect()
}

fn redemptions(page: &Page) -> BTreeMap<String, Value> {
    let state = page.sandbox.dataverse.state();
    let show = |row: &Row| {
        let invitation = row.id_in("regardingobjectid");
        let redeemer = invitation
            .and_then(|id| {
                state
                    .store
                    .row("adx_invitation", id)?
                    .id_in("adx_redeemedcontact")
            })
            .and_then(|contact| state.store.row("contact", contact));
        json!({
            "id": row.id,
            "name": redeemer.and_then(|contact| contact.text("fullname")),
            "username": row.text("subject"),
            "invitation": invitation,
            "at": row.moment("createdon"),
        })
    };
    let rows = state.store.rows("adx_inviteredemption");
    rows.map(|row| (row.id.to_string(), show(row))).collect()
}

/// Whom an invitation is for.
fn contact<'a>(state: &'a Environment, invitation: &Row) -> Option<&'a Row> {
    state
        .store
        .row("contact", invitation.id_in("adx_invitecontact")?)
}

fn name(contact: Option<&Row>) -> &str {
    contact
        .and_then(|contact| contact.text("fullname"))
        .unwrap_or("nobody")
}

/// Site settings that shall be others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    registration: Option<bool>,
    invitations: Option<bool>,
    private: Option<bool>,
    languages: Option<Vec<String>>,
}

async fn configure(
    State(page): State<Page>,
    Json(settings): Json<Settings>,
) -> Result<(), Refusal> {
    let portal = &page.sandbox.portal;
    if let Some(languages) = settings.languages {
        let languages: Vec<&str> = languages.iter().map(String::as_str).collect();
        if let Some(odd) = languages
            .iter()
            .find(|name| !crate::portal::is_language(name))
        {
            let words = format!("“{odd}” is not a language as paths name it, such as da or da-DK.");
            return Err(refusal(words));
        }
        portal.set_languages(&languages);
    }
    if let Some(enabled) = settings.registration {
        portal.enable_registration(enabled);
    }
    if let Some(enabled) = settings.invitations {
        portal.enable_invitations(enabled);
    }
    if let Some(private) = settings.private {
        portal.set_private(private);
    }
    Ok(())
}

/// Redeems what the person at the page chose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    invitation: Uuid,
}

async fn redeem(
    State(page): State<Page>,
    Json(chosen): Json<Chosen>,
) -> Result<Json<Value>, Refusal> {
    page.check_open()?;
    let name = page.redeem_as_invited(chosen.invitation).map_err(refusal)?;
    Ok(Json(json!({"name": name})))
}

/// Redeems a share of all that can be redeemed, in percent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    percent: usize,
}

async fn redeem_open(
    State(page): State<Page>,
    Json(share): Json<Share>,
) -> Result<Json<Value>, Refusal> {
    page.check_open()?;
    if !(1..=100).contains(&share.percent) {
        return Err(refusal(
            "The share is a number of percent, from 1 to 100.".to_owned(),
        ));
    }
    let (mut redeemed, mut refused) = (0_usize, Vec::new());
    for id in spread(page.open_ids(), share.percent) {
        match page.redeem_as_invited(id) {
            Ok(_) => redeemed += 1,
            Err(words) => refused.push(words),
        }
        yield_now().await;
    }
    Ok(Json(json!({"redeemed": redeemed, "refused": refused})))
}

/// A share of a list, in percent, taken evenly from all of it.
fn spread(all: Vec<Uuid>, percent: usize) -> impl Iterator<Item = Uuid> {
    let taken = move |index: usize| (index + 1) * percent / 100 > index * percent / 100;
    let numbered = all.into_iter().enumerate();
    numbered.filter_map(move |(index, id)| taken(index).then_some(id))
}

impl Page {
    /// Refuses what no visitor of the site could do now.
    fn check_open(&self) -> Result<(), Refusal> {
        let settings = self.sandbox.portal.settings();
        let words = match (
            settings.private,
            settings.registration_enabled,
            settings.invitation_enabled,
        ) {
            (true, ..) => "The site is private: its visitors cannot get to the form.",
            (_, false, _) => "Registration is switched off, so the site has no form.",
            (_, _, false) => "Invitations are switched off, so the site has no form.",
            _ => return Ok(()),
        };
        Err(refusal(words.to_owned()))
    }

    fn open_ids(&self) -> Vec<Uuid> {
        let state = self.sandbox.dataverse.state();
        let rows = state.store.rows("adx_invitation");
        let open = rows.filter(|row| self.sandbox.portal.takes(row));
        open.map(|row| row.id).collect()
    }

    /// Does what the invited person would: opens the link, keeps the address, and signs up under the user name
    /// that they have or, without one, under their address. Gives their name, or what went wrong.
    fn redeem_as_invited(&self, invitation: Uuid) -> Result<String, String> {
        let (name, code, username, email) = self.invited(invitation)?;
        match self.sandbox.portal.redeem(&code, &username, &email) {
            Ok(_) => Ok(name),
            Err(error) => Err(format!("{name} was not let in: {error}.")),
        }
    }

    /// Name, code, user name and address of an invited person.
    fn invited(&self, invitation: Uuid) -> Result<(String, String, String, String), String> {
        let state = self.sandbox.dataverse.state();
        let row = state.store.row("adx_invitation", invitation);
        let row = row.ok_or("This invitation is not there any more.")?;
        let contact = contact(&state, row).ok_or("This invitation names nobody.")?;
        let name = name(Some(contact)).to_owned();
        let email = contact.text("emailaddress1").unwrap_or_default();
        let username = contact.text("adx_identity_username").unwrap_or(email);
        let code = row.text("adx_invitationcode").unwrap_or_default();
        Ok((name, code.to_owned(), username.to_owned(), email.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_taken_evenly() {
        let all: Vec<Uuid> = (0..10).map(Uuid::from_u128).collect();
        let taken = |percent| -> Vec<u128> {
            let ids = spread(all.clone(), percent);
            ids.map(|id| id.as_u128()).collect()
        };
        assert_eq!(taken(100).len(), 10);
        assert_eq!(taken(50), [1, 3, 5, 7, 9]);
        assert_eq!(taken(30), [3, 6, 9]);
        assert!(taken(1).is_empty());
    }
}
