//! Where the key-encryption key comes from: a 0600 file made at the first start, or a value of the configuration.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crypto::envelope::KeyEncryptionKey;
use types::{Secret, World};

use crate::SecretsError;

pub enum KeySource {
    File(PathBuf),
    /// From the environment or the configuration file: 64 hexadecimal characters.
    Value(Secret<String>),
}

impl KeySource {
    /// The key. A missing file is made only when nothing was ever sealed.
    pub(crate) fn load(&self, world: &World, sealed_before: bool) -> Result<KeyEncryptionKey, SecretsError> {
        let path = match self {
            Self::Value(text) => return parse(text.reveal(), "the configured key"),
            Self::File(path) => path,
        };
        match OpenOptions::new().read(true).open(path) {
            Ok(file) => read(file, path),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io(path, error)),
            Err(_) if sealed_before => Err(SecretsError::MissingFile(path.clone())),
            Err(_) => create(path, world),
        }
    }
}

fn read(mut file: File, path: &Path) -> Result<KeyEncryptionKey, SecretsError> {
    let mode = file.metadata().map_err(|error| io(path, error))?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretsError::Readable { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    let text = Secret::new(text);
    read.map_err(|error| io(path, error))?;
    parse(text.reveal(), &path.display().to_string())
}

/// Written whole beside its place and then linked there: a crash leaves no half key, and two processes that start at
/// once end up with the same one.
fn create(path: &Path, world: &World) -> Result<KeyEncryptionKey, SecretsError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).map_err(|error| io(directory, error))?;
    let (key, bytes) = KeyEncryptionKey::generate(world);
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", hex::encode(world.bytes::<8>())));
    let draft = PathBuf::from(draft);
    let text = Secret::new(format!("{}\n", hex::encode(bytes.reveal())));
    let written = write(&draft, text.reveal()).and_then(|()| std::fs::hard_link(&draft, path));
    // The draft has served its end whether the link was made or not.
    let _ = std::fs::remove_file(&draft);
    match written {
        Ok(()) => {
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(|error| io(directory, error))?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read(File::open(path).map_err(|error| io(path, error))?, path)
        }
        Err(error) => Err(io(path, error)),
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn parse(text: &str, place: &str) -> Result<KeyEncryptionKey, SecretsError> {
    let mut bytes = [0; 32];
    let decoded = hex::decode_to_slice(text.trim(), &mut bytes);
    let bytes = Secret::new(bytes);
    decoded.map_err(|_| SecretsError::Malformed(place.to_owned()))?;
    Ok(KeyEncryptionKey::from_bytes(bytes.reveal()))
}

fn io(path: &Path, error: std::io::Error) -> SecretsError {
    SecretsError::Io { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/key");
        (directory, path)
    }

    #[test]
    fn makes_a_private_file_once_and_reads_it_again() {
        let (_directory, path) = file();
        let (source, world) = (KeySource::File(path.clone()), World::system());
        let made = source.load(&world, false).unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.len()), (0o600, 65));
        assert_eq!(source.load(&world, true).unwrap().id(), made.id());
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft stays behind");

        let text = std::fs::read_to_string(&path).unwrap();
        let value = KeySource::Value(Secret::new(text));
        assert_eq!(value.load(&world, true).unwrap().id(), made.id());
    }

    #[test]
    fn many_first_starts_agree_on_one_key() {
        let (_directory, path) = file();
        let ids = std::thread::scope(|scope| {
            let start = || KeySource::File(path.clone()).load(&World::system(), false).unwrap().id();
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(ids.len(), 1);
    }

    #[test]
    fn a_missing_file_beside_sealed_data_makes_no_new_key() {
        let (_directory, path) = file();
        let refused = KeySource::File(path.clone()).load(&World::system(), true);
        assert!(matches!(refused, Err(SecretsError::MissingFile(_))));
        assert!(!path.exists());
    }

    #[test]
    fn refuses_files_that_others_can_read_and_texts_that_are_no_key() {
        let (_directory, path) = file();
        let (source, world) = (KeySource::File(path.clone()), World::system());
        source.load(&world, false).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = source.load(&world, true);
            assert!(matches!(refused, Err(SecretsError::Readable { mode: found, .. }) if found == mode));
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64), &"0".repeat(66)] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(source.load(&world, true), Err(SecretsError::Malformed(_))), "{text:?}");
            let value = KeySource::Value(Secret::new(text.to_owned()));
            assert!(matches!(value.load(&world, true), Err(SecretsError::Malformed(_))));
        }
    }
}
