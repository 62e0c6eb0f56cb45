//! Requests, twins, dispatchers and sweeps of several processes at once, which overlap, freeze and die.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, join_all};
use portal_invite::domain::expiry::ValidDays;
use portal_invite::domain::ids::ContactId;
use portal_invite::service::invite::{
    ExpiryChoice, IdempotencyKey, InviteError, InviteRequest, WhenPending,
};
use rand::RngExt;

use super::super::diary::Diary;
use super::super::process::{Process, WEB_ROLE};
use super::meddlers::Meddling;
use super::progress::Seen;
use super::run::Run;
use super::single::Single;

/// A request that one or several processes get.
#[derive(Clone)]
struct Asked {
    request: InviteRequest,
    /// How many contacts it names.
    entries: usize,
    key: Option<IdempotencyKey>,
}

/// What a process does in an episode, each at its time.
struct Script {
    invitations: Vec<(Duration, Asked)>,
    /// Waits between the runs of the dispatcher, which never overlap in one process.
    dispatches: Vec<Duration>,
    sweep: Option<Duration>,
    singles: Vec<(Duration, Single)>,
    jump: Option<(Duration, i64)>,
}

impl Run {
    pub(super) async fn episode(&mut self) {
        self.lay_trouble();
        let mut scripts: Vec<Script> = (0..self.random.random_range(1..5))
            .map(|_| self.script())
            .collect();
        for number in 0..self.random.random_range(1..4) {
            let asked = self.asked(number);
            // Without a key they are different requests that race.
            for _ in 0..self.copies() {
                let script = self.random.random_range(0..scripts.len());
                let at = self.time(30_000);
                scripts[script].invitations.push((at, asked.clone()));
            }
        }
        let lives: Vec<_> = scripts
            .into_iter()
            .map(|script| self.life_of(script))
            .collect();
        let observer = self.another_process("observer");
        let watching = self.watch(observer);
        let mut done = join_all(lives).fuse();
        tokio::select! {
            biased;
            () = watching => {}
            _ = &mut done => return,
        }
        done.await;
    }

    fn life_of(&mut self, script: Script) -> BoxFuture<'static, ()> {
        let fates = self.fates();
        let number = self.next_process();
        let process = self
            .deployment
            .process(&format!("process {number}"), number, fates);
        if self.random.random_bool(0.15) {
            process.life.die_after(self.time(120_000));
        }
        let (seen, diary) = (self.seen.clone(), self.deployment.diary.clone());
        let life = process.life.clone();
        let meddling = self.meddling.clone();
        let work = async move { act(&process, script, &meddling, &seen, &diary).await };
        let work = Box::pin(work);
        async move { life.live(work).await.unwrap_or_default() }.boxed()
    }

    fn script(&mut self) -> Script {
        let dispatches = self.random.random_range(0..5);
        let sweep = self.random.random_bool(0.15).then(|| self.time(120_000));
        let jump = self.random.random_bool(0.15);
        Script {
            invitations: Vec::new(),
            dispatches: (0..dispatches).map(|_| self.time(90_000)).collect(),
            sweep,
            singles: self.singles(),
            jump: jump.then(|| (self.time(90_000), self.random.random_range(-3_600..3_600))),
        }
    }

    fn asked(&mut self, number: u32) -> Asked {
        let contacts = self.some_contacts();
        let send_email = self.random.random_bool(0.9);
        let days = self.random.random_range(1..30_i64);
        let key = self.random.random_bool(0.6).then(|| {
            let name = format!("key {number} {}", self.next_process());
            IdempotencyKey::new(&name, b"body")
        });
        let entries = contacts.len();
        let when_pending = match self.random.random_range(0..10) {
            0..5 => WhenPending::Keep,
            5..7 if send_email => WhenPending::Resend,
            5..9 => WhenPending::Replace,
            _ => WhenPending::Fail,
        };
        let web_roles = self.random.random_bool(0.2).then_some(WEB_ROLE);
        let request = InviteRequest {
            when_pending,
            web_roles: web_roles.into_iter().collect(),
            expiry: ExpiryChoice::Days(ValidDays::try_from(days).unwrap()),
            send_email,
            include_registered: send_email && self.random.random_bool(0.15),
            ..super::super::request(contacts)
        };
        Asked {
            request,
            entries,
            key,
        }
    }

    /// Most of the contacts in some order, perhaps some of them twice.
    fn some_contacts(&mut self) -> Vec<ContactId> {
        let all = self.contacts.clone();
        let mut some: Vec<_> = all
            .iter()
            .copied()
            .filter(|_| self.random.random_bool(0.8))
            .collect();
        some.push(all[self.random.random_range(0..all.len())]);
        some
    }

    fn copies(&mut self) -> usize {
        if self.random.random_bool(0.4) {
            self.random.random_range(2..5)
        } else {
            1
        }
    }

    fn time(&mut self, most_milliseconds: u64) -> Duration {
        Duration::from_millis(self.random.random_range(0..most_milliseconds))
    }

    /// Looks at every batch now and then, for as long as anything may happen.
    fn watch(&mut self, observer: Process) -> impl Future<Output = ()> + use<> {
        let waits: Vec<_> = (0..8).map(|_| self.time(60_000)).collect();
        let (seen, storage) = (self.seen.clone(), self.sandbox().storage.clone());
        async move {
            for wait in waits {
                tokio::time::sleep(wait).await;
                seen.look(&observer, &storage).await;
            }
        }
    }
}

async fn act(process: &Process, script: Script, meddling: &Meddling, seen: &Seen, diary: &Diary) {
    let inviting = script
        .invitations
        .into_iter()
        .map(|(at, asked)| async move {
            tokio::time::sleep(at).await;
            Box::pin(invite(process, asked, seen, diary)).await;
        });
    let dispatching = async {
        for wait in script.dispatches {
            tokio::time::sleep(wait).await;
            let tally = process.service.dispatch().await;
            diary.note(|| format!("{} dispatched: {tally:?}", process.life.name));
        }
    };
    let sweeping = async {
        if let Some(at) = script.sweep {
            tokio::time::sleep(at).await;
            let tally = process.service.sweep().await;
            diary.note(|| format!("{} swept: {tally:?}", process.life.name));
        }
    };
    let singles = script.singles.into_iter().map(|(at, single)| async move {
        tokio::time::sleep(at).await;
        Box::pin(single.ask(process, meddling, seen, diary)).await;
    });
    let jumping = async {
        if let Some((at, seconds)) = script.jump {
            tokio::time::sleep(at).await;
            process.clock.skew(seconds);
            diary.count("jumps of a clock", 1);
            diary.note(|| format!("the clock of {} jumps by {seconds} s", process.life.name));
        }
    };
    tokio::join!(
        join_all(inviting),
        join_all(singles),
        dispatching,
        sweeping,
        jumping
    );
}

async fn invite(process: &Process, asked: Asked, seen: &Seen, diary: &Diary) {
    let (entries, keyed) = (asked.entries, asked.key.is_some());
    let (name, pending) = (&process.life.name, asked.request.when_pending);
    diary.note(|| format!("{name} is asked to invite {entries}, {pending:?} (keyed: {keyed})"));
    let answer = process.service.invite(asked.request, asked.key).await;
    diary.note(|| match &answer {
        Ok(report) => format!("{name} answers {:?} {:?}", report.number, report.counts),
        Err(error) => format!("{name} refuses: {error}"),
    });
    match answer {
        Ok(report) => seen.answer(&report, entries),
        Err(InviteError::Invalid(mistakes)) => panic!("{mistakes:?}"),
        Err(InviteError::NotAllowed { .. } | InviteError::KeyReused) => panic!("a wrong refusal"),
        Err(_) => diary.count("requests refused", 1),
    }
}
