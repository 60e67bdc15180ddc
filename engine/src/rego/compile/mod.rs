//! From rules in the front's shape to code: one [`RuleCode`] for each document and function, and for each variant
//! of one that a caller can use better.

mod body;
pub(crate) mod code;
mod count;
mod cut;
mod early;
mod failing;
mod fold;
pub(crate) mod index;
mod keyed;
mod order;
mod reference;
mod unify;
mod values;
mod variant;

use super::builtins::Builtin;
use super::front::Policy;
use super::front::form::{Body, Clause, Kind, Result as Head, Rule, Target, Term, Var};
use super::front::names::Names;
use super::front::rules::Tree;
use super::machine::REMEMBERED_ARGUMENTS;
use super::marks::Marks;
use super::place::Place;
use crate::value::Value;
use body::Generator;
use bumpalo_herd::Member;
use code::{
    ClauseCode, Compiled, Dispatch, Guard, Index, Node, NodeId, Query, RuleCode, RuleId, RuleKind, Step,
};
use count::Counts;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Compiles the rules of a policy.
pub(crate) struct Compiler<'c, 'p> {
    pub(crate) arena: &'c Member<'p>,
    pub(crate) tree: &'c Tree<'p>,
    pub(crate) names: &'c Names,
    /// The error of a builtin is one of the evaluation.
    strict: bool,
    /// What is to be told when it is come to.
    marks: Marks,
    /// The values of all expressions are to be told.
    traced: bool,
    /// Builtins that a `with` somewhere replaces: nothing is assumed of them.
    mocked: HashSet<&'static str>,
    /// What is to be compiled for each rule id.
    plans: Vec<Plan<'p>>,
    /// The rule that a node's rules become.
    by_node: HashMap<usize, RuleId>,
    /// Variants, by the node and what is special.
    variants: HashMap<(usize, String), Option<RuleId>>,
    /// The function that gives single members of a set or object.
    keyed: HashMap<(RuleId, usize), RuleId>,
    done: Vec<Option<RuleCode<'p>>>,
}

/// A document or function that is to be compiled.
#[derive(Clone, Debug)]
struct Plan<'p> {
    path: Box<[Value<'p>]>,
    kind: RuleKind,
    rules: Vec<Rule<'p>>,
    /// What each clause of each rule is begun for.
    guards: Vec<Vec<Guard<'p>>>,
    /// The set or object of which this gives single members.
    whole: Option<RuleId>,
    place: Place,
}

/// A query to compile with a policy: its body, and the variables to be told.
pub(crate) struct Asked<'p> {
    pub(crate) body: Body<'p>,
    pub(crate) names: Vec<(String, Var)>,
    /// For each of the query's expressions, the variable that holds its value.
    pub(crate) values: Vec<Option<Var>>,
}

/// Compiles a policy and queries on it; `strict`: the error of a builtin is one of the evaluation; `traced`: the values
/// of all expressions can be told.
pub(crate) fn compile<'p>(
    arena: &Member<'p>,
    policy: &Policy<'p>,
    queries: &[Asked<'p>],
    strict: bool,
    marks: Marks,
    traced: bool,
) -> Compiled<'p> {
    let tree = &policy.tree;
    let mut mocked = HashSet::new();
    let clauses = tree.rules.iter().flat_map(|rule| &rule.clauses);
    let bodies = clauses.clone().map(|clause| &clause.body).chain(queries.iter().map(|query| &query.body));
    for expr in bodies.flatten() {
        super::front::visit::each_expr(expr, &mut |expr| {
            for with in &expr.withs {
                if let Target::Builtin(name) = with.target
                    && let Some(builtin) = super::builtins::find(name)
                {
                    mocked.insert(builtin.name);
                }
            }
        });
    }
    let mut compiler = Compiler {
        arena,
        tree,
        names: &policy.names,
        strict,
        marks,
        traced,
        mocked,
        plans: Vec::new(),
        by_node: HashMap::new(),
        variants: HashMap::new(),
        keyed: HashMap::new(),
        done: Vec::new(),
    };
    let nodes = compiler.plan();
    compiler.run();
    let queries = queries.iter().map(|query| compiler.query(query)).collect();
    compiler.run();
    let rules = compiler.done.into_iter().flatten().collect();
    let mut compiled = Compiled { rules, nodes, queries, marks: compiler.marks };
    order::settle(&mut compiled, strict);
    compiled
}

impl<'p> Compiler<'_, 'p> {
    /// Gives every node with rules its rule id.
    fn plan(&mut self) -> Vec<Node<'p>> {
        let mut nodes: Vec<Node<'p>> = Vec::with_capacity(self.tree.nodes.len());
        let mut paths: Vec<Vec<Value<'p>>> = vec![Vec::new(); self.tree.nodes.len()];
        for (id, node) in self.tree.nodes.iter().enumerate() {
            let path = paths.get(id).cloned().unwrap_or_default();
            for (key, child) in &node.children {
                if let Some(slot) = paths.get_mut(*child) {
                    slot.clone_from(&path);
                    slot.push(*key);
                }
            }
            let mut made = Node {
                path: path.clone().into(),
                children: node
                    .children
                    .iter()
                    .map(|(key, id)| (*key, NodeId::try_from(*id).unwrap_or(NodeId::MAX)))
                    .collect(),
                rule: None,
                function: None,
            };
            if !node.rules.is_empty() {
                let dynamic = self.tree.is_dynamic(id);
                let own = if dynamic { self.tree.below(id) } else { node.rules.clone() };
                let depth = path.len();
                let rules: Vec<Rule<'p>> = own
                    .iter()
                    .filter_map(|at| self.tree.rules.get(*at))
                    .filter(|rule| !(dynamic && (rule.default || rule.is_function())))
                    .map(|rule| lowered(rule, depth))
                    .collect();
                let first = node.rules.first().and_then(|at| self.tree.rules.get(*at));
                let kind = match first {
                    _ if dynamic && rules.iter().all(is_pair) => RuleKind::Pairs,
                    _ if dynamic => RuleKind::Object,
                    Some(rule) if rule.is_function() => RuleKind::Function,
                    Some(rule) if rule.is_multi() => RuleKind::Set,
                    _ => RuleKind::Complete,
                };
                let place = first.map(|rule| rule.place).unwrap_or_default();
                let guards = index::guards(self.arena, self.tree, &rules);
                let rule = self.add(Plan { path: path.into(), kind, rules, guards, whole: None, place });
                self.by_node.insert(id, rule);
                match kind {
                    RuleKind::Function => made.function = Some(rule),
                    _ => made.rule = Some(rule),
                }
                if dynamic {
                    // What is below belongs to this document.
                    made.children.clear();
                }
            }
            nodes.push(made);
        }
        nodes
    }

    fn add(&mut self, plan: Plan<'p>) -> RuleId {
        let id = RuleId::try_from(self.plans.len()).unwrap_or(RuleId::MAX);
        self.plans.push(plan);
        self.done.push(None);
        id
    }

    /// Compiles what is planned and not done; that may plan more.
    fn run(&mut self) {
        let mut at = 0;
        while at < self.plans.len() {
            if self.done.get(at).is_some_and(Option::is_none)
                && let Some(plan) = self.plans.get(at).cloned()
            {
                let code = self.rule(&plan);
                if let Some(slot) = self.done.get_mut(at) {
                    *slot = Some(code);
                }
            }
            at += 1;
        }
    }

    fn rule(&mut self, plan: &Plan<'p>) -> RuleCode<'p> {
        let (defaults, rules): (Vec<_>, Vec<_>) = plan.rules.iter().partition(|rule| rule.default);
        let guards = plan.rules.iter().zip(&plan.guards).filter(|(rule, _)| !rule.default);
        let ground = |clause| index::ground_result(self.arena, clause).filter(|_| plan.whole.is_none());
        let index = Index::new(
            guards.flat_map(|(_, guards)| guards).cloned().collect(),
            rules.iter().flat_map(|rule| &rule.clauses).map(ground).collect(),
        );
        let clauses: Box<[Box<[ClauseCode<'p>]>]> = rules
            .iter()
            .map(|rule| rule.clauses.iter().map(|clause| self.clause(clause, plan.kind)).collect())
            .collect();
        let default = defaults
            .first()
            .and_then(|rule| rule.clauses.first())
            .map(|clause| Box::new(self.clause(clause, plan.kind)));
        let all = || rules.iter().flat_map(|rule| &rule.clauses);
        let first = all().next().and_then(|clause| constant(clause.result.term()));
        let same = first.is_some()
            && matches!(plan.kind, RuleKind::Complete | RuleKind::Function)
            && all().all(|clause| constant(clause.result.term()) == first);
        // A clause whose argument is another than it takes is told of too: it fails at once.
        let dispatch = if plan.kind == RuleKind::Function && !self.traced { dispatch(&rules) } else { None };
        let arity = rules.first().map_or(0, |rule| rule.arity());
        let is_called = plan.kind == RuleKind::Function || plan.whole.is_some();
        let remember = is_called && arity <= REMEMBERED_ARGUMENTS && is_long(&clauses);
        RuleCode {
            path: plan.path.clone(),
            kind: plan.kind,
            clauses,
            default,
            dispatch,
            same,
            remember,
            index: Some(Box::new(index)),
            whole: plan.whole,
            place: plan.place,
        }
    }

    fn clause(&mut self, clause: &Clause<'p>, kind: RuleKind) -> ClauseCode<'p> {
        let counts = Counts::of(clause);
        let mut generator = Generator::new(self, counts);
        generator.headed(clause.place);
        generator.parameters(&clause.args, clause.place);
        generator.body(&clause.body);
        generator.result(clause, kind);
        let constant = constant(clause.result.term()).is_some();
        generator.finish(constant, clause.place)
    }

    fn query(&mut self, asked: &Asked<'p>) -> Query<'p> {
        let place = asked.body.first().map(|expr| expr.place).unwrap_or_default();
        let vars = asked.values.iter().copied().flatten().chain(asked.names.iter().map(|(_, var)| *var));
        let items = vars.map(|var| Term::var(var, place)).collect();
        let result = Head::Value(Term::new(Kind::Array(items), place));
        let clause = Clause { args: Vec::new(), tail: Vec::new(), result, body: asked.body.clone(), place };
        let counts = Counts::of(&clause);
        let mut generator = Generator::new(self, counts);
        generator.body(&clause.body);
        generator.solution(clause.result.term());
        let code = generator.finish(false, place);
        let names = asked.names.iter().map(|(name, _)| name.clone()).collect();
        Query { captured: asked.values.iter().map(Option::is_some).collect(), names, clause: code }
    }

    pub(crate) fn is_mocked(&self, builtin: &Builtin) -> bool {
        self.mocked.contains(builtin.name)
    }
}

/// A rule as seen from a shorter path: the rest of its path is the start of its tail.
fn lowered<'p>(rule: &Rule<'p>, depth: usize) -> Rule<'p> {
    let mut rule = rule.clone();
    let rest = rule.path.split_off(depth.min(rule.path.len()));
    for clause in &mut rule.clauses {
        let place = clause.place;
        let keys = rest.iter().map(|key| Term::new(Kind::Scalar(*key), place));
        let tail = keys.chain(std::mem::take(&mut clause.tail)).collect();
        clause.tail = tail;
    }
    rule
}

/// Whether a rule gives a key and a value, nothing deeper.
fn is_pair(rule: &Rule<'_>) -> bool {
    !rule.is_multi() && rule.clauses.iter().all(|clause| clause.tail.len() == 1)
}

/// Whether clauses take longer than to look up what they gave before.
fn is_long(clauses: &[Box<[ClauseCode<'_>]>]) -> bool {
    let steps = || clauses.iter().flatten().flat_map(|clause| &clause.code.steps);
    let iterates = |step: &Step<'_>| matches!(step, Step::Each { .. } | Step::Every(_) | Step::Tree { .. });
    steps().count() > 3 || steps().any(iterates)
}

/// The value of a term that is a literal.
pub(crate) fn constant<'p>(term: &Term<'p>) -> Option<Value<'p>> {
    match term.kind {
        Kind::Scalar(value) => Some(value),
        _ => None,
    }
}

/// Clauses that take a literal as an argument are chosen by it.
fn dispatch<'p>(rules: &[&Rule<'p>]) -> Option<Box<Dispatch<'p>>> {
    let arity = rules.first()?.arity();
    (0..arity).find_map(|argument| {
        let literals: Vec<Option<Value<'p>>> = rules
            .iter()
            .map(|rule| rule.clauses.first().and_then(|clause| clause.args.get(argument)).and_then(constant))
            .collect();
        let distinct: std::collections::BTreeSet<Value<'p>> = literals.iter().flatten().copied().collect();
        if distinct.len() < 2 {
            return None;
        }
        let matching = |wanted: Option<Value<'p>>| -> Box<[u32]> {
            literals
                .iter()
                .enumerate()
                .filter(|(_, literal)| literal.is_none() || **literal == wanted)
                .filter_map(|(at, _)| u32::try_from(at).ok())
                .collect()
        };
        let by_value: BTreeMap<_, _> =
            distinct.into_iter().map(|value| (value, matching(Some(value)))).collect();
        Some(Box::new(Dispatch { argument, by_value, others: matching(None) }))
    })
}
