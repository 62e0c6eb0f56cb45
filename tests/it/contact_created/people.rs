//! Who is invited by rule, and who never: whom the rule leaves out, whoever was invited, whoever cannot be.

use sandbox::dataverse::Verb;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{setup, start, with_rule};
use crate::world::World;

const PAST: &str = "2020-02-29T22:00:00Z";

#[tokio::test]
async fn a_contact_that_did_not_meet_the_rule_at_first_may_meet_it_later() {
    let world = start().await;
    world.register(&["jobtitle"]);
    let ann = world.contact("Ann");
    world.told().await;
    assert_eq!(world.stored("open"), [""; 0]);
    // Not among the filtering attributes.
    world.update(ann, &json!({"mobilephone": "1"}));
    world.update(ann, &json!({"jobtitle": "Member"}));
    world.told().await;
    assert_eq!(world.sandbox.dataverse.deliveries().len(), 2);
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_contact_that_does_not_match_or_is_known_is_answered_after_one_request() {
    let world = start().await;
    // The first one also reads what the environment has.
    world.tell(world.contact("Zoe")).await;
    let (bob, ann) = (world.contact("Bob"), world.member("Ann"));
    let row = json!({"adx_name": "x", "adx_type": 756_150_000, "_adx_invitecontact_value": ann});
    world.sandbox.dataverse.insert("adx_invitations", &row);
    for (contact, verdict) in [
        (bob, "ignored notMatched"),
        (Uuid::from_u128(1), "ignored notMatched"),
        (ann, "ignored alreadyInvited"),
    ] {
        world.sandbox.traffic.clear();
        assert_eq!(world.tell(contact).await.verdict(), verdict);
        assert_eq!(world.dataverse_requests(), 1);
    }
    world.assert_untouched();
}

#[tokio::test]
async fn an_invitation_of_any_kind_and_state_counts_whoever_made_it() {
    let world = start().await;
    let kinds = [
        json!({"statuscode": 1}),
        json!({"statuscode": 1, "adx_expirydate": PAST}),
        json!({"statuscode": 756_150_000}),
        json!({"statuscode": 756_150_001, "adx_redemptions": 1}),
        json!({"statecode": 1, "statuscode": 2, "adx_expirydate": PAST}),
        json!({"adx_type": 756_150_001, "statuscode": 756_150_000}),
    ];
    for (place, kind) in kinds.iter().enumerate() {
        let contact = world.member(&format!("Person{place}"));
        let mut row =
            json!({"adx_name": "x", "adx_type": 756_150_000, "_adx_invitecontact_value": contact});
        let own = kind.as_object().unwrap().clone();
        row.as_object_mut().unwrap().extend(own);
        world.sandbox.dataverse.insert("adx_invitations", &row);
        let answer = world.tell(contact).await;
        assert_eq!(answer.verdict(), "ignored alreadyInvited", "{kind}");
    }
    world.assert_untouched();
}

#[tokio::test]
async fn an_invitation_to_another_site_does_not_count() {
    let (ours, theirs) = (Uuid::from_u128(0xa11), Uuid::from_u128(0xb0b));
    let setup = setup(super::RULE).setting("PORTAL_WEBSITE_ID", &ours.to_string());
    let world = setup.start().await;
    for site in [ours, theirs] {
        let site = json!({"powerpagesiteid": site, "name": "A site"});
        world.sandbox.dataverse.insert("powerpagesites", &site);
    }
    for (first, site, verdict) in [
        ("Ann", Some(theirs), "accepted"),
        ("Bob", Some(ours), "ignored alreadyInvited"),
        ("Cem", None, "ignored alreadyInvited"),
    ] {
        let contact = world.member(first);
        let row = json!({
            "adx_name": "x", "adx_type": 756_150_000, "_adx_invitecontact_value": contact,
            "_mspp_websiteid_value": site,
        });
        world.sandbox.dataverse.insert("adx_invitations", &row);
        assert_eq!(world.tell(contact).await.verdict(), verdict, "{first}");
    }
}

#[tokio::test]
async fn whoever_cannot_be_invited_leaves_no_trace_and_may_come_again() {
    let world = start().await;
    let of = |first: &str, more: Value| {
        let contact = world.member(first);
        world.update(contact, &more);
        contact
    };
    let ann = of("Ann", json!({"emailaddress1": null}));
    let cases = [
        (ann, "ignored noEmail"),
        (
            of("Bob", json!({"emailaddress1": "nonsense"})),
            "ignored invalidEmail",
        ),
        (
            of("Cem", json!({"donotemail": true})),
            "ignored emailNotAllowed",
        ),
        (
            of("Dia", json!({"adx_identity_username": "dia"})),
            "ignored alreadyRegistered",
        ),
    ];
    for (contact, verdict) in cases {
        assert_eq!(world.tell(contact).await.verdict(), verdict);
    }
    world.assert_untouched();
    world.update(ann, &json!({"emailaddress1": "ann@customer.example"}));
    assert_eq!(world.tell(ann).await.verdict(), "accepted");
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn an_invitation_that_came_to_nothing_and_left_no_row_does_not_count() {
    let world = start().await;
    let ann = world.member("Ann");
    world
        .sandbox
        .dataverse
        .deny("adx_invitations", Verb::Create);
    let first = world.tell(ann).await.batch();
    world.dispatch_until_idle().await;
    let report = world.get(&format!("/api/batches/{first}")).await;
    assert_eq!(report.outcomes(), ["failed dataverseRefused"]);
    world
        .sandbox
        .dataverse
        .permit("adx_invitations", Verb::Create);
    let second = world.tell(ann).await;
    assert_ne!(second.batch(), first);
    assert_eq!(world.tell(ann).await.batch(), second.batch());
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
    assert_eq!(world.tell(ann).await.verdict(), "ignored alreadyInvited");
}

#[tokio::test]
async fn an_invitation_that_was_closed_before_its_letter_left_counts() {
    let world = start().await;
    let ann = world.member("Ann");
    let batch = world.tell(ann).await.batch();
    world.update(ann, &json!({"donotemail": true}));
    world.dispatch_until_idle().await;
    let report = world.get(&format!("/api/batches/{batch}")).await;
    assert_eq!(report.outcomes(), ["skipped emailNotAllowed"]);
    assert_eq!(world.row(ann)["statecode"], 1);
    world.update(ann, &json!({"donotemail": false}));
    assert_eq!(world.tell(ann).await.verdict(), "ignored alreadyInvited");
}

#[tokio::test]
async fn who_was_invited_once_is_not_again_even_if_the_row_is_deleted() {
    let world = start().await;
    let ann = world.member("Ann");
    world.tell(ann).await;
    world.dispatch_until_idle().await;
    let id = world.row(ann)["adx_invitationid"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    world.sandbox.dataverse.delete("adx_invitations", id);
    assert_eq!(world.tell(ann).await.verdict(), "ignored alreadyInvited");
    assert_eq!(world.letters_by_address().values().sum::<usize>(), 1);
}

#[tokio::test]
async fn a_rule_whose_parentheses_do_not_match_invites_nobody_for_another_s_sake() {
    let world: World = with_rule("jobtitle eq 'Member') or (jobtitle eq 'Boss'").await;
    world.contact_with("Boss", &json!({"jobtitle": "Boss"}));
    let ann = world.contact("Ann");
    assert_eq!(world.tell(ann).await.verdict(), "ignored notMatched");
}
