//! What is checked at load beyond syntax: every called function exists, none reaches outside, and nothing is
//! written in a way that the interpreter is known to answer differently from OPA.

use super::{LoadError, Module};
use regorus::unstable::{BUILTINS, BoolOp, Expr, Literal, LiteralStmt, Query, Ref, Rule, RuleHead, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Builtins that reach out of the evaluation or make it unrepeatable.
const BANNED: [&str; 5] =
    ["http.send", "opa.runtime", "net.lookup_ip_addr", "rego.parse_module", "rand.intn"];

/// The functions that a set of modules defines, by full name (`data.lib.x.f`).
pub(super) fn functions(modules: &[Ref<regorus::unstable::Module>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for module in modules {
        let package = dotted(&module.package.refr).unwrap_or_default();
        for rule in &module.policy {
            let (Rule::Spec { head: RuleHead::Func { refr, .. } | RuleHead::Compr { refr, .. }, .. }
            | Rule::Default { refr, .. }) = rule.as_ref()
            else {
                continue;
            };
            names.extend(dotted(refr).map(|name| format!("data.{package}.{name}")));
        }
    }
    names
}

/// Checks one parsed module.
pub(super) fn module(
    source: &Module,
    module: &regorus::unstable::Module,
    functions: &BTreeSet<String>,
) -> Vec<LoadError> {
    let aliases = module.imports.iter().filter_map(|import| {
        let full = dotted(&import.refr)?;
        let alias = match &import.r#as {
            Some(alias) => alias.text().to_owned(),
            None => full.rsplit('.').next()?.to_owned(),
        };
        Some((alias, full))
    });
    let mut checker = Checker {
        source,
        package: dotted(&module.package.refr).unwrap_or_default(),
        aliases: aliases.collect(),
        functions,
        errors: Vec::new(),
    };
    for rule in &module.policy {
        checker.rule(rule);
    }
    checker.errors
}

struct Checker<'m> {
    source: &'m Module,
    package: String,
    aliases: BTreeMap<String, String>,
    functions: &'m BTreeSet<String>,
    errors: Vec<LoadError>,
}

impl Checker<'_> {
    fn refuse(&mut self, span: &Span, message: impl Into<String>) {
        self.errors.push(LoadError::at(&self.source.path, &self.source.text, span.line, span.col, message));
    }

    fn rule(&mut self, rule: &Rule) {
        match rule {
            Rule::Default { value, args, span, .. } => {
                if !args.is_empty() {
                    self.refuse(span, "default functions are not supported; write a second body with the opposite condition");
                }
                self.expression(value);
            }
            Rule::Spec { head, bodies, .. } => {
                match head {
                    RuleHead::Compr { refr, assign, .. } => {
                        self.expression(refr);
                        assign.iter().for_each(|assign| self.expression(&assign.value));
                    }
                    RuleHead::Set { refr, key, .. } => {
                        self.expression(refr);
                        key.iter().for_each(|key| self.expression(key));
                    }
                    RuleHead::Func { args, assign, .. } => {
                        args.iter().for_each(|arg| self.expression(arg));
                        assign.iter().for_each(|assign| self.expression(&assign.value));
                    }
                }
                for body in bodies {
                    body.assign.iter().for_each(|assign| self.expression(&assign.value));
                    self.query(&body.query);
                }
            }
        }
    }

    fn query(&mut self, query: &Query) {
        query.stmts.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &LiteralStmt) {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().for_each(|key| self.expression(key));
                self.expression(value);
                self.expression(collection);
            }
            Literal::Expr { expr, .. } => self.expression(expr),
            Literal::NotExpr { expr, .. } => {
                self.negated(expr);
                self.expression(expr);
            }
            Literal::Every { domain, query, .. } => {
                self.expression(domain);
                self.query(query);
            }
        }
        for modifier in &statement.with_mods {
            for side in [&modifier.refr, &modifier.r#as] {
                let name = dotted(side).unwrap_or_default();
                if BANNED.contains(&name.as_str()) {
                    self.refuse(side.span(), format!("`{name}` is not available to policies, nor by `with`"));
                }
            }
            self.expression(&modifier.r#as);
        }
    }

    /// OPA evaluates the operands of a negated call or comparison before the `not`: an undefined one makes the
    /// whole body undefined. The interpreter makes the `not` true. Until our evaluator stands, operands must be
    /// things that cannot be undefined.
    fn negated(&mut self, expression: &Expr) {
        let operands: Vec<&Ref<Expr>> = match expression {
            Expr::Call { params, .. } => params.iter().collect(),
            Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. } => {
                let nested = [lhs, rhs]
                    .into_iter()
                    .filter(|side| !matches!(side.as_ref(), Expr::RefDot { .. } | Expr::RefBrack { .. }));
                nested.collect()
            }
            Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::BinExpr { lhs, rhs, .. } => {
                vec![lhs, rhs]
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().chain([value, collection]).collect()
            }
            _ => Vec::new(),
        };
        for operand in operands {
            if let Some(span) = may_be_undefined(operand) {
                self.refuse(
                    &span,
                    format!(
                        "`{}` inside `not` could be undefined; name it with `:=` before the `not`, or negate a helper rule",
                        clip(span.text())
                    ),
                );
            }
        }
    }

    fn expression(&mut self, expression: &Expr) {
        if let Expr::Call { fcn, params, span, .. } = expression {
            self.call(fcn, params, span);
        }
        self.children(expression);
    }

    fn children(&mut self, expression: &Expr) {
        match expression {
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| self.expression(item));
            }
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.expression(key);
                self.expression(value);
            }),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expression(term);
                self.query(query);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expression(key);
                self.expression(value);
                self.query(query);
            }
            Expr::Call { params, .. } => params.iter().for_each(|param| self.expression(param)),
            Expr::UnaryExpr { expr, .. } => self.expression(expr),
            Expr::RefDot { refr, .. } => self.expression(refr),
            Expr::RefBrack { refr, index, .. } => {
                self.expression(refr);
                self.expression(index);
            }
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.expression(lhs);
                self.expression(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().chain([value, collection]).for_each(|side| self.expression(side));
            }
            _ => {}
        }
    }

    fn call(&mut self, function: &Expr, params: &[Ref<Expr>], span: &Span) {
        let Some(name) = dotted(function) else {
            return self.refuse(span, "a call must name its function");
        };
        let (first, rest) = name.split_once('.').unwrap_or((&name, ""));
        let full = match self.aliases.get(first) {
            Some(alias) if rest.is_empty() => alias.clone(),
            Some(alias) => format!("{alias}.{rest}"),
            None if first == "data" => name.clone(),
            None => format!("data.{}.{name}", self.package),
        };
        if self.functions.contains(&full) {
            if params.len() > 8 {
                self.refuse(span, "functions with more than 8 arguments are not supported; pass an object");
            }
        } else if BANNED.contains(&name.as_str()) {
            self.refuse(
                span,
                format!("`{name}` is not available to policies: they decide on what they are given"),
            );
        } else if !BUILTINS.contains_key(name.as_str()) && name != "print" {
            self.refuse(span, format!("unknown function `{name}`"));
        } else if name == "sprintf" {
            self.sprintf(params, span);
        }
    }

    /// Only what is proven equal to Go's fmt: plain verbs, as many as arguments.
    fn sprintf(&mut self, params: &[Ref<Expr>], span: &Span) {
        let [format, arguments] = params else {
            return self.refuse(span, "`sprintf` takes a format and a list of arguments");
        };
        let (Expr::String { value, .. } | Expr::RawString { value, .. }) = format.as_ref() else {
            return self.refuse(format.span(), "the format of `sprintf` must be a literal string");
        };
        let Expr::Array { items, .. } = arguments.as_ref() else {
            return self.refuse(arguments.span(), "the arguments of `sprintf` must be a literal list");
        };
        let text = value.as_string().map(std::string::ToString::to_string).unwrap_or_default();
        let mut verbs = 0;
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character == '%' {
                match rest.next() {
                    Some('%') => {}
                    Some('s' | 'd' | 'v') => verbs += 1,
                    _ => return self.refuse(format.span(), "`sprintf` supports the verbs %s, %d and %v"),
                }
            }
        }
        if verbs != items.len() {
            let message = format!("`sprintf` has {verbs} verbs for {} arguments", items.len());
            self.refuse(format.span(), message);
        }
    }
}

/// The first part of an expression that could be undefined: a reference into data, or a call.
fn may_be_undefined(expression: &Expr) -> Option<Span> {
    match expression {
        Expr::RefDot { span, .. } | Expr::RefBrack { span, .. } | Expr::Call { span, .. } => {
            Some(span.clone())
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().find_map(|item| may_be_undefined(item))
        }
        Expr::Object { fields, .. } => fields
            .iter()
            .find_map(|(_, key, value)| may_be_undefined(key).or_else(|| may_be_undefined(value))),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. } => may_be_undefined(lhs).or_else(|| may_be_undefined(rhs)),
        Expr::UnaryExpr { expr, .. } => may_be_undefined(expr),
        _ => None,
    }
}

/// The name of a rule as far as it is constant: `a.b` of `a.b[x]`.
pub(super) fn rule_name(head: &Expr) -> Option<String> {
    match head {
        Expr::RefBrack { refr, .. } => dotted(head).or_else(|| rule_name(refr)),
        _ => dotted(head),
    }
}

/// `a.b["c"]` as `a.b.c`; `None` for anything with a variable part.
pub(super) fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Var { span, .. } => Some(span.text().to_owned()),
        Expr::RefDot { refr, field, .. } => Some(format!("{}.{}", dotted(refr)?, field.0.text())),
        Expr::RefBrack { refr, index, .. } => match index.as_ref() {
            Expr::String { value, .. } => Some(format!("{}.{}", dotted(refr)?, value.as_string().ok()?)),
            _ => None,
        },
        _ => None,
    }
}

fn clip(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(60).collect()
}
