//! Profiles: which server, signed in as whom, and whose record is believed. Kept in `profiles.toml` (0600) in
//! `$XDG_CONFIG_HOME/safeconduct` (0700); replaced whole, and changed only by whoever holds the lock beside it.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use config::Environment;
use serde::{Deserialize, Serialize};
use types::Timestamp;

use crate::failure::Failure;

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Profiles {
    /// Used when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) allow_plain_http: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<KeptSession>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ledger: Option<Pinned>,
}

/// A person's session. No `Debug`: it holds secrets.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeptSession {
    pub(crate) access_token: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) refresh_token: String,
    pub(crate) session: String,
    pub(crate) user: String,
    pub(crate) org: String,
}

/// Whose record is believed, since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pinned {
    /// `<name>+<key id>+<base64>`.
    pub(crate) key: String,
    pub(crate) pinned_at: Timestamp,
    /// The newest checkpoint that was seen, a signed note: what comes later must continue it.
    pub(crate) checkpoint: String,
}

/// Where profiles are kept.
#[derive(Clone)]
pub(crate) struct ProfileStore {
    dir: PathBuf,
}

/// Nobody else changes profiles while this lives.
pub(crate) struct ProfileLock {
    store: ProfileStore,
    _file: File,
}

impl ProfileStore {
    pub(crate) fn of(environment: &Environment) -> Result<Self, Failure> {
        // The XDG specification has relative paths ignored.
        let xdg = environment.get("XDG_CONFIG_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
        let base = xdg.or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".config")));
        let base = base.ok_or_else(|| {
            Failure::usage("Profiles need a home: set HOME or XDG_CONFIG_HOME, or use SAFECONDUCT_URL and SAFECONDUCT_TOKEN.")
        })?;
        Ok(Self { dir: base.join("safeconduct") })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join("profiles.toml")
    }

    /// Empty if there is no file yet.
    pub(crate) fn read(&self) -> Result<Profiles, Failure> {
        let path = self.path();
        match fs::metadata(&path) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(Failure::usage(format!(
                "Others can read {0}, which holds tokens. Take that right away: chmod 600 {0}",
                path.display()
            ))),
            Ok(_) => self.parse(&path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Profiles::default()),
            Err(error) => Err(Failure::file(&path, error)),
        }
    }

    fn parse(&self, path: &Path) -> Result<Profiles, Failure> {
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
        // The parser's own words would show the line, and with it a token.
        toml::from_str(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
            Failure::usage(format!("{} is damaged at line {at}; mend or remove it.", path.display()))
        })
    }

    /// Waits for other processes; not for async threads.
    pub(crate) fn lock(&self) -> Result<ProfileLock, Failure> {
        self.make_dir().map_err(|error| Failure::file(&self.dir, error))?;
        let path = self.dir.join("profiles.lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file =
            open.and_then(|file| file.lock().map(|()| file)).map_err(|error| Failure::file(&path, error))?;
        Ok(ProfileLock { store: self.clone(), _file: file })
    }

    fn make_dir(&self) -> std::io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        if fs::metadata(&self.dir)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&self.dir, Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
}

impl ProfileLock {
    pub(crate) fn read(&self) -> Result<Profiles, Failure> {
        self.store.read()
    }

    /// Readers find the old text or the new one, whole.
    pub(crate) fn write(&self, profiles: &Profiles) -> Result<(), Failure> {
        let path = self.store.path();
        let text = toml::to_string(profiles).map_err(|error| Failure::usage(error.to_string()))?;
        let draft = path.with_extension("new");
        let written = write_private(&draft, text.as_bytes()).and_then(|()| fs::rename(&draft, &path));
        written.map_err(|error| Failure::file(&path, error))
    }

    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Profiles) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut profiles = self.read()?;
        let answer = change(&mut profiles)?;
        self.write(&profiles)?;
        Ok(answer)
    }
}

/// A file that only its owner reads, from its first byte on.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // One that lies there already may be open to others.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(home: &Path) -> ProfileStore {
        let home = home.display().to_string();
        ProfileStore::of(&Environment::of([("HOME", home.as_str())])).ok().unwrap()
    }

    fn profiles() -> Profiles {
        let session = KeptSession {
            access_token: "access".into(),
            expires_at: Timestamp::from_millis(1_762_000_000_007),
            refresh_token: "refresh".into(),
            session: "ses_1".into(),
            user: "Owner".into(),
            org: "home".into(),
        };
        let pinned = Pinned {
            key: "log+00000000+AQ==".into(),
            pinned_at: Timestamp::from_millis(0),
            checkpoint: "log\n1\nAAAA\n\n— log AAAA\n".into(),
        };
        let profile = Profile {
            url: "http://127.0.0.1:7717".into(),
            allow_plain_http: false,
            session: Some(session),
            ledger: Some(pinned),
        };
        Profiles { current: Some("default".into()), profiles: BTreeMap::from([("default".into(), profile)]) }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_private_and_read_back() {
        let home = tempfile::tempdir().unwrap();
        let store = store(home.path());
        assert!(store.read().ok().unwrap().profiles.is_empty(), "nothing is there at first");
        store.lock().ok().unwrap().write(&profiles()).ok().unwrap();
        let dir = home.path().join(".config/safeconduct");
        assert_eq!((mode(&dir), mode(&store.path())), (0o700, 0o600));
        let read = store.read().ok().unwrap();
        assert_eq!(read.current.as_deref(), Some("default"));
        let profile = &read.profiles["default"];
        assert_eq!(profile.session.as_ref().unwrap().refresh_token, "refresh");
        assert_eq!(profile.ledger, profiles().profiles["default"].ledger);
    }

    #[test]
    fn a_directory_that_others_can_enter_is_closed() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join(".config/safeconduct");
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        store(home.path()).lock().ok().unwrap();
        assert_eq!(mode(&dir), 0o700);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let store = store(home.path());
        store.lock().ok().unwrap().write(&profiles()).ok().unwrap();
        fs::set_permissions(store.path(), Permissions::from_mode(0o640)).unwrap();
        let failure = store.read().err().unwrap();
        assert!(failure.lines().0.contains("chmod 600"), "{}", failure.lines().0);
    }

    #[test]
    fn a_damaged_file_is_named_without_its_secrets() {
        let home = tempfile::tempdir().unwrap();
        let store = store(home.path());
        store.lock().ok().unwrap().write(&profiles()).ok().unwrap();
        let text = fs::read_to_string(store.path()).unwrap();
        write_private(
            &store.path(),
            text.replace("access_token = \"access\"", "access_token = \"access").as_bytes(),
        )
        .unwrap();
        let failure = store.read().err().unwrap();
        let (title, lines, _) = failure.lines();
        assert!(title.contains("is damaged at line") && lines.is_empty(), "{title}");
        assert!(!title.contains("access"), "{title}");
    }

    #[test]
    fn xdg_comes_first_and_must_be_absolute() {
        let of = |pairs: &[(&str, &str)]| {
            ProfileStore::of(&Environment::of(pairs.iter().copied()))
                .ok()
                .map(|store| store.path().display().to_string())
        };
        let both = [("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(of(&both).as_deref(), Some("/x/safeconduct/profiles.toml"));
        let relative = [("XDG_CONFIG_HOME", "x"), ("HOME", "/h")];
        assert_eq!(of(&relative).as_deref(), Some("/h/.config/safeconduct/profiles.toml"));
        assert_eq!(of(&[]), None);
    }
}
