//! Competing senders: the doctor names each with its owner and its start, and leaves out what does not compete.

use sandbox::dataverse::{Verb, process_xaml};
use serde_json::json;

use super::Diagnosis;
use super::plant::{flow, listener, step, with, workflow};
use crate::world::World;

const SENDERS: &[&str] = &["senders"];

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
    diagnosis.says("senders.plugins", "pass", &["2 steps of Microsoft's own"]);
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
