//! What the doctor found, by the HTTP function or by the command, in the areas of everything but Dataverse tables.

use serde_json::Value;

use crate::process::run;
use crate::world::{Setup, World};

/// An installation on which nothing is to be found.
pub(super) fn healthy() -> Setup {
    Setup::default().setting("SUPPORT_EMAIL", "help@contoso.example")
}

/// What the HTTP function found.
pub(super) async fn diagnose(world: &World) -> Value {
    let answer = world.get("/api/doctor").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// What the command found, with these settings besides, and its exit code.
pub(super) async fn command(world: &World, more: &[(&str, &str)]) -> (Value, i32) {
    let healthy = [
        ("SUPPORT_EMAIL", "help@contoso.example"),
        ("PORTAL_TIME_ZONE", "Europe/Oslo"),
    ];
    let settings: Vec<_> = healthy.iter().chain(more).copied().collect();
    let output = run(world, &["doctor", "--json"], &settings).await;
    let diagnosis = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (diagnosis, output.status.code().unwrap())
}

const AREAS: [&str; 5] = ["settings", "identity", "portal", "mailboxes", "store"];

fn area_of(check: &Value) -> &str {
    let id = check["id"].as_str().unwrap();
    id.split('.').next().unwrap()
}

/// Ends and names of the checks in these areas that did not pass, in their order.
pub(super) fn findings(diagnosis: &Value) -> Vec<String> {
    let checks = diagnosis["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["status"] != "pass")
        .filter(|check| AREAS.contains(&area_of(check)))
        .map(|check| {
            let word = |name: &str| check[name].as_str().unwrap().to_owned();
            assert!(!word("advice").is_empty(), "{check}");
            format!("{} {}", word("status"), word("id"))
        })
        .collect()
}

/// What was seen and what to do, of the check with this name that did not pass.
pub(super) fn words(diagnosis: &Value, id: &str) -> String {
    let checks = diagnosis["checks"].as_array().unwrap().iter();
    let mut found = checks.filter(|check| check["id"] == id && check["status"] != "pass");
    let check = found
        .next()
        .unwrap_or_else(|| panic!("{id} passed or is not there in {diagnosis:#}"));
    format!("{} {}", check["seen"], check["advice"])
}

/// # Panics
/// Unless these words stand there.
pub(super) fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word} in {text}");
    }
}
