//! Counting what a comparison found.

use super::answer::{Answer, Verdict};
use super::oracle::Oracle;
use super::ours::Ours;
use super::question::Question;
use super::shrink::shrink;
use std::collections::BTreeMap;

/// What a run found.
#[derive(Default)]
pub struct Report {
    /// Answered alike, by what the answers were.
    pub equal: BTreeMap<&'static str, usize>,
    /// Refused by us and answered by OPA.
    pub refused: usize,
    /// One of both took too long, or OPA's answer cannot be written.
    pub unknown: usize,
    /// For a person: how the answers differ, on a question cut down.
    pub different: Vec<String>,
    /// The policy that differed last.
    last: String,
}

/// Lines of the largest policy that is cut down; larger ones are real, and read by people as they are.
const CUT_DOWN: usize = 80;

/// Differences that are cut down and shown; more of them are only counted.
const SHOWN: usize = 40;

impl Report {
    /// Compares the answers to one question.
    pub fn add(
        &mut self,
        name: &str,
        question: &Question,
        ours: &mut Ours,
        opa: &Answer,
        oracle: &mut Oracle,
    ) {
        if self.last == name {
            // One difference of a policy is enough to look at.
            return;
        }
        let answer = ours.answer(question);
        match answer.verdict(opa) {
            Verdict::Equal => {
                if let (Answer::Refused(why), true) = (opa, std::env::var_os("REGO_SHOW_UNSOUND").is_some()) {
                    println!("unsound {name}: {why}");
                }
                let kind = match opa {
                    Answer::Value(_) => "values",
                    Answer::Undefined => "undefined",
                    Answer::Failed(_) => "failures",
                    _ => "refusals",
                };
                *self.equal.entry(kind).or_default() += 1;
            }
            Verdict::Refused => {
                self.refused += 1;
                if std::env::var_os("REGO_SHOW_REFUSED").is_some() {
                    println!("refused {name}: {answer}\n{question}");
                }
            }
            Verdict::Unknown => self.unknown += 1,
            Verdict::Different if self.different.len() < SHOWN => {
                name.clone_into(&mut self.last);
                let lines: usize = question.modules.iter().map(|module| module.lines().count()).sum();
                let shown = if lines > CUT_DOWN {
                    format!("{question}OPA:  {opa}\nours: {answer}\n")
                } else {
                    let (question, ours, opa) = shrink(question.clone(), ours, oracle);
                    format!("{question}OPA:  {opa}\nours: {ours}\n")
                };
                self.different.push(format!("--- {name}\n{shown}"));
            }
            Verdict::Different => {
                name.clone_into(&mut self.last);
                self.different.push(format!("--- {name}, not shown\n"));
            }
        }
    }

    /// Prints the counts so far.
    pub fn tell(&self, what: &str) {
        println!(
            "{what}: equal {:?}, {} refused by us alone, {} without an answer of both, {} different",
            self.equal,
            self.refused,
            self.unknown,
            self.different.len()
        );
    }

    /// Prints the counts, writes the differences to `REGO_DIFFERENCES` if that is set.
    ///
    /// # Panics
    /// If there is a difference.
    pub fn close(&self, what: &str) {
        self.tell(what);
        if let Ok(file) = std::env::var("REGO_DIFFERENCES") {
            std::fs::write(file, self.different.join("\n")).unwrap();
        }
        assert!(self.different.is_empty(), "{}", self.different.iter().take(3).cloned().collect::<String>());
    }
}
