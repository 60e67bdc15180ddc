//! A file: its package, its imports, its rules.

use super::lists::Item;
use super::writer::{Loc, Style, Writer, Written, closing, line, newlines, shown};
use crate::rego::syntax::tree::{
    Else, Expr, ExprKind, Head, HeadKind, Import, Module, Name, Rule, Term, TermKind, Version,
};
use std::cmp::Ordering;

/// Lays out a file.
pub(super) fn module(tree: &Module, source: &str) -> String {
    let mut writer = Writer {
        source,
        out: String::with_capacity(source.len()),
        level: 0,
        inline: false,
        before_end: None,
        delay: false,
        comments: tree.comments.iter().collect(),
        comment_on_final_line: false,
        paren_term: None,
        paren_expr: None,
        one_row: None,
        style: style(tree),
    };
    writer.package(tree);
    let imports: Vec<&Import> = tree.imports.iter().filter(|import| !implied(tree, import)).collect();
    let mut rules: &[Rule] = &tree.rules;
    let mut at = 0;
    // Imports may stand between rules.
    while at < imports.len() || !rules.is_empty() {
        let next_rule = rules.first().map_or(u32::MAX, |rule| rule.span.start.offset);
        let group: Vec<&Import> =
            imports.iter().skip(at).copied().take_while(|it| it.span.start.offset < next_rule).collect();
        at += group.len();
        writer.imports(&group);
        let next_import = imports.get(at).map_or(u32::MAX, |import| import.span.start.offset);
        let count = rules.iter().take_while(|rule| rule.span.start.offset < next_import).count();
        let (own, rest) = rules.split_at_checked(count).unwrap_or((rules, &[]));
        writer.rules(own);
        rules = rest;
    }
    let rest = std::mem::take(&mut writer.comments);
    for comment in &rest {
        writer.write_line(&shown(comment));
    }
    let mut out = writer.out;
    out.truncate(out.trim_end_matches('\n').len());
    out.push('\n');
    out
}

/// Whether an import says what `rego.v1` or `rego.v2`, which is there too, says already.
pub(super) fn implied(tree: &Module, import: &Import) -> bool {
    let has = |path: &[&str]| tree.imports.iter().any(|other| words(other) == path);
    let (v1, v2) = (has(&["rego", "v1"]), has(&["rego", "v2"]));
    match words(import).as_slice() {
        ["future", ..] if v2 => true,
        ["future", "keywords"] | ["future", "keywords", "if" | "contains" | "in" | "every"] => v1,
        ["rego", "v1"] => v2,
        _ => false,
    }
}

/// The path of an import.
fn words(import: &Import) -> Vec<&str> {
    import.path.iter().map(|name| name.text.as_str()).collect()
}

fn style(tree: &Module) -> Style {
    let v1 = tree.version >= Version::V1;
    let keyword = |word: &str| {
        tree.imports.iter().any(|import| match words(import).as_slice() {
            ["future", "keywords"] | ["rego", _] => true,
            ["future", "keywords", other] => *other == word,
            _ => false,
        })
    };
    let ref_heads = tree.rules.iter().any(|rule| {
        rule.head.path.len() > 1
            || (rule.head.path.len() == 1 && matches!(rule.head.kind, HeadKind::Element { .. }))
    });
    let mut keywords =
        vec!["not", "package", "import", "as", "default", "else", "with", "null", "true", "false", "some"];
    let v2 = tree.imports.iter().any(|import| words(import) == ["rego", "v2"]);
    for word in ["if", "contains", "in", "every", "and", "or"] {
        let later = matches!(word, "and" | "or");
        if v2 || (v1 && !later) || tree.imports.iter().any(|it| words(it) == ["future", "keywords", word]) {
            keywords.push(word);
        }
    }
    Style { v1, contains: v1 || keyword("contains"), ifs: v1 || keyword("if"), ref_heads, keywords }
}

/// Imports in the order of their paths, then of their aliases.
pub(super) fn import_order(one: &Import, other: &Import) -> Ordering {
    let alias = |import: &Import| import.alias.as_ref().map(|name| name.text.clone()).unwrap_or_default();
    words(one).cmp(&words(other)).then_with(|| alias(one).cmp(&alias(other)))
}

/// A head and what hangs on it, of a rule or of an `else`.
struct Clause<'t> {
    head: Option<&'t Head>,
    value: Option<&'t Term>,
    /// The value was not written.
    omitted: bool,
    assigned: bool,
    default: bool,
    body: &'t Vec<Expr>,
    elses: &'t [Else],
    loc: Loc<'t>,
    head_loc: Loc<'t>,
    /// The body is one expression without braces, of an `else`.
    bare: bool,
    /// It is a further body of the rule before, whose head it repeats.
    chained: bool,
    /// No body was written.
    body_omitted: bool,
}

impl<'t> Writer<'t> {
    fn package(&mut self, tree: &'t Module) {
        // Nothing is registered yet, so no comment can be in the way.
        let _ = self.insert_comments(tree.package.span.start.line);
        self.start_line();
        self.write("package ");
        self.names(&tree.package.path);
        self.blank_line();
    }

    fn names(&mut self, path: &[Name]) {
        for (at, name) in path.iter().enumerate() {
            let written =
                if at == 0 { name.text.clone() } else { self.step(&name.text, self.text(name.span)) };
            self.write(&written);
        }
    }

    fn imports(&mut self, imports: &[&'t Import]) {
        let mut beside = Vec::new();
        let waiting = std::mem::take(&mut self.comments);
        for comment in waiting {
            match imports.iter().find(|import| import.span.start.line == line(comment)) {
                Some(import) => beside.push((import.span, comment)),
                None => self.comments.push(comment),
            }
        }
        let mut groups: Vec<Vec<&'t Import>> = Vec::new();
        let mut last = 0;
        for import in imports {
            let row = import.span.start.line;
            match groups.last_mut().filter(|_| row <= last + 1) {
                Some(group) => group.push(import),
                None => groups.push(vec![import]),
            }
            last = row;
        }
        for mut group in groups {
            let first = group.first().map_or(0, |import| import.span.start.line);
            let _ = self.insert_comments(first);
            group.sort_by(|one, other| import_order(one, other));
            for import in group {
                self.start_line();
                self.write("import ");
                self.names(&import.path);
                if let Some(alias) = &import.alias {
                    self.write(&format!(" as {}", alias.text));
                }
                if let Some((_, comment)) = beside.iter().find(|(span, _)| *span == import.span) {
                    self.write(&format!(" {}", shown(comment)));
                }
                self.end_line();
            }
            self.blank_line();
        }
    }

    fn rules(&mut self, rules: &'t [Rule]) {
        for (at, rule) in rules.iter().enumerate() {
            let _ = self.insert_comments(rule.span.start.line);
            let clause = self.clause(rule);
            let _ = self.rule(&clause, false);
            let next = rules.get(at + 1).filter(|next| next.span.start.line == rule.span.start.line + 1);
            if next.is_some_and(|next| self.groups(rule) && self.groups(next)) {
                continue;
            }
            self.blank_line();
        }
    }

    /// Whether a rule stays on the line after one of its like.
    fn groups(&self, rule: &Rule) -> bool {
        let is_element = matches!(rule.head.kind, HeadKind::Element { .. });
        rule.body.len() <= 1
            && !rule.default
            && rule.elses.is_empty()
            && !rule.body.first().is_some_and(is_set)
            && (self.style.v1 || self.style.ifs)
            && (self.style.contains || !is_element)
    }

    fn clause(&self, rule: &'t Rule) -> Clause<'t> {
        let (value, omitted, assigned) = match &rule.head.kind {
            HeadKind::Value { value, omitted, assigned } => (Some(value), *omitted, *assigned),
            HeadKind::Element { .. } => (None, false, false),
        };
        let loc = self.loc(rule.span);
        // A further body has the place of that body, and so has its head.
        let head_loc = if rule.chained { Loc { row: loc.row, text: "" } } else { self.loc(rule.head.span) };
        Clause {
            head: Some(&rule.head),
            value,
            omitted,
            assigned,
            default: rule.default,
            body: &rule.body,
            elses: &rule.elses,
            loc,
            head_loc,
            bare: false,
            chained: rule.chained,
            body_omitted: rule.body_omitted,
        }
    }

    fn otherwise(&self, elses: &'t [Else]) -> Option<Clause<'t>> {
        let (first, rest) = elses.split_first()?;
        let last = elses.last()?;
        let loc = self.loc(first.span.to(last.span));
        let value_end = first.value.span.end.offset;
        let head_end = if first.value_omitted { first.span.start.offset + 4 } else { value_end };
        let text = self.source.get(first.span.start.offset as usize..head_end as usize).unwrap_or_default();
        let body_start = first.body.first().map_or(0, |expr| expr.span.start.offset);
        let between = self.source.get(head_end as usize..body_start as usize).unwrap_or_default();
        Some(Clause {
            head: None,
            value: Some(&first.value),
            omitted: first.value_omitted,
            assigned: first.assigned,
            default: false,
            body: &first.body,
            elses: rest,
            loc,
            head_loc: Loc { row: first.span.start.line, text },
            bare: !first.body_omitted && !opens(between),
            chained: false,
            body_omitted: first.body_omitted,
        })
    }

    fn rule(&mut self, clause: &Clause<'t>, is_else: bool) -> Written {
        if !is_else {
            self.start_line();
        }
        if clause.default {
            self.write("default ");
        }
        let constant = clause.elses.is_empty() && is_true(clause.body);
        self.comment_on_final_line = constant;
        self.one_row = clause.chained.then_some(clause.loc.row);
        let unexpected = self.head(clause, constant).is_err();
        self.one_row = None;
        if constant {
            self.end_line();
            return Ok(());
        }
        self.comment_on_final_line = true;
        let uses_if = (self.style.v1 || self.style.ifs) && (self.style.contains || clause.value.is_some());
        if uses_if {
            self.write(" if");
            if let [only] = clause.body.as_slice() {
                let row = if clause.bare { clause.head_loc.row } else { self.loc(only.span).row };
                let end = clause.head_loc.row + newlines(clause.head_loc.text);
                if row == end && !is_set(only) {
                    self.write(" ");
                    if clause.bare {
                        self.one_row = Some(clause.head_loc.row);
                    }
                    // What could not be laid out was written as it was.
                    let _ = self.expression(only);
                    self.one_row = None;
                    self.end_line();
                    return self.further(clause);
                }
            }
        }
        if unexpected && !self.comments.is_empty() {
            self.write(" { ");
        } else {
            self.write(" {");
            self.end_line();
        }
        if let (true, false, Some(first)) = (uses_if, is_else, clause.body.first()) {
            self.mark_union(first);
        }
        self.up();
        if clause.bare {
            self.one_row = Some(clause.head_loc.row);
        }
        let _ = self.body(clause.body);
        self.one_row = None;
        let skip = match clause.head {
            Some(head) if !head.args.is_empty() => Some((b'(', b')')),
            Some(head) if has_key(head) => Some((b'[', b']')),
            _ => None,
        };
        let inserted = self.insert_comments(closing(skip, b'{', b'}', clause.loc));
        self.down();
        self.start_line();
        self.write("}");
        self.further(clause)?;
        inserted
    }

    /// The `else` of a clause, if it has one.
    fn further(&mut self, clause: &Clause<'t>) -> Written {
        let Some(next) = self.otherwise(clause.elses) else { return Ok(()) };
        let row = next.head_loc.row;
        let down = usize::try_from(row.saturating_sub(clause.loc.row)).unwrap_or_default();
        let line_of = clause.loc.text.split('\n').nth(down).filter(|_| down > 0);
        let was_inline = line_of.is_some_and(|text| !text.trim().starts_with("else"));
        let comment_above =
            self.comments.first().is_some_and(|comment| line(comment) < row) || self.before_end.is_some();
        if !comment_above && was_inline {
            self.write(" ");
        } else {
            self.blank_line();
            self.start_line();
        }
        self.insert_comments(row)?;
        if comment_above && !was_inline {
            self.start_line();
        }
        self.rule(&next, true)
    }

    fn head(&mut self, clause: &Clause<'t>, constant: bool) -> Written {
        let Some(head) = clause.head else {
            self.insert_comments(clause.head_loc.row)?;
            self.write("else");
            return self.value(clause, constant, false);
        };
        if self.style.ref_heads || head.path.is_empty() {
            self.insert_comments(clause.head_loc.row)?;
            self.write(&head.name.text);
            self.path(&head.path);
        } else if let [only] = head.path.as_slice() {
            if self.comments.first().is_some_and(|comment| line(comment) == self.row(only)) {
                self.unformatted(clause.head_loc);
                return Ok(());
            }
            self.write(&head.name.text);
            self.write("[");
            let text = match &only.kind {
                TermKind::String { text, .. } => super::terms::quoted(text),
                _ => self.text(only.span).to_owned(),
            };
            self.write(&text);
            self.write("]");
        }
        if !head.args.is_empty() {
            self.write("(");
            let items = head.args.iter().map(|arg| Item::Term(arg, false)).collect();
            let close = closing(None, b'(', b')', clause.head_loc);
            let written = self.list(items, clause.head_loc, close);
            self.write(")");
            written?;
        }
        if let HeadKind::Element { key, .. } = &head.kind {
            if self.style.contains {
                self.write(" contains ");
                return self.term(key);
            }
            self.write("[");
            self.term(key)?;
            self.write("]");
        }
        self.value(clause, constant, has_key(head))
    }

    fn value(&mut self, clause: &Clause<'t>, constant: bool, keyed: bool) -> Written {
        let Some(value) = clause.value else { return Ok(()) };
        let is_true = matches!(value.kind, TermKind::Bool(true));
        if is_true && !keyed && !constant && !clause.default {
            return Ok(());
        }
        // `f(x)` and `p[x] if …` stay as they are; `p { true }` becomes `p = true`, and a constant of Rego v1 its value.
        if clause.omitted
            && is_true
            && let Some(head) = clause.head
        {
            let expanded = constant && !clause.body_omitted;
            let explicit = self.style.v1 && constant && !keyed && head.args.is_empty();
            if !expanded && !explicit {
                return Ok(());
            }
        }
        self.write(if clause.assigned || self.style.v1 { " := " } else { " = " });
        match clause.head {
            Some(_) if clause.omitted => {
                self.write("true");
                Ok(())
            }
            Some(_) => self.term(value),
            // The value of an `else` has the place of the `else`.
            None => self.term_at(value, clause.head_loc),
        }
    }
}

/// Whether what stands before a body opens it: a brace, whatever comments follow.
fn opens(text: &str) -> bool {
    let code = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    text.lines().map(code).rfind(|line| !line.is_empty()).is_some_and(|line| line.ends_with('{'))
}

/// `p[x] := …`: a rule that is known by a key that is not written out.
fn has_key(head: &Head) -> bool {
    match &head.kind {
        HeadKind::Element { .. } => true,
        HeadKind::Value { .. } => {
            let [key] = head.path.as_slice() else { return false };
            head.args.is_empty() && !is_ground(key)
        }
    }
}

/// Whether a term holds nothing that is looked up.
fn is_ground(term: &Term) -> bool {
    match &term.kind {
        TermKind::String { .. } | TermKind::Number(_) | TermKind::Bool(_) | TermKind::Null => true,
        TermKind::Array(items) | TermKind::Set(items) => items.iter().all(is_ground),
        TermKind::Object(pairs) => pairs.iter().all(|(key, value)| is_ground(key) && is_ground(value)),
        _ => false,
    }
}

/// A body that is `true` and nothing else.
fn is_true(body: &[Expr]) -> bool {
    let [only] = body else { return body.is_empty() };
    !only.negated
        && only.with.is_empty()
        && matches!(&only.kind, ExprKind::Term(Term { kind: TermKind::Bool(true), .. }))
}

/// A set that stands alone: without braces around it, it would be the body.
fn is_set(expr: &Expr) -> bool {
    !expr.negated && matches!(&expr.kind, ExprKind::Term(Term { kind: TermKind::Set(_), .. }))
}
