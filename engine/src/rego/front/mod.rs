//! The front of the compiler: from syntax trees to rules in the shape that code is made of, or everything that is
//! wrong with them.
//!
//! ```text
//! syntax ─► read (names) ─► locals ─► templates ─► expand (calls) ─► withs ─► rules (conflicts, calls)
//!        ─► safety (order) ─► dynamics (references) ─► rules (recursion) ─► types
//! ```
//! The stages and their order are OPA's, because what a policy means hangs on them: an operand that is taken out of
//! a `not` makes the whole body undefined, one that is left in makes the `not` true.

mod expand;
pub(crate) mod form;
mod locals;
pub(crate) mod names;
mod outputs;
mod read;
pub(crate) mod rules;
mod safety;
mod sorted;
mod templates;
pub(crate) mod visit;
mod withs;

use super::place::Place;
use super::syntax::tree::{self, Version};
use super::types::{self, Types};
use crate::value::{Arena, Value};
use expand::{Expander, dynamics};
use form::{Body, Clause, Expr, ExprKind};
use locals::Locals;
use names::Names;
use read::Reader;
use rules::Tree;
use safety::Unsafe;
use std::collections::HashSet;
use templates::Templates;
use visit::{ALL, SAFETY, Vars};
use withs::Withs;

pub(crate) use read::Problem;

/// Rules that are ready to be compiled.
#[derive(Debug)]
pub(crate) struct Policy<'p> {
    pub(crate) tree: Tree<'p>,
    pub(crate) names: Names,
    /// What is known of the rules' values.
    types: Types<'p>,
}

/// Reads and checks all modules together; `files` are their places in the program's list. `external_data`: they may
/// ask providers.
///
/// # Errors
/// Everything that is wrong.
pub(crate) fn policy<'p, A: Arena<'p>>(
    arena: &A,
    modules: &[tree::Module],
    external_data: bool,
) -> Result<Policy<'p>, Vec<Problem>> {
    let mut names = Names::default();
    let mut problems = Vec::new();
    let exports = read::exports(modules);
    let mut rules = Vec::new();
    let mut promised = Vec::new();
    let mut packages = Vec::new();
    for (file, module) in modules.iter().enumerate() {
        let file = u16::try_from(file).unwrap_or(u16::MAX);
        if module.promised >= Version::V1 {
            v1_promises(file, module, &mut problems);
        }
        let mut reader = Reader::new(arena, &mut names, &mut problems, file, module, &exports);
        let read = module.rules.iter().map(|rule| reader.rule(rule));
        rules.extend(read);
        promised.resize(rules.len(), module.promised >= Version::V1);
        let path: Vec<Value<'p>> =
            module.package.path.iter().map(|name| Value::String(arena.text(&name.text))).collect();
        packages.push((path, Place::of(file, module.package.span)));
    }
    stop(&mut problems)?;

    rules.iter_mut().for_each(|rule| Expander { names: &mut names }.head_path(rule));
    let paths: Vec<_> = packages.iter().map(|(path, _)| path.clone()).collect();
    let mut tree = Tree::new(rules, &paths);
    tree.external_data = external_data;
    let mut rules = std::mem::take(&mut tree.rules);
    for rule in &mut rules {
        Locals::new(&mut names, &mut problems).rule(rule);
    }
    stop(&mut problems)?;

    let arity = |callee: &form::Callee<'_>| tree.arity(callee);
    for clause in rules.iter_mut().flat_map(|rule| &mut rule.clauses) {
        Templates { names: &mut names, problems: &mut problems, arity: &arity }.clause(clause);
        void_calls(clause, &mut problems);
    }
    stop(&mut problems)?;

    for clause in rules.iter_mut().flat_map(|rule| &mut rule.clauses) {
        let mut expander = Expander { names: &mut names };
        expander.clause(clause);
        expander.comprehensions(&mut clause.body);
        let heads = clause.args.iter_mut().chain(&mut clause.tail);
        heads.chain(std::iter::once(clause.result.term_mut())).for_each(|term| expander.comprehension(term));
        expander.heads(clause);
        let mut withs = Withs { names: &mut names, problems: &mut problems, tree: &tree };
        withs.body(&mut clause.body);
    }
    tree.rules = rules;
    tree.conflicts(&packages, &mut problems);
    for (rule, promised) in tree.rules.iter().zip(&promised) {
        rule.clauses.iter().for_each(|clause| tree.calls(clause, *promised, &mut problems));
    }
    stop(&mut problems)?;

    let mut rules = std::mem::take(&mut tree.rules);
    let arity = |callee: &form::Callee<'_>| tree.arity(callee);
    for clause in rules.iter_mut().flat_map(|rule| &mut rule.clauses) {
        unsafe_head(clause, &names, &mut problems);
        let mut bound = withs::reserved();
        clause.args.iter().for_each(|arg| ALL.term(arg, &mut bound));
        let mut found = Unsafe::default();
        let written = std::mem::take(&mut clause.body);
        clause.body = safety::order(written, &arity, &bound, &mut found);
        found.report(&names, &mut problems);
    }
    stop(&mut problems)?;

    for clause in rules.iter_mut().flat_map(|rule| &mut rule.clauses) {
        dynamics(&mut Expander { names: &mut names }, &mut clause.body);
    }
    tree.rules = rules;
    tree.recursion(&mut problems);
    stop(&mut problems)?;
    let types = types::rules(&tree, &names).or_else(refused)?;
    Ok(Policy { tree, names, types })
}

/// A query that is ready to be compiled.
#[derive(Debug)]
pub(crate) struct Query<'p> {
    pub(crate) body: Body<'p>,
    /// For each expression that was written, the variable that holds its value.
    pub(crate) values: Vec<Option<form::Var>>,
}

/// Reads and checks a query against a policy.
///
/// # Errors
/// Everything that is wrong.
pub(crate) fn query<'p, A: Arena<'p>>(
    arena: &A,
    policy: &mut Policy<'p>,
    file: u16,
    body: &[tree::Expr],
) -> Result<Query<'p>, Vec<Problem>> {
    let Policy { tree, names, types } = policy;
    let mut problems = Vec::new();
    let mut body = Reader::for_query(arena, names, &mut problems, file).query(body);
    stop(&mut problems)?;
    Locals::new(names, &mut problems).query(&mut body);
    let arity = |callee: &form::Callee<'_>| tree.arity(callee);
    Templates { names, problems: &mut problems, arity: &arity }.body(&mut body, &withs::reserved());
    let place = body.first().map(|expr| expr.place).unwrap_or_default();
    let result = form::Result::Value(Expr::truth(place).into_term());
    let mut clause = Clause { args: Vec::new(), tail: Vec::new(), result, body, place };
    void_calls(&clause, &mut problems);
    stop(&mut problems)?;
    let mut expander = Expander { names };
    expander.body(&mut clause.body);
    let values = capture(&mut clause.body, tree, names);
    Expander { names }.comprehensions(&mut clause.body);
    Withs { names, problems: &mut problems, tree }.body(&mut clause.body);
    tree.calls(&clause, false, &mut problems);
    stop(&mut problems)?;
    let mut found = Unsafe::default();
    let written = std::mem::take(&mut clause.body);
    clause.body = safety::order(written, &arity, &withs::reserved(), &mut found);
    found.report(names, &mut problems);
    stop(&mut problems)?;
    dynamics(&mut Expander { names }, &mut clause.body);
    types::query(tree, names, types, &clause.body).or_else(refused)?;
    Ok(Query { body: clause.body, values })
}

/// Gives each expression of a query that has a value a variable for it. Where there is more than one expression, or
/// any iteration, a value must not be false.
fn capture<'p>(body: &mut Body<'p>, tree: &Tree<'p>, names: &mut Names) -> Vec<Option<form::Var>> {
    let written = body.iter().filter(|expr| !expr.generated).count();
    let checks = written > 1 || body.iter().any(iterates);
    let mut values = Vec::new();
    let mut extras = Vec::new();
    for expr in body.iter_mut().filter(|expr| !expr.generated) {
        let place = expr.place;
        let var = names.made();
        let kind = std::mem::replace(&mut expr.kind, ExprKind::Some(Vec::new()));
        let (kind, captured) = match kind {
            kind if expr.negated => (kind, false),
            ExprKind::Term(term) => (Expr::unify(form::Term::var(var, place), term, place).kind, true),
            ExprKind::Call(callee, mut args)
                if !callee.is("eq")
                    && !callee.path.first().is_some_and(|name| name.ends_with("print"))
                    && tree.arity(&callee) == Some(args.len()) =>
            {
                args.push(form::Term::var(var, place));
                (ExprKind::Call(callee, args), true)
            }
            kind => (kind, false),
        };
        expr.kind = kind;
        values.push(captured.then_some(var));
        if captured && checks {
            let test = Expr::new(ExprKind::Term(form::Term::var(var, place)), place);
            extras.push(Expr { generated: true, ..test });
        }
    }
    body.extend(extras);
    values
}

/// Whether a reference of an expression has an operand that is a variable.
fn iterates(expr: &Expr<'_>) -> bool {
    let mut found = false;
    visit::each_term_of(expr, &mut |term| {
        if let form::Kind::Ref(parts) = &term.kind {
            found = found || parts.iter().skip(1).any(|part| part.as_var().is_some());
        }
        matches!(term.kind, form::Kind::ArrayOf(_) | form::Kind::SetOf(_) | form::Kind::ObjectOf(_))
    });
    found
}

/// Problems in the order of their places, each once.
fn refused<T>(mut problems: Vec<Problem>) -> Result<T, Vec<Problem>> {
    stop(&mut problems)?;
    Err(problems)
}

fn stop(problems: &mut Vec<Problem>) -> Result<(), Vec<Problem>> {
    if problems.is_empty() {
        return Ok(());
    }
    problems.sort();
    problems.dedup();
    Err(std::mem::take(problems))
}

/// What Rego v1 does not let a module do.
fn v1_promises(file: u16, module: &tree::Module, problems: &mut Vec<Problem>) {
    let mut imported: HashSet<&str> = HashSet::new();
    for import in &module.imports {
        if !imported.insert(import.name()) {
            let message = format!("import must not shadow another import of `{}`", import.name());
            problems.push((Place::of(file, import.span), message));
        }
    }
    for rule in &module.rules {
        let name = rule.head.name.text.as_str();
        if matches!(name, "input" | "data") {
            let message = format!("rules must not shadow {name} (use a different rule name)");
            problems.push((Place::of(file, rule.head.name.span), message));
        }
    }
}

fn void_calls(clause: &Clause<'_>, problems: &mut Vec<Problem>) {
    let heads = clause.args.iter().chain(&clause.tail).chain(std::iter::once(clause.result.term()));
    heads.for_each(|term| templates::void_calls(term, problems));
    visit::each_expr_of_clause(clause, &mut |expr| {
        if let ExprKind::Term(_) | ExprKind::Call(..) | ExprKind::Every(_) = expr.kind {
            visit::own_terms(expr).into_iter().for_each(|term| templates::void_calls(term, problems));
        }
    });
}

/// Variables of a head that the body does not bind.
fn unsafe_head(clause: &Clause<'_>, names: &Names, problems: &mut Vec<Problem>) {
    let mut given = withs::reserved();
    SAFETY.body(&clause.body, &mut given);
    clause.args.iter().for_each(|arg| ALL.term(arg, &mut given));
    for term in clause.tail.iter().chain(std::iter::once(clause.result.term())) {
        let mut vars = Vars::new();
        ALL.term(term, &mut vars);
        for var in vars.difference(&given) {
            if let Some(name) = names.shown(*var) {
                problems.push((term.place, format!("var {name} is unsafe")));
            }
        }
    }
}
