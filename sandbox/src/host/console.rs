//! The handler's standard output and error, line by line, and what the host says of its process, as the host logs them
//! under `Host.Function.Console`: output is Information, error output is Error unless the line speaks of a
//! warning (`WorkerProcess` in the Azure/azure-functions-host repository).

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use super::Desk;
use crate::clock::Clock;

/// How many lines are kept.
const KEPT: usize = 100_000;

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleStream {
    /// The handler, on its standard output.
    Output,
    /// The handler, on its standard error.
    Error,
    /// The host, of the handler's process.
    Host,
}

/// The level under which the host logs a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleLevel {
    /// Everything on standard output.
    Information,
    /// Lines on standard error that contain "warn".
    Warning,
    /// Every other line on standard error, and what ended a process.
    Error,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleLine {
    /// Its number in the order in which lines were read, from 1.
    pub number: u64,
    /// When it was read.
    pub at: Timestamp,
    /// Who said it.
    pub stream: ConsoleStream,
    /// How the host logs it.
    pub level: ConsoleLevel,
    /// The line without its end.
    pub text: String,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<ConsoleLine>,
    read: u64,
}

/// The lines of all processes of one host, in the order in which they were read; clones share them.
#[derive(Clone, Debug)]
pub(super) struct Console {
    clock: Clock,
    lines: Arc<Mutex<Lines>>,
}

impl Console {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            lines: Arc::default(),
        }
    }

    /// What the handler wrote.
    pub(super) fn lines(&self) -> Vec<ConsoleLine> {
        let lines = self.lines.lock();
        let written = |line: &&ConsoleLine| line.stream != ConsoleStream::Host;
        lines.kept.iter().filter(written).cloned().collect()
    }

    /// The lines behind this number, the host's own ones too, at most the last `most`.
    pub(super) fn after(&self, number: u64, most: usize) -> Vec<ConsoleLine> {
        let lines = self.lines.lock();
        let new = usize::try_from(lines.read.saturating_sub(number)).unwrap_or(usize::MAX);
        let skipped = lines.kept.len().saturating_sub(new.min(most));
        lines.kept.iter().skip(skipped).cloned().collect()
    }

    /// What the host itself has to say.
    pub(super) fn say(&self, level: ConsoleLevel, text: String) {
        self.keep(ConsoleStream::Host, level, text);
    }

    /// The last three lines of error output: what the host quotes when the process ends badly.
    pub(super) fn last_errors(&self) -> String {
        let lines = self.lines();
        let mut last: Vec<&str> = (lines.iter().rev())
            .filter(|line| line.level == ConsoleLevel::Error)
            .map(|line| line.text.as_str())
            .take(3)
            .collect();
        last.reverse();
        last.join("\n")
    }

    /// Everything that was written to standard error.
    pub(super) fn errors(&self) -> String {
        let lines = self.lines();
        let errors = (lines.iter()).filter(|line| line.stream == ConsoleStream::Error);
        let texts: Vec<&str> = errors.map(|line| line.text.as_str()).collect();
        texts.join("\n")
    }

    /// Reads an output of the handler to its end.
    pub(super) async fn follow(self, stream: ConsoleStream, source: impl AsyncRead + Unpin) {
        let mut source = BufReader::new(source);
        let mut line = Vec::new();
        while matches!(source.read_until(b'\n', &mut line).await, Ok(1..)) {
            let text = String::from_utf8_lossy(&line);
            self.push(stream, text.trim_end_matches(['\r', '\n']).to_owned());
            line.clear();
        }
    }

    fn push(&self, stream: ConsoleStream, text: String) {
        let level = level(stream, &text);
        match level {
            ConsoleLevel::Information => tracing::info!(target: "Host.Function.Console", "{text}"),
            ConsoleLevel::Warning => tracing::warn!(target: "Host.Function.Console", "{text}"),
            ConsoleLevel::Error => tracing::error!(target: "Host.Function.Console", "{text}"),
        }
        self.keep(stream, level, text);
    }

    fn keep(&self, stream: ConsoleStream, level: ConsoleLevel, text: String) {
        let mut lines = self.lines.lock();
        lines.read += 1;
        let number = lines.read;
        if lines.kept.len() == KEPT {
            lines.kept.pop_front();
        }
        lines.kept.push_back(ConsoleLine {
            number,
            at: self.clock.now(),
            stream,
            level,
            text,
        });
    }
}

impl Desk {
    /// Every line that the handler's processes have written so far, at most the last 100,000.
    pub fn console(&self) -> Vec<ConsoleLine> {
        self.inner.console.lines()
    }

    /// The lines behind this number, at most the last `most`: what the handler wrote, and what the host said of its process.
    pub fn log_after(&self, number: u64, most: usize) -> Vec<ConsoleLine> {
        self.inner.console.after(number, most)
    }
}

fn level(stream: ConsoleStream, text: &str) -> ConsoleLevel {
    match stream {
        ConsoleStream::Output | ConsoleStream::Host => ConsoleLevel::Information,
        ConsoleStream::Error if text.to_lowercase().contains("warn") => ConsoleLevel::Warning,
        ConsoleStream::Error => ConsoleLevel::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        ConsoleLevel::{Error, Information, Warning},
        *,
    };

    #[tokio::test]
    async fn lines_get_the_level_that_the_host_gives_them() {
        let console = Console::new(Clock::system());
        console
            .clone()
            .follow(ConsoleStream::Output, &b"error on stdout\n"[..])
            .await;
        let errors = &b"1\r\nWARNING: 2\n3\n4\nno end \xff"[..];
        console.clone().follow(ConsoleStream::Error, errors).await;
        let levels: Vec<_> = console.lines().iter().map(|line| line.level).collect();
        assert_eq!(levels, [Information, Error, Warning, Error, Error, Error]);
        assert_eq!(console.last_errors(), "3\n4\nno end \u{fffd}");
        assert_eq!(console.lines()[1].text, "1");
    }

    #[tokio::test]
    async fn what_the_host_says_is_not_what_the_handler_wrote() {
        let console = Console::new(Clock::system());
        console.say(Warning, "killed".to_owned());
        let output = &b"1\n2\n"[..];
        console.clone().follow(ConsoleStream::Output, output).await;
        let texts = |lines: Vec<ConsoleLine>| -> Vec<String> {
            lines.into_iter().map(|line| line.text).collect()
        };
        assert_eq!(texts(console.lines()), ["1", "2"]);
        assert_eq!(texts(console.after(0, 10)), ["killed", "1", "2"]);
        assert_eq!(texts(console.after(0, 2)), ["1", "2"]);
        assert_eq!(texts(console.after(2, 10)), ["2"]);
        assert_eq!(console.after(2, 10)[0].number, 3);
    }
}
