//! `safeconduct login` by way of a browser: the test plays the person at it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr};

use serde_json::json;

use super::terminal::{Said, Terminal};
use crate::support::Caller;

/// A command that waits for a person.
struct Waiting {
    child: Child,
    told: BufReader<ChildStderr>,
}

impl Waiting {
    fn start(terminal: &Terminal, words: &[&str]) -> Self {
        let mut child = terminal.command(words).spawn().expect("the program starts");
        let told = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, told }
    }

    /// The rest of the next line that has this word, from there on.
    fn read(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.told.read_line(&mut line).expect("text") > 0, "it ended without {word}");
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
    }

    fn end(self) -> Said {
        Said::of(self.child.wait_with_output().expect("an end"))
    }
}

/// The first owner at a browser.
async fn browser(terminal: &Terminal) -> Caller {
    let url = terminal.url().to_owned();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let anonymous = Caller { http, url: url.clone(), cookie: None, bearer: None, headers: Vec::new() };
    let link = terminal.link();
    let token = link.split_once('#').unwrap().1;
    let answer = anonymous.with("origin", url).post("/api/v1/auth/link", json!({ "token": token })).await;
    answer.ok(200);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    Caller { cookie: Some(cookie), ..anonymous }
}

#[tokio::test]
async fn login_waits_for_the_browser_and_keeps_the_session() {
    let terminal = Terminal::new();
    let owner = browser(&terminal).await;
    let url = terminal.url().to_owned();
    let mut login = Waiting::start(&terminal, &["login", "--no-browser", "--url", &url]);
    let address = login.read("http").replacen("://", "http://", 1);
    let target = owner.get(address.strip_prefix(&url).expect("our own address")).await;
    assert_eq!(target.status, 303);
    let query = target.header("location").split_once('?').unwrap().1.to_owned();
    let asked: std::collections::BTreeMap<String, String> = serde_urlencoded::from_str(&query).unwrap();
    let loopback = owner.http.clone();
    // Somebody else on the machine knocks first, with a code but without the state.
    let callback = &asked["redirect_uri"];
    let forged = loopback.get(format!("{callback}?code=abc&state=forged")).send().await.unwrap();
    assert_eq!(forged.status(), 404);
    let body = json!({
        "client_id": asked["client_id"],
        "redirect_uri": asked["redirect_uri"],
        "code_challenge": asked["code_challenge"],
        "state": asked["state"],
    });
    let approved = owner.post("/api/v1/auth/authorize", body).await.ok(200);
    let back = loopback.get(approved["redirect_to"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(back.status(), 200);
    assert!(login.end().ok().contains("home"));
    assert!(terminal.run(&["whoami"]).ok().contains("owner"));
    terminal.end();
}

#[tokio::test]
async fn login_device_shows_a_code_and_asks_until_it_was_typed() {
    let terminal = Terminal::new();
    let owner = browser(&terminal).await;
    let url = terminal.url().to_owned();
    let mut login = Waiting::start(&terminal, &["login", "--device", "--url", &url]);
    assert_eq!(login.read("Go to"), format!("{url}/console/device"));
    let code = login.read("Enter");
    let shown = owner.post("/api/v1/auth/device", json!({ "user_code": code })).await.ok(200);
    assert!(shown["user_agent"].as_str().unwrap().starts_with("safeconduct/"), "{shown}");
    owner.post("/api/v1/auth/device/approve", json!({ "user_code": code })).await.ok(200);
    login.end().ok();
    assert!(terminal.run(&["whoami"]).ok().contains("owner"));
    terminal.end();
}

#[tokio::test]
async fn login_device_ends_when_the_person_says_no() {
    let terminal = Terminal::new();
    let owner = browser(&terminal).await;
    let url = terminal.url().to_owned();
    let mut login = Waiting::start(&terminal, &["login", "--device", "--url", &url]);
    let code = login.read("Enter");
    owner.post("/api/v1/auth/device/deny", json!({ "user_code": code })).await.ok(200);
    let mut rest = login;
    let told = rest.read("error:");
    assert!(told.contains("refused"), "{told}");
    assert_ne!(rest.end().code, 0);
    terminal.end();
}
