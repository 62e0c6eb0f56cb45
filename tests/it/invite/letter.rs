//! What a request writes into the letter: language, return path, subject and personal message.

use sandbox::Addresses;
use serde_json::{Value, json};
use url::Url;

use crate::world::{Setup, World};

/// The redeem link of a letter or a page, as a browser would follow it.
fn link(html: &str, at: &Addresses) -> Url {
    let mut links = html.split("href=\"").skip(1);
    let link = links
        .find(|link| link.starts_with(at.portal.as_str()))
        .unwrap();
    let link = &link[..link.find('"').unwrap()];
    link.replace("&amp;", "&")
        .replace("&#39;", "'")
        .parse()
        .unwrap()
}

async fn letter_of(world: &World, fields: &Value) -> sandbox::graph::Letter {
    let ann = world.contact("Ann");
    let mut body = json!({ "contactIds": [ann] });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = world.invite(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.outcomes(), ["sent"]);
    world.letter(ann)
}

#[tokio::test]
async fn the_link_leads_to_the_site_by_the_language_and_back_to_the_path_asked_for() {
    let world = Setup::default().setting("LANGUAGES", "en=en-US");
    let world = world.start().await;
    let fields = json!({"language": "en", "returnUrl": "/orders/new?a=1&b=two words#end"});
    let letter = letter_of(&world, &fields).await;
    let link = link(&letter.html, &world.at);
    assert_eq!(link.path(), "/en-US/register");
    let query: Vec<_> = link.query_pairs().collect();
    let code = &world.sandbox.dataverse.rows("adx_invitations")[0]["adx_invitationcode"];
    assert_eq!(
        query[0],
        ("invitation".into(), code.as_str().unwrap().into())
    );
    assert_eq!(
        query[1],
        ("returnurl".into(), "/orders/new?a=1&b=two words#end".into())
    );
    assert_eq!(query.len(), 2);
    let page = world.get(link.as_str()).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(code.as_str().unwrap()));
}

#[tokio::test]
async fn without_a_language_path_and_a_return_path_the_link_is_plain() {
    let world = World::start().await;
    let link = link(&letter_of(&world, &json!({})).await.html, &world.at);
    assert_eq!(link.path(), "/register");
    assert_eq!(link.query_pairs().count(), 1);
}

#[tokio::test]
async fn a_personal_message_is_text_and_nothing_else() {
    let world = World::start().await;
    let message =
        "Hi <b>you</b> & \"them\"\nhttps://evil.example/?a=1&b=2\r\n<script>alert('x')</script>";
    let letter = letter_of(&world, &json!({ "message": message })).await;
    assert!(letter.html.contains("Hi &lt;b&gt;you&lt;"), "escaped");
    assert!(!letter.html.contains("<b>you"));
    assert!(!letter.html.contains("<script"));
    assert!(
        letter.html.contains("&quot;them&quot;<br>https:"),
        "lines stay"
    );
    assert!(
        !letter.html.contains("href=\"https://evil"),
        "no link is made of it"
    );
}

#[tokio::test]
async fn a_subject_is_one_plain_line_and_replaces_the_templates() {
    let world = World::start().await;
    let subject = "Tom & Ann <welcome>\r\nBcc: everyone@customer.example";
    let letter = letter_of(&world, &json!({ "subject": subject })).await;
    assert_eq!(
        letter.subject,
        "Tom & Ann <welcome> Bcc: everyone@customer.example"
    );
    assert!(!letter.html.contains("<welcome>"));
    assert_eq!(letter.to, ["ann@customer.example"]);
}

#[tokio::test]
async fn a_name_with_markup_stays_a_name() {
    let world = World::start().await;
    let columns = json!({"emailaddress1": "bob@customer.example", "lastname": "<i>'Tables'</i>"});
    let bob = world.contact_with("Bob", &columns);
    assert_eq!(world.invite_contacts(&[bob]).await.outcomes(), ["sent"]);
    let letter = world.letter(bob);
    assert_eq!(letter.to_name.as_deref(), Some("Bob <i>'Tables'</i>"));
    assert!(letter.html.contains("Bob &lt;i&gt;"));
    assert!(!letter.html.contains("<i>"));
}

#[tokio::test]
async fn a_name_that_turns_or_breaks_lines_is_one_line_that_turns_nothing() {
    let world = World::start().await;
    let columns = json!({"emailaddress1": "bob@customer.example", "lastname": "\u{202e}selbaT\nx"});
    let bob = world.contact_with("Bob", &columns);
    assert_eq!(world.invite_contacts(&[bob]).await.outcomes(), ["sent"]);
    let letter = world.letter(bob);
    assert_eq!(letter.to_name.as_deref(), Some("Bob selbaT x"));
    assert!(letter.html.contains("Hello Bob selbaT x,"));
}

#[tokio::test]
async fn machines_are_asked_not_to_answer() {
    let letter = letter_of(&World::start().await, &json!({})).await;
    let suppressed = ("X-Auto-Response-Suppress".to_owned(), "All".to_owned());
    assert_eq!(letter.headers, [suppressed]);
}

#[tokio::test]
async fn answers_go_where_the_settings_say() {
    let world = Setup::default()
        .setting("SUPPORT_EMAIL", "help@contoso.example")
        .setting("MAIL_REPLY_TO", "desk@contoso.example");
    let letter = letter_of(&world.start().await, &json!({})).await;
    assert_eq!(letter.reply_to, ["desk@contoso.example"]);
    assert!(letter.html.contains("mailto:help@contoso.example"));
    let world = Setup::default().setting("SUPPORT_EMAIL", "help@contoso.example");
    let letter = letter_of(&world.start().await, &json!({})).await;
    assert_eq!(letter.reply_to, ["help@contoso.example"]);
}

#[tokio::test]
async fn an_unknown_language_or_template_is_refused() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    for (field, value) in [
        ("language", "da"),
        ("template", "farewell"),
        ("template", "../en/invitation"),
    ] {
        let mut body = json!({ "contactIds": [ann] });
        body[field] = json!(value);
        let answer = world.invite(&body).await;
        answer.assert_problem(400, "invalidRequest");
        assert_eq!(answer.wrong_fields(), [field]);
    }
    world.assert_untouched();
}
