//! What the demo writes on: titles, lines and aligned tables; colours only where a terminal shows them.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write},
};

/// Everything under a title stands this far in.
const INDENT: &str = "   ";

/// A page that fills from top to bottom.
pub struct Paper<'a> {
    out: Box<dyn Write + 'a>,
    colours: bool,
    titles: usize,
}

impl fmt::Debug for Paper<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Paper").finish_non_exhaustive()
    }
}

impl<'a> Paper<'a> {
    /// Standard output; plain where it is no terminal, or where `NO_COLOR` asks for it
    /// (<https://no-color.org>).
    pub fn for_terminal() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            colours: wanted && io::stdout().is_terminal(),
            ..Self::plain(io::stdout())
        }
    }

    /// Text without colours.
    pub fn plain(out: impl Write + 'a) -> Self {
        Self {
            out: Box::new(out),
            colours: false,
            titles: 0,
        }
    }

    /// Begins the next numbered part.
    pub(super) fn title(&mut self, text: &str) -> io::Result<()> {
        self.titles += 1;
        let title = self.painted("1", &format!("{}. {text}", self.titles));
        writeln!(self.out, "\n{title}\n")
    }

    /// Says how the demo ended, as the last part.
    pub(super) fn end(&mut self, text: &str) -> io::Result<()> {
        let text = self.painted("1;32", text);
        writeln!(self.out, "\n{text}\n")
    }

    /// Lines under the title; an empty text is an empty line.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        for line in text.split('\n') {
            writeln!(self.out, "{}", format!("{INDENT}{line}").trim_end())?;
        }
        Ok(())
    }

    /// Like [`Paper::text`], for what explains rather than happens.
    pub(super) fn aside(&mut self, text: &str) -> io::Result<()> {
        let text: Vec<String> = text.lines().map(|line| self.painted("2", line)).collect();
        self.text(&text.join("\n"))
    }

    /// Rows in columns as wide as their widest cell.
    pub(super) fn table<const N: usize>(&mut self, rows: &[[String; N]]) -> io::Result<()> {
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..N).filter_map(width).collect();
        for row in rows {
            let cells = row.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            self.text(&cells.join("  "))?;
        }
        Ok(())
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_nothing_ends_in_spaces() {
        let mut out = Vec::new();
        let mut paper = Paper::plain(&mut out);
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        paper.title("People").unwrap();
        paper
            .table(&[row("Bjørn", "sent"), row("Al", "kept"), row("Grace", "")])
            .unwrap();
        drop(paper);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "\n1. People\n\n   Bjørn  sent\n   Al     kept\n   Grace\n"
        );
    }
}
