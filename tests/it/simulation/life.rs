//! The life of a simulated process: awake, frozen or dead.
//!
//! A frozen process does nothing: its work is not polled, and what it has sent stays unanswered, until it wakes
//! up and goes on in the middle of whatever it was doing. A dead one never goes on, and sends nothing more, also
//! not what its destructors would like to send.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::diary::Diary;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Awake,
    Frozen,
    Dead,
}

/// What befalls a process.
#[derive(Clone, Copy, Debug)]
pub(super) enum Blow {
    Freeze(Duration),
    Crash,
}

/// A blow at a certain request of the process, just before or just after it has its effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    pub(super) request: u32,
    pub(super) before: bool,
    pub(super) blow: Blow,
}

/// The life of one process; clones share it.
#[derive(Clone)]
pub(super) struct Life {
    pub(super) name: Arc<str>,
    standing: watch::Sender<Standing>,
    requests: Arc<AtomicU32>,
    fates: Arc<[Fate]>,
    diary: Diary,
}

impl Life {
    pub(super) fn new(name: &str, fates: Vec<Fate>, diary: &Diary) -> Self {
        Self {
            name: name.into(),
            standing: watch::Sender::new(Standing::Awake),
            requests: Arc::default(),
            fates: fates.into(),
            diary: diary.clone(),
        }
    }

    /// Works for as long as the process lives; `None` where it died over it.
    pub(super) async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut standing = self.standing.subscribe();
        let mut work = pin!(work);
        loop {
            let now = *standing.borrow_and_update();
            match now {
                Standing::Dead => return None,
                Standing::Frozen => standing.changed().await.ok()?,
                Standing::Awake => tokio::select! {
                    biased;
                    changed = standing.changed() => changed.ok()?,
                    done = &mut work => return Some(done),
                },
            }
        }
    }

    /// Carries a request of the process, unless it is frozen or dead, or becomes so.
    pub(super) async fn carry<T>(&self, exchange: impl Future<Output = T>) -> T {
        self.stay_awake().await;
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        let fate = self.fates.iter().find(|fate| fate.request == request);
        if let Some(fate) = fate.filter(|fate| fate.before) {
            self.suffer(fate.blow, "before a request");
            self.stay_awake().await;
        }
        let answer = exchange.await;
        if let Some(fate) = fate.filter(|fate| !fate.before) {
            self.suffer(fate.blow, "after a request");
        }
        self.stay_awake().await;
        answer
    }

    /// Dies after some time, whatever it does then.
    pub(super) fn die_after(&self, time: Duration) {
        let life = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            life.suffer(Blow::Crash, "at some moment");
        });
    }

    fn suffer(&self, blow: Blow, when: &str) {
        match blow {
            Blow::Crash => {
                self.standing.send_replace(Standing::Dead);
                self.diary.count("crashes", 1);
                self.diary.note(|| format!("{} crashes {when}", self.name));
            }
            Blow::Freeze(time) => {
                self.standing.send_replace(Standing::Frozen);
                self.diary.count("freezes", 1);
                let words = || format!("{} freezes {when} for {time:?}", self.name);
                self.diary.note(words);
                self.wake_after(time);
            }
        }
    }

    fn wake_after(&self, time: Duration) {
        let life = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let woken = life.standing.send_if_modified(|standing| {
                let frozen = *standing == Standing::Frozen;
                if frozen {
                    *standing = Standing::Awake;
                }
                frozen
            });
            if woken {
                life.diary.count("frozen processes that woke up", 1);
                life.diary.note(|| format!("{} wakes up", life.name));
            }
        });
    }

    async fn stay_awake(&self) {
        let mut standing = self.standing.subscribe();
        let awake = standing.wait_for(|standing| *standing == Standing::Awake);
        // The sender lives as long as `self`.
        let _ = awake.await;
    }
}
