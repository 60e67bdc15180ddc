//! Fields that are absent must not pass: comparisons and negations that are undefined, not true, where there is nothing.

use super::defined::InBody;
use super::polarity;
use super::rule::{Found, Rule, Severity};
use super::unit::{Unit, Whole};
use crate::rego::syntax::tree::{Body, Expr, ExprKind, Operator, Term, TermKind};

static FALSE: Rule = Rule {
    id: "absent-false",
    severity: Severity::Error,
    wants: "a field that must be true is not compared with `false`",
    why: "Where the field is absent the comparison is undefined, nothing is found, and the object passes. What must \
          be proven is written as a rule of its own, and its absence is what is found.",
    example: Some([
        "deny contains finding if {\n\tinput.review.object.spec.securityContext.runAsNonRoot == false\n\tfinding := \
         {\"path\": \"/spec/securityContext\", \"expected\": \"runAsNonRoot\"}\n}\n",
        "deny contains finding if {\n\tnot runs_as_non_root\n\tfinding := {\"path\": \"/spec/securityContext\", \
         \"expected\": \"runAsNonRoot\"}\n}\n\nruns_as_non_root if \
         input.review.object.spec.securityContext.runAsNonRoot == true\n",
    ]),
};

static NOT_EQUAL: Rule = Rule {
    id: "absent-not-equal",
    severity: Severity::Error,
    wants: "a field that may be absent is not compared by `!=`",
    why: "`x != \"a\"` is undefined, not true, where `x` is absent: what has no value at all is not found.",
    example: Some([
        "deny contains finding if {\n\tinput.review.object.spec.dnsPolicy != \"ClusterFirst\"\n\tfinding := \
         {\"path\": \"/spec/dnsPolicy\", \"expected\": \"ClusterFirst\"}\n}\n",
        "deny contains finding if {\n\tnot by_cluster\n\tfinding := {\"path\": \"/spec/dnsPolicy\", \"expected\": \
         \"ClusterFirst\"}\n}\n\nby_cluster if input.review.object.spec.dnsPolicy == \"ClusterFirst\"\n",
    ]),
};

static OPERAND: Rule = Rule {
    id: "absent-operand",
    severity: Severity::Error,
    wants: "what stands in a call, a comparison or an `in` below `not` is always there",
    why: "Operands are evaluated before the `not`. Where one is absent the whole rule is undefined, although `not` \
          looks as if it were then true: the object passes.",
    example: Some([
        "deny contains finding if {\n\tnot startswith(input.review.object.spec.schedulerName, \"team-\")\n\tfinding \
         := {\"path\": \"/spec/schedulerName\", \"expected\": \"one of the team's\"}\n}\n",
        "deny contains finding if {\n\tnot of_team\n\tfinding := {\"path\": \"/spec/schedulerName\", \"expected\": \
         \"one of the team's\"}\n}\n\nof_team if startswith(input.review.object.spec.schedulerName, \"team-\")\n",
    ]),
};

pub(super) const RULES: &[&Rule] = &[&FALSE, &NOT_EQUAL, &OPERAND];

const REMEDY: &str = "write what must hold as a rule of its own (`allowed if …`) and find what is `not allowed`; or take the field with \
     `object.get` and a default";

pub(super) fn check(unit: &Unit<'_>, whole: &Whole<'_>, found: &mut Found) {
    if unit.policy().is_none() {
        return;
    }
    let speaking = polarity::for_findings(unit, whole);
    for rule in unit.tree.rules.iter().filter(|rule| speaking.contains(&rule.head.name.text)) {
        let mut bodies: Vec<&Body> = vec![&rule.body];
        bodies.extend(rule.elses.iter().map(|other| &other.body));
        for body in bodies {
            let inside = InBody::new(body, unit, whole);
            body.iter().for_each(|expr| expression(expr, &inside, found));
        }
    }
}

fn expression(expr: &Expr, inside: &InBody<'_, '_>, found: &mut Found) {
    let ExprKind::Term(term) = &expr.kind else { return };
    let at = inside.unit.at(expr.span);
    if expr.negated {
        let operands: Vec<&Term> = match &term.kind {
            // An equality is true or not within the `not`, whatever a plain side of it is.
            TermKind::Infix(infix) if infix.operator == Operator::Equal => {
                [&infix.left, &infix.right].into_iter().filter(|side| !is_plain(side)).collect()
            }
            TermKind::Infix(infix) => vec![&infix.left, &infix.right],
            TermKind::Member(member) => {
                member.key.iter().chain([&member.value, &member.collection]).collect()
            }
            TermKind::Call(call) => call.args.iter().collect(),
            _ => return,
        };
        if let Some(field) = operands.into_iter().find_map(|operand| inside.may_be_absent(operand)) {
            let message =
                format!("where `{field}` is absent this is undefined, not true, and nothing is found");
            found.add(&OPERAND, at, message, REMEDY);
        }
        return;
    }
    let TermKind::Infix(infix) = &term.kind else { return };
    let sides = [&infix.left, &infix.right];
    let is_false = |term: &&Term| matches!(term.kind, TermKind::Bool(false));
    let rule = match infix.operator {
        Operator::Equal if sides.iter().any(is_false) => &FALSE,
        Operator::NotEqual => &NOT_EQUAL,
        _ => return,
    };
    if let Some(field) = sides.into_iter().find_map(|side| inside.may_be_absent(side)) {
        let message = format!("where `{field}` is absent this is undefined, not true, and nothing is found");
        found.add(rule, at, message, REMEDY);
    }
}

/// A reference or a name, which is looked up where it stands; what it is made of is evaluated before.
fn is_plain(term: &Term) -> bool {
    matches!(term.kind, TermKind::Ref(_) | TermKind::Var(_))
}
