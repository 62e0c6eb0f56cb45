//! The chapters of the table: each stages what it measures, and gives its rows.

pub(crate) mod bulk;
pub(crate) mod ceiling;
pub(crate) mod lists;
pub(crate) mod load;
pub(crate) mod one;
pub(crate) mod size;
pub(crate) mod start;
pub(crate) mod sweep;

/// Milliseconds of processor time a piece of work.
fn each(time: std::time::Duration, count: usize) -> f64 {
    crate::clock::milliseconds(time) / as_figure(count)
}

/// A count as a figure; all of ours are far below the 2^53 up to which that is exact.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn as_figure(count: usize) -> f64 {
    count as f64
}

/// The middle one.
fn median(mut figures: Vec<f64>) -> f64 {
    quantile(&mut figures, 50)
}

/// The figure below which so many of a hundred lie.
///
/// # Panics
/// If there are no figures.
fn quantile(figures: &mut [f64], percent: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    let place = (figures.len() * percent / 100).min(figures.len() - 1);
    figures[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_figures_that_were_seen() {
        let figures = || (1..=200).rev().map(f64::from).collect::<Vec<_>>();
        let seen = [
            median(figures()),
            quantile(&mut figures(), 99),
            quantile(&mut [7.0], 99),
        ];
        assert_eq!(seen.map(|figure| figure.to_string()), ["101", "199", "7"]);
    }
}
