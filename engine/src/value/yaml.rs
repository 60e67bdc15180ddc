//! YAML documents to values, read the way `kubectl` reads them (YAML 1.1 scalars as in go-yaml v2, which
//! `sigs.k8s.io/yaml` uses), with the line of each document and of each place inside it.

use super::{Arena, MAX_DEPTH, Number, Object, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use std::collections::BTreeMap;

/// More nodes than this in one text (aliases counted each time they are used) is an attack, not a manifest.
const MAX_NODES: usize = 2_000_000;

/// Why a text is not YAML that Kubernetes would accept.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{problem} at line {line}, column {column}")]
pub struct YamlError {
    /// What is wrong there.
    pub problem: String,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
}

/// One document of a YAML stream.
#[derive(Debug)]
pub struct YamlDocument<'a> {
    /// Its value.
    pub value: Value<'a>,
    /// The 1-based line on which its content starts.
    pub line: usize,
    /// JSON Pointer → 1-based line, for every key and list element.
    pub lines: BTreeMap<String, usize>,
}

/// Parses a stream of YAML (or JSON) documents; empty documents are left out.
///
/// # Errors
/// Malformed YAML, a key given twice, a key that is no scalar, custom tags, or too much of it.
pub fn parse_yaml<'a>(arena: &impl Arena<'a>, text: &str) -> Result<Vec<YamlDocument<'a>>, YamlError> {
    let mut repaired: Option<String> = None;
    for _ in 0..MAX_REPAIRS {
        let text = repaired.as_deref().unwrap_or(text);
        match parse_stream(arena, text) {
            Err(error) if error.problem == SHALLOW_QUOTE => {
                repaired = Some(indented_scalar(text, &error).ok_or(error)?);
            }
            outcome => return outcome,
        }
    }
    parse_stream(arena, repaired.as_deref().unwrap_or(text))
}

/// What the parser says of a quoted text that goes on at the indentation of its key. YAML forbids it, go-yaml (and so
/// kubectl) reads it.
const SHALLOW_QUOTE: &str = "invalid indentation in quoted scalar";
/// Each repair reads the text again: beyond this it is somebody's attack.
const MAX_REPAIRS: usize = 32;

/// The text with the quoted scalar that starts at the error indented deeper from its second line on: leading blanks
/// of those lines mean nothing in YAML.
fn indented_scalar(text: &str, error: &YamlError) -> Option<String> {
    let line_start = match error.line {
        0 | 1 => 0,
        line => text.match_indices('\n').nth(line - 2)?.0 + 1,
    };
    let line = text.get(line_start..)?;
    let start = line_start + line.char_indices().nth(error.column.checked_sub(1)?)?.0;
    let (before, scalar) = (text.get(..start)?, text.get(start..)?);
    let quote = scalar.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let mut out = String::with_capacity(text.len() + 256);
    out.push_str(before);
    let mut inside = false;
    let mut escaped = false;
    for (at, character) in scalar.char_indices() {
        out.push(character);
        match character {
            '\n' => out.extend(std::iter::repeat_n(' ', error.column)),
            _ if escaped => {}
            '\\' if quote == '"' => {
                escaped = true;
                continue;
            }
            // A doubled single quote closes and opens again, which comes to the same.
            _ if character == quote && inside => {
                let rest = scalar.get(at + 1..)?;
                if !(quote == '\'' && rest.starts_with('\'')) {
                    out.push_str(rest);
                    return Some(out);
                }
                inside = false;
                continue;
            }
            _ => {}
        }
        inside = true;
        escaped = false;
    }
    None
}

fn parse_stream<'a>(arena: &impl Arena<'a>, text: &str) -> Result<Vec<YamlDocument<'a>>, YamlError> {
    let mut loader = Loader {
        events: Parser::new_from_str(text),
        arena,
        anchors: BTreeMap::new(),
        lines: BTreeMap::new(),
        nodes: 0,
    };
    let mut documents = Vec::new();
    while let Some((event, _)) = loader.next()? {
        if let Event::DocumentStart(_) = event {
            loader.anchors.clear();
            loader.lines.clear();
            let Some((event, span)) = loader.next()? else { break };
            let line = span.start.line();
            let value = loader.node(event, span, &mut String::new(), 0)?;
            if !value.is_null() {
                documents.push(YamlDocument { value, line, lines: std::mem::take(&mut loader.lines) });
            }
        }
    }
    Ok(documents)
}

struct Loader<'t, 'a, 'p, A> {
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    arena: &'p A,
    anchors: BTreeMap<usize, (Value<'a>, usize)>,
    lines: BTreeMap<String, usize>,
    nodes: usize,
}

fn problem_at(span: Span, problem: impl Into<String>) -> YamlError {
    YamlError { problem: problem.into(), line: span.start.line(), column: span.start.col() + 1 }
}

impl<'t, 'a, A: Arena<'a>> Loader<'t, 'a, '_, A> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, YamlError> {
        self.events.next().transpose().map_err(|error| YamlError {
            problem: match error.info() {
                "recursion limit exceeded" => "nested too deeply".to_owned(),
                other => other.to_owned(),
            },
            line: error.marker().line(),
            column: error.marker().col() + 1,
        })
    }

    fn expect_next(&mut self, after: Span) -> Result<(Event<'t>, Span), YamlError> {
        self.next()?.ok_or_else(|| problem_at(after, "unexpected end"))
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), YamlError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES { Err(problem_at(span, "too many nodes")) } else { Ok(()) }
    }

    fn node(
        &mut self,
        event: Event<'t>,
        span: Span,
        path: &mut String,
        depth: usize,
    ) -> Result<Value<'a>, YamlError> {
        if depth > MAX_DEPTH {
            return Err(problem_at(span, "nested too deeply"));
        }
        self.count(1, span)?;
        let before = self.nodes;
        let (anchor, value) = match event {
            Event::Alias(id) => {
                let (value, nodes) = *self
                    .anchors
                    .get(&id)
                    .ok_or_else(|| problem_at(span, "alias of an unfinished anchor"))?;
                self.count(nodes, span)?;
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, self.scalar(&text, style, tag.as_deref(), span)?)
            }
            Event::SequenceStart(anchor, _) => (anchor, self.sequence(span, path, depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.mapping(span, path, depth)?),
            _ => return Err(problem_at(span, "expected a value")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value, self.nodes - before + 1));
        }
        Ok(value)
    }

    fn sequence(&mut self, start: Span, path: &mut String, depth: usize) -> Result<Value<'a>, YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.expect_next(start)?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Array(self.arena.array(&items)));
            }
            let length = path.len();
            path.push('/');
            path.push_str(&items.len().to_string());
            self.lines.insert(path.clone(), span.start.line());
            items.push(self.node(event, span, path, depth + 1)?);
            path.truncate(length);
        }
    }

    fn mapping(&mut self, start: Span, path: &mut String, depth: usize) -> Result<Value<'a>, YamlError> {
        let mut members: Vec<(&'a str, Value<'a>)> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        loop {
            let (event, span) = self.expect_next(start)?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Object(Object::new(self.arena, members)));
            }
            let Event::Scalar(text, style, _, tag) = event else {
                return Err(problem_at(span, "a key must be a plain string"));
            };
            let plain_merge = text == "<<" && style == ScalarStyle::Plain;
            let key = key_text(self.scalar(&text, style, tag.as_deref(), span)?, &text);
            let key = self.arena.text(&key);
            if !plain_merge && !seen.insert(key) {
                return Err(problem_at(span, format!("key `{key}` is given twice")));
            }
            let length = path.len();
            path.push('/');
            path.push_str(&super::escape_segment(key));
            self.lines.insert(path.clone(), span.start.line());
            let (event, value_span) = self.expect_next(span)?;
            let value = self.node(event, value_span, path, depth + 1)?;
            path.truncate(length);
            if plain_merge {
                merge(&mut members, value).ok_or_else(|| problem_at(value_span, "`<<` needs a mapping"))?;
            } else {
                // A key given here wins over a merged one: Object::new lets the last of equal keys win.
                members.push((key, value));
            }
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Value<'a>, YamlError> {
        let forced = match tag {
            None => None,
            Some(tag) if tag.is_yaml_core_schema() => Some(tag.suffix.as_str()),
            Some(tag) => return Err(problem_at(span, format!("unknown tag `{}{}`", tag.handle, tag.suffix))),
        };
        let plain = style == ScalarStyle::Plain && forced.is_none();
        let resolved = if plain || !matches!(forced, None | Some("str" | "binary")) {
            resolve(self.arena, text)
        } else {
            None
        };
        Ok(resolved.unwrap_or_else(|| Value::String(self.arena.text(text))))
    }
}

/// The merged members come first, so that later keys win; an earlier merge source wins over a later one.
fn merge<'a>(members: &mut Vec<(&'a str, Value<'a>)>, value: Value<'a>) -> Option<()> {
    let sources = match value {
        Value::Array(items) => items,
        _ => std::slice::from_ref(&value),
    };
    let mut merged = Vec::new();
    for source in sources.iter().rev() {
        merged.extend(source.as_object()?.iter());
    }
    merged.append(members);
    *members = merged;
    Some(())
}

fn key_text(value: Value<'_>, raw: &str) -> String {
    match value {
        Value::String(text) => text.to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        _ => raw.to_owned(),
    }
}

/// What a plain scalar means in go-yaml v2; `None`: a string.
fn resolve<'a>(arena: &impl Arena<'a>, text: &str) -> Option<Value<'a>> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => (-1_i128, rest),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let radix = |prefix: &str, radix| {
        digits.strip_prefix(prefix).and_then(|rest| i128::from_str_radix(rest, radix).ok())
    };
    let octal = || {
        let old_style =
            digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        old_style.then(|| i128::from_str_radix(digits, 8).ok()).flatten()
    };
    let integer =
        radix("0x", 16).or_else(|| radix("0b", 2)).or_else(|| radix("0o", 8)).or_else(octal).or_else(|| {
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i128>().ok()).flatten()
        });
    if let Some(integer) = integer {
        return Some(Value::Number(Number::from_token(arena.text(&(sign * integer).to_string()))));
    }
    is_float(digits).then(|| {
        // JSON has no `.5` and no `5.`; write it as the float it is.
        let token = plain.parse::<f64>().ok().filter(|value| value.is_finite());
        token.map(|value| Value::Number(Number::from_token(arena.text(&float_token(value)))))
    })?
}

fn float_token(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value}") }
}

/// go-yaml v2: `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits =
        all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use bumpalo::Bump;

    fn read(text: &str) -> Vec<String> {
        let bump = Bump::new();
        parse_yaml(&&bump, text).unwrap().iter().map(|document| document.value.to_string()).collect()
    }

    fn problem(text: &str) -> YamlError {
        parse_yaml(&&Bump::new(), text).map(|_| ()).expect_err("must not parse")
    }

    #[test]
    fn scalars_mean_what_kubectl_makes_of_them() {
        let text = "a: yes\nb: 'yes'\nc: 0755\nd: 1e3\ne: 0x1F\nf: ~\ng: 1.5\nh: 256Mi\ni: !!str 12\nj: 1_000\nk: .5\nl: 12e\nm: 2024-01-01\no: off\n";
        assert_eq!(
            read(text),
            [
                r#"{"a":true,"b":"yes","c":493,"d":1000,"e":31,"f":null,"g":1.5,"h":"256Mi","i":"12","j":1000,"k":0.5,"l":"12e","m":"2024-01-01","o":false}"#
            ]
        );
    }

    #[test]
    fn documents_anchors_and_merges() {
        let text =
            "# only a comment\n---\n---\na: &x {b: 1, c: 2}\nd: *x\ne:\n  <<: *x\n  b: 3\n---\n[1, 2]\n";
        assert_eq!(read(text), [r#"{"a":{"b":1,"c":2},"d":{"b":1,"c":2},"e":{"b":3,"c":2}}"#, "[1,2]"]);
    }

    #[test]
    fn a_quoted_text_may_go_on_at_the_indentation_of_its_key() {
        let text = "a:\n  b: \"x \\\" y\n  z\"\n  c: 'it''s\n  so'\n  d: 1\n";
        assert_eq!(read(text), [r#"{"a":{"b":"x \" y z","c":"it's so","d":1}}"#]);
        let bump = Bump::new();
        assert_eq!(parse_yaml(&&bump, text).unwrap()[0].lines["/a/d"], 6);
        let unclosed = problem("a:\n  b: \"x\n  y\n").problem;
        assert_eq!(unclosed, SHALLOW_QUOTE);
    }

    #[test]
    fn places_have_lines() {
        let bump = Bump::new();
        let documents =
            parse_yaml(&&bump, "x: 1\n---\nspec:\n  containers:\n  - name: a\n    image: b\n").unwrap();
        let second = &documents[1];
        assert_eq!(second.line, 3);
        assert_eq!(second.lines["/spec/containers/0/image"], 6);
    }

    #[test]
    fn bad_yaml_is_named_with_its_place() {
        assert_eq!(
            problem("a: 1\na: 2\n"),
            YamlError { problem: "key `a` is given twice".into(), line: 2, column: 1 }
        );
        assert!(problem("a: [1, 2\nb: 3\n").line >= 2);
        assert_eq!(problem("a: !env X\n").problem, "unknown tag `!env`");
        assert_eq!(problem(&"[".repeat(50_000)).problem, "nested too deeply");
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let previous = vec![format!("*a{}", level - 1); 10].join(",");
            text = format!("{text}a{level}: &a{level} [{previous}]\n");
        }
        assert_eq!(problem(&text).problem, "too many nodes");
    }
}
