//! The process that Argon2 runs in. Linux shares out processors by session before it looks at the niceness of threads
//! (`sched_autogroup_enabled`): hashing inside of the server would take the same share as all of the server, and a PostgreSQL
//! beside it would wait. A session of its own can be nice as a whole.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use rustix::process::{DumpableBehavior, set_dumpable_behavior, setsid};
use serde::{Deserialize, Serialize};
use types::Secret;
use zeroize::Zeroizing;

use super::work::{Answer, Task, work};

/// The argument that turns a program into the hasher.
const ARGUMENT: &str = "password-hasher";
/// Out of 19: it yields to all others.
pub(super) const NICENESS: i32 = 10;
/// Of one question whose password is no longer than one that could have been set: such a line is never copied about.
const LARGEST: usize = 16 * 1024;

/// The program that can become the hasher: the one that asked whether it should.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Near the start of `main`, before any thread or runtime: if the arguments say `password-hasher`, answers questions on
/// standard input until it ends, and never returns. A program that does not call this hashes on threads of its own.
pub fn become_hasher_if_asked() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        // Whatever goes wrong here, the server sees its pipe close and starts another.
        std::process::exit(i32::from(serve().is_err()));
    }
    if let Ok(program) = std::env::current_exe() {
        PROGRAM.get_or_init(|| program);
    }
}

#[derive(Serialize)]
struct Question<'a> {
    password: &'a str,
    task: &'a Task,
}

#[derive(Deserialize)]
struct Asked {
    password: Secret<String>,
    task: Task,
}

fn serve() -> std::io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setsid()?;
    // The process has its niceness from the thread that started it; this is the session's, where the kernel groups by it.
    let _grouped = std::fs::write("/proc/self/autogroup", NICENESS.to_string());
    let mut questions = BufReader::new(std::io::stdin());
    let mut answers = std::io::stdout();
    let mut line = Zeroizing::new(Vec::with_capacity(LARGEST));
    while questions.read_until(b'\n', &mut line)? > 0 {
        let Asked { password, task } = serde_json::from_slice(&line)?;
        line.clear();
        let mut answer = serde_json::to_vec(&work(&password, &task))?;
        answer.push(b'\n');
        answers.write_all(&answer)?;
    }
    Ok(())
}

/// A running hasher: asked by one thread, one question at a time. It ends with its standard input.
pub(super) struct Process {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// None if this program cannot become one.
    pub(super) fn start() -> Option<std::io::Result<Self>> {
        PROGRAM.get().map(|program| {
            let mut child = Command::new(program)
                .arg(ARGUMENT)
                .env_clear()
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .current_dir("/")
                .spawn()?;
            let pipes = child.stdin.take().zip(child.stdout.take());
            let (questions, answers) = pipes.ok_or(std::io::ErrorKind::BrokenPipe)?;
            Ok(Self { child, questions, answers: BufReader::new(answers) })
        })
    }

    pub(super) fn ask(&mut self, password: &Secret<String>, task: &Task) -> std::io::Result<Option<Answer>> {
        let question = Question { password: password.reveal(), task };
        let mut line = Zeroizing::new(Vec::with_capacity(LARGEST));
        serde_json::to_writer(&mut *line, &question)?;
        line.push(b'\n');
        self.questions.write_all(&line)?;
        let mut answer = String::new();
        match self.answers.read_line(&mut answer)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(serde_json::from_str(&answer)?),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
