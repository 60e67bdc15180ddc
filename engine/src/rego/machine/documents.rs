//! Documents below `data`: base documents, replaced ones, and whole extents of packages with what their rules give.

use super::Machine;
use super::scene::{merge, stored};
use crate::rego::compile::code::{Code, Node, NodeId, Operand, Pattern};
use crate::value::Value;

/// Where a step goes on: its code, its place in it, and whether one success is enough.
type Then<'a> = (&'a Code<'a>, usize, bool);

impl<'a> Machine<'a, '_> {
    /// The base document at a path, with what `with` put there.
    pub(super) fn stored(&self, path: &[Value<'a>]) -> Option<Value<'a>> {
        let real = |whole: Option<Value<'a>>| path.iter().try_fold(whole?, |value, key| stored(value, *key));
        let Some(over) = self.scene.over else { return real(self.data) };
        let over = path.iter().try_fold(over, |value, key| index(value, *key));
        if self.scene.replaces(path) {
            return over;
        }
        match (over, real(self.data)) {
            (Some(over), Some(real)) => Some(merge(self.arena, over, real)),
            (over, real) => over.or(real),
        }
    }

    /// The base document of a node; `data.system` is no part of `data`.
    fn stored_at(&self, node: &Node<'a>) -> Option<Value<'a>> {
        match self.stored(&node.path) {
            Some(Value::Object(object)) if node.path.is_empty() && object.get("system").is_some() => {
                Some(Value::Object(object.without(&self.arena, "system")))
            }
            base => base,
        }
    }

    /// Everything below a node.
    pub(super) fn extent(&mut self, id: NodeId) -> Option<Value<'a>> {
        let node = self.tree_node(id)?;
        if self.scene.replaces(&node.path) {
            return self.stored(&node.path);
        }
        if let Some(rule) = node.rule {
            return self.document(rule);
        }
        let base = self.stored_at(node);
        let unsure = self.unsure;
        let rules = self.leaves(node);
        if self.failure.is_some() || self.unsure != unsure {
            return None;
        }
        match base {
            Some(base) => Some(merge(self.arena, base, rules)),
            None => Some(rules),
        }
    }

    fn tree_node(&self, id: NodeId) -> Option<&'a Node<'a>> {
        self.code.nodes.get(id as usize)
    }

    /// What rules give below a node.
    fn leaves(&mut self, node: &'a Node<'a>) -> Value<'a> {
        let mut pairs = Vec::with_capacity(node.children.len());
        for (key, child) in &node.children {
            let Some(below) = self.tree_node(*child) else { continue };
            if below.path.as_ref() == [Value::String("system")] {
                continue;
            }
            let value = match below.rule {
                Some(rule) => self.document(rule),
                None if below.function.is_some() => None,
                None => Some(self.leaves(below)),
            };
            if let Some(value) = value {
                pairs.push((*key, value));
            }
            if self.failure.is_some() {
                break;
            }
        }
        Value::object(&self.arena, pairs)
    }

    /// Continues with each document that operands find below a node; true: nothing else need be tried.
    pub(super) fn below(
        &mut self,
        id: NodeId,
        operands: &'a [Operand<'a>],
        value: &'a Pattern<'a>,
        then: Then<'a>,
    ) -> bool {
        let Some(node) = self.tree_node(id) else { return false };
        let Some((operand, rest)) = operands.split_first() else {
            return match self.extent(id) {
                Some(found) => self.found(found, value, then),
                None => self.no(then.0, then.1),
            };
        };
        match operand {
            Operand::Key(x) => match self.x(x) {
                Some(key) => self.below_key(node, key, rest, value, then),
                None => self.no(then.0, then.1),
            },
            Operand::Any(pattern) => {
                let base = self.stored_at(node);
                let more =
                    node.children.keys().filter(|key| base.is_none_or(|base| index(base, **key).is_none()));
                let keys: Vec<Value<'a>> =
                    base.map(keys_of).unwrap_or_default().into_iter().chain(more.copied()).collect();
                for key in keys {
                    if !self.tick() {
                        return self.no(then.0, then.1);
                    }
                    if self.matches(pattern, key) && self.below_key(node, key, rest, value, then) {
                        return true;
                    }
                    if self.no(then.0, then.1) {
                        return true;
                    }
                }
                false
            }
        }
    }

    fn below_key(
        &mut self,
        node: &'a Node<'a>,
        key: Value<'a>,
        rest: &'a [Operand<'a>],
        value: &'a Pattern<'a>,
        then: Then<'a>,
    ) -> bool {
        let path: Vec<Value<'a>> = node.path.iter().copied().chain([key]).collect();
        if let Some(child) = node.children.get(&key).copied()
            && !self.scene.replaces(&path)
        {
            let Some(below) = self.tree_node(child) else { return false };
            if let Some(rule) = below.rule {
                return match self.document(rule) {
                    Some(found) => self.inside(found, rest, value, then),
                    None => self.no(then.0, then.1),
                };
            }
            return below.function.is_none() && self.below(child, rest, value, then);
        }
        match self.stored(&path) {
            Some(found) => self.inside(found, rest, value, then),
            None => false,
        }
    }

    /// Continues with each member of a value that operands find.
    fn inside(
        &mut self,
        found: Value<'a>,
        operands: &'a [Operand<'a>],
        value: &'a Pattern<'a>,
        then: Then<'a>,
    ) -> bool {
        let Some((operand, rest)) = operands.split_first() else { return self.found(found, value, then) };
        match operand {
            Operand::Key(x) => match self.x(x).and_then(|key| index(found, key)) {
                Some(inner) => self.inside(inner, rest, value, then),
                None => self.no(then.0, then.1),
            },
            Operand::Any(pattern) => {
                for key in keys_of(found) {
                    if !self.tick() {
                        return self.no(then.0, then.1);
                    }
                    if self.matches(pattern, key)
                        && let Some(inner) = index(found, key)
                        && self.inside(inner, rest, value, then)
                    {
                        return true;
                    }
                    if self.no(then.0, then.1) {
                        return true;
                    }
                }
                false
            }
        }
    }

    fn found(&mut self, found: Value<'a>, value: &'a Pattern<'a>, (code, at, first): Then<'a>) -> bool {
        if self.matches(value, found) { self.run(code, at + 1, first) } else { self.no(code, at) }
    }
}

/// The keys of a collection: indices, names, or the members of a set.
fn keys_of(value: Value<'_>) -> Vec<Value<'_>> {
    match value {
        Value::Array(items) => {
            (0..items.len()).filter_map(|at| i64::try_from(at).ok()).map(Value::int).collect()
        }
        Value::Set(set) => set.items().to_vec(),
        _ => value.entries().into_iter().flatten().map(|(key, _)| key).collect(),
    }
}

/// The member of a value that a key selects.
#[inline]
pub(super) fn index<'a>(value: Value<'a>, key: Value<'a>) -> Option<Value<'a>> {
    match (value, key) {
        (Value::Object(object), Value::String(key)) => object.get(key),
        (Value::Array(items), Value::Number(number)) => items.get(number.as_place()?).copied(),
        // What was asked for, which may be written otherwise than the member: `1` for `1.0`.
        (Value::Set(set), key) => set.find(key).map(|_| key),
        (Value::Map(map), key) => map.get(key),
        _ => None,
    }
}
