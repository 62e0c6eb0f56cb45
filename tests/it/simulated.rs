//! Stories that take minutes to days: the real service in this process, under paused time, without sockets.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use jiff::SignedDuration;
use portal_invite::app::{Ambient, App};
use portal_invite::chance::Chance;
use portal_invite::clock::Clock;
use portal_invite::config::{Config, Environment};
use portal_invite::domain::ids::ContactId;
use portal_invite::domain::outcome::OutcomeKind;
use portal_invite::remote::http::{Broken, InProcess, Transport};
use portal_invite::remote::identity::Identity;
use portal_invite::service::Service;
use portal_invite::service::invite::{ExpiryChoice, InviteRequest, WhenPending};
use portal_invite::service::report::BatchReport;
use sandbox::graph::State;
use sandbox::{Fault, Options, Rule, Sandbox, Service as Remote};
use serde_json::json;
use tempfile::TempDir;

const START: &str = "2026-11-22T12:00:00Z";

/// A sandbox and the service, both on simulated time.
struct Simulation {
    sandbox: Sandbox,
    service: Service,
    clock: Clock,
    _store: TempDir,
}

#[derive(Debug)]
struct AnyToken(Clock);

#[async_trait::async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let seconds = self.0.now().as_second() + 3_600;
        let expires = azure_core::time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        Ok(AccessToken::new("any", expires))
    }
}

fn in_process(sandbox: &Sandbox) -> Transport {
    let dataverse = sandbox.wire(Remote::Dataverse);
    let graph = sandbox.wire(Remote::Graph);
    let transport: InProcess = Arc::new(move |mut request| {
        let to_graph = request.uri().host() == Some("graph.test");
        let wire = if to_graph {
            graph.clone()
        } else {
            dataverse.clone()
        };
        let path = request.uri().path_and_query().unwrap().as_str().parse();
        *request.uri_mut() = path.unwrap();
        Box::pin(async move {
            let answer = wire.call(request).await;
            answer.map_err(|_| Broken::Lost("the connection broke".to_owned()))
        })
    });
    Transport::InProcess(transport)
}

impl Simulation {
    fn start(senders: &[&str]) -> Self {
        let start = START.parse().unwrap();
        let sandbox = Sandbox::new(Options {
            clock: sandbox::Clock::starting_at(start),
            senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
            ..Options::default()
        });
        let clock = Clock::starting_at(start);
        let store = tempfile::tempdir().unwrap();
        let settings = [
            ("DATAVERSE_URL", "https://dataverse.test".to_owned()),
            ("GRAPH_URL", "https://graph.test".to_owned()),
            ("PORTAL_URL", "https://portal.test".to_owned()),
            ("MAIL_SENDERS", senders.join(",")),
            ("BATCH_STORE", store.path().to_str().unwrap().to_owned()),
            (
                "TEMPLATE_DIR",
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("templates")
                    .to_str()
                    .unwrap()
                    .to_owned(),
            ),
        ];
        let settings = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let config = Config::from_environment(&Environment::Given(settings.collect())).unwrap();
        let ambient = Ambient {
            clock: clock.clone(),
            chance: Chance::seeded(7),
            transport: in_process(&sandbox),
        };
        let tokens = clock.clone();
        let identity =
            Identity::new(Box::new(move || Ok(Arc::new(AnyToken(tokens.clone()))))).unwrap();
        let app = App::signed_in(config, ambient, Arc::new(identity)).unwrap();
        Self {
            sandbox,
            service: app.service().clone(),
            clock,
            _store: store,
        }
    }

    fn contacts(&self, count: usize) -> Vec<ContactId> {
        let insert = |place: usize| {
            let email = format!("person{place}@customer.example");
            let row = json!({"firstname": "Person", "lastname": place.to_string(), "emailaddress1": email});
            ContactId::new(self.sandbox.dataverse.insert("contacts", &row))
        };
        (0..count).map(insert).collect()
    }

    async fn invite(&self, contacts: Vec<ContactId>) -> BatchReport {
        self.service.invite(request(contacts), None).await.unwrap()
    }

    /// Fires the dispatcher each minute until the batch is settled; gives the minutes that took.
    async fn dispatch_each_minute(&self, report: &BatchReport, most_minutes: i64) -> i64 {
        let start = self.clock.now();
        let number = report.number.unwrap();
        for minute in 1..=most_minutes {
            let due = start + SignedDuration::from_mins(minute);
            let wait = Duration::try_from(due.duration_since(self.clock.now())).unwrap();
            tokio::time::sleep(wait).await;
            self.service.dispatch().await.unwrap();
            if self.service.batch(number).await.unwrap().finished {
                return minute;
            }
        }
        panic!("work is left after {most_minutes} minutes");
    }

    async fn outcomes(&self, report: &BatchReport) -> Vec<OutcomeKind> {
        let report = self.service.batch(report.number.unwrap()).await.unwrap();
        assert!(report.finished);
        report.results.iter().map(|entry| entry.outcome).collect()
    }
}

fn request(contacts: Vec<ContactId>) -> InviteRequest {
    InviteRequest {
        contacts,
        expiry: ExpiryChoice::Default,
        when_pending: WhenPending::Keep,
        bound: portal_invite::domain::batch::Bound::default(),
        language: None,
        template: None,
        subject: None,
        message: None,
        return_path: None,
        send_email: true,
        include_registered: false,
        requested_by: None,
        dry_run: false,
    }
}

#[tokio::test(start_paused = true)]
async fn letters_leave_at_the_pace_of_their_senders_and_no_faster() {
    for senders in [
        &["a@contoso.example"][..],
        &["a@contoso.example", "b@contoso.example"],
    ] {
        let simulation = Simulation::start(senders);
        let contacts = simulation.contacts(300);
        let report = simulation.invite(contacts).await;
        assert!(!report.finished, "300 letters do not fit into a minute");
        let minutes = simulation.dispatch_each_minute(&report, 60).await;
        // The pool is split by chance, so the fuller mailbox decides.
        let most = senders
            .iter()
            .map(|sender| simulation.sandbox.graph.sent_items(sender).len())
            .max()
            .unwrap();
        let expected = i64::try_from(most.div_ceil(30)).unwrap();
        assert!(
            minutes <= expected + 1,
            "{minutes} minutes for {most} letters"
        );
        for sender in senders {
            assert!(simulation.sandbox.graph.max_sent_in_60s(sender) <= 30);
        }
        assert_eq!(simulation.sandbox.graph.letters().len(), 300);
        assert_eq!(
            simulation.outcomes(&report).await,
            vec![OutcomeKind::Sent; 300]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_refused_for_a_day_is_given_up_and_its_rows_are_closed() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    simulation
        .sandbox
        .graph
        .mailbox_state("a@contoso.example", State::AccessDenied);
    let report = simulation.invite(simulation.contacts(3)).await;
    assert!(!report.finished);
    let minutes = simulation.dispatch_each_minute(&report, 26 * 60).await;
    assert!(
        (24 * 60..=25 * 60 + 2).contains(&minutes),
        "given up after {minutes} minutes"
    );
    assert_eq!(
        simulation.outcomes(&report).await,
        vec![OutcomeKind::Failed; 3]
    );
    for row in simulation.sandbox.dataverse.rows("adx_invitations") {
        assert_eq!(
            (&row["statecode"], &row["adx_invitationcode"]),
            (&json!(1), &json!(null))
        );
    }
    let tries = simulation.sandbox.traffic.count(Remote::Graph);
    assert!(
        tries <= 30,
        "a refused mailbox is asked hourly, not {tries} times"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sender_whose_rights_arrive_late_loses_nothing() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    simulation
        .sandbox
        .graph
        .mailbox_state("a@contoso.example", State::AccessDenied);
    let report = simulation.invite(simulation.contacts(3)).await;
    tokio::time::sleep(Duration::from_secs(5 * 60)).await;
    simulation.service.dispatch().await.unwrap();
    simulation
        .sandbox
        .graph
        .mailbox_state("a@contoso.example", State::Ok);
    simulation.dispatch_each_minute(&report, 62).await;
    assert_eq!(
        simulation.outcomes(&report).await,
        vec![OutcomeKind::Sent; 3]
    );
    assert_eq!(simulation.sandbox.graph.letters().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_draft_whose_send_was_lost_is_sent_again_once_the_mailbox_left_it_alone() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    // The first call to Graph drafts, the second sends.
    simulation.sandbox.faults.add(
        Rule::on(Remote::Graph, Fault::DropBefore)
            .path("$batch")
            .skip(1)
            .times(1),
    );
    let report = simulation.invite(simulation.contacts(2)).await;
    simulation.dispatch_each_minute(&report, 5).await;
    assert_eq!(
        simulation.outcomes(&report).await,
        vec![OutcomeKind::Sent; 2]
    );
    let letters = simulation.sandbox.graph.letters();
    assert_eq!(letters.len(), 2);
    let start: jiff::Timestamp = START.parse().unwrap();
    assert!(
        letters
            .iter()
            .all(|letter| letter.sent_at.duration_since(start).as_secs() > 60)
    );
    assert!(
        simulation
            .sandbox
            .graph
            .drafts("a@contoso.example")
            .is_empty(),
        "no second draft was made"
    );
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_cannot_be_found_for_ten_minutes_is_left_to_a_person() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    simulation.sandbox.faults.add(
        Rule::on(Remote::Graph, Fault::DropAfter)
            .path("$batch")
            .skip(1)
            .times(1),
    );
    let graph = simulation.sandbox.graph.clone();
    let empty = Fault::Call(Arc::new(move || {
        for letter in graph.sent_items("a@contoso.example") {
            graph.delete_message("a@contoso.example", &letter.message_id);
        }
    }));
    simulation
        .sandbox
        .faults
        .add(Rule::on(Remote::Graph, empty).path("$batch").skip(2));
    let report = simulation.invite(simulation.contacts(1)).await;
    let minutes = simulation.dispatch_each_minute(&report, 20).await;
    assert!((9..=11).contains(&minutes), "{minutes} minutes");
    assert_eq!(
        simulation.outcomes(&report).await,
        [OutcomeKind::Unconfirmed]
    );
    assert_eq!(
        simulation.sandbox.graph.letters().len(),
        1,
        "and it was not sent again"
    );
    let row = &simulation.sandbox.dataverse.rows("adx_invitations")[0];
    assert_eq!(
        row["statuscode"], 1,
        "an unconfirmed letter leaves its row as it is"
    );
}

#[tokio::test(start_paused = true)]
async fn a_used_up_day_rests_the_mailbox_and_the_letters_go_the_next_day() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    simulation
        .sandbox
        .graph
        .configure(|rules| rules.daily_recipients = 5);
    let report = simulation.invite(simulation.contacts(8)).await;
    assert_eq!(report.counts.sent, 5);
    let minutes = simulation.dispatch_each_minute(&report, 26 * 60).await;
    assert!(minutes >= 23 * 60, "{minutes} minutes");
    assert_eq!(
        simulation.outcomes(&report).await,
        vec![OutcomeKind::Sent; 8]
    );
    assert_eq!(simulation.sandbox.graph.letters().len(), 8);
}
