//! The list of privileges is enough, and no entry of it is too much: what is left out is missed by a request, by the
//! log or by the doctor.

use std::collections::BTreeSet;

use super::{Deployment, Entry, Model, entries};

fn pairs<'a>(entries: &'a [Entry]) -> BTreeSet<(&'a str, &'a str)> {
    let each = |entry: &'a Entry| (entry.verbs.iter()).map(|verb| (&*entry.table, &**verb));
    entries.iter().flat_map(each).collect()
}

/// Privileges that nobody misses.
#[derive(Default)]
struct Unmissed {
    in_requests: BTreeSet<(String, String)>,
    at_all: BTreeSet<(String, String)>,
}

/// What no request misses as long as the process lives, which reads definitions and languages once; and Append To on
/// invitations, which is granted because it is not documented that a link to a web role does without. The doctor
/// misses each.
const DOCTOR_ALONE: [(&str, &str); 6] = [
    ("adx_invitation", "AppendTo"),
    ("adx_portallanguage", "Read"),
    ("attribute", "Read"),
    ("entity", "Read"),
    ("powerpagesite", "Read"),
    ("relationship", "Read"),
];

/// What is missed when each privilege is left out by itself.
async fn unmissed(model: Model) -> Unmissed {
    let entries = entries();
    let all = pairs(&entries);
    let deployment = Deployment::start(model).await;
    let dataverse = &deployment.world.sandbox.dataverse;
    let admit = |without: Option<&(&str, &str)>| {
        let granted: Vec<_> = (all.iter().filter(|it| Some(*it) != without))
            .copied()
            .collect();
        dataverse.admit(deployment.application(), &granted);
    };
    admit(None);
    assert_eq!(deployment.trouble().await, [""; 0], "{model:?}");
    assert_eq!(deployment.diagnosis().await, [""; 0], "{model:?}");
    let mut unmissed = Unmissed::default();
    for left_out in &all {
        admit(Some(left_out));
        let (trouble, diagnosis) = (deployment.trouble().await, deployment.diagnosis().await);
        let name = || (left_out.0.to_owned(), left_out.1.to_owned());
        if trouble.is_empty() {
            unmissed.in_requests.insert(name());
        }
        if trouble.is_empty() && diagnosis.is_empty() {
            unmissed.at_all.insert(name());
        }
    }
    admit(None);
    assert_eq!(deployment.trouble().await, [""; 0], "{model:?}");
    unmissed
}

#[tokio::test]
async fn everything_works_with_all_of_them_and_something_is_missed_without_each() {
    let (enhanced, standard) = tokio::join!(unmissed(Model::Enhanced), unmissed(Model::Standard));
    let never: Vec<_> = enhanced.at_all.intersection(&standard.at_all).collect();
    assert!(never.is_empty(), "nobody misses {never:?}");
    let service: Vec<_> = (entries().into_iter())
        .filter(|entry| entry.role == "service")
        .collect();
    let service = pairs(&service);
    let silent = enhanced.in_requests.intersection(&standard.in_requests);
    let silent = silent.map(|(table, verb)| (table.as_str(), verb.as_str()));
    let silent: Vec<_> = silent.filter(|pair| service.contains(pair)).collect();
    assert_eq!(silent, DOCTOR_ALONE);
}

#[tokio::test]
async fn the_service_works_without_the_doctor_s_privileges() {
    let entries = entries();
    let service: Vec<_> = (entries.into_iter())
        .filter(|entry| entry.role == "service")
        .collect();
    for model in [Model::Enhanced, Model::Standard] {
        let deployment = Deployment::start(model).await;
        let granted: Vec<_> = pairs(&service).into_iter().collect();
        let dataverse = &deployment.world.sandbox.dataverse;
        dataverse.admit(deployment.application(), &granted);
        assert_eq!(deployment.trouble().await, [""; 0], "{model:?}");
    }
}

#[tokio::test]
async fn each_entry_names_a_check_of_the_doctor_and_says_why() {
    let entries = entries();
    let deployment = Deployment::start(Model::Enhanced).await;
    let all: Vec<_> = pairs(&entries).into_iter().collect();
    let dataverse = &deployment.world.sandbox.dataverse;
    dataverse.admit(deployment.application(), &all);
    let diagnosis = super::Diagnosis::of(&deployment.world).await;
    for entry in &entries {
        diagnosis.check(&entry.check);
        assert!(!entry.why.is_empty(), "{}", entry.table);
        assert_eq!(entry.role == "doctor", entry.feature == "doctor");
    }
}

#[tokio::test]
async fn a_process_that_may_not_read_definitions_invites_nobody_and_names_the_privilege() {
    let entries = entries();
    for (table, privilege) in [
        ("entity", "prvReadEntity"),
        ("attribute", "prvReadAttribute"),
        ("relationship", "prvReadRelationship"),
    ] {
        let deployment = Deployment::start(Model::Enhanced).await;
        let granted: Vec<_> = (pairs(&entries).into_iter())
            .filter(|it| it.0 != table)
            .collect();
        let dataverse = &deployment.world.sandbox.dataverse;
        dataverse.admit(deployment.application(), &granted);
        let trouble = deployment.trouble().await;
        let named = trouble.first().is_some_and(|it| it.contains(privilege));
        assert!(named, "{privilege} in {trouble:?}");
    }
}
