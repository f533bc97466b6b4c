//! A server that answers each request as a test says, and may hang up instead.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use safeconduct_client::{Client, ClientBuilder};

pub(crate) enum Answer {
    /// Status, further headers, body.
    Http(u16, &'static str, String),
    /// Further headers and the beginning of a body that says to have so many bytes; then the connection ends.
    Short(&'static str, String, usize),
    /// The connection ends before an answer.
    HangUp,
    /// Headers and some of a stream, then the connection ends in the middle of it.
    Cut(String),
    /// A whole stream, ended in order.
    Stream(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

pub(crate) struct Scripted {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let of = |line: &'_ String| line.to_lowercase().starts_with(&format!("{name}:"));
        self.headers.iter().find(|line| of(line)).map(|line| line[name.len() + 1..].trim())
    }
}

impl Scripted {
    /// `answer` gets the number of the request, from 0, and the request.
    pub(crate) fn new(answer: impl Fn(usize, &Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = seen.clone();
        // Ends with the test process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                let number = all.lock().unwrap().len();
                all.lock().unwrap().push(request.clone());
                write(&mut stream, &answer(number, &request));
            }
        });
        Self { url, seen }
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(&self.url)
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let line = lines.remove(0);
    let mut request = Request { line, headers: lines, body: String::new() };
    let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request.body = String::from_utf8(body).unwrap();
    request
}

fn write(stream: &mut TcpStream, answer: &Answer) {
    const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n";
    let text = match answer {
        Answer::Http(status, headers, body) => {
            let length = body.len();
            format!(
                "HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
            )
        }
        Answer::Short(headers, body, length) => {
            format!("HTTP/1.1 200 X\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        }
        Answer::HangUp => return,
        Answer::Cut(part) => {
            format!("{STREAM}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{part}\r\n", part.len())
        }
        Answer::Stream(whole) => {
            format!("{STREAM}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{whole}\r\n0\r\n\r\n", whole.len())
        }
    };
    // The client may have gone.
    let _ = stream.write_all(text.as_bytes());
}

pub(crate) fn ok(body: &str) -> Answer {
    Answer::Http(200, "", body.to_owned())
}

pub(crate) fn problem(status: u16, headers: &'static str, code: &str) -> Answer {
    Answer::Http(
        status,
        headers,
        format!(r#"{{"code": "{code}", "title": "T", "detail": "D", "status": {status}}}"#),
    )
}
