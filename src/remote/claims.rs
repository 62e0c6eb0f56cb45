//! Owns what a token says about whoever it was issued to, for telling people.
//!
//! Tokens are for the services to judge: nothing is decided here, the signature is not looked at, and a token that
//! cannot be read is as good as any other. The token itself never leaves this module.
//! <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// What is worth telling of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// Client id of the application, in tokens of version 1.0.
    appid: Option<String>,
    /// The same in tokens of version 2.0.
    azp: Option<String>,
    /// Object id of the service principal or user.
    #[serde(rename = "oid")]
    pub object_id: Option<String>,
    /// The tenant.
    #[serde(rename = "tid")]
    pub tenant_id: Option<String>,
    /// Sign-in name of a user.
    upn: Option<String>,
    /// The same for guests and personal accounts.
    unique_name: Option<String>,
    /// Resource id of a managed identity.
    xms_mirid: Option<String>,
    /// Application permissions that were granted for the whole tenant.
    pub roles: Vec<String>,
}

impl Claims {
    /// Reads a token, where it can be read.
    pub(super) fn of(token: &str) -> Option<Self> {
        let claims = token.split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    /// Client id of the application that signed in.
    pub fn client_id(&self) -> Option<&str> {
        self.appid.as_deref().or(self.azp.as_deref())
    }

    /// Sign-in name of the person that signed in.
    pub fn user_name(&self) -> Option<&str> {
        self.upn.as_deref().or(self.unique_name.as_deref())
    }

    /// Whether a managed identity signed in.
    pub fn is_managed_identity(&self) -> bool {
        self.xms_mirid.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn both_versions_of_tokens_say_who_signed_in() {
        let first = Claims::of(&token(
            r#"{"appid":"a","oid":"o","tid":"t","roles":["Mail.Send"],"xms_mirid":"/subscriptions/1","aud":"x"}"#,
        ));
        let first = first.unwrap();
        assert_eq!(first.client_id(), Some("a"));
        assert_eq!(first.object_id.as_deref(), Some("o"));
        assert_eq!(first.tenant_id.as_deref(), Some("t"));
        assert_eq!(first.roles, ["Mail.Send"]);
        assert!(first.is_managed_identity());
        let second = Claims::of(&token(r#"{"azp":"a","unique_name":"ann@contoso.example"}"#));
        let second = second.unwrap();
        assert_eq!(second.client_id(), Some("a"));
        assert_eq!(second.user_name(), Some("ann@contoso.example"));
        assert!(!second.is_managed_identity());
    }

    #[test]
    fn a_token_that_cannot_be_read_says_nothing() {
        for opaque in ["", "any", "a.b.c", "a.ew.c"] {
            assert_eq!(Claims::of(opaque), None, "{opaque}");
        }
    }
}
