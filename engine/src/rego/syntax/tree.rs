//! The syntax tree of Rego: what the parser found, before any name is resolved.
//!
//! Plain owned data, made to be walked, rewritten and kept. Each node carries its [`Span`]; what a person wrote
//! differently but means the same (an omitted value, an omitted body) is filled in and marked. How deep a tree can
//! be is bounded by the parser ([`super::MAX_DEPTH`]), so that walking it may recurse.

/// A place in a file. Lines and columns start at 1; columns count characters, a tab being one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Bytes before this place.
    pub offset: u32,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// From the first character of a node to just after its last; parentheses around a term belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Where it starts.
    pub start: Position,
    /// Just after its end.
    pub end: Position,
}

impl Span {
    /// From the start of this span to the end of another.
    #[must_use]
    pub fn to(self, last: Span) -> Span {
        Span { start: self.start, end: last.end }
    }
}

/// Which Rego a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Before OPA 1.0: `if`, `contains`, `in`, `every` only by import; bodies without `if`.
    V0,
    /// OPA 1.x.
    V1,
    /// V1 with `and`, `or` and bodies of `not`, by `import rego.v2`.
    V2,
}

/// A file.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// `package a.b`.
    pub package: Package,
    /// In order.
    pub imports: Vec<Import>,
    /// In order. A further body of a rule (`{ … } { … }`) is a rule of its own with the same head.
    pub rules: Vec<Rule>,
    /// `# METADATA` blocks, in order.
    pub metadata: Vec<Metadata>,
    /// All comments, those of metadata blocks too, in order.
    pub comments: Vec<Comment>,
    /// The language that the file was read in.
    pub version: Version,
    /// The latest language whose rules it promises to keep: `version`, or more by `import rego.v1` or `rego.v2`.
    pub promised: Version,
}

/// `package a.b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// With the keyword.
    pub span: Span,
    /// `a`, `b`: without `data`.
    pub path: Vec<Name>,
}

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The place.
    pub span: Span,
    /// The word; `_` for a wildcard, where variables may stand.
    pub text: String,
}

/// `import data.a.b as c`; the imports of keywords (`rego.v1`, `future.keywords.in`) are kept too.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// With the keyword.
    pub span: Span,
    /// `data`, `a`, `b`; the first is `data`, `input`, `future` or `rego`.
    pub path: Vec<Name>,
    /// `c`.
    pub alias: Option<Name>,
}

impl Import {
    /// The name that it gives: the alias, or the last of the path.
    pub fn name(&self) -> &str {
        self.alias.as_ref().or(self.path.last()).map_or("", |name| &name.text)
    }
}

/// A rule: one head and one body, with its chain of `else`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// From the head, or `default`, to the end of the last `else`; for a further body, that body.
    pub span: Span,
    /// `default p := 1`.
    pub default: bool,
    /// What it defines.
    pub head: Head,
    /// What it needs; `true` if none was written.
    pub body: Body,
    /// No body was written.
    pub body_omitted: bool,
    /// `if` was written.
    pub with_if: bool,
    /// In order.
    pub elses: Vec<Else>,
    /// A further body (`{ … }` after `{ … }`) of the rule before, whose head this repeats.
    pub chained: bool,
}

/// The head of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// From the name to the end of the value.
    pub span: Span,
    /// The name, which is a variable, and what follows it: `p`, `p.q`, `p[x].r`. Not the element of a partial set.
    pub name: Name,
    /// The terms after the name.
    pub path: Vec<Term>,
    /// The parameters; empty: not a function (`f()` is read as `f`).
    pub args: Vec<Term>,
    /// What is defined at that path.
    pub kind: HeadKind,
}

/// What a rule defines.
#[derive(Clone, Debug, PartialEq)]
pub enum HeadKind {
    /// One value: `p := value`, `p[x] := value`, `f(x) := value`, `p if …`.
    Value {
        /// The value; `true` if none was written.
        value: Term,
        /// None was written.
        omitted: bool,
        /// By `:=` rather than `=`.
        assigned: bool,
    },
    /// An element of a set: `p contains key`, `p[key] { … }` of Rego v0.
    Element {
        /// The element.
        key: Term,
        /// By `contains` rather than by brackets.
        with_contains: bool,
    },
}

/// `else := value if body`.
#[derive(Clone, Debug, PartialEq)]
pub struct Else {
    /// From `else`.
    pub span: Span,
    /// The value; `true` if none was written.
    pub value: Term,
    /// None was written.
    pub value_omitted: bool,
    /// By `:=` rather than `=`.
    pub assigned: bool,
    /// What it needs; `true` if none was written.
    pub body: Body,
    /// No body was written.
    pub body_omitted: bool,
    /// `if` was written.
    pub with_if: bool,
}

/// Expressions that must all hold; never empty.
pub type Body = Vec<Expr>;

/// One expression of a body, with its modifiers.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// From `not`, or the expression, to the end of the last `with`.
    pub span: Span,
    /// `not`, the old way: operands may be evaluated outside of it. See [`ExprKind::Not`] for the new one.
    pub negated: bool,
    /// The expression.
    pub kind: ExprKind,
    /// `with target as value`, in order.
    pub with: Vec<With>,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A term that must be defined and not false; calls, comparisons and membership among them.
    Term(Term),
    /// `left := right`.
    Assign {
        /// What is declared.
        left: Term,
        /// The value.
        right: Term,
    },
    /// `left = right`.
    Unify {
        /// One side.
        left: Term,
        /// The other.
        right: Term,
    },
    /// `some a, b`.
    Some(Vec<Name>),
    /// `some value in domain`, `some key, value in domain`.
    SomeIn {
        /// The key, if one was written.
        key: Option<Term>,
        /// The value.
        value: Term,
        /// The collection.
        domain: Term,
    },
    /// `every value in domain { body }`, `every key, value in domain { body }`.
    Every {
        /// The key, if one was written.
        key: Option<Name>,
        /// The value.
        value: Name,
        /// The collection.
        domain: Term,
        /// What must hold for each.
        body: Body,
    },
    /// `not` after `import future.keywords.not`: its body is a scope of its own; nothing is evaluated outside.
    Not {
        /// What must not hold; one expression if no braces were written.
        body: Body,
        /// Braces were written.
        braces: bool,
    },
    /// `left and right`, after `import future.keywords.and`.
    And(Box<Operand>, Box<Operand>),
    /// `left or right`, after `import future.keywords.or`.
    Or(Box<Operand>, Box<Operand>),
}

/// One side of `and` or `or`.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// With its braces or parentheses.
    pub span: Span,
    /// What must hold; one expression if no braces were written.
    pub body: Body,
    /// Braces were written.
    pub braces: bool,
}

/// `with input.a as 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct With {
    /// From `with`.
    pub span: Span,
    /// A reference or a variable.
    pub target: Term,
    /// Its value meanwhile.
    pub value: Term,
}

/// Something that has a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// With parentheses around it.
    pub span: Span,
    /// What it is.
    pub kind: TermKind,
}

/// The kinds of term.
#[derive(Clone, Debug, PartialEq)]
pub enum TermKind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number as it was written: JSON's notation, also `.5`; its sign belongs to it.
    Number(String),
    /// A string, its escapes resolved. `raw`: between backticks.
    String {
        /// The string.
        text: String,
        /// Between backticks.
        raw: bool,
    },
    /// `$"a {x}"`.
    Template {
        /// In order; neighbouring texts are one.
        parts: Vec<TemplatePart>,
        /// Between backticks.
        raw: bool,
    },
    /// A variable, or the name of a rule or an import. `input` and `data` alone are references.
    Var(String),
    /// `_`: a variable of its own at each place.
    Wildcard,
    /// `a.b[c]`, `input`, `data`.
    Ref(Ref),
    /// `f(x)`, `a.f(x)`.
    Call(Call),
    /// `a + b`, `a == b`, `a | b`; `-a` of a variable is `0 - a`, as in OPA.
    Infix(Box<Infix>),
    /// `value in collection`, `key, value in collection`.
    Member(Box<Member>),
    /// `[a, b]`.
    Array(Vec<Term>),
    /// `{a, b}`, `set()`. Equal elements are still there twice.
    Set(Vec<Term>),
    /// `{a: b}`. Equal keys are still there twice.
    Object(Vec<(Term, Term)>),
    /// `[term | body]`.
    ArrayComprehension(Box<Comprehension>),
    /// `{term | body}`.
    SetComprehension(Box<Comprehension>),
    /// `{key: value | body}`.
    ObjectComprehension(Box<ObjectComprehension>),
}

/// A reference into a document or a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Ref {
    /// A variable, a call, a collection or a comprehension.
    pub head: Box<Term>,
    /// `.name` is a string; `[term]` any term. Empty for `input` and `data` alone.
    pub path: Vec<Term>,
}

/// A call by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The place of the name.
    pub name_span: Span,
    /// The name, as a reference.
    pub function: Ref,
    /// In order.
    pub args: Vec<Term>,
}

impl Call {
    /// The name with dots, if it is made of words only: `count`, `json.patch`, `data.lib.f`.
    pub fn dotted(&self) -> Option<String> {
        self.function.dotted()
    }
}

impl Ref {
    /// The path with dots, if the head is a variable and all else are strings.
    pub fn dotted(&self) -> Option<String> {
        let TermKind::Var(first) = &self.head.kind else { return None };
        let mut text = first.clone();
        for term in &self.path {
            let TermKind::String { text: part, .. } = &term.kind else { return None };
            text.push('.');
            text.push_str(part);
        }
        Some(text)
    }
}

/// `left operator right`.
#[derive(Clone, Debug, PartialEq)]
pub struct Infix {
    /// The operator.
    pub operator: Operator,
    /// Its place.
    pub operator_span: Span,
    /// One side.
    pub left: Term,
    /// The other.
    pub right: Term,
}

/// The operators between terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `&`
    Intersect,
    /// `|`
    Unite,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// OPA's name of the builtin that it calls.
    pub fn builtin(self) -> &'static str {
        match self {
            Self::Add => "plus",
            Self::Subtract => "minus",
            Self::Multiply => "mul",
            Self::Divide => "div",
            Self::Remainder => "rem",
            Self::Intersect => "and",
            Self::Unite => "or",
            Self::Equal => "equal",
            Self::NotEqual => "neq",
            Self::Less => "lt",
            Self::LessOrEqual => "lte",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "gte",
        }
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Intersect => "&",
            Self::Unite => "|",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// `value in collection`, `key, value in collection`.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The key, if one was written.
    pub key: Option<Term>,
    /// The value.
    pub value: Term,
    /// The collection.
    pub collection: Term,
    /// The place of `in`.
    pub operator_span: Span,
}

/// `[term | body]`, `{term | body}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comprehension {
    /// The element.
    pub term: Term,
    /// What it needs.
    pub body: Body,
}

/// `{key: value | body}`.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectComprehension {
    /// The key.
    pub key: Term,
    /// The value.
    pub value: Term,
    /// What they need.
    pub body: Body,
}

/// A piece of a template string.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "templates have few parts, and most of them are expressions")]
pub enum TemplatePart {
    /// Its escapes resolved.
    Text {
        /// The place.
        span: Span,
        /// The text.
        text: String,
    },
    /// `{expression}`: a term or a call, possibly with modifiers; undefined is written `<undefined>`.
    Expr(Expr),
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub span: Span,
    /// Without `#`.
    pub text: String,
}

/// A `# METADATA` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// From the first `#` to the end of the last line.
    pub span: Span,
    /// The lines below the marker, without their `# `: YAML.
    pub yaml: String,
    /// The statement that follows.
    pub subject: Subject,
}

/// What a metadata block stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The package.
    Package,
    /// An import, by its place in [`Module::imports`].
    Import(usize),
    /// A rule, by its place in [`Module::rules`].
    Rule(usize),
    /// The end of the file.
    Nothing,
}

impl TermKind {
    /// What an error calls it.
    pub fn shown(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String { .. } => "string",
            Self::Template { .. } => "template string",
            Self::Var(_) | Self::Wildcard => "var",
            Self::Ref(_) => "ref",
            Self::Call(_) | Self::Infix(_) | Self::Member(_) => "call",
            Self::Array(_) => "array",
            Self::Set(_) => "set",
            Self::Object(_) => "object",
            Self::ArrayComprehension(_) => "array comprehension",
            Self::SetComprehension(_) => "set comprehension",
            Self::ObjectComprehension(_) => "object comprehension",
        }
    }
}
