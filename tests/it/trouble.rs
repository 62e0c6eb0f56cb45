//! Trouble for the stories of this binary: kills, counted requests, journals changed behind the handler's back.
//!
//! Everything here acts on a `World` from outside, as the platform, the network or a person with the storage key
//! would. What must come of it is for the stories to say.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sandbox::Clock;
use sandbox::faults::{Fault, Rule};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Answer, World};

/// When requests met a rule.
#[derive(Clone)]
pub(crate) struct Tally {
    clock: Clock,
    times: Arc<Mutex<Vec<Timestamp>>>,
}

impl Tally {
    fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            times: Arc::default(),
        }
    }

    /// How many did.
    pub(crate) fn count(&self) -> usize {
        self.times.lock().unwrap().len()
    }

    /// When the last one did.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.times.lock().unwrap().last().copied()
    }

    fn fault(&self) -> Fault {
        let tally = self.clone();
        Fault::Call(Arc::new(move || {
            let now = tally.clock.now();
            tally.times.lock().unwrap().push(now);
        }))
    }
}

/// An answer in place of the service's own; `effect` says whether the work is done all the same.
pub(crate) fn instead(status: u16, effect: bool) -> Fault {
    refusal(status, "UnknownError", effect)
}

/// An answer with a service's own code.
pub(crate) fn refusal(status: u16, code: &str, effect: bool) -> Fault {
    Fault::Answer {
        status,
        retry_after_seconds: None,
        code: code.to_owned(),
        effect,
    }
}

/// A 429 that asks to wait, with nothing done.
pub(crate) fn throttled(retry_after_seconds: u64) -> Fault {
    Fault::Answer {
        status: 429,
        retry_after_seconds: Some(retry_after_seconds),
        code: "ApplicationThrottled".to_owned(),
        effect: false,
    }
}

impl World {
    /// Counts the requests that a rule matches, from now on.
    pub(crate) fn count(&self, rule: impl FnOnce(Fault) -> Rule) -> Tally {
        let tally = Tally::new(&self.sandbox.clock);
        self.sandbox.faults.add(rule(tally.fault()));
        tally
    }

    /// Lets one request meet a fault, and counts whether it did; `rule` says which request.
    pub(crate) fn strike_once(&self, rule: impl Fn(Fault) -> Rule, fault: Fault) -> Tally {
        let tally = self.count(|fault| rule(fault).times(1));
        self.sandbox.faults.add(rule(fault).times(1));
        tally
    }

    /// Ends the handler at once when a request meets the rule; `effect` says whether the request is served still.
    pub(crate) fn kill_at(&self, rule: impl Fn(Fault) -> Rule, effect: bool) -> Tally {
        let pid = self.host.handler_pid().unwrap().to_string();
        let kill = Fault::Call(Arc::new(move || {
            let status = std::process::Command::new("kill")
                .args(["-9", &pid])
                .status();
            assert!(status.unwrap().success());
        }));
        let tally = self.strike_once(&rule, kill);
        if !effect {
            self.sandbox.faults.add(rule(Fault::DropBefore).times(1));
        }
        tally
    }

    /// Waits until the host has started another process than this one.
    pub(crate) async fn restarted(&self, old: u32) {
        while self.host.handler_pid().is_none_or(|pid| pid == old) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills the handler as the host does, and waits for the next one.
    pub(crate) async fn restart(&self) {
        let old = self.host.handler_pid().unwrap();
        self.host.kill_handler();
        self.restarted(old).await;
        self.host.ready().await.unwrap();
    }

    /// Waits until a line of the handler's log holds a text.
    pub(crate) async fn logged(&self, text: &str) {
        for _ in 0..100 {
            if (self.host.console().iter()).any(|line| line.text.contains(text)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nothing in the log about: {text}");
    }

    /// Asks for a batch until it is finished.
    pub(crate) async fn result(&self, batch: i64) -> Answer {
        let answer = self.get(&format!("/api/batches/{batch}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    /// The paths of the open journals.
    pub(crate) fn open_journals(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.store.path().join("open")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The path of the only open journal.
    pub(crate) fn open_journal(&self) -> PathBuf {
        let journals = self.open_journals();
        assert_eq!(journals.len(), 1, "one open journal");
        journals.into_iter().next().unwrap()
    }

    /// The lines of the only open journal.
    pub(crate) fn journal(&self) -> Vec<Value> {
        read_lines(&self.open_journal())
    }

    /// Replaces the lines of the only open journal, which nobody may hold.
    pub(crate) fn write_journal(&self, lines: &[Value]) {
        write_lines(&self.open_journal(), lines);
    }

    /// A minute passes for the services and for every letter that was attempted; nobody may hold a journal.
    pub(crate) fn a_minute_passes(&self) {
        let minute = SignedDuration::from_secs(61);
        self.sandbox.age(minute);
        for path in self.open_journals() {
            let mut lines = read_lines(&path);
            lines
                .iter_mut()
                .filter(|line| line["line"] == "attempting")
                .for_each(|line| move_back(line, "at", minute));
            write_lines(&path, &lines);
        }
    }

    /// Moves the times of one kind of line into the past.
    pub(crate) fn backdate(&self, kind: &str, by: SignedDuration) {
        self.backdate_field(kind, "at", by);
        self.backdate_field(kind, "until", by);
    }

    /// Moves one time of one kind of line into the past.
    pub(crate) fn backdate_field(&self, kind: &str, field: &str, by: SignedDuration) {
        let mut lines = self.journal();
        lines
            .iter_mut()
            .filter(|line| line["line"] == kind)
            .for_each(|line| move_back(line, field, by));
        self.write_journal(&lines);
    }

    /// Whether a plan stands whole in an open journal: then someone finishes it without the caller.
    pub(crate) fn has_accepted_work(&self) -> bool {
        let holds_plan = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.contains(r#""line":"planned""#)
        };
        self.open_journals().iter().any(holds_plan)
    }

    /// The codes that the letters to a contact carry.
    pub(crate) fn mailed_codes(&self, contact: Uuid) -> Vec<String> {
        let row = self.sandbox.dataverse.row("contacts", contact).unwrap();
        let address = row["emailaddress1"].as_str().unwrap();
        let letters = self.sandbox.graph.letters();
        let mine = letters.iter().filter(|letter| letter.to == [address]);
        mine.map(|letter| code_in(&letter.html)).collect()
    }
}

/// The code in a letter's first link.
fn code_in(html: &str) -> String {
    let (_, link) = html.split_once("?invitation=").unwrap();
    let end = link.find(['"', '&', '<']).unwrap();
    let query = format!("code={}", &link[..end]);
    let (_, code) = url::form_urlencoded::parse(query.as_bytes())
        .next()
        .unwrap();
    code.into_owned()
}

fn read_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn write_lines(path: &Path, lines: &[Value]) {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
}

fn move_back(line: &mut Value, field: &str, by: SignedDuration) {
    if let Some(time) = line[field].as_str() {
        let time: Timestamp = time.parse().unwrap();
        line[field] = json!((time - by).to_string());
    }
}
