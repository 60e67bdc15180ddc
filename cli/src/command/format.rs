//! `wayguard policy fmt`: Rego as everybody writes it.

use crate::exit::{ExitStatus, Failure, unwritable};
use crate::input::{shown, walk};
use crate::output::{BAD, GOOD, Output, PLACE, QUIET, STRONG, styled};
use crate::whole_file;
use std::path::{Path, PathBuf};
use wayguard_engine::rego::LoadError;
use wayguard_engine::rego::format::{FormatError, format};
use wayguard_engine::rego::syntax::tree::Version;

/// Options of `policy fmt`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard policy fmt policies/            lay out all Rego below a folder
  wayguard policy fmt policies/ --check    say which files are not laid out, and change nothing
  wayguard policy fmt policies/ --diff     show what would change
  cat policy.rego | wayguard policy fmt -  from stdin to stdout

The layout is that of `opa fmt`. Comments and meaning stay as they are.

Exit codes: 0 all is laid out, 2 with --check or --diff: something is not, 3 a file cannot be read as Rego.")]
pub(crate) struct Args {
    /// Files of Rego, folders of them, or `-` for stdin
    #[arg(value_name = "FILE|DIR|-", required = true)]
    paths: Vec<PathBuf>,

    /// Change nothing; name the files that are not laid out
    #[arg(long)]
    check: bool,

    /// Change nothing; show what would change
    #[arg(long)]
    diff: bool,

    /// The files are Rego v0, as in Gatekeeper's templates
    #[arg(long)]
    v0: bool,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or written, or there is none.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let mut status = ExitStatus::Fine;
    for file in files(&args.paths)? {
        let (name, text) = read(&file)?;
        let written = match formatted(&name, &text, args.v0) {
            Ok(written) => written,
            Err(errors) => {
                errors.iter().for_each(|error| out.error(error));
                status = status.max(ExitStatus::Invalid);
                continue;
            }
        };
        let differs = written != text;
        if args.check || args.diff {
            if differs {
                status = status.max(ExitStatus::Denied);
                if args.diff {
                    difference(&name, &text, &written, out);
                } else {
                    out.data(&name);
                }
            }
        } else if is_stdin(&file) {
            out.write(&written);
        } else if differs {
            whole_file::write(&file, &written).map_err(|error| unwritable(&file, &error))?;
            out.talk(format_args!("laid out {}", styled(PLACE, &name)));
        }
    }
    Ok(status)
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let is_rego = |path: &Path| path.extension().is_some_and(|extension| extension == "rego");
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = walk(path, &is_rego)?;
            if found.is_empty() {
                let message = format!("there is no Rego (`*.rego`) below `{}`", path.display());
                return Err(Failure::Invalid(message));
            }
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn read(path: &Path) -> Result<(String, String), Failure> {
    if is_stdin(path) {
        let mut files = crate::input::collect(&[path.to_owned()])?;
        let text = files.pop().map(|file| file.text).unwrap_or_default();
        return Ok(("<stdin>".to_owned(), text));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    Ok((shown(path), text))
}

fn formatted(name: &str, text: &str, v0: bool) -> Result<String, Vec<LoadError>> {
    let version = if v0 { Version::V0 } else { Version::V1 };
    format(text, version).map_err(|error| match error {
        FormatError::Syntax(problems) => problems
            .into_iter()
            .map(|problem| {
                let start = problem.span.start;
                LoadError::at(name, text, start.line, start.column, problem.message)
            })
            .collect(),
        FormatError::Changed => vec![LoadError::whole(name, error.to_string())],
    })
}

/// Lines around a change that are shown.
const CONTEXT: usize = 3;

/// What would change, as a unified diff.
fn difference(name: &str, before: &str, after: &str, out: &mut Output) {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    out.data(styled(STRONG, format_args!("--- {name}\n+++ {name}")));
    for hunk in hunks(&steps(&old, &new)) {
        let count = |wanted: &[Side]| hunk.iter().filter(|step| wanted.contains(&step.side)).count();
        let (from, to) = hunk.first().map_or((0, 0), |step| (step.old, step.new));
        let (olds, news) = (count(&[Side::Both, Side::Old]), count(&[Side::Both, Side::New]));
        out.data(styled(QUIET, format_args!("@@ -{},{olds} +{},{news} @@", from + 1, to + 1)));
        for step in hunk {
            match step.side {
                Side::Both => out.data(format_args!(" {}", step.text)),
                Side::Old => out.data(styled(BAD, format_args!("-{}", step.text))),
                Side::New => out.data(styled(GOOD, format_args!("+{}", step.text))),
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Both,
    Old,
    New,
}

/// One line of a diff, and where it stands in both texts.
#[derive(Clone, Copy, Debug)]
struct Step<'t> {
    side: Side,
    text: &'t str,
    old: usize,
    new: usize,
}

/// From one list of lines to another: the lines that both have in order are kept (the longest such list).
fn steps<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Step<'t>> {
    let common = |a: usize, b: usize| old.get(a).zip(new.get(b)).is_some_and(|(one, other)| one == other);
    let width = new.len() + 1;
    let mut longest = vec![0_usize; (old.len() + 1) * width];
    let at = |longest: &[usize], a: usize, b: usize| longest.get(a * width + b).copied().unwrap_or_default();
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            let best = if common(a, b) {
                at(&longest, a + 1, b + 1) + 1
            } else {
                at(&longest, a + 1, b).max(at(&longest, a, b + 1))
            };
            if let Some(slot) = longest.get_mut(a * width + b) {
                *slot = best;
            }
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut found = Vec::new();
    loop {
        let (one, other) = (old.get(a), new.get(b));
        let take_old = match (one, other) {
            (None, None) => return found,
            (Some(text), Some(_)) if common(a, b) => {
                found.push(Step { side: Side::Both, text, old: a, new: b });
                (a, b) = (a + 1, b + 1);
                continue;
            }
            (Some(_), Some(_)) => at(&longest, a + 1, b) >= at(&longest, a, b + 1),
            (one, _) => one.is_some(),
        };
        let (side, text) = if take_old { (Side::Old, one) } else { (Side::New, other) };
        found.push(Step { side, text: text.copied().unwrap_or_default(), old: a, new: b });
        a += usize::from(take_old);
        b += usize::from(!take_old);
    }
}

/// The changes with the lines around them; those that are close together are one.
fn hunks<'s, 't>(steps: &'s [Step<'t>]) -> Vec<&'s [Step<'t>]> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (at, _) in steps.iter().enumerate().filter(|(_, step)| step.side != Side::Both) {
        let (from, to) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(steps.len()));
        match ranges.last_mut().filter(|(_, end)| *end >= from) {
            Some((_, end)) => *end = to,
            None => ranges.push((from, to)),
        }
    }
    ranges.into_iter().filter_map(|(from, to)| steps.get(from..to)).collect()
}
