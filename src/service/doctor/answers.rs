//! Owns what a check of Dataverse says when Dataverse did not answer it, and the advice that many checks share.

use super::Check;
use crate::remote::error::RemoteError;

/// HTTP status of a refusal for want of a privilege.
const FORBIDDEN: u16 = 403;

/// What a check says that could not be made. `privileges` names what reading takes, where Dataverse does not.
pub(super) fn unanswered(id: &'static str, error: &RemoteError, privileges: &str) -> Check {
    let forbidden = error.refusal().filter(|it| it.status == FORBIDDEN);
    let Some(refusal) = forbidden else {
        return Check::not_checked(
            id,
            format!("{error}."),
            "Run the doctor again; where it stays so, see what it says of identity and connection first.",
        );
    };
    let named = privilege_in(&refusal.message);
    let seen = named.map_or_else(
        || format!("{error}."),
        |name| format!("Dataverse did not let it be read: {name} is missing."),
    );
    let advice = format!(
        "To have this checked, {}",
        grant(named.unwrap_or(privileges))
    );
    Check::not_checked(id, seen, advice)
}

/// How to grant privileges.
pub(super) fn grant(privileges: &str) -> String {
    format!(
        "in the Power Platform admin center choose the environment > Settings > Users + permissions > Security \
         roles, open the role of the application user, and grant {privileges} at organisation level. It counts at \
         once; an application user made just now may take some minutes. \
         https://learn.microsoft.com/power-platform/admin/security-roles-privileges"
    )
}

/// The privilege that a refusal names.
fn privilege_in(message: &str) -> Option<&str> {
    let mut words = message.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.find(|word| word.starts_with("prv"))
}

/// The first names of a list, and how many more there are.
pub(super) fn some_of(names: impl IntoIterator<Item = String>) -> String {
    const MOST: usize = 10;
    let names: Vec<_> = names.into_iter().collect();
    let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(MOST) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_privilege() {
        let message = "Principal user (Id=1, type=8) is missing prvReadWorkflow privilege on entity 'workflow'.";
        assert_eq!(privilege_in(message), Some("prvReadWorkflow"));
        assert_eq!(privilege_in("No."), None);
    }

    #[test]
    fn a_long_list_is_cut() {
        let names = (0..12).map(|number| number.to_string());
        assert_eq!(some_of(names), "0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 2 more");
    }
}
