//! scripts/grant itself, with stand-ins for az, pac and PowerShell that reach the sandbox as its administrator.
//!
//! They take Python and jq, which `cargo test` does without, so these stories are told on request: tests/grant/run.

use std::path::Path;
use std::process::Stdio;

use sandbox::Service;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Deployment, Model, entries};

const TENANT: &str = "dddddddd-0000-4000-8000-0000000000aa";

/// What the script said and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    text: String,
}

impl Said {
    /// Asserts that all went well, and gives what was said.
    fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.text);
        self.text
    }
}

/// A desk where an administrator is signed in.
struct Desk {
    deployment: Deployment,
    folder: TempDir,
}

impl Desk {
    fn with(deployment: Deployment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = deployment.url();
        let token = deployment.world.sandbox.identity.administrator_token(&url);
        let desk = Self { deployment, folder };
        desk.sign_in(&json!({"tenant": TENANT, "tokens": {url: token}}));
        desk
    }

    fn sign_in(&self, account: &Value) {
        let mut account = account.clone();
        account["calls"] = json!(self.folder.path().join("calls"));
        std::fs::write(self.folder.path().join("fake.json"), account.to_string()).unwrap();
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the script finds its other tools where the test does"
    )]
    async fn grant(&self, arguments: &[&str]) -> Said {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fakes = root.join("tests/grant/fake");
        let path = format!("{}:{}", fakes.display(), std::env::var("PATH").unwrap());
        let output = Command::new(root.join("scripts/grant"))
            .args(arguments)
            .env("PATH", path)
            .env("FAKE", self.folder.path().join("fake.json"))
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let (code, text) = (output.status.code(), String::from_utf8(text).unwrap());
        Said { code, text }
    }

    async fn dataverse(&self, more: &[&str]) -> Said {
        self.about("dataverse", more).await
    }

    async fn about(&self, task: &str, more: &[&str]) -> Said {
        let (url, id) = (
            self.deployment.url(),
            self.deployment.application().to_string(),
        );
        let arguments = [task, "--url", &url, "--client-id", &id];
        self.grant(&[&arguments, more].concat()).await
    }

    /// The calls of a tool so far, each as its arguments.
    fn calls(&self, tool: &str) -> Vec<Vec<String>> {
        let calls = std::fs::read_to_string(self.folder.path().join("calls")).unwrap();
        let calls = calls
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        calls.filter(|call: &Vec<String>| call[0] == tool).collect()
    }
}

impl Deployment {
    fn url(&self) -> String {
        self.world
            .at
            .dataverse
            .as_str()
            .trim_end_matches('/')
            .to_owned()
    }

    fn writes(&self) -> u64 {
        self.world.sandbox.dataverse.writes()
    }
}

const ALL: [&str; 3] = ["--features", "all", "--doctor"];

#[tokio::test]
#[ignore = "takes Python and jq: tests/grant/run"]
async fn what_is_refused_before_works_after_and_a_second_run_changes_nothing() {
    for model in [Model::Enhanced, Model::Standard] {
        let desk = Desk::with(Deployment::start(model).await);
        let deployment = &desk.deployment;
        let before = deployment.trouble().await;
        assert!(before[0].contains("not a member"), "{before:?}");
        let said = desk.dataverse(&ALL).await.well();
        assert!(said.contains("Role portal-invite doctor: made."), "{said}");
        assert_eq!(deployment.trouble().await, [""; 0], "{model:?}");
        assert_eq!(deployment.diagnosis().await, [""; 0], "{model:?}");
        let writes = deployment.writes();
        let again = desk.dataverse(&ALL).await.well();
        assert_eq!(deployment.writes(), writes);
        assert_eq!(again.matches("already").count(), 7, "{again}");
        assert!(!again.contains("made"), "{again}");
        let checked = desk.about("check", &ALL).await.well();
        assert!(!checked.contains("MISSING"), "{checked}");
    }
}

#[tokio::test]
#[ignore = "takes Python and jq: tests/grant/run"]
async fn what_an_environment_does_not_have_is_left_out_and_said() {
    let desk = Desk::with(Deployment::start(Model::Enhanced).await);
    let said = desk.dataverse(&["--features", "all"]).await.well();
    let left_out = said.lines().find(|line| line.contains("left out")).unwrap();
    for absent in ["AppendTo on adx_webrole", "Read on adx_portallanguage"] {
        assert!(left_out.contains(absent), "{said}");
    }
    assert!(!left_out.contains("powerpage"), "{said}");
    // An environment with a site of the standard data model has the tables of both.
    let desk = Desk::with(Deployment::start(Model::Standard).await);
    let said = desk.dataverse(&["--features", "all"]).await.well();
    assert!(!said.contains("left out"), "{said}");
}

#[tokio::test]
#[ignore = "takes Python and jq: tests/grant/run"]
async fn a_dry_run_asks_nothing_and_shows_each_privilege() {
    let desk = Desk::with(Deployment::start(Model::Enhanced).await);
    let traffic = &desk.deployment.world.sandbox.traffic;
    traffic.clear();
    let arguments = [&ALL[..], &["--dry-run"]].concat();
    let said = desk.dataverse(&arguments).await.well();
    assert_eq!(traffic.count(Service::Dataverse), 0);
    for entry in entries() {
        for verb in entry.verbs {
            let id = format!("<id of {verb} on {}>", entry.table);
            assert!(said.contains(&id), "{id} in {said}");
        }
    }
    assert!(
        !desk.folder.path().join("calls").exists(),
        "no tool was called"
    );
}

#[tokio::test]
#[ignore = "takes Python and jq: tests/grant/run"]
async fn a_feature_that_is_not_named_any_more_is_taken_away() {
    let desk = Desk::with(Deployment::start(Model::Enhanced).await);
    desk.dataverse(&["--features", "accounts,owner"])
        .await
        .well();
    let said = desk.dataverse(&["--features", "owner"]).await.well();
    let taken = said
        .lines()
        .find(|line| line.contains("taken away"))
        .unwrap();
    assert!(taken.contains("prvReadAccount"), "{said}");
    assert!(!taken.contains("prvAssignadx_invitation"), "{said}");
    let contact = desk.deployment.world.contact("Ann");
    let body = Deployment::everything(contact);
    let answer = desk.deployment.world.invite(&body).await;
    assert!(answer.text.contains("prvReadAccount"), "{}", answer.text);
}

#[tokio::test]
#[ignore = "takes Python and jq: tests/grant/run"]
async fn check_names_what_is_missing_and_what_is_too_much() {
    let desk = Desk::with(Deployment::start(Model::Enhanced).await);
    let nobody = desk.about("check", &[]).await;
    assert_eq!(nobody.code, Some(1));
    assert!(
        nobody.text.contains("missing. [doctor: identity.user]"),
        "{}",
        nobody.text
    );
    desk.dataverse(&["--features", "accounts"]).await.well();
    let other = desk.about("check", &["--features", "views"]).await;
    assert_eq!(other.code, Some(1));
    assert!(
        other.text.contains("MISSING  prvReadQuery"),
        "{}",
        other.text
    );
    let extra = other
        .text
        .lines()
        .find(|line| line.contains("more than it needs"));
    assert!(extra.unwrap().contains("prvReadAccount"), "{}", other.text);
    let writes = desk.deployment.writes();
    let same = desk
        .about("check", &["--features", "accounts"])
        .await
        .well();
    assert!(same.contains("granted  prvReadAccount"), "{same}");
    assert_eq!(desk.deployment.writes(), writes);
}

#[tokio::test]
#[ignore = "takes Python and jq: tests/grant/run"]
async fn pac_is_asked_for_the_user_and_its_role_by_documented_names() {
    let desk = Desk::with(Deployment::start(Model::Enhanced).await);
    let said = desk.dataverse(&["--with", "pac"]).await.well();
    assert!(said.contains("Role portal-invite: made."), "{said}");
    let (url, id) = (
        desk.deployment.url(),
        desk.deployment.application().to_string(),
    );
    let words = [
        "pac",
        "admin",
        "assign-user",
        "--environment",
        &url,
        "--user",
        &id,
        "--role",
        "portal-invite",
        "--application-user",
    ];
    assert_eq!(desk.calls("pac"), [words.map(str::to_owned).to_vec()]);
}

#[tokio::test]
#[ignore = "takes Python and jq: tests/grant/run"]
async fn nobody_signed_in_another_tenant_or_no_administrator_end_it_with_a_sentence() {
    let desk = Desk::with(Deployment::start(Model::Enhanced).await);
    let elsewhere = desk
        .dataverse(&["--tenant", "dddddddd-0000-4000-8000-0000000000bb"])
        .await;
    assert_eq!(elsewhere.code, Some(1));
    assert!(
        elsewhere
            .text
            .contains(&format!("signed in to the tenant {TENANT}")),
        "{}",
        elsewhere.text
    );
    desk.sign_in(&json!({"tokens": {}}));
    let nobody = desk.dataverse(&[]).await;
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.text.contains("not signed in"), "{}", nobody.text);
    let url = desk.deployment.url();
    let stranger = desk.deployment.world.sandbox.identity.clone();
    desk.deployment
        .world
        .sandbox
        .dataverse
        .admit(desk.deployment.application(), &[]);
    let token = stranger.application_token(&url);
    desk.sign_in(&json!({"tenant": TENANT, "tokens": {url: token}}));
    let weak = desk.dataverse(&[]).await;
    assert_eq!(weak.code, Some(1));
    assert!(weak.text.contains("prvReadBusinessUnit"), "{}", weak.text);
    assert_eq!(desk.deployment.writes(), 0);
}
