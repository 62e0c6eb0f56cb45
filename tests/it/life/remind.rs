//! function-remind: whom it reminds, when and how often, and that a reminder comes after everything else.

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{SENT, Stands, days_pass, expiry_of, id_of};
use crate::invite::row_of;
use crate::world::{Setup, World};

/// A contact whose invitation was sent twelve days ago and expires in two.
pub(super) async fn due(world: &World, name: &str) -> Uuid {
    let contact = world.contact(name);
    let answer = world.invite_contacts(&[contact]).await;
    assert_eq!(answer.outcomes(), ["sent"]);
    let id = id_of(&world.row(contact)).parse().unwrap();
    make_due(world, id);
    contact
}

/// Makes a row look as if its letter had gone out long ago and its time were nearly over.
fn make_due(world: &World, id: Uuid) {
    let soon = world.sandbox.clock.now() + SignedDuration::from_hours(24 * 14);
    let soon = soon.strftime("%Y-%m-%dT%H:00:00Z").to_string();
    let dataverse = &world.sandbox.dataverse;
    dataverse.change("adx_invitations", id, &json!({"adx_expirydate": soon}));
    days_pass(world, 12);
}

/// Runs the timer; gives its tally.
pub(super) async fn remind(world: &World) -> Value {
    let run = world.host.fire("function-remind").await.unwrap();
    assert_eq!(run.status, 200, "{:?}", run.body);
    run.body["tally"].clone()
}

fn reminders(world: &World) -> Vec<String> {
    let letters = world.sandbox.graph.letters();
    let keys = letters
        .iter()
        .flat_map(|letter| letter.extended_properties.values());
    let mut keys: Vec<_> = keys
        .filter(|key| key.contains("/remind/"))
        .cloned()
        .collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn whoever_has_not_come_is_reminded_once_with_the_same_link() {
    let world = World::start().await;
    let ann = due(&world, "Ann").await;
    for (planned, letters) in [(1, 2), (0, 2)] {
        let tally = remind(&world).await;
        assert_eq!(
            (&tally["planned"], &tally["examined"]),
            (&json!(planned), &json!(1))
        );
        world.dispatch_until_idle().await;
        assert_eq!(world.mailed_codes(ann).len(), letters);
    }
    let row = world.row(ann);
    let code = row["adx_invitationcode"].as_str().unwrap();
    assert_eq!(world.mailed_codes(ann), [code, code]);
    let day = &row["adx_expirydate"].as_str().unwrap()[..10];
    assert_eq!(reminders(&world), [format!("{}/remind/{day}", id_of(&row))]);
    let letter = world.sandbox.graph.letters().pop().unwrap();
    assert!(letter.subject.contains("ends soon"), "{}", letter.subject);
}

#[tokio::test]
async fn whoever_does_not_come_after_that_is_not_reminded_again() {
    let world = World::start().await;
    let ann = due(&world, "Ann").await;
    remind(&world).await;
    world.dispatch_until_idle().await;
    // Two days later by the row's last change, and the expiry is what it was.
    let row = world.row(ann);
    let later = expiry_of(&row) + SignedDuration::from_hours(48) + SignedDuration::from_secs(2);
    let later = json!({"adx_expirydate": later.to_string()});
    let id = id_of(&row).parse().unwrap();
    world
        .sandbox
        .dataverse
        .change("adx_invitations", id, &later);
    days_pass(&world, 2);
    assert_eq!(expiry_of(&world.row(ann)), expiry_of(&row));
    let tally = remind(&world).await;
    assert_eq!(
        (&tally["planned"], &tally["examined"]),
        (&json!(0), &json!(1))
    );
    world.dispatch_until_idle().await;
    assert_eq!(world.mailed_codes(ann).len(), 2);
}

#[tokio::test]
async fn a_later_expiry_has_a_reminder_of_its_own() {
    let world = World::start().await;
    let ann = due(&world, "Ann").await;
    remind(&world).await;
    world.dispatch_until_idle().await;
    days_pass(&world, 1);
    let id = id_of(&world.row(ann)).to_owned();
    assert_eq!(
        world
            .resend(&id, &json!({"extendDays": 10}))
            .await
            .outcomes(),
        ["sent"]
    );
    assert_eq!(remind(&world).await["planned"], 0);
    // Keys do not grow older with the rows: these are to expire on another day than the first reminder's key names.
    let first: Date = reminders(&world)[0]
        .rsplit('/')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let expires = expiry_of(&world.row(ann)).to_zoned(TimeZone::UTC).date();
    days_pass(&world, i64::from((expires - first).get_days()) + 1);
    assert_eq!(remind(&world).await["planned"], 1);
    world.dispatch_until_idle().await;
    assert_eq!(reminders(&world).len(), 2);
    assert_eq!(world.mailed_codes(ann).len(), 4);
}

#[tokio::test]
async fn nobody_is_reminded_too_early() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    world
        .invite(&json!({"contactIds": [ann], "validDays": 8}))
        .await;
    for (days, planned) in [(4, 0), (1, 1)] {
        days_pass(&world, days);
        assert_eq!(
            remind(&world).await["planned"],
            planned,
            "after {days} more days"
        );
    }
}

#[tokio::test]
async fn nobody_is_reminded_right_after_a_letter() {
    let world = World::start().await;
    let ben = world.contact("Ben");
    world
        .invite(&json!({"contactIds": [ben], "validDays": 2}))
        .await;
    let tally = remind(&world).await;
    assert_eq!(
        (&tally["examined"], &tally["planned"]),
        (&json!(1), &json!(0))
    );
    days_pass(&world, 2);
    assert_eq!(remind(&world).await["planned"], 1);
}

#[tokio::test]
async fn only_our_own_pending_letters_are_reminded_of() {
    let setup = Setup::default()
        .setting("ALLOW_LINKS", "true")
        .setting("MAIL_DELIVERY", "send");
    let world = setup.start().await;
    for stands in Stands::ALL {
        let contact = stands.stage(&world).await;
        let rows = world.rows(contact);
        let mut soon = world.sandbox.clock.now() + SignedDuration::from_hours(48);
        if matches!(stands, Stands::Expired | Stands::Swept) {
            soon = world.sandbox.clock.now() - SignedDuration::from_hours(1);
        }
        let id = id_of(&rows[0]).parse().unwrap();
        let values = json!({"adx_expirydate": soon.strftime("%Y-%m-%dT%H:00:00Z").to_string()});
        world
            .sandbox
            .dataverse
            .change("adx_invitations", id, &values);
    }
    let handed = world.contact("Handed");
    let body = json!({"contactIds": [handed], "sendEmail": false, "validDays": 2});
    assert_eq!(world.invite(&body).await.outcomes(), ["created"]);
    let soon = json!({"adx_expirydate": values_soon(&world)});
    let id = id_of(&world.row(handed)).parse().unwrap();
    world.sandbox.dataverse.change("adx_invitations", id, &soon);
    let prepared = world.contact("Elsewhere");
    let sent = json!({"statuscode": SENT, "adx_expirydate": values_soon(&world)});
    row_of(&world, prepared, &sent);
    // Everything is old enough, and nothing has expired that had not.
    days_pass(&world, 1);
    let letters = world.sandbox.graph.letters().len();
    assert_eq!(remind(&world).await["planned"], 1, "the one that was sent");
    world.dispatch_until_idle().await;
    assert_eq!(world.sandbox.graph.letters().len(), letters + 1);
    let letter = world.sandbox.graph.letters().pop().unwrap();
    assert_eq!(letter.to, ["sent@customer.example"]);
}

fn values_soon(world: &World) -> String {
    let soon = world.sandbox.clock.now() + SignedDuration::from_hours(48);
    soon.strftime("%Y-%m-%dT%H:00:00Z").to_string()
}

#[tokio::test]
async fn what_happens_before_the_reminder_leaves_is_respected() {
    for (outcome, change) in [
        ("redeemed", None),
        (
            "revoked",
            Some(json!({"statecode": 1, "statuscode": 2, "adx_invitationcode": null})),
        ),
        (
            "extended",
            Some(json!({"adx_expirydate": "2199-01-01T12:00:00Z"})),
        ),
    ] {
        let world = World::start().await;
        let ann = due(&world, "Ann").await;
        assert_eq!(remind(&world).await["planned"], 1);
        let row = world.row(ann);
        let code = world.mailed_codes(ann).remove(0);
        match change {
            None => drop(
                world
                    .sandbox
                    .portal
                    .redeem(&code, "ann", "ann@customer.example")
                    .unwrap(),
            ),
            Some(values) => {
                let id = id_of(&row).parse().unwrap();
                world
                    .sandbox
                    .dataverse
                    .change("adx_invitations", id, &values);
            }
        }
        let before = world.row(ann);
        world.dispatch_until_idle().await;
        assert_eq!(world.mailed_codes(ann).len(), 1, "{outcome}");
        assert_eq!(world.row(ann), before, "{outcome}");
    }
}

#[tokio::test]
async fn zero_days_remind_nobody() {
    let setup = Setup::default().setting("REMIND_DAYS_BEFORE", "0");
    let world = setup.start().await;
    let ann = due(&world, "Ann").await;
    assert_eq!(remind(&world).await["examined"], 0);
    world.dispatch_until_idle().await;
    assert_eq!(world.mailed_codes(ann).len(), 1);
}
