//! Drafts, sending, and what becomes of a letter.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_draft_is_sent_found_by_its_key_and_delivered() {
    let desk = desk();
    let id = desk.draft("k/1").await;
    let body = desk.get(&id).await.body;
    assert_eq!(body.get("singleValueExtendedProperties"), None);
    assert_eq!(body.get("internetMessageHeaders"), None);
    assert_eq!(body["lastModifiedDateTime"], "2026-03-01T12:00:00Z");
    let sent = desk.send(&id).await;
    assert_eq!(
        (sent.status, sent.has_type, &sent.body),
        (202, false, &Value::Null)
    );
    let select = desk
        .get(&format!("{id}?$select=isDraft,sentDateTime"))
        .await
        .body;
    assert_eq!(
        (&select["isDraft"], select.get("subject")),
        (&json!(false), None)
    );
    for (folder, count) in [
        ("", 1),
        ("mailFolders/sentitems/", 1),
        ("mailFolders/drafts/", 0),
    ] {
        let found = desk
            .ask_mailbox("GET", &find_by_key(folder, "k/1"), None)
            .await;
        assert_eq!(
            found.body["value"].as_array().unwrap().len(),
            count,
            "{folder}"
        );
    }
    let letters = desk.graph.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, ["ana@fabrikam.example"]);
    assert_eq!(letters[0].to_name.as_deref(), Some("Ana"));
    assert_eq!(letters[0].reply_to, ["help@contoso.example"]);
    assert_eq!(letters[0].extended_properties[KEY], "k/1");
    assert!(letters[0].html.contains("<p>Hello</p>"));
}

#[tokio::test(start_paused = true)]
async fn an_accepted_letter_stays_a_draft_until_transport_takes_it() {
    let desk = desk();
    desk.graph
        .configure(|rules| rules.sending_delay = SignedDuration::from_secs(30));
    let id = desk.draft("k/1").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(desk.send(&id).await.status, 202);
    let body = desk.get(&id).await.body;
    assert_eq!(
        (&body["isDraft"], desk.graph.letters().len()),
        (&json!(true), 0)
    );
    assert_eq!(body["lastModifiedDateTime"], "2026-03-01T12:00:10Z");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(desk.get(&id).await.body["isDraft"], false);
    assert_eq!(
        desk.graph.letters()[0].sent_at.to_string(),
        "2026-03-01T12:00:40Z"
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_send_is_refused_once_sent_and_doubles_before() {
    let desk = desk();
    let id = desk.draft("k/1").await;
    desk.send(&id).await;
    assert_eq!(desk.send(&id).await.code(), "ErrorItemNotFound");
    desk.graph
        .configure(|rules| rules.second_send = SecondSend::BadRequest);
    assert_eq!(desk.send(&id).await.status, 400);
    assert_eq!(desk.graph.letters().len(), 1);
    desk.graph
        .configure(|rules| rules.sending_delay = SignedDuration::from_secs(5));
    let id = desk.draft("k/2").await;
    desk.send(&id).await;
    desk.send(&id).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(desk.graph.letters().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn send_mail_takes_parameters_in_any_case_and_nothing_else() {
    let desk = desk();
    let body = json!({"Message": letter("k/1"), "SaveToSentItems": false});
    let reply = desk.ask_mailbox("POST", "sendMail", Some(body)).await;
    assert_eq!((reply.status, reply.has_type), (202, false));
    assert_eq!(desk.graph.letters().len(), 1);
    assert!(desk.graph.sent_items(SENDER).is_empty());
    let saved = desk
        .ask_mailbox("POST", "sendMail", Some(json!({"message": letter("k/2")})))
        .await;
    assert_eq!(
        (saved.status, desk.graph.sent_items(SENDER).len()),
        (202, 1)
    );
    let mut nobody = letter("k");
    nobody["toRecipients"] = json!([]);
    let mut other = letter("k");
    other["from"] = json!({"emailAddress": {"address": "boss@contoso.example"}});
    for (body, status, code) in [
        (
            json!({"message": letter("k"), "retries": 1}),
            400,
            "BadRequest",
        ),
        (json!({}), 400, "BadRequest"),
        (json!({"message": nobody}), 400, "ErrorInvalidRecipients"),
        (json!({"message": other}), 403, "ErrorSendAsDenied"),
    ] {
        let reply = desk.ask_mailbox("POST", "sendMail", Some(body)).await;
        assert_eq!((reply.status, reply.code()), (status, code));
    }
    assert_eq!(desk.graph.letters().len(), 2);
    assert!(desk.graph.drafts(SENDER).is_empty());
}

#[tokio::test(start_paused = true)]
async fn drafts_are_changed_and_deleted() {
    let desk = desk();
    let id = desk.draft("k/1").await;
    let path = format!("messages/{id}");
    let change = json!({"subject": "Changed", "internetMessageId": "<a@contoso.example>"});
    let reply = desk.ask_mailbox("PATCH", &path, Some(change.clone())).await;
    assert_eq!(
        (reply.status, &reply.body["subject"]),
        (200, &json!("Changed"))
    );
    let filter = "messages?$filter=internetMessageId%20eq%20%27%3Ca%40contoso.example%3E%27";
    let found = desk.ask_mailbox("GET", filter, None).await;
    assert_eq!(found.body["value"][0]["id"], id);
    assert_eq!(desk.ask_mailbox("DELETE", &path, None).await.status, 204);
    assert!(desk.graph.drafts(SENDER).is_empty());
    assert_eq!(desk.get(&id).await.status, 200, "it is in Deleted Items");
    assert!(desk.graph.delete_message(SENDER, &id));
    assert_eq!(desk.get(&id).await.status, 404);
    let id = desk.draft("k/2").await;
    desk.send(&id).await;
    let late = desk
        .ask_mailbox("PATCH", &format!("messages/{id}"), Some(change))
        .await;
    assert_eq!(late.status, 400);
}

#[tokio::test(start_paused = true)]
async fn letters_to_domains_that_do_not_exist_come_back() {
    let desk = desk();
    let mut message = letter("k/1");
    message["toRecipients"] = json!([{"emailAddress": {"address": "ana@nowhere.invalid"}}]);
    let body = json!({"message": message});
    assert_eq!(
        desk.ask_mailbox("POST", "sendMail", Some(body))
            .await
            .status,
        202
    );
    assert!(desk.graph.letters().is_empty());
    assert!(desk.graph.inbox(SENDER).is_empty(), "reports take a while");
    tokio::time::advance(Duration::from_secs(4)).await;
    assert_eq!(
        desk.graph.inbox(SENDER)[0].subject,
        "Undeliverable: Welcome"
    );
    let listed = desk
        .ask_mailbox("GET", "mailFolders/inbox/messages", None)
        .await;
    assert_eq!(listed.body["value"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_found_by_its_class_and_names_the_letter_it_is_about() {
    let desk = desk();
    desk.graph.configure(|rules| {
        rules
            .undeliverable
            .insert("ana@customer.example".to_owned());
    });
    let mut message = letter("k/1");
    message["toRecipients"] = json!([{"emailAddress": {"address": "Ana@Customer.example"}}]);
    let draft = desk.ask_mailbox("POST", "messages", Some(message)).await;
    let id = draft.body["id"].as_str().unwrap();
    desk.send(id).await;
    desk.graph.strange_report(SENDER);
    tokio::time::advance(Duration::from_secs(4)).await;
    assert!(desk.graph.letters().is_empty());
    let class = "singleValueExtendedProperties%2FAny(ep%3A%20ep%2Fid%20eq%20%27String%200x001A%27%20and%20ep%2Fvalue%20eq%20%27report.ipm.note.ndr%27)";
    let answered = "singleValueExtendedProperties(%24filter%3Did%20eq%20%27String%200x1042%27)";
    let path = format!(
        "mailFolders/inbox/messages?$filter={class}&$expand={answered}&$select=conversationId"
    );
    let found = desk.ask_mailbox("GET", &path, None).await.body;
    let [strange, report] = found["value"].as_array().unwrap().as_slice() else {
        panic!("two reports, not {found}")
    };
    let (strange, report) = if strange.get("singleValueExtendedProperties").is_none() {
        (strange, report)
    } else {
        (report, strange)
    };
    let about = &report["singleValueExtendedProperties"][0]["value"];
    assert_eq!(about, &draft.body["internetMessageId"]);
    assert_eq!(report["conversationId"], draft.body["conversationId"]);
    assert_ne!(strange["conversationId"], draft.body["conversationId"]);
    let class = class.replace("0x001A", "0x001B");
    let unknown = desk
        .ask_mailbox("GET", &format!("messages?$filter={class}"), None)
        .await;
    assert_eq!(unknown.status, 501);
}
