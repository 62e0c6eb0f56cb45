//! `$batch` of both services: written, read, and the whole call around it without a network.

use std::time::Duration;

use bytes::Bytes;
use divan::{Bencher, black_box};
use http::header::IF_NONE_MATCH;
use portal_invite::domain::batch::Bound;
use portal_invite::domain::ids::{BatchNumber, ContactId, InvitationId};
use portal_invite::domain::invitation_code::InvitationCode;
use portal_invite::remote::budget::Budget;
use portal_invite::remote::dataverse::invitations::{NewInvitation, NewRows};
use portal_invite::remote::dataverse::multipart::{Operation, Step, decode, encode};
use portal_invite::remote::graph::Message;
use serde_json::json;
use uuid::Uuid;

use super::letters;
use super::replay::{Stage, moment};

const BOUNDARY: &str = "batch_portal_invite";
const ROOT: &str = "/api/data/v9.2/";

/// Writes a hundred conditional creations.
#[divan::bench]
fn encode_100_creations(bencher: Bencher<'_, '_>) {
    let steps: Vec<_> = (0..100).map(creation).collect();
    bencher.bench_local(|| encode(BOUNDARY, ROOT, black_box(&steps)));
}

/// Reads the answer to them.
#[divan::bench]
fn decode_100_answers(bencher: Bencher<'_, '_>) {
    let answer = answer_to_creations();
    bencher.bench_local(|| decode("batchresponse_1", black_box(&answer)).unwrap());
}

/// The call that creates a hundred rows.
#[divan::bench]
fn create_100_rows(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let dataverse = stage.dataverse();
    let contacts: Vec<Uuid> = (0..100).map(|place| contact(&stage, place)).collect();
    let rows: Vec<_> = (1..).zip(contacts).map(new_row).collect();
    let bound = Bound::default();
    let common = NewRows {
        batch: BatchNumber::MIN,
        expires: moment("2026-12-06T22:00:00Z"),
        as_sent: false,
        bound: &bound,
        website: None,
        owner: None,
    };
    let create = || async {
        let budget = Budget::within(&stage.clock, Duration::from_secs(10));
        dataverse.create(&common, rows.iter(), &budget).await
    };
    let written = stage.runtime.block_on(create()).unwrap();
    assert!(written.iter().all(Result::is_ok));
    bencher.bench_local(|| stage.runtime.block_on(create()).unwrap());
}

/// The call that makes twenty drafts, each as large as an invitation.
#[divan::bench]
fn draft_20_letters(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let graph = stage.graph();
    let letter = letters::invitation();
    let message = Message {
        to: "ada@customer.example",
        to_name: "Ada Lovelace",
        subject: &letter.subject,
        html: &letter.html,
        reply_to: Some("help@contoso.example"),
        key: "6f9619ff-8b86-d011-b42d-00cf4fc964ff/invite/1000000000",
    };
    let draft = || async {
        let budget = Budget::within(&stage.clock, Duration::from_secs(10));
        let mailbox = "invitations@contoso.example";
        graph.make_drafts(mailbox, &[message; 20], &budget).await
    };
    assert_eq!(stage.runtime.block_on(draft()).unwrap().len(), 20);
    bencher.bench_local(|| stage.runtime.block_on(draft()).unwrap());
}

fn contact(stage: &Stage, place: u32) -> Uuid {
    let email = format!("person{place}@customer.example");
    let row = json!({"firstname": "Ada", "lastname": "Lovelace", "emailaddress1": email});
    stage.sandbox.dataverse.insert("contacts", &row)
}

fn new_row((place, contact): (u128, Uuid)) -> NewInvitation<'static> {
    NewInvitation {
        id: InvitationId::new(Uuid::from_u128(place)),
        contact: ContactId::new(contact),
        name: "Ada Lovelace",
        code: InvitationCode::from_random([place.to_le_bytes()[0]; 32]),
        closes: Vec::new(),
    }
}

fn creation(place: u128) -> Step {
    let id = Uuid::from_u128(place);
    let body = json!({
        "adx_name": "Ada Lovelace",
        "adx_type": 756_150_000,
        "adx_maximumredemptions": 1,
        "adx_invitationcode": InvitationCode::from_random([7; 32]).expose(),
        "adx_expirydate": "2026-12-06T22:00:00Z",
        "importsequencenumber": 1_734_829_102,
        "statuscode": 1,
        "adx_inviteContact@odata.bind": format!("/contacts({id})"),
    });
    let path = format!("adx_invitations({id})");
    let operation = Operation::patch(path, (IF_NONE_MATCH, "*".to_owned()), body);
    Step::of(vec![operation])
}

/// The shape of
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>.
fn answer_to_creations() -> Bytes {
    let part = |place: u128| {
        let id = Uuid::from_u128(place);
        format!(
            "--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
             HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nETag: W/\"{place}\"\r\n\
             OData-EntityId: https://contoso.crm4.dynamics.com{ROOT}adx_invitations({id})\r\n\r\n\r\n"
        )
    };
    let parts: String = (0..100).map(part).collect();
    Bytes::from(format!("{parts}--batchresponse_1--\r\n"))
}
