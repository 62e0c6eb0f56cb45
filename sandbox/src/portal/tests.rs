//! Tests of the site: which codes it takes, what it writes, and that looking changes nothing.

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use super::*;

mod pages;

const NOW: &str = "2026-11-22T10:29:59Z";

struct World {
    dataverse: Dataverse,
    portal: Portal,
    contact: Uuid,
}

fn world_at(now: &str) -> World {
    let clock = Clock::starting_at(now.parse().unwrap());
    let dataverse = Dataverse::new(clock.clone(), 1, crate::faults::Faults::default());
    let row = json!({"firstname": "Anna", "lastname": "Berg", "emailaddress1": "old@example.com"});
    let contact = dataverse.insert("contacts", &row);
    World {
        portal: Portal::new(dataverse.clone(), clock),
        dataverse,
        contact,
    }
}

impl World {
    /// An invitation with the code `code`, and these values besides.
    fn invite(&self, values: &Value) -> Uuid {
        let mut row = json!({
            "adx_name": "Invitation",
            "adx_type": 756_150_000,
            "adx_invitationcode": "code",
            "adx_maximumredemptions": 1,
            "_adx_invitecontact_value": self.contact,
        });
        row.as_object_mut()
            .unwrap()
            .extend(values.as_object().unwrap().clone());
        self.dataverse.insert("adx_invitations", &row)
    }

    fn redeem(&self) -> Result<Redemption, RedeemError> {
        self.portal.redeem("code", "anna", "anna@example.com")
    }

    fn row(&self, id: Uuid) -> Value {
        self.dataverse.row("adx_invitations", id).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn the_rules_decide_which_code_is_taken() {
    for (values, expected) in [
        (json!({}), Ok(())),
        (json!({"statuscode": 756_150_000}), Ok(())),
        (json!({"statuscode": 756_150_001}), Ok(())),
        (
            json!({"statecode": 1, "statuscode": 2}),
            Err(RedeemError::Unknown),
        ),
        (
            json!({"adx_invitationcode": "other"}),
            Err(RedeemError::Unknown),
        ),
        (
            json!({"adx_invitationcode": null}),
            Err(RedeemError::Unknown),
        ),
        (json!({"adx_invitationcode": "CODE"}), Ok(())),
        (json!({"adx_expirydate": "2026-11-22T10:29:59Z"}), Ok(())),
        (
            json!({"adx_expirydate": "2026-11-22T10:29:58Z"}),
            Err(RedeemError::Expired),
        ),
        (json!({"adx_redemptions": 1}), Err(RedeemError::UsedUp)),
        (
            json!({"adx_redemptions": 7, "adx_maximumredemptions": null}),
            Ok(()),
        ),
        (
            json!({"adx_redemptions": 1, "adx_maximumredemptions": 2}),
            Ok(()),
        ),
        (
            json!({"_adx_invitecontact_value": null}),
            Err(RedeemError::NoContact),
        ),
    ] {
        let world = world_at(NOW);
        world.invite(&values);
        assert_eq!(world.redeem().map(|_| ()), expected, "{values}");
    }
}

#[tokio::test(start_paused = true)]
async fn from_half_past_on_the_next_full_hour_counts() {
    let expiry = json!({"adx_expirydate": "2026-11-22T10:45:00Z"});
    for (now, alive) in [
        ("2026-11-22T10:29:59.9Z", true),
        ("2026-11-22T10:30:00Z", false),
        ("2026-11-22T10:44:00Z", false),
    ] {
        let world = world_at(now);
        world.invite(&expiry);
        assert_eq!(world.redeem().is_ok(), alive, "{now}");
    }
    let whole_hour = json!({"adx_expirydate": "2026-11-22T11:00:00Z"});
    for (now, alive) in [
        ("2026-11-22T10:59:59Z", true),
        ("2026-11-22T11:00:00.1Z", false),
    ] {
        let world = world_at(now);
        world.invite(&whole_hour);
        assert_eq!(world.redeem().is_ok(), alive, "{now}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_code_on_two_active_rows_redeems_neither() {
    let world = world_at(NOW);
    let first = world.invite(&json!({}));
    let second = world.invite(&json!({}));
    assert_eq!(world.redeem(), Err(RedeemError::Ambiguous));
    world
        .dataverse
        .change("adx_invitations", first, &json!({"statecode": 1}));
    assert_eq!(world.redeem().unwrap().invitation, second);
}

#[tokio::test(start_paused = true)]
async fn redeeming_writes_what_others_see() {
    let world = world_at(NOW);
    let id = world.invite(&json!({}));
    let redemption = world.redeem().unwrap();
    let row = world.row(id);
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(0), &json!(756_150_001))
    );
    assert_eq!(row["adx_redemptions"], 1);
    assert_eq!(row["_adx_redeemedcontact_value"], json!(world.contact));
    let contact = world.dataverse.row("contacts", world.contact).unwrap();
    assert_eq!(contact["adx_identity_username"], "anna");
    assert_eq!(contact["emailaddress1"], "anna@example.com");
    assert_eq!(contact["adx_identity_logonenabled"], true);
    let activity = world
        .dataverse
        .row("adx_inviteredemptions", redemption.activity)
        .unwrap();
    assert_eq!(activity["_regardingobjectid_value"], json!(id));
    assert_eq!(world.redeem(), Err(RedeemError::UsedUp));
    assert_eq!(world.dataverse.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn between_its_two_requests_a_row_is_half_redeemed() {
    let world = world_at(NOW);
    let id = world.invite(&json!({"statuscode": 756_150_000}));
    let half = world
        .portal
        .redeem_halfway(" code ", "anna", "anna@example.com")
        .unwrap();
    assert_eq!(
        (
            &world.row(id)["adx_redemptions"],
            &world.row(id)["statuscode"]
        ),
        (&json!(1), &json!(756_150_000))
    );
    world.portal.finish(half);
    assert_eq!(world.row(id)["statuscode"], 756_150_001);
}

#[tokio::test(start_paused = true)]
async fn a_group_invitation_is_used_until_its_maximum() {
    let world = world_at(NOW);
    let id = world.invite(&json!({"adx_type": 756_150_001, "adx_maximumredemptions": 2}));
    world.redeem().unwrap();
    assert_eq!(world.row(id)["statuscode"], 1);
    assert_eq!(world.row(id)["_adx_redeemedcontact_value"], Value::Null);
    assert_eq!(
        world.dataverse.links("adx_invitation_redeemedcontacts"),
        [(id, world.contact)]
    );
    world.redeem().unwrap();
    assert_eq!(world.row(id)["statuscode"], 756_150_001);
    assert_eq!(world.redeem(), Err(RedeemError::UsedUp));
}

#[tokio::test(start_paused = true)]
async fn user_names_and_addresses_belong_to_one_contact() {
    let world = world_at(NOW);
    let id = world.invite(&json!({}));
    let other = json!({"lastname": "Other", "emailaddress1": "ANNA@example.com", "statecode": 1});
    let other = world.dataverse.insert("contacts", &other);
    assert_eq!(world.redeem(), Err(RedeemError::Taken));
    world.dataverse.change(
        "contacts",
        other,
        &json!({"emailaddress1": null, "adx_identity_username": "Anna"}),
    );
    assert_eq!(world.redeem(), Err(RedeemError::Taken));
    assert_eq!(
        world.portal.redeem("code", "", "a@b.c"),
        Err(RedeemError::Incomplete)
    );
    assert_eq!(world.row(id)["adx_redemptions"], Value::Null);
}

async fn send(
    world: &World,
    method: &str,
    path: &str,
    body: String,
) -> (StatusCode, String, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::from(body))
        .unwrap();
    let response = world.portal.router().oneshot(request).await.unwrap();
    let location = response
        .headers()
        .get("location")
        .map_or("", |value| value.to_str().unwrap())
        .to_owned();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, location, String::from_utf8(bytes.to_vec()).unwrap())
}

fn token(page: &str) -> &str {
    let (_, rest) = page
        .split_once("name=\"__RequestVerificationToken\" value=\"")
        .unwrap();
    rest.split_once('"').unwrap().0
}

#[tokio::test(start_paused = true)]
async fn looking_at_the_form_changes_nothing() {
    let world = world_at(NOW);
    let id = world.invite(&json!({}));
    let before = world.row(id);
    for path in [
        "/register?invitation=code",
        "/da-DK/Register?invitation=code&returnurl=/x",
        "/Account/Login/RedeemInvitation?invitation=code",
    ] {
        let (status, _, page) = send(&world, "GET", path, String::new()).await;
        assert_eq!(status, 200);
        assert!(
            page.contains("name=\"invitation\" value=\"code\""),
            "{page}"
        );
    }
    assert_eq!(world.row(id), before);
    let (_, _, page) = send(
        &world,
        "GET",
        "/register?invitation=%22%3E%3Cscript%3E",
        String::new(),
    )
    .await;
    assert!(!page.contains("<script>"));
}

#[tokio::test(start_paused = true)]
async fn posting_the_form_redeems_and_returns_within_the_site() {
    for (return_url, expected) in [
        ("/x", "/x"),
        ("//evil.example", "/profile"),
        ("https://evil.example", "/profile"),
    ] {
        let world = world_at(NOW);
        let id = world.invite(&json!({}));
        let (_, _, page) = send(&world, "GET", "/register?invitation=code", String::new()).await;
        let form = |token: &str| {
            format!(
                "__RequestVerificationToken={token}&invitation=code&username=anna&email=anna%40example.com&returnurl={return_url}"
            )
        };
        let (status, _, _) = send(&world, "POST", "/register", form("forged")).await;
        assert_eq!(status, 400);
        let (status, location, _) = send(&world, "POST", "/register", form(token(&page))).await;
        assert_eq!((status.as_u16(), location.as_str()), (302, expected));
        assert_eq!(world.row(id)["statuscode"], 756_150_001);
        let (status, _, page) = send(&world, "POST", "/register", form(token(&page))).await;
        assert_eq!(status, 200);
        assert!(page.contains("role=\"alert\""));
    }
}

#[tokio::test(start_paused = true)]
async fn closed_sites_and_unknown_paths_show_nothing() {
    let world = world_at(NOW);
    for path in ["/registr", "/da/dk/register", "/danish/register"] {
        assert_eq!(
            send(&world, "GET", path, String::new()).await.0,
            404,
            "{path}"
        );
    }
    world.portal.enable_invitations(false);
    for method in ["GET", "POST"] {
        assert_eq!(
            send(&world, method, "/register", String::new()).await.0,
            404
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_private_site_sends_every_visitor_to_sign_in() {
    let world = world_at(NOW);
    world.portal.set_private(true);
    for path in ["/", "/register", "/nowhere"] {
        let (status, location, _) = send(&world, "GET", path, String::new()).await;
        assert_eq!(status, StatusCode::FOUND, "{path}");
        assert!(
            location.starts_with("https://login.microsoftonline.com/"),
            "{location}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn paths_of_languages_that_the_site_does_not_have_are_not_found() {
    let world = world_at(NOW);
    world.portal.set_languages(&["en-US"]);
    for (path, expected) in [
        ("/register", StatusCode::OK),
        ("/en-US/register", StatusCode::OK),
        ("/en-us/Register", StatusCode::OK),
        ("/da-DK/register", StatusCode::NOT_FOUND),
    ] {
        let (status, _, _) = send(&world, "GET", path, String::new()).await;
        assert_eq!(status, expected, "{path}");
    }
}
