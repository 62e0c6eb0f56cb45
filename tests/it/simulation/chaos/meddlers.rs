//! People and processes of others who change things at unlucky moments, and what they did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use portal_invite::domain::ids::ContactId;
use rand::RngExt;
use rand::rngs::StdRng;
use sandbox::{Fault, Sandbox};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::diary::Diary;

const NEW: i64 = 1;
pub(super) const SENT: i64 = 756_150_000;
pub(super) const REDEEMED: i64 = 756_150_001;

/// What was done; some of it frees the service from its promises.
#[derive(Default)]
pub(super) struct Deeds {
    /// Contacts one of whose rows was deleted.
    pub(super) deleted: BTreeSet<Uuid>,
    /// Rows whose code was overwritten at any time.
    pub(super) overwritten: BTreeSet<Uuid>,
    /// Rows whose code was overwritten when they had been marked, or closed since.
    pub(super) overwritten_late: BTreeSet<Uuid>,
    /// Redeemed rows with the code that they were redeemed with.
    pub(super) redeemed: BTreeMap<Uuid, String>,
    /// Rows whose revocation was answered.
    pub(super) revoked: BTreeSet<Uuid>,
}

/// The meddlers.
#[derive(Clone)]
pub(super) struct Meddling {
    sandbox: Sandbox,
    diary: Diary,
    addresses: Arc<BTreeMap<Uuid, String>>,
    pub(super) deeds: Arc<Mutex<Deeds>>,
}

impl Meddling {
    pub(super) fn new(sandbox: &Sandbox, diary: &Diary, contacts: &[ContactId]) -> Self {
        let address = |contact: &ContactId| {
            let row = sandbox.dataverse.row("contacts", contact.uuid()).unwrap();
            (
                contact.uuid(),
                row["emailaddress1"].as_str().unwrap().to_owned(),
            )
        };
        Self {
            sandbox: sandbox.clone(),
            diary: diary.clone(),
            addresses: Arc::new(contacts.iter().map(address).collect()),
            deeds: Arc::default(),
        }
    }

    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Something that someone will do to one of the contacts.
    pub(super) fn deed(&self, random: &mut StdRng, contacts: &[ContactId]) -> Fault {
        let contact = contacts[random.random_range(0..contacts.len())].uuid();
        let kind = random.random_range(0..6);
        let meddling = self.clone();
        Fault::Call(Arc::new(move || match kind {
            0 => meddling.redeem(contact),
            1 => meddling.overwrite(contact),
            2 => meddling.close(contact),
            3 => meddling.delete(contact),
            4 => meddling.deactivate(contact),
            _ => meddling.forget_address(contact),
        }))
    }

    /// Puts contacts right again that someone had changed.
    pub(super) fn repair(&self, contacts: &[ContactId]) {
        for contact in contacts.iter().map(|contact| contact.uuid()) {
            let row = self.sandbox.dataverse.row("contacts", contact).unwrap();
            if row["statecode"] == 1 {
                self.change(
                    "contacts",
                    contact,
                    &json!({"statecode": 0, "statuscode": 1}),
                );
            }
            if row["emailaddress1"].is_null() {
                let address = &self.addresses[&contact];
                self.change("contacts", contact, &json!({"emailaddress1": address}));
            }
        }
    }

    /// The contact's newest row that nobody has redeemed.
    fn row(&self, contact: Uuid) -> Option<(Uuid, Value)> {
        let row = self.sandbox.dataverse.invitations_of(contact).pop()?;
        let id = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
        (row["statuscode"] != REDEEMED).then_some((id, row))
    }

    fn change(&self, set: &str, id: Uuid, values: &Value) {
        self.sandbox.dataverse.change(set, id, values);
    }

    fn done(&self, what: &str, id: Uuid) {
        self.diary.count(what, 1);
        self.diary.note(|| format!("meddler: {what}: {id}"));
    }

    fn redeem(&self, contact: Uuid) {
        let Some((id, row)) = self.row(contact) else {
            return;
        };
        let Some(code) = row["adx_invitationcode"].as_str() else {
            return;
        };
        let (name, address) = (contact.to_string(), format!("{contact}@redeemed.example"));
        if self.sandbox.portal.redeem(code, &name, &address).is_err() {
            return;
        }
        // One that was prepared without a limit can be redeemed again.
        if self.row(contact).is_none_or(|(now, _)| now != id) {
            let mut deeds = self.deeds.lock().unwrap();
            deeds.redeemed.insert(id, code.to_owned());
            self.done("redeemed", id);
        }
    }

    fn overwrite(&self, contact: Uuid) {
        let Some((id, row)) = self.row(contact) else {
            return;
        };
        let code = json!({"adx_invitationcode": format!("overwritten-{}", id.simple())});
        self.change("adx_invitations", id, &code);
        let mut deeds = self.deeds.lock().unwrap();
        deeds.overwritten.insert(id);
        if row["statuscode"] != NEW {
            deeds.overwritten_late.insert(id);
        }
        self.done("codes overwritten", id);
    }

    fn close(&self, contact: Uuid) {
        let Some((id, _)) = self.row(contact) else {
            return;
        };
        let closed = json!({"statecode": 1, "statuscode": 2});
        self.change("adx_invitations", id, &closed);
        self.done("rows closed", id);
    }

    fn delete(&self, contact: Uuid) {
        let Some((id, _)) = self.row(contact) else {
            return;
        };
        self.sandbox.dataverse.delete("adx_invitations", id);
        self.deeds.lock().unwrap().deleted.insert(contact);
        self.done("rows deleted", id);
    }

    fn deactivate(&self, contact: Uuid) {
        let inactive = json!({"statecode": 1, "statuscode": 2});
        self.change("contacts", contact, &inactive);
        self.done("contacts deactivated", contact);
    }

    fn forget_address(&self, contact: Uuid) {
        let nothing = json!({"emailaddress1": null});
        self.change("contacts", contact, &nothing);
        self.done("contacts without address", contact);
    }
}
