//! What a command ends with, for programs.

/// Every exit code and its meaning; the help and the reference print this table.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "the server refused; the problem and its code stand on stderr"),
    (
        2,
        "the command line, or what it names, is wrong; of `config plan` and `config drift`: something differs",
    ),
    (3, "the server cannot be reached, or did not answer in time"),
    (4, "evidence does not hold: something is not what was recorded"),
    (5, "the run ended without success"),
    (6, "a file or the terminal could not be read or written"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Refused = 1,
    Usage = 2,
    Unreachable = 3,
    NotVerified = 4,
    RunFailed = 5,
    Local = 6,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// For the end of `--help`.
pub fn exit_codes() -> String {
    let lines: Vec<String> =
        EXIT_CODES.iter().map(|(code, meaning)| format!("  {code}  {meaning}")).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete() {
        let codes: Vec<u8> = EXIT_CODES.iter().map(|(code, _)| *code).collect();
        let all = [
            Exit::Done,
            Exit::Refused,
            Exit::Usage,
            Exit::Unreachable,
            Exit::NotVerified,
            Exit::RunFailed,
            Exit::Local,
        ];
        assert_eq!(codes, all.map(|exit| exit as u8));
    }
}
