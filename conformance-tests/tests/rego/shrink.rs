//! Cutting a question down to what shows a difference still.

use super::answer::{Answer, Verdict};
use super::oracle::Oracle;
use super::ours::Ours;
use super::question::Question;

/// The smallest question found that both engines answer differently, with the answers: ours, and OPA's.
pub fn shrink(question: Question, ours: &mut Ours, oracle: &mut Oracle) -> (Question, Answer, Answer) {
    let mut best = question;
    let mut differs = |candidate: &Question| {
        ours.answer(candidate).verdict(&oracle.answer(candidate)) == Verdict::Different
    };
    loop {
        let candidates = smaller(&best);
        let Some(next) = candidates.into_iter().find(|candidate| differs(candidate)) else { break };
        best = next;
    }
    let answers = (ours.answer(&best), oracle.answer(&best));
    (best, answers.0, answers.1)
}

/// The question without a rule, a line, or the input.
fn smaller(question: &Question) -> Vec<Question> {
    let mut found = Vec::new();
    for (at, module) in question.modules.iter().enumerate() {
        if question.modules.len() > 1 {
            let mut fewer = question.clone();
            fewer.modules.remove(at);
            found.push(fewer);
        }
        let mut without = |from: usize, to: usize| {
            let kept: Vec<_> = module
                .lines()
                .enumerate()
                .filter(|(line, _)| *line < from || *line >= to)
                .map(|(_, line)| line)
                .collect();
            let mut fewer = question.clone();
            fewer.modules[at] = kept.join("\n") + "\n";
            found.push(fewer);
        };
        let lines: Vec<_> = module.lines().collect();
        let starts = |line: &&str| !line.is_empty() && !line.starts_with(['\t', '}', ' ']);
        let heads: Vec<usize> =
            lines.iter().enumerate().filter(|(_, line)| starts(line)).map(|(at, _)| at).collect();
        for (index, head) in heads.iter().enumerate().skip(1) {
            without(*head, heads.get(index + 1).copied().unwrap_or(lines.len()));
        }
        for (line, text) in lines.iter().enumerate() {
            if text.starts_with('\t') {
                without(line, line + 1);
            }
        }
    }
    if question.input.as_deref().is_some_and(|input| input != "{}") {
        found.push(Question { input: Some("{}".to_owned()), ..question.clone() });
    }
    found
}
