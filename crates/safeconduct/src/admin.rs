//! `<data>/admin.sock` (0600): who may open it – same user, checked by the kernel's word on the peer – may have an owner
//! link made and a signing key imported. All that a running server does for the machine's own administrator.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::{House, StartError};

/// A request is one line: a path of the file system is the longest part.
const LONGEST: u64 = 8 * 1024;

/// What the machine's administrator may ask of a running server.
#[derive(Debug, PartialEq, Eq)]
pub enum Errand {
    /// An owner link; answers its address.
    Link,
    /// The operator's own signing key, read from this file by the server; without an organization the home one's.
    ImportKey { org: Option<String>, file: PathBuf },
}

impl Errand {
    fn to_line(&self) -> String {
        match self {
            Self::Link => "link\n".to_owned(),
            Self::ImportKey { org, file } => {
                format!("import-key {} {}\n", org.as_deref().unwrap_or("-"), file.display())
            }
        }
    }

    fn of_line(line: &str) -> Option<Self> {
        match line.split_once(' ') {
            None => (line == "link").then_some(Self::Link),
            Some(("import-key", rest)) => {
                let (org, file) = rest.split_once(' ')?;
                let org = (org != "-").then(|| org.to_owned());
                Some(Self::ImportKey { org, file: file.into() })
            }
            Some(_) => None,
        }
    }
}

fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.sock")
}

/// Asks the server that holds this data directory; `None` if none runs there.
pub async fn ask(data_dir: &Path, errand: &Errand) -> io::Result<Option<String>> {
    let mut stream = match UnixStream::connect(socket(data_dir)).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let line = errand.to_line();
    // A line break in a path would be read as the end of the request.
    if Errand::of_line(line.trim_end_matches('\n')).as_ref() != Some(errand) || line.lines().count() != 1 {
        return Err(io::Error::other("this path cannot be sent to the server; give the file a plain name"));
    }
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).await?;
    match answer.trim().split_once(' ') {
        Some(("ok", said)) => Ok(Some(said.to_owned())),
        _ => Err(io::Error::other(answer.trim().to_owned())),
    }
}

pub(crate) fn start(house: &House) -> Result<(), StartError> {
    let path = socket(&house.config.data.dir);
    let io = |error| StartError::Io { path: path.display().to_string(), error };
    // The lock is ours, so a socket that lies here belongs to a server that is gone.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(io)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(io)?;
    let house = house.clone();
    let tasks = house.tasks.clone();
    tasks.spawn("admin socket", move |stop| async move {
        loop {
            tokio::select! {
                () = stop.requested() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => answer(&house, stream).await,
                    Err(error) => tracing::warn!(%error, "the admin socket could not accept"),
                },
            }
        }
        // Gone already is as good.
        let _ = std::fs::remove_file(&path);
    });
    Ok(())
}

async fn answer(house: &House, stream: UnixStream) {
    let same_user = stream.peer_cred().is_ok_and(|peer| {
        let ours = rustix::process::geteuid().as_raw();
        peer.uid() == ours || peer.uid() == 0
    });
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader.take(LONGEST)).lines();
    let line = tokio::time::timeout(Duration::from_secs(5), lines.next_line()).await;
    let text = match (line, same_user) {
        (_, false) => "refused: only the user that runs the server may ask\n".to_owned(),
        (Ok(Ok(Some(line))), true) => match Errand::of_line(&line) {
            Some(errand) => run(house, errand).await,
            None => "refused: unknown request\n".to_owned(),
        },
        _ => "refused: no request came\n".to_owned(),
    };
    if let Err(error) = writer.write_all(text.as_bytes()).await {
        tracing::debug!(%error, "the administrator hung up");
    }
}

async fn run(house: &House, errand: Errand) -> String {
    let outcome = match errand {
        Errand::Link => match house.people.make_link().await {
            Ok(link) => Ok(link.url.reveal().clone()),
            Err(error) => Err(error.to_string()),
        },
        Errand::ImportKey { org, file } => {
            house.import_signing_key(org.as_deref(), &file).await.map_err(|error| error.to_string())
        }
    };
    match outcome {
        Ok(said) => format!("ok {said}\n"),
        Err(error) => format!("failed: {error}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errands_are_one_line_and_read_back() {
        let import = |org: Option<&str>, file: &str| Errand::ImportKey {
            org: org.map(str::to_owned),
            file: file.into(),
        };
        for errand in [Errand::Link, import(None, "/etc/a key.pem"), import(Some("acme"), "/k")] {
            let line = errand.to_line();
            assert_eq!(Errand::of_line(line.trim_end_matches('\n')), Some(errand));
        }
        for other in ["", "links", "link x", "import-key", "import-key -", "delete / x"] {
            assert_eq!(Errand::of_line(other), None, "{other:?}");
        }
    }
}
