//! OPA itself, as a program beside the tests: `conformance-tests/rego/oracle`, built when it is first needed.

use super::answer::Answer;
use super::question::Question;
use serde_json::Value as Json;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use wayguard_engine::value::{Document, Value};

/// The folder of the Go module that pins OPA.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rego")
}

/// The built program; `None`, after saying why, if there is no Go to build it with.
pub fn program() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("REGO_ORACLE") {
        return Some(given.into());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rego-oracle");
    let built =
        Command::new("go").args(["build", "-o"]).arg(&target).arg("./oracle").current_dir(folder()).status();
    match built {
        Ok(status) => {
            assert!(
                status.success(),
                "the oracle does not build: see `go build ./oracle` in {}",
                folder().display()
            );
            Some(target)
        }
        Err(error) => {
            println!("skipped: no OPA to compare with: {error}");
            None
        }
    }
}

fn spawn(program: &Path, mode: &str) -> Child {
    let mut command = Command::new(program);
    command.arg(mode).env("REGO_ORACLE_MODULE", folder()).env("GOMAXPROCS", "2");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// All that the program writes in one of its modes.
pub fn lines(mode: &str) -> Option<impl Iterator<Item = String>> {
    #[expect(
        clippy::zombie_processes,
        reason = "who reads all lines waits for it; who does not is a test that has failed"
    )]
    let mut child = spawn(program()?, mode);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Some(std::iter::from_fn(move || {
        if let Some(line) = lines.next() {
            Some(line.unwrap())
        } else {
            assert!(child.wait().unwrap().success(), "the oracle failed");
            None
        }
    }))
}

/// What one evaluation by OPA costs.
pub struct Measured {
    /// Of processor time, garbage collection included.
    pub nanoseconds: f64,
    /// Of the collection that it gives.
    pub elements: usize,
}

/// A running oracle that answers questions.
pub struct Oracle {
    child: Child,
    asking: Option<BufWriter<ChildStdin>>,
    /// Its lines, read by a thread: whoever asks never waits for what nobody takes.
    answers: Receiver<String>,
}

impl Oracle {
    /// Starts one; `None`, after saying why, if there is no Go to build it with.
    pub fn start() -> Option<Self> {
        #[expect(clippy::zombie_processes, reason = "dropping the oracle waits for it")]
        let mut child = spawn(program()?, "answer");
        let asking = child.stdin.take().map(BufWriter::new);
        let answering = BufReader::with_capacity(1 << 16, child.stdout.take()?);
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in answering.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Some(Self { child, asking, answers })
    }

    /// Asks about each of the inputs; as many answers are to be taken.
    pub fn ask(&mut self, question: &Question, inputs: &[Option<String>]) {
        let asking = self.asking.as_mut().unwrap();
        writeln!(asking, "{}", question.line(inputs)).unwrap();
        asking.flush().unwrap();
    }

    /// The answer to the oldest input that has none yet.
    pub fn take(&mut self) -> Answer {
        read_answer(&self.answers.recv().expect("the oracle ended before it answered"))
    }

    /// What OPA needs for one evaluation of the question; `None`: it does not evaluate it.
    pub fn measure(&mut self, question: &Question) -> Option<Measured> {
        let asking = self.asking.as_mut().unwrap();
        let line = question.line(std::slice::from_ref(&question.input));
        writeln!(asking, "{}", line.replacen("\"eval\"", "\"measure\"", 1)).unwrap();
        asking.flush().unwrap();
        let line = self.answers.recv().expect("the oracle ended before it answered");
        let reply: Json = serde_json::from_str(&line).expect("the oracle writes JSON");
        let measured = reply.get("measured")?;
        let elements = usize::try_from(measured["elements"].as_u64()?).ok()?;
        Some(Measured { nanoseconds: measured["nanoseconds"].as_f64()?, elements })
    }

    /// Asks about the question's own input, and waits for the answer.
    pub fn answer(&mut self, question: &Question) -> Answer {
        self.ask(question, std::slice::from_ref(&question.input));
        self.take()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.asking.take());
        let _ = self.child.wait();
    }
}

fn read_answer(line: &str) -> Answer {
    let document = match Document::from_json(line.as_bytes()) {
        Ok(document) => document,
        Err(problem) => {
            // OPA multiplies numbers beyond what is read here, and then says them in thousands of digits.
            assert_eq!(problem.problem, "number too long", "the oracle writes JSON: {line}");
            return Answer::Unwritable;
        }
    };
    let reply = document.value();
    if let Some(problems) = reply.get("load").and_then(Value::as_array) {
        if problems.iter().any(|problem| problem.str_or_empty("code") == "panic") {
            return Answer::Unwritable;
        }
        let lines: Vec<_> = problems.iter().map(|problem| problem_text(*problem)).collect();
        return Answer::Refused(lines.join("\n"));
    }
    if let Some(problem) = reply.get("error") {
        match problem.str_or_empty("code") {
            "eval_cancel_error" => return Answer::TimedOut,
            "not_json" => return Answer::Unwritable,
            _ => {}
        }
        return Answer::Failed(problem_text(problem));
    }
    let first = reply.get("result").and_then(Value::as_array).and_then(|rows| rows.first().copied());
    match first.and_then(|row| row.get("#0")) {
        Some(value) => Answer::Value(value.to_string()),
        None => Answer::Undefined,
    }
}

fn problem_text(problem: Value<'_>) -> String {
    format!(
        "{}:{}: {}: {}",
        problem.str_or_empty("file"),
        problem.get("row").and_then(Value::as_int).unwrap_or_default(),
        problem.str_or_empty("code"),
        problem.str_or_empty("message")
    )
}
