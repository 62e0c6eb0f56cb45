//! The life of a simulated process: awake, frozen or dead.
//!
//! A frozen process does nothing: its work is not polled, and what it has sent stays unanswered, until it wakes
//! up and goes on in the middle of whatever it was doing. A dead one never goes on, and sends nothing more, also
//! not what its destructors would like to send.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

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
    standing: Arc<Mutex<Standing>>,
    /// Wakes whoever waits in the order of waiting, which a watch channel does not: a run must repeat itself.
    changed: Arc<Notify>,
    requests: Arc<AtomicU32>,
    fates: Arc<[Fate]>,
    diary: Diary,
}

impl Life {
    pub(super) fn new(name: &str, fates: Vec<Fate>, diary: &Diary) -> Self {
        Self {
            name: name.into(),
            standing: Arc::new(Mutex::new(Standing::Awake)),
            changed: Arc::default(),
            requests: Arc::default(),
            fates: fates.into(),
            diary: diary.clone(),
        }
    }

    /// Works for as long as the process lives; `None` where it died over it.
    pub(super) async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            match self.standing() {
                Standing::Dead => return None,
                Standing::Frozen => self.change_from(Standing::Frozen).await,
                Standing::Awake => tokio::select! {
                    biased;
                    () = self.change_from(Standing::Awake) => {}
                    done = &mut work => return Some(done),
                },
            }
        }
    }

    fn standing(&self) -> Standing {
        *self.standing.lock().unwrap()
    }

    fn stand(&self, standing: Standing) {
        *self.standing.lock().unwrap() = standing;
        self.changed.notify_waiters();
    }

    async fn change_from(&self, before: Standing) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.standing() != before {
                return;
            }
            changed.await;
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
                self.stand(Standing::Dead);
                self.diary.count("crashes", 1);
                self.diary.note(|| format!("{} crashes {when}", self.name));
            }
            Blow::Freeze(time) => {
                self.stand(Standing::Frozen);
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
            if life.standing() == Standing::Frozen {
                life.stand(Standing::Awake);
                life.diary.count("frozen processes that woke up", 1);
                life.diary.note(|| format!("{} wakes up", life.name));
            }
        });
    }

    async fn stay_awake(&self) {
        loop {
            match self.standing() {
                Standing::Awake => return,
                other => self.change_from(other).await,
            }
        }
    }
}
