//! Batches: order, changesets, references, limits and faults inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::faults::{Fault, Rule, Service};

/// A part with one operation; `id` becomes its `Content-ID`.
fn part(id: Option<u32>, request: &str, headers: &str, body: &str) -> String {
    let id = id
        .map(|id| format!("Content-ID: {id}\r\n"))
        .unwrap_or_default();
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/json; type=entry\r\n"
    };
    format!(
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{id}\r\n{request} HTTP/1.1\r\n{kind}{headers}\r\n{body}\r\n"
    )
}

fn enclose(boundary: &str, parts: &[String]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| format!("--{boundary}\r\n{part}"))
        .collect();
    format!("{}--{boundary}--\r\n", parts.concat())
}

fn changeset(parts: &[String]) -> String {
    format!(
        "Content-Type: multipart/mixed; boundary=\"inner\"\r\n\r\n{}",
        enclose("inner", parts)
    )
}

impl World {
    async fn batch(&self, headers: &[&str], parts: &[String]) -> Answered {
        let mut headers = headers.to_vec();
        headers.push("content-type: multipart/mixed; boundary=\"outer\"");
        self.send("POST", "$batch", &headers, &enclose("outer", parts))
            .await
    }
}

/// The statuses in a batch answer, in order.
fn statuses(answer: &Answered) -> Vec<u16> {
    let lines = answer
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines.map(|line| line[..3].parse().unwrap()).collect()
}

fn make(id: Option<u32>, name: &str) -> String {
    part(id, "POST accounts", "", &json!({"name": name}).to_string())
}

#[tokio::test(start_paused = true)]
async fn operations_are_answered_in_their_order() {
    let world = World::new();
    let contact = world.contact("Anna");
    let parts = [
        make(None, "A"),
        part(
            None,
            &format!(
                "GET http://dataverse.test/api/data/v9.2/contacts({contact})?$select=fullname"
            ),
            "",
            "",
        ),
        part(
            None,
            "GET /api/data/v9.2/accounts?$select=name",
            "Prefer: odata.maxpagesize=1\r\n",
            "",
        ),
    ];
    let answer = world.batch(&[], &parts).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-type")
            .starts_with("multipart/mixed; boundary=batchresponse_")
    );
    assert_eq!(statuses(&answer), [204, 200, 200]);
    assert!(
        answer
            .text
            .contains("OData-EntityId: http://dataverse.test/api/data/v9.2/accounts(")
    );
    assert!(
        answer.text.contains("\"fullname\":\"Anna Berg\"")
            && answer.text.contains("\"name\":\"A\"")
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_the_batch_unless_told_to_go_on() {
    let world = World::new();
    let bad = part(None, "POST accounts", "", r#"{"nosuch":1}"#);
    let parts = [make(None, "A"), bad, make(None, "B")];
    let stopped = world.batch(&[], &parts).await;
    assert_eq!(
        (stopped.status.as_u16(), statuses(&stopped)),
        (400, vec![204, 400])
    );
    assert_eq!(world.dataverse.rows("accounts").len(), 1);
    let went_on = world
        .batch(&["prefer: odata.continue-on-error"], &parts)
        .await;
    assert_eq!(
        (went_on.status.as_u16(), statuses(&went_on)),
        (200, vec![204, 400, 204])
    );
    assert_eq!(world.dataverse.rows("accounts").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_changeset_refers_to_what_it_made() {
    let world = World::new();
    let contact = world.contact("Anna");
    let role = json!({"name": "Customer", "powerpagecomponenttype": 11});
    let role = world.dataverse.insert("powerpagecomponents", &role);
    let account = json!({"name": "A"}).to_string();
    let mut row = invitation(contact);
    row["adx_assignToAccount@odata.bind"] = json!("$1");
    let link = json!({"@odata.id": format!("powerpagecomponents({role})")}).to_string();
    let relationship = "adx_invitation_mspp_webrole_powerpagecomponent";
    let parts = [
        part(Some(1), "POST accounts", "", &account),
        part(
            Some(2),
            "POST adx_invitations",
            "Prefer: return=representation\r\n",
            &row.to_string(),
        ),
        part(Some(3), &format!("POST $2/{relationship}/$ref"), "", &link),
    ];
    let answer = world.batch(&[], &[changeset(&parts)]).await;
    assert_eq!(statuses(&answer), [204, 201, 204], "{}", answer.text);
    assert!(
        answer.text.contains("boundary=changesetresponse_")
            && answer.text.contains("Content-ID: 3")
    );
    let stored = &world.dataverse.invitations_of(contact)[0];
    assert_eq!(
        stored["_adx_assigntoaccount_value"],
        world.dataverse.rows("accounts")[0]["accountid"]
    );
    assert_eq!(world.dataverse.links(relationship).len(), 1);
    let forward = [
        part(Some(1), "PATCH $2", "", r#"{"name":"x"}"#),
        make(Some(2), "B"),
    ];
    assert_eq!(
        statuses(&world.batch(&[], &[changeset(&forward)]).await),
        [400]
    );
}

#[tokio::test(start_paused = true)]
async fn a_changeset_that_fails_leaves_nothing_behind() {
    let world = World::new();
    let contact = world.contact("Anna");
    let id = world.invitation(contact);
    let etag = world
        .get(&format!("adx_invitations({id})"))
        .await
        .header("etag")
        .to_owned();
    world
        .dataverse
        .change("adx_invitations", id, &json!({"adx_redemptions": 1}));
    let before = world.dataverse.row("adx_invitations", id);
    let close = r#"{"statecode":1,"statuscode":2}"#;
    let parts = [
        make(Some(1), "A"),
        part(Some(2), &format!("DELETE contacts({contact})"), "", ""),
        part(
            Some(3),
            &format!("PATCH adx_invitations({id})"),
            &format!("If-Match: {etag}\r\n"),
            close,
        ),
    ];
    let answer = world
        .batch(
            &["prefer: odata.continue-on-error"],
            &[changeset(&parts), make(None, "B")],
        )
        .await;
    assert_eq!(
        (answer.status.as_u16(), statuses(&answer)),
        (200, vec![412, 204])
    );
    assert_eq!(world.dataverse.row("adx_invitations", id), before);
    assert_eq!(world.dataverse.rows("contacts").len(), 1);
    assert_eq!(world.dataverse.rows("accounts").len(), 1);
    assert_eq!(world.dataverse.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_not_one_is_refused_in_plain_json() {
    let world = World::new();
    let get = part(Some(1), "GET contacts", "", "");
    let nested = part(None, "POST $batch", "", "");
    for (parts, status) in [
        (vec![changeset(&[get])], 400),
        (vec![make(None, "A").replace("\r\n", "\n")], 400),
        (
            vec![changeset(&[make(Some(1), "A"), make(Some(1), "B")])],
            400,
        ),
        (vec![make(None, "A"); 1_001], 400),
    ] {
        let answer = world.batch(&[], &parts).await;
        assert_eq!(answer.status, status);
        assert!(
            answer.body["error"]["message"].is_string(),
            "{}",
            answer.text
        );
    }
    assert!(world.dataverse.rows("accounts").is_empty());
    assert_eq!(statuses(&world.batch(&[], &[nested]).await), [400]);
}

#[tokio::test(start_paused = true)]
async fn long_addresses_fit_only_into_a_batch() {
    let world = World::new();
    let target = |length| format!("contacts?$filter=fullname%20eq%20'{}'", "x".repeat(length));
    assert_eq!(world.get(&target(32_768)).await.status, 414);
    let fits = part(None, &format!("GET {}", target(60_000)), "", "");
    assert_eq!(statuses(&world.batch(&[], &[fits]).await), [200]);
    let too_long = part(None, &format!("GET {}", target(65_536)), "", "");
    assert_eq!(statuses(&world.batch(&[], &[too_long]).await), [414]);
}

#[tokio::test(start_paused = true)]
async fn faults_strike_single_operations() {
    let world = World::new();
    let answer = |effect| Fault::Answer {
        status: 503,
        retry_after_seconds: Some(9),
        code: "busy".to_owned(),
        effect,
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = (Arc::clone(&calls), world.dataverse.clone());
    let call = Fault::Call(Arc::new(move || {
        let rows = seen.1.rows("accounts").len();
        seen.0.fetch_add(rows, Ordering::Relaxed);
    }));
    for (fault, status, rows) in [
        (answer(false), 503, 0),
        (answer(true), 503, 1),
        (Fault::DropBefore, 500, 1),
        (Fault::DropAfter, 500, 2),
        (Fault::Delay(Duration::from_mins(1)), 204, 3),
        (call, 204, 4),
    ] {
        world.faults.clear();
        world.faults.add(
            Rule::on(Service::Dataverse, fault)
                .path("/accounts")
                .inside_batch()
                .times(1),
        );
        let both = [make(None, "A"), part(None, "GET contacts", "", "")];
        let answer = world
            .batch(&["prefer: odata.continue-on-error"], &both)
            .await;
        assert_eq!(statuses(&answer), [status, 200]);
        assert_eq!(world.dataverse.rows("accounts").len(), rows);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_fault_in_a_changeset_ends_all_of_it() {
    let world = World::new();
    let parts = [changeset(&[make(Some(1), "A"), make(Some(2), "B")])];
    for (fault, rows) in [(Fault::DropBefore, 0), (Fault::DropAfter, 2)] {
        let rule = Rule::on(Service::Dataverse, fault)
            .inside_batch()
            .skip(1)
            .times(1);
        world.faults.clear();
        world.faults.add(rule);
        assert_eq!(statuses(&world.batch(&[], &parts).await), [500]);
        assert_eq!(world.dataverse.rows("accounts").len(), rows);
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_is_told_what_was_carried_out_and_what_a_fault_answered() {
    let world = World::new();
    let strike = Rule::on(Service::Dataverse, Fault::DropAfter).inside_batch();
    world.faults.add(strike.path("struck").times(2));
    let get = |target: &str| part(None, &format!("GET /api/data/v9.2/{target}"), "", "");
    let struck = part(Some(2), "POST accounts?struck", "", r#"{"name":"B"}"#);
    let answer = world
        .batch(
            &[],
            &[
                changeset(&[make(Some(1), "A")]),
                changeset(&[make(Some(1), "A"), struck]),
                get("accounts?$select=name"),
            ],
        )
        .await;
    let told: Vec<_> = (answer.operations.steps.iter())
        .map(|step| (step.target.as_str(), step.status, step.struck))
        .collect();
    assert_eq!(
        told,
        [
            ("accounts", 204, false),
            ("accounts", 500, true),
            ("accounts?struck", 500, true)
        ]
    );
    // The failure ended the batch, but the last operation was in it.
    assert_eq!(answer.operations.count, 4);
}
