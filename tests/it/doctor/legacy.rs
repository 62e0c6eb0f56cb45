//! Turning off workflows that mail invitations too: exactly those that were listed, and only as they were listed.

use std::sync::Arc;

use portal_invite::service::legacy::{Deactivation, LegacyWorkflow, REACTIVATION};
use sandbox::Sandbox;
use sandbox::dataverse::Verb;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use super::plant::{flow, with, workflow};
use crate::simulation::Simulation;
use crate::world::SENDER;

fn stage() -> (Simulation, Sandbox) {
    let simulation = Simulation::start(&[SENDER]);
    let sandbox = simulation.sandbox.clone();
    (simulation, sandbox)
}

fn names(listed: &[LegacyWorkflow]) -> Vec<&str> {
    let mut names: Vec<_> = listed.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    names
}

fn state(sandbox: &Sandbox, workflow: Uuid) -> (Value, Value) {
    let row = sandbox.dataverse.row("workflows", workflow).unwrap();
    (row["statecode"].clone(), row["statuscode"].clone())
}

fn is_off(sandbox: &Sandbox, workflow: Uuid) -> bool {
    state(sandbox, workflow) == (json!(0), json!(1))
}

#[tokio::test(start_paused = true)]
async fn exactly_the_workflows_on_invitations_that_people_or_rows_start_are_turned_off() {
    let (simulation, sandbox) = stage();
    let dataverse = &sandbox.dataverse;
    let on_demand = json!({"ondemand": true, "ismanaged": true});
    let by_create = json!({"triggeroncreate": true});
    let one = workflow(dataverse, "Send Invitation", "adx_invitation", &on_demand);
    let two = workflow(dataverse, "Mail at creation", "adx_invitation", &by_create);
    let others = [
        workflow(
            dataverse,
            "A part",
            "adx_invitation",
            &json!({"subprocess": true}),
        ),
        workflow(dataverse, "Password", "contact", &on_demand),
        workflow(dataverse, "Welcome", "contact", &by_create),
        flow(dataverse, "Flow", "adx_invitation", "SendEmailV2"),
    ];
    let copy = with(on_demand, &json!({"type": 2}));
    let copy = workflow(dataverse, "Activation", "adx_invitation", &copy);
    let before = dataverse.writes();
    let listed = simulation.service.legacy_workflows().await.unwrap();
    assert_eq!(names(&listed), ["Mail at creation", "Send Invitation"]);
    let stock = listed
        .iter()
        .find(|it| it.name == "Send Invitation")
        .unwrap();
    assert!(stock.managed && stock.owner.as_deref() == Some("# portal-invite"));
    assert_eq!(stock.started.to_string(), "on demand");
    assert_eq!(dataverse.writes(), before, "listing changes nothing");
    let outcomes = simulation.service.deactivate(&listed).await;
    assert_eq!(outcomes, [Deactivation::Off, Deactivation::Off]);
    assert!(is_off(&sandbox, one) && is_off(&sandbox, two));
    for other in others.into_iter().chain([copy]) {
        assert_eq!(state(&sandbox, other), (json!(1), json!(2)));
    }
    assert_eq!(dataverse.writes(), before + 2);
    assert!(REACTIVATION.contains("\"statecode\": 1, \"statuscode\": 2"));
    assert_eq!(simulation.service.legacy_workflows().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_changed_after_it_was_shown_is_left_alone() {
    let (simulation, sandbox) = stage();
    let dataverse = &sandbox.dataverse;
    let on_demand = json!({"ondemand": true});
    let ids = ["Edited", "Deleted", "Forbidden"]
        .map(|name| workflow(dataverse, name, "adx_invitation", &on_demand));
    let mut listed = simulation.service.legacy_workflows().await.unwrap();
    listed.sort_by_key(|it| ids.iter().position(|id| *id == it.id.uuid()));
    dataverse.change("workflows", ids[0], &json!({"name": "Edited just now"}));
    dataverse.delete("workflows", ids[1]);
    let forbidden = listed.split_off(2);
    let outcomes = simulation.service.deactivate(&listed).await;
    assert_eq!(outcomes, [Deactivation::Changed, Deactivation::Gone]);
    assert!(!is_off(&sandbox, ids[0]));
    dataverse.deny("workflows", Verb::Write);
    let outcomes = simulation.service.deactivate(&forbidden).await;
    assert!(
        matches!(&outcomes[..], [Deactivation::Failed { reason }] if reason.contains("prvWriteWorkflow")),
        "{outcomes:?}"
    );
    assert!(!is_off(&sandbox, ids[2]));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_not_hide_that_a_workflow_is_off() {
    let (simulation, sandbox) = stage();
    let on_demand = json!({"ondemand": true});
    let id = workflow(
        &sandbox.dataverse,
        "Send Invitation",
        "adx_invitation",
        &on_demand,
    );
    let listed = simulation.service.legacy_workflows().await.unwrap();
    let post = Rule::on(Service::Dataverse, Fault::DropAfter).method(http::Method::POST);
    sandbox.faults.add(post.times(1));
    let outcomes = simulation.service.deactivate(&listed).await;
    assert_eq!(outcomes, [Deactivation::Off]);
    assert!(is_off(&sandbox, id));
    // What somebody else turned off meanwhile is off too.
    let on = json!({"statecode": 1, "statuscode": 2});
    sandbox.dataverse.change("workflows", id, &on);
    let listed = simulation.service.legacy_workflows().await.unwrap();
    let (dataverse, off) = (
        sandbox.dataverse.clone(),
        json!({"statecode": 0, "statuscode": 1}),
    );
    let turn_off = Fault::Call(Arc::new(move || dataverse.change("workflows", id, &off)));
    sandbox
        .faults
        .add(Rule::on(Service::Dataverse, turn_off).times(1));
    let outcomes = simulation.service.deactivate(&listed).await;
    assert_eq!(outcomes, [Deactivation::Off]);
}
