//! The lease runs out when its holder cannot renew it, and only then.

use std::time::Duration;

use http::Method;
use portal_invite::remote::journal::{StoreError, Take};

use crate::azurite::{Azurite, Trouble};
use crate::store_suite::{line, number};

/// Two journals, a worker each; the network of one worker breaks. The lease is sixty seconds, so this takes as long.
#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_worker_that_is_cut_off_stops_before_another_takes_over_and_one_that_is_not_goes_on() {
    let azurite = Azurite::new();
    let cut_off = azurite.apart();
    let (well, other) = (azurite.store(), azurite.store());
    let mut kept = well.create(number(1)).await.unwrap();
    let mut lost = cut_off.store().create(number(2)).await.unwrap();
    lost.append(&[line(1)]).await.unwrap();
    for method in [Method::PUT, Method::GET, Method::HEAD, Method::DELETE] {
        cut_off.spoil(method, "", Trouble::LostBefore, usize::MAX);
    }

    let mut second = loop {
        let sure = lost.tenure().holds();
        match other.take(number(2)).await.unwrap() {
            Take::Ours(journal, lines) => {
                assert!(!sure, "two workers were sure of one lease");
                assert_eq!(lines, [line(1)]);
                break journal;
            }
            Take::Held => tokio::time::sleep(Duration::from_millis(500)).await,
            Take::Gone => panic!("the journal is gone"),
        }
    };
    assert!(
        cut_off.spoiled() >= 2,
        "a renewal that fails is tried again"
    );
    second.append(&[line(2)]).await.unwrap();
    let late = lost.append(&[line(3)]).await;
    assert!(matches!(late, Err(StoreError::LeaseLost(_))), "{late:?}");

    // The other worker's lease is older, and was renewed in time.
    assert!(kept.tenure().holds());
    assert!(matches!(other.take(number(1)).await.unwrap(), Take::Held));
    kept.append(&[line(4)]).await.unwrap();
    let all = other.read(number(2)).await.unwrap().unwrap();
    assert_eq!(all, [line(1), line(2)]);
}
