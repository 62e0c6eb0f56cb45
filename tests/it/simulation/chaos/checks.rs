//! The promises, checked once everything has settled.

use std::collections::{BTreeMap, BTreeSet};

use portal_invite::domain::ids::BatchNumber;
use sandbox::graph::Letter;
use serde_json::Value;
use uuid::Uuid;

use super::super::process::{Process, WEB_ROLE};
use super::meddlers::{REDEEMED, SENT};
use super::run::Run;

/// The relationship of the enhanced data model.
const ROLES: &str = "adx_invitation_mspp_webrole_powerpagecomponent";

/// What was asked of a batch.
struct Asked {
    sends: bool,
    roles: bool,
}

impl Run {
    /// Checks what holds after every episode.
    pub(super) async fn check(&mut self) {
        let letters = self.letters();
        for (key, letters) in &letters {
            assert_eq!(letters.len(), 1, "one letter for the delivery key {key}");
        }
        let process = self.another_process("observer");
        let batches = self.check_journals(&process).await;
        for contact in &self.contacts {
            self.check_contact(contact.uuid());
        }
        let opened = self.opened_again();
        for row in self.sandbox().dataverse.rows("adx_invitations") {
            self.check_row(&row, &letters, &batches, &opened);
            self.check_revoked(&row);
        }
        self.check_secrets(&letters);
    }

    /// The letters that were accepted, by their delivery keys.
    fn letters(&self) -> BTreeMap<String, Vec<Letter>> {
        let mut letters: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for letter in self.sandbox().graph.letters() {
            let key = letter.extended_properties.values().next().unwrap().clone();
            letters.entry(key).or_default().push(letter);
        }
        letters
    }

    /// Everything accepted has settled; gives what was asked of each batch.
    async fn check_journals(&self, process: &Process) -> BTreeMap<i64, Asked> {
        let mut batches = BTreeMap::new();
        for (name, text) in self.journals() {
            let first = text.lines().next().unwrap_or("{}");
            let first: Value = serde_json::from_str(first).unwrap();
            let planned = text.contains(r#""line":"planned""#);
            let Some(number) = first["terms"]["number"].as_i64().filter(|_| planned) else {
                continue;
            };
            assert!(name.starts_with("done/"), "{name}");
            let asked = Asked {
                sends: first["terms"]["sendEmail"].as_bool().unwrap(),
                roles: first["terms"]["bound"]["roles"].is_array(),
            };
            if batches.insert(number, asked).is_none() {
                let number = BatchNumber::try_from(number).unwrap();
                let report = process.service.batch(number).await.unwrap();
                assert!(report.finished);
                let links = report
                    .results
                    .iter()
                    .filter(|entry| entry.redeem_url.is_some());
                self.deployment
                    .diary
                    .count("links handed out", links.count());
                self.seen.report(&report);
            }
        }
        for number in self.seen.numbers() {
            let there = batches.contains_key(&i64::from(i32::from(number)));
            assert!(
                there,
                "batch {number} was accepted, and is not in the store"
            );
        }
        batches
    }

    fn check_contact(&self, contact: Uuid) {
        if self
            .meddling
            .deeds
            .lock()
            .unwrap()
            .deleted
            .contains(&contact)
        {
            return;
        }
        let rows = self.sandbox().dataverse.invitations_of(contact);
        let ours = |row: &&Value| row["importsequencenumber"].is_number() && self.redeemable(row);
        let open: Vec<_> = rows.iter().filter(ours).collect();
        assert!(open.len() <= 1, "at most one redeemable row: {open:#?}");
    }

    fn redeemable(&self, row: &Value) -> bool {
        let expires = row["adx_expirydate"].as_str();
        let expires: Option<jiff::Timestamp> = expires.map(|expires| expires.parse().unwrap());
        let active = row["statecode"] == 0 && row["statuscode"] != REDEEMED;
        active && expires.is_none_or(|expires| expires > self.sandbox().clock.now())
    }

    /// Nothing opens a row again whose revocation was answered.
    fn check_revoked(&self, row: &Value) {
        let (id, deeds) = (id_of(row), self.meddling.deeds.lock().unwrap());
        let contact = row["_adx_invitecontact_value"].as_str();
        let contact: Option<Uuid> = contact.map(|contact| contact.parse().unwrap());
        // The id of a deleted row may come back; one that somebody gave a code to looks as if the sweep had closed it.
        let deleted = contact.is_some_and(|contact| deeds.deleted.contains(&contact));
        let spoiled = deleted || deeds.overwritten.contains(&id);
        if deeds.revoked.contains(&id) && !spoiled {
            assert_eq!(row["statecode"], 1, "{row:#}");
            assert!(row["adx_invitationcode"].is_null(), "{row:#}");
        }
    }

    /// Rows that a batch was to open again. A letter about such a row may be refused afterwards, and the row stays Sent.
    fn opened_again(&self) -> BTreeSet<Uuid> {
        const PLAN: &str = r#""reopen":{"id":""#;
        let mut opened = BTreeSet::new();
        for (_, text) in self.journals() {
            for (place, _) in text.match_indices(PLAN) {
                let id = &text[place + PLAN.len()..][..36];
                opened.insert(id.parse().unwrap());
            }
        }
        opened
    }

    fn check_row(
        &self,
        row: &Value,
        letters: &BTreeMap<String, Vec<Letter>>,
        batches: &BTreeMap<i64, Asked>,
        opened: &BTreeSet<Uuid>,
    ) {
        let (id, deeds) = (id_of(row), self.meddling.deeds.lock().unwrap());
        if let Some(code) = deeds.redeemed.get(&id) {
            assert_eq!(row["statuscode"], REDEEMED, "{row:#}");
            assert_eq!(row["adx_invitationcode"], *code, "{row:#}");
        }
        // What somebody prepared has no batch, and is Sent only once it was adopted.
        let asked = row["importsequencenumber"]
            .as_i64()
            .map(|batch| &batches[&batch]);
        if asked.is_some_and(|asked| asked.roles) {
            let links = self.sandbox().dataverse.links(ROLES);
            assert!(
                links.contains(&(id, WEB_ROLE.uuid())),
                "{id} lacks its role"
            );
        }
        if row["statuscode"] != SENT || asked.is_some_and(|asked| !asked.sends) {
            return;
        }
        let limits = (
            &row["adx_maximumredemptions"],
            row["adx_expirydate"].is_string(),
        );
        assert_eq!(limits, (&Value::from(1), true), "{row:#}");
        let mut own = letters_of(id, letters).peekable();
        if own.peek().is_none() && opened.contains(&id) {
            return;
        }
        assert!(
            own.peek().is_some(),
            "{id} says Sent, and no letter was accepted"
        );
        // In send mode a worker who takes over cannot know which code was mailed.
        let overwritten = if self.send_mode {
            &deeds.overwritten
        } else {
            &deeds.overwritten_late
        };
        if row["statecode"] == 0 && !overwritten.contains(&id) {
            let code = row["adx_invitationcode"].as_str().unwrap();
            let mailed: Vec<_> = own.map(code_in).collect();
            assert!(mailed.contains(&code), "{mailed:?} went out for {row:#}");
        }
    }

    /// Nothing that was written down holds a code.
    fn check_secrets(&self, letters: &BTreeMap<String, Vec<Letter>>) {
        let rows = self.sandbox().dataverse.rows("adx_invitations");
        let stored = rows
            .iter()
            .filter_map(|row| row["adx_invitationcode"].as_str());
        let mailed = letters.values().flatten().map(code_in);
        let codes: BTreeSet<&str> = stored.chain(mailed).collect();
        let mut places = self.journals();
        places.push(("the log".to_owned(), self.log.text()));
        places.push(("an answer".to_owned(), self.seen.answers()));
        for (place, text) in places {
            for code in &codes {
                assert!(!text.contains(code), "a code in {place}");
            }
        }
    }

    /// At the very end: each marked letter that nobody spoiled lets its reader in.
    pub(super) fn redeem_all(&self) {
        let letters = self.letters();
        for row in self.sandbox().dataverse.rows("adx_invitations") {
            if row["statuscode"] != SENT || !self.redeemable(&row) {
                continue;
            }
            let code = row["adx_invitationcode"].as_str().unwrap();
            let mut own = letters_of(id_of(&row), &letters);
            if !own.any(|letter| code_in(letter) == code) {
                self.deployment
                    .diary
                    .count("marked rows without a letter for their code", 1);
                continue;
            }
            let name = row["_adx_invitecontact_value"].as_str().unwrap();
            let address = format!("{name}@redeemed.example");
            let portal = &self.sandbox().portal;
            let redeemed = portal.redeem(code, name, &address);
            assert!(redeemed.is_ok(), "{redeemed:?} {row:#}");
            self.deployment.diary.count("redeemed at the end", 1);
        }
        let batches = self.seen.numbers().len();
        self.deployment.diary.count("batches accepted", batches);
    }
}

fn id_of(row: &Value) -> Uuid {
    row["adx_invitationid"].as_str().unwrap().parse().unwrap()
}

/// The letters about a row. A deleted row's id may come back with another batch, so there may be several.
fn letters_of(id: Uuid, letters: &BTreeMap<String, Vec<Letter>>) -> impl Iterator<Item = &Letter> {
    let prefix = format!("{id}/");
    let own = letters.range(prefix.clone()..);
    own.take_while(move |(key, _)| key.starts_with(&prefix))
        .flat_map(|(_, letters)| letters)
}

/// The code that a letter carries.
fn code_in(letter: &Letter) -> &str {
    let (_, code) = letter.html.split_once("invitation=").unwrap();
    let is_code = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    &code[..code.find(|character| !is_code(character)).unwrap()]
}
