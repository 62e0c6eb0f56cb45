//! Owns signing in: which credential, how patient it is, and when it is replaced.
//!
//! `azure_identity` caches tokens itself, per scope; it cannot be told to forget one. So a token that a service
//! refuses is dropped by making a fresh credential. Its default retries can hold the cache's lock for over a
//! minute while every caller waits, which is why they are capped here.
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview>

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::{ExponentialRetryOptions, RetryOptions};
use azure_core::time::Duration as AzureDuration;
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId,
};
use secrecy::{ExposeSecret, SecretString};

use super::azure::client_options;
use super::claims::Claims;
use super::error::redact;
use super::http::Transport;

/// Which credential to sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The function app's managed identity; the client id names a user-assigned one.
    ManagedIdentity {
        /// Client id of the user-assigned identity.
        client_id: Option<String>,
    },
    /// Whoever is signed in to the Azure CLI or the Azure Developer CLI.
    DeveloperTools,
}

impl Credential {
    /// The same, as another user-assigned identity where one is named.
    #[must_use]
    pub fn with_client_id(self, other: Option<String>) -> Self {
        match self {
            Self::ManagedIdentity { client_id } => Self::ManagedIdentity {
                client_id: other.or(client_id),
            },
            Self::DeveloperTools => Self::DeveloperTools,
        }
    }
}

/// Makes a credential; called again when a service refuses its token.
pub type MakeCredential =
    Box<dyn Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync>;

/// Longest wait for a token, everything included.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(15);

/// Gives out tokens; shared by all endpoints.
pub struct Identity {
    make: MakeCredential,
    current: Mutex<(u64, Arc<dyn TokenCredential>)>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// A token and the credential generation it came from.
#[derive(Debug)]
pub struct Token {
    /// The bearer secret.
    pub secret: SecretString,
    generation: u64,
}

impl Token {
    /// What it says about whoever it was issued to.
    pub fn claims(&self) -> Option<Claims> {
        Claims::of(self.secret.expose_secret())
    }
}

impl Identity {
    /// Signs in with whatever `make` makes.
    pub fn new(make: MakeCredential) -> azure_core::Result<Self> {
        let first = make()?;
        Ok(Self {
            make,
            current: Mutex::new((0, first)),
        })
    }

    /// Signs in as the settings say, over the same client that carries every other call.
    pub fn of(credential: Credential, transport: &Transport) -> azure_core::Result<Self> {
        let transport = transport.clone();
        Self::new(Box::new(move || sign_in(&credential, &transport)))
    }

    /// A token for a scope such as `https://graph.microsoft.com/.default`.
    ///
    /// # Errors
    ///
    /// What the identity endpoint said, redacted.
    pub async fn token(&self, scope: &str) -> Result<Token, String> {
        let (generation, credential) = self
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let secret = secret(&*credential, scope).await?;
        Ok(Token { secret, generation })
    }

    /// Drops the credential a refused token came from, unless someone already has.
    pub fn renew(&self, refused: &Token) -> Result<(), String> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 == refused.generation {
            let fresh = (self.make)().map_err(|error| redact(&error.to_string()))?;
            *current = (refused.generation + 1, fresh);
        }
        Ok(())
    }
}

async fn secret(credential: &dyn TokenCredential, scope: &str) -> Result<SecretString, String> {
    let scopes = [scope];
    match tokio::time::timeout(TOKEN_TIMEOUT, credential.get_token(&scopes, None)).await {
        Ok(Ok(token)) => Ok(SecretString::from(token.token.secret().to_owned())),
        // The Debug form would hold the whole response; Display holds the message.
        Ok(Err(error)) => Err(redact(&error.to_string())),
        Err(_) => Err(format!("no answer within {} s", TOKEN_TIMEOUT.as_secs())),
    }
}

/// What the token says that a credential has for a scope.
///
/// # Errors
///
/// What the identity endpoint said, redacted.
pub(super) async fn claims(
    credential: &dyn TokenCredential,
    scope: &str,
) -> Result<Option<Claims>, String> {
    let secret = secret(credential, scope).await?;
    Ok(Claims::of(secret.expose_secret()))
}

/// A credential of its own, for a client that asks for tokens by itself.
pub fn sign_in(
    credential: &Credential,
    transport: &Transport,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    match credential {
        Credential::ManagedIdentity { client_id } => {
            let options = ManagedIdentityCredentialOptions {
                user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                client_options: client_options(transport, patience()),
            };
            Ok(ManagedIdentityCredential::new(Some(options))?)
        }
        Credential::DeveloperTools => Ok(DeveloperToolsCredential::new(None)?),
    }
}

fn patience() -> RetryOptions {
    RetryOptions::exponential(ExponentialRetryOptions {
        initial_delay: AzureDuration::milliseconds(200),
        max_retries: 3,
        max_total_elapsed: AzureDuration::seconds(10),
        max_delay: AzureDuration::seconds(3),
    })
}
