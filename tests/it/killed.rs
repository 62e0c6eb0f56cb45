//! SIGKILL at each request that a batch makes: the host starts the handler again, the dispatcher finishes.

use std::collections::BTreeMap;

use futures::future::join_all;
use http::Method;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::json;

use crate::world::{SENDER, Setup, World};

/// Worlds at a time: most of a story is waiting for processes to start.
const AT_ONCE: usize = 4;

/// What is to be sent while the handler dies.
#[derive(Clone, Copy)]
struct Batch {
    contacts: usize,
    senders: &'static [&'static str],
}

const SMALL: Batch = Batch {
    contacts: 2,
    senders: &[SENDER],
};

/// Twenty letters are drafted by one request, and ten handed over by one: these take six at least.
const LARGE: Batch = Batch {
    contacts: 40,
    senders: &["a@contoso.example", "b@contoso.example"],
};

impl Batch {
    /// Kills the handler at one of its requests and lets everything be finished; false where there was none such.
    async fn dies_at(self, service: Service, skip: u32, effect: bool) -> bool {
        // The site's address decides over ids, and an id over its letter's sender: so each world splits alike.
        let setup = Setup::default().senders(self.senders);
        let setup = setup.setting("PORTAL_URL", "https://invitations.example");
        let world = setup.start().await;
        let died = world.kill_at(|fault| Rule::on(service, fault).skip(skip), effect);
        let contacts = world.contacts(self.contacts);
        let body = json!({"contactIds": contacts});
        let sent = vec!["sent".to_owned(); self.contacts];
        let pid = world.host.handler_pid().unwrap();
        let first = world.invite_keyed("once", &body).await;
        if died.count() == 0 {
            assert_eq!(first.outcomes(), sent);
            return false;
        }
        assert!(first.status >= 500, "{}", first.text);
        world.restarted(pid).await;
        // A caller repeats what was not accepted; what was, is finished without one.
        if !world.has_accepted_work() {
            world.invite_keyed("once", &body).await;
        }
        world.a_minute_passes();
        world.dispatch_until_idle().await;
        let again = world.invite_keyed("once", &body).await;
        assert_eq!((again.status, again.outcomes()), (200, sent));
        world.assert_each_has_one_letter_and_row(&contacts);
        true
    }

    /// Kills the handler at each of its requests in turn; gives how many there are.
    async fn dies_at_each_request(self, service: Service, effect: bool) -> usize {
        let mut kills = 0;
        loop {
            let first = u32::try_from(kills).unwrap();
            let next = (first..).take(AT_ONCE);
            let deaths = next.map(|skip| self.dies_at(service, skip, effect));
            let died = join_all(deaths).await;
            let died = died.into_iter().filter(|died| *died).count();
            kills += died;
            if died < AT_ONCE {
                return kills;
            }
        }
    }
}

#[tokio::test]
async fn the_handler_may_die_before_any_request_to_dataverse_is_served() {
    assert!(SMALL.dies_at_each_request(Service::Dataverse, false).await >= 4);
}

#[tokio::test]
async fn the_handler_may_die_after_any_request_to_dataverse_is_served() {
    assert!(SMALL.dies_at_each_request(Service::Dataverse, true).await >= 4);
}

#[tokio::test]
async fn the_handler_may_die_before_any_request_to_graph_is_served() {
    assert_eq!(SMALL.dies_at_each_request(Service::Graph, false).await, 2);
}

#[tokio::test]
async fn the_handler_may_die_after_any_request_to_graph_is_served() {
    assert_eq!(SMALL.dies_at_each_request(Service::Graph, true).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_over_two_mailboxes_survives_a_kill_at_any_of_its_requests() {
    let mut kills = BTreeMap::new();
    for service in [Service::Identity, Service::Dataverse, Service::Graph] {
        for effect in [false, true] {
            let died = LARGE.dies_at_each_request(service, effect).await;
            kills.insert((service, effect), died);
        }
    }
    for service in [Service::Identity, Service::Dataverse, Service::Graph] {
        assert_eq!(kills[&(service, false)], kills[&(service, true)]);
    }
    let total: usize = kills.values().sum();
    println!("{total} kills: {kills:?}");
    // Two tokens; plan, create; for each mailbox read again and mark; at least three drafts and four handovers.
    assert!(total >= 2 * (2 + 2 + 2 * 2 + 3 + 4), "{kills:?}");
}

/// Kills the handler at the send, and its successor at one of its requests; false where that had no such request.
async fn successor_dies_at(service: Service, skip: u32, sent: bool, effect: bool) -> bool {
    let world = World::start().await;
    let contacts = world.contacts(2);
    let pid = world.host.handler_pid().unwrap();
    world.kill_at(|fault| Rule::on(Service::Graph, fault).skip(1), sent);
    world.invite_contacts(&contacts).await;
    world.restarted(pid).await;
    world.a_minute_passes();
    let pid = world.host.handler_pid().unwrap();
    let died = world.kill_at(|fault| Rule::on(service, fault).skip(skip), effect);
    // A dispatch that dies is a failed invocation.
    let _ = world.host.fire("function-dispatch").await;
    if died.count() > 0 {
        world.restarted(pid).await;
        world.a_minute_passes();
    }
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&contacts);
    died.count() > 0
}

#[tokio::test]
async fn the_next_handler_may_die_at_any_request_of_the_takeover() {
    for service in [Service::Dataverse, Service::Graph] {
        for (sent, effect) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut requests = 0;
            while successor_dies_at(service, requests, sent, effect).await {
                requests += 1;
            }
            assert!(requests > 0, "{service:?} was asked");
        }
    }
}

#[tokio::test]
async fn a_row_deleted_after_its_letter_was_accepted_is_still_a_letter_sent() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let pid = world.host.handler_pid().unwrap();
    let mark = |fault| {
        let rule = Rule::on(Service::Dataverse, fault).inside_batch();
        rule.method(Method::PATCH).path("adx_invitations(").skip(1)
    };
    world.kill_at(mark, false);
    world.invite_contacts(&[ann]).await;
    world.restarted(pid).await;
    let row = world.row(ann);
    let (id, batch) = (
        row["adx_invitationid"].as_str().unwrap(),
        row["importsequencenumber"].as_i64(),
    );
    assert!(
        world
            .sandbox
            .dataverse
            .delete("adx_invitations", id.parse().unwrap())
    );
    world.dispatch_until_idle().await;
    assert_eq!(world.result(batch.unwrap()).await.outcomes(), ["sent"]);
    assert_eq!(world.mailed_codes(ann).len(), 1);
    assert!(world.rows(ann).is_empty());
}

#[tokio::test]
async fn a_letter_killed_in_send_mode_is_left_to_a_person() {
    for effect in [false, true] {
        let world = Setup::default()
            .setting("MAIL_DELIVERY", "send")
            .start()
            .await;
        let ann = world.contact("Ann");
        let pid = world.host.handler_pid().unwrap();
        let at_send = |fault| Rule::on(Service::Graph, fault).path("/sendMail");
        world.kill_at(at_send, effect);
        world.invite_contacts(&[ann]).await;
        world.restarted(pid).await;
        let sends = world.count(|fault: Fault| at_send(fault));
        world.dispatch_until_idle().await;
        let batch = world.row(ann)["importsequencenumber"].as_i64().unwrap();
        let outcomes = world.result(batch).await.outcomes();
        assert_eq!(outcomes, ["unconfirmed unconfirmed"]);
        assert_eq!(
            (sends.count(), world.mailed_codes(ann).len()),
            (0, usize::from(effect))
        );
    }
}
