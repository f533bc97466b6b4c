//! The list of a package's files, as indexes give it: JSON (PEP 691) or HTML (PEP 503). Wheels with a SHA-256 only: what is
//! built from source would run its author's code, and what has no hash cannot be locked.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Name;

pub(crate) const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A wheel as the index describes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wheel {
    pub(crate) filename: String,
    /// Hexadecimal.
    pub(crate) sha256: String,
    pub(crate) size: Option<u64>,
    pub(crate) requires_python: Option<String>,
    /// Its metadata stands beside it (PEP 714), with this SHA-256 where one is named.
    pub(crate) metadata: Option<Option<String>>,
    /// `true`, `false`, or the reason.
    pub(crate) yanked: Value,
}

#[derive(Deserialize)]
struct Page {
    files: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Value,
    size: Option<u64>,
    requires_python: Option<String>,
    #[serde(default)]
    core_metadata: Value,
    #[serde(default)]
    dist_info_metadata: Value,
    #[serde(default)]
    yanked: Value,
}

impl Wheel {
    /// For the jail: under another address, and nothing besides that a resolver needs.
    pub(crate) fn told(&self, url: &str) -> Value {
        let mut file = json!({
            "filename": self.filename,
            "url": url,
            "hashes": { "sha256": self.sha256 },
            "yanked": self.yanked,
        });
        if let Some(size) = self.size {
            file["size"] = size.into();
        }
        if let Some(python) = &self.requires_python {
            file["requires-python"] = python.as_str().into();
        }
        match &self.metadata {
            Some(Some(sha256)) => file["core-metadata"] = json!({ "sha256": sha256 }),
            Some(None) => file["core-metadata"] = true.into(),
            None => {}
        }
        file
    }
}

pub(crate) fn render(name: &Name, files: Vec<Value>) -> String {
    json!({ "meta": { "api-version": "1.0" }, "name": name.as_str(), "files": files }).to_string()
}

/// Each wheel with its address, which may be relative to the page.
pub(crate) fn read_json(body: &[u8]) -> Result<Vec<(Wheel, String)>, String> {
    let page: Page =
        serde_json::from_slice(body).map_err(|error| format!("the index answers no list: {error}"))?;
    Ok(page.files.into_iter().filter_map(of_json).collect())
}

fn of_json(file: File) -> Option<(Wheel, String)> {
    let hash = |value: &Value| value.get("sha256")?.as_str().and_then(digest);
    let metadata = if file.core_metadata.is_null() { file.dist_info_metadata } else { file.core_metadata };
    let wheel = Wheel {
        sha256: hash(&file.hashes)?,
        size: file.size,
        requires_python: file.requires_python,
        metadata: match metadata {
            Value::Bool(true) => Some(None),
            Value::Object(_) => Some(hash(&metadata)),
            _ => None,
        },
        yanked: if file.yanked.is_string() { file.yanked } else { Value::Bool(file.yanked == true) },
        filename: file.filename,
    };
    is_wheel(&wheel.filename).then_some((wheel, file.url))
}

/// Anchors of a page; the hash stands in the fragment of each address.
pub(crate) fn read_html(body: &str) -> Vec<(Wheel, String)> {
    body.split("<a").skip(1).filter_map(of_anchor).collect()
}

fn of_anchor(text: &str) -> Option<(Wheel, String)> {
    let text = text.split("</a").next()?;
    let (attributes, filename) = split_tag(text)?;
    let address = attribute(attributes, "href")?;
    let (url, fragment) = address.split_once('#')?;
    let sha256 = digest(fragment.split('&').find_map(|part| part.strip_prefix("sha256="))?)?;
    let metadata = attribute(attributes, "data-core-metadata");
    let metadata = metadata.or_else(|| attribute(attributes, "data-dist-info-metadata"));
    let wheel = Wheel {
        filename: unescape(filename.trim()),
        sha256,
        size: None,
        requires_python: attribute(attributes, "data-requires-python"),
        metadata: metadata.map(|said| said.strip_prefix("sha256=").and_then(digest)),
        yanked: Value::Bool(attributes.contains("data-yanked")),
    };
    is_wheel(&wheel.filename).then(|| (wheel, url.to_owned()))
}

/// The attributes, and what stands after the tag. A `>` within quotes does not end it.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let end = text.find(|one: char| match quote {
        Some(open) => {
            if one == open {
                quote = None;
            }
            false
        }
        None if one == '"' || one == '\'' => {
            quote = Some(one);
            false
        }
        None => one == '>',
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let after = attributes.split_once(&format!("{name}="))?.1;
    let quote = after.chars().next().filter(|one| *one == '"' || *one == '\'')?;
    let value = after.get(1..)?.split(quote).next()?;
    Some(unescape(value))
}

fn unescape(text: &str) -> String {
    text.replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn digest(text: &str) -> Option<String> {
    let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| text.to_ascii_lowercase())
}

/// `name-version(-build)?-python-abi-platform.whl`, in letters that need no quoting anywhere.
pub(crate) fn is_wheel(filename: &str) -> bool {
    let Some(stem) = filename.strip_suffix(".whl") else { return false };
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"._+!-".contains(&byte);
    filename.len() <= 250 && stem.bytes().all(is_one) && (5..=6).contains(&stem.split('-').count())
}

/// An address of a page, as a browser would follow it.
pub(crate) fn resolve(base: &str, address: &str) -> Option<String> {
    let address = address.split('#').next()?;
    if address.starts_with("https://") || address.starts_with("http://") {
        return Some(address.to_owned());
    }
    let (scheme, rest) = base.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if let Some(address) = address.strip_prefix("//") {
        return Some(format!("{scheme}://{address}"));
    }
    if address.starts_with('/') {
        return Some(format!("{scheme}://{host}{address}"));
    }
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    for part in address.split('/') {
        match part {
            "." => {}
            ".." => drop(folders.pop()),
            part => folders.push(part),
        }
    }
    Some(format!("{scheme}://{host}/{}", folders.join("/")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn both_forms_of_a_page_say_the_same() {
        let json = json!({ "files": [
            { "filename": "x-1-py3-none-any.whl", "url": "../../f/x-1-py3-none-any.whl", "hashes": { "sha256": HASH },
              "requires-python": ">=3.8", "core-metadata": { "sha256": HASH }, "yanked": false },
            { "filename": "x-1.tar.gz", "url": "x-1.tar.gz", "hashes": { "sha256": HASH } },
            { "filename": "x-2-py3-none-any.whl", "url": "x-2-py3-none-any.whl", "hashes": {} },
        ] });
        let html = format!(
            "<!DOCTYPE html><html><body><a href=\"../../f/x-1-py3-none-any.whl#sha256={HASH}\" \
             data-requires-python=\"&gt;=3.8\" data-core-metadata='sha256={HASH}'>x-1-py3-none-any.whl</a><br>\
             <a href=\"x-1.tar.gz#sha256={HASH}\">x-1.tar.gz</a><a href=\"x-2-py3-none-any.whl\">x-2-py3-none-any.whl</a>"
        );
        let read = read_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(read, read_html(&html));
        assert_eq!((read.len(), read[0].0.requires_python.as_deref()), (1, Some(">=3.8")));
    }

    #[test]
    fn a_filename_is_a_wheels_or_it_is_left_out() {
        for good in [
            "x-1-py3-none-any.whl",
            "numpy-2.3.1-cp311-cp311-manylinux_2_28_x86_64.whl",
            "x-1-1-py3-none-any.whl",
        ] {
            assert!(is_wheel(good), "{good}");
        }
        for bad in [
            "x.whl",
            "../x-1-py3-none-any.whl",
            "x-1-py3-none-any.zip",
            "x-1-py3-no ne-any.whl",
            "a-b-c-d-e-f-g.whl",
        ] {
            assert!(!is_wheel(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_are_followed_as_a_browser_would() {
        let base = "https://index.example/simple/x/";
        for (address, leads_to) in [
            ("https://files.example/x.whl#sha256=0", "https://files.example/x.whl"),
            ("//files.example/x.whl", "https://files.example/x.whl"),
            ("/files/x.whl", "https://index.example/files/x.whl"),
            ("x.whl", "https://index.example/simple/x/x.whl"),
            ("../../files/./x.whl", "https://index.example/files/x.whl"),
            ("../../../../x.whl", "https://index.example/x.whl"),
        ] {
            assert_eq!(resolve(base, address).as_deref(), Some(leads_to));
        }
    }

    proptest! {
        #[test]
        fn any_page_is_read_without_harm(text in "[<a>=\"' #/sha256h-ref.whl]{0,200}") {
            for (wheel, address) in read_html(&text) {
                prop_assert!(is_wheel(&wheel.filename));
                let _ = resolve("https://index.example/simple/x/", &address);
            }
            let _ = read_json(text.as_bytes());
        }
    }
}
