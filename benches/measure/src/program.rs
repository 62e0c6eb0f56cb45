//! A measured program: a process of its own that answers on a port, and what it has used of the machine so far.
//!
//! It is started without the Functions host, whose work would be counted as its own: exec, then questions every
//! fifth of a millisecond until it answers. (The host asks every 25 ms.)

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::caller::{Answer, Caller};
use crate::clock;

/// How often Linux counts a second for `/proc/PID/stat`: the same on every x86-64 machine.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
const TICKS_A_SECOND: f64 = 100.0;

/// A program is given up that does not answer within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a program is started with.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) command: Vec<PathBuf>,
    /// The folder it runs in.
    pub(crate) folder: PathBuf,
    /// All of its environment but PATH and its port.
    pub(crate) environment: Vec<(String, String)>,
    /// The one core that it may use; `None` lets it use all.
    pub(crate) core: Option<usize>,
}

/// A running program; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    port: u16,
    caller: Caller,
    /// From exec to the end of the first answer.
    pub(crate) first_answer: Duration,
}

/// Memory of a process in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) now: f64,
    pub(crate) peak: f64,
}

impl Program {
    /// Starts a program and waits until it answers.
    pub(crate) async fn start(launch: &Launch) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = command(launch, port);
        let caller = Caller::new()?;
        let begun = clock::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {:?}", launch.command))?;
        let first_answer =
            tokio::task::spawn_blocking(move || until_it_answers(port, begun)).await??;
        Ok(Self {
            child,
            port,
            caller,
            first_answer,
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.caller.get(&self.url(path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.caller.post(&self.url(path), body).await
    }

    /// Processor time so far, in user mode and in the kernel.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let stat = self.read("stat")?;
        // The name of the program stands in brackets and may hold anything.
        let (_, rest) = stat.rsplit_once(')').context("stat names no program")?;
        let field = |place: usize| -> anyhow::Result<f64> {
            let field = rest
                .split_whitespace()
                .nth(place)
                .context("stat is short")?;
            Ok(field.parse()?)
        };
        Ok(Duration::from_secs_f64(
            (field(11)? + field(12)?) / TICKS_A_SECOND,
        ))
    }

    /// Resident memory.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let status = self.read("status")?;
        let field = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.context("status is short")?.trim_end_matches(" kB");
            Ok(number.trim().parse()?)
        };
        Ok(Memory {
            now: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let id = self.child.id().context("the program has ended")?;
        Ok(fs::read_to_string(
            Path::new("/proc").join(id.to_string()).join(file),
        )?)
    }
}

fn command(launch: &Launch, port: u16) -> Command {
    let mut words = Vec::new();
    if let Some(core) = launch.core {
        words.extend([
            "taskset".into(),
            "--cpu-list".into(),
            core.to_string().into(),
        ]);
    }
    words.extend(launch.command.iter().cloned());
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .current_dir(&launch.folder)
        .env_clear()
        .env("PATH", crate::path())
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .envs(launch.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command
}

/// A port that nobody has now; the listener is closed again.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn until_it_answers(port: u16, begun: Instant) -> anyhow::Result<Duration> {
    while begun.elapsed() < PATIENCE {
        if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            ask(stream)?;
            return Ok(begun.elapsed());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    bail!("the program does not answer");
}

fn ask(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1 "), "that was no HTTP");
    Ok(())
}
