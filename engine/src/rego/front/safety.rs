//! An order in which every variable is bound before it is needed, as OPA finds it; what has none is unsafe.

use super::form::{Body, Expr, ExprKind, Kind, Operand, Term, Var};
use super::names::Names;
use super::outputs::{Arity, output_vars, output_vars_of_body};
use super::read::Problem;
use super::visit::{ALL, SAFETY, Vars, each_term_of};
use crate::rego::place::Place;
use std::collections::{BTreeMap, HashMap};

/// Variables that nothing binds, with the expression that needs them.
#[derive(Debug, Default)]
pub(crate) struct Unsafe {
    found: Vec<(Place, bool, Vars, Vars)>,
}

impl Unsafe {
    fn add(&mut self, expr: &Expr<'_>, vars: &Vars) {
        let assigned = match (&expr.kind, expr.assigned) {
            (ExprKind::Call(_, args), true) => args.first().map(|left| ALL.of_term(left)).unwrap_or_default(),
            _ => Vars::new(),
        };
        self.found.push((expr.place, expr.assigned, vars.clone(), assigned));
    }

    /// The words for a person.
    pub(crate) fn report(&self, names: &Names, problems: &mut Vec<Problem>) {
        let assigned: Vars = self.found.iter().flat_map(|found| &found.3).copied().collect();
        let mut first: BTreeMap<Var, Place> = BTreeMap::new();
        for (place, _, vars, _) in &self.found {
            for var in vars {
                let at = first.entry(*var).or_insert(*place);
                *at = (*at).min(*place);
            }
        }
        let shown = |var: Var| names.shown(var).filter(|_| !names.is_wildcard(var));
        let other = first.keys().any(|var| shown(*var).is_some() && !assigned.contains(var));
        let known = problems.len();
        for (var, place) in &first {
            if other && assigned.contains(var) {
                continue;
            }
            match shown(*var) {
                Some(name @ ("if" | "in" | "every" | "contains" | "and" | "or" | "not")) => problems.push((
                    *place,
                    format!(
                        "var {name} is unsafe (hint: `import future.keywords.{name}` to import a future keyword)"
                    ),
                )),
                Some(name) => problems.push((*place, format!("var {name} is unsafe"))),
                None => {}
            }
        }
        if problems.len() > known {
            return;
        }
        let mut places: Vec<Place> = self.found.iter().map(|found| found.0).collect();
        places.sort_unstable();
        places.dedup();
        problems.extend(places.into_iter().map(|place| (place, "expression is unsafe".to_owned())));
    }
}

/// Orders `body`, and all bodies in it, given the variables that are bound before it.
pub(crate) fn order<'p>(body: Body<'p>, arity: Arity<'_>, bound: &Vars, found: &mut Unsafe) -> Body<'p> {
    let known = found.found.len();
    let visible: Vec<Vars> = body.iter().map(|expr| visible(expr, arity)).collect();
    let body_vars: Vars = visible.iter().flatten().copied().collect();
    let mut safe: Vars = body_vars.intersection(bound).copied().collect();
    let mut needs: Vec<Vars> = visible.iter().map(|vars| vars.difference(&safe).copied().collect()).collect();
    let closed: Vec<Vars> = body
        .iter()
        .map(|expr| {
            let inside = closed_over(expr);
            inside.intersection(&body_vars).filter(|var| !bound.contains(var)).copied().collect()
        })
        .collect();
    let mut slots: Vec<Option<Expr<'p>>> = body.into_iter().map(Some).collect();
    let mut ordered: Body<'p> = Vec::with_capacity(slots.len());
    let mut visible_in_order: Vec<Vars> = Vec::with_capacity(slots.len());
    loop {
        let before = ordered.len();
        for (at, slot) in slots.iter_mut().enumerate() {
            let Some(expr) = slot.as_ref() else { continue };
            let (Some(need), Some(closed)) = (needs.get_mut(at), closed.get(at)) else { continue };
            let outputs = output_vars(expr, arity, &safe);
            if !closed.is_empty() {
                let given = output_vars_of_body(&ordered, arity, &safe);
                let missing: Vars = closed.difference(&given).copied().collect();
                if !missing.is_empty() {
                    // A closure over exactly what the expression itself binds.
                    if missing == outputs {
                        continue;
                    }
                    *need = missing;
                }
            }
            need.retain(|var| !outputs.contains(var) && !safe.contains(var));
            if need.is_empty()
                && let Some(expr) = slot.take()
            {
                ordered.push(expr);
                visible_in_order.push(visible.get(at).cloned().unwrap_or_default());
                safe.extend(outputs);
            }
        }
        if ordered.len() == before {
            break;
        }
    }
    for (slot, need) in slots.iter().zip(&needs) {
        if let Some(expr) = slot {
            found.add(expr, need);
        }
    }
    let mut globals = bound.clone();
    let mut previous: Option<Vars> = None;
    for (expr, visible) in ordered.iter_mut().zip(visible_in_order) {
        globals.extend(previous.take().unwrap_or_default());
        previous = Some(visible);
        order_closures(expr, arity, &mut globals, found);
    }
    if found.found.len() > known {
        // The order does not matter any more, but nothing may get lost.
        ordered.extend(slots.into_iter().flatten());
    }
    ordered
}

/// The variables of an expression that must be bound or that it binds; from bodies without braces those that the
/// body does not bind and use itself.
fn visible(expr: &Expr<'_>, arity: Arity<'_>) -> Vars {
    let mut vars = SAFETY.of_expr(expr);
    let implicit = |body: &Body<'_>, braces: bool, vars: &mut Vars| {
        if !braces {
            vars.extend(unbound_in_implicit(body, arity));
        }
    };
    match &expr.kind {
        ExprKind::Not { body, braces } => implicit(body, *braces, &mut vars),
        ExprKind::And(sides) | ExprKind::Or(sides) => {
            for Operand { body, braces } in sides.iter() {
                implicit(body, *braces, &mut vars);
            }
        }
        _ => {}
    }
    vars
}

fn unbound_in_implicit(body: &Body<'_>, arity: Arity<'_>) -> Vars {
    let mut occurrences: HashMap<Var, usize> = HashMap::new();
    for expr in body {
        for var in SAFETY.of_expr(expr) {
            *occurrences.entry(var).or_default() += 1;
        }
    }
    if body.len() == 1 {
        return occurrences.into_keys().collect();
    }
    let mut safe: Vars = occurrences.keys().copied().collect();
    safe.extend([super::form::INPUT, super::form::DATA]);
    for expr in body {
        if let Some((left, right)) = expr.as_unification() {
            [left, right].into_iter().filter_map(Term::as_var).for_each(|var| {
                safe.remove(&var);
            });
        }
    }
    let mut bindings = Vars::new();
    loop {
        let before = bindings.len();
        for expr in body {
            if let Some((left, right)) = expr.as_unification() {
                for var in super::outputs::output_vars_of_unification(left, right, expr.assigned, &safe) {
                    bindings.insert(var);
                    safe.insert(var);
                }
            }
        }
        if bindings.len() == before {
            break;
        }
    }
    for expr in body {
        if let ExprKind::Call(callee, args) = &expr.kind
            && !callee.is("eq")
            && let Some(arity) = arity(callee)
        {
            args.iter().skip(arity).for_each(|arg| super::visit::OUTPUTS.term(arg, &mut bindings));
        }
    }
    occurrences
        .into_iter()
        .filter(|(var, count)| *count == 1 || !bindings.contains(var))
        .map(|(var, _)| var)
        .collect()
}

/// The variables inside the closures of an expression.
fn closed_over(expr: &Expr<'_>) -> Vars {
    let mut vars = Vars::new();
    match &expr.kind {
        ExprKind::Every(every) => ALL.body(&every.body, &mut vars),
        ExprKind::Not { body, .. } => ALL.body(body, &mut vars),
        ExprKind::And(sides) | ExprKind::Or(sides) => {
            sides.iter().for_each(|side| ALL.body(&side.body, &mut vars));
        }
        _ => {}
    }
    let mut outer = expr.clone();
    if !matches!(outer.kind, ExprKind::Term(_) | ExprKind::Call(..) | ExprKind::Every(_)) {
        outer.kind = ExprKind::Some(Vec::new());
    }
    if let ExprKind::Every(every) = &mut outer.kind {
        every.body.clear();
    }
    each_term_of(&outer, &mut |term| {
        let closure = matches!(term.kind, Kind::ArrayOf(_) | Kind::SetOf(_) | Kind::ObjectOf(_));
        if closure {
            ALL.term(term, &mut vars);
        }
        closure
    });
    vars
}

fn order_closures(expr: &mut Expr<'_>, arity: Arity<'_>, globals: &mut Vars, found: &mut Unsafe) {
    let outline = Expr { kind: ExprKind::Some(Vec::new()), withs: Vec::new(), ..expr.clone() };
    match &mut expr.kind {
        ExprKind::Every(every) => {
            globals.extend(every.key);
            globals.insert(every.value);
            reorder(&mut every.body, arity, globals, found);
        }
        ExprKind::Not { body, .. } => reorder(body, arity, globals, found),
        ExprKind::And(sides) | ExprKind::Or(sides) => {
            sides.iter_mut().for_each(|side| reorder(&mut side.body, arity, globals, found));
        }
        ExprKind::Term(term) => order_in(term, &outline, arity, globals, found),
        ExprKind::Call(_, args) => {
            args.iter_mut().for_each(|arg| order_in(arg, &outline, arity, globals, found));
        }
        ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
    }
    for with in &mut expr.withs {
        order_in(&mut with.value, &outline, arity, globals, found);
    }
}

fn reorder(body: &mut Body<'_>, arity: Arity<'_>, globals: &Vars, found: &mut Unsafe) {
    let written = std::mem::take(body);
    *body = order(written, arity, globals, found);
}

fn order_in(term: &mut Term<'_>, expr: &Expr<'_>, arity: Arity<'_>, globals: &Vars, found: &mut Unsafe) {
    match &mut term.kind {
        Kind::Scalar(_) | Kind::Var(_) | Kind::Template(_) => {}
        Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
            items.iter_mut().for_each(|item| order_in(item, expr, arity, globals, found));
        }
        Kind::Object(pairs) => {
            for (key, value) in pairs {
                order_in(key, expr, arity, globals, found);
                order_in(value, expr, arity, globals, found);
            }
        }
        Kind::ArrayOf(of) | Kind::SetOf(of) => {
            let needed = ALL.of_term(&of.0);
            comprehension(&needed, &mut of.1, expr, arity, globals, found);
        }
        Kind::ObjectOf(of) => {
            let mut needed = ALL.of_term(&of.0);
            ALL.term(&of.1, &mut needed);
            comprehension(&needed, &mut of.2, expr, arity, globals, found);
        }
    }
}

fn comprehension(
    needed: &Vars,
    body: &mut Body<'_>,
    expr: &Expr<'_>,
    arity: Arity<'_>,
    globals: &Vars,
    found: &mut Unsafe,
) {
    let given: Vars = body.iter().flat_map(|expr| visible(expr, arity)).collect();
    let missing: Vars =
        needed.iter().filter(|var| !given.contains(var) && !globals.contains(var)).copied().collect();
    if !missing.is_empty() {
        found.add(expr, &missing);
    }
    reorder(body, arity, globals, found);
}
