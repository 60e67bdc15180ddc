//! References: each operand must be a key that the document can have.

use super::body::Checker;
use super::environment::{Node, Scope, TreeAt, constant};
use super::kind::{self, Known, Type, any, keys, select, shown, unifies, values};
use crate::rego::front::Problem;
use crate::rego::front::form::{DATA, INPUT, Kind, Term};
use std::rc::Rc;

/// A step on the way through a reference ended it.
type Step = Result<(), Problem>;

impl<'p> Checker<'_, 'p> {
    pub(super) fn reference(&mut self, scope: &mut Scope<'_, 'p>, parts: &[Term<'p>]) -> Step {
        let Some(head) = parts.first() else { return Ok(()) };
        if let Some(Type::Function(_)) = scope.reference(parts).as_deref() {
            return Err(self.undefined(parts, "a function is no value"));
        }
        match head.as_var() {
            Some(root @ (INPUT | DATA)) => {
                let trees = scope.trees(root);
                self.through(scope, parts, root, &trees)
            }
            Some(var) => {
                if let Some(kind) = scope.var(var) {
                    self.leaf(scope, &kind, parts, 1)
                } else {
                    scope.set(var, Some(any()));
                    self.leaf(scope, &any(), parts, 1)
                }
            }
            None => Ok(()),
        }
    }

    /// Walks the trees of a root, the innermost first; the last that knows nothing leaves anything possible.
    fn through(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        parts: &[Term<'p>],
        root: u32,
        trees: &[TreeAt],
    ) -> Step {
        let Some((at, outer)) = trees.split_first() else { return self.leaf(scope, &any(), parts, 1) };
        if let Some(kind) = scope.tree(*at, root).and_then(|node| node.kind.clone()) {
            return self.leaf(scope, &kind, parts, 1);
        }
        let mut path = Vec::new();
        let mut index = 1;
        loop {
            let Some(part) = parts.get(index) else { return Ok(()) };
            let own_key = matches!(part.kind, Kind::Var(_)) || part.as_text().is_some();
            if index <= 2 && !own_key {
                return Err(
                    self.undefined(parts, &format!("`{}` cannot be a key there", self.shown_term(part)))
                );
            }
            let extent = scope.tree(*at, root).and_then(|node| follow(node, &path)).map(Node::extent);
            let Some(extent) = extent else { return self.through(scope, parts, root, outer) };
            if let Kind::Var(var) = part.kind {
                let keys = keys(&extent);
                match scope.var(var) {
                    Some(known) if !unifies(&keys, &Some(Rc::clone(&known))) => {
                        return Err(self.undefined(parts, &wrong_key(&known, &keys)));
                    }
                    Some(_) => {}
                    None => scope.set(var, keys),
                }
                return self.through(scope, parts, root, outer);
            }
            let Kind::Scalar(key) = part.kind else { return self.through(scope, parts, root, outer) };
            path.push(key);
            index += 1;
            let kind = match scope.tree(*at, root).and_then(|node| follow(node, &path)) {
                None => return self.through(scope, parts, root, outer),
                Some(node) => node.kind.clone(),
            };
            if let Some(kind) = kind {
                return self.leaf(scope, &kind, parts, index);
            }
        }
    }

    /// Goes on within a type.
    fn leaf(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        kind: &Rc<Type<'p>>,
        parts: &[Term<'p>],
        index: usize,
    ) -> Step {
        let Some(part) = parts.get(index) else { return Ok(()) };
        if kind::is_empty(kind) {
            return self.empty_leaf(scope, kind, parts, part);
        }
        let Some(keys) = keys(kind) else {
            let message = format!("{} has no parts", shown(&Some(Rc::clone(kind))));
            return Err(self.undefined(parts, &message));
        };
        let keys = Some(keys);
        match &part.kind {
            Kind::Var(var) => match scope.var(*var) {
                Some(known) if !unifies(&Some(Rc::clone(&known)), &keys) => {
                    return Err(self.undefined(parts, &wrong_key(&known, &keys)));
                }
                Some(_) => {}
                None => scope.set(*var, keys),
            },
            Kind::Ref(inner) => {
                if let Some(known) = scope.reference(inner)
                    && !unifies(&Some(Rc::clone(&known)), &keys)
                {
                    return Err(self.undefined(parts, &wrong_key(&known, &keys)));
                }
            }
            Kind::Array(_) | Kind::Object(_) | Kind::Set(_) => {
                if !self.unify(scope, part, &keys, false) {
                    let known = self.kind(scope, part).unwrap_or_else(any);
                    return Err(self.undefined(parts, &wrong_key(&known, &keys)));
                }
            }
            _ => {
                let Some(child) = constant(part).and_then(|key| select(kind, &key)) else {
                    let message =
                        format!("{} has no `{}`", shown(&Some(Rc::clone(kind))), self.shown_term(part));
                    return Err(self.undefined(parts, &message));
                };
                return self.leaf(scope, &child, parts, index + 1);
            }
        }
        match values(kind) {
            Some(kind) => self.leaf(scope, &kind, parts, index + 1),
            None => Ok(()),
        }
    }

    fn empty_leaf(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        kind: &Rc<Type<'p>>,
        parts: &[Term<'p>],
        part: &Term<'p>,
    ) -> Step {
        match &part.kind {
            Kind::Scalar(_) => Err(self.undefined(parts, "the collection is empty")),
            Kind::Var(var) => {
                let keys = keys(kind);
                match scope.var(*var) {
                    None => scope.set(*var, Some(any())),
                    Some(known) if keys.is_some() && !unifies(&Some(Rc::clone(&known)), &keys) => {
                        return Err(self.undefined(parts, &wrong_key(&known, &keys)));
                    }
                    Some(_) => {}
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn undefined(&self, parts: &[Term<'p>], why: &str) -> Problem {
        let place = parts.first().map(|part| part.place).unwrap_or_default();
        (place, format!("undefined ref: {}: {why}", self.shown_reference(parts)))
    }
}

fn follow<'n, 'p>(node: &'n Node<'p>, path: &[crate::value::Value<'p>]) -> Option<&'n Node<'p>> {
    path.iter().try_fold(node, |node, key| node.child(*key))
}

fn wrong_key(have: &Rc<Type<'_>>, want: &Known<'_>) -> String {
    format!("its keys are {}, not {}", shown(want), shown(&Some(Rc::clone(have))))
}
