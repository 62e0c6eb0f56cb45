//! Owns the handing over of one message at a time: a letter without a draft, and a circular in either mode.

use serde::Serialize;

use super::batch::Request;
use super::message::{Circular, Message, Written};
use super::{Answer, Graph, draft_id, encoded, messages_path};
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;
use crate::remote::retry::Repeat;

/// <https://learn.microsoft.com/graph/api/user-sendmail>
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SendMail<'a> {
    message: Written<'a>,
    save_to_sent_items: bool,
}

impl Graph {
    /// Hands one letter over without a draft. Never repeated.
    pub async fn send_mail(
        &self,
        mailbox: &str,
        message: &Message<'_>,
        budget: &Budget,
    ) -> Result<Answer<()>, RemoteError> {
        self.hand_over(mailbox, message.written(), budget).await
    }

    /// Hands a circular over without a draft. Never repeated.
    pub async fn send_circular(
        &self,
        mailbox: &str,
        circular: &Circular<'_>,
        budget: &Budget,
    ) -> Result<Answer<()>, RemoteError> {
        self.hand_over(mailbox, circular.written(), budget).await
    }

    /// Makes the draft of a circular and gives its id. One whose answer is lost stays behind; nothing ever sends it.
    pub async fn draft_circular(
        &self,
        mailbox: &str,
        circular: &Circular<'_>,
        budget: &Budget,
    ) -> Result<Answer<String>, RemoteError> {
        const ACTION: &str = "draft a circular";
        let request = Request::post(&messages_path(mailbox), Some(circular.written()));
        let answers = self
            .batch(ACTION, vec![request], Repeat::Harmless, true, budget)
            .await?;
        let answer = answers.found.into_iter().next();
        let answer = answer.ok_or_else(|| self.endpoint.unreadable(ACTION, "no answer"))?;
        Ok(answer.map(draft_id))
    }

    async fn hand_over(
        &self,
        mailbox: &str,
        message: Written<'_>,
        budget: &Budget,
    ) -> Result<Answer<()>, RemoteError> {
        const ACTION: &str = "send a letter";
        let body = SendMail {
            message,
            save_to_sent_items: true,
        };
        let path = format!("users/{}/sendMail", encoded(mailbox));
        let reply = self
            .post(ACTION, &path, &body, Repeat::Never, true, budget)
            .await?;
        if reply.status.is_success() {
            return Ok(Answer::Done(()));
        }
        match self.endpoint.refused(ACTION, &reply) {
            RemoteError::Refused { refusal, .. } => Ok(Answer::Refused(refusal)),
            other => Err(other),
        }
    }
}
