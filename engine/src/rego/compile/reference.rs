//! Code for references: constant keys become paths, bound operands look-ups, others iterations; below `data` the
//! tree of rules decides what is a base document and what a rule.

use super::Compiler;
use super::body::Generator;
use super::code::{NodeId, Operand, Pattern, RuleId, Step, X};
use super::failing::may_fail;
use crate::rego::front::form::{Callee, DATA, Kind, Term};
use crate::value::Value;

/// Where the constant start of a reference ends.
enum Start<'p> {
    /// A value, and how many parts it took.
    At(X<'p>, usize),
    /// A node of the tree whose next operand is not constant.
    Tree(NodeId, usize),
}

impl<'p> Generator<'_, '_, 'p> {
    /// The value of a reference.
    pub(super) fn reference(&mut self, parts: &[Term<'p>]) -> X<'p> {
        match self.walk(parts, None) {
            Some(x) => x,
            None => X::Undefined,
        }
    }

    /// Unifies what a reference gives with a term; `first`: the term stands before the reference.
    pub(super) fn reference_into(&mut self, parts: &[Term<'p>], target: &Term<'p>, first: bool) {
        if let Some(x) = self.walk(parts, Some((target, first))) {
            let pattern = self.pattern(target);
            let step = match pattern {
                Pattern::Bind(slot) => Step::Bind(slot, x),
                Pattern::Equal(other) => Step::Equal(x, other),
                pattern => Step::Match(x, pattern),
            };
            self.push(step);
        }
    }

    /// As [`Self::reference`]; `None` if the last step matched `target` already.
    fn walk(&mut self, parts: &[Term<'p>], target: Option<(&Term<'p>, bool)>) -> Option<X<'p>> {
        let (target, first) = (target.map(|(target, _)| target), target.is_some_and(|(_, first)| first));
        let (mut x, taken) = match self.start(parts) {
            Start::At(x, taken) => (x, taken),
            Start::Tree(node, taken) => return self.tree(node, parts.get(taken..)?, target),
        };
        let mut operands = parts.get(taken..).unwrap_or_default();
        if let Some((member, keys)) = self.member_of(&x, operands) {
            x = member;
            operands = operands.get(keys..).unwrap_or_default();
        }
        // What the last member is compared with is evaluated once, before any iteration; where it stands behind the
        // reference and something can fail, it is seen which of the two is evaluated first.
        let iterates = operands.iter().any(|operand| !self.is_ready(operand));
        let wanted = match target {
            Some(target) if iterates && self.is_ready(target) => {
                if !first && may_fail(&x, self.compiler.strict) {
                    x = self.cheap(x);
                }
                let wanted = self.x(target);
                let waits = !first && may_fail(&wanted, self.compiler.strict);
                Some(if waits { wanted } else { self.cheap(wanted) })
            }
            _ => None,
        };
        let mut wanted = wanted;
        for (at, operand) in operands.iter().enumerate() {
            if let Some(key) = operand.as_text() {
                x = keyed(x, key);
                continue;
            }
            if self.is_ready(operand) {
                let key = self.x(operand);
                x = match key {
                    X::Constant(Value::String(key)) => keyed(x, key),
                    key => X::Index(Box::new((x, key))),
                };
                continue;
            }
            let last = at + 1 == operands.len();
            let key = self.pattern(operand);
            if let (true, Some(target)) = (last, target) {
                let value = match wanted.take() {
                    Some(wanted) => Pattern::Equal(wanted),
                    None => self.pattern(target),
                };
                self.each(x, key, value);
                return None;
            }
            let slot = self.fresh();
            self.each(x, key, Pattern::Bind(slot));
            x = X::Slot(slot);
        }
        match wanted {
            Some(wanted) => {
                self.push(Step::Equal(x, wanted));
                None
            }
            None => Some(x),
        }
    }

    fn each(&mut self, over: X<'p>, key: Pattern<'p>, value: Pattern<'p>) {
        let over = match key {
            Pattern::Any => super::body::as_written(over),
            _ => over,
        };
        let over = self.told(over);
        self.push(Step::Each { over, key, value, cut: false });
    }

    fn start(&mut self, parts: &[Term<'p>]) -> Start<'p> {
        let Some(head) = parts.first() else { return Start::At(X::Undefined, 0) };
        match head.kind {
            Kind::Var(DATA) => self.data(parts),
            _ => Start::At(self.x(head), 1),
        }
    }

    fn data(&mut self, parts: &[Term<'p>]) -> Start<'p> {
        let mut node = 0;
        let mut taken = 1;
        loop {
            if let Some(x) = self.compiler.document(node, parts.get(taken..).unwrap_or_default()) {
                return Start::At(x, taken);
            }
            let Some(part) = parts.get(taken) else {
                return Start::At(X::Node(number(node)), taken);
            };
            let Kind::Scalar(key) = part.kind else {
                return Start::Tree(number(node), taken);
            };
            if let Some(child) = self.compiler.tree.child(node, &key) {
                node = child;
                taken += 1;
            } else {
                let rest = parts.get(1..).unwrap_or_default();
                let path: Vec<Value<'p>> = rest.iter().map_while(super::constant).collect();
                let taken = path.len() + 1;
                return Start::At(X::Base(path.into()), taken);
            }
        }
    }

    /// Documents of base and rules below a node, by operands that are not all constant.
    fn tree(&mut self, node: NodeId, operands: &[Term<'p>], target: Option<&Term<'p>>) -> Option<X<'p>> {
        let wanted = match target {
            Some(target) if self.is_ready(target) => {
                let wanted = self.x(target);
                Some(self.cheap(wanted))
            }
            _ => None,
        };
        let mut made = Vec::with_capacity(operands.len());
        for operand in operands {
            made.push(if self.is_ready(operand) {
                Operand::Key(self.x(operand))
            } else {
                Operand::Any(self.pattern(operand))
            });
        }
        let (value, result) = match (wanted, target) {
            (Some(wanted), _) => (Pattern::Equal(wanted), None),
            (None, Some(target)) => (self.pattern(target), None),
            (None, None) => {
                let slot = self.fresh();
                (Pattern::Bind(slot), Some(X::Slot(slot)))
            }
        };
        self.push(Step::Tree { node, operands: made.into(), value });
        result
    }
}

fn number(node: usize) -> NodeId {
    NodeId::try_from(node).unwrap_or(NodeId::MAX)
}

/// A key below a value.
fn keyed<'p>(x: X<'p>, key: &'p str) -> X<'p> {
    let longer = |keys: Box<[&'p str]>| keys.into_vec().into_iter().chain([key]).collect::<Box<[_]>>();
    match x {
        X::Input => X::InputPath(Box::new([key])),
        X::Slot(slot) => X::SlotPath(slot, Box::new([key])),
        X::InputPath(keys) => X::InputPath(longer(keys)),
        X::SlotPath(slot, keys) => X::SlotPath(slot, longer(keys)),
        X::Path(below, keys) => X::Path(below, longer(keys)),
        x => X::Path(Box::new(x), Box::new([key])),
    }
}

impl<'p> Compiler<'_, 'p> {
    /// The function or rule of a call, and whether it is a function.
    pub(super) fn function(&self, callee: &Callee<'_>) -> Option<(RuleId, bool)> {
        let ["data", rest @ ..] = callee.path.as_slice() else { return None };
        let path: Vec<Value<'_>> = rest.iter().copied().map(Value::String).collect();
        let node = self.tree.find(&path)?;
        let id = *self.by_node.get(&node)?;
        Some((id, self.tree.node(node)?.arity.is_some_and(|arity| arity > 0)))
    }

    /// The function of exactly this path.
    pub(super) fn function_at(&self, path: &[Value<'_>]) -> Option<RuleId> {
        let node = self.tree.find(path)?;
        let function = self.tree.node(node)?.arity.is_some_and(|arity| arity > 0);
        if function { self.by_node.get(&node).copied() } else { None }
    }

    /// The document that the rules of a node define, as operands ask for it; `None` if it has no rules.
    fn document(&mut self, node: usize, operands: &[Term<'p>]) -> Option<X<'p>> {
        let arity = self.tree.node(node)?.arity?;
        if arity > 0 {
            return Some(X::Undefined);
        }
        let id = *self.by_node.get(&node)?;
        let variant = self.variant(node, id, operands).unwrap_or(id);
        Some(X::Rule(variant))
    }
}
