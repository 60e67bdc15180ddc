//! Files: the package, imports and rules, and how reading goes on after an error.

use super::super::token::Tok;
use super::super::tree::{
    Body, Comment, Import, Metadata, Module, Name, Package, Position, Rule, Span, Subject, Term, TermKind,
    Version,
};
use super::{MAX_ERRORS, Parsed, Parser};

/// What has been read of a file.
#[derive(Default)]
struct Found {
    package: Option<Package>,
    imports: Vec<Import>,
    rules: Vec<Rule>,
}

impl Parser<'_> {
    /// Reads a whole file; what is wrong is in `errors`.
    pub(super) fn module(&mut self, comments: Vec<Comment>) -> Option<Module> {
        let mut found = Found::default();
        let mut first = true;
        while !self.is(Tok::Eof) && self.errors.len() < MAX_ERRORS {
            let start = self.at;
            let span = self.span();
            if self.statement(&mut found).is_err() {
                self.recover(start);
            }
            if std::mem::take(&mut first) && found.package.is_none() && self.errors.is_empty() {
                self.error(span, "package expected");
            }
        }
        if first && self.errors.is_empty() {
            self.error(self.span(), "empty module");
        }
        let mut promised = self.version;
        for import in &found.imports {
            promised = match import.path.as_slice() {
                [rego, v] if rego.text == "rego" && v.text == "v1" => promised.max(Version::V1),
                [rego, v] if rego.text == "rego" && v.text == "v2" => promised.max(Version::V2),
                _ => promised,
            };
        }
        if promised >= Version::V1 {
            self.check_v1(&found.rules);
        }
        let metadata = metadata(&comments, &found);
        let Found { package, imports, rules } = found;
        Some(Module {
            package: package?,
            imports,
            rules,
            metadata,
            comments,
            version: self.version,
            promised,
        })
    }

    /// Reads a whole query: bodies after one another.
    pub(super) fn whole_query(&mut self) -> Parsed<Body> {
        let mut body = Vec::new();
        if self.is(Tok::Eof) {
            return self.fail(self.span(), "empty query");
        }
        while !self.is(Tok::Eof) {
            if matches!(self.tok(), Tok::Package | Tok::Import) && !self.keyword_starts_reference() {
                return self.unexpected("expected an expression");
            }
            body.extend(self.expressions(true, Tok::Eof)?);
        }
        Ok(body)
    }

    /// Steps to where the next statement may start: a word at the start of a line.
    fn recover(&mut self, start: usize) {
        self.depth = 0;
        if self.at <= start {
            self.advance();
        }
        while !self.is(Tok::Eof) {
            let token = self.token_at(self.at);
            let starts = matches!(self.tok(), Tok::Ident | Tok::Default | Tok::Import | Tok::Package);
            if starts && token.after_newline && token.span.start.column == 1 {
                return;
            }
            self.advance();
        }
    }

    fn statement(&mut self, found: &mut Found) -> Parsed<()> {
        self.depth = 0;
        self.refuse_keyword_as_name()?;
        let bracket_follows =
            self.adjoins(self.at + 1) && matches!(self.tok_at(self.at + 1), Tok::Dot | Tok::LeftBracket);
        if self.is(Tok::Package) && !bracket_follows {
            return self.package_statement(found);
        }
        if self.is(Tok::Import) && !bracket_follows {
            let import = self.import()?;
            self.turn_on(&import)?;
            found.imports.push(import);
            return Ok(());
        }
        let mark = self.mark();
        if let Some(rules) = self.rules()? {
            found.rules.extend(rules);
            return Ok(());
        }
        self.back(mark);
        let body = self.expressions(true, Tok::Eof)?;
        let hint = self.missing_head_keyword(&body);
        match self.rule_of(body) {
            Ok(rule) => found.rules.push(rule),
            Err(stop) => {
                if let (Some(hint), Some(error)) = (hint, self.errors.last_mut()) {
                    error.message.push_str(&hint);
                }
                return Err(stop);
            }
        }
        Ok(())
    }

    /// A rule that is named like a keyword, seen by what follows it.
    fn refuse_keyword_as_name(&mut self) -> Parsed<()> {
        use Tok::{Assign, Contains, If, LeftParen, Unify};
        let next = self.tok_at(self.at + 1);
        let unambiguous = match self.tok() {
            Tok::Every | Tok::If | Tok::In | Tok::Some | Tok::As => {
                matches!(next, Assign | Unify | If | Contains | LeftParen)
            }
            // Both take a path, which may be named like a keyword.
            Tok::Package | Tok::Import => matches!(next, Assign | Unify | LeftParen),
            Tok::Not | Tok::LogicalAnd | Tok::LogicalOr => matches!(next, Assign | Unify | If | Contains),
            Tok::Contains => matches!(next, If | Contains),
            _ => false,
        };
        if unambiguous {
            let message = format!("{} keyword cannot be used for rule name", self.word());
            return self.fail(self.span(), message);
        }
        Ok(())
    }

    /// In Rego v0, `p if { … }` without the import reads as two statements.
    fn missing_head_keyword(&self, body: &Body) -> Option<String> {
        if self.version != Version::V0 {
            return None;
        }
        let last = body.last()?.span.end;
        let here = self.token_at(self.at);
        let word = self.text_of(here.span);
        let example = match word {
            "if" if !self.keywords.r#if => "p if { ... }",
            "contains" if !self.keywords.contains => "p contains x",
            _ => return None,
        };
        (here.span.start.line == last.line)
            .then(|| format!(" (hint: `import future.keywords.{word}` for `{example}` rules)"))
    }

    fn package_statement(&mut self, found: &mut Found) -> Parsed<()> {
        let start = self.start();
        let first = found.package.is_none() && found.imports.is_empty() && found.rules.is_empty();
        self.advance();
        let path = self.path("package")?;
        let span = self.since(start);
        if self.is(Tok::Minus) {
            return self.unexpected("a name with a dash is written `[\"a-b\"]`");
        }
        if !first {
            return self.fail(span, "unexpected package: a file has one, before everything else");
        }
        found.package = Some(Package { span, path });
        Ok(())
    }

    /// `a.b["c"]`: names only.
    fn path(&mut self, what: &str) -> Parsed<Vec<Name>> {
        let tok = self.tok();
        if !(tok == Tok::Ident || tok.is_keyword()) {
            let expected = format!("expected the path of the {what}");
            return self.unexpected(&expected);
        }
        self.as_ident = Some(self.at);
        let term = self.term()?;
        let span = term.span;
        let (head, rest) = match term.kind {
            TermKind::Ref(reference) => (*reference.head, reference.path),
            kind => (Term { span, kind }, Vec::new()),
        };
        let mut names = Vec::with_capacity(rest.len() + 1);
        let TermKind::Var(text) = head.kind else {
            return self.fail(head.span, format!("expected the path of the {what}, such as `a.b`"));
        };
        names.push(Name { span: head.span, text });
        for term in rest {
            let TermKind::String { text, .. } = term.kind else {
                let message = format!("unexpected {} token: expecting string", term.kind.shown());
                return self.fail(term.span, message);
            };
            names.push(Name { span: term.span, text });
        }
        Ok(names)
    }

    fn import(&mut self) -> Parsed<Import> {
        let start = self.start();
        self.advance();
        let path = self.path("import")?;
        let (Some(first), Some(last)) = (path.first(), path.last()) else {
            return self.unexpected("expected path");
        };
        if !matches!(first.text.as_str(), "data" | "input" | "future" | "rego") {
            let message = format!(
                "unexpected import path, must begin with one of: data, future, input, rego, got: {}",
                first.text
            );
            return self.fail(first.span, message);
        }
        let keyword_tail = first.text != "future" && is_keyword_in(&last.text, self.version);
        let last = last.clone();
        let alias = if self.take(Tok::As) { Some(self.alias()?) } else { None };
        if alias.is_none() && keyword_tail {
            let message = format!(
                "unexpected import path, must not end with a keyword, got: {} (hint: import a different path or use an alias)",
                last.text
            );
            return self.fail(last.span, message);
        }
        let span = self.since(start);
        if self.is(Tok::Minus) {
            return self.unexpected("a name with a dash is written `[\"a-b\"]`");
        }
        Ok(Import { span, path, alias })
    }

    fn alias(&mut self) -> Parsed<Name> {
        if !self.is(Tok::Ident) {
            return self.unexpected("expected a name after `as`");
        }
        let (span, text) = (self.span(), self.word().to_owned());
        let term = self.term()?;
        match term.kind {
            TermKind::Var(_) => Ok(Name { span, text }),
            TermKind::Ref(reference) if reference.path.is_empty() => {
                self.fail(span, format!("unexpected import alias, must not be a reserved name, got: {text}"))
            }
            _ => self.fail(span, "expected a name after `as`"),
        }
    }

    /// Imports of `rego` and `future` change what words mean from here on.
    fn turn_on(&mut self, import: &Import) -> Parsed<()> {
        let names: Vec<&str> = import.path.iter().map(|name| name.text.as_str()).collect();
        let span = import.path.first().map_or(import.span, |first| first.span.to(import.span));
        let aliased = import.alias.as_ref().map(|alias| alias.span);
        match (names.as_slice(), aliased) {
            (["rego", "v1" | "v2"], Some(span)) => self.fail(span, "`rego` imports cannot be aliased"),
            (["rego", "v1"], None) => {
                self.keywords.add_v1();
                Ok(())
            }
            (["rego", "v2"], None) => {
                self.keywords.add_v1();
                self.keywords.add_v2();
                Ok(())
            }
            (["rego", ..], _) => {
                let message =
                    format!("invalid import `{}`, must be one of: `rego.v1`, `rego.v2`", names.join("."));
                self.fail(span, message)
            }
            (["future", "keywords", ..], Some(span)) => self.fail(span, "`future` imports cannot be aliased"),
            (["future", "keywords", word], None) => {
                if self.keywords.add(word) {
                    return Ok(());
                }
                self.fail(
                    span,
                    format!(
                        "unexpected keyword `{word}`, must be one of: and, contains, every, if, in, not, or"
                    ),
                )
            }
            (["future", "keywords", ..], None) => {
                self.keywords.add_v1();
                self.keywords.add_v2();
                Ok(())
            }
            (["future", ..], _) => self.fail(span, "invalid import, must be `future.keywords`"),
            _ => Ok(()),
        }
    }
}

/// Whether a word is a keyword wherever that version is read.
pub(super) fn is_keyword_in(word: &str, version: Version) -> bool {
    match word {
        "not" | "package" | "import" | "as" | "default" | "else" | "with" | "null" | "true" | "false"
        | "some" => true,
        "if" | "contains" | "in" | "every" => version >= Version::V1,
        "and" | "or" => version >= Version::V2,
        _ => false,
    }
}

/// `# METADATA` at the start of a line, and the comments that follow it without a gap.
fn metadata(comments: &[Comment], found: &Found) -> Vec<Metadata> {
    let is_marker =
        |comment: &Comment| comment.span.start.column == 1 && comment.text.trim().starts_with("METADATA");
    let mut blocks: Vec<Metadata> = Vec::new();
    let mut open: Option<Metadata> = None;
    let mut last_line = 0;
    for comment in comments {
        if is_marker(comment) {
            blocks.extend(open.take());
            open = Some(Metadata { span: comment.span, yaml: String::new(), subject: Subject::Nothing });
        } else if let Some(mut block) = open.take() {
            if comment.span.start.column == 1 && comment.span.start.line == last_line + 1 {
                block.yaml.push_str(comment.text.strip_prefix(' ').unwrap_or(&comment.text));
                block.yaml.push('\n');
                block.span.end = comment.span.end;
                open = Some(block);
            } else {
                blocks.push(block);
            }
        }
        last_line = comment.span.start.line;
    }
    blocks.extend(open);
    let starts = |span: Span, subject: Subject| (span.start, subject);
    let mut subjects: Vec<(Position, Subject)> = Vec::new();
    subjects.extend(found.package.iter().map(|package| starts(package.span, Subject::Package)));
    subjects.extend(
        found.imports.iter().enumerate().map(|(at, import)| starts(import.span, Subject::Import(at))),
    );
    subjects.extend(found.rules.iter().enumerate().map(|(at, rule)| starts(rule.span, Subject::Rule(at))));
    subjects.sort_by_key(|(start, _)| *start);
    for block in &mut blocks {
        let next = subjects.iter().find(|(start, _)| *start >= block.span.end);
        block.subject = next.map_or(Subject::Nothing, |(_, subject)| *subject);
    }
    blocks
}
