//! What a term and a type, or two terms, say of each other.

use super::body::Checker;
use super::environment::{Scope, constant};
use super::kind::{self, Known, Type, any, is_unknown, or, select, unifies, values};
use crate::rego::front::form::{Kind, Term};
use std::rc::Rc;

impl<'p> Checker<'_, 'p> {
    /// Whether two terms can be equal; learns of variables on either side.
    pub(super) fn unify_terms(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        (one, kind_one): (&Term<'p>, &Known<'p>),
        (other, kind_other): (&Term<'p>, &Known<'p>),
    ) -> bool {
        match (is_unknown(kind_one), is_unknown(kind_other)) {
            (true, false) => return self.unify(scope, one, kind_other, false),
            (false, true) => return self.unify(scope, other, kind_one, false),
            (false, false) => return unifies(kind_one, kind_other),
            (true, true) => {}
        }
        match (&one.kind, &other.kind) {
            (Kind::Array(left), Kind::Array(right)) => {
                return left.len() == right.len()
                    && left.iter().zip(right).all(|(left, right)| self.unify_pair(scope, left, right));
            }
            (Kind::Object(left), Kind::Object(right)) => return self.unify_objects(scope, left, right),
            (Kind::Array(_) | Kind::Object(_), Kind::Var(_)) => return self.learn_from(scope, one, other),
            (Kind::Var(_), Kind::Array(_) | Kind::Object(_)) => return self.learn_from(scope, other, one),
            (Kind::Array(_) | Kind::Object(_), _) => return false,
            (Kind::Var(_), Kind::Var(_)) => {
                if !self.unify(scope, one, &Some(any()), false) {
                    return false;
                }
                let kind = self.kind(scope, one);
                return self.unify(scope, other, &kind, false);
            }
            (Kind::Var(_), Kind::Ref(_)) => return self.unify(scope, one, &Some(any()), false),
            (Kind::Ref(_), Kind::Var(_)) => return self.unify(scope, other, &Some(any()), false),
            _ => {}
        }
        match (&one.kind, &other.kind) {
            (Kind::Var(_), _) if kind_one.is_none() && kind_other.is_some() => {
                self.unify(scope, one, kind_other, false)
            }
            (_, Kind::Var(_)) if kind_other.is_none() && kind_one.is_some() => {
                self.unify(scope, other, kind_one, false)
            }
            _ => false,
        }
    }

    fn unify_pair(&mut self, scope: &mut Scope<'_, 'p>, one: &Term<'p>, other: &Term<'p>) -> bool {
        let (kind_one, kind_other) = (self.kind(scope, one), self.kind(scope, other));
        self.unify_terms(scope, (one, &kind_one), (other, &kind_other))
    }

    fn unify_objects(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        left: &[(Term<'p>, Term<'p>)],
        right: &[(Term<'p>, Term<'p>)],
    ) -> bool {
        left.len() == right.len()
            && left.iter().all(|(key, value)| {
                right
                    .iter()
                    .find(|(name, _)| name == key)
                    .is_some_and(|(_, other)| self.unify_pair(scope, value, other))
            })
    }

    /// A collection with unknown parts says what a variable is.
    fn learn_from(&mut self, scope: &mut Scope<'_, 'p>, collection: &Term<'p>, var: &Term<'p>) -> bool {
        if !self.unify(scope, collection, &Some(any()), false) {
            return false;
        }
        let kind = self.kind(scope, collection);
        self.unify(scope, var, &kind, false)
    }

    /// Whether a term can be of a type; variables that nothing is known of become of it. `union`: what is known of
    /// variables is widened by it.
    pub(super) fn unify(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        term: &Term<'p>,
        kind: &Known<'p>,
        union: bool,
    ) -> bool {
        match &term.kind {
            Kind::Array(_) | Kind::Object(_) | Kind::Set(_) => {
                self.unify_collection(scope, term, kind, union)
            }
            Kind::Var(var) => {
                let known = scope.var(*var);
                if union {
                    scope.set(*var, or(&known, kind));
                } else if known.is_some() {
                    return unifies(&known, kind);
                } else {
                    scope.set(*var, kind.clone());
                }
                true
            }
            _ => unifies(&self.kind(scope, term), kind),
        }
    }

    fn unify_collection(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        term: &Term<'p>,
        kind: &Known<'p>,
        union: bool,
    ) -> bool {
        let Some(declared) = kind else { return false };
        match (&term.kind, declared.as_ref()) {
            (Kind::Array(items), Type::Array(first, rest)) => {
                (items.len() == first.len() || rest.is_some())
                    && items.iter().enumerate().all(|(at, item)| {
                        let of = first.get(at).cloned().unwrap_or_else(|| rest.clone());
                        self.unify(scope, item, &of, union)
                    })
            }
            (Kind::Object(pairs), Type::Object(members, rest)) => {
                let open = rest.as_ref().is_some_and(|(_, value)| value.is_some());
                (pairs.len() == members.len() || open)
                    && pairs
                        .iter()
                        .all(|(key, value)| self.unify_member(scope, declared, (key, value), union))
            }
            (Kind::Set(items), Type::Set(_)) => {
                let of = values(declared);
                items.iter().all(|item| self.unify(scope, item, &of, union))
            }
            (_, Type::OneOf(kinds)) if kinds.is_empty() => {
                let anything = Some(any());
                for part in parts(term) {
                    self.unify(scope, part, &anything, true);
                }
                true
            }
            (_, Type::OneOf(kinds)) => {
                let mut found = false;
                for kind in kinds {
                    found |= self.unify(scope, term, &Some(Rc::clone(kind)), true);
                }
                found
            }
            _ => false,
        }
    }

    fn unify_member(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        object: &Rc<Type<'p>>,
        (key, value): (&Term<'p>, &Term<'p>),
        union: bool,
    ) -> bool {
        if let Some(key) = constant(key) {
            match select(object, &key) {
                Some(kind) => self.unify(scope, value, &Some(kind), union),
                None => false,
            }
        } else {
            self.unify(scope, value, &Some(any()), union);
            true
        }
    }

    /// The type of a term, as far as it is known.
    pub(super) fn kind(&mut self, scope: &mut Scope<'_, 'p>, term: &Term<'p>) -> Known<'p> {
        match &term.kind {
            Kind::Scalar(value) => Some(kind::scalar(*value)),
            Kind::Template(_) => Some(Rc::new(Type::String)),
            Kind::Var(var) => scope.var(*var),
            Kind::Ref(parts) => scope.reference(parts),
            Kind::Call(..) => None,
            Kind::Array(items) => {
                let items = items.iter().map(|item| self.kind(scope, item)).collect();
                Some(Rc::new(Type::Array(items, None)))
            }
            Kind::Set(items) => {
                let of = items.iter().fold(None, |found, item| or(&found, &self.kind(scope, item)));
                Some(Rc::new(Type::Set(of)))
            }
            Kind::Object(pairs) => {
                let (mut members, mut rest) = (Vec::new(), None);
                for (key, value) in pairs {
                    let kind = self.kind(scope, value);
                    match constant(key) {
                        Some(key) => members.push((key, kind)),
                        None => rest = Some((self.kind(scope, key), kind)),
                    }
                }
                Some(kind::object(members, rest))
            }
            Kind::ArrayOf(of) => self
                .within(scope, &of.1, |checker, scope| Type::Array(Vec::new(), checker.kind(scope, &of.0))),
            Kind::SetOf(of) => {
                self.within(scope, &of.1, |checker, scope| Type::Set(checker.kind(scope, &of.0)))
            }
            Kind::ObjectOf(of) => self.within(scope, &of.2, |checker, scope| {
                let rest = (checker.kind(scope, &of.0), checker.kind(scope, &of.1));
                Type::Object(Vec::new(), Some(rest))
            }),
        }
    }
}

/// The terms within a collection.
fn parts<'t, 'p>(term: &'t Term<'p>) -> Vec<&'t Term<'p>> {
    match &term.kind {
        Kind::Array(items) | Kind::Set(items) => items.iter().collect(),
        Kind::Object(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
        _ => Vec::new(),
    }
}
