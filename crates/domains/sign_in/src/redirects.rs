//! Where a sign-in may return to: a path of our own, or an address that the operator listed. Everything else that a link
//! could smuggle in – schemes, other hosts, what browsers read as hosts – is refused (CWE-601).

/// Checks return addresses.
#[derive(Clone, Debug)]
pub(crate) struct Redirects {
    /// Without trailing slash.
    bases: Vec<String>,
}

const LONGEST: usize = 2048;

impl Redirects {
    pub(crate) fn new(public_url: &str, listed: &[String]) -> Self {
        let own = std::iter::once(public_url).chain(listed.iter().map(String::as_str));
        Self { bases: own.map(|base| base.trim_end_matches('/').to_owned()).collect() }
    }

    /// Whether a browser may be sent there.
    pub(crate) fn allows(&self, target: &str) -> bool {
        // Printable ASCII only: browsers drop tabs and line breaks, and read `\` as `/`.
        let clean = target.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte));
        if !clean || target.len() > LONGEST {
            return false;
        }
        if let Some(rest) = target.strip_prefix('/') {
            return !rest.starts_with('/');
        }
        let below = |base: &String| {
            let rest = target.strip_prefix(base.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        };
        // A user part would move the host: `https://papers.example@evil.example`.
        self.bases.iter().any(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects() -> Redirects {
        Redirects::new("https://papers.example", &["https://intranet.example/start/".to_owned()])
    }

    #[test]
    fn own_paths_and_listed_addresses_are_allowed() {
        for allowed in [
            "/",
            "/console/",
            "/console/agents?status=active#top",
            "https://papers.example",
            "https://papers.example/console/",
            "https://papers.example?x=1",
            "https://intranet.example/start",
            "https://intranet.example/start/page",
            "/console/%2F%2Fevil.example",
        ] {
            assert!(redirects().allows(allowed), "{allowed}");
        }
    }

    /// What public lists of open-redirect payloads try.
    #[test]
    fn nothing_of_an_open_redirect_list_passes() {
        for payload in OPEN_REDIRECTS.lines().filter(|line| !line.is_empty()) {
            let payload = payload.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r");
            assert!(!redirects().allows(&payload), "{payload:?}");
        }
        assert!(!redirects().allows(&format!("/{}", "x".repeat(LONGEST))));
    }

    const OPEN_REDIRECTS: &str = include_str!("redirects/payloads.txt");
}
