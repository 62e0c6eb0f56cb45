//! The stories of every batch store and of every blob service, told of Azurite.

use crate::azurite::Azurite;
use crate::{blob_suite, store_suite};

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn of_racing_claims_one_wins_and_the_others_learn_who() {
    store_suite::of_racing_claims_one_wins_and_the_others_learn_who(&Azurite::new().store()).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_journal_has_one_worker_at_a_time_and_can_be_taken_over() {
    store_suite::a_journal_has_one_worker_at_a_time_and_can_be_taken_over(&Azurite::new().store())
        .await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn of_racing_workers_one_gets_a_journal() {
    store_suite::of_racing_workers_one_gets_a_journal(&Azurite::new().store()).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_finished_journal_is_read_but_never_worked_on() {
    store_suite::a_finished_journal_is_read_but_never_worked_on(&Azurite::new().store()).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_discarded_journal_leaves_nothing() {
    store_suite::a_discarded_journal_leaves_nothing(&Azurite::new().store()).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn many_mebibytes_of_lines_are_stored_whole() {
    let azurite = Azurite::new();
    store_suite::many_mebibytes_of_lines_are_stored_whole(&azurite.store()).await;
    // Azurite takes larger blocks; older versions of the service do not.
    let blocks = azurite.appends();
    assert!(
        blocks
            .iter()
            .all(|block| block.len() <= 4 << 20 && block.ends_with(b"\n"))
    );
    assert_eq!(blocks.len(), 4);
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn finished_journals_and_keys_are_removed_once_they_are_old() {
    store_suite::finished_journals_and_keys_are_removed_once_they_are_old(&Azurite::new().store())
        .await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn containers_and_blobs_are_made_once() {
    blob_suite::containers_and_blobs_are_made_once(&Azurite::new().service().await).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_lease_has_one_holder() {
    blob_suite::a_lease_has_one_holder(&Azurite::new().service().await).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn blocks_come_where_they_belong_and_under_the_lease() {
    blob_suite::blocks_come_where_they_belong_and_under_the_lease(&Azurite::new().service().await)
        .await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn listings_come_in_pages() {
    blob_suite::listings_come_in_pages(&Azurite::new().service().await).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn journals_are_listed_by_when_they_were_put_away() {
    store_suite::journals_are_listed_by_when_they_were_put_away(&Azurite::new().store()).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn the_first_note_under_a_name_stays() {
    store_suite::the_first_note_under_a_name_stays(&Azurite::new().store()).await;
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn templates_are_listed_with_their_version_and_never_removed() {
    let azurite = Azurite::new();
    let service = azurite.service().await;
    service.ask("PUT", "?restype=container", &[], "").await;
    let put = async |path: &str, text: &str| {
        let kind = [("x-ms-blob-type", "BlockBlob")];
        let name = format!("templates/{path}");
        let reply = service.ask("PUT", &name, &kind, text).await;
        assert_eq!(reply.status, 201);
    };
    let store = azurite.store();
    store_suite::templates_are_listed_with_their_version_and_never_removed(&store, put).await;
}
