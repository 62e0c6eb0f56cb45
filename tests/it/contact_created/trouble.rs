//! What Dataverse is answered in trouble: it comes again only after 502, 503 and 504, and only once.

use http::Method;
use sandbox::dataverse::Verb;
use sandbox::{Fault, Rule, Service};

use super::{start, with_rule};

fn throttled(seconds: u64) -> Rule {
    let fault = Fault::Answer {
        status: 429,
        retry_after_seconds: Some(seconds),
        code: "0x80072322".to_owned(),
        effect: false,
    };
    Rule::on(Service::Dataverse, fault).method(Method::POST)
}

#[tokio::test]
async fn a_rule_that_dataverse_refuses_is_loud_and_not_sent_again() {
    for rule in ["nosuch eq 1", "jobtitle eq", "jobtitle eq 5"] {
        let world = with_rule(rule).await;
        world.register(&[]);
        let ann = world.member("Ann");
        world.told().await;
        let deliveries = world.sandbox.dataverse.deliveries();
        assert_eq!(deliveries[0].tries, [Some(500)], "{rule}");
        let answer = world.tell(ann).await;
        answer.assert_problem(500, "ruleRejected");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("AUTO_INVITE_FILTER"), "{detail}");
        let errors = world.log();
        let mut errors = errors.iter().filter(|line| line["level"] == "ERROR");
        assert!(errors.any(|line| line.to_string().contains("AUTO_INVITE_FILTER")));
        world.assert_untouched();
    }
}

#[tokio::test]
async fn a_short_throttling_is_waited_for() {
    let world = start().await;
    world.register(&[]);
    world.sandbox.faults.add(throttled(1).times(2));
    let ann = world.member("Ann");
    world.told().await;
    assert!(world.sandbox.dataverse.deliveries()[0].succeeded());
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_long_throttling_is_passed_on_and_a_later_change_is_told_again() {
    let world = start().await;
    world.register(&[]);
    world.sandbox.faults.add(throttled(300));
    let ann = world.member("Ann");
    world.told().await;
    let deliveries = world.sandbox.dataverse.deliveries();
    assert_eq!(deliveries[0].tries, [Some(503), Some(503)]);
    let answer = world.tell(ann).await;
    answer.assert_problem(503, "unavailable");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    world.assert_untouched();
    world.sandbox.faults.clear();
    // It is the process that waits; another one knows nothing of it.
    world.restart().await;
    world.update(ann, &serde_json::json!({"mobilephone": "1"}));
    world.told().await;
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_broken_answer_brings_the_delivery_once_more() {
    let world = start().await;
    world.register(&[]);
    let broken = Rule::on(Service::Identity, Fault::DropBefore);
    world.sandbox.faults.add(broken);
    let ann = world.member("Ann");
    while world.sandbox.traffic.count(Service::Identity) == 0 {
        tokio::task::yield_now().await;
    }
    world.told().await;
    let deliveries = world.sandbox.dataverse.deliveries();
    assert_eq!(deliveries[0].tries, [Some(503), Some(503)]);
    world.sandbox.faults.clear();
    assert_eq!(world.tell(ann).await.verdict(), "accepted");
}

#[tokio::test]
async fn a_missing_privilege_is_not_taken_for_a_wrong_rule() {
    let world = start().await;
    world.sandbox.dataverse.deny("contacts", Verb::Read);
    let ann = world.member("Ann");
    let answer = world.tell(ann).await;
    answer.assert_problem(502, "refused");
    assert!(answer.text.contains("prvReadContact"), "{}", answer.text);
}
