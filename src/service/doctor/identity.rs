//! Owns the checks of signing in: a token for each service, whose it is, and whether Dataverse knows its owner.

use serde::Serialize;
use uuid::Uuid;

use super::{Check, unseen};
use crate::remote::budget::Budget;
use crate::remote::claims::Claims;
use crate::remote::dataverse::caller::Caller;
use crate::remote::error::{Refusal, RemoteError};
use crate::remote::identity::Credential;
use crate::service::Parts;

/// What Dataverse answers to a token whose owner it has no user for.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes>
const NOT_A_MEMBER: &str = "0x80072560";

/// Whose identity the doctor used, and with it the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Whose {
    /// What kind of identity signed in.
    pub kind: Kind,
    /// The person, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Client id of the application or managed identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Object id in Microsoft Entra ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// The tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Id of the user in Dataverse, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataverse_user_id: Option<Uuid>,
    /// Id of the Dataverse organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Uuid>,
}

/// What kind of identity signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A managed identity of Azure.
    ManagedIdentity,
    /// An application with credentials of its own.
    Application,
    /// A person at a desk.
    User,
}

type Asked = Result<Option<Claims>, RemoteError>;

/// The checks, and whose identity it is where any token says so.
pub(super) async fn checks(parts: &Parts, budget: &Budget) -> (Option<Whose>, Vec<Check>) {
    let (dataverse, graph, store, caller) = tokio::join!(
        parts.dataverse.claims(budget),
        parts.graph.claims(budget),
        parts.store.claims(),
        parts.dataverse.who_am_i(budget),
    );
    let whose = [&dataverse, &graph]
        .into_iter()
        .find_map(|asked| asked.as_ref().ok()?.as_ref())
        .map(|claims| whose(claims, parts, caller.as_ref().ok()));
    let mut checks = vec![
        token(parts, "identity.dataverse", "Dataverse", dataverse),
        token(parts, "identity.graph", "Microsoft Graph", graph),
    ];
    if let Some(asked) = store {
        checks.push(storage_token(parts, asked));
    }
    let client_id = whose.as_ref().and_then(|whose| whose.client_id.as_deref());
    checks.push(user(caller, client_id));
    (whose, checks)
}

fn whose(claims: &Claims, parts: &Parts, caller: Option<&Caller>) -> Whose {
    let managed = matches!(parts.policy.credential, Credential::ManagedIdentity { .. });
    Whose {
        kind: match claims.user_name() {
            Some(_) => Kind::User,
            None if managed || claims.is_managed_identity() => Kind::ManagedIdentity,
            None => Kind::Application,
        },
        user_name: claims.user_name().map(str::to_owned),
        client_id: claims.client_id().map(str::to_owned),
        object_id: claims.object_id.clone(),
        tenant_id: claims.tenant_id.clone(),
        dataverse_user_id: caller.map(|caller| caller.user_id),
        organization_id: caller.map(|caller| caller.organization_id),
    }
}

fn token(parts: &Parts, id: &'static str, service: &str, asked: Asked) -> Check {
    match asked {
        Ok(_) => Check::pass(id, format!("There is a token for {service}.")),
        Err(RemoteError::Identity { detail, .. }) => no_token(parts, id, service, &detail),
        Err(error) => unseen(id, &error),
    }
}

/// The store may be another identity's.
fn storage_token(parts: &Parts, asked: Result<Option<Claims>, String>) -> Check {
    let (id, service) = ("identity.storage", "Azure Storage");
    match asked {
        Ok(claims) => {
            let whose = claims.and_then(|claims| claims.client_id().map(str::to_owned));
            let whose = whose.map_or_else(String::new, |id| format!(", with client id {id}"));
            Check::pass(id, format!("There is a token for {service}{whose}."))
        }
        Err(detail) => no_token(parts, id, service, &detail),
    }
}

/// <https://learn.microsoft.com/azure/app-service/overview-managed-identity>
fn no_token(parts: &Parts, id: &'static str, service: &str, detail: &str) -> Check {
    let advice = match &parts.policy.credential {
        Credential::ManagedIdentity { client_id: Some(_) } => {
            "AZURE_CLIENT_ID must be the client id (not the object id) of a user-assigned identity that is assigned \
             to this function app: Settings, Identity, User assigned. Remove it to use the system-assigned one."
        }
        Credential::ManagedIdentity { client_id: None } => {
            "Turn on the function app's system-assigned identity (Settings, Identity), or set AZURE_CLIENT_ID to the \
             client id of a user-assigned one. At a desk set AZURE_CREDENTIAL to developer-tools."
        }
        Credential::DeveloperTools => {
            "Sign in at this desk with `az login` (or `azd auth login`), in the tenant of the environment."
        }
    };
    Check::fail(id, format!("No token for {service}: {detail}"), advice)
}

fn user(caller: Result<Caller, RemoteError>, client_id: Option<&str>) -> Check {
    let id = "identity.user";
    match caller {
        Ok(_) => Check::pass(id, "Dataverse has a user for this identity."),
        Err(RemoteError::Refused { refusal, .. }) => refused(id, &refusal, client_id),
        Err(RemoteError::NotSent { detail, .. }) => Check::fail(
            id,
            format!("Dataverse cannot be reached: {detail}."),
            "Check DATAVERSE_URL: the address of the environment, such as https://contoso.crm4.dynamics.com.",
        ),
        Err(error) => unseen(id, &error),
    }
}

/// <https://learn.microsoft.com/power-platform/admin/manage-application-users>
fn refused(id: &'static str, refusal: &Refusal, client_id: Option<&str>) -> Check {
    let application = client_id.map_or_else(
        || "the identity's client id".to_owned(),
        |client_id| format!("client id {client_id}"),
    );
    match (refusal.status, refusal.code.as_str()) {
        (_, NOT_A_MEMBER) => Check::fail(
            id,
            "Dataverse has no user for this identity.",
            format!(
                "Make an application user: Power Platform admin center, Environments, this environment, Settings, \
                 Users + permissions, Application users, New app user; add the app with {application}, choose the \
                 business unit and give it the security role."
            ),
        ),
        (401, _) => Check::fail(
            id,
            "Dataverse does not take the token.",
            format!(
                "Check that DATAVERSE_URL is the environment's own address, and that the environment is in the \
                 identity's tenant; then that it has an application user with {application}."
            ),
        ),
        _ => Check::fail(
            id,
            format!("Dataverse answers {refusal}"),
            format!(
                "Check that the application user with {application} is enabled and has a security role."
            ),
        ),
    }
}
