//! Takes in a finished environment from a build jail: a stream of files, held to names, number and size before anything is
//! written. Only plain files and the directories above them come to be, so a link or a device cannot.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Deserialize;

const LONGEST_LINE: usize = 4096;
const LONGEST_NAME: usize = 255;
const DEEPEST: usize = 32;

/// What is said before each file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    path: Option<String>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    executable: bool,
    #[serde(default)]
    end: bool,
}

/// Why a stream was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    #[error("the build handed over what is no environment: {0}")]
    Nonsense(String),
    #[error("more than {0} bytes")]
    TooLarge(u64),
    #[error("more than {0} files")]
    TooMany(u64),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes below a directory of its own; dropped unfinished, what is there is not an environment.
pub(crate) struct Unpacker {
    root: PathBuf,
    most_bytes: u64,
    most_files: u64,
    bytes: u64,
    files: u64,
    line: Vec<u8>,
    writing: Option<Writing>,
    ended: bool,
}

struct Writing {
    file: File,
    left: u64,
}

impl Unpacker {
    /// `root` must not exist yet.
    pub(crate) fn new(root: PathBuf, most_bytes: u64, most_files: u64) -> io::Result<Self> {
        DirBuilder::new().mode(0o755).create(&root)?;
        // Whatever the umask says: code in a jail has another user.
        std::fs::set_permissions(&root, PermissionsExt::from_mode(0o755))?;
        let (bytes, files) = (0, 0);
        Ok(Self { root, most_bytes, most_files, bytes, files, line: Vec::new(), writing: None, ended: false })
    }

    pub(crate) fn push(&mut self, mut piece: &[u8]) -> Result<(), UnpackError> {
        while !piece.is_empty() {
            if self.ended {
                return Err(UnpackError::Nonsense("something after the end".into()));
            }
            piece = match &mut self.writing {
                Some(writing) => {
                    let most = usize::try_from(writing.left).unwrap_or(usize::MAX).min(piece.len());
                    let (now, later) = piece.split_at(most);
                    writing.file.write_all(now)?;
                    writing.left -= now.len() as u64;
                    if writing.left == 0 {
                        self.writing = None;
                    }
                    later
                }
                None => self.head(piece)?,
            };
        }
        Ok(())
    }

    /// Everything came, to the last file.
    pub(crate) fn finished(&self) -> bool {
        self.ended
    }

    pub(crate) fn files(&self) -> u64 {
        self.files
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn head<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], UnpackError> {
        let end = piece.iter().position(|byte| *byte == b'\n');
        let (line, rest) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
        if self.line.len() + line.len() > LONGEST_LINE {
            return Err(UnpackError::Nonsense("a path is too long".into()));
        }
        self.line.extend_from_slice(line);
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            let head =
                serde_json::from_slice(&line).map_err(|error| UnpackError::Nonsense(error.to_string()))?;
            self.begin(&head)?;
        }
        Ok(rest)
    }

    fn begin(&mut self, head: &Head) -> Result<(), UnpackError> {
        let Some(path) = &head.path else {
            self.ended = head.end;
            return if head.end {
                Ok(())
            } else {
                Err(UnpackError::Nonsense("a file without a path".into()))
            };
        };
        self.files += 1;
        if self.files > self.most_files {
            return Err(UnpackError::TooMany(self.most_files));
        }
        self.bytes = self.bytes.saturating_add(head.size);
        if self.bytes > self.most_bytes {
            return Err(UnpackError::TooLarge(self.most_bytes));
        }
        let file = self.create(path, head.executable)?;
        self.writing = (head.size > 0).then_some(Writing { file, left: head.size });
        Ok(())
    }

    fn create(&self, path: &str, executable: bool) -> Result<File, UnpackError> {
        let nonsense = || UnpackError::Nonsense(format!("the path {path:?}"));
        let parts: Vec<&str> = path.split('/').collect();
        let (name, folders) = parts.split_last().ok_or_else(nonsense)?;
        if parts.len() > DEEPEST || !parts.iter().all(|part| is_name(part)) {
            return Err(nonsense());
        }
        let mut folder = self.root.clone();
        for part in folders {
            folder.push(part);
            make_folder(&folder)?;
        }
        let at = folder.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(at)?;
        let mode = if executable { 0o755 } else { 0o644 };
        file.set_permissions(PermissionsExt::from_mode(mode))?;
        Ok(file)
    }
}

fn is_name(part: &str) -> bool {
    !part.is_empty() && part != "." && part != ".." && part.len() <= LONGEST_NAME && !part.contains('\0')
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(folder) {
        // A file of that name is an error of the next step.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Ok(()) => std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(stream: &[u8], step: usize) -> (tempfile::TempDir, Result<bool, UnpackError>) {
        let home = tempfile::tempdir().unwrap();
        let mut unpacker = Unpacker::new(home.path().join("new"), 100, 5).unwrap();
        let told = stream.chunks(step.max(1)).try_for_each(|piece| unpacker.push(piece));
        (home, told.map(|()| unpacker.finished()))
    }

    fn file(path: &str, content: &str) -> String {
        format!(
            "{}\n{content}",
            serde_json::json!({ "path": path, "size": content.len(), "executable": false })
        )
    }

    #[test]
    fn files_come_out_as_they_went_in_however_they_are_cut() {
        let stream = [
            file("a/b/c.py", "one"),
            file("a/empty", ""),
            file("d.py", "two\nlines\n"),
            "{\"end\": true}\n".into(),
        ];
        for step in [1, 2, 7, 1000] {
            let (home, told) = taken(stream.concat().as_bytes(), step);
            assert!(told.unwrap());
            let root = home.path().join("new");
            assert_eq!(std::fs::read_to_string(root.join("a/b/c.py")).unwrap(), "one");
            assert_eq!(std::fs::read_to_string(root.join("a/empty")).unwrap(), "");
            assert_eq!(std::fs::read_to_string(root.join("d.py")).unwrap(), "two\nlines\n");
            let mode = std::fs::metadata(root.join("a/b")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755);
        }
    }

    #[test]
    fn what_is_cut_off_is_not_finished() {
        let (_home, told) = taken(file("a.py", "one").as_bytes(), 1000);
        assert!(!told.unwrap());
    }

    #[test]
    fn no_path_leads_out_and_no_bound_is_passed() {
        let hostile = ["../out", "/etc/passwd", "a/../../out", "a//b", "", ".", "a/.", "a/\0b"];
        for path in hostile.map(str::to_owned).into_iter().chain(["x/".repeat(40) + "y", "n".repeat(256)]) {
            let (home, told) = taken(file(&path, "x").as_bytes(), 1000);
            assert!(matches!(told, Err(UnpackError::Nonsense(_))), "{path}");
            assert!(!home.path().join("out").exists());
        }
        let many: String = (0..6).map(|number| file(&format!("f{number}"), "")).collect();
        assert!(matches!(taken(many.as_bytes(), 1000).1, Err(UnpackError::TooMany(5))));
        assert!(matches!(
            taken(file("big", &"x".repeat(101)).as_bytes(), 1000).1,
            Err(UnpackError::TooLarge(100))
        ));
        let huge = b"{\"path\": \"a\", \"size\": 18446744073709551615}\n{\"path\": \"b\", \"size\": 9}\n";
        assert!(matches!(taken(huge, 1000).1, Err(UnpackError::TooLarge(100))));
        let twice = [file("a", "1"), file("a", "2")].concat();
        assert!(matches!(taken(twice.as_bytes(), 1000).1, Err(UnpackError::Io(_))));
        let below_a_file = [file("a", "1"), file("a/b", "2")].concat();
        assert!(matches!(taken(below_a_file.as_bytes(), 1000).1, Err(UnpackError::Io(_))));
        assert!(matches!(taken(b"{\"end\": true}\nx", 1000).1, Err(UnpackError::Nonsense(_))));
        assert!(matches!(taken(&[b'x'; 5000], 1000).1, Err(UnpackError::Nonsense(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), step in 1usize..50) {
            drop(taken(&bytes, step));
        }
    }
}
