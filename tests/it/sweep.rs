//! The sweep: which rows it closes, what it leaves in them, what it says, and what its dry run shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::process::run;
use crate::world::{Setup, World};

const NEW: i32 = 1;
const INACTIVE: i32 = 2;
const SENT: i32 = 756_150_000;
const REDEEMED: i32 = 756_150_001;
const SINGLE: i32 = 756_150_000;
const GROUP: i32 = 756_150_001;
const PAST: &str = "2020-02-29T22:00:00Z";
const FUTURE: &str = "2099-12-31T22:00:00Z";

/// Batch numbers start here; what is below is somebody else's import.
const FIRST_BATCH: i64 = 1_000_000_000;

/// What a row of the matrix is made of.
#[derive(Clone, Copy, Debug)]
struct Case {
    status: i32,
    expires: Option<&'static str>,
    redemptions: Option<i32>,
    kind: i32,
    number: Option<i64>,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for status in [NEW, SENT, REDEEMED, INACTIVE] {
            for expires in [None, Some(PAST), Some(FUTURE)] {
                for redemptions in [None, Some(0), Some(1)] {
                    for kind in [SINGLE, GROUP] {
                        let numbers = [None, Some(FIRST_BATCH - 1), Some(FIRST_BATCH)];
                        cases.extend(numbers.map(|number| Self {
                            status,
                            expires,
                            redemptions,
                            kind,
                            number,
                        }));
                    }
                }
            }
        }
        cases
    }

    /// The rules of the portal and the design, said once more in the test's own words.
    fn is_due(self) -> bool {
        let waits_for_its_contact = self.status == NEW || self.status == SENT;
        let half_redeemed = self.kind == SINGLE && self.redemptions == Some(1);
        waits_for_its_contact && self.expires == Some(PAST) && !half_redeemed
    }

    fn insert(self, world: &World) -> Uuid {
        let row = json!({
            "adx_name": format!("{self:?}"),
            "adx_type": self.kind,
            "adx_invitationcode": format!("code of {self:?}"),
            "adx_expirydate": self.expires,
            "adx_maximumredemptions": 1,
            "adx_redemptions": self.redemptions,
            "importsequencenumber": self.number,
            "statecode": i32::from(self.status == INACTIVE),
            "statuscode": self.status,
        });
        world.sandbox.dataverse.insert("adx_invitations", &row)
    }
}

fn snapshot(world: &World) -> BTreeMap<String, Value> {
    let rows = world.sandbox.dataverse.rows("adx_invitations");
    let id = |row: &Value| row["adx_invitationid"].as_str().unwrap().to_owned();
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

/// What closing may change in a row.
fn without_closing(row: &Value) -> Value {
    let mut row = row.clone();
    let state = ["statecode", "statuscode"];
    let version = [
        "@odata.etag",
        "versionnumber",
        "modifiedon",
        "_modifiedby_value",
    ];
    for column in state.into_iter().chain(version) {
        row[column] = Value::Null;
    }
    row
}

async fn sweeps_exactly(world: World, is_due: impl Fn(Case) -> bool) {
    let cases: BTreeMap<String, Case> = (Case::all().into_iter())
        .map(|case| (case.insert(&world).to_string(), case))
        .collect();
    let due = cases.values().filter(|case| is_due(**case)).count();
    let (before, writes) = (snapshot(&world), world.sandbox.dataverse.writes());
    let run = world.sweep().await;
    assert_eq!(run.body["tally"]["examined"], due);
    assert_eq!(run.body["tally"]["closed"], due);
    let after = snapshot(&world);
    for (id, case) in &cases {
        let (before, after) = (&before[id], &after[id]);
        if is_due(*case) {
            assert_eq!(after["statecode"], 1, "{case:?} is closed");
            assert_eq!(after["statuscode"], INACTIVE, "{case:?}");
            assert_eq!(without_closing(after), without_closing(before), "{case:?}");
        } else {
            assert_eq!(after, before, "{case:?} is left alone");
        }
    }
    let made = world.sandbox.dataverse.writes() - writes;
    assert_eq!(
        usize::try_from(made).unwrap(),
        due,
        "one write a closed row"
    );
    let again = world.sweep().await;
    assert_eq!(again.body["tally"]["examined"], 0);
    assert_eq!(world.sandbox.dataverse.writes() - writes, made);
    assert_eq!(snapshot(&world), after, "a second run changes nothing");
}

#[tokio::test]
async fn of_every_kind_of_row_only_expired_unredeemed_ones_are_closed_and_keep_their_code() {
    sweeps_exactly(World::start().await, Case::is_due).await;
}

#[tokio::test]
async fn with_the_scope_ours_only_rows_with_a_batch_number_are_closed() {
    let setup = Setup::default().setting("SWEEP_SCOPE", "ours");
    let ours = |case: Case| case.is_due() && case.number == Some(FIRST_BATCH);
    sweeps_exactly(setup.start().await, ours).await;
}

#[tokio::test]
async fn a_row_that_the_portal_only_half_redeemed_is_never_swept() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    let row = world.row(ann);
    let id = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
    // The portal counts the redemption, then stops before it sets the status.
    let half = json!({"adx_redemptions": 1, "adx_expirydate": PAST});
    world.sandbox.dataverse.change("adx_invitations", id, &half);
    let before = world.row(ann);
    assert_eq!(world.sweep().await.body["tally"]["closed"], 0);
    assert_eq!(world.row(ann), before);
}

#[tokio::test]
async fn an_invitation_that_expires_is_closed_with_its_code_and_its_link_is_dead() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    let code = world.row(ann)["adx_invitationcode"].clone();
    world.sandbox.age(jiff::SignedDuration::from_hours(24 * 13));
    assert_eq!(world.sweep().await.body["tally"]["closed"], 0);
    world.sandbox.age(jiff::SignedDuration::from_hours(48));
    assert_eq!(world.sweep().await.body["tally"]["closed"], 1);
    let row = world.row(ann);
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(row["adx_invitationcode"], code);
    let portal = &world.sandbox.portal;
    let code = code.as_str().unwrap();
    assert!(portal.redeem(code, "ann", "ann@customer.example").is_err());
}

#[tokio::test]
async fn the_answer_tells_what_was_done() {
    let world = World::start().await;
    for case in Case::all().into_iter().filter(|case| case.is_due()).take(3) {
        case.insert(&world);
    }
    let body = world.sweep().await.body;
    let tally = json!({
        "examined": 3, "closed": 3, "changed": 0, "failed": 0, "more": false, "journalsRemoved": 0,
    });
    assert_eq!(body["tally"], tally);
    assert_eq!(body["Outputs"], json!({}));
    let line = "3 expired invitations closed, 0 had changed, 0 failed.";
    assert_eq!(body["Logs"], json!([line]));
}

#[tokio::test]
async fn a_dry_run_shows_what_a_sweep_would_close_and_changes_nothing() {
    let world = World::start().await;
    let cases: Vec<(Uuid, Case)> = (Case::all().into_iter())
        .map(|case| (case.insert(&world), case))
        .collect();
    let before = snapshot(&world);
    for (scope, in_scope) in [("all", None), ("ours", Some(FIRST_BATCH))] {
        let settings = [("SWEEP_SCOPE", scope)];
        let output = run(&world, &["sweep", "--dry-run"], &settings).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        let is_due = |case: &Case| case.is_due() && (in_scope.is_none() || case.number == in_scope);
        let due = cases.iter().filter(|(_, case)| is_due(case));
        for (id, case) in due.clone() {
            let line = format!("{id}  expired {PAST}  {case:?}");
            assert!(text.lines().any(|shown| shown == line), "no {line}\n{text}");
        }
        let last = format!(
            "{} invitations would be closed. Nothing was changed.",
            due.clone().count()
        );
        assert_eq!(text.lines().last(), Some(last.as_str()));
        assert_eq!(text.lines().count(), due.count() + 1, "{text}");
    }
    assert_eq!(world.sandbox.dataverse.writes(), 0);
    assert_eq!(snapshot(&world), before);
}

#[tokio::test]
async fn a_sweep_from_the_command_line_does_what_the_timer_does() {
    let world = World::start().await;
    let due = |case: &Case| case.is_due();
    for case in Case::all().into_iter().filter(due).take(2) {
        case.insert(&world);
    }
    let output = run(&world, &["sweep"], &[]).await;
    assert!(output.status.success());
    assert_eq!(world.sandbox.dataverse.writes(), 2);
    assert_eq!(world.sweep().await.body["tally"]["examined"], 0);
}
