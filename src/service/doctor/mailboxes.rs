//! Owns the checks of the sender mailboxes: that each is there, and that the app may use it. Nothing is sent or
//! written.
//!
//! Rights come from two places, and the token shows only one: permissions granted in Microsoft Entra ID for the whole
//! tenant stand in it as roles; rights that Exchange gives for some mailboxes do not. The union counts.
//! <https://learn.microsoft.com/exchange/permissions-exo/application-rbac>

use futures::future::join_all;

use super::{Check, unseen};
use crate::domain::batch::MailDelivery;
use crate::remote::budget::Budget;
use crate::remote::error::{Refusal, RemoteError};
use crate::service::Parts;

const WRITE: &str = "Mail.ReadWrite";
const SEND: &str = "Mail.Send";

/// How long rights take to be there.
const NOT_YET: &str = "A right given in Exchange takes 30 minutes to 2 hours; one granted in Entra is there with the \
                       next new token, which can take a day.";

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    let senders = parts.policy.senders.iter();
    let looks = join_all(senders.map(|sender| parts.graph.look_into(sender, budget)));
    let (claims, looks) = tokio::join!(parts.graph.claims(budget), looks);
    let roles = match &claims {
        Ok(Some(claims)) => claims.roles.as_slice(),
        _ => &[],
    };
    let has = |role: &str| roles.iter().any(|own| own == role);
    let rights = Rights {
        delivery: parts.policy.delivery,
        writes: has(WRITE),
        sends: has(SEND),
    };
    let looks = parts.policy.senders.iter().zip(looks);
    let mut checks: Vec<Check> = looks
        .map(|(sender, look)| rights.mailbox(sender, look))
        .collect();
    checks.push(match &claims {
        Ok(_) => rights.sending(),
        Err(error) => unseen("mailboxes.rights", error),
    });
    checks
}

/// What the token says the app may do in every mailbox of the tenant.
struct Rights {
    delivery: MailDelivery,
    writes: bool,
    sends: bool,
}

impl Rights {
    fn needed(&self) -> &'static str {
        match self.delivery {
            MailDelivery::Draft => "Mail.ReadWrite and Mail.Send",
            MailDelivery::Send => SEND,
        }
    }

    /// Whether the mailbox is there, and can be read: drafting needs that, sending alone does not.
    fn mailbox(&self, sender: &str, look: Result<(), RemoteError>) -> Check {
        let id = "mailboxes.sender";
        match look {
            Ok(()) => Check::pass(
                id,
                format!("{sender} is there, and the app may look into it."),
            ),
            Err(RemoteError::Refused { refusal, .. }) => self.refused(id, sender, &refusal),
            Err(error) => {
                let check = unseen(id, &error);
                Check {
                    seen: format!("{sender}: {}", check.seen),
                    ..check
                }
            }
        }
    }

    /// <https://learn.microsoft.com/graph/errors>
    fn refused(&self, id: &'static str, sender: &str, refusal: &Refusal) -> Check {
        match (refusal.status, refusal.code.as_str()) {
            (404, "MailboxNotEnabledForRESTAPI") => Check::fail(
                id,
                format!("{sender} has no mailbox in Exchange Online."),
                "Give the user a licence with Exchange Online, or make a shared mailbox; a new one takes some minutes.",
            ),
            (404, _) => Check::fail(
                id,
                format!("{sender} is nobody that Exchange knows."),
                "Check the spelling in MAIL_SENDERS: the mailbox's user principal name, or its address where both are \
                 the same.",
            ),
            (403, _) if self.delivery == MailDelivery::Send => Check::not_checked(
                id,
                format!(
                    "{sender} cannot be looked into: Mail.Send alone does not allow it, and MAIL_DELIVERY is send."
                ),
                "Nothing to do where letters arrive. Test-ServicePrincipalAuthorization in Exchange Online PowerShell \
                 tells whether the app may send from it.",
            ),
            (403, _) if self.writes => Check::fail(
                id,
                format!(
                    "{sender} is closed to the app, though {WRITE} is granted in Entra: {refusal}"
                ),
                format!(
                    "An application access policy leaves it out: add the mailbox to the policy's group. {NOT_YET}"
                ),
            ),
            (403, _) => Check::fail(
                id,
                format!("{sender} is closed to the app: {WRITE} is not granted, or not yet."),
                format!(
                    "Give the app {} for this mailbox by RBAC for Applications in Exchange Online, or for the whole \
                     tenant in Entra. {NOT_YET} Test-ServicePrincipalAuthorization shows at once what Exchange gives.",
                    self.needed()
                ),
            ),
            _ => Check::fail(
                id,
                format!("{sender} could not be looked into: {refusal}"),
                "Look up the code at https://learn.microsoft.com/graph/errors.",
            ),
        }
    }

    /// Whether the app may send. Only the token can tell without a letter.
    fn sending(&self) -> Check {
        let id = "mailboxes.rights";
        let granted = self.sends && (self.writes || self.delivery == MailDelivery::Send);
        if granted {
            let seen = format!(
                "Granted in Entra, for every mailbox of the tenant: {}.",
                self.needed()
            );
            return Check::pass(id, seen);
        }
        Check::not_checked(
            id,
            format!(
                "The token does not name {}. Rights that Exchange gives for some mailboxes never stand there, so \
                 whether letters may leave cannot be seen without sending one.",
                self.needed()
            ),
            format!(
                "If you gave them by RBAC for Applications, nothing: Test-ServicePrincipalAuthorization in Exchange \
                 Online PowerShell shows them. If you granted them in Entra, they are not there yet. {NOT_YET}"
            ),
        )
    }
}
