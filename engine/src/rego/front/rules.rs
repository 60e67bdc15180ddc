//! The rules of all modules as one tree of documents, and what must hold of them together: no two kinds under one
//! name, every function known and called with as many arguments as it takes, no rule that needs itself.

use super::form::{Callee, Clause, DATA, ExprKind, Kind, Rule, Term};
use super::read::Problem;
use super::visit::{each_expr_of_clause, each_term, each_term_of};
use crate::rego::builtins::{self, Body as BuiltinBody, Builtin, Type, external};
use crate::rego::place::Place;
use crate::value::Value;
use std::collections::BTreeMap;

/// A node of the tree, by its place in [`Tree::nodes`].
pub(crate) type NodeId = usize;

/// The tree of all packages and rules below `data`.
#[derive(Debug)]
pub(crate) struct Tree<'p> {
    pub(crate) nodes: Vec<Node<'p>>,
    pub(crate) rules: Vec<Rule<'p>>,
    /// Whether `external_data` may be called.
    pub(crate) external_data: bool,
}

/// One key of the tree.
#[derive(Debug, Default)]
pub(crate) struct Node<'p> {
    pub(crate) children: BTreeMap<Value<'p>, NodeId>,
    /// The rules whose constant part ends here, in order.
    pub(crate) rules: Vec<usize>,
    /// How many arguments the first of them takes.
    pub(crate) arity: Option<usize>,
}

impl<'p> Tree<'p> {
    /// The tree of rules; packages without rules are there too.
    pub(crate) fn new(rules: Vec<Rule<'p>>, packages: &[Vec<Value<'p>>]) -> Self {
        let mut tree = Self { nodes: vec![Node::default()], rules: Vec::new(), external_data: false };
        for (at, rule) in rules.iter().enumerate() {
            let node = tree.make(&rule.path);
            if let Some(node) = tree.nodes.get_mut(node) {
                node.rules.push(at);
                node.arity.get_or_insert(rule.arity());
            }
        }
        packages.iter().for_each(|path| {
            tree.make(path);
        });
        tree.rules = rules;
        tree
    }

    fn make(&mut self, path: &[Value<'p>]) -> NodeId {
        let mut at = 0;
        for key in path {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { break };
            let child = *node.children.entry(*key).or_insert(next);
            if child == next {
                self.nodes.push(Node::default());
            }
            at = child;
        }
        at
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node<'p>> {
        self.nodes.get(id)
    }

    pub(crate) fn child(&self, id: NodeId, key: &Value<'_>) -> Option<NodeId> {
        self.node(id)?.children.iter().find(|(name, _)| *name == key).map(|(_, id)| *id)
    }

    /// The node of a path.
    pub(crate) fn find(&self, path: &[Value<'_>]) -> Option<NodeId> {
        path.iter().try_fold(0, |at, key| self.child(at, key))
    }

    /// The rules that are defined at exactly this path.
    pub(crate) fn rules_at(&self, path: &[Value<'_>]) -> Vec<&Rule<'p>> {
        let node = self.find(path).and_then(|id| self.node(id));
        node.into_iter().flat_map(|node| &node.rules).filter_map(|at| self.rules.get(*at)).collect()
    }

    /// How many arguments the rules of exactly this path take; `None`: there are none.
    pub(crate) fn arity_at(&self, path: &[Value<'_>]) -> Option<usize> {
        self.find(path).and_then(|id| self.node(id))?.arity
    }

    /// Whether a shorter path has rules.
    pub(crate) fn is_below_rule(&self, path: &[Value<'_>]) -> bool {
        (0..path.len()).any(|end| path.get(..end).is_some_and(|path| self.arity_at(path).is_some()))
    }

    /// How many arguments a function takes.
    pub(crate) fn arity(&self, callee: &Callee<'_>) -> Option<usize> {
        match callee.path.as_slice() {
            [name] => builtins::find(name)
                .map(|builtin| builtin.arguments.iter().filter(|of| !matches!(of, Type::Variadic)).count()),
            ["data", rest @ ..] => {
                let path: Vec<Value<'_>> = rest.iter().copied().map(Value::String).collect();
                self.arity_at(&path)
            }
            _ => None,
        }
    }

    /// All rules below a node, its own first.
    pub(crate) fn below(&self, id: NodeId) -> Vec<usize> {
        let Some(node) = self.node(id) else { return Vec::new() };
        let children = node.children.values().flat_map(|child| self.below(*child));
        node.rules.iter().copied().chain(children).collect()
    }

    /// Whether a rule of this node has a path that is only known when it runs: its document then holds all rules
    /// below.
    pub(crate) fn is_dynamic(&self, id: NodeId) -> bool {
        let rules = self.node(id).into_iter().flat_map(|node| &node.rules);
        rules.filter_map(|at| self.rules.get(*at)).any(|rule| !rule.is_ground())
    }

    /// Rules that cannot stand together.
    pub(crate) fn conflicts(&self, packages: &[(Vec<Value<'p>>, Place)], problems: &mut Vec<Problem>) {
        for node in &self.nodes {
            let rules: Vec<&Rule<'p>> = node.rules.iter().filter_map(|at| self.rules.get(*at)).collect();
            let Some(first) = rules.first() else { continue };
            let name = shown_path(&first.path);
            let dynamic = rules.iter().any(|rule| !rule.is_ground());
            let below: Vec<&Rule<'p>> = node
                .children
                .values()
                .flat_map(|child| self.below(*child))
                .filter_map(|at| self.rules.get(at))
                .collect();
            let clash: Vec<_> = below
                .iter()
                .filter(|rule| rules.iter().any(|rule| rule.is_ground()) || (dynamic && rule.is_function()))
                .collect();
            if !clash.is_empty() {
                let others: Vec<String> =
                    clash.iter().map(|rule| format!("`{}`", shown_path(&rule.path))).collect();
                let message = format!("rule {name} conflicts with the rules below it: {}", others.join(", "));
                problems.push((first.place, message));
                continue;
            }
            let any = |test: &dyn Fn(&Rule<'_>) -> bool| rules.iter().any(|rule| test(rule));
            let complete = any(&|rule| !rule.is_multi() && rule.is_ground());
            let partial = any(&|rule| rule.is_multi() || !rule.is_ground());
            let kinds = any(&|rule| rule.is_multi()) && any(&|rule| !rule.is_multi());
            let arities = any(&|rule| rule.arity() != first.arity());
            let depths = any(&|rule| rule.is_multi() && rule.is_ground())
                && any(&|rule| rule.is_multi() && !rule.is_ground());
            if kinds || arities || (complete && partial) || depths {
                problems.push((first.place, format!("conflicting rules {name} found")));
                continue;
            }
            let defaults: Vec<_> = rules.iter().filter(|rule| rule.default).collect();
            if let [_, second, ..] = defaults.as_slice() {
                problems.push((second.place, format!("multiple default rules {name} found")));
            }
        }
        for (package, place) in packages {
            if let Some(rule) = self.rules_at(package).iter().find(|rule| rule.is_ground()) {
                let name = shown_path(&rule.path);
                problems
                    .push((*place, format!("package {} conflicts with rule {name}", shown_path(package))));
            }
        }
    }

    /// Calls of what nobody defines, or with another number of arguments; `promised`: the module is of Rego v1.
    pub(crate) fn calls(&self, clause: &Clause<'p>, promised: bool, problems: &mut Vec<Problem>) {
        each_expr_of_clause(clause, &mut |expr| {
            if let ExprKind::Call(callee, args) = &expr.kind {
                self.call(callee, args, expr.generated, promised, problems);
            }
        });
    }

    /// Why a function may not be used here.
    pub(crate) fn refusal(&self, builtin: &Builtin) -> Option<&'static str> {
        match builtin.body {
            BuiltinBody::Refused(reason) => Some(reason),
            _ if builtin.name == external::NAME && !self.external_data => Some(external::ONLY_TEMPLATES),
            _ => None,
        }
    }

    /// One call.
    pub(crate) fn call(
        &self,
        callee: &Callee<'p>,
        args: &[Term<'p>],
        generated: bool,
        promised: bool,
        problems: &mut Vec<Problem>,
    ) {
        let place = callee.place;
        if let Some(builtin) = callee.name().and_then(builtins::find) {
            if let Some(reason) = self.refusal(builtin) {
                return problems.push((place, format!("`{}` is not available: {reason}", builtin.name)));
            }
            if builtin.deprecated && promised {
                let message = format!("`{}` is deprecated; Rego v1 does not have it", builtin.name);
                return problems.push((place, message));
            }
            if builtin.arguments.iter().any(|of| matches!(of, Type::Variadic)) {
                return;
            }
        }
        let Some(arity) = self.arity(callee) else {
            return problems.push((place, format!("undefined function {}", callee.shown())));
        };
        let given = args.len();
        let fits = if generated { given == arity + 1 } else { given == arity || given == arity + 1 };
        if !fits && !callee.is("eq") {
            let given = if generated { given.saturating_sub(1) } else { given };
            let plural = if given == 1 { "argument" } else { "arguments" };
            let name = callee.shown();
            problems.push((place, format!("function {name} has arity {arity}, got {given} {plural}")));
        }
    }

    /// For each rule those that it may ask.
    pub(crate) fn dependencies(&self) -> Vec<Vec<usize>> {
        let needed = |rule: &Rule<'p>| {
            let mut found = Vec::new();
            rule.clauses.iter().for_each(|clause| self.needs(clause, &mut found));
            found.sort_unstable();
            found.dedup();
            found
        };
        self.rules.iter().map(needed).collect()
    }

    /// Rules that need themselves.
    pub(crate) fn recursion(&self, problems: &mut Vec<Problem>) {
        let needs = self.dependencies();
        for (at, rule) in self.rules.iter().enumerate() {
            if let Some(path) = way_back(&needs, at) {
                let name = shown_path(&rule.path);
                let way: Vec<String> = path
                    .iter()
                    .filter_map(|at| self.rules.get(*at))
                    .map(|rule| shown_path(&rule.path))
                    .collect();
                problems.push((rule.name, format!("rule {name} is recursive: {}", way.join(" -> "))));
            }
        }
    }

    /// The rules that a clause may ask.
    fn needs(&self, clause: &Clause<'p>, found: &mut Vec<usize>) {
        let mut look = |term: &Term<'p>| {
            if let Kind::Ref(parts) = &term.kind
                && parts.first().and_then(Term::as_var) == Some(DATA)
            {
                self.selected(parts, found);
            }
            false
        };
        for expr in &clause.body {
            each_term_of(expr, &mut look);
        }
        for term in clause.args.iter().chain(&clause.tail).chain(std::iter::once(clause.result.term())) {
            each_term(term, &mut look);
        }
        let mut called = Vec::new();
        each_expr_of_clause(clause, &mut |expr| {
            if let ExprKind::Call(callee, _) = &expr.kind {
                called.push(callee.clone());
            }
            called.extend(expr.withs.iter().filter_map(|with| with.function.clone()));
        });
        for callee in called {
            if let ["data", rest @ ..] = callee.path.as_slice() {
                let path: Vec<Value<'_>> = rest.iter().copied().map(Value::String).collect();
                let node = self.find(&path).and_then(|id| self.node(id));
                found.extend(node.into_iter().flat_map(|node| &node.rules));
            }
        }
    }

    /// The rules that a reference below `data` may select.
    pub(crate) fn selected(&self, parts: &[Term<'p>], found: &mut Vec<usize>) {
        self.select(0, parts, 1, found);
    }

    fn select(&self, id: NodeId, parts: &[Term<'p>], at: usize, found: &mut Vec<usize>) {
        let Some(node) = self.node(id) else { return };
        let Some(part) = parts.get(at) else {
            return found.extend(self.below(id));
        };
        let mut descend = |child: NodeId| {
            let rules = self.node(child).into_iter().flat_map(|node| &node.rules);
            found.extend(rules.filter(|rule| {
                self.rules.get(**rule).is_some_and(|rule| may_intersect(rule, parts.get(at + 1..)))
            }));
            self.select(child, parts, at + 1, found);
        };
        match part.kind {
            Kind::Scalar(key) => {
                if let Some(child) = self.child(id, &key) {
                    descend(child);
                }
            }
            _ => node.children.values().for_each(|child| descend(*child)),
        }
    }
}

/// Whether operands can select what a rule defines below its constant path.
pub(crate) fn may_intersect(rule: &Rule<'_>, operands: Option<&[Term<'_>]>) -> bool {
    let tail = rule.clauses.first().map(|clause| clause.tail.as_slice()).unwrap_or_default();
    tail.iter().zip(operands.unwrap_or_default()).all(|(own, asked)| match (&own.kind, &asked.kind) {
        (Kind::Scalar(own), Kind::Scalar(asked)) => own == asked,
        _ => true,
    })
}

/// A shortest way from a rule back to itself.
fn way_back(needs: &[Vec<usize>], start: usize) -> Option<Vec<usize>> {
    let mut from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in needs.get(at).into_iter().flatten() {
            if *next == start {
                let mut way = vec![start];
                let mut step = at;
                while step != start {
                    way.push(step);
                    step = from.get(&step).copied().unwrap_or(start);
                }
                way.push(start);
                way.reverse();
                return Some(way);
            }
            if !from.contains_key(next) {
                from.insert(*next, at);
                queue.push_back(*next);
            }
        }
    }
    None
}

/// `data.a.b["c d"]`
pub(crate) fn shown_path(path: &[Value<'_>]) -> String {
    let mut shown = "data".to_owned();
    for key in path {
        match key {
            Value::String(word)
                if word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                    && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') =>
            {
                shown.push('.');
                shown.push_str(word);
            }
            other => shown.push_str(&format!("[{other}]")),
        }
    }
    shown
}
