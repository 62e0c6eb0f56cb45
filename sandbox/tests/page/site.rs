//! The view Portal: the site's switches, and redeeming as the invited person.

use http::StatusCode;
use sandbox::Dataverse;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Open, open};

fn invite(dataverse: &Dataverse, name: &str) -> Uuid {
    let email = format!("{name}@example.com");
    let contact = json!({"firstname": name, "lastname": "Berg", "emailaddress1": email});
    let contact = dataverse.insert("contacts", &contact);
    let row = json!({
        "adx_name": "Invitation",
        "adx_type": 756_150_000,
        "adx_invitationcode": format!("secret-{name}"),
        "adx_maximumredemptions": 1,
        "_adx_invitecontact_value": contact,
    });
    dataverse.insert("adx_invitations", &row)
}

async fn ask(page: &Open, path: &str, body: Value) -> (StatusCode, String) {
    let answer = page.post(path, &body).await;
    (
        answer.status(),
        String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn somebody_is_redeemed_without_a_code_on_the_page() {
    let page = open().await;
    let id = invite(&page.sandbox.dataverse, "anna");
    let rows = page.rows("open-invitations", |rows| rows.len() == 1).await;
    assert_eq!(
        (&rows[0]["name"], &rows[0]["email"]),
        (&json!("anna Berg"), &json!("anna@example.com"))
    );
    assert!(!rows[0].to_string().contains("secret"), "{rows:?}");
    let redeem = async || ask(&page, "sandbox/redeem", json!({"invitation": id})).await;
    assert_eq!(
        redeem().await,
        (StatusCode::OK, r#"{"name":"anna Berg"}"#.to_owned())
    );
    let rows = page.rows("redemptions", |rows| rows.len() == 1).await;
    assert_eq!(
        (&rows[0]["name"], &rows[0]["username"]),
        (&json!("anna Berg"), &json!("anna@example.com"))
    );
    assert!(rows[0]["at"].is_string(), "{rows:?}");
    page.rows("open-invitations", <[Value]>::is_empty).await;
    let (status, words) = redeem().await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        words,
        "anna Berg was not let in: the invitation has been used up."
    );
}

#[tokio::test]
async fn a_share_of_all_is_redeemed_and_the_rest_stays() {
    let page = open().await;
    for name in ["a", "b", "c", "d"] {
        invite(&page.sandbox.dataverse, name);
    }
    let all = |percent: usize| ask(&page, "sandbox/redeem/open", json!({"percent": percent}));
    assert_eq!(all(50).await.1, r#"{"redeemed":2,"refused":[]}"#);
    assert_eq!(
        page.rows("redemptions", |rows| rows.len() == 2).await.len(),
        2
    );
    let taken = json!({"lastname": "Other", "emailaddress1": "A@example.com"});
    for name in ["A", "B", "C", "D"] {
        let mut taken = taken.clone();
        taken["emailaddress1"] = format!("{name}@example.com").into();
        page.sandbox.dataverse.insert("contacts", &taken);
    }
    let (_, words) = all(100).await;
    let answer: Value = serde_json::from_str(&words).unwrap();
    assert_eq!(
        (
            &answer["redeemed"],
            answer["refused"].as_array().unwrap().len()
        ),
        (&json!(0), 2)
    );
    assert_eq!(all(0).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_closed_site_redeems_nobody() {
    let page = open().await;
    let id = invite(&page.sandbox.dataverse, "anna");
    let closed = page.rows("site", |rows| rows.len() == 1).await;
    assert_eq!(
        (&closed[0]["registration"], &closed[0]["private"]),
        (&json!(true), &json!(false))
    );
    for (setting, value, word) in [
        ("private", true, "private"),
        ("registration", false, "Registration"),
        ("invitations", false, "Invitations"),
    ] {
        assert_eq!(
            ask(&page, "sandbox/site", json!({setting: value})).await.0,
            StatusCode::OK
        );
        page.rows("site", |rows| rows.iter().any(|row| row[setting] == value))
            .await;
        for (path, body) in [
            ("sandbox/redeem", json!({"invitation": id})),
            ("sandbox/redeem/open", json!({"percent": 100})),
        ] {
            let (status, words) = ask(&page, path, body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(words.contains(word), "{words}");
        }
        ask(&page, "sandbox/site", json!({setting: !value})).await;
    }
    assert_eq!(
        ask(&page, "sandbox/redeem", json!({"invitation": id}))
            .await
            .0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn languages_are_those_that_paths_can_name() {
    let page = open().await;
    let set =
        async |languages: Value| ask(&page, "sandbox/site", json!({"languages": languages})).await;
    assert_eq!(set(json!(["en-US", "da"])).await.0, StatusCode::OK);
    let rows = page.rows("site", |rows| rows.len() == 1).await;
    assert_eq!(rows[0]["languages"], json!(["da", "en-us"]));
    let (status, words) = set(json!(["danish"])).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(words.contains("danish"), "{words}");
    assert_eq!(page.sandbox.portal.settings().languages.len(), 2);
}
