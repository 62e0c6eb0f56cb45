//! Operations that race: in the end a contact has at most one link that works, and each letter went out once.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Stands, days_pass, id_of};
use crate::world::{Setup, World};

fn open_rows(world: &World, contact: Uuid) -> Vec<Value> {
    let mut rows = world.rows(contact);
    rows.retain(|row| row["statecode"] == 0 && row["adx_expirydate"] != "2020-01-01T12:00:00Z");
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_requests_at_once_send_one_letter_again() {
    for stands in [
        Stands::Sent,
        Stands::Swept,
        Stands::Expired,
        Stands::Prepared,
    ] {
        let world = World::start().await;
        let ann = stands.stage(&world).await;
        let letters = world.mailed_codes(ann).len();
        days_pass(&world, 1);
        let id = id_of(&world.row(ann)).to_owned();
        let body = json!({});
        let found = join_all((0..20).map(|_| world.resend(&id, &body))).await;
        let mut sent = 0;
        for found in found {
            match found.status {
                200 => match found.outcomes()[0].as_str() {
                    "sent" => sent += 1,
                    other => assert_eq!(other, "kept inProgress", "{stands:?}"),
                },
                202 => {}
                _ => found.assert_problem(429, "cooldown"),
            }
        }
        assert!(sent >= 1, "{stands:?}");
        world.dispatch_until_idle().await;
        assert_eq!(world.mailed_codes(ann).len(), letters + 1, "{stands:?}");
        assert_eq!(open_rows(&world, ann).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_opened_again_and_a_new_one_do_not_both_stand() {
    let world = World::start().await;
    let mut people = Vec::new();
    for name in 0..12 {
        let contact = world.contact(&format!("Racer{name}"));
        world.invite_contacts(&[contact]).await;
        people.push(contact);
    }
    let ids: Vec<String> = people
        .iter()
        .map(|contact| id_of(&world.row(*contact)).to_owned())
        .collect();
    for id in &ids {
        let expired = json!({"adx_expirydate": "2020-01-01T12:00:00Z"});
        let dataverse = &world.sandbox.dataverse;
        dataverse.change("adx_invitations", id.parse().unwrap(), &expired);
    }
    world.sweep().await;
    days_pass(&world, 1);
    let both = people.iter().zip(&ids).map(|(contact, id)| async {
        let body = json!({});
        let list = [*contact];
        tokio::join!(world.resend(id, &body), world.invite_contacts(&list))
    });
    let answers = join_all(both).await;
    world.dispatch_until_idle().await;
    for (contact, (resent, invited)) in people.iter().zip(answers) {
        let rows = open_rows(&world, *contact);
        assert_eq!(rows.len(), 1, "{} {} {rows:?}", resent.text, invited.text);
        let code = rows[0]["adx_invitationcode"].as_str().unwrap();
        let codes = world.mailed_codes(*contact);
        assert!(
            codes.iter().any(|mailed| mailed == code),
            "a letter carries it"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_sent_again_and_a_revocation_leave_no_link_that_works() {
    let setup = Setup::default().setting("RESEND_COOLDOWN_MINUTES", "0");
    let world = setup.start().await;
    let people = world.contacts(12);
    world.invite_contacts(&people).await;
    days_pass(&world, 1);
    let both = people.iter().map(|contact| async {
        let id = id_of(&world.row(*contact)).to_owned();
        let body = json!({"extendDays": 40});
        tokio::join!(world.resend(&id, &body), world.revoke(&id)).1
    });
    for revoked in join_all(both).await {
        assert_eq!(revoked.status, 200, "{}", revoked.text);
    }
    world.dispatch_until_idle().await;
    for contact in people {
        let row = world.row(contact);
        assert_eq!(
            (&row["statecode"], &row["adx_invitationcode"]),
            (&json!(1), &Value::Null)
        );
        assert!(world.mailed_codes(contact).len() <= 2);
    }
}
