//! The operator's index on the network.

use egress::{Destination, Download, Egress, Request, header};

use super::page::{JSON, read_html, read_json, resolve};
use super::{Place, Shown};
use crate::{Name, Remote};

/// Bytes of a package's page: those with very many files have some megabytes.
const LARGEST_PAGE: usize = 64 << 20;

pub(super) async fn wheels(egress: &Egress, index: &str, name: &Name) -> Result<Option<Vec<Shown>>, String> {
    let url = format!("{}/{name}/", index.trim_end_matches('/'));
    let accept = format!("{JSON}, text/html;q=0.5");
    let request = Request::get(&url).and_then(|request| request.with(header::ACCEPT, &accept));
    let request = request.map_err(|error| error.to_string())?.answered_with(LARGEST_PAGE);
    let answer = egress.call(Destination::Operator, request).await.map_err(|error| error.to_string())?;
    let found = match (answer.status, answer.media_type.as_str()) {
        (404 | 410, _) => return Ok(None),
        (200, JSON) => read_json(&answer.body)?,
        (200, "text/html" | "application/vnd.pypi.simple.v1+html") => {
            read_html(&String::from_utf8_lossy(&answer.body))
        }
        (200, other) => return Err(format!("the index answers {other:?}, no list of files")),
        (status, _) => return Err(format!("the index answers {status} for {name}")),
    };
    let shown =
        |(wheel, address): (_, String)| Some(Shown { wheel, place: Place::Web(resolve(&url, &address)?) });
    Ok(Some(found.into_iter().filter_map(shown).collect()))
}

/// A file on the index's own host, or one that the operator named, is where the operator sent us. One elsewhere is the index's
/// word alone, and has to be public.
pub(super) async fn file(
    egress: &Egress,
    index: &Remote,
    url: &str,
    largest: usize,
) -> Result<Download, String> {
    let named = |host: &str| index.file_hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    let is_named = host(index.url.as_str()) == host(url) || host(url).is_some_and(named);
    let to = if is_named { Destination::Operator } else { Destination::Tenant };
    let request = Request::get(url).map_err(|error| error.to_string())?.answered_with(largest);
    egress.download(to, request).await.map_err(|error| error.to_string())
}

fn host(url: &str) -> Option<&str> {
    url.split_once("://")?.1.split('/').next()
}
