//! Secrecy: through a hard day at the most talkative log level, no code, token or address gets out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use http::Method;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::json;
use uuid::Uuid;

use crate::leaks::Secrets;
use crate::world::{Answer, SENDER, Setup, World};

const SUPPORT: &str = "help@contoso.example";
const REPLIES: &str = "replies@contoso.example";
const FUNCTION_KEY: &str = "K3yOfTheFunctionApp-000000000000000000000000000000000000==";

/// The stage, and every answer that was given on it.
struct Day {
    world: Arc<World>,
    answers: Vec<Answer>,
    contacts: usize,
}

impl Day {
    async fn dawn(delivery: &str) -> Self {
        let setup = Setup::default()
            .setting("RUST_LOG", "trace")
            .setting("MAIL_DELIVERY", delivery)
            .setting("SUPPORT_EMAIL", SUPPORT)
            .setting("MAIL_REPLY_TO", REPLIES)
            .setting("ALLOW_LINKS", "true")
            .setting("INLINE_SECONDS", "1");
        Self {
            world: Arc::new(setup.start().await),
            answers: Vec::new(),
            contacts: 0,
        }
    }

    fn contact(&mut self) -> Uuid {
        self.contacts += 1;
        let name = format!("Person{}", self.contacts);
        let email = format!("Private.{name}@Customer.example");
        self.world
            .contact_with(&name, &json!({ "emailaddress1": email }))
    }

    /// Invites a new contact, with the function key in both places where callers put it.
    async fn invite(&mut self) {
        let body = json!({ "contactIds": [self.contact()], "message": "Welcome!" });
        let path = format!("/api/invitations?code={FUNCTION_KEY}");
        let key = [("x-functions-key", FUNCTION_KEY)];
        let answer = self.world.post(&path, &key, &body).await;
        self.answers.push(answer);
    }

    async fn invite_despite(&mut self, rule: Rule) {
        self.world.sandbox.faults.add(rule.times(1));
        self.invite().await;
        self.world.sandbox.faults.clear();
    }

    /// Services that repeat the request in their errors, answers that get lost, tokens that end.
    async fn meet_every_fault(&mut self) {
        let services = [Service::Dataverse, Service::Graph, Service::Identity];
        for service in services {
            for status in [400, 403, 404, 500] {
                self.invite_despite(Rule::on(service, Fault::Quote { status }))
                    .await;
            }
            for skip in [1, 2, 3, 4] {
                let post = Rule::on(service, Fault::Quote { status: 400 }).method(Method::POST);
                self.invite_despite(post.skip(skip)).await;
            }
            self.invite_despite(
                Rule::on(service, Fault::DropAfter)
                    .method(Method::POST)
                    .skip(2),
            )
            .await;
        }
        for (service, method, path) in [
            (Service::Dataverse, Method::PATCH, "adx_invitations"),
            (Service::Dataverse, Method::GET, "contacts"),
            (Service::Graph, Method::POST, "messages"),
            (Service::Graph, Method::POST, "/send"),
        ] {
            for (status, skip) in [(400, 0), (500, 0), (400, 1), (403, 1)] {
                let rule = Rule::on(service, Fault::Quote { status }).method(method.clone());
                self.invite_despite(rule.path(path).inside_batch().skip(skip))
                    .await;
            }
        }
        self.world.sandbox.identity.revoke_all();
        self.invite().await;
    }

    /// The process dies while a letter leaves, and another takes the batch over.
    async fn crash(&mut self) {
        let stage = Arc::downgrade(&self.world);
        let kill = Fault::Call(Arc::new(move || {
            stage.upgrade().unwrap().host.kill_handler();
        }));
        for path in ["/send", "sendMail"] {
            let rule = Rule::on(Service::Graph, kill.clone()).path(path).times(1);
            self.world.sandbox.faults.add(rule.clone());
            self.world.sandbox.faults.add(rule.inside_batch());
        }
        self.invite().await;
        self.world.sandbox.faults.clear();
        self.world.host.ready().await.unwrap();
        for _ in 0..3 {
            self.world.dispatch().await;
        }
    }

    /// Links for the caller: the one answer that may hold a code, so it is not kept.
    async fn hand_links_over(&mut self) {
        let body = json!({ "contactIds": [self.contact()], "sendEmail": false });
        let answer = self.world.invite(&body).await;
        let url = answer.json()["results"][0]["redeemUrl"].clone();
        assert!(
            url.as_str().unwrap().contains("invitation="),
            "{}",
            answer.text
        );
    }

    async fn overwritten_codes(&mut self) {
        self.world.sandbox.dataverse.overwrite_codes_at_create(true);
        self.invite().await;
        self.world
            .sandbox
            .dataverse
            .overwrite_codes_at_create(false);
    }

    async fn mistakes(&mut self) {
        let address = "private.person1@customer.example";
        let bodies = [
            json!({"contactIds": [address], "expiresOn": address, "inviterContactId": address}),
            json!({"contactIds": [Uuid::nil()], "language": address, "template": address}),
            json!({"contactIds": [Uuid::nil()], "returnUrl": format!("//{address}")}),
        ];
        for body in bodies {
            let answer = self.world.invite(&body).await;
            assert!(
                answer.status >= 400 || answer.json()["counts"]["failed"] == 1,
                "{}",
                answer.text
            );
            self.answers.push(answer);
        }
    }

    async fn sweep_in_trouble(&mut self) {
        self.world
            .sandbox
            .age(jiff::SignedDuration::from_hours(24 * 30));
        let quote = |status| Rule::on(Service::Dataverse, Fault::Quote { status });
        self.world
            .sandbox
            .faults
            .add(quote(400).method(Method::PATCH).inside_batch().times(2));
        self.world.sweep().await;
        self.world.sandbox.faults.add(quote(403).times(1));
        let denied = self.world.handler("/function-sweep").post("{}").await;
        assert_eq!(denied.status, 502);
        self.answers.push(denied);
        self.world.sweep().await;
    }

    async fn ask_for_all_batches(&mut self) {
        let batches: Vec<_> = (self.answers.iter())
            .filter_map(|answer| {
                answer
                    .text
                    .starts_with('{')
                    .then(|| answer.json()["batch"].as_i64())?
            })
            .collect();
        assert!(batches.len() > 20);
        for batch in batches {
            let answer = self.world.get(&format!("/api/batches/{batch}")).await;
            self.answers.push(answer);
        }
    }

    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::of(&self.world.sandbox, &[SENDER]);
        secrets
            .addresses
            .extend([SENDER, SUPPORT, REPLIES].map(str::to_owned));
        secrets.words.push(FUNCTION_KEY.to_owned());
        secrets
    }
}

async fn a_hard_day_leaks_nothing(delivery: &str) {
    let mut day = Day::dawn(delivery).await;
    day.invite().await;
    day.mistakes().await;
    day.hand_links_over().await;
    day.overwritten_codes().await;
    day.meet_every_fault().await;
    day.crash().await;
    day.ask_for_all_batches().await;
    let mut secrets = day.secrets();
    day.sweep_in_trouble().await;
    secrets.add(day.secrets());
    assert!(
        secrets.codes.len() > 20,
        "{} codes to look for",
        secrets.codes.len()
    );
    assert!(secrets.words.len() > 3, "tokens to look for");
    let world = &day.world;
    let console = world.log().into_iter().map(|line| line.to_string());
    let answers = day
        .answers
        .iter()
        .map(|answer| format!("{:?}\n{}", answer.headers, answer.text));
    let heard: Vec<String> = console.chain(answers).collect();
    let files = files_below(world.store.path());
    let all = || heard.iter().chain(files.values());
    for sign in [
        "[address]",
        "[removed]",
        "Quoted",
        "answered",
        "TRACE",
        "\"line\":\"end\"",
    ] {
        assert!(
            all().any(|text| text.contains(sign)),
            "no {sign} anywhere: this day was not hard"
        );
    }
    for text in &heard {
        secrets.assert_absent("the log or an answer", text);
    }
    // A journal names the senders of its letters, and nobody else.
    secrets.addresses.retain(|address| address != SENDER);
    for (path, text) in &files {
        secrets.assert_absent(path, text);
    }
}

/// Path and content of every file.
fn files_below(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            files.insert(path.display().to_string(), text);
        }
    }
    files
}

#[tokio::test]
async fn nothing_secret_gets_out_where_letters_are_drafted_first() {
    a_hard_day_leaks_nothing("draft").await;
}

#[tokio::test]
async fn nothing_secret_gets_out_where_letters_are_sent_at_once() {
    a_hard_day_leaks_nothing("send").await;
}
