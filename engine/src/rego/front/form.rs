//! The form between syntax and code: names resolved, variables numbered, still one expression per line.
//!
//! The stages of this folder rewrite it until it has the shape that OPA's compiler gives a policy before it is
//! evaluated: calls and references each in an expression of their own, bound to variables, in an order in which
//! every variable is bound before it is needed.

use crate::rego::place::Place;
use crate::value::Value;

/// A variable: its number in [`super::names::Names`].
pub(crate) type Var = u32;

/// The input document.
pub(crate) const INPUT: Var = 0;
/// The data document.
pub(crate) const DATA: Var = 1;

/// A term with its place.
#[derive(Clone, Debug)]
pub(crate) struct Term<'p> {
    pub(crate) kind: Kind<'p>,
    pub(crate) place: Place,
}

/// What a term is.
#[derive(Clone, Debug)]
pub(crate) enum Kind<'p> {
    /// A scalar.
    Scalar(Value<'p>),
    Var(Var),
    /// Head and operands; the head alone for `input` and `data`.
    Ref(Vec<Term<'p>>),
    Array(Vec<Term<'p>>),
    Set(Vec<Term<'p>>),
    Object(Vec<(Term<'p>, Term<'p>)>),
    Call(Callee<'p>, Vec<Term<'p>>),
    /// `[term | body]`
    ArrayOf(Box<(Term<'p>, Body<'p>)>),
    /// `{term | body}`
    SetOf(Box<(Term<'p>, Body<'p>)>),
    /// `{key: value | body}`
    ObjectOf(Box<(Term<'p>, Term<'p>, Body<'p>)>),
    /// `$"…{x}…"`
    Template(Vec<Part<'p>>),
}

/// A piece of a template string.
#[derive(Clone, Debug)]
pub(crate) enum Part<'p> {
    Text(Value<'p>),
    Expr(Box<Expr<'p>>),
}

/// What a call names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Callee<'p> {
    /// `data`, `pkg`, `f` for a rule; one dotted name for a builtin.
    pub(crate) path: Vec<&'p str>,
    /// The variable that the name began with, unless it was an import or a rule: it must not be a local variable.
    pub(crate) head: Option<Var>,
    pub(crate) place: Place,
}

impl<'p> Callee<'p> {
    /// A builtin by its name.
    pub(crate) fn builtin(name: &'p str, place: Place) -> Self {
        Self { path: vec![name], head: None, place }
    }

    /// The name of a builtin; `None` for a rule.
    pub(crate) fn name(&self) -> Option<&'p str> {
        match self.path.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// As a person writes it.
    pub(crate) fn shown(&self) -> String {
        self.path.join(".")
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name() == Some(name)
    }
}

/// Expressions that must all hold.
pub(crate) type Body<'p> = Vec<Expr<'p>>;

/// One expression.
#[derive(Clone, Debug)]
pub(crate) struct Expr<'p> {
    pub(crate) kind: ExprKind<'p>,
    pub(crate) withs: Vec<With<'p>>,
    pub(crate) negated: bool,
    /// Made by a rewriting: its last operand is an output.
    pub(crate) generated: bool,
    /// Was written `:=`: the left side is an output only.
    pub(crate) assigned: bool,
    pub(crate) place: Place,
    /// Where the expression stands that it is, or was made of; `None` for what was made of a head.
    pub(crate) written: Option<Place>,
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind<'p> {
    /// Must be defined and not false.
    Term(Term<'p>),
    /// A call, also of the operators; `eq` unifies, `assign` is there until local variables are rewritten.
    Call(Callee<'p>, Vec<Term<'p>>),
    /// `some a, b`
    Some(Vec<(Var, Place)>),
    SomeIn {
        key: Option<Term<'p>>,
        value: Term<'p>,
        domain: Term<'p>,
    },
    Every(Box<Every<'p>>),
    Not {
        body: Body<'p>,
        braces: bool,
    },
    And(Box<[Operand<'p>; 2]>),
    Or(Box<[Operand<'p>; 2]>),
}

/// `every key, value in domain { body }`
#[derive(Clone, Debug)]
pub(crate) struct Every<'p> {
    pub(crate) key: Option<Var>,
    pub(crate) value: Var,
    pub(crate) domain: Term<'p>,
    pub(crate) body: Body<'p>,
}

/// A side of `and` or `or`.
#[derive(Clone, Debug)]
pub(crate) struct Operand<'p> {
    pub(crate) body: Body<'p>,
    pub(crate) braces: bool,
}

/// `with target as value`
#[derive(Clone, Debug)]
pub(crate) struct With<'p> {
    pub(crate) target: Target<'p>,
    pub(crate) value: Term<'p>,
    /// The value is a function, not its result.
    pub(crate) function: Option<Callee<'p>>,
    pub(crate) place: Place,
}

/// What a `with` replaces.
#[derive(Clone, Debug)]
pub(crate) enum Target<'p> {
    /// `input` or `data` and what follows; the keys are constants.
    Document(Vec<Term<'p>>),
    /// A builtin, by its name.
    Builtin(&'p str),
}

/// A rule: its clauses are the body and each `else`.
#[derive(Clone, Debug)]
pub(crate) struct Rule<'p> {
    /// `pkg`, `name` and all constants that follow: without `data`.
    pub(crate) path: Vec<Value<'p>>,
    pub(crate) default: bool,
    pub(crate) clauses: Vec<Clause<'p>>,
    pub(crate) place: Place,
    pub(crate) name: Place,
}

impl Rule<'_> {
    pub(crate) fn is_function(&self) -> bool {
        self.clauses.first().is_some_and(|clause| !clause.args.is_empty())
    }

    pub(crate) fn arity(&self) -> usize {
        self.clauses.first().map_or(0, |clause| clause.args.len())
    }

    /// Whether the rule gives elements of a set.
    pub(crate) fn is_multi(&self) -> bool {
        self.clauses.first().is_some_and(|clause| matches!(clause.result, Result::Element(_)))
    }

    /// Whether nothing of the path is only known when the rule runs.
    pub(crate) fn is_ground(&self) -> bool {
        self.clauses.first().is_some_and(|clause| clause.tail.is_empty())
    }
}

/// One way to a value.
#[derive(Clone, Debug)]
pub(crate) struct Clause<'p> {
    pub(crate) args: Vec<Term<'p>>,
    /// What follows the constant part of the head: begins with the first term that is no scalar.
    pub(crate) tail: Vec<Term<'p>>,
    pub(crate) result: Result<'p>,
    pub(crate) body: Body<'p>,
    pub(crate) place: Place,
}

/// What a clause gives.
#[derive(Clone, Debug)]
pub(crate) enum Result<'p> {
    Value(Term<'p>),
    Element(Term<'p>),
}

impl<'p> Result<'p> {
    pub(crate) fn term(&self) -> &Term<'p> {
        match self {
            Self::Value(term) | Self::Element(term) => term,
        }
    }

    pub(crate) fn term_mut(&mut self) -> &mut Term<'p> {
        match self {
            Self::Value(term) | Self::Element(term) => term,
        }
    }
}

impl<'p> Term<'p> {
    pub(crate) fn new(kind: Kind<'p>, place: Place) -> Self {
        Self { kind, place }
    }

    pub(crate) fn var(var: Var, place: Place) -> Self {
        Self::new(Kind::Var(var), place)
    }

    pub(crate) fn text(text: &'p str, place: Place) -> Self {
        Self::new(Kind::Scalar(Value::String(text)), place)
    }

    /// The string that this term is.
    pub(crate) fn as_text(&self) -> Option<&'p str> {
        match self.kind {
            Kind::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_var(&self) -> Option<Var> {
        match self.kind {
            Kind::Var(var) => Some(var),
            _ => None,
        }
    }

    /// `input` or `data` alone.
    pub(crate) fn as_root(&self) -> Option<Var> {
        match &self.kind {
            Kind::Ref(parts) if parts.len() == 1 => {
                parts.first().and_then(Term::as_var).filter(|var| matches!(*var, INPUT | DATA))
            }
            _ => None,
        }
    }

    /// Whether it must be evaluated on its own before it can be compared: holds references or comprehensions.
    pub(crate) fn requires_evaluation(&self) -> bool {
        match &self.kind {
            Kind::Scalar(_) | Kind::Var(_) | Kind::Template(_) => false,
            Kind::Ref(_) | Kind::ArrayOf(_) | Kind::SetOf(_) | Kind::ObjectOf(_) => true,
            Kind::Array(items) | Kind::Set(items) => items.iter().any(Term::requires_evaluation),
            Kind::Object(pairs) => {
                pairs.iter().any(|(key, value)| key.requires_evaluation() || value.requires_evaluation())
            }
            Kind::Call(_, args) => args.iter().any(Term::requires_evaluation),
        }
    }
}

impl PartialEq for Term<'_> {
    /// Equal but for places; what holds a body is equal to nothing.
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Scalar(left), Kind::Scalar(right)) => left == right,
            (Kind::Var(left), Kind::Var(right)) => left == right,
            (Kind::Ref(left), Kind::Ref(right))
            | (Kind::Array(left), Kind::Array(right))
            | (Kind::Set(left), Kind::Set(right)) => left == right,
            (Kind::Object(left), Kind::Object(right)) => left == right,
            (Kind::Call(left, a), Kind::Call(right, b)) => left.path == right.path && a == b,
            _ => false,
        }
    }
}

impl<'p> Expr<'p> {
    pub(crate) fn new(kind: ExprKind<'p>, place: Place) -> Self {
        Self {
            kind,
            withs: Vec::new(),
            negated: false,
            generated: false,
            assigned: false,
            place,
            written: None,
        }
    }

    /// `left = right`
    pub(crate) fn unify(left: Term<'p>, right: Term<'p>, place: Place) -> Self {
        Self::new(ExprKind::Call(Callee::builtin("eq", place), vec![left, right]), place)
    }

    /// `true`: what stands where nothing was written.
    pub(crate) fn truth(place: Place) -> Self {
        Self::new(ExprKind::Term(Term::new(Kind::Scalar(Value::Bool(true)), place)), place)
    }

    /// Both sides of `left = right`.
    pub(crate) fn as_unification(&self) -> Option<(&Term<'p>, &Term<'p>)> {
        match &self.kind {
            ExprKind::Call(callee, args) if callee.is("eq") => match args.as_slice() {
                [left, right] => Some((left, right)),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn is_call(&self, name: &str) -> bool {
        matches!(&self.kind, ExprKind::Call(callee, _) if callee.is(name))
    }
}

/// Appends expressions; they take the place of a lone `true`.
pub(crate) fn append<'p>(body: &mut Body<'p>, more: Vec<Expr<'p>>) {
    if more.is_empty() {
        return;
    }
    if is_true(body) {
        body.clear();
    }
    body.extend(more);
}

/// Whether nothing is asked.
pub(crate) fn is_true(body: &[Expr<'_>]) -> bool {
    matches!(body, [Expr { kind: ExprKind::Term(Term { kind: Kind::Scalar(Value::Bool(true)), .. }), .. }])
}

impl<'p> Expr<'p> {
    /// The term that this expression is; `true` if it is none.
    pub(crate) fn into_term(self) -> Term<'p> {
        match self.kind {
            ExprKind::Term(term) => term,
            _ => Term::new(Kind::Scalar(Value::Bool(true)), self.place),
        }
    }
}
