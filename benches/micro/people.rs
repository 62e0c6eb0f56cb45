//! Planning, and reading rows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use portal_invite::app::{Ambient, App};
use portal_invite::chance::Chance;
use portal_invite::config::{Config, Environment};
use portal_invite::domain::invitation::SweepScope;
use portal_invite::remote::budget::Budget;
use portal_invite::remote::dataverse::Codes;
use portal_invite::service::Service;
use portal_invite::service::invite::InviteRequest;
use serde_json::json;
use tempfile::TempDir;

use super::given::{START, contacts, request};
use super::replay::{Stage, moment};

/// Plans a thousand contacts, nobody of whom was invited before: a dry run, which reads, decides and reports.
#[divan::bench(sample_count = 20)]
fn plan_1000_contacts(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let store = tempfile::tempdir().unwrap();
    let service = service(&stage, &store);
    let request = InviteRequest {
        dry_run: true,
        ..request(contacts(&stage.sandbox, 1_000))
    };
    let plan = || {
        stage
            .runtime
            .block_on(service.invite(request.clone(), None))
    };
    assert_eq!(plan().unwrap().counts.planned, 1_000);
    bencher.bench_local(|| plan().unwrap());
}

/// What of that is reading them: ten questions of a hundred contacts each, and the same about their invitations.
#[divan::bench(sample_count = 20)]
fn survey_1000_contacts(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let dataverse = stage.dataverse();
    let contacts = contacts(&stage.sandbox, 1_000);
    let survey = || async {
        let budget = Budget::within(&stage.clock, Duration::from_secs(10));
        dataverse.survey(&contacts, Codes::Left, &budget).await
    };
    let survey = || stage.runtime.block_on(survey()).unwrap();
    assert_eq!(survey().contacts.len(), 1_000);
    bencher.bench_local(survey);
}

/// Reads a whole page of expired rows.
#[divan::bench(sample_count = 20)]
fn read_page_of_5000_rows(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let dataverse = stage.dataverse();
    for place in 0..5_000 {
        stage.sandbox.dataverse.insert(
            "adx_invitations",
            &json!({
                "adx_name": "Ada Lovelace",
                "adx_type": 756_150_000,
                "adx_maximumredemptions": 1,
                "adx_invitationcode": format!("a-code-that-nobody-else-has-{place}"),
                "adx_expirydate": "2026-01-01T22:00:00Z",
                "importsequencenumber": 1_734_829_102,
                "statuscode": 756_150_000,
            }),
        );
    }
    let read = || async {
        let budget = Budget::within(&stage.clock, Duration::from_secs(10));
        let scope = SweepScope::All;
        dataverse.expired(moment(START), scope, None, &budget).await
    };
    let read = || stage.runtime.block_on(read()).unwrap();
    assert_eq!(read().invitations.len(), 5_000);
    bencher.bench_local(read);
}

fn service(stage: &Stage, store: &TempDir) -> Service {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let settings = [
        ("DATAVERSE_URL", "https://dataverse.test"),
        ("GRAPH_URL", "https://graph.test"),
        ("PORTAL_URL", "https://portal.test"),
        ("MAIL_SENDERS", "invitations@contoso.example"),
        ("TEMPLATE_DIR", templates.to_str().unwrap()),
        ("BATCH_STORE", store.path().to_str().unwrap()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::from_environment(&Environment::Given(settings.into())).unwrap();
    let ambient = Ambient {
        clock: stage.clock.clone(),
        chance: Chance::seeded(3),
        transport: stage.transport.clone(),
    };
    let app = App::signed_in(config, ambient, Arc::clone(&stage.identity)).unwrap();
    app.service().clone()
}
