//! SIGKILL while pending invitations are sent again or replaced: still one link that works, and one letter with it.

use futures::future::join_all;
use sandbox::faults::{Rule, Service};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::invite::row_of;
use crate::world::{Setup, World};

const ROLE: Uuid = uuid!("cccccccc-0000-4000-8000-000000000001");

async fn stage() -> World {
    let setup = Setup::default().setting("ALLOWED_WEB_ROLES", &ROLE.to_string());
    let world = setup.start().await;
    let role =
        json!({"powerpagecomponentid": ROLE, "name": "Customer", "powerpagecomponenttype": 11});
    world.sandbox.dataverse.insert("powerpagecomponents", &role);
    world
}

/// One link of the contact's works, and the only letter carries it.
fn assert_one_link(world: &World, contact: Uuid, replaced: bool) {
    let rows = world.rows(contact);
    assert_eq!(rows.len(), 1 + usize::from(replaced), "{rows:?}");
    let open: Vec<&Value> = rows.iter().filter(|row| row["statecode"] == 0).collect();
    assert_eq!(open.len(), 1, "{rows:?}");
    assert_eq!(open[0]["statuscode"], 756_150_000);
    assert_eq!(open[0]["adx_maximumredemptions"], 1);
    let code = open[0]["adx_invitationcode"].as_str().unwrap();
    assert!(world.letter(contact).html.contains(code));
    let id: Uuid = open[0]["adx_invitationid"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let roles = world
        .sandbox
        .dataverse
        .links("adx_invitation_mspp_webrole_powerpagecomponent");
    let roles = roles.iter().filter(|(row, _)| *row == id).count();
    assert_eq!(
        roles,
        usize::from(replaced),
        "a row that is made has its role"
    );
}

/// False where the batch made no such request.
async fn dies_at(when_pending: &str, service: Service, skip: u32, effect: bool) -> bool {
    let world = stage().await;
    let contacts = world.contacts(3);
    for contact in &contacts {
        row_of(&world, *contact, &json!({}));
    }
    let body = json!({"contactIds": contacts, "whenPending": when_pending, "webRoleIds": [ROLE]});
    let died = world.kill_at(|fault| Rule::on(service, fault).skip(skip), effect);
    let pid = world.host.handler_pid().unwrap();
    world.invite_keyed("once", &body).await;
    if died.count() > 0 {
        world.restarted(pid).await;
        if !world.has_accepted_work() {
            world.invite_keyed("once", &body).await;
        }
        world.a_minute_passes();
        world.dispatch_until_idle().await;
    }
    let again = world.invite_keyed("once", &body).await;
    assert_eq!(again.outcomes(), ["sent"; 3]);
    for contact in contacts {
        assert_one_link(&world, contact, when_pending == "replace");
    }
    died.count() > 0
}

async fn dies_at_each_request(when_pending: &str) -> usize {
    let mut kills = 0;
    for service in [Service::Dataverse, Service::Graph] {
        for effect in [false, true] {
            let mut skip = 0;
            loop {
                let next =
                    (skip..skip + 4).map(|skip| dies_at(when_pending, service, skip, effect));
                let died = join_all(next)
                    .await
                    .into_iter()
                    .filter(|died| *died)
                    .count();
                kills += died;
                skip += 4;
                if died < 4 {
                    break;
                }
            }
        }
    }
    kills
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resend_survives_a_kill_at_any_of_its_requests() {
    assert!(dies_at_each_request("resend").await >= 2 * (6 + 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_survives_a_kill_at_any_of_its_requests() {
    assert!(dies_at_each_request("replace").await >= 2 * (6 + 2));
}
