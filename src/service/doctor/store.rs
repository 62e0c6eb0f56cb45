//! Owns the checks of the batch store.

use super::Check;
use crate::remote::budget::Budget;
use crate::service::Parts;

pub(super) async fn checks(parts: &Parts, _budget: &Budget) -> Vec<Check> {
    let check = match parts.store.open_numbers().await {
        Ok(open) => Check::pass("store.readable", format!("{} open batches", open.len())),
        Err(error) => Check::fail(
            "store.readable",
            error.to_string(),
            "Check BATCH_STORE, and the identity's role on the storage account.",
        ),
    };
    vec![check]
}
