//! Running code on traces.

use super::parts::{Extent, Key, Parts};
use super::{Footprint, Purpose};
use crate::rego::builtins::Builtin;
use crate::rego::compile::code::{
    ClauseCode, Code, Comparison, Compiled, NodeId, Operand, Pattern, RuleCode, RuleId, RuleKind, Slot, Step,
    X,
};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

type Path = Vec<Key>;

/// Where a value can come from.
#[derive(Clone, Debug, Default, PartialEq)]
struct Trace<'p> {
    /// It can be the value at these places of the input.
    places: BTreeSet<Path>,
    /// It was made of these: they are read if its content is.
    made_of: BTreeSet<Path>,
    /// Its members under known names.
    fields: BTreeMap<&'p str, Trace<'p>>,
    /// Its other members.
    items: Option<Box<Trace<'p>>>,
    /// It can be one of these.
    constants: Vec<Value<'p>>,
    /// Or of further ones, too many to be kept.
    more: bool,
}

/// More work than this for one program is not worth a memo.
const BUDGET: u32 = 100_000;
/// Of more constants only their being constant matters.
const MAX_CONSTANTS: usize = 64;

pub(super) struct Analysis<'p> {
    code: &'p Compiled<'p>,
    parts: Parts,
    nondeterministic: bool,
    rules: HashMap<RuleId, Trace<'p>>,
    calls: HashMap<(RuleId, String), Trace<'p>>,
    left: u32,
}

impl<'p> Trace<'p> {
    fn constant(value: Value<'p>) -> Self {
        Self { constants: vec![value], ..Self::default() }
    }

    fn of_items(items: Trace<'p>) -> Self {
        Self { items: Some(Box::new(items)), ..Self::default() }
    }

    fn join(&mut self, other: &Self) {
        self.places.extend(other.places.iter().cloned());
        self.made_of.extend(other.made_of.iter().cloned());
        for (name, trace) in &other.fields {
            self.fields.entry(name).or_default().join(trace);
        }
        if let Some(items) = &other.items {
            self.items.get_or_insert_default().join(items);
        }
        for value in &other.constants {
            if self.constants.contains(value) {
                continue;
            }
            if self.constants.len() < MAX_CONSTANTS {
                self.constants.push(*value);
            } else {
                self.more = true;
            }
        }
        self.more |= other.more;
    }

    /// The member of a name.
    fn field(&self, name: &str) -> Self {
        let mut found = Self { more: self.more, ..Self::default() };
        let longer = |path: &Path| path.iter().cloned().chain([Key::Name(name.into())]).collect();
        found.places.extend(self.places.iter().map(longer));
        found.made_of.clone_from(&self.made_of);
        if let Some(items) = &self.items {
            found.join(items);
        }
        if let Some(field) = self.fields.get(name) {
            found.join(field);
        }
        for value in &self.constants {
            if let Some(value) = value.get(name) {
                found.join(&Self::constant(value));
            }
        }
        found
    }

    /// Any member.
    fn member(&self) -> Self {
        let mut found = Self { more: self.more, ..Self::default() };
        let longer = |path: &Path| path.iter().cloned().chain([Key::Any]).collect();
        found.places.extend(self.places.iter().map(longer));
        found.made_of.clone_from(&self.made_of);
        if let Some(items) = &self.items {
            found.join(items);
        }
        self.fields.values().for_each(|field| found.join(field));
        for value in &self.constants {
            let members: Vec<Value<'p>> = match value {
                Value::Array(items) => items.to_vec(),
                Value::Set(set) => set.items().to_vec(),
                other => other.entries().into_iter().flatten().map(|(_, value)| value).collect(),
            };
            members.into_iter().for_each(|value| found.join(&Self::constant(value)));
        }
        found
    }

    /// Its keys, or the members of a set.
    fn keys(&self) -> Self {
        let mut found = Self { made_of: self.made_of.clone(), more: self.more, ..Self::default() };
        // The members of a set are its keys.
        if let Some(items) = &self.items {
            found.join(items);
        }
        for value in &self.constants {
            let keys: Vec<Value<'p>> = match value {
                Value::Set(set) => set.items().to_vec(),
                other => other.entries().into_iter().flatten().map(|(key, _)| key).collect(),
            };
            keys.into_iter().for_each(|key| found.join(&Self::constant(key)));
        }
        found
    }

    /// Whether it is one of its constants and nothing else.
    fn is_known(&self) -> bool {
        !self.constants.is_empty()
            && !self.more
            && self.places.is_empty()
            && self.made_of.is_empty()
            && self.items.is_none()
            && self.fields.is_empty()
    }
}

impl<'p> Analysis<'p> {
    pub(super) fn new(code: &'p Compiled<'p>) -> Self {
        let (rules, calls) = (HashMap::new(), HashMap::new());
        Self { code, parts: Parts::default(), nondeterministic: false, rules, calls, left: BUDGET }
    }

    pub(super) fn finish(mut self) -> Footprint {
        if self.left == 0 {
            // Not everything was looked at.
            self.parts.read(&[], Extent::Whole);
            self.nondeterministic = true;
        }
        Footprint { parts: self.parts, nondeterministic: self.nondeterministic }
    }

    /// One rule that is asked for.
    pub(super) fn entry(&mut self, id: RuleId, purpose: Purpose) {
        let trace = self.rule(id);
        let set = self.code.rules.get(id as usize).is_some_and(|rule| rule.kind == RuleKind::Set);
        if purpose == Purpose::Whole || !set {
            self.use_all(&trace);
        }
    }

    fn spend(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }

    fn read(&mut self, trace: &Trace<'p>, extent: Extent) {
        trace.places.iter().for_each(|path| self.parts.read(path, extent));
    }

    /// Everything that a value can be made of is read.
    fn use_all(&mut self, trace: &Trace<'p>) {
        self.read(trace, Extent::Whole);
        trace.made_of.iter().for_each(|path| self.parts.read(path, Extent::Whole));
        trace.fields.values().for_each(|field| self.use_all(field));
        if let Some(items) = &trace.items {
            self.use_all(items);
        }
    }

    fn rule(&mut self, id: RuleId) -> Trace<'p> {
        if let Some(trace) = self.rules.get(&id) {
            return trace.clone();
        }
        let Some(rule) = self.code.rules.get(id as usize) else { return Trace::default() };
        // A rule that is asked for while it is looked at: refused by the compiler, but never for ever here.
        self.rules.insert(id, Trace::default());
        let found = self.clauses(rule, rule.clauses.iter().flatten(), &[]);
        let trace = match rule.kind {
            RuleKind::Complete | RuleKind::Function => found,
            RuleKind::Set | RuleKind::Pairs => Trace::of_items(found),
            RuleKind::Object => {
                self.use_all(&found);
                Trace::default()
            }
        };
        self.rules.insert(id, trace.clone());
        trace
    }

    fn clauses(
        &mut self,
        rule: &'p RuleCode<'p>,
        clauses: impl Iterator<Item = &'p ClauseCode<'p>>,
        args: &[Trace<'p>],
    ) -> Trace<'p> {
        let mut found = Trace::default();
        for clause in clauses.chain(rule.default.as_deref()) {
            let mut slots: HashMap<Slot, Trace<'p>> = (0..).zip(args.iter().cloned()).collect();
            let trace = self.steps(&clause.code, &mut slots);
            found.join(&trace);
        }
        found
    }

    fn call(&mut self, id: RuleId, args: Vec<Trace<'p>>) -> Trace<'p> {
        let key = (id, format!("{args:?}"));
        if let Some(trace) = self.calls.get(&key) {
            return trace.clone();
        }
        let Some(rule) = self.code.rules.get(id as usize) else { return Trace::default() };
        let mut chosen: Vec<usize> = (0..rule.clauses.len()).collect();
        if let Some(dispatch) = &rule.dispatch
            && let Some(arg) = args.get(dispatch.argument)
        {
            if arg.is_known() {
                let lists = arg.constants.iter().map(|value| {
                    dispatch.by_value.get(value).unwrap_or(&dispatch.others).iter().map(|at| *at as usize)
                });
                let lists: BTreeSet<usize> = lists.flatten().collect();
                chosen = lists.into_iter().collect();
            } else {
                self.use_all(arg);
            }
        }
        let clauses = chosen.into_iter().filter_map(|at| rule.clauses.get(at)).flatten();
        let mut trace = self.clauses(rule, clauses, &args);
        if rule.kind == RuleKind::Object {
            self.use_all(&trace);
            trace = Trace::default();
        }
        self.calls.insert(key, trace.clone());
        trace
    }

    /// Everything that rules below a node give, taken to be used.
    fn below(&mut self, id: NodeId) {
        let Some(node) = self.code.nodes.get(id as usize) else { return };
        if let Some(rule) = node.rule {
            let trace = self.rule(rule);
            self.use_all(&trace);
        }
        node.children.values().for_each(|child| self.below(*child));
    }

    fn pattern(&mut self, pattern: &'p Pattern<'p>, trace: &Trace<'p>, slots: &mut HashMap<Slot, Trace<'p>>) {
        match pattern {
            Pattern::Any => {}
            Pattern::Bind(slot) => {
                slots.insert(*slot, trace.clone());
            }
            Pattern::Equal(x) => {
                let other = self.x(x, slots);
                self.use_all(&other);
                self.use_all(trace);
            }
            Pattern::Array(items) => {
                self.shallow(trace, Extent::Keys);
                let member = trace.member();
                items.iter().for_each(|item| self.pattern(item, &member, slots));
            }
            Pattern::Object(pairs) => {
                self.shallow(trace, Extent::Keys);
                for (key, item) in pairs {
                    let field = match key {
                        X::Constant(Value::String(name)) => trace.field(name),
                        key => {
                            let key = self.x(key, slots);
                            self.use_all(&key);
                            trace.member()
                        }
                    };
                    self.pattern(item, &field, slots);
                }
            }
        }
    }

    /// The shape of a value is looked at: of one that was made, what it was made of decides.
    fn shallow(&mut self, trace: &Trace<'p>, extent: Extent) {
        self.read(trace, extent);
        trace.made_of.iter().for_each(|path| self.parts.read(path, Extent::Whole));
    }

    fn steps(&mut self, code: &'p Code<'p>, slots: &mut HashMap<Slot, Trace<'p>>) -> Trace<'p> {
        let mut out = Trace::default();
        for step in &code.steps {
            if !self.spend() {
                return out;
            }
            match step {
                Step::Test(x) => {
                    let trace = self.x(x, slots);
                    self.shallow(&trace, Extent::Presence);
                }
                Step::Bind(slot, x) => {
                    let trace = self.defined(x, slots);
                    slots.insert(*slot, trace);
                }
                Step::Equal(left, right) => self.compared(left, right, slots),
                Step::Match(x, pattern) => {
                    let trace = self.defined(x, slots);
                    self.pattern(pattern, &trace, slots);
                }
                Step::Each { over, key, value, .. } => {
                    let trace = self.x(over, slots);
                    let wanted = !matches!(key, Pattern::Any);
                    self.shallow(&trace, if wanted { Extent::Keys } else { Extent::Length });
                    self.pattern(key, &trace.keys(), slots);
                    self.pattern(value, &trace.member(), slots);
                }
                Step::Tree { node, operands, value } => {
                    self.below(*node);
                    for operand in operands {
                        match operand {
                            Operand::Key(x) => {
                                let trace = self.x(x, slots);
                                self.use_all(&trace);
                            }
                            Operand::Any(pattern) => self.pattern(pattern, &Trace::default(), slots),
                        }
                    }
                    self.pattern(value, &Trace::default(), slots);
                }
                Step::Not(body) | Step::Holds(body) => {
                    self.steps(body, slots);
                }
                Step::Either(bodies) => {
                    self.steps(&bodies.0, slots);
                    self.steps(&bodies.1, slots);
                }
                Step::Every(every) => {
                    let trace = self.x(&every.domain, slots);
                    self.shallow(&trace, if every.key.is_some() { Extent::Keys } else { Extent::Length });
                    if let Some(slot) = every.key {
                        slots.insert(slot, trace.keys());
                    }
                    slots.insert(every.value, trace.member());
                    self.steps(&every.body, slots);
                }
                // Another world: nothing is known of what is read of this one.
                Step::With(_) => self.left = 0,
                Step::EndWith | Step::Fail | Step::Mark(_) | Step::Yes | Step::Print(_) => {}
                Step::Emit(x) => {
                    let trace = self.defined(x, slots);
                    out.join(&trace);
                }
                Step::EmitPair(key, value) => {
                    let key = self.x(key, slots);
                    self.use_all(&key);
                    let trace = self.defined(value, slots);
                    out.join(&trace);
                }
                Step::Put { keys, leaf, .. } => {
                    for key in keys {
                        let key = self.x(key, slots);
                        self.use_all(&key);
                    }
                    let trace = self.defined(leaf, slots);
                    out.join(&trace);
                }
            }
        }
        out
    }

    /// An expression that must be defined.
    fn defined(&mut self, x: &'p X<'p>, slots: &mut HashMap<Slot, Trace<'p>>) -> Trace<'p> {
        let trace = self.x(x, slots);
        self.read(&trace, Extent::Presence);
        trace
    }

    fn all(&mut self, items: &'p [X<'p>], slots: &mut HashMap<Slot, Trace<'p>>) -> Vec<Trace<'p>> {
        items.iter().map(|item| self.defined(item, slots)).collect()
    }

    fn x(&mut self, x: &'p X<'p>, slots: &mut HashMap<Slot, Trace<'p>>) -> Trace<'p> {
        if !self.spend() {
            return Trace::default();
        }
        match x {
            X::Constant(value) => Trace::constant(*value),
            X::Undefined | X::Base(_) => Trace::default(),
            X::Slot(slot) => slots.get(slot).cloned().unwrap_or_default(),
            X::Input => Trace { places: BTreeSet::from([Path::new()]), ..Trace::default() },
            X::InputPath(keys) => {
                let path = keys.iter().map(|key| Key::Name((*key).into())).collect();
                Trace { places: BTreeSet::from([path]), ..Trace::default() }
            }
            X::SlotPath(slot, keys) => {
                let trace = slots.get(slot).cloned().unwrap_or_default();
                keys.iter().fold(trace, |trace, key| trace.field(key))
            }
            X::Path(of, keys) => {
                let trace = self.x(of, slots);
                keys.iter().fold(trace, |trace, key| trace.field(key))
            }
            X::Index(sides) => {
                let of = self.x(&sides.0, slots);
                let key = self.x(&sides.1, slots);
                if key.is_known() {
                    let mut found = Trace::default();
                    for value in &key.constants {
                        found.join(&match value {
                            Value::String(name) => of.field(name),
                            _ => of.member(),
                        });
                    }
                    self.read(&of, Extent::Length);
                    return found;
                }
                self.use_all(&key);
                self.shallow(&of, Extent::Keys);
                of.member()
            }
            X::Rule(id) => self.rule(*id),
            X::Node(id) => {
                self.below(*id);
                Trace::default()
            }
            X::Call(id, args) => {
                let args = self.all(args, slots);
                self.call(*id, args)
            }
            X::Builtin(builtin, args) => self.builtin(builtin, args, slots),
            X::Prepared(prepared) => self.builtin(prepared.builtin, &prepared.args, slots),
            X::Compare(Comparison::Equal | Comparison::NotEqual, sides) => {
                self.compared(&sides.0, &sides.1, slots);
                Trace::default()
            }
            X::Compare(_, sides) | X::Member(sides) => {
                for side in [&sides.0, &sides.1] {
                    let trace = self.x(side, slots);
                    self.use_all(&trace);
                }
                Trace::default()
            }
            X::Array(items) | X::Set(items) => {
                let mut members = Trace::default();
                for trace in self.all(items, slots) {
                    members.join(&trace);
                }
                Trace::of_items(members)
            }
            X::Object(pairs) => {
                let mut object = Trace::default();
                for (key, value) in pairs {
                    let value = self.defined(value, slots);
                    match key {
                        X::Constant(Value::String(name)) => {
                            object.fields.entry(name).or_default().join(&value);
                        }
                        key => {
                            let key = self.x(key, slots);
                            self.use_all(&key);
                            object.items.get_or_insert_default().join(&value);
                        }
                    }
                }
                object
            }
            X::ArrayOf(code) | X::SetOf(code) | X::ObjectOf(code) => Trace::of_items(self.steps(code, slots)),
        }
    }

    /// Whether two values are equal. Beside `null`, `true` or `false` only the other's type and truth count.
    fn compared(&mut self, left: &'p X<'p>, right: &'p X<'p>, slots: &mut HashMap<Slot, Trace<'p>>) {
        let plain = |x: &X<'_>| matches!(x, X::Constant(Value::Null | Value::Bool(_)));
        let shallow = plain(left) || plain(right);
        for side in [left, right] {
            let trace = self.x(side, slots);
            if shallow {
                self.shallow(&trace, Extent::Presence);
            } else {
                self.use_all(&trace);
            }
        }
    }

    fn builtin(
        &mut self,
        builtin: &'static Builtin,
        args: &'p [X<'p>],
        slots: &mut HashMap<Slot, Trace<'p>>,
    ) -> Trace<'p> {
        self.nondeterministic |= builtin.nondeterministic;
        let traces = self.all(args, slots);
        match (builtin.name, traces.as_slice()) {
            ("object.get", [of, key, default]) if key.is_known() => {
                let paths: Option<Vec<Vec<&str>>> = key.constants.iter().map(names).collect();
                if let Some(paths) = paths {
                    let mut found = default.clone();
                    for path in paths {
                        let mut member = of.clone();
                        self.shallow(&member, Extent::Presence);
                        for name in path {
                            member = member.field(name);
                            self.shallow(&member, Extent::Presence);
                        }
                        found.join(&member);
                    }
                    return found;
                }
            }
            // What is made of two objects has the members of both; members below are merged.
            ("object.union", [left, right]) => {
                self.shallow(left, Extent::Presence);
                self.shallow(right, Extent::Presence);
                let mut found = left.clone();
                found.join(right);
                return found;
            }
            ("count", [of]) => {
                // Equal elements of a set are one: the content of what was made counts.
                self.shallow(of, Extent::Keys);
                if let Some(items) = &of.items {
                    self.use_all(items);
                }
                return Trace::default();
            }
            (
                "is_string" | "is_number" | "is_array" | "is_object" | "is_boolean" | "is_null" | "is_set",
                [of],
            ) => {
                self.shallow(of, Extent::Presence);
                return Trace::default();
            }
            ("sprintf", [format, values]) if matches!(args.get(1), Some(X::Array(_))) => {
                self.use_all(format);
                let mut found = Trace::default();
                gather(values, &mut found.made_of);
                return found;
            }
            _ => {}
        }
        traces.iter().for_each(|trace| self.use_all(trace));
        Trace::default()
    }
}

/// The names that a key of `object.get` leads through: one, or an array of them.
fn names<'p>(key: &Value<'p>) -> Option<Vec<&'p str>> {
    match key {
        Value::String(name) => Some(vec![name]),
        Value::Array(items) => items.iter().map(|item| item.as_str()).collect(),
        _ => None,
    }
}

/// All places that a value can be made of.
fn gather(trace: &Trace<'_>, places: &mut BTreeSet<Path>) {
    places.extend(trace.places.iter().cloned());
    places.extend(trace.made_of.iter().cloned());
    trace.fields.values().for_each(|field| gather(field, places));
    if let Some(items) = &trace.items {
        gather(items, places);
    }
}
