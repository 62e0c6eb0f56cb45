//! The handler's standard output and error, line by line, as the host logs them under
//! `Host.Function.Console`: output is Information, error output is Error unless the line speaks of a
//! warning (`WorkerProcess` in the Azure/azure-functions-host repository).

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// Which of the handler's two outputs a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleStream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// The level under which the host logs a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleLevel {
    /// Everything on standard output.
    Information,
    /// Lines on standard error that contain "warn".
    Warning,
    /// Every other line on standard error.
    Error,
}

/// One line that the handler wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleLine {
    /// Where it was written.
    pub stream: ConsoleStream,
    /// How the host logs it.
    pub level: ConsoleLevel,
    /// The line without its end.
    pub text: String,
}

/// All lines of all processes of one host, in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub(super) struct Console(Arc<Mutex<Vec<ConsoleLine>>>);

impl Console {
    pub(super) fn lines(&self) -> Vec<ConsoleLine> {
        self.0.lock().clone()
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
        let line = ConsoleLine {
            stream,
            level,
            text,
        };
        self.0.lock().push(line);
    }
}

fn level(stream: ConsoleStream, text: &str) -> ConsoleLevel {
    match stream {
        ConsoleStream::Output => ConsoleLevel::Information,
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
        let console = Console::default();
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
}
