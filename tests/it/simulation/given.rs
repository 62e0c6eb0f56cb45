//! What a stage within one process is given, in these tests and in the micro-benchmarks: a moment, tokens, people and
//! what is asked for them.

use std::sync::Arc;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use portal_invite::domain::batch::Bound;
use portal_invite::domain::ids::ContactId;
use portal_invite::remote::identity::Identity;
use portal_invite::service::invite::{ExpiryChoice, InviteRequest, Source, WhenPending};
use sandbox::Sandbox;
use serde_json::json;

/// When stages begin; nothing they do depends on today.
pub(crate) const START: &str = "2026-11-22T12:00:00Z";

/// Until when the Azure crates, which ask the machine's own clock, believe a token: the year 3000.
pub(crate) const AGES_FROM_NOW: i64 = 32_503_680_000;

#[derive(Debug)]
struct AnyToken;

#[async_trait::async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let expires = OffsetDateTime::from_unix_timestamp(AGES_FROM_NOW).unwrap();
        Ok(AccessToken::new("any", expires))
    }
}

/// Tokens that services within the process believe.
pub(crate) fn identity() -> Arc<Identity> {
    Arc::new(Identity::new(Box::new(|| Ok(Arc::new(AnyToken)))).unwrap())
}

/// So many new people with an address each.
pub(crate) fn contacts(sandbox: &Sandbox, count: usize) -> Vec<ContactId> {
    let insert = |place: usize| {
        let email = format!("person{place}@customer.example");
        let row =
            json!({"firstname": "Person", "lastname": place.to_string(), "emailaddress1": email});
        ContactId::new(sandbox.dataverse.insert("contacts", &row))
    };
    (0..count).map(insert).collect()
}

/// Letters for these people, and nothing out of the ordinary.
pub(crate) fn request(contacts: Vec<ContactId>) -> InviteRequest {
    InviteRequest {
        source: Source::Listed(contacts),
        expiry: ExpiryChoice::Default,
        when_pending: WhenPending::Keep,
        bound: Bound::default(),
        web_roles: Vec::new(),
        language: None,
        template: None,
        subject: None,
        message: None,
        return_path: None,
        send_email: true,
        include_registered: false,
        requested_by: None,
        dry_run: false,
    }
}
