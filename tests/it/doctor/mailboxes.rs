//! Sender mailboxes: which trouble each has, and what can be known of rights.

use sandbox::graph::State;
use serde_json::json;

use super::found::{assert_says, command, diagnose, findings, healthy, words};
use crate::world::{SENDER, Setup, World};

fn graph_resource(world: &World) -> &str {
    world.at.graph.as_str()
}

const SECOND: &str = "second@contoso.example";

fn two_senders() -> Setup {
    healthy().senders(&[SENDER, SECOND])
}

#[tokio::test]
async fn each_trouble_of_a_mailbox_is_told_with_its_name() {
    let world = two_senders().start().await;
    let graph = &world.sandbox.graph;
    let cases = [
        (State::AccessDenied, "access policy"),
        (State::NoMailbox, "no mailbox in Exchange Online"),
    ];
    for (state, said) in cases {
        graph.mailbox_state(SECOND, state);
        let diagnosis = diagnose(&world).await;
        assert_eq!(findings(&diagnosis), ["fail mailboxes.sender"], "{state:?}");
        assert_says(&words(&diagnosis, "mailboxes.sender"), &[SECOND, said]);
        assert_eq!(diagnosis["ok"], false);
    }
    graph.mailbox_state(SECOND, State::Ok);
    let (diagnosis, code) = command(&world, &[("MAIL_SENDERS", "nobody@contoso.example")]).await;
    assert_eq!(findings(&diagnosis), ["fail mailboxes.sender"]);
    let said = ["nobody@contoso.example", "spelling"];
    assert_says(&words(&diagnosis, "mailboxes.sender"), &said);
    assert_eq!(code, 1);
    assert_eq!(findings(&diagnose(&world).await), [""; 0]);
}

#[tokio::test]
async fn rights_of_exchange_are_told_from_rights_that_are_missing() {
    let world = healthy().start().await;
    world.sandbox.identity.grant(graph_resource(&world), &[]);
    let (diagnosis, code) = command(&world, &[]).await;
    assert_eq!(findings(&diagnosis), ["notChecked mailboxes.rights"]);
    let said = ["Test-ServicePrincipalAuthorization", "2 hours", "Mail.Send"];
    assert_says(&words(&diagnosis, "mailboxes.rights"), &said);
    assert_eq!((diagnosis["ok"].clone(), code), (json!(true), 0));

    let graph = &world.sandbox.graph;
    graph.mailbox_state(SENDER, State::AccessDenied);
    let (diagnosis, code) = command(&world, &[]).await;
    let found = ["fail mailboxes.sender", "notChecked mailboxes.rights"];
    assert_eq!(findings(&diagnosis), found);
    let said = [
        "not granted, or not yet",
        "2 hours",
        "RBAC for Applications",
    ];
    assert_says(&words(&diagnosis, "mailboxes.sender"), &said);
    assert_eq!(code, 1);
}

#[tokio::test]
async fn a_right_to_draft_alone_is_not_taken_for_both() {
    let world = healthy().start().await;
    let resource = graph_resource(&world);
    world.sandbox.identity.grant(resource, &["Mail.ReadWrite"]);
    let (diagnosis, _) = command(&world, &[]).await;
    assert_eq!(findings(&diagnosis), ["notChecked mailboxes.rights"]);
    world.sandbox.identity.grant(resource, &["Mail.Send"]);
    let (diagnosis, _) = command(&world, &[]).await;
    assert_eq!(findings(&diagnosis), ["notChecked mailboxes.rights"]);
}

#[tokio::test]
async fn sending_without_drafts_needs_no_look_into_the_mailbox() {
    let world = healthy().start().await;
    let resource = graph_resource(&world);
    world.sandbox.identity.grant(resource, &["Mail.Send"]);
    world
        .sandbox
        .graph
        .mailbox_state(SENDER, State::AccessDenied);
    let (diagnosis, code) = command(&world, &[("MAIL_DELIVERY", "send")]).await;
    let found = ["warn settings.mailDelivery", "notChecked mailboxes.sender"];
    assert_eq!(
        (findings(&diagnosis), code),
        (found.map(String::from).to_vec(), 0)
    );
}
