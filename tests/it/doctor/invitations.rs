//! The invitations themselves: shared codes, links without end, and what a first sweep would close.

use serde_json::json;

use super::Diagnosis;
use super::dataverse::{PAST, invitation};
use crate::world::{Setup, World};

#[tokio::test]
async fn codes_that_two_share_are_counted_and_not_told() {
    let world = World::start().await;
    let first = invitation(&world, "OneCodeForTwo", &json!({}));
    let second = invitation(&world, "onecodefortwo", &json!({"statuscode": 1}));
    invitation(&world, "ACodeOfItsOwn", &json!({}));
    let closed = json!({"statecode": 1, "statuscode": 2});
    invitation(&world, "ACodeOfItsOwn", &closed);
    let diagnosis = Diagnosis::of(&world).await;
    let (first, other) = (first.to_string(), second.to_string());
    let words = [first.as_str(), &other, "Of 3 codes, 1 are"];
    diagnosis.says("invitations.sharedCodes", "warn", &words);
    assert!(!diagnosis.text().to_lowercase().contains("onecodefortwo"));
    world
        .sandbox
        .dataverse
        .change("adx_invitations", second, &closed);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("invitations.sharedCodes", "pass", &["No two of 2"]);
}

#[tokio::test]
async fn codes_are_compared_over_every_page() {
    let world = World::start().await;
    for number in 0..5_100 {
        invitation(&world, &format!("code {number}"), &json!({}));
    }
    invitation(&world, "code 0", &json!({}));
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("invitations.sharedCodes", "warn", &["Of 5101 codes"]);
}

#[tokio::test]
async fn links_without_end_are_counted() {
    let world = World::start().await;
    let endless = |more: serde_json::Value| {
        let mut columns = json!({"adx_maximumredemptions": null});
        for (name, value) in more.as_object().unwrap() {
            columns[name] = value.clone();
        }
        columns
    };
    // Group invitations, closed ones and expired ones are no danger, or meant so.
    invitation(&world, "a", &endless(json!({"adx_type": 756_150_001})));
    invitation(
        &world,
        "b",
        &endless(json!({"statecode": 1, "statuscode": 2})),
    );
    invitation(&world, "c", &endless(json!({"adx_expirydate": PAST})));
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("invitations.unlimited", "pass", &[]);
    invitation(&world, "d", &endless(json!({})));
    invitation(&world, "e", &endless(json!({"adx_expirydate": null})));
    invitation(&world, "f", &endless(json!({"statuscode": 756_150_001})));
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "invitations.unlimited",
        "warn",
        &["3 open", "Maximum Redemptions to 1"],
    );
}

#[tokio::test]
async fn what_the_first_sweep_would_close_is_counted_by_its_scope() {
    for (scope, count) in [("all", 3), ("ours", 1)] {
        let world = Setup::default().setting("SWEEP_SCOPE", scope).start().await;
        for (place, number) in [None, None, Some(1_500_000_000)].into_iter().enumerate() {
            let columns = json!({"adx_expirydate": PAST, "importsequencenumber": number});
            invitation(&world, &format!("code {place}"), &columns);
        }
        let hours_ago = world.sandbox.clock.now() - jiff::SignedDuration::from_hours(3);
        let just_expired = json!({"adx_expirydate": hours_ago.to_string()});
        invitation(&world, "just expired", &just_expired);
        let diagnosis = Diagnosis::of(&world).await;
        let words = [&format!("{count} invitations expired"), "sweep --dry-run"];
        diagnosis.says("invitations.overdue", "warn", &words.map(|word| word));
        world.sweep().await;
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says("invitations.overdue", "pass", &[scope]);
    }
}
