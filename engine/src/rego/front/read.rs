//! From the syntax tree to the form: names of imports and of the package's own rules become references into
//! `data` and `input`, unless something nearer declares them.

use super::form::{
    Body, Callee, Clause, DATA, Every, Expr, ExprKind, INPUT, Kind, Operand, Part, Result, Rule, Target,
    Term, With,
};
use super::names::Names;
use super::sorted;
use crate::rego::builtins;
use crate::rego::place::Place;
use crate::rego::syntax::tree;
use crate::value::{Arena, Number, Value};
use std::collections::{HashMap, HashSet};

/// Something wrong at a place.
pub(crate) type Problem = (Place, String);

/// Reads the rules of one module.
pub(crate) struct Reader<'r, 'p, A> {
    pub(crate) arena: &'r A,
    pub(crate) names: &'r mut Names,
    pub(crate) problems: &'r mut Vec<Problem>,
    file: u16,
    package: Vec<&'p str>,
    /// What a name stands for: `data` or `input`, then keys.
    globals: HashMap<String, Vec<&'p str>>,
    /// Names that are declared around the place that is read.
    declared: Vec<HashSet<String>>,
}

/// The names of all rules by package, from all modules.
pub(crate) fn exports(modules: &[tree::Module]) -> HashMap<String, HashSet<String>> {
    let mut exports: HashMap<String, HashSet<String>> = HashMap::new();
    for module in modules {
        let names = module.rules.iter().map(|rule| rule.head.name.text.clone());
        exports.entry(package_of(module)).or_default().extend(names);
    }
    exports
}

/// The package with dots.
pub(crate) fn package_of(module: &tree::Module) -> String {
    module.package.path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}

impl<'r, 'p, A: Arena<'p>> Reader<'r, 'p, A> {
    /// A reader for one module.
    pub(crate) fn new(
        arena: &'r A,
        names: &'r mut Names,
        problems: &'r mut Vec<Problem>,
        file: u16,
        module: &tree::Module,
        exports: &HashMap<String, HashSet<String>>,
    ) -> Self {
        let package: Vec<&'p str> = module.package.path.iter().map(|name| arena.text(&name.text)).collect();
        let mut globals = HashMap::new();
        for name in exports.get(&package_of(module)).into_iter().flatten() {
            let path = ["data"].into_iter().chain(package.iter().copied()).chain([arena.text(name)]);
            globals.insert(name.clone(), path.collect());
        }
        for import in &module.imports {
            let path: Vec<&'p str> = import.path.iter().map(|name| arena.text(&name.text)).collect();
            if !matches!(path.first(), Some(&("future" | "rego"))) {
                globals.insert(import.name().to_owned(), path);
            }
        }
        Self { arena, names, problems, file, package, globals, declared: Vec::new() }
    }

    /// A reader for a query, which knows no package.
    pub(crate) fn for_query(
        arena: &'r A,
        names: &'r mut Names,
        problems: &'r mut Vec<Problem>,
        file: u16,
    ) -> Self {
        let (package, globals, declared) = (Vec::new(), HashMap::new(), Vec::new());
        Self { arena, names, problems, file, package, globals, declared }
    }

    fn place(&self, span: tree::Span) -> Place {
        Place::of(self.file, span)
    }

    fn is_declared(&self, name: &str) -> bool {
        self.declared.iter().any(|names| names.contains(name))
    }

    /// A rule with its `else`s.
    pub(crate) fn rule(&mut self, rule: &tree::Rule) -> Rule<'p> {
        let place = self.place(rule.span);
        let head = &rule.head;
        let mut path: Vec<Value<'p>> = self.package.iter().copied().map(Value::String).collect();
        path.push(Value::String(self.arena.text(&head.name.text)));
        let mut constant = 0;
        for term in &head.path {
            let Kind::Scalar(value) = self.term(term).kind else { break };
            path.push(value);
            constant += 1;
        }
        let tail = head.path.get(constant..).unwrap_or_default();
        let mut clauses = Vec::with_capacity(1 + rule.elses.len());
        let (first, multi) = match &head.kind {
            tree::HeadKind::Value { value, .. } => (value, false),
            tree::HeadKind::Element { key, .. } => (key, true),
        };
        clauses.push(self.clause(head, tail, first, multi, &rule.body, place));
        for other in &rule.elses {
            let place = self.place(other.span);
            clauses.push(self.clause(head, tail, &other.value, false, &other.body, place));
        }
        Rule { path, default: rule.default, clauses, place, name: self.place(head.name.span) }
    }

    fn clause(
        &mut self,
        head: &tree::Head,
        tail: &[tree::Term],
        result: &tree::Term,
        multi: bool,
        body: &tree::Body,
        place: Place,
    ) -> Clause<'p> {
        let mut names = HashSet::new();
        for arg in &head.args {
            argument_names(arg, &mut names);
            if let tree::TermKind::Ref(reference) = &arg.kind
                && reference.path.is_empty()
            {
                let name = reference.dotted().unwrap_or_default();
                let message = format!("args must not shadow {name} (use a different variable name)");
                self.problems.push((self.place(arg.span), message));
            }
        }
        body_names(body, &mut names);
        // Arguments are not resolved: their names are new.
        let globals = std::mem::take(&mut self.globals);
        let args = head.args.iter().map(|arg| self.term(arg)).collect();
        self.globals = globals;
        self.declared.push(names);
        let tail = tail.iter().map(|term| self.term(term)).collect();
        let result = self.term(result);
        let body = self.body(body);
        self.declared.pop();
        let result = if multi { Result::Element(result) } else { Result::Value(result) };
        Clause { args, tail, result, body, place }
    }

    /// A body whose declared names are known to be in scope.
    pub(crate) fn body(&mut self, body: &[tree::Expr]) -> Body<'p> {
        body.iter().map(|expr| self.expr(expr)).collect()
    }

    /// A query: a body that is not of a rule.
    pub(crate) fn query(&mut self, body: &[tree::Expr]) -> Body<'p> {
        self.scoped(body, |reader| reader.body(body))
    }

    fn scoped<T>(&mut self, body: &[tree::Expr], read: impl FnOnce(&mut Self) -> T) -> T {
        let mut names = HashSet::new();
        body_names(body, &mut names);
        self.declared.push(names);
        let value = read(self);
        self.declared.pop();
        value
    }

    fn expr(&mut self, expr: &tree::Expr) -> Expr<'p> {
        let place = self.place(expr.span);
        let kind = match &expr.kind {
            tree::ExprKind::Term(term) => match self.term(term) {
                Term { kind: Kind::Call(callee, args), .. } => ExprKind::Call(callee, args),
                term => ExprKind::Term(term),
            },
            tree::ExprKind::Assign { left, right } => self.pair("assign", left, right, place),
            tree::ExprKind::Unify { left, right } => self.pair("eq", left, right, place),
            tree::ExprKind::Some(names) => {
                ExprKind::Some(names.iter().map(|name| (self.named(name), self.place(name.span))).collect())
            }
            tree::ExprKind::SomeIn { key, value, domain } => ExprKind::SomeIn {
                key: key.as_ref().map(|key| self.term(key)),
                value: self.term(value),
                domain: self.term(domain),
            },
            tree::ExprKind::Every { key, value, domain, body } => {
                let domain = self.term(domain);
                let names = key.iter().chain([value]).map(|name| name.text.clone()).collect();
                self.declared.push(names);
                let body = self.body(body);
                self.declared.pop();
                let key = key.as_ref().map(|key| self.named(key));
                ExprKind::Every(Box::new(Every { key, value: self.named(value), domain, body }))
            }
            tree::ExprKind::Not { body, braces } => ExprKind::Not { body: self.body(body), braces: *braces },
            tree::ExprKind::And(left, right) => ExprKind::And(self.operands(left, right)),
            tree::ExprKind::Or(left, right) => ExprKind::Or(self.operands(left, right)),
        };
        let withs = expr.with.iter().filter_map(|with| self.with(with)).collect();
        Expr { withs, negated: expr.negated, written: Some(place), ..Expr::new(kind, place) }
    }

    #[expect(clippy::unnecessary_box_returns, reason = "it goes into a variant that must stay small")]
    fn operands(&mut self, left: &tree::Operand, right: &tree::Operand) -> Box<[Operand<'p>; 2]> {
        Box::new([left, right].map(|side| Operand { body: self.body(&side.body), braces: side.braces }))
    }

    fn pair(
        &mut self,
        name: &'static str,
        left: &tree::Term,
        right: &tree::Term,
        place: Place,
    ) -> ExprKind<'p> {
        if self.globals.contains_key(name) && !self.is_declared(name) {
            let message =
                format!("the rule or import `{name}` takes the place of an operator: give it another name");
            self.problems.push((place, message));
        }
        let head = (name == "eq").then(|| self.names.written(name));
        // The left side of `:=` is a new name, also where an import has it.
        let callee = Callee { head, ..Callee::builtin(name, place) };
        ExprKind::Call(callee, vec![self.term(left), self.term(right)])
    }

    fn with(&mut self, with: &tree::With) -> Option<With<'p>> {
        let place = self.place(with.target.span);
        let value = self.term(&with.value);
        let dotted = match &with.target.kind {
            tree::TermKind::Var(name) => Some(name.clone()),
            tree::TermKind::Ref(reference) => reference.dotted(),
            _ => None,
        };
        let target = self.term(&with.target);
        let target = match (target.kind, dotted) {
            (Kind::Ref(parts), _)
                if matches!(parts.first().and_then(Term::as_var), Some(INPUT | DATA))
                    && parts.iter().skip(1).all(|part| part.as_text().is_some()) =>
            {
                Target::Document(parts)
            }
            (_, Some(name)) if builtins::find(&name).is_some() => Target::Builtin(self.arena.text(&name)),
            _ => {
                let message = "with keyword target must reference existing input, data, or a function";
                self.problems.push((place, message.to_owned()));
                return None;
            }
        };
        Some(With { target, value, function: None, place })
    }

    fn named(&mut self, name: &tree::Name) -> super::form::Var {
        if name.text == "_" { self.names.wildcard() } else { self.names.written(&name.text) }
    }

    fn callee(&mut self, call: &tree::Call) -> Callee<'p> {
        let place = self.place(call.name_span);
        let Some(dotted) = call.dotted() else {
            self.problems.push((place, "a function is called by its name, not by a computed one".to_owned()));
            return Callee::builtin("", place);
        };
        self.function(&dotted, place)
    }

    /// The function of a dotted name: a rule or a builtin. Operators are names too (`plus`, `internal.member_2`), and
    /// a rule of such a name takes their place, as in OPA.
    fn function(&mut self, dotted: &str, place: Place) -> Callee<'p> {
        let words: Vec<&str> = dotted.split('.').collect();
        let first = words.first().copied().unwrap_or_default();
        if !self.is_declared(first)
            && let Some(path) = self.globals.get(first)
        {
            let rest = words.iter().skip(1).map(|word| self.arena.text(word));
            return Callee { path: path.iter().copied().chain(rest).collect(), head: None, place };
        }
        if first == "data" || first == "input" {
            return Callee {
                path: words.iter().map(|word| self.arena.text(word)).collect(),
                head: None,
                place,
            };
        }
        let head = Some(self.names.written(first));
        Callee { path: vec![self.arena.text(dotted)], head, place }
    }

    /// A term with its names resolved.
    pub(crate) fn term(&mut self, term: &tree::Term) -> Term<'p> {
        let place = self.place(term.span);
        let kind = match &term.kind {
            tree::TermKind::Null => Kind::Scalar(Value::Null),
            tree::TermKind::Bool(value) => Kind::Scalar(Value::Bool(*value)),
            tree::TermKind::Number(text) => {
                Kind::Scalar(Value::Number(Number::from_token(self.arena.text(text))))
            }
            tree::TermKind::String { text, .. } => Kind::Scalar(Value::String(self.arena.text(text))),
            tree::TermKind::Template { parts, .. } => {
                Kind::Template(parts.iter().map(|part| self.part(part)).collect())
            }
            tree::TermKind::Var(name) => return self.variable(name, place),
            tree::TermKind::Wildcard => Kind::Var(self.names.wildcard()),
            tree::TermKind::Ref(reference) => return self.reference(reference, place),
            tree::TermKind::Call(call) => {
                let callee = self.callee(call);
                Kind::Call(callee, call.args.iter().map(|arg| self.term(arg)).collect())
            }
            tree::TermKind::Infix(infix) => {
                let callee = self.function(infix.operator.builtin(), self.place(infix.operator_span));
                Kind::Call(callee, vec![self.term(&infix.left), self.term(&infix.right)])
            }
            tree::TermKind::Member(member) => {
                let name = if member.key.is_some() { "internal.member_3" } else { "internal.member_2" };
                let callee = self.function(name, self.place(member.operator_span));
                let terms = member.key.iter().chain([&member.value, &member.collection]);
                Kind::Call(callee, terms.map(|term| self.term(term)).collect())
            }
            tree::TermKind::Array(items) => Kind::Array(items.iter().map(|item| self.term(item)).collect()),
            tree::TermKind::Set(items) => {
                let mut items: Vec<_> = items.iter().map(|item| self.term(item)).collect();
                sorted::members(&mut items, self.names);
                Kind::Set(items)
            }
            tree::TermKind::Object(pairs) => {
                let mut pairs: Vec<_> =
                    pairs.iter().map(|(key, value)| (self.term(key), self.term(value))).collect();
                sorted::pairs(&mut pairs, self.names);
                Kind::Object(pairs)
            }
            tree::TermKind::ArrayComprehension(of) => {
                Kind::ArrayOf(self.scoped(&of.body, |it| Box::new((it.term(&of.term), it.body(&of.body)))))
            }
            tree::TermKind::SetComprehension(of) => {
                Kind::SetOf(self.scoped(&of.body, |it| Box::new((it.term(&of.term), it.body(&of.body)))))
            }
            tree::TermKind::ObjectComprehension(of) => {
                Kind::ObjectOf(self.scoped(&of.body, |it| {
                    Box::new((it.term(&of.key), it.term(&of.value), it.body(&of.body)))
                }))
            }
        };
        Term::new(kind, place)
    }

    fn part(&mut self, part: &tree::TemplatePart) -> Part<'p> {
        match part {
            tree::TemplatePart::Text { text, .. } => Part::Text(Value::String(self.arena.text(text))),
            tree::TemplatePart::Expr(expr) => Part::Expr(Box::new(self.expr(expr))),
        }
    }

    fn variable(&mut self, name: &str, place: Place) -> Term<'p> {
        if !self.is_declared(name)
            && let Some(path) = self.globals.get(name)
        {
            let mut words = path.iter();
            let head = if words.next() == Some(&"input") { INPUT } else { DATA };
            let parts =
                std::iter::once(Term::var(head, place)).chain(words.map(|word| Term::text(word, place)));
            return Term::new(Kind::Ref(parts.collect()), place);
        }
        Term::var(self.names.written(name), place)
    }

    fn reference(&mut self, reference: &tree::Ref, place: Place) -> Term<'p> {
        let head = self.term(&reference.head);
        let mut parts = match head.kind {
            Kind::Ref(parts) => parts,
            kind => vec![Term::new(kind, head.place)],
        };
        parts.extend(reference.path.iter().map(|term| self.term(term)));
        Term::new(Kind::Ref(parts), place)
    }
}

/// The names that a body declares anywhere but in comprehensions.
fn body_names(body: &[tree::Expr], names: &mut HashSet<String>) {
    for expr in body {
        match &expr.kind {
            tree::ExprKind::Assign { left, .. } => term_names(left, names),
            tree::ExprKind::Some(declared) => names.extend(declared.iter().map(|name| name.text.clone())),
            tree::ExprKind::SomeIn { key, value, .. } => {
                key.iter().chain([value]).for_each(|term| term_names(term, names));
            }
            tree::ExprKind::Every { body, .. } | tree::ExprKind::Not { body, .. } => body_names(body, names),
            tree::ExprKind::And(left, right) | tree::ExprKind::Or(left, right) => {
                body_names(&left.body, names);
                body_names(&right.body, names);
            }
            tree::ExprKind::Term(_) | tree::ExprKind::Unify { .. } => {}
        }
    }
}

/// All variables of a pattern.
fn term_names(term: &tree::Term, names: &mut HashSet<String>) {
    match &term.kind {
        tree::TermKind::Var(name) => {
            names.insert(name.clone());
        }
        tree::TermKind::Ref(reference) => {
            term_names(&reference.head, names);
            reference.path.iter().for_each(|term| term_names(term, names));
        }
        tree::TermKind::Array(items) | tree::TermKind::Set(items) => {
            items.iter().for_each(|term| term_names(term, names));
        }
        tree::TermKind::Object(pairs) => {
            for (key, value) in pairs {
                term_names(key, names);
                term_names(value, names);
            }
        }
        tree::TermKind::Call(call) => call.args.iter().for_each(|term| term_names(term, names)),
        tree::TermKind::Infix(infix) => {
            term_names(&infix.left, names);
            term_names(&infix.right, names);
        }
        _ => {}
    }
}

/// The variables of a parameter: object keys, sets, calls and comprehensions cannot be matched.
fn argument_names(term: &tree::Term, names: &mut HashSet<String>) {
    match &term.kind {
        tree::TermKind::Var(name) => {
            names.insert(name.clone());
        }
        tree::TermKind::Ref(reference) => {
            argument_names(&reference.head, names);
            reference.path.iter().for_each(|term| argument_names(term, names));
        }
        tree::TermKind::Array(items) => items.iter().for_each(|term| argument_names(term, names)),
        tree::TermKind::Object(pairs) => pairs.iter().for_each(|(_, value)| argument_names(value, names)),
        _ => {}
    }
}
