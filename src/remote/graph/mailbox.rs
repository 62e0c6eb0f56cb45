//! Owns looking at a mailbox without touching it: whether it is there, and whether the app may read it.
//!
//! <https://learn.microsoft.com/graph/api/user-list-messages>

use bytes::Bytes;
use http::Method;
use url::Url;

use super::{Graph, TIMEOUT, headers, messages_path};
use crate::remote::budget::Budget;
use crate::remote::claims::Claims;
use crate::remote::endpoint::Call;
use crate::remote::error::RemoteError;
use crate::remote::retry::Repeat;

const LOOK: &str = "look at a mailbox";

impl Graph {
    /// What the token for Graph says about whoever it was issued to.
    pub async fn claims(&self, budget: &Budget) -> Result<Option<Claims>, RemoteError> {
        self.endpoint.claims(budget).await
    }

    /// Reads the id of one message, whichever.
    ///
    /// # Errors
    ///
    /// Graph's refusal, where the mailbox is missing or not the app's to read.
    pub async fn look_into(&self, mailbox: &str, budget: &Budget) -> Result<(), RemoteError> {
        let url = format!("{}{}?$top=1&$select=id", self.root, messages_path(mailbox));
        let call = Call {
            action: LOOK,
            method: Method::GET,
            url: Url::parse(&url)
                .map_err(|error| self.endpoint.unreadable(LOOK, error.to_string()))?,
            headers: headers(),
            body: Bytes::new(),
            effect: false,
            repeat: Repeat::Harmless,
            timeout: TIMEOUT,
        };
        let reply = self.endpoint.call(&call, budget).await?;
        let found = reply.status.is_success();
        found
            .then_some(())
            .ok_or_else(|| self.endpoint.refused(LOOK, &reply))
    }
}
