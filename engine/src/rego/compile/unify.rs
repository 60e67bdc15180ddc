//! Code for `=` and `:=`: what two terms have to say to each other, and patterns that take a value apart.

use super::body::Generator;
use super::code::{Pattern, Step, X};
use crate::rego::front::form::{Kind, Term, Var};

impl<'p> Generator<'_, '_, 'p> {
    /// Unifies a value with a term.
    pub(super) fn give(&mut self, x: X<'p>, term: &Term<'p>) {
        match term.kind {
            Kind::Var(var) if !self.is_bound(var) => self.bind(var, x),
            _ if self.is_ready(term) => {
                let other = self.x(term);
                self.equal(x, other);
            }
            _ => {
                let pattern = self.pattern(term);
                self.push(Step::Match(x, pattern));
            }
        }
    }

    pub(super) fn equal(&mut self, left: X<'p>, right: X<'p>) {
        match (left.as_constant(), right.as_constant()) {
            (Some(left), Some(right)) if left == right => {}
            (Some(_), Some(_)) => self.push(Step::Fail),
            _ => {
                let (left, right) = (self.told(left), self.told(right));
                self.push(Step::Equal(left, right));
            }
        }
    }

    pub(super) fn bind(&mut self, var: Var, x: X<'p>) {
        self.bound.insert(var);
        match x {
            X::Constant(value) => {
                self.constants.insert(var, value);
            }
            x if self.counts.get(var) == 2 && self.compiler.names.is_made(var) && !self.compiler.traced => {
                self.pending.push((var, x, self.place));
            }
            x => {
                let slot = self.slot(var);
                self.push(Step::Bind(slot, x));
            }
        }
    }

    pub(super) fn unify(&mut self, left: &Term<'p>, right: &Term<'p>) {
        for (one, other) in [(left, right), (right, left)] {
            if let Kind::Var(var) = one.kind
                && !self.is_bound(var)
                && self.is_ready(other)
            {
                let x = self.x(other);
                return self.bind(var, x);
            }
        }
        let (left_ready, right_ready) = (self.is_ready(left), self.is_ready(right));
        match (&left.kind, &right.kind) {
            _ if left_ready && right_ready => {
                let (left, right) = (self.x(left), self.x(right));
                self.equal(left, right);
            }
            (_, Kind::Ref(parts)) if !right_ready && (left_ready || is_pattern(left)) => {
                self.reference_into(parts, left, true);
            }
            (Kind::Ref(parts), _) if !left_ready && (right_ready || is_pattern(right)) => {
                self.reference_into(parts, right, false);
            }
            (Kind::Ref(_), Kind::Ref(_)) => {
                let left = self.x(left);
                let left = self.cheap(left);
                let right = self.x(right);
                self.equal(left, right);
            }
            (Kind::Array(_) | Kind::Object(_), _) if right_ready => {
                let x = self.x(right);
                let pattern = self.pattern(left);
                self.push(Step::Match(x, pattern));
            }
            (_, Kind::Array(_) | Kind::Object(_)) if left_ready => {
                let x = self.x(left);
                let pattern = self.pattern(right);
                self.push(Step::Match(x, pattern));
            }
            (Kind::Array(left), Kind::Array(right)) => {
                if left.len() == right.len() {
                    self.pairs(left.iter().zip(right).collect());
                } else {
                    self.push(Step::Fail);
                }
            }
            (Kind::Object(left), Kind::Object(right)) => self.objects(left, right),
            _ => {
                // Two variables that nothing binds: refused by the safety check before.
                self.push(Step::Fail);
            }
        }
    }

    /// Pairs of terms, whichever can be unified first.
    pub(super) fn pairs(&mut self, mut pairs: Vec<(&Term<'p>, &Term<'p>)>) {
        while !pairs.is_empty() {
            let ready = pairs.iter().position(|(left, right)| {
                self.is_ready(left) || self.is_ready(right) || (is_nested(left) && is_nested(right))
            });
            let (left, right) = pairs.remove(ready.unwrap_or(0));
            self.unify(left, right);
        }
    }

    pub(super) fn objects(&mut self, left: &[(Term<'p>, Term<'p>)], right: &[(Term<'p>, Term<'p>)]) {
        if left.len() != right.len() {
            return self.push(Step::Fail);
        }
        let mut pairs = Vec::with_capacity(left.len());
        for (key, value) in left {
            match right.iter().find(|(other, _)| other == key) {
                Some((_, other)) => pairs.push((value, other)),
                None => return self.push(Step::Fail),
            }
        }
        self.pairs(pairs);
    }

    /// What a value must look like to unify with a term.
    pub(super) fn pattern(&mut self, term: &Term<'p>) -> Pattern<'p> {
        match &term.kind {
            Kind::Var(var) if !self.is_bound(*var) => {
                if self.counts.get(*var) == 1 {
                    return Pattern::Any;
                }
                self.bound.insert(*var);
                Pattern::Bind(self.slot(*var))
            }
            _ if self.is_ready(term) => {
                let x = self.x(term);
                Pattern::Equal(x)
            }
            Kind::Array(items) => Pattern::Array(items.iter().map(|item| self.pattern(item)).collect()),
            Kind::Object(pairs) => {
                Pattern::Object(pairs.iter().map(|(key, value)| (self.x(key), self.pattern(value))).collect())
            }
            _ => {
                let x = self.x(term);
                Pattern::Equal(x)
            }
        }
    }
}

/// Whether a term can be matched against a value, whatever is bound in it.
fn is_pattern(term: &Term<'_>) -> bool {
    matches!(term.kind, Kind::Var(_) | Kind::Array(_) | Kind::Object(_))
}

fn is_nested(term: &Term<'_>) -> bool {
    matches!(term.kind, Kind::Array(_) | Kind::Object(_))
}
