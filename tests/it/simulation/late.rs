//! A request that takes longer to plan than a caller waits: it is refused, and nothing of it is done later.

use std::time::Duration;

use portal_invite::service::invite::{InviteError, InviteRequest, WhenPending};
use sandbox::{Fault, Rule, Service as Remote};
use serde_json::json;

use super::process::CONTAINER;
use super::{Simulation, request};

/// So many letters about standing rows are claimed one by one, in a store that is slow.
const CONTACTS: usize = 200;

#[tokio::test(start_paused = true)]
async fn a_plan_that_comes_too_late_is_not_carried_out() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    let contacts = simulation.contacts(CONTACTS);
    for contact in &contacts {
        let row = json!({
            "adx_name": "By hand", "adx_type": 756_150_000,
            "adx_invitationcode": format!("prepared-{contact}"),
            "_adx_invitecontact_value": contact.uuid(),
        });
        simulation.sandbox.dataverse.insert("adx_invitations", &row);
    }
    let again = InviteRequest {
        when_pending: WhenPending::Resend,
        ..request(contacts)
    };
    let slow = Rule::on(Remote::Storage, Fault::Delay(Duration::from_secs(8)));
    simulation.sandbox.faults.add(slow.path("/keys"));
    let refused = simulation.service.invite(again.clone(), None).await;
    assert!(matches!(refused, Err(InviteError::Busy)), "{refused:?}");
    simulation.sandbox.faults.clear();
    let names = simulation.sandbox.storage.names(CONTAINER);
    assert!(
        names.iter().all(|name| name.starts_with("keys/")),
        "no journal is left"
    );
    simulation.service.dispatch().await.unwrap();
    assert!(simulation.sandbox.graph.letters().is_empty());
    // Its claims hold nobody up.
    let report = simulation.service.invite(again, None).await.unwrap();
    assert_eq!(
        report.counts.kept + report.counts.pending + report.counts.sent,
        CONTACTS
    );
    assert_eq!(report.counts.kept, 0);
}
