//! What a call asks, and how it goes on.

use std::time::Duration;

use safeconduct_sandbox::{Asked, Clock, Limits, Outcome, Report, Told};
use serde_json::json;
use tokio::sync::mpsc;

use crate::fixture::{answer, call, failure, limits, outcome, sandbox, zygote};

/// Runs `code`; `told` answers each question.
async fn interview(code: &str, limits: Limits, told: impl AsyncFn(usize, &Asked) -> Told) -> Report {
    let sandbox = sandbox();
    let (mut call, mut lines) = call(zygote(code), limits);
    let (questions, mut asked) = mpsc::channel::<Asked>(1);
    call.questions = questions;
    let answering = async {
        let mut number = 0;
        while let Some(question) = asked.recv().await {
            let told = told(number, &question).await;
            // A call that ended meanwhile hears nothing any more.
            let _heard = question.answer.send(told);
            number += 1;
        }
    };
    let (report, (), ()) =
        tokio::join!(sandbox.call(call), answering, async { while lines.recv().await.is_some() {} });
    report.unwrap()
}

fn given(value: &serde_json::Value) -> Told {
    Told::Answer(value.to_string().into_bytes())
}

#[tokio::test]
async fn a_question_is_answered_where_it_was_asked() {
    let code = "
def handler(input, context):
    first = context.ask('Deploy to Zürich?', schema={'type': 'boolean'}, expires_in=60)
    second = context.ask('Why?\\ud800')
    try:
        context.ask('no')
    except ValueError as refused:
        return [first, second, str(refused)]
";
    let report = interview(code, limits(), async |number, asked| {
        let question = &asked.question;
        match number {
            0 => {
                assert_eq!(question.prompt, "Deploy to Zürich?");
                assert_eq!(question.schema, Some(json!({"type": "boolean"})));
                assert_eq!(question.expires_in, Some(60.0));
                given(&json!(true))
            }
            1 => {
                assert_eq!(
                    (question.prompt.as_str(), &question.schema, question.expires_in),
                    ("Why??", &None, None)
                );
                given(&json!({"why": ["é", null]}))
            }
            _ => Told::Refused("that is no question".into()),
        }
    })
    .await;
    assert_eq!(answer(report.outcome), json!([true, {"why": ["é", null]}, "that is no question"]));
}

#[tokio::test]
async fn a_handler_that_yields_its_questions_is_sent_the_answers() {
    let code = "
def handler(input, context):
    told = yield {'prompt': 'one?'}
    try:
        yield {'prompt': 'two?', 'colour': 'red'}
    except TypeError:
        told += 1
    try:
        yield 'three?'
    except TypeError:
        told += 1
    return told
";
    let report = interview(code, limits(), async |_, _| given(&json!(40))).await;
    assert_eq!(answer(report.outcome), 42);
    let raised = interview(
        "def handler(i, c):\n    yield {'prompt': 'one?'}\n    raise KeyError('x')\n",
        limits(),
        async |_, _| given(&json!(1)),
    );
    let raised = failure(raised.await.outcome);
    assert_eq!(raised.kind, "KeyError");
    assert!(!raised.traceback.unwrap().contains("runner.py"));
}

#[tokio::test]
async fn waiting_is_not_the_calls_own_time() {
    let limits = Limits { wall: Duration::from_millis(1500), ..limits() };
    let code = "
import time
def handler(input, context):
    context.ask('one?')
    time.sleep(input or 0)
    return 'done'
";
    let slow = async |_: usize, _: &Asked| {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        given(&json!(1))
    };
    let report = interview(code, limits.clone(), slow).await;
    assert_eq!(answer(report.outcome), "done");
    assert!(report.usage.wall < Duration::from_millis(1500), "{:?}", report.usage.wall);
    let late = interview(&code.replace("input or 0", "60"), limits, slow).await;
    assert_eq!(late.outcome, Outcome::TimedOut(Clock::Wall));
}

/// A call that speaks the protocol itself gets no second question, and what it asks is bounded.
#[tokio::test]
async fn a_call_that_asks_out_of_turn_or_too_much_is_ended() {
    let frame = "
import os, struct, threading
def send(payload):
    os.write(3, struct.pack('>IB', len(payload), 11) + payload)
";
    let twice = format!(
        "{frame}def handler(i, c):\n    send(b'{{\"prompt\":\"a\"}}' )\n    send(b'{{\"prompt\":\"a\"}}')\n    import time; time.sleep(60)\n"
    );
    let late = async |_: usize, asked: &Asked| {
        while !asked.answer.is_closed() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        given(&json!(1))
    };
    let report = interview(&twice, limits(), late).await;
    let reason = "the call asked before it was answered".to_owned();
    assert_eq!(report.outcome, Outcome::Crashed { reason });
    let long =
        format!("{frame}def handler(i, c):\n    send(b' ' * 40000)\n    import time; time.sleep(60)\n");
    let report = interview(&long, limits(), async |_, _| given(&json!(1))).await;
    assert!(matches!(report.outcome, Outcome::Crashed { reason } if reason.contains("broke the protocol")));
    let nonsense =
        format!("{frame}def handler(i, c):\n    send(b'[]')\n    return os.read(3, 1000)[5:].decode()\n");
    let told = answer(interview(&nonsense, limits(), async |_, _| given(&json!(1))).await.outcome);
    assert!(told.as_str().unwrap().contains("this is no question"), "{told}");
    let too_long = "def handler(i, c):\n    c.ask('x' * 40000)\n";
    assert_eq!(
        failure(interview(too_long, limits(), async |_, _| given(&json!(1))).await.outcome).kind,
        "ValueError"
    );
}

#[tokio::test]
async fn where_nobody_answers_asking_is_refused() {
    let refused = failure(outcome(&sandbox(), "def handler(i, c):\n    return c.ask('one?')\n").await);
    assert_eq!(
        (refused.kind.as_str(), refused.message.as_str()),
        ("ValueError", "nobody takes questions here")
    );
}

#[tokio::test]
async fn a_process_that_the_handler_forked_does_not_ask() {
    let code = "
import os
def handler(input, context):
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            context.ask('one?')
        except RuntimeError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.close(write)
    return os.read(read, 100).decode()
";
    assert_eq!(
        answer(outcome(&sandbox(), code).await),
        "a forked process cannot ask the host; do it in the first one"
    );
}

/// Whoever may answer need not be whoever may use the secret.
#[tokio::test]
async fn a_question_tells_no_secret() {
    let sandbox = sandbox();
    let code = "def handler(i, c):\n    return c.ask('Send ' + c.secrets['KEY'] + '?')\n";
    let (mut call, _lines) = call(zygote(code), limits());
    call.context.secrets = [("KEY".to_owned(), types::Secret::new("correct horse".to_owned()))].into();
    let (questions, mut asked) = mpsc::channel::<Asked>(1);
    call.questions = questions;
    let answering = async {
        let Asked { question, answer } = asked.recv().await.unwrap();
        answer.send(given(&json!(true))).unwrap();
        question.prompt
    };
    let (report, prompt) = tokio::join!(sandbox.call(call), answering);
    assert_eq!((answer(report.unwrap().outcome), prompt.as_str()), (json!(true), "Send [secret KEY]?"));
}
