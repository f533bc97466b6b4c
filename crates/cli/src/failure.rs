//! How a command fails: what happened, the request to ask about, and the next step.

use std::io;

use client::Error;
use serde_json::json;

use crate::exit::Exit;

pub(crate) enum Failure {
    /// The server's refusal, or a reason of the client library.
    Refused(Error),
    /// The command line, or what it names, is wrong. The text says what to write instead.
    Usage(String),
    /// No profile is signed in to the server.
    /// `command` is what would sign in.
    NotSignedIn { url: String, command: &'static str },
    /// Evidence does not hold.
    NotVerified(String),
    /// A run ended without success; its error was shown already.
    RunFailed { title: String, lines: Vec<String> },
    /// Said already; only the exit code is left to give.
    Quietly(Exit),
    /// Something on this machine.
    Local { what: String, error: io::Error },
    /// Whoever read our output has gone, or the disk behind it is full.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) fn file(path: &std::path::Path, error: io::Error) -> Self {
        Self::Local { what: path.display().to_string(), error }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Refused(error) if error.is_unreachable() => Exit::Unreachable,
            Self::Refused(error) if matches!(error.code(), "invalid_url" | "plain_http" | "invalid_key") => {
                Exit::Usage
            }
            Self::Refused(_) | Self::NotSignedIn { .. } => Exit::Refused,
            Self::Usage(_) => Exit::Usage,
            Self::Quietly(exit) => *exit,
            Self::NotVerified(_) => Exit::NotVerified,
            Self::RunFailed { .. } => Exit::RunFailed,
            // `… | head` is no failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Local { .. } | Self::Output(_) => Exit::Local,
        }
    }

    /// Whether nobody needs to hear of it.
    pub(crate) fn is_silent(&self) -> bool {
        match self {
            Self::Quietly(_) => true,
            Self::Output(error) => error.kind() == io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }

    /// The lines for people, first the title; the next step where one is known.
    pub(crate) fn lines(&self) -> (String, Vec<String>, Option<String>) {
        match self {
            Self::Refused(error) => of_refusal(error),
            Self::Usage(text) => (text.clone(), Vec::new(), None),
            Self::NotSignedIn { url, command } => {
                let next = format!(
                    "safeconduct {command} --link LINK   (the server printed one; another: safeconduct admin link)"
                );
                (format!("Nobody is signed in to {url}"), Vec::new(), Some(next))
            }
            Self::Quietly(_) => (String::new(), Vec::new(), None),
            Self::NotVerified(text) => (format!("Not verified: {text}"), Vec::new(), None),
            Self::RunFailed { title, lines } => (title.clone(), lines.clone(), None),
            Self::Local { what, error } => (format!("{what}: {error}"), Vec::new(), None),
            Self::Output(error) => (format!("The output could not be written: {error}"), Vec::new(), None),
        }
    }

    /// For programs that asked for JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        let code = match self {
            Self::Refused(error) => return serde_json::to_value(error).unwrap_or_default(),
            Self::Usage(_) => "usage",
            Self::NotSignedIn { .. } => "not_signed_in",
            Self::NotVerified(_) => "not_verified",
            Self::Quietly(_) => "refused",
            Self::RunFailed { .. } => "run_failed",
            Self::Local { .. } | Self::Output(_) => "local",
        };
        let (title, _, next) = self.lines();
        json!({ "code": code, "title": title, "detail": next })
    }
}

fn of_refusal(error: &Error) -> (String, Vec<String>, Option<String>) {
    let mut lines = Vec::new();
    // Where nothing more is to be said, the detail is the title again.
    if !error.detail().is_empty() && error.detail().trim_end_matches('.') != error.title() {
        lines.push(error.detail().to_owned());
    }
    lines.extend(error.errors().iter().map(|one| format!("{}: {}", one.field, one.reason)));
    // The detail speaks of permissions named; here they are.
    if let Some(missing) = error.member("missing").and_then(serde_json::Value::as_array) {
        let named: Vec<&str> = missing.iter().filter_map(serde_json::Value::as_str).collect();
        lines.push(format!("missing: {}", named.join(", ")));
    }
    // Where a document is wrong: every place; the detail names only the first.
    for member in ["findings", "conflicts"] {
        let told = error.member(member).and_then(serde_json::Value::as_array);
        let places = told.into_iter().flatten().map(place);
        lines.extend(places.filter(|place| !error.detail().contains(place.as_str())));
    }
    if let Some(id) = error.request_id() {
        lines.push(format!("request {id}"));
    }
    (format!("{} ({})", error.title(), error.code()), lines, next_step(error).map(str::to_owned))
}

/// A finding of a document, or a thing of another file.
fn place(finding: &serde_json::Value) -> String {
    let text = |name: &str| finding[name].as_str().unwrap_or_default();
    if let Some(manager) = finding["managed_by"].as_str() {
        return format!("{}/{} comes from {manager}", text("section"), text("key"));
    }
    match (finding["line"].as_u64(), text("path").is_empty()) {
        (Some(line), true) => format!("line {line}: {}", text("message")),
        (Some(line), false) => format!("line {line}, {}: {}", text("path"), text("message")),
        (None, _) => format!("{}: {}", text("path"), text("message")),
    }
}

/// What a person at a terminal does next; the server's detail does not know our commands.
fn next_step(error: &Error) -> Option<&'static str> {
    Some(match error.code() {
        "unauthenticated" | "invalid_token" | "not_signed_in" => {
            "safeconduct login --link LINK   (or another token: safeconduct token issue)"
        }
        "permission_denied" | "authority_exceeded" => "safeconduct permissions me   (shows what you hold)",
        "unreachable" => "start it with `safeconduct serve`, or name another with --url",
        "timed_out" => "look at what became of it before you repeat the command",
        "plain_http" => "use https://, or add --allow-plain-http",
        "already_created" => "safeconduct credentials list AGENT   (then rotate it to get a new secret)",
        "invalid_client" => "safeconduct credentials list AGENT   (shows which are usable)",
        _ => return None,
    })
}
