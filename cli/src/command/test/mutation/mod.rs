//! Mutation testing: policies are changed in small ways, and each change must make one of their own tests fail. What
//! survives shows what no test is about.

mod declared;
mod mutants;
mod told;

use super::report::Covered;
use super::subject::Subject;
use super::units::Units;
use crate::parallel::on_all_cores;
use declared::Declared;
use mutants::Mutant;
use std::time::Duration;
use wayguard_engine::policy::compiled;
use wayguard_engine::rego::syntax::parse_module;
use wayguard_engine::rego::syntax::tree::Version;
use wayguard_engine::rego::{LoadError, Module};

/// For one test of one mutant: what takes longer than this, where tests take milliseconds, goes on for ever.
const LIMIT: Duration = Duration::from_secs(3);

/// What became of all mutants.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    files: Vec<File>,
    /// Declarations that are not so, and those that cannot be read.
    stale: Vec<LoadError>,
    /// In percent of what is killed.
    threshold: Option<f64>,
}

/// The mutants of one module.
#[derive(Debug)]
struct File {
    /// The policy's id, or `lib/name`.
    id: String,
    module: Module,
    judged: Vec<(Mutant, Fate)>,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// This test or sample failed.
    Killed(String),
    /// All tests passed.
    Survived,
    /// All tests passed, and its declaration says that it must be so.
    Equivalent(Declared),
    /// It does not load: no test is needed against it.
    Invalid,
}

/// How many there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    killed: usize,
    survived: usize,
    equivalent: usize,
    invalid: usize,
}

impl Count {
    fn of<'f>(fates: impl Iterator<Item = &'f Fate>) -> Self {
        fates.fold(Self::default(), |mut count, fate| {
            *match fate {
                Fate::Killed(_) => &mut count.killed,
                Fate::Survived => &mut count.survived,
                Fate::Equivalent(_) => &mut count.equivalent,
                Fate::Invalid => &mut count.invalid,
            } += 1;
            count
        })
    }

    /// Those that load.
    fn all(self) -> usize {
        self.killed + self.survived + self.equivalent
    }

    /// Killed, in percent of those that a test could kill; never 100 as long as one survives.
    fn percent(self) -> f64 {
        Covered::percent(self.killed, self.survived)
    }
}

/// Makes and judges the mutants of subjects whose tests pass.
pub(super) fn run(subjects: &[Subject], threshold: Option<f64>) -> Outcome {
    let mut stale = Vec::new();
    let mut files: Vec<(&Subject, File, Vec<Declared>)> = Vec::new();
    for subject in subjects {
        let Some(module) = subject.own.clone() else { continue };
        // What does not parse has failed its tests.
        let Ok(tree) = parse_module(&module.text, Version::V1) else { continue };
        let declared = subject.units.as_ref().and_then(Units::tests).map(declared::read);
        let declared = declared.unwrap_or(Ok(Vec::new())).unwrap_or_else(|errors| {
            stale.extend(errors);
            Vec::new()
        });
        let made = mutants::of(&module.text, &tree);
        let judged = made.into_iter().map(|mutant| (mutant, Fate::Invalid)).collect();
        files.push((subject, File { id: subject.id.clone(), module, judged }, declared));
    }
    let work: Vec<(&Subject, &Module, &Mutant)> = files
        .iter()
        .flat_map(|(subject, file, _)| file.judged.iter().map(|(mutant, _)| (*subject, &file.module, mutant)))
        .collect();
    let fates = on_all_cores(
        "mutating",
        &work,
        |(subject, ..)| &subject.id,
        |(subject, module, mutant)| subject.judge(module, mutant),
    );
    let mut fates = fates.into_iter();
    let mut outcome = Outcome { files: Vec::new(), stale, threshold };
    for (subject, mut file, declared) in files {
        file.judged.iter_mut().zip(fates.by_ref()).for_each(|((_, fate), found)| *fate = found);
        outcome.stale.extend(file.settle(subject, declared));
        outcome.files.push(file);
    }
    outcome
}

impl Subject {
    /// Judges a mutant by the unit tests, then by the samples, up to the first that fails.
    fn judge(&self, module: &Module, mutant: &Mutant) -> Fate {
        let text = mutant.text(&module.text);
        if let Some(units) = &self.units {
            let Ok(program) = units.compile_with(&module.path, &text) else { return Fate::Invalid };
            if let Some(test) = Units::first_failure(&program, LIMIT) {
                return Fate::Killed(test);
            }
        }
        let Some(samples) = self.samples.as_ref().filter(|samples| !samples.is_empty()) else {
            return Fate::Survived;
        };
        let mut modules = samples.modules().to_vec();
        for known in modules.iter_mut().filter(|known| known.path == module.path) {
            text.clone_into(&mut known.text);
        }
        let Ok(program) = compiled::compile(modules, false) else { return Fate::Invalid };
        samples.first_failure(&program, LIMIT).map_or(Fate::Survived, Fate::Killed)
    }
}

impl File {
    /// Marks those that are declared equivalent; what is wrong with the declarations.
    fn settle(&mut self, subject: &Subject, declared: Vec<Declared>) -> Vec<LoadError> {
        let Some(units) = &subject.units else { return Vec::new() };
        let program = if declared.is_empty() { None } else { units.compile(false).ok() };
        let mut errors = Vec::new();
        for one in declared {
            let problem = self.declare(&one).err().or_else(|| {
                let shown = program.as_ref().is_some_and(|it| Units::has_passing(it, &one.shown_by));
                (!shown).then(|| format!("there is no test `{}` that passes", one.shown_by))
            });
            if let (Some(problem), Some(tests)) = (problem, units.tests()) {
                let message = format!("an equivalent mutant: {problem}");
                errors.push(crate::excerpt::problem(&tests.path, &tests.text, one.at, 1, &message));
            }
        }
        errors
    }

    fn declare(&mut self, declared: &Declared) -> Result<(), String> {
        let text = &self.module.text;
        let mut found = false;
        for (mutant, fate) in &mut self.judged {
            let (before, after) = mutant.lines(text);
            if !declared.is_about(&mutant.rule, &before, &after) {
                continue;
            }
            found = true;
            match fate {
                Fate::Killed(test) => return Err(format!("it is stale: `{test}` kills it")),
                Fate::Invalid => return Err("it is stale: it does not load".to_owned()),
                Fate::Survived | Fate::Equivalent(_) => *fate = Fate::Equivalent(declared.clone()),
            }
        }
        if found {
            return Ok(());
        }
        Err(format!(
            "it is stale: no mutation of `{}` makes `{}` into `{}`",
            self.module.path, declared.line, declared.becomes
        ))
    }
}
