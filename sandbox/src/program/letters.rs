//! Shows what the mailboxes sent: each letter becomes an HTML file and one line on the terminal.

use std::{fs, path::PathBuf, time::Duration};

use crate::Graph;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The letters of every mailbox, in the order in which they were sent.
pub(super) struct Letters {
    graph: Graph,
    folder: PathBuf,
}

impl Letters {
    /// Letters go to this folder, which is created.
    pub(super) fn new(graph: Graph, folder: PathBuf) -> std::io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { graph, folder })
    }

    /// Writes and tells of each new letter; ends only when a file cannot be written.
    pub(super) async fn show(&self) -> std::io::Result<()> {
        let mut shown = 0;
        loop {
            for letter in self.graph.letters().iter().skip(shown) {
                shown += 1;
                let file = self.folder.join(format!("{shown:04}.html"));
                fs::write(&file, &letter.html)?;
                let to = letter.to.join(", ");
                let file = file.display();
                super::say(&format!("Letter to {to}: {}\n  {file}", letter.subject));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
