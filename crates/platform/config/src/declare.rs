//! Turns the table of settings into the typed structs, the list of keys and the function that fills them.

use crate::Environment;
use crate::value::Bounds;

/// One line of the table.
pub struct Key {
    /// `section.key`.
    pub name: &'static str,
    pub meaning: &'static str,
    /// Secrets may come as `…_FILE` and are masked.
    pub secret: bool,
    pub(crate) default: Preset,
    pub(crate) bounds: Bounds,
    /// Reads the text as the key's type; answers how `explain` shows it.
    pub(crate) check: fn(&str, Bounds) -> Result<String, String>,
}

/// What a key is worth when no source names it. The empty text means "not set".
pub(crate) enum Preset {
    Text(&'static str),
    Of(fn(&Environment) -> Option<String>),
}

impl Key {
    /// `SAFECONDUCT_<SECTION>__<KEY>`.
    pub fn variable(&self) -> String {
        format!("{}{}", crate::environment::PREFIX, self.name.to_ascii_uppercase().replace('.', "__"))
    }

    /// What stands in the table, where it does not depend on the machine.
    pub fn default_text(&self) -> Option<&'static str> {
        match self.default {
            Preset::Text(text) => Some(text),
            Preset::Of(_) => None,
        }
    }
}

/// `field as "key": Type = default, "meaning", [min, max];` – the key is the field's name where none is given.
macro_rules! settings {
    (
        mode = $mode_default:literal, $mode_meaning:literal;
        $($section:ident: $Section:ident, $section_meaning:literal {
            $($field:ident $(as $key:literal)?: $kind:ty = $preset:expr, $meaning:literal $(, [$min:literal, $max:literal])?;)+
        })+
    ) => {
        /// All settings of the server.
        pub struct Config {
            pub mode: Mode,
            $(pub $section: $Section,)+
            /// What the operator's own files may name.
            pub environment: Environment,
            pub(crate) explained: Vec<Explained>,
        }

        $(
            #[doc = $section_meaning]
            pub struct $Section {
                $(#[doc = $meaning] pub $field: $kind,)+
            }
        )+

        /// Every key that the file, the environment and flags may name.
        pub static KEYS: &[Key] = &[
            key::<Mode>("mode", $mode_meaning, Preset::Text($mode_default), None),
            $($(key::<$kind>(
                settings!(@name $section $field $($key)?), $meaning, $preset, settings!(@bounds $($min, $max)?)
            ),)+)+
        ];

        /// Fills the structs from texts that were all checked before.
        pub(crate) fn build(layers: &Layers) -> Result<Config, ConfigError> {
            Ok(Config {
                mode: layers.value("mode", None)?,
                $($section: $Section {
                    $($field: layers.value(
                        settings!(@name $section $field $($key)?), settings!(@bounds $($min, $max)?)
                    )?,)+
                },)+
                environment: Environment::default(),
                explained: layers.explained(),
            })
        }
    };
    (@name $section:ident $field:ident $key:literal) => { concat!(stringify!($section), ".", $key) };
    (@name $section:ident $field:ident) => { concat!(stringify!($section), ".", stringify!($field)) };
    (@bounds $min:literal, $max:literal) => { Some(($min, $max)) };
    (@bounds) => { None };
}
pub(crate) use settings;
