//! Finding and reading messages, and what is refused.

use super::*;

#[tokio::test(start_paused = true)]
async fn only_immutable_ids_survive_the_move() {
    let desk = desk();
    let id = desk.draft("k/1").await;
    let plain = |method: &str, path: &str, body: &str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1.0/users/{SENDER}/{path}"))
            .header("authorization", "Bearer anything")
            .header("content-type", "application/json");
        request.body(Bytes::from(body.to_owned())).unwrap()
    };
    let listed = desk.raw(plain("GET", "messages", "")).await;
    let mutable = listed.body["value"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(mutable, id);
    let misused = desk.raw(plain("GET", &format!("messages/{id}"), "")).await;
    assert_eq!(misused.code(), "ErrorInvalidIdMalformed");
    let path = format!("messages/{mutable}/send");
    assert_eq!(desk.raw(plain("POST", &path, "")).await.status, 202);
    let gone = desk
        .raw(plain("GET", &format!("messages/{mutable}"), ""))
        .await;
    assert_eq!(gone.code(), "ErrorItemNotFound");
    assert_eq!(desk.get(&id).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn mailboxes_that_do_not_work_say_why() {
    let desk = desk();
    let id = desk.draft("k/1").await;
    for (state, status, code, reading) in [
        (State::AccessDenied, 403, "ErrorAccessDenied", 403),
        (State::NoMailbox, 404, "MailboxNotEnabledForRESTAPI", 404),
        (State::Full, 507, "ErrorQuotaExceeded", 200),
    ] {
        desk.graph.mailbox_state(SENDER, state);
        let sent = desk.send(&id).await;
        assert_eq!((sent.status, sent.code()), (status, code));
        assert_eq!(desk.get(&id).await.status, reading);
    }
    desk.graph.mailbox_state(SENDER, State::Ok);
    assert_eq!(desk.send(&id).await.status, 202);
    let nobody = desk
        .ask("GET", "users/nobody@contoso.example/messages", None)
        .await;
    assert_eq!((nobody.status, nobody.code()), (404, "ErrorInvalidUser"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_refused() {
    let desk = desk();
    let id = desk.draft("k/1").await;
    for (method, path) in [
        ("GET", "calendar/events".to_owned()),
        ("POST", format!("messages/{id}/forward")),
        ("GET", "messages?$orderby=subject".to_owned()),
        ("GET", "messages?$filter=subject%20gt%20%27a%27".to_owned()),
        ("GET", "mailFolders/archive/messages".to_owned()),
        ("DELETE", format!("messages/{id}?$select=id")),
    ] {
        assert_eq!(
            desk.ask_mailbox(method, &path, None).await.status,
            501,
            "{path}"
        );
    }
    let select = desk
        .ask_mailbox("GET", "messages?$select=Subject,colour", None)
        .await;
    assert_eq!(select.code(), "RequestBroker--ParseUri");
    let mime = Request::post(format!("/v1.0/users/{SENDER}/sendMail"))
        .header("authorization", "Bearer anything")
        .header("content-type", "text/plain");
    assert_eq!(
        desk.raw(mime.body("RnJvbQ==".into()).unwrap()).await.status,
        501
    );
    let anonymous = Request::get(format!("/v1.0/users/{SENDER}/messages"));
    let reply = desk.raw(anonymous.body(Bytes::new()).unwrap()).await;
    assert_eq!(
        (reply.status, reply.code()),
        (401, "InvalidAuthenticationToken")
    );
    let large = Some(json!({"subject": "a".repeat(4 * 1024 * 1024)}));
    assert_eq!(
        desk.ask_mailbox("POST", "messages", large).await.status,
        413
    );
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_newest_first() {
    let desk = desk();
    for number in 0..5 {
        desk.draft(&format!("k/{number}")).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let expand = format!("singleValueExtendedProperties($filter=id eq '{KEY}')");
    query
        .append_pair("$top", "2")
        .append_pair("$expand", &expand);
    let mut path = Some(format!("messages?{}", query.finish()));
    let mut values = Vec::new();
    while let Some(page) = path {
        let reply = desk.ask_mailbox("GET", &page, None).await;
        let messages = reply.body["value"].as_array().unwrap();
        assert!(messages.len() <= 2);
        let value = |m: &Value| m["singleValueExtendedProperties"][0]["value"].clone();
        values.extend(messages.iter().map(value));
        let next = reply.body["@odata.nextLink"].as_str();
        path = next.map(|next| next.split_once("contoso.example/").unwrap().1.to_owned());
    }
    assert_eq!(values, ["k/4", "k/3", "k/2", "k/1", "k/0"]);
}
