//! `<data>/admin.sock` (0600): who may open it – same user, checked by the kernel's word on the peer – may have an owner
//! link made. The only thing that a running server does for the machine's own administrator.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::{House, StartError};

const REQUEST: &str = "link";

fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.sock")
}

/// Asks the server that holds this data directory for a link; `None` if none runs there.
pub async fn ask_for_link(data_dir: &Path) -> io::Result<Option<String>> {
    let mut stream = match UnixStream::connect(socket(data_dir)).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    stream.write_all(format!("{REQUEST}\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).await?;
    match answer.trim().split_once(' ') {
        Some(("ok", url)) => Ok(Some(url.to_owned())),
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
    let mut lines = BufReader::new(reader.take(64)).lines();
    let line = tokio::time::timeout(Duration::from_secs(5), lines.next_line()).await;
    let text = match (line, same_user) {
        (_, false) => "refused: only the user that runs the server may ask\n".to_owned(),
        (Ok(Ok(Some(line))), true) if line == REQUEST => match house.people.make_link().await {
            Ok(link) => format!("ok {}\n", link.url.reveal()),
            Err(error) => format!("failed: {error}\n"),
        },
        _ => "refused: unknown request\n".to_owned(),
    };
    if let Err(error) = writer.write_all(text.as_bytes()).await {
        tracing::debug!(%error, "the administrator hung up");
    }
}
