//! What rules did, as people read it: an expression a line, the values that it saw below it, why it fails behind it.

use super::text::Page;
use crate::output::{BAD, GOOD, PLACE, QUIET, STRONG, styled};
use anstyle::Style;
use serde_json::Value;
use wayguard_engine::rego::trace::{ClauseTrace, ExprTrace, Line, Outcome, RuleTrace, Seen, Way};

/// Longer values are cut.
const VALUE: usize = 62;
/// And those of arguments.
const ARGUMENT: usize = 30;
/// Functions are followed so far where everything is told.
const DEEPEST: usize = 4;
/// The steps of indentation.
const STEP: usize = 2;

/// Tells a rule that a policy was asked for. `whole`: its bodies that came to nothing too, expression by expression.
pub(super) fn rule(page: &mut Page<'_>, indent: usize, rule: &RuleTrace, whole: bool) {
    let name = rule.rule.rsplit('.').next().unwrap_or(&rule.rule);
    let file = rule.clauses.first().map(|clause| clause.at.file.as_str()).unwrap_or_default();
    let gave = match &rule.value {
        _ if rule.failed => "could not be evaluated".to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "gives nothing".to_owned(),
        Some(Value::Array(items)) if items.len() == 1 => "gives 1 result".to_owned(),
        Some(Value::Array(items)) => format!("gives {} results", items.len()),
        Some(value) => format!("gives {}", shown(value)),
        None => "is undefined".to_owned(),
    };
    page.line(indent, &format!("rule {} {gave}  {}", styled(STRONG, name), styled(PLACE, file)));
    for one in &rule.clauses {
        if whole || one.outcome == Outcome::Held || rule.failed {
            clause(page, indent + STEP, one, if whole { 0 } else { DEEPEST - 1 });
        } else {
            summary(page, indent + STEP, one);
        }
    }
}

/// A body, expression by expression; `depth`: in how many functions it stands.
fn clause(page: &mut Page<'_>, indent: usize, clause: &ClauseTrace, depth: usize) {
    let remark = match clause.outcome {
        Outcome::Held => "",
        Outcome::Failed => "  does not hold",
        Outcome::NotBegun => "  could not hold, and was not begun",
        Outcome::NotNeeded => "  was not needed",
    };
    page.line(indent, &format!("{} {}{}", number(&clause.at), clause.at.text, styled(QUIET, remark)));
    let inner = indent + STEP;
    body(page, inner, &clause.body, &clause.at, depth);
    for at in &clause.not_reached {
        page.line(inner, &styled(QUIET, format_args!("{} · {}  not looked at", plain_number(at), at.text)));
    }
}

fn body(page: &mut Page<'_>, indent: usize, exprs: &[ExprTrace], head: &Line, depth: usize) {
    for expr in exprs {
        // What the head makes of its variables is its value, which is told with the rule.
        if *expr.at == *head && expr.held && expr.ways.is_empty() && expr.calls.is_empty() {
            continue;
        }
        expression(page, indent, expr, head, depth);
    }
}

fn expression(page: &mut Page<'_>, indent: usize, expr: &ExprTrace, head: &Line, depth: usize) {
    let sign = if expr.held { styled(GOOD, "✓") } else { styled(BAD, "✗") };
    page.line(indent, &format!("{} {sign} {}", number(&expr.at), expr.at.text));
    // Below the text of the expression.
    let below = indent + 8;
    if !expr.why.is_empty() {
        page.text(below, STEP, BAD, &expr.why);
    }
    values(page, below, &expr.values, &expr.at.text, &expr.why);
    calls(page, below, expr, depth);
    for way in &expr.inside {
        // What was gone through and held as it must needs no word.
        if depth == 0 || !expr.held || way.alike > 0 || told_calls(&way.body) {
            inside(page, below, way, expr, depth);
        }
    }
    ways(page, indent, &expr.ways, head, depth);
}

fn told_calls(body: &[ExprTrace]) -> bool {
    body.iter().any(|expr| !expr.calls.is_empty())
}

/// What stands in braces, or behind `not`.
fn inside(page: &mut Page<'_>, indent: usize, way: &Way, around: &ExprTrace, depth: usize) {
    for expr in &way.body {
        if expr.at == around.at {
            let new: Vec<Seen> =
                expr.values.iter().filter(|seen| !around.values.contains(seen)).cloned().collect();
            values(page, indent, &new, &expr.at.text, &around.why);
            calls(page, indent, expr, depth);
        } else {
            expression(page, indent, expr, &around.at, depth);
        }
    }
    more(page, indent, way.alike);
}

/// What follows, for each way in which an expression holds.
fn ways(page: &mut Page<'_>, indent: usize, ways: &[Way], head: &Line, depth: usize) {
    if let [only] = ways
        && only.alike == 0
    {
        values(page, indent + 8, &only.bindings, "", "");
        return body(page, indent, &only.body, head, depth);
    }
    for way in ways {
        let bound = if way.bindings.is_empty() { "once more".to_owned() } else { pairs(&way.bindings) };
        let (sign, style) = if way.held { ("holds", GOOD) } else { ("does not hold", BAD) };
        page.text(indent + 6, STEP, Style::new(), &format!("for {bound}: {}", styled(style, sign)));
        body(page, indent + 6, &way.body, head, depth);
        more(page, indent + 6, way.alike);
    }
}

fn more(page: &mut Page<'_>, indent: usize, alike: usize) {
    if alike > 0 {
        page.line(indent, &styled(QUIET, format_args!("and {alike} more like this")));
    }
}

/// The rules and functions that were asked: those that gave nothing with the reason, all of them where everything is
/// told.
fn calls(page: &mut Page<'_>, indent: usize, expr: &ExprTrace, depth: usize) {
    for call in &expr.calls {
        let is_no = matches!(&call.value, None | Some(Value::Bool(false)));
        if depth > DEEPEST || !(is_no || depth == 0 || !expr.held) {
            continue;
        }
        page.text(indent, STEP, Style::new(), &heading(call));
        for one in &call.clauses {
            if depth + 1 < DEEPEST && depth < 2 {
                clause(page, indent + STEP, one, depth + 1);
            } else {
                summary(page, indent + STEP, one);
            }
        }
    }
}

fn heading(call: &RuleTrace) -> String {
    let args: Vec<String> = call.args.iter().map(|arg| cut(arg, ARGUMENT)).collect();
    let args = if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) };
    match &call.value {
        _ if call.failed => format!("{}{args} could not be evaluated:", call.rule),
        Some(value) => format!("{}{args} is {}:", call.rule, shown(value)),
        None => format!("{}{args} is undefined:", call.rule),
    }
}

/// A body in one line: where it failed.
fn summary(page: &mut Page<'_>, indent: usize, clause: &ClauseTrace) {
    let said = match (clause.outcome, end(&clause.body)) {
        (Outcome::Held, _) => "holds".to_owned(),
        (Outcome::NotNeeded, _) => "was not needed".to_owned(),
        (_, Some(expr)) if expr.why.is_empty() || expr.at.text.starts_with("not ") => {
            format!("ends at line {}: {}", expr.at.line, expr.at.text)
        }
        (_, Some(expr)) => format!("ends at line {}: {}", expr.at.line, expr.why),
        (_, None) => "does not hold".to_owned(),
    };
    page.line(indent, &format!("{} {}", number(&clause.at), clause.at.text));
    page.text(indent + 8, STEP, QUIET, &said);
}

/// The expression that a body came to last.
fn end(body: &[ExprTrace]) -> Option<&ExprTrace> {
    let last = body.last()?;
    last.ways.iter().find_map(|way| end(&way.body)).or(Some(last))
}

/// Values, each once; what says no more than the expression does is left out.
fn values(page: &mut Page<'_>, indent: usize, seen: &[Seen], text: &str, why: &str) {
    let is_said = |seen: &&Seen| {
        let is_truth = matches!(seen.value, Value::Bool(true)) && text.contains(&seen.name);
        let is_reason = matches!(seen.value, Value::Bool(false)) && why.starts_with(&seen.name);
        // What a variable holds is told where it is bound.
        let is_plain = seen.name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        let is_large = matches!(&seen.value, Value::Array(items) if !items.is_empty())
            || matches!(&seen.value, Value::Object(members) if !members.is_empty());
        let is_bound = text.is_empty() || text.starts_with(&format!("{} :=", seen.name));
        !(is_truth || is_reason || (is_plain && is_large && !is_bound))
    };
    for seen in seen.iter().filter(is_said) {
        page.text(indent, STEP, QUIET, &format!("{} = {}", seen.name, shown(&seen.value)));
    }
}

fn pairs(seen: &[Seen]) -> String {
    let pair = |seen: &Seen| format!("{} = {}", seen.name, shown(&seen.value));
    seen.iter().map(pair).collect::<Vec<_>>().join(", ")
}

fn number(at: &Line) -> String {
    styled(PLACE, plain_number(at))
}

fn plain_number(at: &Line) -> String {
    format!("{:>4}", at.line)
}

/// A value on one line.
pub(super) fn shown(value: &Value) -> String {
    cut(value, VALUE)
}

fn cut(value: &Value, longest: usize) -> String {
    let text = value.to_string();
    if text.chars().count() <= longest {
        return text;
    }
    let short: String = text.chars().take(longest).collect();
    format!("{short}…")
}
