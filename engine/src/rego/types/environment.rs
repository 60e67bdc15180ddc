//! What is known where: the types of rules by their path, of variables by scope, and what `with` replaces.

use super::kind::{self, Key, Known, Type, any, or, select, values};
use crate::rego::front::form::{DATA, INPUT, Kind, Term, Var};
use crate::value::Value;
use std::collections::HashMap;
use std::rc::Rc;

/// A tree of types by path.
#[derive(Debug, Default)]
pub(super) struct Node<'p> {
    pub(super) kind: Known<'p>,
    pub(super) children: Vec<(Value<'p>, Node<'p>)>,
}

impl<'p> Node<'p> {
    pub(super) fn child(&self, key: Value<'_>) -> Option<&Node<'p>> {
        self.children.iter().find(|(name, _)| *name == key).map(|(_, node)| node)
    }

    fn child_mut(&mut self, key: Value<'p>) -> Option<&mut Node<'p>> {
        let at = if let Some(at) = self.children.iter().position(|(name, _)| *name == key) {
            at
        } else {
            self.children.push((key, Node::default()));
            self.children.len() - 1
        };
        self.children.get_mut(at).map(|(_, node)| node)
    }

    /// Sets the type at a path.
    pub(super) fn put(&mut self, path: &[Value<'p>], kind: Known<'p>) {
        match path.split_first() {
            None => self.kind = kind,
            Some((first, rest)) => {
                if let Some(child) = self.child_mut(*first) {
                    child.put(rest, kind);
                }
            }
        }
    }

    /// Adds a rule's type: merged with what is there, into objects above, and with what is below.
    pub(super) fn insert(&mut self, path: &[Value<'p>], kind: &Rc<Type<'p>>) {
        let Some((first, rest)) = path.split_first() else {
            self.kind = merge(&self.kind, &Some(Rc::clone(kind)));
            if matches!(kind.as_ref(), Type::Object(..)) {
                let mut leaves = Vec::new();
                self.children.iter().for_each(|(key, child)| child.leaves(&mut vec![*key], &mut leaves));
                for (path, leaf) in leaves {
                    if let Some(Type::Object(members, more)) = self.kind.as_deref() {
                        self.kind = Some(into_object(members, more.as_ref(), &path, &leaf));
                    }
                }
            }
            return;
        };
        let Some(child) = self.child_mut(*first) else { return };
        if !rest.is_empty()
            && let Some(Type::Object(members, more)) = child.kind.as_deref()
        {
            child.kind = Some(into_object(members, more.as_ref(), rest, kind));
        }
        child.insert(rest, kind);
    }

    fn leaves(&self, path: &mut Vec<Value<'p>>, found: &mut Vec<(Vec<Value<'p>>, Rc<Type<'p>>)>) {
        if let Some(kind) = &self.kind {
            found.push((path.clone(), Rc::clone(kind)));
            return;
        }
        for (key, child) in &self.children {
            path.push(*key);
            child.leaves(path, found);
            path.pop();
        }
    }

    /// The type of all that is here and below.
    pub(super) fn extent(&self) -> Rc<Type<'p>> {
        if let Some(kind) = &self.kind {
            return Rc::clone(kind);
        }
        let members =
            self.children.iter().map(|(key, child)| (Key::Scalar(*key), Some(child.extent()))).collect();
        kind::object(members, Some((Some(Rc::new(Type::String)), Some(any()))))
    }
}

/// An object with a value of this type somewhere below.
fn into_object<'p>(
    members: &[(Key<'p>, Known<'p>)],
    rest: Option<&(Known<'p>, Known<'p>)>,
    path: &[Value<'p>],
    kind: &Rc<Type<'p>>,
) -> Rc<Type<'p>> {
    let Some((first, below)) = path.split_first() else {
        return Rc::new(Type::Object(members.to_vec(), rest.cloned()));
    };
    let key = Some(kind::scalar(*first));
    let value = if below.is_empty() { Rc::clone(kind) } else { into_object(&[], None, below, kind) };
    let rest = match rest {
        Some((keys, values)) => (or(keys, &key), or(values, &Some(value))),
        None => (key, Some(value)),
    };
    Rc::new(Type::Object(members.to_vec(), Some(rest)))
}

/// The type of a document that two rules define.
fn merge<'p>(one: &Known<'p>, other: &Known<'p>) -> Known<'p> {
    let (Some(a), Some(b)) = (one, other) else { return one.clone().or_else(|| other.clone()) };
    match (a.as_ref(), b.as_ref()) {
        (Type::Object(first, rest), Type::Object(second, more)) if first.is_empty() && second.is_empty() => {
            match (rest, more) {
                (None, _) => other.clone(),
                (_, None) => one.clone(),
                (Some((key, value)), Some((other_key, other_value))) => {
                    let rest = (or(key, other_key), merge(value, other_value));
                    Some(Rc::new(Type::Object(Vec::new(), Some(rest))))
                }
            }
        }
        (Type::Object(first, Some((key, value))), Type::OneOf(kinds)) if first.is_empty() => {
            let open = |kind: &&Rc<Type<'p>>| matches!(kind.as_ref(), Type::Object(members, Some(_)) if members.is_empty());
            let Some(found) = kinds.iter().find(open) else { return or(one, other) };
            let others = kinds.iter().filter(|kind| *kind != found).cloned();
            let Type::Object(_, Some((other_key, other_value))) = found.as_ref() else {
                return or(one, other);
            };
            let rest = (or(other_key, key), or(other_value, value));
            let merged = Rc::new(Type::Object(Vec::new(), Some(rest)));
            let mut kinds: Vec<_> = others.chain([merged]).collect();
            kinds.sort();
            kinds.dedup();
            Some(Rc::new(Type::OneOf(kinds)))
        }
        (Type::Set(of), Type::Set(more)) => Some(Rc::new(Type::Set(or(of, more)))),
        (Type::OneOf(_), Type::OneOf(_)) => or(one, other),
        (Type::OneOf(_), _) => merge(other, one),
        _ => or(one, other),
    }
}

/// What is known in a body.
pub(super) struct Scope<'r, 'p> {
    /// Rules, below `data`.
    pub(super) rules: &'r Node<'p>,
    /// What `with` replaces, innermost last: the roots `input` and `data`.
    pub(super) replaced: Vec<Rc<Replaced<'p>>>,
    /// Variables, innermost last.
    pub(super) vars: Vec<HashMap<Var, Known<'p>>>,
}

/// Documents as a `with` leaves them.
#[derive(Debug, Default)]
pub(super) struct Replaced<'p> {
    pub(super) input: Option<Node<'p>>,
    pub(super) data: Option<Node<'p>>,
}

impl<'p> Scope<'_, 'p> {
    pub(super) fn var(&self, var: Var) -> Known<'p> {
        self.vars.iter().rev().find_map(|scope| scope.get(&var)).cloned().flatten()
    }

    pub(super) fn set(&mut self, var: Var, kind: Known<'p>) {
        if let Some(scope) = self.vars.last_mut() {
            scope.insert(var, kind);
        }
    }

    /// The trees that hold a root, innermost first; those of rules last.
    pub(super) fn trees(&self, root: Var) -> Vec<TreeAt> {
        let mut found = Vec::new();
        for (at, replaced) in self.replaced.iter().enumerate().rev() {
            let held = if root == INPUT { &replaced.input } else { &replaced.data };
            if held.is_some() {
                found.push(TreeAt::Replaced(at));
            }
        }
        if root == DATA && !self.rules.children.is_empty() {
            found.push(TreeAt::Rules);
        }
        found
    }

    /// Calls with the root node of a tree.
    pub(super) fn tree(&self, at: TreeAt, root: Var) -> Option<&Node<'p>> {
        match at {
            TreeAt::Rules => Some(self.rules),
            TreeAt::Replaced(at) => {
                let replaced = self.replaced.get(at)?;
                if root == INPUT { replaced.input.as_ref() } else { replaced.data.as_ref() }
            }
        }
    }

    /// The type of a reference.
    pub(super) fn reference(&self, parts: &[Term<'p>]) -> Known<'p> {
        let (head, tail) = parts.split_first()?;
        let root = head.as_var()?;
        if root != INPUT && root != DATA {
            return select_path(&self.var(root), tail);
        }
        for at in self.trees(root) {
            if let Some(node) = self.tree(at, root)
                && let Some(found) = below(node, tail)
            {
                return found;
            }
        }
        Some(any())
    }
}

/// One of the trees of a scope.
#[derive(Clone, Copy, Debug)]
pub(super) enum TreeAt {
    Replaced(usize),
    Rules,
}

/// The type at a path below a node; the outer `None`: the tree does not know.
fn below<'p>(node: &Node<'p>, tail: &[Term<'p>]) -> Option<Known<'p>> {
    let Some((first, rest)) = tail.split_first() else { return Some(Some(node.extent())) };
    let child = match first.kind {
        Kind::Scalar(key) => node.child(key),
        _ => None,
    };
    if node.kind.is_some() {
        return match child {
            Some(child) => below(child, rest),
            None => Some(select_path(&node.kind, tail)),
        };
    }
    if constant(first).is_none() {
        return Some(select_path(&Some(node.extent()), tail));
    }
    child.and_then(|child| below(child, rest))
}

/// The type at a path within a type.
fn select_path<'p>(kind: &Known<'p>, path: &[Term<'p>]) -> Known<'p> {
    let (Some(here), Some((first, rest))) = (kind, path.split_first()) else { return kind.clone() };
    let next = match first.kind {
        Kind::Var(_) | Kind::Ref(_) | Kind::Array(_) | Kind::Object(_) | Kind::Set(_) => {
            if kind::is_empty(here) {
                return Some(any());
            }
            values(here)
        }
        _ => constant(first).and_then(|key| select(here, &key)),
    };
    select_path(&next, rest)
}

/// A term as a constant key.
pub(super) fn constant<'p>(term: &Term<'p>) -> Option<Key<'p>> {
    if let Kind::Scalar(value) = &term.kind {
        Some(Key::Scalar(*value))
    } else {
        let (text, kind) = constant_collection(term)?;
        Some(Key::Collection(text, kind))
    }
}

/// The JSON of a constant, in which a set is an array, with its type as JSON has it.
fn constant_collection<'p>(term: &Term<'p>) -> Option<(String, Rc<Type<'p>>)> {
    match &term.kind {
        Kind::Scalar(value) => Some((value.to_string(), kind::scalar(*value))),
        Kind::Array(items) | Kind::Set(items) => {
            let mut found = Vec::new();
            for item in items {
                found.push(constant_collection(item)?);
            }
            if matches!(term.kind, Kind::Set(_)) {
                found.sort();
                found.dedup();
            }
            let (texts, kinds): (Vec<_>, Vec<_>) =
                found.into_iter().map(|(text, kind)| (text, Some(kind))).unzip();
            Some((format!("[{}]", texts.join(",")), Rc::new(Type::Array(kinds, None))))
        }
        Kind::Object(pairs) => {
            let (mut texts, mut members) = (Vec::new(), Vec::new());
            for (key, value) in pairs {
                let (name, (text, kind)) = (constant(key)?, constant_collection(value)?);
                texts.push(format!("{}:{text}", constant_collection(key)?.0));
                members.push((name, Some(kind)));
            }
            texts.sort();
            Some((format!("{{{}}}", texts.join(",")), kind::object(members, None)))
        }
        _ => None,
    }
}
