//! Owns which templates are in use: the packaged ones, with those that makers put into the batch store.
//!
//! The store is looked at when a letter is due and the last look is five minutes old; nothing runs in between. What a
//! look cannot read leaves in use what was there before. Before the first look has come to something there are no
//! letters: one in looks that nobody wants any more must not leave.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::timeout;

use crate::clock::{Clock, Mark};
use crate::letter::{LARGEST_OVERRIDE, Letters, MOST_OVERRIDES, Refused, is_template};
use crate::remote::budget::Budget;
use crate::remote::journal::{Store, StoreError, Stored};

/// How long what was seen in the store holds.
const LOOK_AGAIN: Duration = Duration::from_mins(5);

/// The store has so long to show what it holds.
const LONGEST_LOOK: Duration = Duration::from_secs(15);

/// Files that are read at once.
const WIDTH: usize = 8;

/// The templates of this deployment; one for the process.
#[derive(Debug)]
pub struct Templates {
    packaged: Arc<Letters>,
    store: Store,
    clock: Clock,
    /// Whoever looks holds it, so that others wait for what it finds.
    turn: tokio::sync::Mutex<()>,
    last: Mutex<Option<Look>>,
}

/// The templates in the store, and what each says or why it cannot be used.
type Files = BTreeMap<Stored, Result<String, Refused>>;

/// What was in the store.
#[derive(Clone, Debug)]
struct Look {
    at: Mark,
    files: Files,
    in_use: Arc<InUse>,
}

/// One set of templates; a chunk of letters is made with one.
#[derive(Debug)]
pub(super) struct InUse {
    pub(super) letters: Arc<Letters>,
    /// The files of the store that are used, by path.
    pub(super) used: Vec<String>,
    /// Those that are not.
    pub(super) refused: Vec<Refused>,
}

impl Templates {
    /// Packaged templates, and the store that others may be in; touches nothing.
    pub fn new(packaged: Letters, store: Store, clock: Clock) -> Self {
        Self {
            packaged: Arc::new(packaged),
            store,
            clock,
            turn: tokio::sync::Mutex::default(),
            last: Mutex::default(),
        }
    }

    /// Whether there is such a letter; a packaged one is known without a look.
    pub(super) async fn has(
        &self,
        language: &str,
        template: &str,
        budget: &Budget,
    ) -> Result<bool, StoreError> {
        Ok(self.packaged.has(language, template)
            || self.current(budget).await?.letters.has(language, template))
    }

    /// What is to be used now.
    ///
    /// # Errors
    ///
    /// The store's, where it has never been read.
    pub(super) async fn current(&self, budget: &Budget) -> Result<Arc<InUse>, StoreError> {
        if let Some(in_use) = self.seen_within(LOOK_AGAIN) {
            return Ok(in_use);
        }
        let error = match self.look(LOOK_AGAIN, budget).await {
            Ok(in_use) => return Ok(in_use),
            Err(error) => error,
        };
        let mut last = self.last();
        let Some(look) = &mut *last else {
            return Err(error);
        };
        tracing::warn!(%error, "the templates of the store cannot be read, those before stay");
        look.at = self.clock.mark();
        Ok(Arc::clone(&look.in_use))
    }

    /// The same for a letter that must leave whatever the store does: the packaged templates, where it was never read.
    pub(super) async fn current_or_packaged(&self, budget: &Budget) -> Arc<Letters> {
        match self.current(budget).await {
            Ok(in_use) => Arc::clone(&in_use.letters),
            Err(error) => {
                tracing::warn!(%error, "the templates of the store cannot be read, the packaged ones are used");
                Arc::clone(&self.packaged)
            }
        }
    }

    /// What is to be used, by a look at the store as it is at this moment.
    pub(super) async fn as_stored(&self, budget: &Budget) -> Result<Arc<InUse>, StoreError> {
        self.look(Duration::ZERO, budget).await
    }

    fn seen_within(&self, age: Duration) -> Option<Arc<InUse>> {
        let last = self.last();
        let look = last.as_ref()?;
        (look.at.elapsed(&self.clock) < age).then(|| Arc::clone(&look.in_use))
    }

    fn last(&self) -> MutexGuard<'_, Option<Look>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks, unless somebody did within `age`, perhaps while this waited for its turn.
    async fn look(&self, age: Duration, budget: &Budget) -> Result<Arc<InUse>, StoreError> {
        let limit = || budget.left().min(LONGEST_LOOK);
        let late = |_| failed(io::ErrorKind::TimedOut.into());
        let _turn = timeout(limit(), self.turn.lock()).await.map_err(late)?;
        if let Some(in_use) = self.seen_within(age) {
            return Ok(in_use);
        }
        let at = self.clock.mark();
        let before = self.last().clone();
        let known = before.as_ref().map(|look| &look.files);
        let files = timeout(limit(), self.files(known)).await.map_err(late)??;
        let in_use = match before {
            Some(before) if before.files == files => before.in_use,
            _ => self.put_together(&files).await?,
        };
        *self.last() = Some(Look {
            at,
            files,
            in_use: Arc::clone(&in_use),
        });
        Ok(in_use)
    }

    /// The templates in the store; those that have not changed since are not read again.
    async fn files(&self, known: Option<&Files>) -> Result<Files, StoreError> {
        let stored = self.store.templates(MOST_OVERRIDES + 1).await?;
        if stored.len() > MOST_OVERRIDES {
            let all = Stored {
                path: "templates/".to_owned(),
                version: String::new(),
                size: 0,
            };
            let reason = format!("holds more than {MOST_OVERRIDES} files, so none is used");
            let refused = Refused::whole(&all.path, reason);
            return Ok([(all, Err(refused))].into());
        }
        let templates = stored.into_iter().filter(|file| is_template(&file.path));
        let texts = stream::iter(templates).map(async |file| {
            let text = match known.and_then(|known| known.get(&file)) {
                Some(text) => Some(text.clone()),
                None => self.text(&file).await?,
            };
            Ok(text.map(|text| (file, text)))
        });
        let texts: Vec<_> = texts.buffered(WIDTH).try_collect().await?;
        Ok(texts.into_iter().flatten().collect())
    }

    /// What a file says; `None` where it went since it was listed.
    async fn text(&self, file: &Stored) -> Result<Option<Result<String, Refused>>, StoreError> {
        let refused = |reason: &str| Err(Refused::whole(&file.path, reason));
        if file.size > LARGEST_OVERRIDE {
            return Ok(Some(refused("is larger than 256 KiB")));
        }
        let bytes = self.store.template(&file.path).await?;
        Ok(bytes.map(|bytes| {
            // Some editors on Windows begin a file with a mark, which would stand in each subject.
            let text = String::from_utf8(bytes);
            text.map(|text| text.trim_start_matches('\u{feff}').to_owned())
                .or_else(|_| refused("is not text in UTF-8"))
        }))
    }

    async fn put_together(&self, files: &Files) -> Result<Arc<InUse>, StoreError> {
        let (mut overrides, mut refused) = (BTreeMap::new(), Vec::new());
        for (file, text) in files {
            match text {
                Ok(text) => drop(overrides.insert(file.path.clone(), text.clone())),
                Err(reason) => refused.push(reason.clone()),
            }
        }
        let mut used: Vec<String> = overrides.keys().cloned().collect();
        let mut letters = Arc::clone(&self.packaged);
        if !overrides.is_empty() {
            // Each is tried out, which takes a while.
            let packaged = Arc::clone(&self.packaged);
            let tried = tokio::task::spawn_blocking(move || packaged.overridden(overrides)).await;
            let (overridden, broken) = tried.map_err(|error| failed(io::Error::other(error)))?;
            letters = Arc::new(overridden);
            refused.extend(broken);
        }
        used.retain(|file| !refused.iter().any(|refused| refused.file == *file));
        tell(&used, &refused);
        Ok(Arc::new(InUse {
            letters,
            used,
            refused,
        }))
    }
}

fn failed(source: io::Error) -> StoreError {
    let action = "show its templates";
    StoreError::Io { action, source }
}

/// Said once a change.
fn tell(used: &[String], refused: &[Refused]) {
    for Refused { file, line, reason } in refused {
        tracing::warn!(file, line, reason, "a template of the store is refused");
    }
    if !used.is_empty() {
        tracing::info!(files = used.len(), "templates of the store are in use");
    }
}
