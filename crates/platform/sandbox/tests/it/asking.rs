//! What a call asks the host for: CALL and REPLY, also from code that keeps to nothing.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use safeconduct_sandbox::{HostCall, HostReply, LogLine, Outcome, Outside, Report, Sandbox};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use types::Secret;

use crate::fixture::{answer, call, failure, limits, sandbox, zygote};

/// Answers with what was asked; counts, and says when it was dropped.
#[derive(Default)]
struct Echo {
    asked: AtomicUsize,
    /// Never answers.
    silent: bool,
    dropped: CancellationToken,
    body: usize,
}

impl Outside for Echo {
    fn ask(&self, asked: HostCall) -> Pin<Box<dyn Future<Output = HostReply> + Send>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (silent, guard, more) = (self.silent, self.dropped.clone().drop_guard(), self.body);
        Box::pin(async move {
            if silent {
                std::future::pending::<()>().await;
            }
            guard.disarm();
            let head: Value = serde_json::from_slice(&asked.head).unwrap_or_default();
            let said = json!({"status": 200, "url": head["url"], "headers": [["X-Service", asked.service.to_string()]]});
            let body = [asked.body, vec![b'x'; more]].concat();
            HostReply { head: serde_json::to_vec(&said).unwrap(), body }
        })
    }
}

async fn asking(sandbox: &Sandbox, code: &str, echo: &Arc<Echo>) -> (Report, Vec<LogLine>) {
    let (mut call, mut lines) = call(zygote(code), limits());
    call.outside = Some(echo.clone());
    let secrets = [("KEY", "correct horse \"battery\""), ("PIN", "1234")];
    call.context.secrets =
        BTreeMap::from(secrets.map(|(name, value)| (name.into(), Secret::new(value.into()))));
    let read = async {
        let mut seen = Vec::new();
        while let Some(line) = lines.recv().await {
            seen.push(line);
        }
        seen
    };
    let (report, lines) = tokio::join!(sandbox.call(call), read);
    (report.unwrap(), lines)
}

async fn outcome(sandbox: &Sandbox, code: &str, echo: &Arc<Echo>) -> Outcome {
    asking(sandbox, code, echo).await.0.outcome
}

fn broke(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Crashed { reason } if reason.starts_with("the call broke the protocol"))
}

#[tokio::test]
async fn a_question_is_answered_by_the_host() {
    let (sandbox, echo) = (sandbox(), Arc::default());
    let code = "def handler(i, c):
    r = c.http.post('https://a.example/x', params={'q': 'a b'}, json={'a': 1}, headers={'X-A': 'b'})
    return [r.status, r.url, r.headers['x-service'], r.json(), r.ok]
";
    let answered = answer(outcome(&sandbox, code, &echo).await);
    assert_eq!(answered, json!([200, "https://a.example/x?q=a+b", "1", {"a": 1}, true]));
}

#[tokio::test]
async fn threads_take_turns_and_each_gets_its_own_answer() {
    let (sandbox, echo) = (sandbox(), Arc::default());
    let code = "from concurrent.futures import ThreadPoolExecutor
def handler(i, c):
    def one(n):
        return c.http.post('https://a.example/', data=str(n)).text == str(n)
    with ThreadPoolExecutor(16) as pool:
        return all(pool.map(one, range(1000)))
";
    assert_eq!(answer(outcome(&sandbox, code, &echo).await), true);
    assert_eq!(echo.asked.load(Ordering::Relaxed), 1000);
}

#[tokio::test]
async fn large_bodies_pass_both_ways_and_larger_ones_are_refused() {
    let (sandbox, echo) = (sandbox(), Arc::new(Echo { body: 4 << 20, ..Echo::default() }));
    let code = "def handler(i, c):
    return len(c.http.post('https://a.example/', data=b'y' * (4 << 20)).content)
";
    assert_eq!(answer(outcome(&sandbox, code, &echo).await), 8 << 20);
    let code = code.replace("4 << 20", "9 << 20");
    assert_eq!(failure(outcome(&sandbox, &code, &echo).await).kind, "ValueError");
    assert_eq!(echo.asked.load(Ordering::Relaxed), 1);
    // Past the runner's own bound.
    let past = "import os, struct
def handler(i, c):
    os.write(3, struct.pack('>IB', 9 << 20, 7) + bytes(1000))
    return 'no'
";
    assert!(broke(&outcome(&sandbox, past, &echo).await));
}

#[tokio::test]
async fn hostile_questions_end_that_call_only() {
    let (sandbox, echo) = (sandbox(), Arc::default());
    let ask = |number: u32, times: usize| {
        format!("(struct.pack('>IB', 11, 7) + struct.pack('>IBI', {number}, 1, 2) + b'{{}}') * {times}")
    };
    for bytes in [
        // A head longer than its frame, no head at all, a length beyond all limits.
        "struct.pack('>IB', 9, 7) + struct.pack('>IBI', 1, 1, 0xffffffff)".to_owned(),
        "struct.pack('>IB', 3, 7) + b'abc'".to_owned(),
        "struct.pack('>IB', 0x7fffffff, 7)".to_owned(),
        // A REPLY is the host's word.
        "struct.pack('>IB', 8, 8) + bytes(8)".to_owned(),
        // Thousands at once, replies never read.
        ask(1, 5000),
    ] {
        let code = format!(
            "import os, struct, time\ndef handler(i, c):\n    os.write(3, {bytes})\n    while True: time.sleep(60)\n"
        );
        let ended = outcome(&sandbox, &code, &echo).await;
        assert!(broke(&ended), "{bytes}: {ended:?}");
    }
    assert!(echo.asked.load(Ordering::Relaxed) < 10, "one at a time is answered, the rest is not even begun");
    assert_eq!(answer(outcome(&sandbox, "def handler(i, c):\n    return 'next'\n", &echo).await), "next");
}

#[tokio::test]
async fn a_reply_that_is_never_read_holds_up_nothing_else() {
    let (sandbox, echo) = (sandbox(), Arc::new(Echo { body: 8 << 20, ..Echo::default() }));
    let code = "import os, struct
def handler(i, c):
    os.write(3, struct.pack('>IB', 11, 7) + struct.pack('>IBI', 1, 1, 2) + b'{}')
    for n in range(200): print('line', n)
    return 'done'
";
    let (report, lines) = asking(&sandbox, code, &echo).await;
    assert_eq!(answer(report.outcome), "done");
    assert_eq!(lines.len(), 200);
}

#[tokio::test]
async fn a_forked_process_cannot_ask_and_one_past_the_runner_breaks_the_protocol() {
    let (sandbox, echo) = (sandbox(), Arc::default());
    let polite = "import os
def handler(i, c):
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            c.http.get('https://a.example/')
            os.write(writer, b'asked')
        except Exception as error:
            os.write(writer, type(error).__name__.encode())
        os._exit(0)
    return os.read(reader, 100).decode()
";
    assert_eq!(answer(outcome(&sandbox, polite, &echo).await), "RuntimeError");
    assert_eq!(echo.asked.load(Ordering::Relaxed), 0);
    let rude = "import ctypes, os, struct, time
def handler(i, c):
    ask = struct.pack('>IB', 11, 7) + struct.pack('>IBI', 9, 1, 2) + b'{}'
    libc = ctypes.CDLL(None)
    for n in range(4):
        if libc.syscall(57 if os.uname().machine != 'aarch64' else 220, 17, 0, 0, 0, 0) == 0:
            os.write(3, ask * 50)
            os._exit(0)
    while True: time.sleep(60)
";
    assert!(broke(&outcome(&sandbox, rude, &echo).await));
}

#[tokio::test]
async fn a_question_ends_with_its_call() {
    let echo = Arc::new(Echo { silent: true, ..Echo::default() });
    let (sandbox, code) = (sandbox(), "def handler(i, c):\n    c.http.get('https://a.example/')\n");
    let (mut call, _lines) = call(zygote(code), limits());
    call.outside = Some(echo.clone());
    let cancel = call.cancel.clone();
    let asked = async {
        while echo.asked.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (report, ()) = tokio::join!(sandbox.call(call), asked);
    assert_eq!(report.unwrap().outcome, Outcome::Cancelled);
    assert!(echo.dropped.is_cancelled(), "the request was dropped with the run");
}

#[tokio::test]
async fn without_anybody_to_ask_a_question_breaks_the_protocol() {
    let code = "def handler(i, c):\n    c.http.get('https://a.example/')\n";
    assert!(broke(&crate::fixture::outcome(&sandbox(), code).await));
}

#[tokio::test]
async fn secrets_of_a_call_are_in_no_line_error_progress_or_answer() {
    let (sandbox, echo) = (sandbox(), Arc::default());
    let code = "import base64, os, sys
def handler(i, c):
    key = c.secrets['KEY']
    print('printed', key)
    print('warned', key, file=sys.stderr)
    os.write(1, ('raw ' + key).encode())
    c.log('logged ' + key, field={'deep': [key]})
    c.log(base64.b64encode(key.encode()).decode())
    c.progress(0.5, key)
    return {'key': key, 'pin': c.secrets['PIN'], 'length': len(key)}
";
    let (report, lines) = asking(&sandbox, code, &echo).await;
    let answered = answer(report.outcome);
    assert_eq!(answered, json!({"key": "[secret KEY]", "pin": "1234", "length": 23}));
    let told = format!("{lines:?}");
    assert!(!told.contains("battery") && !told.contains("Y29ycmVjdC"), "{told}");
    assert_eq!(told.matches("[secret KEY]").count(), 6, "{told}");
    let code = "def handler(i, c):\n    raise ValueError('with ' + c.secrets['KEY'])\n";
    let failed = failure(outcome(&sandbox, code, &echo).await);
    assert_eq!(failed.message, "with [secret KEY]");
    assert!(!failed.traceback.unwrap().contains("battery"));
}
