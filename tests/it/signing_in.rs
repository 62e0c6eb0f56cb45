//! Tokens that run out, are revoked or cannot be had: a fresh credential, one more try, and nothing lost.

use std::sync::Arc;
use std::time::Duration;

use sandbox::faults::{Fault, Rule, Service};
use serde_json::json;

use crate::trouble::instead;
use crate::world::{Setup, World};

fn statuses(world: &World, service: Service) -> Vec<Option<u16>> {
    let entries = world.sandbox.traffic.entries();
    let own = entries.iter().filter(|entry| entry.service == service);
    own.map(|entry| entry.status).collect()
}

/// Ends every token issued so far.
fn revoke(world: &World) -> Fault {
    let identity = world.sandbox.identity.clone();
    Fault::Call(Arc::new(move || identity.revoke_all()))
}

#[tokio::test]
async fn tokens_revoked_at_any_request_are_replaced_and_the_request_is_made_once_more() {
    for service in [Service::Dataverse, Service::Graph] {
        let world = World::start().await;
        for skip in 0.. {
            world.sandbox.faults.clear();
            world.sandbox.traffic.clear();
            let strike = |fault| Rule::on(service, fault).skip(skip);
            let struck = world.strike_once(strike, revoke(&world));
            let contacts = ["Ann", "Ben"].map(|name| world.contact(&format!("{name}{skip}")));
            assert_eq!(
                world.invite_contacts(&contacts).await.outcomes(),
                ["sent"; 2]
            );
            world.assert_each_has_one_letter_and_row(&contacts);
            if struck.count() == 0 {
                break;
            }
            let refused = statuses(&world, service)
                .iter()
                .filter(|status| **status == Some(401))
                .count();
            assert_eq!(refused, 1, "{service:?} {skip}");
        }
    }
}

#[tokio::test]
async fn tokens_that_live_for_two_seconds_carry_a_batch_that_takes_longer() {
    let world = World::start().await;
    world
        .sandbox
        .identity
        .token_lifetime(Duration::from_secs(2));
    for service in [Service::Dataverse, Service::Graph] {
        let slow = Fault::Delay(Duration::from_millis(800));
        world.sandbox.faults.add(Rule::on(service, slow));
    }
    let contacts = world.contacts(25);
    assert_eq!(
        world.invite_contacts(&contacts).await.outcomes(),
        ["sent"; 25]
    );
    world.assert_each_has_one_letter_and_row(&contacts);
    assert!(world.sandbox.identity.issued() > 2, "tokens were replaced");
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_too_ends_the_call() {
    let world = World::start().await;
    let refusing = Rule::on(Service::Dataverse, instead(401, false));
    world.sandbox.faults.add(refusing);
    let answer = world.invite_contacts(&[world.contact("Ann")]).await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (502, &json!("refused"))
    );
    assert_eq!(
        statuses(&world, Service::Dataverse),
        [Some(401); 2],
        "one try more, not many"
    );
    assert!(world.open_journals().is_empty());
}

#[tokio::test]
async fn an_identity_endpoint_that_fails_at_first_is_asked_again() {
    for fault in [
        instead(500, false),
        instead(503, false),
        instead(429, false),
        Fault::DropBefore,
    ] {
        let world = World::start().await;
        world
            .sandbox
            .faults
            .add(Rule::on(Service::Identity, fault).times(2));
        let ann = world.contact("Ann");
        assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
        assert!(statuses(&world, Service::Identity).len() > 2);
    }
}

#[tokio::test]
async fn without_an_identity_nothing_is_accepted_and_nothing_left_behind() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Identity, instead(500, false)));
    let body = json!({"contactIds": [ann]});
    let answer = world.invite_keyed("once", &body).await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (503, &json!("unavailable"))
    );
    assert!(world.open_journals().is_empty());
    assert_eq!(world.sandbox.traffic.count(Service::Dataverse), 0);
    world.sandbox.faults.clear();
    assert_eq!(world.invite_keyed("once", &body).await.outcomes(), ["sent"]);
}

#[tokio::test]
async fn an_identity_lost_in_mid_batch_leaves_the_rest_to_the_dispatcher() {
    for service in [Service::Dataverse, Service::Graph] {
        for skip in [0, 1] {
            let world = Setup::default()
                .setting("INLINE_SECONDS", "2")
                .start()
                .await;
            let warm = world.contact("Warm");
            assert_eq!(world.invite_contacts(&[warm]).await.outcomes(), ["sent"]);
            // The plan is one request to Dataverse once the tables are known.
            let skip = if service == Service::Dataverse {
                skip + 1
            } else {
                skip
            };
            let ann = world.contact("Ann");
            world.strike_once(|fault| Rule::on(service, fault).skip(skip), revoke(&world));
            world
                .sandbox
                .faults
                .add(Rule::on(Service::Identity, instead(500, false)));
            let answer = world.invite_contacts(&[ann]).await;
            assert_eq!(answer.status, 202, "{service:?} {skip} {}", answer.text);
            world.sandbox.faults.clear();
            world.dispatch_until_idle().await;
            assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
            world.assert_each_has_one_letter_and_row(&[warm, ann]);
        }
    }
}
