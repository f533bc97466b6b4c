//! Median, spread and percentiles.

use crate::row::whole;

/// Several measurements of the same thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// `median (lowest – highest)` in whole numbers.
    pub(crate) fn text(&self) -> String {
        self.text_with(whole)
    }

    pub(crate) fn text_with(&self, form: impl Fn(f64) -> String) -> String {
        match (self.0.first(), self.0.last()) {
            (Some(lowest), Some(highest)) if self.0.len() > 1 => {
                format!("{} ({} – {})", form(self.median()), form(*lowest), form(*highest))
            }
            _ => form(self.median()),
        }
    }
}

/// Times that single acts took, in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    micros: Vec<f64>,
    sorted: bool,
}

impl Times {
    pub(crate) fn add(&mut self, took: std::time::Duration) {
        self.micros.push(took.as_secs_f64() * 1e6);
        self.sorted = false;
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.micros.extend(other.micros);
        self.sorted = false;
    }

    pub(crate) fn len(&self) -> usize {
        self.micros.len()
    }

    /// The largest distance of the two cumulative distributions (Kolmogorov and Smirnov): 0 if equal, 1 if apart.
    pub(crate) fn distance(&mut self, other: &mut Self) -> f64 {
        let (left, right) = (self.in_order().to_vec(), other.in_order());
        let share = |of: &[f64], value: f64| of.partition_point(|one| *one <= value) as f64 / of.len() as f64;
        let values = left.iter().chain(right.iter());
        values.map(|value| (share(&left, *value) - share(right, *value)).abs()).fold(0.0, f64::max)
    }

    fn in_order(&mut self) -> &[f64] {
        if !self.sorted {
            self.micros.sort_by(f64::total_cmp);
            self.sorted = true;
        }
        &self.micros
    }

    /// The time that this share of the acts, in per cent, did not exceed.
    pub(crate) fn percentile(&mut self, share: f64) -> f64 {
        let micros = self.in_order();
        let last = micros.len().saturating_sub(1) as f64;
        micros.get((last * share / 100.0).round() as usize).copied().unwrap_or(f64::NAN)
    }
}

pub(crate) fn millis(micros: f64) -> String {
    format!("{:.2} ms", micros / 1000.0)
}
