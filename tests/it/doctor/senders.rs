//! Competing senders: the doctor names each, and turns off exactly the workflows that it lists.

use std::sync::Arc;

use portal_invite::service::legacy::{Deactivation, LegacyWorkflow, REACTIVATION};
use sandbox::dataverse::{Verb, process_xaml};
use sandbox::faults::{Fault, Rule, Service};
use sandbox::{Dataverse, Sandbox};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Diagnosis;
use crate::simulation::Simulation;
use crate::world::{SENDER, World};

const SENDERS: &[&str] = &["senders"];

/// An active classic workflow that sends mail, unless the columns say otherwise.
fn workflow(dataverse: &Dataverse, name: &str, table: &str, columns: &Value) -> Uuid {
    let row = json!({
        "name": name,
        "primaryentity": table,
        "xaml": process_xaml(table, true),
        "statecode": 1,
        "statuscode": 2,
    });
    dataverse.insert("workflows", &with(row, columns))
}

fn with(mut row: Value, columns: &Value) -> Value {
    for (column, value) in columns.as_object().unwrap() {
        row[column] = value.clone();
    }
    row
}

/// An active cloud flow with one action; `operation` is what the action calls.
fn flow(dataverse: &Dataverse, name: &str, table: &str, operation: &str) -> Uuid {
    let trigger = json!({
        "type": "OpenApiConnectionWebhook",
        "inputs": {
            "host": {
                "apiId": "/providers/Microsoft.PowerApps/apis/shared_commondataserviceforapps",
                "operationId": "SubscribeWebhookTrigger",
            },
            "parameters": {
                "subscriptionRequest/message": 1,
                "subscriptionRequest/entityname": table,
                "subscriptionRequest/scope": 4,
            },
        },
    });
    let action = json!({
        "type": "OpenApiConnection",
        "inputs": {
            "host": {
                "apiId": "/providers/Microsoft.PowerApps/apis/shared_office365",
                "operationId": operation,
            },
            "parameters": {"emailMessage/To": "@triggerOutputs()?['body/emailaddress1']"},
        },
    });
    let definition =
        json!({"triggers": {"When_a_row_is_added": trigger}, "actions": {"Act": action}});
    let row = json!({
        "name": name,
        "category": 5,
        "primaryentity": "none",
        "clientdata": json!({"properties": {"definition": definition}}).to_string(),
        "statecode": 1,
        "statuscode": 2,
    });
    dataverse.insert("workflows", &row)
}

fn listener(dataverse: &Dataverse, flow: &str, table: &str, columns: &Value) -> Uuid {
    let row = json!({"name": flow, "entityname": table, "message": 1, "scope": 4});
    dataverse.insert("callbackregistrations", &with(row, columns))
}

/// An enabled step of a plug-in.
fn step(
    dataverse: &Dataverse,
    (message, table): (&str, &str),
    (assembly, managed): (&str, bool),
    columns: &Value,
) {
    let id = dataverse.insert("sdkmessages", &json!({"name": message}));
    let filter = json!({"primaryobjecttypecode": table, "_sdkmessageid_value": id});
    let filter = dataverse.insert("sdkmessagefilters", &filter);
    let plugin = json!({"name": "Plugin", "typename": "Plugin", "assemblyname": assembly});
    let plugin = dataverse.insert("plugintypes", &plugin);
    let row = json!({
        "name": format!("{assembly}: {message} of {table}"),
        "stage": 20,
        "ismanaged": managed,
        "_sdkmessageid_value": id,
        "_sdkmessagefilterid_value": filter,
        "_plugintypeid_value": plugin,
    });
    dataverse.insert("sdkmessageprocessingsteps", &with(row, columns));
}

#[tokio::test]
async fn a_workflow_that_mails_invitations_is_named_with_its_owner_and_its_start() {
    for (columns, start) in [
        (json!({"ondemand": true}), "on demand"),
        (json!({"triggeroncreate": true}), "when a row is made"),
        (
            json!({"triggeronupdateattributelist": "statuscode,adx_name"}),
            "when statuscode or adx_name changes",
        ),
        (json!({"subprocess": true}), "by another process"),
    ] {
        let world = World::start().await;
        let dataverse = &world.sandbox.dataverse;
        let owner = dataverse.insert("systemusers", &json!({"fullname": "Olivia Owner"}));
        let columns = with(columns, &json!({"_ownerid_value": owner}));
        workflow(dataverse, "Send Invitation", "adx_invitation", &columns);
        let diagnosis = Diagnosis::of(&world).await;
        let words = [
            "\"Send Invitation\" of Olivia Owner",
            start,
            "--deactivate-legacy",
        ];
        diagnosis.says("senders.workflows", "warn", &words);
        assert_eq!(diagnosis.not_passed(SENDERS), ["senders.workflows"]);
        assert!(diagnosis.ok());
    }
}

#[tokio::test]
async fn workflows_that_do_not_compete_are_left_out() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    let on_demand = json!({"ondemand": true});
    for columns in [
        json!({"statecode": 0, "statuscode": 1}),
        json!({"type": 2}),
        json!({"category": 2}),
        json!({"xaml": process_xaml("adx_invitation", false)}),
    ] {
        let columns = with(on_demand.clone(), &columns);
        workflow(dataverse, "Harmless", "adx_invitation", &columns);
    }
    workflow(
        dataverse,
        "Harmless",
        "account",
        &json!({"triggeroncreate": true}),
    );
    workflow(dataverse, "Reset password", "contact", &on_demand);
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(
        diagnosis.not_passed(SENDERS),
        [""; 0],
        "{}",
        diagnosis.text()
    );
}

#[tokio::test]
async fn a_workflow_that_mails_new_contacts_is_named() {
    let naming = format!("{}<!-- adx_invitation -->", process_xaml("contact", true));
    for columns in [
        json!({"triggeroncreate": true}),
        json!({"triggeronupdateattributelist": "emailaddress1"}),
        json!({"ondemand": true, "xaml": naming}),
    ] {
        let world = World::start().await;
        workflow(&world.sandbox.dataverse, "Welcome", "contact", &columns);
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says("senders.contactWorkflows", "warn", &["\"Welcome\""]);
        assert_eq!(diagnosis.not_passed(SENDERS), ["senders.contactWorkflows"]);
    }
}

#[tokio::test]
async fn a_flow_that_mails_and_works_with_invitations_is_named() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    flow(dataverse, "Mails news", "contact", "SendEmailV2");
    flow(
        dataverse,
        "Counts invitations",
        "adx_invitation",
        "ListRows",
    );
    let off = flow(dataverse, "Turned off", "adx_invitation", "SendEmailV2");
    dataverse.change("workflows", off, &json!({"statecode": 0, "statuscode": 1}));
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(
        diagnosis.not_passed(SENDERS),
        [""; 0],
        "{}",
        diagnosis.text()
    );
    flow(
        dataverse,
        "Mails ann@contoso.example",
        "adx_invitation",
        "SharedMailboxSendEmailV2",
    );
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "senders.flows",
        "warn",
        &["Of 3 active flows, 1", "Mails [address]"],
    );
    assert!(!diagnosis.text().contains("ann@contoso.example"));
}

#[tokio::test]
async fn flows_are_read_over_every_page() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    for number in 0..60 {
        flow(
            dataverse,
            &format!("Flow {number}"),
            "adx_invitation",
            "SendEmailV2",
        );
    }
    let diagnosis = Diagnosis::of(&world).await;
    let words = ["Of 60 active flows, 60", "and 50 more"];
    diagnosis.says("senders.flows", "warn", &words);
    for number in 60..530 {
        flow(dataverse, &format!("Flow {number}"), "contact", "ListRows");
    }
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("senders.flows", "warn", &["the first 500 active flows"]);
}

#[tokio::test]
async fn a_flow_outside_solutions_is_known_by_what_it_listens_to() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    let known = flow(dataverse, "Harmless", "contact", "ListRows");
    listener(
        dataverse,
        &known.to_string().to_uppercase(),
        "contact",
        &json!({}),
    );
    let gone = json!({"softdeletestatus": 1});
    listener(dataverse, "deleted", "adx_invitation", &gone);
    listener(dataverse, "other", "account", &json!({}));
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(
        diagnosis.not_passed(SENDERS),
        [""; 0],
        "{}",
        diagnosis.text()
    );
    for (table, rows) in [("adx_invitation", "invitations"), ("contact", "contacts")] {
        listener(dataverse, &format!("flow-on-{table}"), table, &json!({}));
        let diagnosis = Diagnosis::of(&world).await;
        let words = [&format!(
            "flow-on-{table} of # portal-invite, on {rows} (Added)"
        )];
        diagnosis.says("senders.listeners", "warn", &words.map(|word| &**word));
    }
}

#[tokio::test]
async fn a_plug_in_on_invitations_is_named_unless_it_is_microsofts_own() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    let (none, invitation) = (json!({}), "adx_invitation");
    step(
        dataverse,
        ("Create", invitation),
        ("Microsoft.Portals", true),
        &none,
    );
    step(
        dataverse,
        ("Update", invitation),
        ("Adxstudio.Xrm", true),
        &none,
    );
    step(
        dataverse,
        ("Delete", invitation),
        ("Contoso.Plugins", false),
        &none,
    );
    step(
        dataverse,
        ("Create", "contact"),
        ("Contoso.Plugins", false),
        &none,
    );
    let disabled = json!({"statecode": 1, "statuscode": 2});
    step(
        dataverse,
        ("Create", invitation),
        ("Contoso.Plugins", false),
        &disabled,
    );
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(
        diagnosis.not_passed(SENDERS),
        [""; 0],
        "{}",
        diagnosis.text()
    );
    diagnosis.says("senders.plugins", "pass", &["2 of Microsoft's own"]);
    step(
        dataverse,
        ("Create", invitation),
        ("Contoso.Plugins", false),
        &none,
    );
    step(
        dataverse,
        ("Update", invitation),
        ("Microsoft.Lookalike", false),
        &none,
    );
    let diagnosis = Diagnosis::of(&world).await;
    let words = [
        "2 run when",
        "(Create, Contoso.Plugins)",
        "(Update, Microsoft.Lookalike)",
    ];
    diagnosis.says("senders.plugins", "warn", &words);
}

#[tokio::test]
async fn what_only_the_doctor_reads_is_not_checked_without_its_privilege() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    for (set, name, ids) in [
        (
            "workflows",
            "prvReadWorkflow",
            &[
                "senders.workflows",
                "senders.contactWorkflows",
                "senders.flows",
            ][..],
        ),
        (
            "callbackregistrations",
            "prvReadCallbackRegistration",
            &["senders.listeners"],
        ),
        (
            "sdkmessageprocessingsteps",
            "prvReadSdkMessageProcessingStep",
            &["senders.plugins"],
        ),
        (
            "sdkmessagefilters",
            "prvReadSdkMessageFilter",
            &["senders.plugins"],
        ),
        ("plugintypes", "prvReadPluginType", &["senders.plugins"]),
    ] {
        dataverse.deny(set, Verb::Read);
        let diagnosis = Diagnosis::of(&world).await;
        assert_eq!(diagnosis.not_passed(SENDERS), ids, "{set}");
        for id in ids {
            diagnosis.says(id, "notChecked", &[name, "organisation level"]);
        }
        assert!(diagnosis.ok());
        dataverse.permit(set, Verb::Read);
    }
}

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
