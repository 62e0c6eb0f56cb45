//! Tests of what visitors see: the form as a link opens it, errors, and who is signed in.

use super::*;

/// The site's answer to a visitor with this cookie.
async fn visit(world: &World, method: &str, path: &str, cookie: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .header("cookie", cookie)
        .body(Body::from(body.to_owned()));
    let response = world
        .portal
        .router()
        .oneshot(request.unwrap())
        .await
        .unwrap();
    let header = |name| {
        let value = response.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    let (cookie, location) = (header("set-cookie"), header("location"));
    let policy = header("content-security-policy");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer {
        cookie: cookie.split(';').next().unwrap_or_default().to_owned(),
        location,
        policy,
        page: String::from_utf8(body.to_vec()).unwrap(),
    }
}

struct Answer {
    cookie: String,
    location: String,
    policy: String,
    page: String,
}

/// Opens the link and posts its form with these values.
async fn register(world: &World, path: &str, username: &str, email: &str) -> Answer {
    let form = visit(world, "GET", path, "", "").await;
    let body = format!(
        "__RequestVerificationToken={}&invitation=code&username={username}&email={email}",
        token(&form.page)
    );
    visit(world, "POST", path, "", &body).await
}

#[tokio::test(start_paused = true)]
async fn the_form_has_the_address_of_whom_a_live_invitation_is_for() {
    let world = world_at(NOW);
    let id = world.invite(&json!({}));
    let opened = async || {
        visit(&world, "GET", "/register?invitation=code", "", "")
            .await
            .page
    };
    assert!(opened().await.contains("value=\"old@example.com\""));
    let other = visit(&world, "GET", "/register?invitation=other", "", "").await;
    assert!(!other.page.contains("old@example.com"));
    let past = json!({"adx_expirydate": "2026-11-22T09:00:00Z"});
    world.dataverse.change("adx_invitations", id, &past);
    assert!(!opened().await.contains("old@example.com"));
}

#[tokio::test(start_paused = true)]
async fn each_error_says_what_to_do_and_keeps_what_was_typed() {
    for (values, expected, field) in [
        (
            json!({"adx_invitationcode": "x"}),
            "not known",
            "invitation",
        ),
        (
            json!({"adx_expirydate": "2026-11-22T09:00:00Z"}),
            "expired",
            "invitation",
        ),
        (json!({"adx_redemptions": 1}), "used already", "invitation"),
        (
            json!({"_adx_invitecontact_value": null}),
            "for nobody",
            "invitation",
        ),
        (json!({}), "taken", "email"),
    ] {
        let world = world_at(NOW);
        world.invite(&values);
        world.dataverse.insert(
            "contacts",
            &json!({"lastname": "B", "emailaddress1": "b@example.com"}),
        );
        let answer = register(&world, "/register", "ann\"a", "b@example.com").await;
        let alert = answer.page.split_once("role=\"alert\"").unwrap().1;
        assert!(
            alert.split_once("</h2>").unwrap().0.contains(expected),
            "{alert}"
        );
        assert!(
            answer.page.contains("value=\"ann&quot;a\""),
            "{}",
            answer.page
        );
        let input = answer
            .page
            .split_once(&format!("<input name=\"{field}\""))
            .unwrap()
            .1;
        assert!(
            input.split_once('>').unwrap().0.contains("aria-invalid"),
            "{input}"
        );
        assert_eq!(answer.cookie, "");
    }
}

#[tokio::test(start_paused = true)]
async fn who_signed_up_is_greeted_until_signing_out() {
    let world = world_at(NOW);
    world.invite(&json!({}));
    let answer = register(
        &world,
        "/nb-NO/register?invitation=code",
        "anna",
        "anna@example.com",
    )
    .await;
    assert_eq!(answer.location, "/nb-NO/profile");
    let cookie = answer.cookie.as_str();
    let profile = visit(&world, "GET", "/nb-NO/profile", cookie, "").await;
    assert!(
        profile.page.contains("Welcome, Anna Berg") && profile.page.contains("anna@example.com")
    );
    let stranger = visit(&world, "GET", "/profile", "portal-invite-sandbox=other", "").await;
    assert!(!stranger.page.contains("Anna"));
    let leave = async |token: &str| {
        let body = format!("__RequestVerificationToken={token}");
        visit(&world, "POST", "/nb-NO/account/login/logoff", cookie, &body).await
    };
    leave("forged").await;
    assert!(
        visit(&world, "GET", "/", cookie, "")
            .await
            .page
            .contains("Anna Berg")
    );
    assert_eq!(leave(token(&profile.page)).await.location, "/nb-NO/");
    assert!(
        !visit(&world, "GET", "/", cookie, "")
            .await
            .page
            .contains("Anna Berg")
    );
}

#[tokio::test(start_paused = true)]
async fn names_are_text_and_pages_run_nothing() {
    let world = world_at(NOW);
    world.invite(&json!({}));
    let name = json!({"firstname": "<img src=x>", "lastname": "&\""});
    world.dataverse.change("contacts", world.contact, &name);
    let answer = register(
        &world,
        "/register?invitation=code",
        "<b>",
        "anna@example.com",
    )
    .await;
    let profile = visit(&world, "GET", "/profile", &answer.cookie, "").await;
    assert!(profile.page.contains("&lt;img src=x&gt;") && !profile.page.contains("<img"));
    assert!(!profile.page.contains("<b>"));
    assert!(
        profile.policy.starts_with("default-src 'none';"),
        "{}",
        profile.policy
    );
}
