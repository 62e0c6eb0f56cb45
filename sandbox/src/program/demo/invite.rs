//! Inviting through the host: the request in a line, each outcome with its reason, the letters.

use serde_json::{Value, json};

use super::{
    Story,
    cast::Contact,
    door::Answer,
    expect,
    redeem::{link, shortened},
};

impl Story<'_> {
    /// Shows who is in Dataverse.
    pub(super) fn introduce(&mut self, contacts: &[Contact]) -> anyhow::Result<()> {
        self.paper.title("Eight contacts are in Dataverse")?;
        let lines: Vec<_> = contacts
            .iter()
            .map(|contact| {
                let email = contact.email.unwrap_or("-").to_owned();
                [contact.name.clone(), email, contact.note.to_owned()]
            })
            .collect();
        Ok(self.paper.table(&lines)?)
    }

    /// Invites all of them, and shows what became of each and which letters went out.
    pub(super) async fn invite(&mut self, contacts: &[Contact]) -> anyhow::Result<()> {
        self.paper.title("One POST invites them")?;
        let answer = self.post(contacts, None).await?;
        self.show_outcomes(contacts, &answer, |contact| contact.first)?;
        let letters = self.stage.sandbox.graph.letters();
        let sent = contacts.iter().filter(|it| it.first == "sent").count();
        expect("the number of letters", letters.len(), sent)?;
        self.paper
            .title("Letters went out, each with a link of its own")?;
        let mut lines = Vec::new();
        for letter in letters {
            let link = shortened(&link(&letter)?);
            let path = link.find("/register").unwrap_or(0);
            let link = format!("…{}", &link[path..]);
            lines.push([letter.to.join(", "), letter.subject, link]);
        }
        Ok(self.paper.table(&lines)?)
    }

    /// The same request once more: nothing may go twice.
    pub(super) async fn invite_again(&mut self, contacts: &[Contact]) -> anyhow::Result<()> {
        self.paper
            .title("The same POST again: nothing goes twice")?;
        self.paper
            .aside("kept: the invitation that went out before is still good.")?;
        let before = self.stage.sandbox.graph.letters().len();
        let answer = self.post(contacts, None).await?;
        self.show_outcomes(contacts, &answer, |contact| contact.again)?;
        let after = self.stage.sandbox.graph.letters().len();
        expect("the number of letters", after, before)?;
        self.paper
            .text(&format!("\nLetters: {before} before, {after} after."))?;
        Ok(())
    }

    /// POSTs the contacts, and shows request and answer in a line each.
    pub(super) async fn post(
        &mut self,
        contacts: &[Contact],
        key: Option<&str>,
    ) -> anyhow::Result<Answer> {
        self.show_request(contacts, key)?;
        let answer = self
            .door
            .post("api/invitations", key, &body(contacts))
            .await?;
        let batch = &answer.json()["batch"];
        self.paper
            .text(&format!("{}, batch {batch}", answer.status))?;
        Ok(answer)
    }

    pub(super) fn show_request(
        &mut self,
        contacts: &[Contact],
        key: Option<&str>,
    ) -> anyhow::Result<()> {
        let key = key.map(|key| format!("  Idempotency-Key: {key}"));
        self.paper.text(&format!(
            "POST {}api/invitations  {{\"contactIds\":[{} ids]}}{}",
            self.stage.host.url(),
            contacts.len(),
            key.unwrap_or_default()
        ))?;
        Ok(())
    }

    /// Shows each outcome, then insists on the expected ones.
    pub(super) fn show_outcomes(
        &mut self,
        contacts: &[Contact],
        answer: &Answer,
        expected: impl Fn(&Contact) -> &'static str,
    ) -> anyhow::Result<()> {
        expect("the status of the answer", answer.status.as_u16(), 200)?;
        self.paper.text("")?;
        let results = answer.json()["results"].clone();
        let lines: Vec<_> = contacts
            .iter()
            .enumerate()
            .map(|(place, contact)| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let result = &results[place];
                let reason = text(&result["reason"]["message"]);
                [contact.name.clone(), text(&result["outcome"]), reason]
            })
            .collect();
        self.paper.table(&lines)?;
        for (place, contact) in contacts.iter().enumerate() {
            let what = format!("the outcome for {}", contact.name);
            expect(&what, outcome(&results[place]).as_str(), expected(contact))?;
        }
        Ok(())
    }
}

/// The body of a request that invites contacts.
pub(super) fn body(contacts: &[Contact]) -> Value {
    let ids: Vec<_> = contacts.iter().map(|contact| contact.id).collect();
    json!({ "contactIds": ids })
}

/// Outcome and reason code of a result, with a space between.
fn outcome(result: &Value) -> String {
    let outcome = result["outcome"].as_str().unwrap_or("nothing");
    match result["reason"]["code"].as_str() {
        Some(reason) => format!("{outcome} {reason}"),
        None => outcome.to_owned(),
    }
}
