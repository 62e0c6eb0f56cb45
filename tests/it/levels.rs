//! How much the log says: `RUST_LOG`, by level and by module.

use std::collections::BTreeSet;

use crate::world::Setup;

/// The messages that the log has of a request to invite, with the level and module of each.
async fn logged(filter: &str) -> BTreeSet<(String, String, String)> {
    let world = Setup::default().setting("RUST_LOG", filter).start().await;
    let contact = world.contact("Ada");
    assert_eq!(world.invite_contacts(&[contact]).await.status, 200);
    let text = |line: &serde_json::Value, field: &str| line[field].as_str().unwrap().to_owned();
    let lines = world.log();
    let lines = lines.iter().map(|line| {
        (
            text(line, "level"),
            text(line, "target"),
            text(line, "message"),
        )
    });
    lines.collect()
}

fn has(log: &BTreeSet<(String, String, String)>, message: &str) -> bool {
    log.iter().any(|(_, _, text)| text == message)
}

#[tokio::test]
async fn the_log_says_what_its_setting_asks_for_by_level_and_by_module() {
    let usual = logged("info").await;
    assert!(has(&usual, "a batch is accepted") && has(&usual, "answered"));
    assert!(usual.iter().all(|(level, _, _)| level != "DEBUG"));

    let of_functions = logged("warn,portal_invite::functions=info").await;
    assert!(has(&of_functions, "answered") && !has(&of_functions, "a batch is accepted"));

    let everything = logged("trace").await;
    assert!(everything.iter().any(|(level, _, _)| level == "TRACE"));
}

#[tokio::test]
async fn a_setting_of_the_log_that_cannot_be_read_leaves_it_as_usual() {
    let log = logged("info,=nonsense=").await;
    assert!(has(&log, "a batch is accepted") && has(&log, "answered"));
}
