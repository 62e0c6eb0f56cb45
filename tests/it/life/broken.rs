//! Lost answers and SIGKILL while letters are sent again and reminders go out: each goes once, and its row fits it.

use futures::future::join_all;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::json;
use uuid::Uuid;

use super::remind::{due, remind};
use super::{SENT, Stands, days_pass, id_of};
use crate::trouble::instead;
use crate::world::{Setup, World};

/// What is done twice or not at all if anything is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Extend,
    Reopen,
    Remind,
}

impl Deed {
    async fn stage(self, world: &World) -> Uuid {
        let contact = match self {
            Self::Extend => Stands::Sent.stage(world).await,
            Self::Reopen => Stands::Swept.stage(world).await,
            Self::Remind => due(world, "Ann").await,
        };
        days_pass(world, 0);
        contact
    }

    /// Asks for it, whatever comes of that.
    async fn ask(self, world: &World, contact: Uuid) {
        match self {
            Self::Extend | Self::Reopen => {
                let id = id_of(&world.row(contact)).to_owned();
                let body = json!({"extendDays": 30});
                world.resend_keyed(&id, "once", &body).await;
            }
            Self::Remind => drop(world.host.fire("function-remind").await),
        }
    }
}

async fn stage() -> World {
    Setup::default()
        .setting("RESEND_COOLDOWN_MINUTES", "0")
        .setting("INLINE_SECONDS", "3")
        .start()
        .await
}

/// Does everything again that may have been cut off, and looks at what came of it.
async fn settle(world: &World, deed: Deed, contact: Uuid, told: &str) {
    world.sandbox.faults.clear();
    world.a_minute_passes();
    deed.ask(world, contact).await;
    world.dispatch_until_idle().await;
    let row = world.row(contact);
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(0), &json!(SENT)),
        "{told}"
    );
    let code = row["adx_invitationcode"].as_str().unwrap();
    let codes = world.mailed_codes(contact);
    assert_eq!(codes, [code, code], "{told}: one more letter");
}

/// Gives whether there was such a request.
async fn lose(deed: Deed, service: Service, fault: &Fault, skip: u32) -> bool {
    let world = stage().await;
    let contact = deed.stage(&world).await;
    let struck = world.strike_once(|fault| Rule::on(service, fault).skip(skip), fault.clone());
    deed.ask(&world, contact).await;
    if deed == Deed::Remind {
        let _ = world.host.fire("function-dispatch").await;
    }
    let count = struck.count();
    settle(
        &world,
        deed,
        contact,
        &format!("{deed:?} {service:?} {fault:?} {skip}"),
    )
    .await;
    count > 0
}

async fn die(deed: Deed, service: Service, effect: bool, skip: u32) -> bool {
    let world = stage().await;
    let contact = deed.stage(&world).await;
    let pid = world.host.handler_pid().unwrap();
    let struck = world.kill_at(|fault| Rule::on(service, fault).skip(skip), effect);
    deed.ask(&world, contact).await;
    if deed == Deed::Remind && struck.count() == 0 {
        let _ = world.host.fire("function-dispatch").await;
    }
    let count = struck.count();
    if count > 0 {
        world.restarted(pid).await;
        world.host.ready().await.unwrap();
    }
    settle(
        &world,
        deed,
        contact,
        &format!("{deed:?} {service:?} {effect} {skip}"),
    )
    .await;
    count > 0
}

/// Four requests at a time, until there is none to strike; gives how many were struck.
async fn each<F: Future<Output = bool>>(strike: impl Fn(u32) -> F) -> usize {
    let mut struck = 0;
    for first in (0..).step_by(4) {
        let four = join_all((first..first + 4).map(&strike)).await;
        let hits = four.into_iter().filter(|hit| *hit).count();
        struck += hits;
        if hits < 4 {
            break;
        }
    }
    struck
}

async fn survives_lost_answers(deed: Deed) {
    for (service, least) in [(Service::Dataverse, 4), (Service::Graph, 2)] {
        for fault in [Fault::DropBefore, Fault::DropAfter, instead(504, true)] {
            let struck = each(|skip| lose(deed, service, &fault, skip)).await;
            assert!(struck >= least, "{deed:?} {service:?} {fault:?}: {struck}");
        }
    }
}

async fn survives_kills(deed: Deed) {
    for (service, least) in [(Service::Dataverse, 4), (Service::Graph, 2)] {
        for effect in [false, true] {
            let struck = each(|skip| die(deed, service, effect, skip)).await;
            assert!(struck >= least, "{deed:?} {service:?} {effect}: {struck}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_expiry_survives_lost_answers() {
    survives_lost_answers(Deed::Extend).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_survives_lost_answers() {
    survives_lost_answers(Deed::Reopen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_survives_lost_answers() {
    survives_lost_answers(Deed::Remind).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_survives_a_kill_at_any_of_its_requests() {
    survives_kills(Deed::Reopen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_survives_a_kill_at_any_of_its_requests() {
    survives_kills(Deed::Remind).await;
}

#[tokio::test]
async fn a_reminder_whose_planner_died_is_planned_again() {
    let world = stage().await;
    let ann = due(&world, "Ann").await;
    assert_eq!(remind(&world).await["planned"], 1);
    // As if the process had died between the claim and the line that makes the plan whole.
    let journal = world.open_journal();
    let text = std::fs::read_to_string(&journal).unwrap();
    let whole = text.find("{\"line\":\"planned\"").unwrap();
    let cut = &text[..whole];
    std::fs::write(&journal, cut).unwrap();
    assert_eq!(remind(&world).await["planned"], 1);
    world.dispatch_until_idle().await;
    assert_eq!(world.mailed_codes(ann).len(), 2);
    assert_eq!(remind(&world).await["planned"], 0);
}
