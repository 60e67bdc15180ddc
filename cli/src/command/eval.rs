//! `wayguard policy eval`: one Rego query on files, as `opa eval --format json` with a plain answer.

use crate::excerpt;
use crate::exit::{ExitStatus, Failure};
use crate::input::{is_manifest, walk};
use crate::output::Output;
use bumpalo::Bump;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wayguard_engine::rego::{CompileOptions, Limits, LoadError, Module, Observer, Program, World};
use wayguard_engine::value::{Value, parse_json, parse_yaml};

/// Options of `policy eval`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard policy eval -d policy.rego -i pod.json 'data.images.latest_tag.deny'
  wayguard policy eval -d policies/ -d settings.yaml 'data.lib.quantity'

Exit codes: 0 an answer (also undefined), 1 the evaluation failed, 3 something could not be loaded.")]
pub(crate) struct Args {
    /// Rego and data (JSON, YAML): files, or folders with all that is below; repeatable. Data in a folder lies
    /// under the names of its sub-folders
    #[arg(short, long, value_name = "FILE|DIR")]
    data: Vec<PathBuf>,

    /// The document that Rego sees as `input` (JSON or YAML; `-` for stdin)
    #[arg(short, long, value_name = "FILE")]
    input: Option<PathBuf>,

    /// The files are written in Rego v0 (as Gatekeeper's templates are)
    #[arg(long)]
    v0: bool,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// The query, such as data.package.rule
    query: String,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// `{"result": …}`, `{"undefined": true}` or `{"error": …}`
    #[default]
    Json,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let Format::Json = args.format;
    let arena = Bump::new();
    let mut loaded = Loaded::new(&arena);
    for path in &args.data {
        loaded.add(path)?;
    }
    let input = args.input.as_deref().map(|path| read_input(&arena, path)).transpose()?;
    // As in OPA: a builtin that fails makes the expression undefined.
    let options = CompileOptions { v0: args.v0, strict_builtin_errors: false, ..CompileOptions::default() };
    let compiled = match Program::compile_query(loaded.modules, options, &args.query) {
        Ok(program) if loaded.errors.is_empty() => Ok(program),
        Ok(_) => Err(loaded.errors),
        Err(errors) => Err(loaded.errors.into_iter().chain(errors).collect()),
    };
    let program = match compiled {
        Ok(program) => program,
        Err(errors) => return Ok(refused(&errors, out)),
    };
    let world = World {
        input,
        data: Some(loaded.data),
        limits: Limits { memory: MEMORY, ..Limits::of_time(Duration::from_secs(args.timeout)) },
        now_ns: now_ns(),
        seed: std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0),
        facts: None,
    };
    let mut observer = Observer::of_prints();
    let answer = program.query(&arena, world, Some(&mut observer));
    for printed in &observer.prints {
        let file = program.files().get(usize::from(printed.place.file)).map_or("", String::as_str);
        out.note(format_args!("{file}:{}: {}", printed.place.line, printed.text));
    }
    let (shown, status) = match answer {
        Ok(solutions) => match solutions.first().and_then(|solution| solution.expressions.first()) {
            // As text, which keeps numbers of any size.
            Some(value) => (format!("{{\"result\":{value}}}"), ExitStatus::Fine),
            None => (json!({"undefined": true}).to_string(), ExitStatus::Fine),
        },
        Err(error) => (json!({"error": error.to_string()}).to_string(), ExitStatus::OurFailure),
    };
    out.data(shown);
    Ok(status)
}

/// For one query of a person at a terminal.
const MEMORY: usize = 4 * 1024 * 1024 * 1024;

fn now_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn refused(errors: &[LoadError], out: &mut Output) -> ExitStatus {
    let shown = |error: &LoadError| json!({"file": error.file, "line": error.line, "column": error.column, "message": error.message});
    out.data(json!({"errors": errors.iter().map(shown).collect::<Vec<_>>()}));
    errors.iter().for_each(|error| out.error(error));
    ExitStatus::Invalid
}

struct Loaded<'a> {
    arena: &'a Bump,
    modules: Vec<Module>,
    data: Value<'a>,
    errors: Vec<LoadError>,
}

impl<'a> Loaded<'a> {
    fn new(arena: &'a Bump) -> Self {
        Self { arena, modules: Vec::new(), data: Value::object(&arena, Vec::new()), errors: Vec::new() }
    }

    fn add(&mut self, path: &Path) -> Result<(), Failure> {
        if !path.is_dir() {
            return self.file(path, &[]);
        }
        for file in walk(path, &|file| is_rego(file) || is_manifest(file))? {
            let below =
                file.parent().and_then(|folder| folder.strip_prefix(path).ok()).unwrap_or(Path::new(""));
            let place: Vec<String> = below.iter().map(|name| name.to_string_lossy().into_owned()).collect();
            self.file(&file, &place)?;
        }
        Ok(())
    }

    /// Rego becomes a module, anything else data under `place`.
    fn file(&mut self, path: &Path, place: &[String]) -> Result<(), Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
        let shown = path.display().to_string();
        if is_rego(path) {
            self.modules.push(Module { path: shown, text });
            return Ok(());
        }
        let value = match document(self.arena, &shown, &text) {
            Ok(value) => value,
            Err(error) => {
                self.errors.push(error);
                return Ok(());
            }
        };
        let nested = place.iter().rev().fold(value, |value, name| {
            let name = Value::String(self.arena.alloc_str(name));
            Value::object(&self.arena, vec![(name, value)])
        });
        let merged = if nested.entries().is_some() {
            merge(self.arena, self.data, nested, &mut Vec::new())
        } else {
            Err("data at the root must be an object".to_owned())
        };
        match merged {
            Ok(data) => self.data = data,
            Err(problem) => self.errors.push(LoadError::whole(&shown, problem)),
        }
        Ok(())
    }
}

fn is_rego(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rego")
}

fn read_input<'a>(arena: &'a Bump, path: &Path) -> Result<Value<'a>, Failure> {
    let (shown, text) = if path.as_os_str() == "-" {
        ("<stdin>".to_owned(), std::io::read_to_string(std::io::stdin()))
    } else {
        (path.display().to_string(), std::fs::read_to_string(path))
    };
    let text = text.map_err(|error| Failure::unreadable(path, &error))?;
    document(arena, &shown, &text).map_err(|error| Failure::Invalid(error.to_string()))
}

/// The one document of a JSON or YAML text. JSON keeps its numbers as they are written, as in OPA.
fn document<'a>(arena: &'a Bump, file: &str, text: &str) -> Result<Value<'a>, LoadError> {
    let text: &'a str = arena.alloc_str(text);
    if let Ok(value) = parse_json(&arena, text.as_bytes()) {
        return Ok(value);
    }
    let documents = parse_yaml(&arena, text).map_err(|error| excerpt::not_yaml(file, text, &error))?;
    match documents.as_slice() {
        [] => Ok(Value::Null),
        [document] => Ok(document.value),
        [_, second, ..] => {
            Err(excerpt::problem(file, text, second.line, 1, "expected one document, not several"))
        }
    }
}

/// Objects merged into objects; two values for one place are a conflict, as in OPA.
fn merge<'a>(
    arena: &'a Bump,
    into: Value<'a>,
    from: Value<'a>,
    path: &mut Vec<String>,
) -> Result<Value<'a>, String> {
    let (Some(known), Some(more)) = (into.entries(), from.entries()) else {
        return Err(format!("`data.{}` is given twice", path.join(".")));
    };
    let mut pairs: Vec<_> = known.collect();
    for (key, value) in more {
        let merged = match into.get_key(key) {
            Some(known) => {
                path.push(key.as_str().map_or_else(|| key.to_string(), str::to_owned));
                let merged = merge(arena, known, value, path)?;
                path.pop();
                merged
            }
            None => value,
        };
        // Of equal keys the last one counts.
        pairs.push((key, merged));
    }
    Ok(Value::object(&arena, pairs))
}
