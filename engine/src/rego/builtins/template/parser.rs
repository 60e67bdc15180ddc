//! Tokens to templates.

use super::lexer::{Keyword, Token, unquoted};
use super::{MAX_NESTING, failed, too_deep};
use crate::rego::builtins::BuiltinError;
use std::collections::BTreeMap;

/// The name of the whole template.
pub(super) const MAIN: &str = "template";

/// The functions that there are.
const FUNCTIONS: [&str; 19] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print",
    "printf", "println", "slice", "urlquery",
];

/// Templates by name.
pub(super) type Templates = BTreeMap<String, Vec<Node>>;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipeline),
    If(Branches),
    With(Branches),
    Range(Branches),
    Template(String, Option<Pipeline>),
    Break,
    Continue,
}

/// What a value decides about.
#[derive(Debug)]
pub(super) struct Branches {
    pub(super) pipeline: Pipeline,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Option<Vec<Node>>,
}

/// Commands, each of which is given what the one before it gave; and the variables that get the last.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    pub(super) assigns: bool,
    pub(super) variables: Vec<String>,
    pub(super) commands: Vec<Vec<Term>>,
}

/// A number as written in a template.
#[derive(Clone, Copy, Debug)]
pub(super) enum Constant {
    Int(i64),
    Float(f64),
}

/// An operand.
#[derive(Debug)]
pub(super) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Constant),
    Text(String),
    Field(Vec<String>),
    /// A variable, then fields.
    Variable(Vec<String>),
    Function(String),
    Pipeline(Pipeline),
    /// Fields of what a term gives.
    Chain(Box<Term>, Vec<String>),
}

type Parsed<T> = Result<T, BuiltinError>;

/// What ended a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
    /// `else if` or `else with`, whose condition comes next.
    ElseIf,
    ElseWith,
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    templates: Templates,
    variables: Vec<String>,
    ranges: usize,
    depth: usize,
}

/// Parses a template and those that it defines.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(tokens: Vec<Token>) -> Parsed<Templates> {
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        templates: Templates::new(),
        variables: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
    };
    let mut nodes = Vec::new();
    while *parser.peek() != Token::End {
        match parser.node(true)? {
            Ok(Some(node)) => nodes.push(node),
            Ok(None) => {}
            Err(Stop::End) => return failed("unexpected {{end}}"),
            Err(_) => return failed("unexpected {{else}}"),
        }
    }
    parser.define(MAIN.to_owned(), nodes)?;
    Ok(parser.templates)
}

/// Whether nodes are only white space.
fn is_empty(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}

impl Parser {
    fn peek(&mut self) -> &Token {
        self.tokens.peek().unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        self.tokens.next().unwrap_or(Token::End)
    }

    fn skip_space(&mut self) {
        while *self.peek() == Token::Space {
            self.next();
        }
    }

    fn next_no_space(&mut self) -> Token {
        self.skip_space();
        self.next()
    }

    fn unexpected<T>(token: Token, context: &str) -> Parsed<T> {
        match token {
            Token::Wrong(why) => failed(why),
            Token::End => failed(format!("unexpected EOF in {context}")),
            other => failed(format!("unexpected {other:?} in {context}")),
        }
    }

    fn close(&mut self, context: &str) -> Parsed<()> {
        match self.next_no_space() {
            Token::Close => Ok(()),
            other => Self::unexpected(other, context),
        }
    }

    fn define(&mut self, name: String, nodes: Vec<Node>) -> Parsed<()> {
        match self.templates.get(&name) {
            Some(known) if !is_empty(known) => {
                if is_empty(&nodes) {
                    Ok(())
                } else {
                    failed(format!("multiple definition of template {name:?}"))
                }
            }
            _ => {
                self.templates.insert(name, nodes);
                Ok(())
            }
        }
    }

    /// Nodes up to `{{end}}` or `{{else}}`.
    fn list(&mut self) -> Parsed<(Vec<Node>, Stop)> {
        if self.depth >= MAX_NESTING {
            return Err(too_deep());
        }
        self.depth += 1;
        let mut nodes = Vec::new();
        let end = loop {
            self.skip_space();
            if *self.peek() == Token::End {
                return failed("unexpected EOF");
            }
            match self.node(false)? {
                Ok(Some(node)) => nodes.push(node),
                Ok(None) => {}
                Err(end) => break end,
            }
        };
        self.depth -= 1;
        Ok((nodes, end))
    }

    /// A node; none for a definition, and for what ends a list.
    fn node(&mut self, at_top: bool) -> Parsed<Result<Option<Node>, Stop>> {
        match self.next_no_space() {
            Token::Text(text) => return Ok(Ok(Some(Node::Text(text)))),
            Token::Open => {}
            other => return Self::unexpected(other, "input"),
        }
        self.skip_space();
        let Token::Keyword(keyword) = *self.peek() else {
            let pipeline = self.pipeline("command", &Token::Close)?;
            return Ok(Ok(Some(Node::Action(pipeline))));
        };
        if keyword == Keyword::Nil {
            let pipeline = self.pipeline("command", &Token::Close)?;
            return Ok(Ok(Some(Node::Action(pipeline))));
        }
        self.next();
        Ok(Ok(Some(match keyword {
            Keyword::If => Node::If(self.branches(Keyword::If)?),
            Keyword::With => Node::With(self.branches(Keyword::With)?),
            Keyword::Range => Node::Range(self.branches(Keyword::Range)?),
            Keyword::Break | Keyword::Continue => {
                self.close("{{break}} or {{continue}}")?;
                if self.ranges == 0 {
                    return failed("{{break}} or {{continue}} outside {{range}}");
                }
                if keyword == Keyword::Break { Node::Break } else { Node::Continue }
            }
            Keyword::End => {
                self.close("end")?;
                return Ok(Err(Stop::End));
            }
            Keyword::Else => {
                self.skip_space();
                return Ok(Err(match *self.peek() {
                    Token::Keyword(Keyword::If) => Stop::ElseIf,
                    Token::Keyword(Keyword::With) => Stop::ElseWith,
                    _ => {
                        self.close("else")?;
                        Stop::Else
                    }
                }));
            }
            Keyword::Template => {
                let name = self.name("template clause")?;
                self.skip_space();
                let pipeline = if *self.peek() == Token::Close {
                    self.next();
                    None
                } else {
                    Some(self.pipeline("template clause", &Token::Close)?)
                };
                Node::Template(name, pipeline)
            }
            Keyword::Block => {
                let name = self.name("block clause")?;
                let pipeline = self.pipeline("block clause", &Token::Close)?;
                self.definition(name.clone())?;
                Node::Template(name, Some(pipeline))
            }
            Keyword::Define if at_top => {
                let name = self.name("define clause")?;
                self.close("define clause")?;
                self.definition(name)?;
                return Ok(Ok(None));
            }
            Keyword::Define | Keyword::Nil => return failed("unexpected {{define}}"),
        })))
    }

    fn name(&mut self, context: &str) -> Parsed<String> {
        match self.next_no_space() {
            Token::Quoted(name) => Ok(name),
            other => Self::unexpected(other, context),
        }
    }

    /// The nodes of a template of its own, which sees no variables but `$`.
    fn definition(&mut self, name: String) -> Parsed<()> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, end) = self.list()?;
        if end != Stop::End {
            return failed("unexpected {{else}} in a definition");
        }
        (self.variables, self.ranges) = (variables, ranges);
        self.define(name, nodes)
    }

    fn branches(&mut self, keyword: Keyword) -> Parsed<Branches> {
        if self.depth >= MAX_NESTING {
            return Err(too_deep());
        }
        let kept = self.variables.len();
        let context = if keyword == Keyword::Range { "range" } else { "if or with" };
        let pipeline = self.pipeline(context, &Token::Close)?;
        self.ranges += usize::from(keyword == Keyword::Range);
        let (then, end) = self.list()?;
        self.ranges -= usize::from(keyword == Keyword::Range);
        let otherwise = match (end, keyword) {
            (Stop::End, _) => None,
            (Stop::ElseIf, Keyword::If) | (Stop::ElseWith, Keyword::With) => {
                self.next();
                self.depth += 1;
                let inner = self.branches(keyword)?;
                self.depth -= 1;
                Some(vec![if keyword == Keyword::If { Node::If(inner) } else { Node::With(inner) }])
            }
            (Stop::Else, _) => {
                let (nodes, end) = self.list()?;
                if end != Stop::End {
                    return failed("expected end; found {{else}}");
                }
                Some(nodes)
            }
            _ => return failed("unexpected {{else if}} or {{else with}}"),
        };
        self.variables.truncate(kept);
        Ok(Branches { pipeline, then, otherwise })
    }

    fn pipeline(&mut self, context: &str, end: &Token) -> Parsed<Pipeline> {
        if self.depth >= MAX_NESTING {
            return Err(too_deep());
        }
        self.depth += 1;
        let pipeline = self.pipeline_within(context, end);
        self.depth -= 1;
        pipeline
    }

    fn pipeline_within(&mut self, context: &str, end: &Token) -> Parsed<Pipeline> {
        let mut pipeline = Pipeline::default();
        self.skip_space();
        // What begins with a variable declares it, or uses it.
        let mut used = None;
        while let Token::Variable(name) = self.peek().clone() {
            self.next();
            let spaced = *self.peek() == Token::Space;
            self.skip_space();
            match self.peek() {
                Token::Assign | Token::Declare => {
                    pipeline.assigns = self.next() == Token::Assign;
                    pipeline.variables.push(name.clone());
                    self.variables.push(name);
                }
                Token::Comma => {
                    self.next();
                    pipeline.variables.push(name.clone());
                    self.variables.push(name);
                    if context != "range" || pipeline.variables.len() > 1 {
                        return failed(format!("too many declarations in {context}"));
                    }
                    self.skip_space();
                    if !matches!(self.peek(), Token::Variable(_)) {
                        return failed("range can only initialize variables");
                    }
                    continue;
                }
                _ => used = Some((name, spaced)),
            }
            break;
        }
        if let Some((name, spaced)) = used {
            let command = self.command(Some((name, spaced)))?;
            pipeline.commands.push(command);
        }
        loop {
            self.skip_space();
            if self.peek() == end {
                self.next();
                break;
            }
            match self.peek() {
                Token::Bool(_)
                | Token::Character(_)
                | Token::Dot
                | Token::Field(_)
                | Token::Identifier(_)
                | Token::Number(_)
                | Token::Keyword(Keyword::Nil)
                | Token::Quoted(_)
                | Token::Variable(_)
                | Token::ParenOpen => {
                    let command = self.command(None)?;
                    pipeline.commands.push(command);
                }
                _ => {
                    let token = self.next();
                    return Self::unexpected(token, context);
                }
            }
        }
        if pipeline.commands.is_empty() {
            return failed(format!("missing value for {context}"));
        }
        let is_value = |command: &Vec<Term>| {
            let value = Term::is_value;
            command.first().is_some_and(value)
        };
        if pipeline.commands.iter().skip(1).any(is_value) {
            return failed("non executable command in pipeline");
        }
        Ok(pipeline)
    }

    /// Operands up to `|` or an end; the first may have been read as a variable, with space behind it or not.
    fn command(&mut self, read: Option<(String, bool)>) -> Parsed<Vec<Term>> {
        let mut terms = Vec::new();
        let mut spaced = true;
        if let Some((name, space)) = read {
            let variable = self.variable(name)?;
            terms.push(if space { variable } else { self.chained(variable)? });
            spaced = space;
        }
        loop {
            if spaced {
                self.skip_space();
                if let Some(term) = self.term()? {
                    terms.push(self.chained(term)?);
                }
            }
            match self.peek() {
                Token::Space => {
                    self.next();
                    spaced = true;
                }
                Token::Close | Token::ParenClose => break,
                Token::Pipe => {
                    self.next();
                    // There must be something behind it.
                    self.skip_space();
                    if matches!(self.peek(), Token::Close | Token::ParenClose | Token::Pipe) {
                        return failed("missing value for command");
                    }
                    break;
                }
                _ => {
                    let token = self.next();
                    return Self::unexpected(token, "operand");
                }
            }
        }
        if terms.is_empty() { failed("empty command") } else { Ok(terms) }
    }

    fn variable(&mut self, name: String) -> Parsed<Term> {
        if self.variables.contains(&name) {
            return Ok(Term::Variable(vec![name]));
        }
        failed(format!("undefined variable {name:?}"))
    }

    /// A term with the fields that follow it at once.
    fn chained(&mut self, term: Term) -> Parsed<Term> {
        let mut fields = Vec::new();
        while let Token::Field(name) = self.peek().clone() {
            self.next();
            fields.push(name);
        }
        if fields.is_empty() {
            return Ok(term);
        }
        Ok(match term {
            Term::Field(first) => Term::Field([first, fields].concat()),
            Term::Variable(first) => Term::Variable([first, fields].concat()),
            value if value.is_value() => return failed("unexpected . after a value"),
            other => Term::Chain(Box::new(other), fields),
        })
    }

    fn term(&mut self) -> Parsed<Option<Term>> {
        let term = match self.peek().clone() {
            Token::Identifier(name) if FUNCTIONS.contains(&name.as_str()) => Term::Function(name),
            Token::Identifier(name) => return failed(format!("function {name:?} not defined")),
            Token::Dot => Term::Dot,
            Token::Keyword(Keyword::Nil) => Term::Nil,
            Token::Variable(name) => self.variable(name)?,
            Token::Field(name) => Term::Field(vec![name]),
            Token::Bool(value) => Term::Bool(value),
            Token::Number(text) => Term::Number(number(&text)?),
            Token::Character(text) => {
                let inside = text.get(1..text.len() - 1).unwrap_or_default();
                let text = unquoted(inside).unwrap_or_default();
                let mut characters = text.chars();
                match (characters.next(), characters.next()) {
                    (Some(only), None) => Term::Number(Constant::Int(i64::from(u32::from(only)))),
                    _ => return failed(format!("malformed character constant: '{inside}'")),
                }
            }
            Token::Quoted(text) => Term::Text(text),
            Token::ParenOpen => {
                self.next();
                return self
                    .pipeline("parenthesized pipeline", &Token::ParenClose)
                    .map(Term::Pipeline)
                    .map(Some);
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(term))
    }
}

impl Term {
    /// Whether it is only a value, and can be given none.
    fn is_value(&self) -> bool {
        matches!(self, Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Text(_))
    }
}

/// A number as Go reads it.
fn number(text: &str) -> Parsed<Constant> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let radix = match lower.get(..2) {
        Some("0x") => Some((16, 2)),
        Some("0o") => Some((8, 2)),
        Some("0b") => Some((2, 2)),
        _ if lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|b| b.is_ascii_digit()) => {
            Some((8, 1))
        }
        _ => None,
    };
    let wrong = || failed(format!("bad number syntax: {text:?}"));
    if let Some((radix, skipped)) = radix {
        let digits = lower.get(skipped..).unwrap_or_default();
        let Ok(magnitude) = i128::from_str_radix(digits, radix) else { return wrong() };
        return match i64::try_from(if negative { -magnitude } else { magnitude }) {
            Ok(value) => Ok(Constant::Int(value)),
            Err(_) => failed(format!("integer overflow: {text:?}")),
        };
    }
    let is_number = lower.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && lower.bytes().all(|b| b.is_ascii_digit() || b"+-.e".contains(&b));
    if !is_number {
        // Imaginary numbers and floats in hexadecimal are not for text.
        return wrong();
    }
    if lower.contains(['.', 'e']) {
        return match plain.parse() {
            Ok(value) if f64::is_finite(value) => Ok(Constant::Float(value)),
            _ => wrong(),
        };
    }
    match plain.parse() {
        Ok(value) => Ok(Constant::Int(value)),
        Err(_) => failed(format!("integer overflow: {text:?}")),
    }
}
