//! A look-alike of the Azure Functions host for a custom handler: reads the app as the host reads it, starts
//! the real program, forwards HTTP to it and fires its timers. It knows nothing of what the app does, and it
//! refuses what it cannot imitate. Which behaviour is known from where is told in the sandbox's README.

mod admin;
mod app;
mod banner;
mod calls;
pub(crate) mod client;
mod console;
mod crashes;
mod error;
mod forward;
mod function;
mod host_json;
mod invoke;
mod key;
mod options;
mod port;
mod process;
mod route;
mod schedule;
mod server;
mod stage;
mod timer;
mod timetable;

use std::{
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{net::TcpListener, task::JoinSet};
use url::Url;
use uuid::Uuid;

use self::{
    app::FunctionApp,
    calls::Calls,
    client::client,
    console::Console,
    function::{HttpTrigger, Trigger},
    host_json::Settings,
    port::free_port,
    process::{Handler, Launch},
    timer::Timers,
};
use crate::clock::Clock;

pub use self::{
    calls::{Call, Cause, Ending},
    console::{ConsoleLevel, ConsoleLine, ConsoleStream},
    error::HostError,
    function::Function,
    invoke::Invocation,
    options::{Forwarding, HostOptions},
    process::State as HandlerState,
    stage::stage,
    timetable::Timer,
};

/// The version that the look-alike reports and follows.
const HOST_VERSION: &str = "4.1045.200";

/// A running host with its handler; dropping it kills the handler.
#[derive(Debug)]
pub struct Host {
    desk: Desk,
    tasks: JoinSet<()>,
}

/// What can be asked of a running host and done with it; clones are for the same host, and do not keep it alive.
#[derive(Clone, Debug)]
pub struct Desk {
    inner: Arc<Inner>,
}

impl Deref for Host {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

/// What every part of a running host shares.
#[derive(Debug)]
struct Inner {
    app: FunctionApp,
    handler: Handler,
    timers: Timers,
    client: reqwest::Client,
    clock: Clock,
    console: Console,
    calls: Calls,
    started: Timestamp,
    url: Url,
    /// Port of the handler.
    port: u16,
    forwarding: Forwarding,
    key: Option<String>,
    front_end_limit: Duration,
    invocations: AtomicU64,
}

impl Host {
    /// Reads the app, starts the handler, waits until it answers, then opens the door.
    pub async fn start(options: HostOptions) -> Result<Self, HostError> {
        let settings: Settings = options.environment.iter().cloned().collect();
        let app = FunctionApp::load(&options.app_root, &settings)?;
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, options.port)).await?;
        let inner = Arc::new(Inner::new(app, settings, &listener, options.clone()).await?);
        inner.handler.ready().await?;
        let mut tasks = JoinSet::new();
        let router = axum::Router::new()
            .fallback(server::answer)
            .with_state(inner.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!("the host's door closed: {error}");
            }
        });
        if options.fire_timers {
            inner.start_timers(&mut tasks);
        }
        Ok(Self {
            desk: Desk { inner },
            tasks,
        })
    }

    /// Closes the door, then kills the handler without warning, as the real host does.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.inner.handler.stop().await;
    }
}

impl Desk {
    /// Base URL of the host, such as `http://127.0.0.1:7071/`.
    pub fn url(&self) -> Url {
        self.inner.url.clone()
    }

    /// Base URL of the handler itself, for who must see its answers to what no function is for.
    pub fn handler_url(&self) -> Result<Url, url::ParseError> {
        format!("http://127.0.0.1:{}/", self.inner.port).parse()
    }

    /// Runs a timer function now and returns what the handler answered, if the host would take it as success.
    pub async fn fire(&self, function: &str) -> Result<Invocation, HostError> {
        timer::fire(&self.inner, function, false).await
    }

    /// SIGKILL as when the host itself kills: the handler starts again on the same port, uncounted.
    pub fn kill_handler(&self) {
        self.inner.handler.restart();
    }

    /// The handler's process id while it is ready.
    pub fn handler_pid(&self) -> Option<u32> {
        self.inner.handler.pid()
    }

    /// Where the handler stands.
    pub fn handler_state(&self) -> HandlerState {
        self.inner.handler.state()
    }

    /// The handler's port on 127.0.0.1, the same for each of its processes.
    pub fn handler_port(&self) -> u16 {
        self.inner.port
    }

    /// Waits until the handler answers (again); fails when the host has given up.
    pub async fn ready(&self) -> Result<(), HostError> {
        self.inner.handler.ready().await
    }

    /// The functions that were loaded, by name.
    pub fn functions(&self) -> &[Function] {
        &self.inner.app.functions
    }

    /// `name: reason` for each function that the host refused.
    pub fn function_errors(&self) -> &[String] {
        &self.inner.app.errors
    }

    /// A line for each function, with its method and URL or the type of its trigger, and for each error.
    pub fn list(&self) -> Vec<String> {
        banner::list(&self.inner)
    }

    /// The lines that a local host prints at start.
    pub fn banner(&self) -> String {
        banner::banner(&self.inner)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Open connections keep the rest alive a little longer, but not the process.
        self.inner.handler.abandon();
    }
}

impl Inner {
    async fn new(
        app: FunctionApp,
        settings: Settings,
        listener: &TcpListener,
        options: HostOptions,
    ) -> Result<Self, HostError> {
        let client = client()?;
        let port = free_port().await?;
        let console = Console::new(options.clock.clone());
        let names = app.functions.iter().map(|function| function.name.clone());
        let timers = Timers::load(options.timer_status, names);
        let url = format!("http://127.0.0.1:{}/", listener.local_addr()?.port());
        let description = &app.host.handler.description;
        let handler = Handler::start(Launch {
            executable: executable(&options.app_root, &description.default_executable_path),
            arguments: description.arguments.clone(),
            directory: options
                .app_root
                .join(description.working_directory.as_deref().unwrap_or("")),
            app_root: options.app_root,
            environment: environment(settings),
            port,
            initialization_timeout: app.host.handler.initialization_timeout(),
            refusal_code: options.refusal_code,
            client: client.clone(),
            clock: options.clock.clone(),
            console: console.clone(),
        });
        Ok(Self {
            handler,
            timers,
            client,
            console,
            calls: Calls::default(),
            started: options.clock.now(),
            clock: options.clock,
            url: url.parse().map_err(std::io::Error::other)?,
            port,
            forwarding: options.forwarding,
            key: options.key,
            front_end_limit: options.front_end_limit,
            invocations: AtomicU64::new(0),
            app,
        })
    }

    fn start_timers(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        for function in self
            .app
            .functions
            .iter()
            .filter(|function| !function.disabled)
        {
            if let Trigger::Timer(timer) = &function.trigger {
                tasks.spawn(timer::keep_firing(
                    self.clone(),
                    function.name.clone(),
                    timer.clone(),
                ));
            }
        }
    }

    /// The way that this host takes, given what host.json allows; proxying goes first where both are.
    fn forwarding(&self) -> Forwarding {
        let handler = &self.app.host.handler;
        match self.forwarding {
            Forwarding::Proxy if handler.enable_proxying_http_request => Forwarding::Proxy,
            _ => Forwarding::Forward,
        }
    }

    fn function_url(&self, http: &HttpTrigger) -> String {
        let prefix = &self.app.host.route_prefix;
        let slash = if prefix.is_empty() { "" } else { "/" };
        let port = self.url.port().unwrap_or_default();
        format!("http://localhost:{port}/{prefix}{slash}{}", http.template)
    }

    /// A new id for each invocation, the same ones at each start.
    fn invocation_id(&self) -> Uuid {
        let number = self.invocations.fetch_add(1, Ordering::Relaxed);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, &number.to_be_bytes())
    }

    /// Past functionTimeout the host kills the process, and with it every other invocation.
    async fn within_function_timeout<T>(
        &self,
        function: &str,
        call: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        let Some(limit) = self.app.host.function_timeout else {
            return call.await;
        };
        tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
            self.handler.restart();
            Err(HostError::TimedOut(function.to_owned()))
        })
    }
}

/// The settings, and what any program needs of this machine.
fn environment(settings: Settings) -> Settings {
    let inherited =
        ["PATH", "HOME"].map(|name| std::env::var(name).map(|it| (name.to_owned(), it)));
    inherited.into_iter().flatten().chain(settings).collect()
}

/// A path relative to the app root if such a file exists, else a command to be found on PATH.
fn executable(root: &Path, path: &str) -> PathBuf {
    let inside = root.join(path);
    if inside.is_file() {
        inside
    } else {
        PathBuf::from(path)
    }
}
