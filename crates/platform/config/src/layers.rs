//! Lays the sources over each other: flags over environment over file over defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::declare::{Key, Preset};
use crate::environment::{OF_THE_CLIENT, PREFIX};
use crate::value::{Bounds, Setting};
use crate::{ConfigError, Environment, Explained, Fault, KEYS, Source};

/// Where settings are read from.
#[derive(Clone, Default)]
pub struct Sources {
    /// `--config`. A file that is named must exist.
    pub file: Option<PathBuf>,
    pub environment: Environment,
    /// `(key, value)` as given on the command line, such as `("server.listen", "127.0.0.1:0")`.
    pub flags: Vec<(String, String)>,
}

/// For each key the text that counts.
pub(crate) struct Layers(BTreeMap<&'static str, Text>);

struct Text {
    source: Source,
    text: String,
    shown: String,
}

/// Gathers the texts of all sources; all faults are reported together.
pub(crate) fn resolve(sources: &Sources) -> Result<Layers, ConfigError> {
    let mut faults = Vec::new();
    let mut texts: BTreeMap<&'static str, (Source, String)> = BTreeMap::new();
    for (source, key, text) in defaults(&sources.environment)
        .into_iter()
        .chain(of_file(sources, &mut faults))
        .chain(of_environment(&sources.environment, &mut faults))
        .chain(of_flags(&sources.flags, &mut faults))
    {
        texts.insert(key.name, (source, text));
    }
    let mut layers = BTreeMap::new();
    for key in KEYS {
        let (source, text) = texts.remove(key.name).unwrap_or((Source::Default, String::new()));
        match (key.check)(&text, key.bounds) {
            Ok(shown) => drop(layers.insert(key.name, Text { source, text, shown })),
            Err(reason) => {
                faults.push(Fault::BadValue { key: key.name.to_owned(), place: source.to_string(), reason });
            }
        }
    }
    ConfigError::unless_empty(faults).map(|()| Layers(layers))
}

impl Layers {
    pub(crate) fn value<T: Setting>(&self, key: &'static str, bounds: Bounds) -> Result<T, ConfigError> {
        let text = self.0.get(key).map_or("", |found| &found.text);
        let fault = |reason| Fault::BadValue { key: key.to_owned(), place: "table".to_owned(), reason };
        T::read(text, bounds).map_err(|reason| ConfigError { faults: vec![fault(reason)] })
    }

    pub(crate) fn explained(&self) -> Vec<Explained> {
        let explain = |key: &Key| {
            let found = self.0.get(key.name)?;
            let (source, value) = (found.source.clone(), found.shown.clone());
            Some(Explained { key: key.name, meaning: key.meaning, source, value })
        };
        KEYS.iter().filter_map(explain).collect()
    }
}

type Found = (Source, &'static Key, String);

fn defaults(environment: &Environment) -> Vec<Found> {
    let default = |key: &'static Key| match key.default {
        Preset::Text(text) => text.to_owned(),
        Preset::Of(default) => default(environment).unwrap_or_default(),
    };
    KEYS.iter().map(|key| (Source::Default, key, default(key))).collect()
}

fn of_file(sources: &Sources, faults: &mut Vec<Fault>) -> Vec<Found> {
    let Some(path) = &sources.file else { return Vec::new() };
    let path_text = path.display().to_string();
    let table = std::fs::read_to_string(path)
        .map_err(|error| error.to_string())
        .and_then(|text| text.parse::<toml::Table>().map_err(|error| error.to_string()));
    let table = match table {
        Ok(table) => table,
        Err(reason) => {
            faults.push(Fault::File { path: path_text, reason });
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for (name, value) in flatten(table) {
        match (key_of(&name), text_of(&value)) {
            (Some(key), Ok(text)) => found.push((Source::File(path_text.clone()), key, text)),
            (Some(_), Err(reason)) => {
                faults.push(Fault::BadValue { key: name, place: path_text.clone(), reason })
            }
            (None, _) => faults.push(unknown(name, &path_text)),
        }
    }
    found
}

fn of_environment(environment: &Environment, faults: &mut Vec<Fault>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (variable, value) in environment.ours().filter(|(name, _)| !OF_THE_CLIENT.contains(name)) {
        let source = Source::Variable(variable.to_owned());
        if let Some(key) = key_of_variable(variable) {
            found.push((source, key, value.to_owned()));
        } else if let Some(key) =
            variable.strip_suffix("_FILE").and_then(key_of_variable).filter(|key| key.secret)
        {
            let place = source.to_string();
            if environment.get(&key.variable()).is_some() {
                let reason = format!("{} is set as well; keep one of them", key.variable());
                faults.push(Fault::BadValue { key: key.name.to_owned(), place, reason });
                continue;
            }
            match std::fs::read_to_string(value) {
                Ok(secret) => {
                    found.push((
                        Source::SecretFile(place),
                        key,
                        secret.trim_end_matches(['\r', '\n']).to_owned(),
                    ));
                }
                Err(error) => {
                    let reason = format!("{value} cannot be read: {error}");
                    faults.push(Fault::BadValue { key: key.name.to_owned(), place, reason });
                }
            }
        } else {
            let name = variable.trim_start_matches(PREFIX).to_ascii_lowercase().replace("__", ".");
            faults.push(unknown(name, variable));
        }
    }
    found
}

fn of_flags(flags: &[(String, String)], faults: &mut Vec<Fault>) -> Vec<Found> {
    let mut found = Vec::new();
    for (name, value) in flags {
        match key_of(name) {
            Some(key) => found.push((Source::Flag, key, value.clone())),
            None => faults.push(unknown(name.clone(), "flag")),
        }
    }
    found
}

fn key_of(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

fn key_of_variable(variable: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.variable() == variable)
}

fn unknown(key: String, place: &str) -> Fault {
    let near = nearest(&key).map(str::to_owned);
    Fault::UnknownKey { key, place: place.to_owned(), near }
}

/// The key that was probably meant: a part left out, or some letters wrong.
fn nearest(key: &str) -> Option<&'static str> {
    let in_part = |known: &&Key| known.name.starts_with(key) || known.name.ends_with(&format!(".{key}"));
    if let Some(known) = KEYS.iter().find(in_part).filter(|_| !key.is_empty()) {
        return Some(known.name);
    }
    let by_letters =
        KEYS.iter().map(|known| (strsim::damerau_levenshtein(known.name, key), known.name)).min();
    by_letters.filter(|(distance, _)| *distance <= 2.max(1 + key.len() / 5)).map(|(_, name)| name)
}

/// `[server] listen = …` as `server.listen`; deeper tables stay values and are refused as such.
fn flatten(table: toml::Table) -> Vec<(String, toml::Value)> {
    let mut flat = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(section) => {
                flat.extend(section.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            value => flat.push((name, value)),
        }
    }
    flat
}

fn text_of(value: &toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        toml::Value::Array(items) => Ok(items.iter().map(text_of).collect::<Result<Vec<_>, _>>()?.join(",")),
        toml::Value::Float(_) => Err("expected a whole number or a text, not a fraction".to_owned()),
        toml::Value::Datetime(_) => Err("expected a text; put the value in quotation marks".to_owned()),
        toml::Value::Table(_) => Err("expected a value, not a table".to_owned()),
    }
}
