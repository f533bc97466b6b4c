//! Signing in by way of a browser: on this machine (authorization code with PKCE on a loopback address, RFC 8252), or on any
//! other (device grant, RFC 8628).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::{Client, PersonTokens};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::desk::Desk;
use crate::failure::Failure;

/// As long as anybody looks for their password.
const PATIENCE: Duration = Duration::from_secs(600);
/// What a browser sends to say where it goes; more is not from one.
const LONGEST: usize = 16 * 1024;

/// Opens the browser of this machine and waits until it comes back with a code.
pub(crate) async fn on_this_machine(
    desk: &mut Desk<'_>,
    client: &Client,
    open: bool,
) -> Result<PersonTokens, Failure> {
    let listen = TcpListener::bind(("127.0.0.1", 0)).await;
    let local = |error| Failure::Local { what: "the loopback address".to_owned(), error };
    let listener = listen.map_err(local)?;
    let redirect_uri = format!("http://{}/callback", listener.local_addr().map_err(local)?);
    let verifier = crypto::base62::encode(&desk.world.bytes::<32>());
    let challenge = URL_SAFE_NO_PAD.encode(crypto::hash::sha256(verifier.as_bytes()));
    let state = crypto::base62::encode(&desk.world.bytes::<16>());
    let url = client.auth().authorize_url(&redirect_uri, &challenge, &state)?;
    desk.screen.note("Sign in and confirm in your browser. If none opens, go to:")?;
    desk.screen.note(&format!("  {url}"))?;
    if open {
        open_browser(&url);
    }
    let code = match tokio::time::timeout(PATIENCE, wait_for_code(&listener, &state)).await {
        Ok(code) => code?,
        Err(_) => return Err(Failure::usage("Nobody came back from the browser within ten minutes.")),
    };
    Ok(client.auth().exchange_code(&code, &verifier, &redirect_uri).await?)
}

/// Shows a code to type at any browser, and asks until it was.
pub(crate) async fn elsewhere(desk: &mut Desk<'_>, client: &Client) -> Result<PersonTokens, Failure> {
    let device = client.auth().begin_device().await?;
    desk.screen.note(&format!("Go to   {}", device.verification_uri))?;
    desk.screen.note(&format!("Enter   {}", device.user_code))?;
    let mut pause = Duration::from_secs(device.interval.max(1));
    loop {
        tokio::time::sleep(pause).await;
        let error = match client.auth().device_tokens(&device.device_code).await {
            Ok(tokens) => return Ok(tokens),
            Err(error) => error,
        };
        match error.code() {
            "authorization_pending" => {}
            // RFC 8628 §3.5.
            "slow_down" => pause += Duration::from_secs(5),
            _ if error.is_passing() => {}
            _ => return Err(error.into()),
        }
    }
}

/// The browser may ask for other things first, such as an icon; what does not know our state is turned away.
async fn wait_for_code(listener: &TcpListener, state: &str) -> Result<String, Failure> {
    loop {
        let accepted = listener.accept().await;
        let (mut stream, _) =
            accepted.map_err(|error| Failure::Local { what: "the loopback address".to_owned(), error })?;
        let target = tokio::time::timeout(Duration::from_secs(10), target_of(&mut stream)).await;
        let code = target.ok().flatten().and_then(|target| code_of(&target, state));
        let (status, page) = match &code {
            Some(_) => ("200 OK", "You are signed in. This page can be closed."),
            None => ("404 Not Found", "Nothing lives here."),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
            page.len()
        );
        // A browser that is gone already misses nothing.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        if let Some(code) = code {
            return Ok(code);
        }
    }
}

/// Path and query of one GET.
async fn target_of(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut part = [0; 2048];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&part[..read]);
        if head.len() > LONGEST {
            return None;
        }
    }
    let line = String::from_utf8_lossy(&head);
    let mut words = line.lines().next()?.split(' ');
    (words.next() == Some("GET")).then(|| words.next().map(str::to_owned))?
}

fn code_of(target: &str, state: &str) -> Option<String> {
    let query = target.strip_prefix("/callback?")?;
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    };
    let same = crypto::eq(value("state")?.as_bytes(), state.as_bytes());
    // Both are made of letters and digits, so nothing in them is escaped.
    value("code").filter(|code| same && code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whoever has none follows the address that was shown.
fn open_browser(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = std::process::Command::new(program);
    let quiet = std::process::Stdio::null;
    let _ = command.arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_our_own_question_counts() {
        assert_eq!(code_of("/callback?code=abc&state=xyz&iss=http%3A%2F%2Fa", "xyz").as_deref(), Some("abc"));
        for target in [
            "/callback?code=abc&state=other",
            "/callback?code=abc",
            "/callback?state=xyz",
            "/callback?code=a%62c&state=xyz",
            "/favicon.ico",
            "/other?code=abc&state=xyz",
        ] {
            assert_eq!(code_of(target, "xyz"), None, "{target}");
        }
    }
}
