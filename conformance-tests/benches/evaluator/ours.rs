//! Our side: a compiled program with its input, measured as the oracle measures OPA.

use super::rego::question::Question;
use bumpalo::Bump;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};
use wayguard_engine::rego::{CompileOptions, Entry, Limits, Module, Program, World};
use wayguard_engine::value::{Document, Value};

/// As the oracle has them.
const BATCHES: usize = 6;
const BATCH_TIME: Duration = Duration::from_millis(10);

/// A program, ready to be asked.
pub struct Ours {
    program: Program,
    entry: Entry,
    input: Document,
    data: Document,
}

fn program(question: &Question) -> Program {
    let modules = question
        .modules
        .iter()
        .enumerate()
        .map(|(at, text)| Module { path: format!("test-{at}.rego"), text: text.clone() })
        .collect();
    let options =
        CompileOptions { v0: question.v0, strict_builtin_errors: false, ..CompileOptions::default() };
    Program::compile(modules, options).unwrap_or_else(|errors| panic!("{errors:?}"))
}

impl Ours {
    pub fn compile(question: &Question) -> Self {
        let program = program(question);
        let entry = program.entry(&question.query).expect("a template has violations");
        let document = |text: Option<&str>| Document::from_json(text.unwrap_or("{}").as_bytes()).unwrap();
        let (input, data) = (document(question.input.as_deref()), document(question.data.as_deref()));
        Self { program, entry, input, data }
    }

    /// How many elements the answer has.
    fn once(&self, arena: &Bump) -> usize {
        let world = World {
            input: Some(self.input.value()),
            data: Some(self.data.value()),
            now_ns: 1,
            seed: 1,
            limits: Limits::of_time(Duration::from_secs(10)),
            ..World::default()
        };
        let mut elements = 0;
        let read = |(), value: Option<Value<'_>>| {
            elements = match value {
                Some(Value::Set(set)) => set.len(),
                Some(Value::Array(items)) => items.len(),
                _ => 0,
            };
        };
        self.program.ask([((), self.entry)], arena, world, None, read).expect("it evaluates");
        elements
    }

    /// Nanoseconds of processor time of one evaluation, and how many elements the answer has.
    pub fn measure(&self) -> (f64, usize) {
        let mut arena = Bump::new();
        let elements = self.once(&arena);
        let mut batch = |rounds: u32| {
            let before = processor();
            for _ in 0..rounds {
                arena.reset();
                std::hint::black_box(self.once(&arena));
            }
            processor().saturating_sub(before)
        };
        let mut rounds = 1;
        while batch(rounds) < BATCH_TIME / 2 {
            rounds *= 2;
        }
        let quickest = (0..BATCHES).map(|_| batch(rounds)).min().unwrap_or_default();
        (quickest.as_secs_f64() * 1e9 / f64::from(rounds), elements)
    }
}

/// The time that this thread has had on processors.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default())
}

/// How often that many threads together evaluate all programs in a second.
pub fn per_second(programs: &[Ours], threads: usize) -> f64 {
    best_of(threads, || {
        let mut arena = Bump::new();
        move || {
            for program in programs {
                arena.reset();
                std::hint::black_box(program.once(&arena));
            }
        }
    })
}

/// How often that many threads together do some arithmetic that touches no memory: what the machine itself gives to more
/// threads than one, which two processors of a virtual machine often share.
pub fn arithmetic(threads: usize) -> f64 {
    best_of(threads, || {
        || {
            let mixed = (0..100_000_u64).fold(1_u64, |mixed, each| {
                mixed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(each).rotate_left(17)
            });
            std::hint::black_box(mixed);
        }
    })
}

/// Rounds of some work in a second, of all threads together: the best of five times half a second.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn best_of<W: FnMut()>(threads: usize, start: impl Fn() -> W + Sync) -> f64 {
    let time = Duration::from_millis(500);
    let one = || {
        let (mut work, mut rounds) = (start(), 0_u64);
        let started = Instant::now();
        while started.elapsed() < time {
            work();
            rounds += 1;
        }
        rounds as f64 / started.elapsed().as_secs_f64()
    };
    let all = || {
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).sum::<f64>()
        })
    };
    (0..5).map(|_| all()).fold(0.0, f64::max)
}

/// What one compiled program of these takes of resident memory, in KiB.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub fn memory(questions: &[Question]) -> f64 {
    let several = || questions.iter().map(program).collect::<Vec<_>>();
    // What is made once for all programs, and what compiling leaves to the allocator, is there before.
    let warm = several();
    let before = resident();
    let kept: Vec<_> = (0..10).flat_map(|_| several()).collect();
    let after = resident();
    drop(warm);
    (after - before) / kept.len() as f64
}

fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
