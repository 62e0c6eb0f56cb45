//! The stories of every batch store and of every blob service, told of the sandbox's.

use std::sync::Arc;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use portal_invite::chance::Chance;
use portal_invite::clock::Clock;
use portal_invite::remote::http::{Broken, InProcess, Transport};
use portal_invite::remote::journal::Store;
use sandbox::{Options, Sandbox, Service, Wire};

use crate::{blob_suite, store_suite};

const CONTAINER: &str = "https://storage.test/portal-invite";

/// Any token does until the sandbox listens.
#[derive(Debug)]
pub(crate) struct AnyStorageToken;

#[async_trait::async_trait]
impl TokenCredential for AnyStorageToken {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://storage.azure.com/.default"]);
        // The crate asks the machine's own clock whether a token is still good.
        let ages_from_now = OffsetDateTime::from_unix_timestamp(32_503_680_000).unwrap();
        Ok(AccessToken::new("any", ages_from_now))
    }
}

fn transport(wire: Wire) -> Transport {
    let carry: InProcess = Arc::new(move |request| {
        let wire = wire.clone();
        Box::pin(async move {
            let answer = wire.call(request).await;
            answer.map_err(|_| Broken::Lost("the connection broke".to_owned()))
        })
    });
    Transport::InProcess(carry)
}

fn store() -> Store {
    store_of(&Sandbox::new(Options::default()))
}

fn store_of(sandbox: &Sandbox) -> Store {
    let transport = transport(sandbox.wire(Service::Storage));
    let sources = (Clock::system(), Chance::seeded(1));
    let container = CONTAINER.parse().unwrap();
    Store::in_container(&container, Arc::new(AnyStorageToken), &transport, sources).unwrap()
}

/// A service that takes live tokens only.
async fn service() -> blob_suite::Service {
    let sandbox = Sandbox::new(Options::default());
    sandbox.listen().await.unwrap();
    let query = "resource=https%3A%2F%2Fstorage.azure.com&api-version=2019-08-01";
    let request = http::Request::get(format!("/msi/token?{query}"))
        .header("X-IDENTITY-HEADER", sandbox.identity.secret())
        .body(bytes::Bytes::new());
    let answer = sandbox.wire(Service::Identity).call(request.unwrap()).await;
    assert_eq!(answer.unwrap().status(), 200);
    blob_suite::Service {
        transport: transport(sandbox.wire(Service::Storage)),
        container: CONTAINER.parse().unwrap(),
        token: sandbox.identity.issued_tokens().remove(0),
    }
}

#[tokio::test]
async fn of_racing_claims_one_wins_and_the_others_learn_who() {
    store_suite::of_racing_claims_one_wins_and_the_others_learn_who(&store()).await;
}

#[tokio::test]
async fn a_journal_has_one_worker_at_a_time_and_can_be_taken_over() {
    store_suite::a_journal_has_one_worker_at_a_time_and_can_be_taken_over(&store()).await;
}

#[tokio::test]
async fn of_racing_workers_one_gets_a_journal() {
    store_suite::of_racing_workers_one_gets_a_journal(&store()).await;
}

#[tokio::test]
async fn a_finished_journal_is_read_but_never_worked_on() {
    store_suite::a_finished_journal_is_read_but_never_worked_on(&store()).await;
}

#[tokio::test]
async fn a_discarded_journal_leaves_nothing() {
    store_suite::a_discarded_journal_leaves_nothing(&store()).await;
}

#[tokio::test]
async fn many_mebibytes_of_lines_are_stored_whole() {
    store_suite::many_mebibytes_of_lines_are_stored_whole(&store()).await;
}

#[tokio::test]
async fn finished_journals_and_keys_are_removed_once_they_are_old() {
    store_suite::finished_journals_and_keys_are_removed_once_they_are_old(&store()).await;
}

#[tokio::test]
async fn containers_and_blobs_are_made_once() {
    blob_suite::containers_and_blobs_are_made_once(&service().await).await;
}

#[tokio::test]
async fn a_lease_has_one_holder() {
    blob_suite::a_lease_has_one_holder(&service().await).await;
}

#[tokio::test]
async fn blocks_come_where_they_belong_and_under_the_lease() {
    blob_suite::blocks_come_where_they_belong_and_under_the_lease(&service().await).await;
}

#[tokio::test]
async fn listings_come_in_pages() {
    blob_suite::listings_come_in_pages(&service().await).await;
}

#[tokio::test]
async fn journals_are_listed_by_when_they_were_put_away() {
    store_suite::journals_are_listed_by_when_they_were_put_away(&store()).await;
}

#[tokio::test]
async fn the_first_note_under_a_name_stays() {
    store_suite::the_first_note_under_a_name_stays(&store()).await;
}

#[tokio::test]
async fn templates_are_listed_with_their_version_and_never_removed() {
    let sandbox = Sandbox::new(Options::default());
    let put = async |path: &str, text: &str| {
        let blob = format!("templates/{path}");
        sandbox.storage.put("portal-invite", &blob, text.as_bytes());
    };
    let store = store_of(&sandbox);
    store_suite::templates_are_listed_with_their_version_and_never_removed(&store, put).await;
}
