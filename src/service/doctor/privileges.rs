//! Owns the checks of what the application user may do in Dataverse.

use super::Check;
use super::answers::{grant, unanswered};
use crate::domain::batch::DataModel;
use crate::remote::budget::Budget;
use crate::remote::dataverse::rights::{Privilege, Reach, Rights, Rows, Verb};
use crate::remote::error::RemoteError;
use crate::service::{Parts, Policy};

/// What listing a user's privileges takes.
/// <https://learn.microsoft.com/previous-versions/dynamicscrm-2016/developers-guide/gg309700(v=crm.8)>
const LISTING: &str = "prvReadUser and prvReadOrganization";

/// Privileges that belong together.
struct Group {
    id: &'static str,
    rows: &'static [Rows],
    verbs: Vec<Verb>,
    /// What they are for.
    purpose: &'static str,
    worth: Worth,
}

/// What privileges are worth to this deployment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// It does not work without.
    Needed,
    /// It tells less without.
    Wanted,
    /// Callers may ask for what takes them.
    Offered,
}

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    let groups = groups(&parts.policy);
    let asked: Vec<_> = (groups.iter())
        .flat_map(|group| {
            group
                .rows
                .iter()
                .map(|rows| (*rows, group.verbs.as_slice()))
        })
        .collect();
    match parts.dataverse.rights(&asked, budget).await {
        Ok(rights) => judge(&groups, &rights),
        Err(error) => groups
            .iter()
            .map(|group| unanswered(group.id, &error, LISTING))
            .collect(),
    }
}

/// Every privilege that this deployment, or a caller of it, needs.
fn groups(policy: &Policy) -> Vec<Group> {
    let group = |id, rows, verbs: &[Verb], purpose, worth| Group {
        id,
        rows,
        verbs: verbs.to_vec(),
        purpose,
        worth,
    };
    let (roles, workflows) = (&policy.allowed_roles, &policy.allowed_workflows);
    let mut invitations = vec![Verb::Create, Verb::Read, Verb::Write, Verb::Append];
    invitations.extend((!roles.is_empty()).then_some(Verb::AppendTo));
    invitations.extend(policy.owner.map(|_| Verb::Assign));
    let refer = [Verb::Read, Verb::AppendTo];
    let mut groups = vec![
        group(
            "privileges.invitations",
            &[Rows::Invitations],
            &invitations,
            "the work itself",
            Worth::Needed,
        ),
        group(
            "privileges.contacts",
            &[Rows::Contacts],
            &refer,
            "whom to invite",
            Worth::Needed,
        ),
        group(
            "privileges.signIns",
            &[Rows::ExternalIdentities],
            &[Verb::Read],
            "contacts that have a sign-in already",
            Worth::Needed,
        ),
        group(
            "privileges.redemptions",
            &[Rows::Redemptions],
            &[Verb::Read],
            "when invitations were redeemed, in lists and in the digest",
            Worth::Wanted,
        ),
        group(
            "privileges.accounts",
            &[Rows::Accounts],
            &refer,
            "requests with assignToAccountId",
            Worth::Offered,
        ),
        group(
            "privileges.views",
            &[Rows::Views, Rows::PersonalViews],
            &[Verb::Read],
            "requests with a view",
            Worth::Offered,
        ),
    ];
    if policy.languages.len() > 1 {
        groups.push(group(
            "privileges.languages",
            &[Rows::SiteLanguages],
            &[Verb::Read],
            "the languages that contacts prefer, in the standard data model",
            Worth::Wanted,
        ));
    }
    if policy.site.website().is_some() {
        groups.push(group(
            "privileges.sites",
            &[Rows::Sites],
            &refer,
            "PORTAL_WEBSITE_ID",
            Worth::Needed,
        ));
    }
    if !workflows.is_empty() {
        groups.push(group(
            "privileges.workflows",
            &[Rows::Processes],
            &refer,
            "ALLOWED_WORKFLOWS",
            Worth::Needed,
        ));
    }
    if !roles.is_empty() {
        const MODELS: &[Rows] = &[
            Rows::Roles(DataModel::Enhanced),
            Rows::Roles(DataModel::Standard),
        ];
        // Between many and many, Append is needed on both tables.
        // https://learn.microsoft.com/power-platform/admin/security-roles-privileges
        let link = [Verb::Read, Verb::Append, Verb::AppendTo];
        groups.push(group(
            "privileges.webRoles",
            MODELS,
            &link,
            "ALLOWED_WEB_ROLES",
            Worth::Needed,
        ));
    }
    groups
}

fn judge(groups: &[Group], rights: &Rights) -> Vec<Check> {
    let mut tables = rights.tables.iter();
    let mut checks = Vec::new();
    for group in groups {
        let own = tables.by_ref().take(group.rows.len());
        // A table that is not there needs no privilege; whether it has to be there is another check.
        let privileges: Vec<_> = own.flatten().flatten().collect();
        checks.push(judge_group(group, &privileges, rights.unlisted.as_ref()));
    }
    checks
}

fn judge_group(group: &Group, privileges: &[&Privilege], unlisted: Option<&RemoteError>) -> Check {
    let Group { id, purpose, .. } = *group;
    if privileges.is_empty() {
        return Check::pass(id, format!("There is no such table, for {purpose}."));
    }
    let missing = names(privileges, |it| it.reach == Reach::Nowhere);
    let unknown = names(privileges, |it| it.reach == Reach::Unknown);
    let narrow = names(privileges, |it| {
        it.reach == Reach::Part && minds_reach(it.verb)
    });
    if !missing.is_empty() && group.worth != Worth::Offered {
        let seen = format!("Missing, for {purpose}: {missing}.");
        let advice = sentence(&grant(&missing));
        return match group.worth {
            Worth::Needed => Check::fail(id, seen, advice),
            Worth::Wanted | Worth::Offered => Check::warn(id, seen, advice),
        };
    }
    if !unknown.is_empty() {
        let Some(error) = unlisted else {
            let seen = format!("The table definitions do not name {unknown}.");
            return Check::not_checked(id, seen, sentence(&grant(&unknown)));
        };
        let mut check = unanswered(id, error, LISTING);
        check.seen = format!("{} Not known: {unknown}.", check.seen);
        return check;
    }
    if privileges.iter().all(|it| it.reach == Reach::Nowhere) {
        return Check::pass(
            id,
            format!("Not granted, so {purpose} are refused: {missing}."),
        );
    }
    if !missing.is_empty() {
        let seen = format!("Half of what {purpose} take is granted; missing: {missing}.");
        return Check::warn(id, seen, sentence(&grant(&missing)));
    }
    if !narrow.is_empty() {
        let seen = format!("Granted for part of the rows only, for {purpose}: {narrow}.");
        let advice = format!(
            "Rows of other owners are not seen: contacts go uninvited, or are invited twice. So, unless it is meant \
             so, {}",
            grant(&narrow)
        );
        return Check::warn(id, seen, advice);
    }
    Check::pass(
        id,
        format!("Granted, for {purpose}: {}.", names(privileges, |_| true)),
    )
}

/// What is made or bound is our own user's; what is looked for or changed is anybody's.
fn minds_reach(verb: Verb) -> bool {
    matches!(verb, Verb::Read | Verb::Write | Verb::AppendTo)
}

fn names(privileges: &[&Privilege], test: impl Fn(&Privilege) -> bool) -> String {
    let names = privileges.iter().filter(|it| test(it));
    names
        .map(|it| it.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
