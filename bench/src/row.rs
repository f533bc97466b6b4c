//! The one form of every result: a Markdown row.

/// One figure as it stands in `RESULTS.md`.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) figure: String,
    pub(crate) goal: &'static str,
    pub(crate) measured: String,
    /// What the machine does without us, in the same run.
    pub(crate) floor: String,
    pub(crate) beside: String,
}

pub(crate) fn header() {
    println!("| figure | goal | measured: median (lowest – highest) | floor of the same run | beside |");
    println!("|---|---|---|---|---|");
}

impl Row {
    pub(crate) fn print(&self) {
        let Self { figure, goal, measured, floor, beside } = self;
        println!("| {figure} | {goal} | {measured} | {floor} | {beside} |");
    }
}

/// Thousands apart, as people read them.
pub(crate) fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
