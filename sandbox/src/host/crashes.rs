//! How often a handler may crash before the host gives up (`HttpFunctionInvocationDispatcher` in
//! Azure/azure-functions-host).

use jiff::{SignedDuration, Timestamp};

const ALLOWED: usize = 2;
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(30);

/// When the handler crashed; a pause of more than half an hour wipes the slate.
#[derive(Debug, Default)]
pub(super) struct Crashes {
    count: usize,
    last: Option<Timestamp>,
}

impl Crashes {
    /// Counts one more crash; true for the third in a row.
    pub(super) fn is_too_many(&mut self, now: Timestamp) -> bool {
        if self
            .last
            .is_some_and(|last| now.duration_since(last) > FORGOTTEN_AFTER)
        {
            self.count = 0;
        }
        self.count += 1;
        self.last = Some(now);
        self.count > ALLOWED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_crash_without_a_long_pause_is_one_too_many() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let mut crashes = Crashes::default();
        let given_up: Vec<bool> = [0, 20, 51, 80, 100]
            .map(|minute| crashes.is_too_many(at(minute)))
            .to_vec();
        assert_eq!(given_up, [false, false, false, false, true]);
    }
}
