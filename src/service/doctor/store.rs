//! Owns the checks of the batch store: that it can be used, that no journal in it is stuck and none is missing, and
//! that the templates in it work.
//!
//! To see whether it can be written and leased, an empty journal is made, leased and removed. If the process dies in
//! between, the dispatcher drops it, as it drops any journal without a plan.

use futures::StreamExt;
use futures::stream;
use jiff::{SignedDuration, Timestamp};

use super::Check;
use super::answers::unanswered;
use crate::domain::ids::{BatchNumber, Urgency};
use crate::remote::budget::Budget;
use crate::remote::journal::{StoreError, Whereabouts};
use crate::service::Parts;

/// Dispatch writes each minute while there is work; a mailbox at its daily limit rests for hours.
const IDLE: SignedDuration = SignedDuration::from_hours(24);

/// How many open journals are read, the oldest first.
const MOST_READ: usize = 100;

/// How many rows are asked for the batches they name.
const MOST_ROWS: usize = 500;

/// How many journals are looked for, the newest first.
const MOST_SOUGHT: usize = 50;

/// Calls to the store at once.
const WIDTH: usize = 8;

type Open = [(BatchNumber, Option<Timestamp>)];

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    let (lost, stored) = tokio::join!(
        in_time("store.lostBatches", budget, lost_batches(parts, budget)),
        async {
            let open = tokio::time::timeout(budget.left(), parts.store.open_journals()).await;
            let open = match open {
                Ok(Ok(open)) => open,
                Ok(Err(error)) => return vec![closed("store.readable", &error)],
                Err(_) => return vec![late("store.readable")],
            };
            let readable = Check::pass(
                "store.readable",
                format!("The store can be read; {} batches are open.", open.len()),
            );
            let (writable, journals, templates) = tokio::join!(
                in_time("store.writable", budget, writable(parts)),
                in_time("store.journals", budget, journals(parts, &open)),
                templates(parts, budget),
            );
            vec![readable, writable, journals, templates]
        },
    );
    stored.into_iter().chain([lost]).collect()
}

/// Calls to the store know no budget.
async fn in_time(id: &'static str, budget: &Budget, look: impl Future<Output = Check>) -> Check {
    let looked = tokio::time::timeout(budget.left(), look).await;
    looked.unwrap_or_else(|_| late(id))
}

fn late(id: &'static str) -> Check {
    let seen = "The batch store did not answer in time.";
    Check::not_checked(
        id,
        seen,
        "Try again; if it stays so, look at the storage account.",
    )
}

/// <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage#storage-blob-data-contributor>
fn closed(id: &'static str, error: &StoreError) -> Check {
    Check::fail(
        id,
        error.to_string(),
        "Check BATCH_STORE or AzureWebJobsStorage. Give the identity the role Storage Blob Data Contributor on the \
         storage account (a new role takes up to 10 minutes), and let the app through the account's firewall.",
    )
}

async fn writable(parts: &Parts) -> Check {
    let id = "store.writable";
    match make_and_remove(parts).await {
        Ok(()) => Check::pass(id, "A journal can be made, leased and removed."),
        Err(error) => closed(id, &error),
    }
}

async fn make_and_remove(parts: &Parts) -> Result<(), StoreError> {
    loop {
        let number = BatchNumber::from_random(parts.chance.number(), Urgency::Request);
        match parts.store.create(number).await {
            Ok(journal) => return journal.discard().await,
            Err(StoreError::Exists(_)) => {}
            Err(error) => return Err(error),
        }
    }
}

async fn journals(parts: &Parts, open: &Open) -> Check {
    let id = "store.journals";
    let oldest: Vec<BatchNumber> = open
        .iter()
        .map(|(number, _)| *number)
        .take(MOST_READ)
        .collect();
    let damaged = stream::iter(oldest)
        .map(|number| async move {
            let read = parts.store.read(number).await;
            matches!(read, Err(StoreError::Unreadable { .. })).then_some(number)
        })
        .buffered(WIDTH);
    let damaged: Vec<Option<BatchNumber>> = damaged.collect().await;
    let damaged: Vec<BatchNumber> = damaged.into_iter().flatten().collect();
    if !damaged.is_empty() {
        return Check::fail(
            id,
            format!(
                "{} open journals are damaged: {}.",
                damaged.len(),
                listed(&damaged)
            ),
            "Their batches cannot go on. Keep a copy of open/{number}.jsonl, repair or remove the line that the log \
             of function-dispatch names, and invite again whoever got no letter.",
        );
    }
    idle(id, open, parts.clock.now())
}

fn idle(id: &'static str, open: &Open, now: Timestamp) -> Check {
    let is_idle = |written: &Timestamp| now.duration_since(*written) > IDLE;
    let idle: Vec<(Timestamp, BatchNumber)> = open
        .iter()
        .filter_map(|(number, written)| Some((written.filter(is_idle)?, *number)))
        .collect();
    let Some((since, _)) = idle.iter().min() else {
        return Check::pass(id, "No batch is stuck.");
    };
    let numbers: Vec<BatchNumber> = idle.iter().map(|(_, number)| *number).collect();
    Check::warn(
        id,
        format!(
            "{} open batches have not moved for a day, the longest since {since}: {}.",
            idle.len(),
            listed(&numbers)
        ),
        "Check that function-dispatch runs each minute (DISPATCH_SCHEDULE, and the function is not disabled), and \
         read what its log says of these batches.",
    )
}

/// Looks at them as they are now: whoever just wrote one wants to know of it, and has it used from here on.
async fn templates(parts: &Parts, budget: &Budget) -> Check {
    let id = "store.templates";
    let in_use = match parts.templates.as_stored(budget).await {
        Ok(in_use) => in_use,
        Err(error) => {
            return Check::not_checked(id, error.to_string(), "See what store.readable says.");
        }
    };
    let (used, refused) = (in_use.used.len(), in_use.refused.len());
    let seen =
        format!("Templates of the store in use instead of, or beside, packaged ones: {used}.");
    if refused == 0 {
        return Check::pass(id, seen);
    }
    let words: Vec<String> = in_use.refused.iter().map(ToString::to_string).collect();
    Check::warn(
        id,
        format!("Refused: {refused}. {}. {seen}", words.join("; ")),
        "Correct each file and write it to the store again, or remove it; as long as it is refused, the packaged one \
         is used. docs/LETTERS.md says what a template must hold.",
    )
}

/// A row names its batch; the journal is kept for as long as the settings say.
async fn lost_batches(parts: &Parts, budget: &Budget) -> Check {
    let id = "store.lostBatches";
    let keep = SignedDuration::try_from(parts.policy.keep).unwrap_or(SignedDuration::ZERO);
    let since = parts
        .clock
        .now()
        .checked_sub(keep)
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let numbers = parts
        .dataverse
        .newest_batches(since, MOST_ROWS, budget)
        .await;
    let numbers: Vec<BatchNumber> = match numbers {
        Ok(numbers) => numbers.into_iter().take(MOST_SOUGHT).collect(),
        Err(error) => return unanswered(id, &error, "prvReadadx_invitation"),
    };
    let count = numbers.len();
    let mut places = stream::iter(numbers)
        .map(|number| async move { (number, parts.store.whereabouts(number).await) })
        .buffered(WIDTH);
    let mut lost = Vec::new();
    while let Some((number, place)) = places.next().await {
        match place {
            Ok(Whereabouts::Nowhere) => lost.push(number),
            Ok(_) => {}
            Err(error) => {
                return Check::not_checked(id, error.to_string(), "See what store.readable says.");
            }
        }
    }
    if lost.is_empty() {
        return Check::pass(
            id,
            format!("The journals of the newest {count} batches are there."),
        );
    }
    Check::warn(
        id,
        format!(
            "{} of the newest {count} batches that invitations name have no journal here: {}.",
            lost.len(),
            listed(&lost)
        ),
        "Either another deployment made them, which is fine, or this one had another store before: point BATCH_STORE \
         or AzureWebJobsStorage back to it. Without the journal their letters are not finished.",
    )
}

/// The first few, and that there are more.
fn listed(numbers: &[BatchNumber]) -> String {
    const SHOWN: usize = 5;
    let mut words: Vec<String> = numbers
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if numbers.len() > SHOWN {
        words.push("and more".to_owned());
    }
    words.join(", ")
}
