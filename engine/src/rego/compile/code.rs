//! What the machine runs: flat lists of steps over numbered slots, with expression trees at their leaves.

use super::index::Source;
use crate::rego::builtins::Builtin;
use crate::rego::marks::Marks;
use crate::rego::pattern::Regular;
use crate::rego::place::Place;
use crate::rego::text::Format;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A rule, function or variant of one, by its place in [`Compiled::rules`].
pub(crate) type RuleId = u32;
/// A node of the document tree, by its place in [`Compiled::nodes`].
pub(crate) type NodeId = u32;
/// A slot of a frame.
pub(crate) type Slot = u32;

/// A whole program.
#[derive(Debug, Default)]
pub(crate) struct Compiled<'p> {
    pub(crate) rules: Vec<RuleCode<'p>>,
    pub(crate) nodes: Vec<Node<'p>>,
    /// The queries that were compiled with it.
    pub(crate) queries: Vec<Query<'p>>,
    /// What [`Step::Mark`] tells of.
    pub(crate) marks: Marks,
}

/// One key of the tree of documents.
#[derive(Debug, Default)]
pub(crate) struct Node<'p> {
    pub(crate) path: Box<[Value<'p>]>,
    pub(crate) children: BTreeMap<Value<'p>, NodeId>,
    /// What the rules of this path define; not a function.
    pub(crate) rule: Option<RuleId>,
    /// A function: never part of a document.
    pub(crate) function: Option<RuleId>,
}

/// All clauses of one document or function.
#[derive(Debug)]
pub(crate) struct RuleCode<'p> {
    /// Below `data`.
    pub(crate) path: Box<[Value<'p>]>,
    pub(crate) kind: RuleKind,
    /// Each a body with its `else`s.
    pub(crate) clauses: Box<[Box<[ClauseCode<'p>]>]>,
    pub(crate) default: Option<Box<ClauseCode<'p>>>,
    pub(crate) dispatch: Option<Box<Dispatch<'p>>>,
    /// All clauses give the same constant: one success is enough.
    pub(crate) same: bool,
    /// What it gave for arguments is worth to be remembered.
    pub(crate) remember: bool,
    /// For a rule whose evaluation can fail: OPA's rule index, so that just those clauses run that OPA runs.
    pub(crate) index: Option<Box<Index<'p>>>,
    /// A function that gives the members of this set or object by their keys, and runs its clauses for these only.
    pub(crate) whole: Option<RuleId>,
    pub(crate) place: Place,
}

/// OPA's rule index.
#[derive(Debug)]
pub(crate) struct Index<'p> {
    /// For each clause of the rule, one body with its `else`s after the other.
    pub(crate) guards: Box<[Guard<'p>]>,
    /// All clauses are begun, whatever there is.
    pub(crate) is_open: bool,
    /// The constant that each clause gives, if it does.
    pub(crate) constants: Box<[Option<Value<'p>>]>,
}

impl Guard<'_> {
    fn is_open(&self) -> bool {
        self.required.is_empty() && self.ways.is_empty() && self.memberships.is_empty()
    }
}

impl<'p> Index<'p> {
    pub(crate) fn new(guards: Vec<Guard<'p>>, constants: Vec<Option<Value<'p>>>) -> Self {
        let is_open = guards.iter().all(Guard::is_open);
        Self { guards: guards.into(), is_open, constants: constants.into() }
    }
}

/// What must be so that a clause is begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard<'p> {
    /// These are defined.
    pub(crate) required: Box<[Source<'p>]>,
    /// All checks of one of these hold; none: nothing is checked.
    pub(crate) ways: Box<[Box<[Check<'p>]>]>,
    /// The value at the first is a key of the collection at the second.
    pub(crate) memberships: Box<[(Source<'p>, Source<'p>)]>,
}

/// The value at a source is one of these.
#[derive(Clone, Debug)]
pub(crate) struct Check<'p> {
    pub(crate) source: Source<'p>,
    pub(crate) any: Box<[Wanted<'p>]>,
}

/// What a value must be.
#[derive(Clone, Debug)]
pub(crate) enum Wanted<'p> {
    Defined,
    Is(Value<'p>),
    /// An array of these elements; `None`: any.
    Looks(Box<[Option<Value<'p>>]>),
    /// A collection with this member.
    Holds(Value<'p>),
    /// A text, or a collection of such, that begins so.
    Starts(&'p str),
    Ends(&'p str),
    /// A text that is this array when it is split at these characters, or such an array.
    Splits(&'p str, Box<[Option<Value<'p>>]>),
}

/// What a rule makes of the results of its clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleKind {
    /// One value.
    Complete,
    /// One value for each argument list.
    Function,
    /// The set of all.
    Set,
    /// An object of all pairs.
    Pairs,
    /// An object of all; keys and leaf as [`Step::Put`] gives them.
    Object,
}

/// One body.
#[derive(Debug)]
pub(crate) struct ClauseCode<'p> {
    pub(crate) slots: u32,
    pub(crate) code: Code<'p>,
    /// The result is a constant.
    pub(crate) constant: bool,
    /// In a program that is traced: how people call the slots.
    pub(crate) named: Option<Box<Named>>,
    pub(crate) place: Place,
}

/// The slots of a body whose variables people have named.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) slots: Vec<(Slot, String)>,
}

/// Which clauses can match, by the value of one argument.
#[derive(Debug)]
pub(crate) struct Dispatch<'p> {
    pub(crate) argument: usize,
    pub(crate) by_value: BTreeMap<Value<'p>, Box<[u32]>>,
    pub(crate) others: Box<[u32]>,
}

/// A query: the values of its expressions, then its bindings, are emitted as an array.
#[derive(Debug)]
pub(crate) struct Query<'p> {
    /// For each expression, whether it has a value.
    pub(crate) captured: Vec<bool>,
    pub(crate) names: Vec<String>,
    pub(crate) clause: ClauseCode<'p>,
}

/// Steps with their places.
#[derive(Debug, Default)]
pub(crate) struct Code<'p> {
    pub(crate) steps: Box<[Step<'p>]>,
    pub(crate) places: Box<[Place]>,
    /// In [`Step::Not`]: it is gone through to the end, since what comes after a success can fail.
    pub(crate) whole: bool,
}

/// One step: goes on, fails, or goes on several times.
#[derive(Debug)]
pub(crate) enum Step<'p> {
    /// Defined and not false.
    Test(X<'p>),
    Bind(Slot, X<'p>),
    Equal(X<'p>, X<'p>),
    Match(X<'p>, Pattern<'p>),
    /// Each member of a collection. `cut`: what is emitted does not depend on which, so one success is enough.
    Each {
        over: X<'p>,
        key: Pattern<'p>,
        value: Pattern<'p>,
        cut: bool,
    },
    /// Each document that matches operands below a node of the tree.
    Tree {
        node: NodeId,
        operands: Box<[Operand<'p>]>,
        value: Pattern<'p>,
    },
    Not(Code<'p>),
    /// Both must hold, if there are two; bindings stay inside.
    Holds(Code<'p>),
    Either(Box<(Code<'p>, Code<'p>)>),
    Every(Box<EveryCode<'p>>),
    /// What follows, up to [`Step::EndWith`], sees other documents or functions.
    With(Box<[Replacement<'p>]>),
    EndWith,
    /// Each operand is a set: empty if undefined.
    Print(Box<[X<'p>]>),
    Fail,
    /// This was come to; only in programs that are asked for it.
    Mark(u32),
    /// The body holds.
    Yes,
    /// A result.
    Emit(X<'p>),
    /// A key and its value.
    EmitPair(X<'p>, X<'p>),
    /// Keys from the outermost, then the leaf: a value, or an element of a set.
    Put {
        keys: Box<[X<'p>]>,
        leaf: X<'p>,
        element: bool,
    },
}

/// `every`
#[derive(Debug)]
pub(crate) struct EveryCode<'p> {
    pub(crate) domain: X<'p>,
    pub(crate) key: Option<Slot>,
    pub(crate) value: Slot,
    pub(crate) body: Code<'p>,
}

/// An operand of a reference into the tree.
#[derive(Debug)]
pub(crate) enum Operand<'p> {
    /// Known when the step begins.
    Key(X<'p>),
    /// Whatever matches.
    Any(Pattern<'p>),
}

/// One `with`.
#[derive(Debug)]
pub(crate) enum Replacement<'p> {
    Input { path: Box<[Value<'p>]>, value: X<'p> },
    Data { path: Box<[Value<'p>]>, value: X<'p> },
    Function { of: Mocked, by: Mock<'p> },
}

/// A function that is replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mocked {
    Rule(RuleId),
    Builtin(&'static Builtin),
}

/// What replaces a function.
#[derive(Debug)]
pub(crate) enum Mock<'p> {
    Rule(RuleId),
    /// The value of a rule that is no function.
    Document(RuleId),
    Builtin(&'static Builtin),
    Value(X<'p>),
}

/// What a value must look like; binds slots on the way.
#[derive(Debug)]
pub(crate) enum Pattern<'p> {
    Any,
    Bind(Slot),
    Equal(X<'p>),
    Array(Box<[Pattern<'p>]>),
    Object(Box<[(X<'p>, Pattern<'p>)]>),
}

/// An expression: a value, or undefined.
#[derive(Debug)]
pub(crate) enum X<'p> {
    Constant(Value<'p>),
    Undefined,
    Slot(Slot),
    Input,
    /// Keys below another value.
    Path(Box<X<'p>>, Box<[&'p str]>),
    /// Keys below the input.
    InputPath(Box<[&'p str]>),
    /// Keys below a slot.
    SlotPath(Slot, Box<[&'p str]>),
    Index(Box<(X<'p>, X<'p>)>),
    /// The document of a rule.
    Rule(RuleId),
    /// All documents below a node.
    Node(NodeId),
    /// A base document.
    Base(Box<[Value<'p>]>),
    Call(RuleId, Box<[X<'p>]>),
    Builtin(&'static Builtin, Box<[X<'p>]>),
    Compare(Comparison, Box<(X<'p>, X<'p>)>),
    /// `value in collection`
    Member(Box<(X<'p>, X<'p>)>),
    /// Something compiled at load stands for the builtin and some of its arguments.
    Prepared(Box<Prepared<'p>>),
    Array(Box<[X<'p>]>),
    Set(Box<[X<'p>]>),
    Object(Box<[(X<'p>, X<'p>)]>),
    /// Each part a set: `<undefined>` if empty.
    ArrayOf(Box<Code<'p>>),
    SetOf(Box<Code<'p>>),
    ObjectOf(Box<Code<'p>>),
}

/// Comparisons of two values, which are always defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison that a builtin is.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "equal" => Self::Equal,
            "neq" => Self::NotEqual,
            "lt" => Self::Less,
            "lte" => Self::LessOrEqual,
            "gt" => Self::Greater,
            "gte" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// A builtin with what could be made of it at load.
#[derive(Debug)]
pub(crate) struct Prepared<'p> {
    pub(crate) builtin: &'static Builtin,
    pub(crate) tool: Tool,
    /// All arguments, also those that the tool stands for.
    pub(crate) args: Box<[X<'p>]>,
}

/// What is made at load of constant arguments.
#[derive(Debug)]
pub(crate) enum Tool {
    /// `regex.match` of the second argument.
    Regex(Arc<Regular>),
    /// `sprintf` of the second argument.
    Format(Format),
}

impl<'p> X<'p> {
    pub(crate) fn as_constant(&self) -> Option<Value<'p>> {
        match self {
            Self::Constant(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn is_comprehension(&self) -> bool {
        matches!(self, Self::ArrayOf(_) | Self::SetOf(_) | Self::ObjectOf(_))
    }
}
