//! What became of mutants, for people, for programs and for continuous-integration services.

use super::{Count, Fate, File, Mutant, Outcome};
use crate::exit::ExitStatus;
use crate::junit;
use crate::output::{BAD, GOOD, Output, PLACE, QUIET, STRONG, styled};
use serde_json::{Value as Json, json};

/// The most lines of a change that are shown.
const SHOWN: usize = 4;

impl Outcome {
    fn count(&self) -> Count {
        Count::of(self.files.iter().flat_map(File::fates))
    }

    /// 2 if a declaration is stale, too few are killed, or, where no threshold says how many must be, one survived.
    pub(in crate::command::test) fn status(&self) -> ExitStatus {
        let too_few = match self.threshold {
            None => self.count().survived > 0,
            Some(_) => self.problem().is_some(),
        };
        if too_few || !self.stale.is_empty() { ExitStatus::Denied } else { ExitStatus::Fine }
    }

    /// That too few are killed, in words.
    pub(in crate::command::test) fn problem(&self) -> Option<String> {
        let (percent, threshold) = (self.count().percent(), self.threshold?);
        (percent < threshold)
            .then(|| format!("{percent} % of mutants are killed, less than the threshold of {threshold} %"))
    }

    /// Each file with survivors, these as small diffs, and the sums.
    pub(in crate::command::test) fn human(&self, out: &mut Output) {
        for file in &self.files {
            let count = Count::of(file.fates());
            let mark = if count.survived == 0 { styled(GOOD, "ok") } else { styled(BAD, "SURVIVED") };
            out.data(format_args!(
                "{mark} {} {}",
                styled(STRONG, &file.id),
                styled(QUIET, format_args!("({} of {} mutants killed)", count.killed, count.all()))
            ));
            for (mutant, _) in file.survivors() {
                out.data(format_args!(
                    "  {} {}",
                    styled(PLACE, format_args!("{}:{}:{}", file.module.path, mutant.line, mutant.column)),
                    mutant.mutation,
                ));
                let (before, after) = mutant.lines(&file.module.text);
                diff(out, BAD, '-', &before);
                diff(out, GOOD, '+', &after);
            }
        }
        for error in &self.stale {
            out.data(format_args!("{} {error}", styled(BAD, "STALE")));
        }
        let count = self.count();
        out.data(format_args!(
            "{} mutants: {} killed ({} %), {} survived, {} equivalent by declaration; {} more do not load",
            count.all(),
            count.killed,
            count.percent(),
            count.survived,
            count.equivalent,
            count.invalid
        ));
    }

    /// The same for programs.
    pub(in crate::command::test) fn json(&self, out: &mut Output) {
        let of = |fate: fn(&Fate) -> bool| -> Vec<Json> {
            let all = self.files.iter().flat_map(|file| file.judged.iter().map(move |it| (file, it)));
            let wanted = all.filter(|(_, (_, found))| fate(found));
            wanted.map(|(file, (mutant, fate))| shown(file, mutant, fate)).collect()
        };
        let file = |file: &File| {
            let Count { killed, survived, equivalent, invalid } = Count::of(file.fates());
            json!({
                "suite": file.id, "file": file.module.path, "killed": killed, "survived": survived,
                "equivalent": equivalent, "invalid": invalid,
            })
        };
        let stale =
            self.stale.iter().map(|it| json!({"file": it.file, "line": it.line, "message": it.message}));
        let count = self.count();
        let document = json!({
            "mutants": count.all(),
            "killed": count.killed,
            "survived": count.survived,
            "equivalent": count.equivalent,
            "invalid": count.invalid,
            "percent": count.percent(),
            "threshold": self.threshold,
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "survivors": of(|fate| *fate == Fate::Survived),
            "equivalents": of(|fate| matches!(fate, Fate::Equivalent(_))),
            "stale": stale.collect::<Vec<_>>(),
        });
        out.data(format_args!("{document:#}"));
    }

    /// JUnit XML: a case for each mutant that loads, and for each stale declaration.
    pub(in crate::command::test) fn junit(&self, out: &mut Output) {
        let mut suites: Vec<_> = self.files.iter().map(suite).collect();
        let stale = self.stale.iter().map(|error| junit::Case {
            name: format!("{}:{}", error.file, error.line),
            class: "declarations".to_owned(),
            place: Some((error.file.clone(), usize::try_from(error.line).unwrap_or(0))),
            outcome: junit::Outcome::Failed(error.message.clone()),
            remarks: String::new(),
        });
        let stale: Vec<_> = stale.collect();
        if !stale.is_empty() {
            suites.push(junit::Suite { name: "declarations".to_owned(), cases: stale });
        }
        out.write(&junit::document("wayguard test --mutate", &suites));
    }
}

impl File {
    fn fates(&self) -> impl Iterator<Item = &Fate> {
        self.judged.iter().map(|(_, fate)| fate)
    }

    fn survivors(&self) -> impl Iterator<Item = &(Mutant, Fate)> {
        self.judged.iter().filter(|(_, fate)| *fate == Fate::Survived)
    }
}

fn diff(out: &mut Output, style: anstyle::Style, sign: char, text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    for line in lines.iter().take(SHOWN) {
        out.data(format_args!(
            "    {}",
            styled(style, format_args!("{sign} {}", line.replace('\t', "    ")))
        ));
    }
    if lines.len() > SHOWN {
        out.data(format_args!("    {}", styled(QUIET, format_args!("… {} lines more", lines.len() - SHOWN))));
    }
}

fn shown(file: &File, mutant: &Mutant, fate: &Fate) -> Json {
    let (before, after) = mutant.lines(&file.module.text);
    let mut shown = json!({
        "suite": file.id, "file": file.module.path, "line": mutant.line, "column": mutant.column,
        "rule": mutant.rule, "mutation": mutant.mutation, "before": before, "after": after,
    });
    if let (Fate::Equivalent(declared), Some(shown)) = (fate, shown.as_object_mut()) {
        shown.insert("because".to_owned(), declared.because.clone().into());
        shown.insert("shownBy".to_owned(), declared.shown_by.clone().into());
    }
    shown
}

fn suite(file: &File) -> junit::Suite {
    let case = |(mutant, fate): &(Mutant, Fate)| {
        let (before, after) = mutant.lines(&file.module.text);
        let outcome = match fate {
            Fate::Killed(_) => junit::Outcome::Passed,
            Fate::Survived => {
                let change = [("- ", before), ("+ ", after)];
                let lines =
                    change.iter().flat_map(|(sign, text)| text.lines().map(move |it| format!("{sign}{it}")));
                let lines: Vec<_> = lines.collect();
                junit::Outcome::Failed(format!("{}: no test fails\n{}", mutant.mutation, lines.join("\n")))
            }
            Fate::Equivalent(declared) => junit::Outcome::Skipped(declared.because.clone()),
            Fate::Invalid => return None,
        };
        Some(junit::Case {
            name: format!("{}:{} {}", mutant.line, mutant.column, mutant.mutation),
            class: file.id.clone(),
            place: Some((file.module.path.clone(), usize::try_from(mutant.line).unwrap_or(0))),
            outcome,
            remarks: String::new(),
        })
    };
    junit::Suite { name: file.id.clone(), cases: file.judged.iter().filter_map(case).collect() }
}
