//! A contact that somebody enters on the page, and who is told of it.

use http::StatusCode;
use sandbox::{host::Desk, page::tell_of_contacts};
use serde_json::{Value, json};

use crate::support::{Open, open};

impl Open {
    /// Waits until Dataverse has told everything, and gives how often it told of each contact.
    async fn told(&self) -> Vec<uuid::Uuid> {
        while self.sandbox.dataverse.untold() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let deliveries = self.sandbox.dataverse.deliveries();
        deliveries.iter().map(|delivery| delivery.id).collect()
    }
}

#[tokio::test]
async fn a_new_contact_is_there_as_it_was_entered() {
    let page = open().await;
    let person = json!({"firstName": "Kim", "lastName": "Larsen", "email": " kim@post.test ", "language": 1030});
    let answer = page.post("sandbox/contacts", &person).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    let row = page.sandbox.dataverse.row("contacts", id).unwrap();
    assert_eq!(row["fullname"], "Kim Larsen");
    assert_eq!(row["emailaddress1"], " kim@post.test ");
    assert_eq!(row["mspp_userpreferredlcid"], 1030);
    let bare = page
        .post("sandbox/contacts", &json!({"lastName": "Ek"}))
        .await;
    assert_eq!(bare.status(), StatusCode::OK);
    let rows = page.sandbox.dataverse.rows("contacts");
    let ek = rows.iter().find(|row| row["fullname"] == "Ek").unwrap();
    assert!(ek["emailaddress1"].is_null() && ek["firstname"].is_null());
}

#[tokio::test]
async fn what_does_not_fit_is_refused_in_a_sentence_and_enters_nobody() {
    let page = open().await;
    for (person, sentence) in [
        (json!({"lastName": " "}), "A contact needs a last name."),
        (
            json!({"lastName": "a".repeat(51)}),
            "The last name is longer than 50 characters.",
        ),
        (
            json!({"lastName": "a", "email": "a".repeat(101)}),
            "The e-mail address is longer than 100 characters.",
        ),
        (
            json!({"lastName": "a", "language": 1}),
            "No site has this language; leave it out.",
        ),
    ] {
        let answer = page.post("sandbox/contacts", &person).await;
        assert_eq!(
            answer.status(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "{person}"
        );
        assert_eq!(answer.text().await.unwrap(), sentence);
    }
    assert!(page.sandbox.dataverse.rows("contacts").is_empty());
}

#[tokio::test]
async fn dataverse_tells_of_new_contacts_and_of_changes_that_the_rule_is_about() {
    let page = open().await;
    let rule = "statecode eq 0 and jobtitle eq 'Member'";
    tell_of_contacts(&page.sandbox, &Desk::clone(&page.host), rule).unwrap();
    let dataverse = &page.sandbox.dataverse;
    let id = dataverse.insert("contacts", &json!({"lastname": "Larsen"}));
    assert_eq!(page.told().await, [id]);
    for (change, times) in [
        (json!({"mobilephone": "1"}), 1),
        (json!({"emailaddress1": "kim@post.test"}), 2),
        (json!({"jobtitle": "Member"}), 3),
        (json!({"lastname": "Member"}), 3),
    ] {
        dataverse.change("contacts", id, &change);
        assert_eq!(page.told().await.len(), times, "{change}");
    }
}
