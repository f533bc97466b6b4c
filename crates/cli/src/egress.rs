//! Egress rules as they are typed: `GET,POST https://api.example.com:8443/v1`.

use client::EgressRule;

use crate::failure::Failure;

const READING: [&str; 2] = ["GET", "HEAD"];

pub(crate) fn rule(text: &str) -> Result<EgressRule, Failure> {
    let wrong = || {
        Failure::usage(format!("`{text}`: expected a rule such as 'GET,POST https://api.example.com/v1'."))
    };
    let (methods, address) = text.trim().split_once(' ').unwrap_or(("", text.trim()));
    let (scheme, rest) = address.trim().split_once("://").ok_or_else(wrong)?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an address of the newer kind stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().map_err(|_| wrong())?)),
        _ => (authority, None),
    };
    if host.is_empty() || !matches!(scheme, "https" | "http") {
        return Err(wrong());
    }
    let methods = methods.split(',').map(|method| method.trim().to_ascii_uppercase());
    Ok(EgressRule {
        methods: methods.filter(|method| !method.is_empty()).collect(),
        host: host.to_owned(),
        path: (!path.is_empty()).then(|| path.to_owned()),
        scheme: Some(scheme.to_owned()),
        port,
    })
}

pub(crate) fn shown(rule: &EgressRule) -> String {
    let (methods, scheme, host, port, path) = parts(rule);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    format!("{} {scheme}://{host}{port}{path}", methods.join(","))
}

/// Whether two lists say the same, whatever is left out.
pub(crate) fn same(one: &[EgressRule], other: &[EgressRule]) -> bool {
    one.iter().map(parts).eq(other.iter().map(parts))
}

fn parts(rule: &EgressRule) -> (Vec<&str>, &str, &str, Option<u16>, &str) {
    let methods = match rule.methods.as_slice() {
        [] => READING.to_vec(),
        methods => methods.iter().map(String::as_str).collect(),
    };
    let scheme = rule.scheme.as_deref().unwrap_or("https");
    (methods, scheme, &rule.host, rule.port, rule.path.as_deref().unwrap_or("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_as_it_is_shown() {
        for (typed, told) in [
            ("https://a.example", "GET,HEAD https://a.example/"),
            ("get,Post https://*.a.example:8443/v1", "GET,POST https://*.a.example:8443/v1"),
            ("PUT http://[::1]:80/x", "PUT http://[::1]:80/x"),
            ("https://[::1]/", "GET,HEAD https://[::1]/"),
        ] {
            let read = rule(typed).ok().unwrap();
            assert_eq!(shown(&read), told);
            assert!(same(&[read], &[rule(told).ok().unwrap()]), "{typed}");
        }
        for wrong in ["", "a.example", "GET a.example", "ftp://a.example", "https://", "https://a:b/", "GET"]
        {
            assert!(rule(wrong).is_err(), "{wrong}");
        }
    }
}
