//! What is asked about single invitations meanwhile: their letters again, their revocation; and the daily reminders.

use std::time::Duration;

use portal_invite::domain::expiry::ValidDays;
use portal_invite::domain::ids::{ContactId, InvitationId};
use portal_invite::service::invite::{IdempotencyKey, InviteError};
use portal_invite::service::resend::{ResendError, ResendRequest};
use portal_invite::service::revoke::RevokeError;
use rand::RngExt;
use sandbox::Sandbox;
use uuid::Uuid;

use super::super::diary::Diary;
use super::super::process::Process;
use super::meddlers::Meddling;
use super::progress::Seen;
use super::run::Run;

/// Something that a process is asked; the row is one of the contact's at that moment.
#[derive(Clone)]
pub(super) enum Single {
    Resend {
        of: ContactId,
        place: usize,
        extend: Option<i64>,
        key: Option<String>,
    },
    Revoke {
        of: ContactId,
        place: usize,
    },
    Remind,
}

impl Run {
    /// Requests about single invitations, some of them several times, each with its moment.
    pub(super) fn singles(&mut self) -> Vec<(Duration, Single)> {
        let mut singles = Vec::new();
        for _ in 0..self.random.random_range(0..5) {
            let single = self.single();
            let again = if self.random.random_bool(0.3) { 2 } else { 1 };
            for _ in 0..again {
                let at = Duration::from_millis(self.random.random_range(0..90_000));
                singles.push((at, single.clone()));
            }
        }
        singles
    }

    fn single(&mut self) -> Single {
        let of = self.contacts[self.random.random_range(0..self.contacts.len())];
        let place = self.random.random_range(0..3);
        let days = self.random.random_range(1..40_i64);
        match self.random.random_range(0..10) {
            0..5 => Single::Resend {
                of,
                place,
                extend: self.random.random_bool(0.5).then_some(days),
                key: self.random.random_bool(0.5).then(|| {
                    let number = self.next_process();
                    format!("single {number}")
                }),
            },
            5..7 => Single::Revoke { of, place },
            _ => Single::Remind,
        }
    }
}

impl Single {
    pub(super) async fn ask(
        self,
        process: &Process,
        meddling: &Meddling,
        seen: &Seen,
        diary: &Diary,
    ) {
        match self {
            Self::Resend {
                of,
                place,
                extend,
                key,
            } => {
                let Some(id) = row(meddling.sandbox(), of, place) else {
                    return;
                };
                let request = ResendRequest {
                    id,
                    extend_days: extend.map(|days| ValidDays::try_from(days).unwrap()),
                    message: None,
                    language: None,
                    requested_by: None,
                };
                let body = format!("{request:?}");
                let key = key.map(|key| IdempotencyKey::new(&key, body.as_bytes()));
                resend(process, request, key, seen, diary).await;
            }
            Self::Revoke { of, place } => {
                if let Some(id) = row(meddling.sandbox(), of, place) {
                    revoke(process, id, meddling, diary).await;
                }
            }
            Self::Remind => {
                let tally = process.service.remind().await;
                diary.note(|| format!("{} reminds: {tally:?}", process.life.name));
            }
        }
    }
}

/// One of a contact's rows.
fn row(sandbox: &Sandbox, contact: ContactId, place: usize) -> Option<InvitationId> {
    let rows = sandbox.dataverse.invitations_of(contact.uuid());
    let row = rows.get(place % rows.len().max(1))?;
    row["adx_invitationid"].as_str()?.parse().ok()
}

async fn resend(
    process: &Process,
    request: ResendRequest,
    key: Option<IdempotencyKey>,
    seen: &Seen,
    diary: &Diary,
) {
    let (name, keyed) = (&process.life.name, key.is_some());
    diary.note(|| format!("{name} is asked to resend {} (keyed: {keyed})", request.id));
    match process.service.resend(request, key).await {
        Ok(report) => {
            diary.note(|| format!("{name} answers {:?} {:?}", report.number, report.counts));
            seen.told(&report);
        }
        Err(ResendError::Invite(InviteError::Invalid(mistakes))) => panic!("{mistakes:?}"),
        // A row that changed between two copies of a request makes no other request of them.
        Err(error) => {
            diary.note(|| format!("{name} refuses: {error}"));
            diary.count("resends refused", 1);
        }
    }
}

async fn revoke(process: &Process, id: InvitationId, meddling: &Meddling, diary: &Diary) {
    let answer = process.service.revoke(id).await;
    diary.note(|| format!("{} revokes {id}: {answer:?}", process.life.name));
    match answer {
        Ok(_) => {
            let id: Uuid = id.uuid();
            meddling.deeds.lock().unwrap().revoked.insert(id);
            diary.count("invitations revoked", 1);
        }
        Err(RevokeError::Redeemed) => diary.count("revocations too late", 1),
        Err(_) => diary.count("requests refused", 1),
    }
}
