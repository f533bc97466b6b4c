//! Letters through a real mail server: plain, by STARTTLS, by TLS, with login; and without one, into files.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use safeconduct_mail::{Letter, MailError, Post, Relay, Route, Security};
use testing::{MailSink, Protection};
use types::{Secret, World};

fn letter() -> Letter {
    Letter::new("Your sign-in code")
        .text("Grüße & <welcome>.")
        .code("123456")
        .link("https://papers.example/x#y")
}

fn relay(sink: &MailSink, security: Security, ca_file: Option<PathBuf>) -> Relay {
    Relay {
        // The certificate names it.
        host: "localhost".into(),
        port: sink.port,
        security,
        username: None,
        password: None,
        from: "papers@example.com".into(),
        ca_file,
    }
}

fn post(relay: Relay) -> Post {
    let post = Post::new(&Route::Relay(relay), World::system()).expect("a route");
    let carrier = post.clone();
    telemetry::spawn("post", async move { carrier.carry(std::future::pending()).await });
    post
}

#[tokio::test]
async fn a_letter_arrives_in_both_forms() {
    let sink = MailSink::start();
    let post = post(relay(&sink, Security::None, None));
    post.send("ada@example.com", letter()).unwrap();
    let came = sink.letter("ada@example.com", 1).await;
    assert_eq!((came.from.as_str(), came.subject.as_str()), ("papers@example.com", "Your sign-in code"));
    assert_eq!(came.text.trim_end().replace("\r\n", "\n"), letter().plain().trim_end());
    assert_eq!(came.html.trim_end().replace("\r\n", "\n"), letter().html().trim_end());
    assert!(came.auto_submitted);
}

#[tokio::test]
async fn tls_is_required_and_its_certificate_checked() {
    for (protection, security) in
        [(Protection::StartTls, Security::StartTls), (Protection::Tls, Security::Tls)]
    {
        let sink = MailSink::speaking(protection);
        let trusting = post(relay(&sink, security, Some(sink.certificate())));
        trusting.test().await.unwrap();
        trusting.send("ada@example.com", letter()).unwrap();
        assert_eq!(sink.letter("ada@example.com", 1).await.subject, "Your sign-in code");
        let strange = post(relay(&sink, security, None)).test().await;
        assert!(matches!(strange, Err(MailError::Relay(_))), "{protection:?}: {strange:?}");
    }
    // A relay that offers no TLS – or whose offer somebody took out – gets nothing.
    let plain = MailSink::start();
    let strict = post(relay(&plain, Security::StartTls, None)).test().await;
    assert!(matches!(strict, Err(MailError::Relay(_))), "{strict:?}");
}

#[tokio::test]
async fn the_login_is_used_and_a_wrong_one_is_told() {
    let sink = MailSink::speaking(Protection::StartTls);
    let with = |password: &str| Relay {
        username: Some("papers".into()),
        password: Some(Secret::new(password.to_owned())),
        ..relay(&sink, Security::StartTls, Some(sink.certificate()))
    };
    let known = post(with("correct horse"));
    known.send("ada@example.com", letter()).unwrap();
    assert_eq!(sink.letter("ada@example.com", 1).await.login.as_deref(), Some("papers"));
    assert!(matches!(post(with("battery staple")).test().await, Err(MailError::Relay(_))));
}

#[tokio::test]
async fn what_is_no_address_gets_no_letter() {
    let sink = MailSink::start();
    let post = post(relay(&sink, Security::None, None));
    for wrong in ["", "ada", "ada@example.com\r\nBcc: eve@example.com", "ada@example.com, eve@example.com"] {
        assert!(matches!(post.send(wrong, letter()), Err(MailError::Address)), "{wrong:?}");
    }
    post.send("ada@example.com", letter()).unwrap();
    sink.letter("ada@example.com", 1).await;
    assert!(sink.letters_to("eve@example.com").is_empty());
}

#[tokio::test]
async fn without_a_relay_a_letter_is_a_private_file_and_closed_means_closed() {
    let directory = tempfile::tempdir().unwrap();
    let post = Post::new(&Route::Directory(directory.path().join("mail")), World::system()).unwrap();
    post.send("ada@example.com", letter()).unwrap();
    // Those handed in before the stop are carried.
    post.carry(std::future::ready(())).await;
    let file = std::fs::read_dir(directory.path().join("mail")).unwrap().next().unwrap().unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(
        text.starts_with("To: ada@example.com\nSubject: Your sign-in code\n\n") && text.contains("123456")
    );

    let closed = Post::new(&Route::Closed, World::system()).unwrap();
    assert!(!closed.is_open());
    assert!(matches!(closed.send("ada@example.com", letter()), Err(MailError::Closed)));
}
