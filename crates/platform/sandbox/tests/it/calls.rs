//! What a call gets and gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use safeconduct_sandbox::{DoorHandler, LogLevel, LogSource, OrgSlot, Outcome, SyntaxCheckError, ZygoteSpec};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use types::Secret;

use crate::fixture::{
    answer, call, failure, limits, outcome, report, sandbox, sandbox_with, settings, zygote,
};

#[tokio::test]
async fn the_handler_gets_input_and_context_and_its_answer_comes_back() {
    let sandbox = sandbox();
    let code = "
def handler(input, context):
    return {'input': input, 'context': {k: v for k, v in vars(context).items() if k not in ('log', 'progress', 'http', 'ask')}}
";
    let (mut call, _logs) = call(zygote(code), limits());
    call.input = r#"{"name":"Zoë","n":[1,2.5,null]}"#.into();
    call.context.user_email = Some("anna@example.test".into());
    call.context.access_token = Some(Secret::new("token-1".to_owned()));
    call.context.secrets.insert("DB".into(), Secret::new("s3cret".to_owned()));
    let answer = answer(sandbox.call(call).await.unwrap().outcome);
    assert_eq!(answer["input"], json!({"name": "Zoë", "n": [1, 2.5, null]}));
    let expected = json!({
        "run_id": "run_1", "execution_id": "run_1", "org_id": "", "user_id": null, "user_email": "anna@example.test",
        "agent_id": null, "trigger_type": "API", "trigger_id": null, "chat_id": null, "attempt": 1, "deadline": null,
        "api_url": "http://127.0.0.1:7717", "access_token": "token-1", "secrets": {"DB": "[secret DB]"},
    });
    assert_eq!(answer["context"], expected);
}

#[tokio::test]
async fn the_first_entry_point_that_exists_is_the_handler() {
    let sandbox = sandbox();
    let code = "def report(input, context):\n    return 'by name'\n";
    let spec = ZygoteSpec::new(OrgSlot::new(7).unwrap(), "named", code, &["handler", "report"]);
    assert_eq!(answer(report(&sandbox, spec, limits()).await.0.outcome), "by name");
    let missing = failure(outcome(&sandbox, "handler = 3\n").await);
    assert_eq!(missing.kind, "NameError");
    assert_eq!(missing.message, "the code defines no def handler(input, context)");
}

#[tokio::test]
async fn what_the_code_raises_is_told_with_its_own_frames_only() {
    let sandbox = sandbox();
    let raised = failure(outcome(&sandbox, "def handler(input, context):\n    return 1 / 0\n").await);
    assert_eq!((raised.kind.as_str(), raised.message.as_str()), ("ZeroDivisionError", "division by zero"));
    let traceback = raised.traceback.unwrap();
    assert!(traceback.contains("line 2, in handler\n    return 1 / 0"), "{traceback}");
    assert!(!traceback.contains("runner.py"), "{traceback}");
    let at_load = failure(outcome(&sandbox, "import nothing_like_this\n").await);
    assert_eq!(at_load.kind, "ModuleNotFoundError");
    let exit = failure(outcome(&sandbox, "import sys\ndef handler(i, c):\n    sys.exit(4)\n").await);
    assert_eq!((exit.kind.as_str(), exit.message.as_str()), ("SystemExit", "4"));
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_the_functions_failure() {
    let sandbox = sandbox();
    for (answer, kind) in
        [("{1, 2}", "TypeError"), ("float('nan')", "ValueError"), ("'\\ud800'", "UnicodeEncodeError")]
    {
        let failure = failure(outcome(&sandbox, &format!("def handler(i, c):\n    return {answer}\n")).await);
        assert_eq!(failure.kind, kind);
        assert!(failure.message.starts_with("The answer is not JSON"), "{failure:?}");
        assert_eq!(failure.traceback, None, "the library's frames say nothing to the author");
    }
}

/// The end of a process may be heard of before the answer that it left; both are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_answer_is_lost_however_many_end_at_once() {
    let sandbox = sandbox();
    let code = "def handler(i, c):\n    print('at work')\n    return 7\n";
    outcome(&sandbox, code).await;
    let lanes = (0..12).map(|_| async {
        for _ in 0..40 {
            let (report, lines) = report(&sandbox, zygote(code), limits()).await;
            assert_eq!((answer(report.outcome), lines.len()), (7.into(), 1));
        }
    });
    futures::future::join_all(lanes).await;
}

#[tokio::test]
async fn the_latest_word_on_progress_is_heard_within_its_bounds() {
    let sandbox = sandbox();
    let code = "
import os
def handler(input, context):
    for step in range(1000):
        context.progress(step / 1000, f'step {step}')
    if os.fork() == 0:
        context.progress(0.1, 'a child does not speak for the call')
        os._exit(0)
    os.wait()
    refused = []
    for fraction in (-0.1, 1.1, float('nan'), 'half'):
        try:
            context.progress(fraction)
        except ValueError:
            refused.append(str(fraction))
    context.progress(1, 'é' * 300)
    return refused
";
    let (call, _logs) = call(zygote(code), limits());
    let heard = call.progress.subscribe();
    let refused = answer(sandbox.call(call).await.unwrap().outcome);
    assert_eq!(refused, json!(["-0.1", "1.1", "nan", "half"]));
    let last = heard.borrow().clone().unwrap();
    assert_eq!((last.fraction, last.message.unwrap()), (Some(1.0), "é".repeat(200)));
}

/// What tenant code writes past the runner spoils its own progress, and no more; a frame that is too long ends the call.
#[tokio::test]
async fn progress_that_the_runner_did_not_write_is_held_to_the_same_bounds() {
    let sandbox = sandbox();
    let code = "
import struct
def handler(input, context):
    context.progress(0.5, 'true')
    send = context.log._emit.__self__.send
    for said in (b'\\x01{', b'\\x01{\"fraction\": 7}', b'\\x02{}', b'', b'\\x01{\"fraction\": 0.1, \"more\": 1}'):
        send(6, said)
    if input:
        send(6, b'\\x01' + b' ' * 5000)
    return 'fine'
";
    let (call_one, _logs) = call(zygote(code), limits());
    let heard = call_one.progress.subscribe();
    assert_eq!(answer(sandbox.call(call_one).await.unwrap().outcome), "fine");
    let last = heard.borrow().clone().unwrap();
    assert_eq!((last.fraction, last.message.as_deref()), (Some(0.5), Some("true")));
    let (mut long, _logs) = call(zygote(code), limits());
    long.input = b"true".to_vec();
    let outcome = sandbox.call(long).await.unwrap().outcome;
    assert!(matches!(&outcome, Outcome::Crashed { reason } if reason.contains("5001")), "{outcome:?}");
}

#[tokio::test]
async fn output_of_every_kind_becomes_log_lines_in_order() {
    let sandbox = sandbox();
    let code = "
import os, sys
def handler(input, context):
    print('one')
    context.log('two', step=2)
    print('three', file=sys.stderr)
    context.log.error('four')
    sys.stdout.buffer.write(b'fi\\xffve')
";
    let (report, lines) = report(&sandbox, zygote(code), limits()).await;
    assert!(matches!(report.outcome, Outcome::Succeeded { .. }), "{report:?}");
    let seen: Vec<_> = lines.iter().map(|line| (line.source, line.level, line.text.as_str())).collect();
    assert_eq!(
        seen,
        [
            (LogSource::Stdout, LogLevel::Info, "one"),
            (LogSource::Log, LogLevel::Info, "two"),
            (LogSource::Stderr, LogLevel::Warning, "three"),
            (LogSource::Log, LogLevel::Error, "four"),
            (LogSource::Stdout, LogLevel::Info, "fi\u{fffd}ve"),
        ]
    );
    assert_eq!(lines[1].fields, Some(json!({"step": 2})));
}

#[tokio::test]
async fn output_past_the_interpreter_and_of_children_is_kept_too() {
    let sandbox = sandbox();
    let code = "
import os
def handler(input, context):
    os.write(1, b'straight\\n')
    pid = os.fork()
    if pid == 0:
        print('from a child')
        return 'not its answer to give'
    os.waitpid(pid, 0)
    return 'parent'
";
    let (report, lines) = report(&sandbox, zygote(code), limits()).await;
    assert_eq!(answer(report.outcome), "parent");
    let raw: String = lines
        .iter()
        .filter(|line| line.source == LogSource::Raw)
        .map(|line| line.text.clone() + "\n")
        .collect();
    assert_eq!(raw, "straight\nfrom a child\n");
}

#[tokio::test]
async fn the_servers_api_answers_at_the_door_of_the_jail() {
    let door: DoorHandler = Arc::new(|_, mut stream| {
        Box::pin(async move {
            let mut request = vec![0; 4096];
            let count = stream.read(&mut request).await.unwrap();
            let line = String::from_utf8_lossy(&request[..count]).lines().next().unwrap().to_owned();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
    });
    let sandbox = sandbox_with(settings(), door);
    let code = "
import urllib.request
def handler(input, context):
    return urllib.request.urlopen(context.api_url + '/api/v1/runs').read().decode()
";
    assert_eq!(answer(outcome(&sandbox, code).await), "GET /api/v1/runs HTTP/1.1");
}

#[tokio::test]
async fn a_call_cannot_take_all_connections_of_the_server() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (open.clone(), most.clone());
    let door: DoorHandler = Arc::new(move |_, mut stream| {
        let (open, most) = counted.clone();
        Box::pin(async move {
            most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let _until_it_ends = stream.read(&mut [0]).await;
            open.fetch_sub(1, Ordering::SeqCst);
        })
    });
    let sandbox = sandbox_with(settings(), door);
    let code = "
import socket
def handler(input, context):
    held = [socket.create_connection(('127.0.0.1', 7717)) for _ in range(150)]
    return len(held)
";
    assert_eq!(answer(outcome(&sandbox, code).await), 150);
    assert!(most.load(Ordering::SeqCst) <= 64, "{most:?}");
}

#[tokio::test]
async fn syntax_is_checked_by_the_interpreter_that_would_run_it() {
    let sandbox = sandbox();
    sandbox.check_syntax("def handler(input, context):\n    return 1\n").await.unwrap();
    let error = sandbox.check_syntax("def handler(input, context):\n    return (1\n").await.unwrap_err();
    let SyntaxCheckError::Syntax(error) = error else { panic!("{error}") };
    assert_eq!((error.line, error.column, error.message.as_str()), (2, 12, "'(' was never closed"));
    let error = sandbox.check_syntax("x = 1\0").await.unwrap_err();
    assert!(matches!(error, SyntaxCheckError::Syntax(_)), "{error}");
    let error = sandbox.check_syntax(&"(".repeat(5000)).await.unwrap_err();
    assert!(matches!(error, SyntaxCheckError::Syntax(_)), "{error}");
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_the_call_back() {
    let sandbox = sandbox();
    let code = "
def handler(input, context):
    for n in range(2000):
        print('x' * 1000)
";
    let (mut call, mut lines) = call(zygote(code), limits());
    let (logs, mut few) = tokio::sync::mpsc::channel(1);
    call.logs = logs;
    call.limits.log_bytes = 10 << 20;
    lines.close();
    let running = sandbox.call(call);
    tokio::pin!(running);
    let first =
        tokio::select! { line = few.recv() => line.unwrap(), report = &mut running => panic!("{report:?}") };
    assert_eq!(first.text.len(), 1000);
    let mut bytes = first.text.len() + 1;
    let report = loop {
        tokio::select! {
            Some(line) = few.recv() => bytes += line.text.len() + 1,
            report = &mut running => break report.unwrap(),
        }
    };
    while let Ok(line) = few.try_recv() {
        bytes += line.text.len() + 1;
    }
    assert!(matches!(report.outcome, Outcome::Succeeded { .. }), "{report:?}");
    assert_eq!((bytes, report.logs_truncated), (2000 * 1001, false));
}

#[tokio::test]
async fn text_that_is_no_text_is_still_told() {
    let sandbox = sandbox();
    let raised = failure(outcome(&sandbox, "def handler(i, c):\n    raise ValueError('a\\ud800b')\n").await);
    assert_eq!((raised.kind.as_str(), raised.message.as_str()), ("ValueError", "a?b"));
    let code = "
def handler(input, context):
    context.log('a\\ud800b', bad=float('nan'), thing=object)
    print('c\\ud800d')
";
    let (report, lines) = report(&sandbox, zygote(code), limits()).await;
    assert!(matches!(report.outcome, Outcome::Succeeded { .. }), "{report:?}");
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["a?b", "c\\ud800d"]);
}

#[tokio::test]
async fn ordinary_programs_work() {
    let sandbox = sandbox();
    let code = "
import asyncio, concurrent.futures, csv, io, multiprocessing, os, pathlib, socket, sqlite3
import subprocess, sys, tempfile

def square(n):
    return n * n

async def soon():
    await asyncio.sleep(0)
    return 'soon'

def handler(input, context):
    with multiprocessing.Pool(2) as pool:
        squares = pool.map(square, range(5))
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        threaded = list(threads.map(square, range(5)))
    child = subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True, text=True)
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place, 'data.db')
        database = sqlite3.connect(path)
        database.execute('create table t (n)')
        database.executemany('insert into t values (?)', [(n,) for n in range(10)])
        database.commit()
        total = database.execute('select sum(n) from t').fetchone()[0]
    rows = list(csv.DictReader(io.StringIO('a,b\\n1,2\\n')))
    server = socket.create_server(('localhost', 0))
    client = socket.create_connection(server.getsockname())
    server.accept()[0].sendall(b'hello')
    return [squares, threaded, child.stdout, total, rows, client.recv(5).decode(), asyncio.run(soon()),
            os.path.expanduser('~'), os.cpu_count() > 0]
";
    let expected = json!([
        [0, 1, 4, 9, 16], [0, 1, 4, 9, 16], "42\n", 45, [{"a": "1", "b": "2"}], "hello", "soon", "/tmp", true
    ]);
    assert_eq!(answer(outcome(&sandbox, code).await), expected);
}
