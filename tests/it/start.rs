//! Starts that fail: what the person at the console and the log are told, and what they are not.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::process::binary;

/// A word that stands in every wrong value here, and may stand in no output.
const VALUE: &str = "hunter2";

const GOOD: [(&str, &str); 3] = [
    ("DATAVERSE_URL", "https://contoso.crm4.dynamics.com"),
    ("PORTAL_URL", "https://contoso.powerappsportals.com"),
    ("MAIL_SENDERS", "invitations@contoso.example"),
];

struct Failure {
    stderr: String,
    log: String,
}

/// Starts with these settings after the good ones, and expects the start to fail as a wrong setting does.
async fn fails(settings: &[(&str, &str)]) -> Failure {
    let Output {
        status,
        stdout,
        stderr,
    } = binary(&[], settings.iter().copied())
        .output()
        .await
        .unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    let log = String::from_utf8(stdout).unwrap();
    assert_eq!(status.code(), Some(64), "{stderr}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.last().expect("a line in the log");
    assert_eq!(last["level"], "ERROR");
    assert!(lines.iter().all(Value::is_object));
    Failure { stderr, log }
}

async fn fails_with(more: &[(&str, &str)]) -> Failure {
    let store = tempfile::tempdir().unwrap();
    // A start that goes too far ends here, with another exit code.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let own = [
        ("BATCH_STORE", store.path().to_str().unwrap()),
        ("FUNCTIONS_CUSTOMHANDLER_PORT", &port),
    ];
    let settings: Vec<_> = GOOD.iter().chain(&own).chain(more).copied().collect();
    fails(&settings).await
}

impl Failure {
    fn tells(&self, words: &[&str]) {
        for word in words {
            assert!(self.stderr.contains(word), "no {word} in {}", self.stderr);
            assert!(self.log.contains(word), "no {word} in {}", self.log);
        }
    }

    fn keeps(&self, secret: &str) {
        assert!(!self.stderr.contains(secret), "{}", self.stderr);
        assert!(!self.log.contains(secret), "{}", self.log);
    }
}

#[tokio::test]
async fn a_start_without_settings_names_each_required_one() {
    let failure = fails(&[]).await;
    failure.tells(&["DATAVERSE_URL", "PORTAL_URL", "MAIL_SENDERS", "is required"]);
}

#[tokio::test]
async fn every_wrong_setting_is_named_at_once_and_no_value_is_repeated() {
    let wrong = [
        ("DATAVERSE_URL", "http://hunter2.crm4.dynamics.com"),
        ("PORTAL_URL", "ftp://hunter2.example"),
        ("MAIL_SENDERS", "hunter2"),
        ("AZURE_CREDENTIAL", "hunter2"),
        ("MAIL_DELIVERY", "hunter2"),
        ("MAIL_RATE_PER_MINUTE", "-hunter2"),
        ("MAIL_REPLY_TO", "hunter2@"),
        ("INVITATION_VALID_DAYS", "0hunter2"),
        ("INVITATION_OWNER", "team/hunter2"),
        ("PORTAL_WEBSITE_ID", "hunter2"),
        ("PORTAL_TIME_ZONE", "Mars/hunter2"),
        ("LANGUAGES", "en=hunter2/../.."),
        ("BRAND_COLOR", "#hunter2"),
        ("BRAND_LOGO_URL", "hunter2.png"),
        ("SUPPORT_EMAIL", "@hunter2"),
        ("ALLOW_LINKS", "hunter2"),
        ("ALLOWED_WORKFLOWS", "hunter2"),
        ("SWEEP_SCOPE", "hunter2"),
        ("INLINE_SECONDS", "hunter2"),
        ("GRAPH_URL", "hunter2://graph"),
        ("BATCH_KEEP_DAYS", "hunter2"),
    ];
    let failure = fails_with(&wrong).await;
    failure.tells(&wrong.map(|(name, _)| name));
    failure.tells(&[&format!("{} app settings need attention", wrong.len())]);
    failure.keeps(VALUE);
}

#[tokio::test]
async fn numbers_outside_their_limits_are_refused() {
    let wrong = [
        ("MAIL_RATE_PER_MINUTE", "0"),
        ("INVITATION_VALID_DAYS", "366"),
        ("INLINE_SECONDS", "91"),
        ("BATCH_KEEP_DAYS", "-1"),
    ];
    let failure = fails_with(&wrong).await;
    failure.tells(&wrong.map(|(name, _)| name));
    for (name, value) in wrong {
        let alone = fails_with(&[(name, value)]).await;
        alone.tells(&[name, "1 app settings"]);
    }
}

#[tokio::test]
async fn a_start_outside_the_host_says_what_to_do() {
    let failure = fails(&GOOD).await;
    failure.tells(&["FUNCTIONS_CUSTOMHANDLER_PORT", "cargo run -p sandbox"]);
}

#[tokio::test]
async fn on_azure_a_store_has_to_be_named() {
    let azure = [("WEBSITE_INSTANCE_ID", "0f1e2d")];
    let settings: Vec<_> = GOOD.iter().chain(&azure).copied().collect();
    fails(&settings).await.tells(&["BATCH_STORE"]);
}

/// A copy of the packaged templates, where one line of one file is something else.
fn templates(file: &str, line: usize, text: &str) -> tempfile::TempDir {
    let packaged = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("en")).unwrap();
    for name in [
        "layout.html",
        "parts.html",
        "invitation.html",
        "en/invitation.html",
        "en/invitation.subject.txt",
    ] {
        std::fs::copy(packaged.join(name), copy.path().join(name)).unwrap();
    }
    let path = copy.path().join(file);
    let packaged = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = packaged.lines().collect();
    lines[line - 1] = text;
    std::fs::write(path, lines.join("\n")).unwrap();
    copy
}

#[tokio::test]
async fn a_broken_template_fails_the_start_and_the_file_and_line_are_told() {
    let broken = [
        (
            "en/invitation.html",
            4,
            "{% block greeting %}Hello {{ contact_nmae }},{% endblock %}",
        ),
        (
            "en/invitation.html",
            6,
            "{% block replaces %}{% if expires %}{% endblock %}",
        ),
        ("en/invitation.subject.txt", 1, "{{ link }}"),
        ("layout.html", 7, "{{ brand.slogan }}"),
    ];
    for (file, line, text) in broken {
        let copy = templates(file, line, text);
        let failure = fails_with(&[("TEMPLATE_DIR", copy.path().to_str().unwrap())]).await;
        failure.tells(&[file, "line "]);
        if !text.contains("{%") {
            failure.tells(&[&format!("{file}, line {line}:")]);
        }
    }
}

#[tokio::test]
async fn a_letter_without_its_link_fails_the_start() {
    let copy = templates("en/invitation.html", 1, "<p>Come!</p>");
    std::fs::write(copy.path().join("en/invitation.html"), "<p>Come!</p>").unwrap();
    let failure = fails_with(&[("TEMPLATE_DIR", copy.path().to_str().unwrap())]).await;
    failure.tells(&["en/invitation.html", "link"]);
}

#[tokio::test]
async fn a_language_without_templates_fails_the_start() {
    let failure = fails_with(&[("LANGUAGES", "en=en-US,tlh")]).await;
    failure.tells(&["LANGUAGES", "tlh"]);
}

#[tokio::test]
async fn a_language_without_an_invitation_fails_the_start_whatever_else_it_has() {
    let copy = templates("layout.html", 1, "<!DOCTYPE html>");
    std::fs::create_dir(copy.path().join("tlh")).unwrap();
    for end in ["html", "subject.txt"] {
        let (from, to) = (
            format!("en/invitation.{end}"),
            format!("tlh/reminder.{end}"),
        );
        std::fs::copy(copy.path().join(from), copy.path().join(to)).unwrap();
    }
    let directory = copy.path().to_str().unwrap();
    let failure = fails_with(&[("TEMPLATE_DIR", directory), ("LANGUAGES", "en,tlh")]).await;
    failure.tells(&["tlh", "invitation.html"]);
}

#[tokio::test]
async fn a_language_without_a_reminder_fails_the_start_where_people_are_reminded() {
    let copy = templates("layout.html", 1, "<!DOCTYPE html>");
    let failure = fails_with(&[("TEMPLATE_DIR", copy.path().to_str().unwrap())]).await;
    failure.tells(&["reminder.html", "REMIND_DAYS_BEFORE"]);
}

#[tokio::test]
async fn a_folder_without_templates_fails_the_start() {
    let failure = fails_with(&[("TEMPLATE_DIR", "/nowhere/templates")]).await;
    failure.tells(&["/nowhere/templates"]);
    let causes = failure.stderr.matches("os error").count();
    assert_eq!(causes, 1, "told once: {}", failure.stderr);
}
