//! Code for one body: its expressions in order, each variable a slot, what is bound known at every step.

use super::code::{
    ClauseCode, Code, EveryCode, Mock, Mocked, Named, Pattern, Replacement, RuleKind, Slot, Step, X,
};
use super::count::Counts;
use super::{Compiler, count, failing};
use crate::rego::builtins::{self, Body as BuiltinBody};
use crate::rego::front::form::{
    Body, Callee, Clause, DATA, Every, Expr, ExprKind, INPUT, Kind, Target, Term, Var, With,
};
use crate::rego::front::visit::{SAFETY, Vars, each_term, own_terms};
use crate::rego::place::Place;
use crate::value::Value;
use std::collections::{HashMap, HashSet};

/// Generates the code of one clause.
pub(crate) struct Generator<'g, 'c, 'p> {
    pub(super) compiler: &'g mut Compiler<'c, 'p>,
    pub(super) counts: Counts,
    pub(super) slots: HashMap<Var, Slot>,
    pub(super) bound: HashSet<Var>,
    /// Bound variables whose value is known now.
    pub(super) constants: HashMap<Var, Value<'p>>,
    /// Variables that are bound and used once: their expression is put where they are used.
    pub(super) pending: Vec<(Var, X<'p>, Place)>,
    pub(super) steps: Vec<(Step<'p>, Place)>,
    pub(super) next: Slot,
    /// How many of the first slots are arguments.
    pub(super) parameters: Slot,
    /// The expressions of the current body that have their mark.
    pub(super) marked: HashSet<Place>,
    /// In a program that is traced: what was marked last, of what is not written in a body the head.
    pub(super) current: Option<Place>,
    pub(super) head: Option<Place>,
    pub(super) place: Place,
}

impl<'g, 'c, 'p> Generator<'g, 'c, 'p> {
    pub(super) fn new(compiler: &'g mut Compiler<'c, 'p>, counts: Counts) -> Self {
        Self {
            compiler,
            counts,
            slots: HashMap::new(),
            bound: HashSet::new(),
            constants: HashMap::new(),
            pending: Vec::new(),
            steps: Vec::new(),
            next: 0,
            parameters: 0,
            marked: HashSet::new(),
            current: None,
            head: None,
            place: Place::default(),
        }
    }

    /// The code that was generated.
    pub(super) fn finish(mut self, constant: bool, place: Place) -> ClauseCode<'p> {
        self.flush();
        let named = self.compiler.traced.then(|| {
            let name =
                |(var, slot): (&Var, &Slot)| Some((*slot, self.compiler.names.shown(*var)?.to_owned()));
            let mut slots: Vec<(Slot, String)> = self.slots.iter().filter_map(name).collect();
            let unnamed = (0..self.parameters).filter(|slot| !slots.iter().any(|(known, _)| known == slot));
            let unnamed: Vec<_> = unnamed.map(|slot| (slot, format!("argument {}", slot + 1))).collect();
            slots.extend(unnamed);
            Box::new(Named { slots })
        });
        ClauseCode { slots: self.next, code: code_of(self.steps), constant, named, place }
    }

    /// What is made of the head belongs to this place.
    pub(super) fn headed(&mut self, place: Place) {
        self.head = Some(place);
    }

    /// The arguments are in the first slots.
    pub(super) fn parameters(&mut self, args: &[Term<'p>], place: Place) {
        self.place = place;
        self.next = Slot::try_from(args.len()).unwrap_or(Slot::MAX);
        self.parameters = self.next;
        for (slot, arg) in (0..).zip(args) {
            match arg.kind {
                Kind::Var(var) if !self.bound.contains(&var) => {
                    self.slots.insert(var, slot);
                    self.bound.insert(var);
                }
                _ if self.is_ready(arg) => {
                    let x = self.x(arg);
                    self.push(Step::Equal(X::Slot(slot), x));
                }
                _ => {
                    let pattern = self.pattern(arg);
                    self.push(Step::Match(X::Slot(slot), pattern));
                }
            }
        }
    }

    /// What the clause gives.
    pub(super) fn result(&mut self, clause: &Clause<'p>, kind: RuleKind) {
        let term = clause.result.term();
        let mut uses = Vec::new();
        clause.tail.iter().chain([term]).for_each(|term| count::term_in_order(term, &mut uses));
        self.mark(clause.place);
        self.settle(&uses, true);
        self.place = clause.place;
        let step = match kind {
            RuleKind::Complete | RuleKind::Function | RuleKind::Set => Step::Emit(self.x(term)),
            RuleKind::Pairs => {
                let key = clause.tail.first().map_or(X::Undefined, |key| self.x(key));
                Step::EmitPair(key, self.x(term))
            }
            RuleKind::Object => {
                let element = matches!(clause.result, crate::rego::front::form::Result::Element(_));
                let keys = clause.tail.iter().map(|key| self.x(key)).collect();
                Step::Put { keys, leaf: self.x(term), element }
            }
        };
        self.push(step);
    }

    /// As [`Self::result`], for a query: every solution counts.
    pub(super) fn solution(&mut self, term: &Term<'p>) {
        let x = self.x(term);
        self.push(Step::Emit(x));
    }

    // ---- slots and steps

    pub(super) fn fresh(&mut self) -> Slot {
        let slot = self.next;
        self.next = self.next.saturating_add(1);
        slot
    }

    pub(super) fn slot(&mut self, var: Var) -> Slot {
        if let Some(slot) = self.slots.get(&var) {
            return *slot;
        }
        let slot = self.fresh();
        self.slots.insert(var, slot);
        slot
    }

    pub(super) fn flush(&mut self) {
        for (var, x, place) in std::mem::take(&mut self.pending) {
            let slot = self.slot(var);
            self.steps.push((Step::Bind(slot, x), place));
        }
    }

    /// Of the expressions that wait for their use, those stay that what comes next uses, last and in this order; all
    /// others are evaluated now, as they would have been: which of two fails first can be seen.
    ///
    /// `orderly`: nothing but variables is evaluated before them; else those that can fail do not wait.
    pub(super) fn settle(&mut self, uses: &[Var], orderly: bool) {
        if !orderly && self.pending.iter().any(|(_, x, _)| failing::may_fail(x, self.compiler.strict)) {
            return self.flush();
        }
        let mut rest = uses;
        let mut keep = self.pending.len();
        while let Some((var, ..)) = keep.checked_sub(1).and_then(|last| self.pending.get(last)) {
            let Some(at) = rest.iter().rposition(|used| used == var) else { break };
            rest = rest.get(..at).unwrap_or_default();
            keep -= 1;
        }
        let kept = self.pending.split_off(keep);
        self.flush();
        self.pending = kept;
    }

    pub(super) fn push(&mut self, step: Step<'p>) {
        self.flush();
        self.steps.push((step, self.place));
    }

    /// Code of its own; what it binds is unknown after it.
    pub(super) fn closure(&mut self, fill: impl FnOnce(&mut Self)) -> Code<'p> {
        self.flush();
        let outer = std::mem::take(&mut self.steps);
        let (bound, constants, place) = (self.bound.clone(), self.constants.clone(), self.place);
        let (current, head) = (self.current.take(), self.head.take());
        fill(self);
        self.flush();
        let steps = std::mem::replace(&mut self.steps, outer);
        (self.bound, self.constants, self.place) = (bound, constants, place);
        (self.current, self.head) = (current, head);
        code_of(steps)
    }

    /// Something whose value can be told apart from what is made of it, where that is asked for.
    pub(super) fn told(&mut self, x: X<'p>) -> X<'p> {
        if self.compiler.traced { self.cheap(x) } else { x }
    }

    /// Something that can be evaluated again and again at no cost.
    pub(super) fn cheap(&mut self, x: X<'p>) -> X<'p> {
        if matches!(x, X::Slot(_) | X::Constant(_)) {
            return x;
        }
        let slot = self.fresh();
        self.push(Step::Bind(slot, x));
        X::Slot(slot)
    }

    // ---- what is known

    pub(super) fn is_bound(&self, var: Var) -> bool {
        matches!(var, INPUT | DATA) || self.bound.contains(&var)
    }

    /// Whether a term has one value as soon as it is asked.
    pub(super) fn is_ready(&self, term: &Term<'p>) -> bool {
        let mut vars = Vars::new();
        SAFETY.term(term, &mut vars);
        vars.into_iter().all(|var| self.is_bound(var))
    }

    // ---- bodies

    pub(super) fn body(&mut self, body: &[Expr<'p>]) {
        let outer = std::mem::take(&mut self.marked);
        let mut rest = body;
        while let Some((first, others)) = rest.split_first() {
            if first.withs.is_empty() {
                self.expr(first);
                rest = others;
                continue;
            }
            // Neighbours with the same modifiers share one change of scene.
            let same = others.iter().take_while(|other| same_withs(&first.withs, &other.withs)).count();
            let (group, others) = rest.split_at(same + 1);
            if self.compiler.traced {
                self.mark_expr(first);
            }
            self.place = first.place;
            self.flush();
            let replacements = first.withs.iter().map(|with| self.replacement(with)).collect();
            self.push(Step::With(replacements));
            group.iter().for_each(|expr| self.expr(expr));
            self.push(Step::EndWith);
            rest = others;
        }
        self.marked = outer;
    }

    /// What stands there is come to now: what waits is evaluated before.
    pub(super) fn mark(&mut self, place: Place) {
        if let Some(id) = self.compiler.marks.at(place) {
            self.flush();
            self.steps.push((Step::Mark(id), place));
        }
    }

    /// In a program that is traced an expression has a mark wherever it is gone on with, and so has the head.
    pub(super) fn mark_expr(&mut self, expr: &Expr<'p>) {
        if self.compiler.traced {
            let place = expr.written.or(self.head);
            if place.is_some() && self.current != place {
                self.current = place;
                place.iter().for_each(|place| self.mark(*place));
            }
        } else if let Some(written) = expr.written
            && self.marked.insert(written)
        {
            self.mark(written);
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr<'p>) {
        self.mark_expr(expr);
        self.settle(&count::in_order(expr), is_orderly(expr));
        self.place = expr.place;
        if expr.negated {
            let code = self.closure(|it| {
                it.kind(expr);
                it.push(Step::Yes);
            });
            return self.push(Step::Not(code));
        }
        self.kind(expr);
    }

    pub(super) fn kind(&mut self, expr: &Expr<'p>) {
        match &expr.kind {
            ExprKind::Term(term) => self.test(term),
            ExprKind::Call(callee, args) if callee.is("eq") => {
                if let [left, right] = args.as_slice() {
                    self.unify(left, right);
                }
            }
            ExprKind::Call(callee, args) => self.call_statement(callee, args),
            ExprKind::Every(every) => self.every(every),
            ExprKind::Not { body, .. } => {
                let code = self.holds(body);
                self.push(Step::Not(code));
            }
            ExprKind::And(sides) => {
                for side in sides.iter() {
                    let code = self.holds(&side.body);
                    self.push(Step::Holds(code));
                }
            }
            ExprKind::Or(sides) => {
                let [left, right] = sides.as_ref();
                let codes = (self.holds(&left.body), self.holds(&right.body));
                self.push(Step::Either(Box::new(codes)));
            }
            ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
        }
    }

    pub(super) fn holds(&mut self, body: &Body<'p>) -> Code<'p> {
        self.closure(|it| {
            it.body(body);
            it.push(Step::Yes);
        })
    }

    pub(super) fn every(&mut self, every: &Every<'p>) {
        let key = every.key.filter(|key| self.counts.get(*key) > 1).map(|key| (key, self.slot(key)));
        let domain = self.x(&every.domain);
        let domain = if key.is_none() { as_written(domain) } else { domain };
        let value = self.slot(every.value);
        let body = self.closure(|it| {
            it.bound.extend(key.map(|(key, _)| key));
            it.bound.insert(every.value);
            it.body(&every.body);
            it.push(Step::Yes);
        });
        let code = EveryCode { domain, key: key.map(|(_, slot)| slot), value, body };
        self.push(Step::Every(Box::new(code)));
    }

    pub(super) fn test(&mut self, term: &Term<'p>) {
        match self.x(term) {
            X::Constant(Value::Bool(false)) | X::Undefined => self.push(Step::Fail),
            X::Constant(_) => {}
            x => {
                let x = self.told(x);
                self.push(Step::Test(x));
            }
        }
    }

    pub(super) fn call_statement(&mut self, callee: &Callee<'p>, args: &[Term<'p>]) {
        let builtin = callee.name().and_then(builtins::find);
        if callee.is("internal.print") {
            let items = match args.first().map(|args| &args.kind) {
                Some(Kind::Array(items)) => items.as_slice(),
                _ => &[],
            };
            let items = items.iter().map(|item| self.x(item)).collect();
            return self.push(Step::Print(items));
        }
        let arity = self.compiler.tree.arity(callee).unwrap_or(args.len());
        let (inputs, output) = args.split_at(arity.min(args.len()));
        let output = output.first();
        if builtin.is_some_and(|builtin| matches!(builtin.body, BuiltinBody::Relation(_))) {
            let over = self.call(callee, inputs);
            let over = self.cheap(over);
            let value = output.map_or(Pattern::Any, |term| self.pattern(term));
            return self.push(Step::Each { over, key: Pattern::Any, value, cut: false });
        }
        let x = self.call(callee, inputs);
        match output {
            None => match x {
                X::Constant(Value::Bool(false)) | X::Undefined => self.push(Step::Fail),
                X::Constant(_) => {}
                x => {
                    let x = self.told(x);
                    self.push(Step::Test(x));
                }
            },
            Some(output) => self.give(x, output),
        }
    }

    // ---- with

    pub(super) fn replacement(&mut self, with: &With<'p>) -> Replacement<'p> {
        match &with.target {
            Target::Builtin(name) => match builtins::find(name) {
                Some(builtin) => {
                    let by = self.mock(with);
                    Replacement::Function { of: Mocked::Builtin(builtin), by }
                }
                None => Replacement::Input { path: Box::default(), value: X::Undefined },
            },
            Target::Document(parts) => {
                let path: Box<[Value<'p>]> = parts.iter().skip(1).filter_map(super::constant).collect();
                if parts.first().and_then(Term::as_var) == Some(INPUT) {
                    return Replacement::Input { path, value: self.x(&with.value) };
                }
                match self.compiler.function_at(&path) {
                    Some(id) => Replacement::Function { of: Mocked::Rule(id), by: self.mock(with) },
                    None => Replacement::Data { path, value: self.x(&with.value) },
                }
            }
        }
    }

    pub(super) fn mock(&mut self, with: &With<'p>) -> Mock<'p> {
        let Some(callee) = &with.function else {
            let x = self.x(&with.value);
            return Mock::Value(x);
        };
        if let Some(builtin) = callee.name().and_then(builtins::find) {
            return Mock::Builtin(builtin);
        }
        match self.compiler.function(callee) {
            Some((id, true)) => Mock::Rule(id),
            Some((id, false)) => Mock::Document(id),
            None => Mock::Value(X::Undefined),
        }
    }
}

/// Whether an expression evaluates its variables before all else, from left to right.
fn is_orderly(expr: &Expr<'_>) -> bool {
    let mut looks_up = false;
    for term in own_terms(expr) {
        each_term(term, &mut |term| {
            looks_up |= matches!(term.kind, Kind::Ref(_) | Kind::Var(INPUT | DATA));
            false
        });
    }
    let sides = expr.as_unification();
    !looks_up && sides.is_none_or(|(left, right)| left.as_var().is_some() || right.as_var().is_some())
}

/// What is gone through by its members alone. OPA goes through a set that stands there as it is written, constants
/// first, and not by the values of its members: it is seen in the order of what is made of them, in two members that
/// are equal, and where one fails.
pub(super) fn as_written(over: X<'_>) -> X<'_> {
    match over {
        X::Set(items) => X::Array(items),
        over => over,
    }
}

fn code_of(steps: Vec<(Step<'_>, Place)>) -> Code<'_> {
    let (steps, places): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
    Code { steps: steps.into(), places: places.into(), whole: false }
}

fn same_withs(left: &[With<'_>], right: &[With<'_>]) -> bool {
    let same_target = |left: &Target<'_>, right: &Target<'_>| match (left, right) {
        (Target::Document(left), Target::Document(right)) => left == right,
        (Target::Builtin(left), Target::Builtin(right)) => left == right,
        _ => false,
    };
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            same_target(&left.target, &right.target)
                && left.value == right.value
                && left.function.as_ref().map(|it| &it.path) == right.function.as_ref().map(|it| &it.path)
        })
}
