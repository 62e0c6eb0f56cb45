//! The handler's process: started with the environment the host gives, probed until it answers, killed
//! without warning, restarted on the same port, given up after the third crash. The host's own code is
//! the source (`HttpFunctionInvocationDispatcher` and `WorkerProcess` in Azure/azure-functions-host).

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use futures::future::join_all;
use tokio::{
    process::{Child, Command},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    console::{Console, ConsoleLevel, ConsoleStream},
    crashes::Crashes,
    error::HostError,
    host_json::Settings,
};
use crate::clock::Clock;

const PROBE_PAUSE: Duration = Duration::from_millis(25);
const PING_PAUSE: Duration = Duration::from_secs(10);
/// How long the last lines of a process that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How to start the handler; the same at each restart but for the worker id.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) executable: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) app_root: PathBuf,
    pub(super) environment: Settings,
    pub(super) port: u16,
    pub(super) initialization_timeout: Duration,
    pub(super) refusal_code: Option<i32>,
    pub(super) client: reqwest::Client,
    pub(super) clock: Clock,
    pub(super) console: Console,
}

/// Where the handler stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It does not answer yet.
    Starting,
    /// It answers.
    Ready {
        /// Its process id.
        pid: u32,
    },
    /// Given up, with the reason.
    Down(String),
    /// The handler would not run as it is set; its own words.
    Refused(String),
}

enum Order {
    /// Kill and start again; not counted as a crash, as when the host itself kills for functionTimeout.
    Restart,
    Stop,
}

/// How one process ended.
enum End {
    Stopped,
    Restart,
    Crashed(String),
    Refused,
}

/// The running handler, restarted in the background until it is stopped or dropped.
#[derive(Debug)]
pub(super) struct Handler {
    state: watch::Sender<State>,
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
    /// No invocation waits longer than this for the handler to become ready.
    patience: Duration,
}

impl Handler {
    /// Starts the process and its supervision.
    pub(super) fn start(launch: Launch) -> Self {
        let state = watch::Sender::new(State::Starting);
        let (orders, received) = mpsc::unbounded_channel();
        let patience = launch.initialization_timeout * 4;
        let supervisor = Supervisor {
            launch,
            state: state.clone(),
            orders: received,
        };
        let task = tokio::spawn(supervisor.run());
        Self {
            state,
            orders,
            task,
            patience,
        }
    }

    /// The process id while the handler is ready.
    pub(super) fn pid(&self) -> Option<u32> {
        match *self.state.borrow() {
            State::Ready { pid } => Some(pid),
            State::Starting | State::Down(_) | State::Refused(_) => None,
        }
    }

    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits until the handler answers; fails when the host has given up or the handler takes too long.
    pub(super) async fn ready(&self) -> Result<(), HostError> {
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| *state != State::Starting);
        match timeout(self.patience, settled)
            .await
            .map(|it| it.map(|it| it.clone()))
        {
            Ok(Ok(State::Down(reason))) => Err(HostError::Down(reason)),
            Ok(Ok(State::Refused(words))) => Err(HostError::Refused(words)),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(HostError::Down("stopped".to_owned())),
            Err(_) => Err(HostError::Down(
                "the handler did not become ready".to_owned(),
            )),
        }
    }

    /// SIGKILL, then a restart that is not counted as a crash.
    pub(super) fn restart(&self) {
        self.state.send_if_modified(|state| {
            let running = matches!(state, State::Ready { .. });
            if running {
                *state = State::Starting;
            }
            running
        });
        // A supervisor that has ended has no process left to restart.
        let _ended = self.orders.send(Order::Restart);
    }

    /// SIGKILL; returns when the process is gone.
    pub(super) async fn stop(&self) {
        let mut state = self.state.subscribe();
        let _ended = self.orders.send(Order::Stop);
        let _gone = state
            .wait_for(|state| matches!(state, State::Down(_) | State::Refused(_)))
            .await;
    }

    /// SIGKILL without waiting.
    pub(super) fn abandon(&self) {
        self.task.abort();
    }
}

struct Supervisor {
    launch: Launch,
    state: watch::Sender<State>,
    orders: mpsc::UnboundedReceiver<Order>,
}

impl Supervisor {
    async fn run(mut self) {
        let mut crashes = Crashes::default();
        let mut start = 0_u64;
        let reason = loop {
            start += 1;
            self.state.send_replace(State::Starting);
            let end = self.run_once(start).await;
            self.tell(&end);
            match end {
                End::Stopped => break "stopped".to_owned(),
                End::Restart if self.is_stopped_too() => break "stopped".to_owned(),
                End::Restart => {}
                End::Refused => {
                    let words = self.launch.console.errors();
                    self.state.send_replace(State::Refused(words));
                    return;
                }
                End::Crashed(reason) => {
                    tracing::error!("the handler crashed: {reason}");
                    if crashes.is_too_many(self.launch.clock.now()) {
                        break format!("restarted too often; {reason}");
                    }
                }
            }
        };
        self.state.send_replace(State::Down(reason));
    }

    fn tell(&self, end: &End) {
        let (level, text) = match end {
            End::Stopped => return,
            End::Restart => (
                ConsoleLevel::Warning,
                "the handler is started again".to_owned(),
            ),
            End::Crashed(reason) => (
                ConsoleLevel::Error,
                format!("the handler crashed: {reason}"),
            ),
            End::Refused => (
                ConsoleLevel::Error,
                "the handler refuses its settings".to_owned(),
            ),
        };
        self.launch.console.say(level, text);
    }

    /// Drops further orders to restart: the process that they meant is gone already.
    fn is_stopped_too(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Restart) => {}
                Ok(Order::Stop) => return true,
                Err(_) => return false,
            }
        }
    }

    /// One process from its start to its end.
    async fn run_once(&mut self, start: u64) -> End {
        let mut child = match self.launch.spawn(start) {
            Ok(child) => child,
            Err(error) => {
                return End::Crashed(format!("{}: {error}", self.launch.executable.display()));
            }
        };
        let outputs = self.launch.follow(&mut child);
        let end = self.attend(&mut child).await;
        // It may have ended by itself meanwhile.
        let _already_gone = child.kill().await;
        if matches!(end, End::Refused) {
            let _slow = timeout(LAST_WORDS, join_all(outputs)).await;
        }
        end
    }

    /// Waits for an order or the process's end; publishes readiness and pings on.
    async fn attend(&mut self, child: &mut Child) -> End {
        tokio::select! {
            biased;
            order = self.orders.recv() => return ended_by(order.as_ref()),
            status = child.wait() => return self.launch.ended(status),
            ready = timeout(self.launch.initialization_timeout, self.launch.probe()) => if ready.is_err() {
                return End::Crashed("initialization timed out: no answer to GET /".to_owned());
            }
        }
        if let Some(pid) = child.id() {
            self.state.send_replace(State::Ready { pid });
            let text = format!("the handler is ready, as process {pid}");
            self.launch.console.say(ConsoleLevel::Information, text);
        }
        tokio::select! {
            biased;
            order = self.orders.recv() => ended_by(order.as_ref()),
            status = child.wait() => self.launch.ended(status),
            never = self.launch.ping() => match never {},
        }
    }
}

fn ended_by(order: Option<&Order>) -> End {
    match order {
        Some(Order::Restart) => End::Restart,
        Some(Order::Stop) | None => End::Stopped,
    }
}

impl Launch {
    fn spawn(&self, start: u64) -> std::io::Result<Child> {
        let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &start.to_be_bytes()).to_string();
        let port = self.port.to_string();
        Command::new(&self.executable)
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(&self.environment)
            .env("FUNCTIONS_HTTPWORKER_PORT", &port)
            .env("FUNCTIONS_HTTPWORKER_ID", &id)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", &port)
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", &id)
            .env("FUNCTIONS_APP_ROOT_PATH", &self.app_root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    /// Reads what the process writes; the tasks end when it has written all.
    fn follow(&self, child: &mut Child) -> Vec<JoinHandle<()>> {
        let mut readers = Vec::new();
        if let Some(output) = child.stdout.take() {
            let reading = self.console.clone().follow(ConsoleStream::Output, output);
            readers.push(tokio::spawn(reading));
        }
        if let Some(errors) = child.stderr.take() {
            let reading = self.console.clone().follow(ConsoleStream::Error, errors);
            readers.push(tokio::spawn(reading));
        }
        readers
    }

    /// Returns once `GET /` is answered, whatever the status.
    async fn probe(&self) {
        while self.get_root().await.is_err_and(|error| error.is_connect()) {
            sleep(PROBE_PAUSE).await;
        }
    }

    /// Asks `GET /` now and then, as the host's monitor does; its answer changes nothing.
    async fn ping(&self) -> std::convert::Infallible {
        let mut due = interval(PING_PAUSE);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            let _unused = self.get_root().await;
        }
    }

    async fn get_root(&self) -> Result<reqwest::Response, reqwest::Error> {
        super::client::send(
            &self.client,
            self.client.get(format!("http://127.0.0.1:{}/", self.port)),
        )
        .await
    }

    /// Exit codes 0 and 200 are restarts that do not count; everything else is a crash, but for the one code that
    /// [`HostOptions::refusal_code`](super::HostOptions) names.
    fn ended(&self, status: std::io::Result<ExitStatus>) -> End {
        let status = match status {
            Ok(status) if matches!(status.code(), Some(0 | 200)) => return End::Restart,
            Ok(status) if status.code().is_some() && status.code() == self.refusal_code => {
                return End::Refused;
            }
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        End::Crashed(format!("{status} {}", self.console.last_errors()))
    }
}
