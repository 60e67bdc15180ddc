//! What a body asks: its expressions read one after the other, as OPA's index reads them.

use super::{Entry, How, Share, Source, SourceId, Sources, Wish, literal, parts};
use crate::rego::front::form::{Callee, Clause, DATA, Expr, ExprKind, INPUT, Kind, Operand, Term, Var};
use crate::rego::front::rules::Tree;
use crate::rego::place::Place;
use crate::value::{Arena, Value};
use std::collections::HashMap;

/// Ways to reach a rule beyond which OPA does not multiply them out.
const MAX_WAYS: usize = 32;

/// What one clause asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked<'p> {
    /// All of these.
    pub(super) entries: Vec<Entry<'p>>,
    /// And of each of these one alternative.
    pub(super) alternatives: Vec<Vec<Vec<Entry<'p>>>>,
    /// And that the value at the first is a key of the collection at the second.
    pub(super) memberships: Vec<(Source<'p>, Source<'p>)>,
    /// How much of it concerns each source.
    pub(super) shares: Vec<Share>,
}

/// Reads the bodies of the rules of one name.
pub(super) struct Reader<'r, 'p, A> {
    pub(super) arena: &'r A,
    pub(super) tree: &'r Tree<'p>,
    pub(super) sources: Sources<'p>,
}

/// A body at work: what it asks, what is around it, and what variables are known to be.
struct Scope<'s, 'p> {
    asked: Asked<'p>,
    outer: Vec<Entry<'p>>,
    args: &'s [Term<'p>],
    constants: HashMap<Var, Term<'p>>,
}

impl<'p> Asked<'p> {
    /// Every set of entries by which the rule can be reached.
    pub(super) fn ways(&self) -> Vec<Vec<Entry<'p>>> {
        let mut ways = vec![self.entries.clone()];
        for alternatives in &self.alternatives {
            if ways.len() * alternatives.len() > MAX_WAYS {
                return vec![self.entries.clone()];
            }
            ways = ways
                .iter()
                .flat_map(|way| {
                    alternatives.iter().map(move |more| way.iter().chain(more).cloned().collect::<Vec<_>>())
                })
                .collect();
        }
        ways
    }

    fn share(&mut self, source: SourceId) -> Option<&mut Share> {
        if self.shares.len() <= source {
            self.shares.resize(source + 1, Share::default());
        }
        self.shares.get_mut(source)
    }

    fn count(&mut self, source: SourceId, more: usize) {
        if let Some(share) = self.share(source) {
            share.count += more;
        }
    }

    fn several(&mut self, source: SourceId, kind: u8) {
        if let Some(share) = self.share(source) {
            share.several = share.several.max(kind);
        }
    }

    /// One more entry; a value takes the place of a mere name.
    fn insert(&mut self, entry: Entry<'p>) {
        let mut seen = false;
        let mut several = 0;
        for other in &mut self.entries {
            if other.source != entry.source {
                continue;
            }
            seen = true;
            if other.wanted == entry.wanted && plain(other.how) == plain(entry.how) {
                return;
            }
            if !entry.is_open() && !entry.is_affix() && other.is_open() {
                *other = entry;
                return;
            }
            if !entry.is_open() && !other.is_open() {
                several = several.max(if entry.is_affix() || other.is_affix() { 2 } else { 1 });
            }
        }
        self.several(entry.source, several);
        if !seen {
            self.count(entry.source, 1);
        }
        self.entries.push(entry);
    }

    /// The members of a collection, any of which will do.
    fn insert_members(&mut self, source: SourceId, members: &[Term<'p>]) {
        let entry = |member: &Term<'p>| Entry { source, wanted: member_wish(member), how: How::Equal };
        let mut members = members.iter().map(entry);
        let Some(first) = members.next() else { return };
        self.insert(first);
        let rest: Vec<Entry<'p>> = members.collect();
        if rest.is_empty() {
            return;
        }
        let same = |other: &&Entry<'p>| other.source == source;
        let mut concrete = self.entries.iter().filter(same).filter(|other| !other.is_open()).count();
        self.count(source, rest.len());
        for entry in rest {
            let known = self.entries.iter().any(|other| {
                other.source == source && other.wanted == entry.wanted && plain(other.how) == How::Equal
            });
            if !known {
                concrete += 1;
                self.entries.push(entry);
            }
        }
        if concrete > 1 {
            self.several(source, 1);
        }
    }

    /// Beginnings or ends, any of which will do.
    fn insert_affixes(&mut self, source: SourceId, texts: &[Value<'p>], how: How<'p>) {
        let same = |other: &&Entry<'p>| other.source == source;
        let known = self.entries.iter().any(|other| other.source == source);
        let mut concrete = self.entries.iter().filter(same).filter(|other| !other.is_open()).count();
        self.count(source, texts.len().saturating_sub(usize::from(known)));
        for text in texts {
            let entry = Entry { source, wanted: Wish::Scalar(*text), how };
            if !self.entries.contains(&entry) {
                concrete += 1;
                self.entries.push(entry);
            }
        }
        if concrete > 1 {
            self.several(source, 2);
        }
    }

    /// That one of these must hold.
    fn require(&mut self, mut ways: Vec<Vec<Entry<'p>>>) {
        match ways.len() {
            0 => {}
            1 => ways.remove(0).into_iter().for_each(|entry| self.insert(entry)),
            _ => {
                for source in ways.iter().flatten().map(|entry| entry.source).collect::<Vec<_>>() {
                    self.count(source, 1);
                }
                self.alternatives.push(ways);
            }
        }
    }
}

/// A split text is asked about as an array is.
fn plain(how: How<'_>) -> How<'_> {
    if matches!(how, How::Split(_)) { How::Equal } else { how }
}

fn member_wish<'p>(term: &Term<'p>) -> Wish<'p> {
    match &term.kind {
        Kind::Scalar(value) => Wish::Scalar(*value),
        Kind::Array(items) => Wish::Array(items.iter().map(scalar).collect()),
        _ => Wish::Composite(term.clone()),
    }
}

fn scalar<'p>(term: &Term<'p>) -> Option<Value<'p>> {
    match term.kind {
        Kind::Scalar(value) => Some(value),
        _ => None,
    }
}

/// What can be looked for: a scalar, a variable, an array of both.
fn wish<'p>(term: &Term<'p>) -> Option<Wish<'p>> {
    match &term.kind {
        Kind::Scalar(value) => Some(Wish::Scalar(*value)),
        Kind::Var(var) if !matches!(*var, INPUT | DATA) => Some(Wish::Named(*var)),
        Kind::Array(items) => {
            let flat = items
                .iter()
                .all(|item| matches!(item.kind, Kind::Scalar(_) | Kind::Var(_)) && parts(item).is_none());
            flat.then(|| Wish::Array(items.iter().map(scalar).collect()))
        }
        _ => None,
    }
}

impl<'p, A: Arena<'p>> Reader<'_, 'p, A> {
    /// What a clause asks.
    pub(super) fn clause(&mut self, clause: &Clause<'p>) -> Asked<'p> {
        let mut scope = Scope {
            asked: Asked::default(),
            outer: Vec::new(),
            args: &clause.args,
            constants: HashMap::new(),
        };
        for expr in &clause.body {
            self.expr(&mut scope, expr);
        }
        scope.asked
    }

    fn expr(&mut self, scope: &mut Scope<'_, 'p>, expr: &Expr<'p>) {
        if expr.negated || !expr.withs.is_empty() {
            return;
        }
        match &expr.kind {
            ExprKind::Term(term) => {
                let term = plugged(term, &scope.constants);
                if parts(&term).is_some() && !self.key(scope, &term) {
                    self.equal_one(scope, &term, None);
                }
            }
            ExprKind::Call(callee, args) => {
                let args: Vec<Term<'p>> = args.iter().map(|arg| plugged(arg, &scope.constants)).collect();
                self.call(scope, callee, &args);
            }
            ExprKind::And(sides) => {
                let [left, right] = sides.as_ref();
                let (left, right) = (self.operand(scope, left), self.operand(scope, right));
                scope.asked.require(left);
                scope.asked.require(right);
            }
            ExprKind::Or(sides) => {
                let [left, right] = sides.as_ref();
                let mut ways = self.operand(scope, left);
                let more = self.operand(scope, right);
                if !ways.is_empty() && !more.is_empty() {
                    ways.extend(more);
                    scope.asked.require(ways);
                }
            }
            _ => {}
        }
    }

    /// The ways in which a side of `and` or `or` can hold; none: nothing is known of it.
    fn operand(&mut self, scope: &Scope<'_, 'p>, side: &Operand<'p>) -> Vec<Vec<Entry<'p>>> {
        let outer = scope.asked.entries.iter().chain(&scope.outer).cloned().collect();
        let mut inner =
            Scope { asked: Asked::default(), outer, args: scope.args, constants: scope.constants.clone() };
        for expr in &side.body {
            self.expr(&mut inner, expr);
        }
        let mut ways = inner.asked.ways();
        if let [way] = ways.as_slice()
            && way.is_empty()
        {
            return Vec::new();
        }
        // Names within are not known outside.
        for entry in ways.iter_mut().flatten() {
            if entry.is_open() {
                entry.wanted = Wish::Any;
            }
        }
        ways
    }

    fn call(&mut self, scope: &mut Scope<'_, 'p>, callee: &Callee<'p>, args: &[Term<'p>]) {
        match (callee.name(), args) {
            (Some("eq" | "equal"), [left, right]) => {
                let iterated = self.iterated(scope, left, right) || self.iterated(scope, right, left);
                if !iterated && !self.equal_one(scope, left, Some(right)) {
                    self.equal_one(scope, right, Some(left));
                }
            }
            (Some("glob.match"), [pattern, delimiters, matched]) => {
                self.glob(scope, pattern, delimiters, matched);
            }
            (Some("internal.member_2"), [value, collection]) => self.member(scope, value, collection),
            (Some("startswith"), [text, base]) => self.affix(scope, text, base, How::Start),
            (Some("endswith"), [text, base]) => self.affix(scope, text, base, How::End),
            (Some("strings.any_prefix_match"), [text, base]) => self.affixes(scope, text, base, How::Start),
            (Some("strings.any_suffix_match"), [text, base]) => self.affixes(scope, text, base, How::End),
            _ => {}
        }
    }

    /// `one = other`, where `one` says where; `None` for a reference on its own. False if nothing is known of it.
    fn equal_one(&mut self, scope: &mut Scope<'_, 'p>, one: &Term<'p>, other: Option<&Term<'p>>) -> bool {
        if let (Kind::Var(var), None) = (&one.kind, parts(one)) {
            let Some(other) = other else { return false };
            if is_constant(other) {
                scope.constants.insert(*var, other.clone());
            } else if let Kind::Var(known) = other.kind
                && let Some(constant) = scope.constants.get(&known).cloned()
            {
                scope.constants.insert(*var, constant);
            }
            let Some(wanted) = wish(other) else { return false };
            let Some(source) = self.named(scope, *var) else { return false };
            scope.asked.insert(Entry { source, wanted, how: How::Equal });
            return true;
        }
        let Some(source) = self.place(scope, one) else { return false };
        let wanted = match other {
            None => Wish::Any,
            Some(Term { kind: Kind::Var(var), .. }) if scope.constants.contains_key(var) => {
                match scope.constants.get(var) {
                    Some(constant) => member_wish(constant),
                    None => return false,
                }
            }
            Some(other) => match wish(other) {
                Some(wanted) => wanted,
                None => return false,
            },
        };
        scope.asked.insert(Entry { source, wanted, how: How::Equal });
        true
    }

    /// `collection[_] = scalar`
    fn iterated(&mut self, scope: &mut Scope<'_, 'p>, one: &Term<'p>, other: &Term<'p>) -> bool {
        let Some(parts) = parts(one) else { return false };
        let Some((last, before)) = parts.split_last() else { return false };
        if before.is_empty() || literal(self.arena, last).is_some() {
            return false;
        }
        let wanted = match other.kind {
            Kind::Scalar(value) => Some(value),
            Kind::Var(var) => scope.constants.get(&var).and_then(scalar),
            _ => None,
        };
        let Some(wanted) = wanted else { return false };
        let place = Term::new(Kind::Ref(before.to_vec()), one.place);
        let Some(source) = self.place(scope, &place) else { return false };
        scope.asked.insert(Entry { source, wanted: Wish::Scalar(wanted), how: How::Member });
        true
    }

    /// `collection[key]` below `data`: that the key is in it.
    fn key(&mut self, scope: &mut Scope<'_, 'p>, term: &Term<'p>) -> bool {
        let Some([head, .., last]) = parts(term) else { return false };
        if head.as_var() != Some(DATA) {
            return false;
        }
        let before = parts(term).map(|parts| parts.get(..parts.len() - 1).unwrap_or_default());
        let Some(collection) = before.and_then(|before| self.ground(before)) else { return false };
        let key = match &last.kind {
            Kind::Var(var) => self.named(scope, *var),
            _ => match parts(last).and_then(|parts| self.ground(parts)) {
                Some(source) => Some(self.sources.id(source, Some(last.place))),
                None => None,
            },
        };
        let Some(key) = key else { return false };
        let Some(source) = self.sources.get(key).cloned() else { return false };
        let pair = (source, collection);
        if !scope.asked.memberships.contains(&pair) {
            scope.asked.memberships.push(pair);
            scope.asked.count(key, 1);
        }
        true
    }

    fn glob(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        pattern: &Term<'p>,
        delimiters: &Term<'p>,
        matched: &Term<'p>,
    ) {
        let Kind::Array(delimiters) = &delimiters.kind else { return };
        let texts: Option<Vec<&str>> = delimiters.iter().map(Term::as_text).collect();
        let Some(texts) = texts else { return };
        let joined = if texts.is_empty() { ".".to_owned() } else { texts.concat() };
        let Some(pattern) = pattern.as_text() else { return };
        let Kind::Var(var) = matched.kind else { return };
        let Some(array) = self.segments(pattern, &joined) else { return };
        let Some(source) = self.named(scope, var) else { return };
        let how = How::Split(self.arena.text(&joined));
        scope.asked.insert(Entry { source, wanted: Wish::Array(array), how });
    }

    /// The segments of a glob; `None` if it holds more than `*` as whole segments.
    fn segments(&self, pattern: &str, delimiters: &str) -> Option<Vec<Option<Value<'p>>>> {
        let mut found = Vec::new();
        for segment in split(pattern, delimiters) {
            if segment == "*" {
                found.push(None);
                continue;
            }
            let mut escaped = false;
            for letter in segment.chars() {
                if letter == '\\' {
                    escaped = !escaped;
                    continue;
                }
                if !escaped && matches!(letter, '[' | '?' | '{' | '*') {
                    return None;
                }
                escaped = false;
            }
            found.push(Some(Value::String(self.arena.text(segment))));
        }
        Some(found)
    }

    /// `value in collection`
    fn member(&mut self, scope: &mut Scope<'_, 'p>, value: &Term<'p>, collection: &Term<'p>) {
        if let Kind::Var(var) = value.kind
            && let Some(source) = self.named(scope, var)
        {
            let known = match collection.kind {
                Kind::Var(var) => scope.constants.get(&var).cloned(),
                _ => Some(collection.clone()),
            };
            let members: Vec<Term<'p>> = match known.map(|term| term.kind) {
                Some(Kind::Array(items) | Kind::Set(items)) => items,
                Some(Kind::Object(pairs)) => pairs.into_iter().map(|(_, value)| value).collect(),
                _ => return,
            };
            if members.iter().any(|member| matches!(member.kind, Kind::Var(_)) && parts(member).is_none()) {
                return;
            }
            return scope.asked.insert_members(source, &members);
        }
        let value = match value.kind {
            Kind::Var(var) => scope.constants.get(&var).unwrap_or(value),
            _ => value,
        };
        let (wanted, how) = match value.kind {
            Kind::Scalar(value) => (Wish::Scalar(value), How::Member),
            Kind::Var(var) if !matches!(var, INPUT | DATA) => (Wish::Named(var), How::Equal),
            _ => return,
        };
        let Some(source) = self.validated(scope, collection) else { return };
        scope.asked.insert(Entry { source, wanted, how });
    }

    fn affix(&mut self, scope: &mut Scope<'_, 'p>, text: &Term<'p>, base: &Term<'p>, how: How<'p>) {
        let Some(source) = self.validated(scope, text) else { return };
        let base = known(base, &scope.constants);
        if let Some(Kind::Scalar(value @ Value::String(_))) = base.map(|term| &term.kind) {
            let wanted = Wish::Scalar(*value);
            scope.asked.insert(Entry { source, wanted, how });
        }
    }

    fn affixes(&mut self, scope: &mut Scope<'_, 'p>, text: &Term<'p>, base: &Term<'p>, how: How<'p>) {
        let Some(source) = self.validated(scope, text) else { return };
        match known(base, &scope.constants).map(|term| &term.kind) {
            Some(Kind::Scalar(value @ Value::String(_))) => {
                let wanted = Wish::Scalar(*value);
                scope.asked.insert(Entry { source, wanted, how });
            }
            Some(Kind::Array(items) | Kind::Set(items)) => {
                let texts: Option<Vec<Value<'p>>> =
                    items.iter().map(|item| item.as_text().map(Value::String)).collect();
                if let Some(texts) = texts.filter(|texts| !texts.is_empty()) {
                    scope.asked.insert_affixes(source, &texts, how);
                }
            }
            _ => {}
        }
    }

    // ---- sources

    /// The source that a variable is the name of.
    fn named(&mut self, scope: &Scope<'_, 'p>, var: Var) -> Option<SourceId> {
        let is = |entry: &&Entry<'p>| matches!(entry.wanted, Wish::Named(name) if name == var);
        if let Some(entry) = scope.asked.entries.iter().chain(&scope.outer).find(is) {
            return Some(entry.source);
        }
        let at = scope.args.iter().position(|arg| arg.as_var() == Some(var))?;
        Some(self.sources.id(Source::Argument(at), None))
    }

    /// A reference without variables to the input or a base document.
    fn ground(&self, parts: &[Term<'p>]) -> Option<Source<'p>> {
        let (head, operands) = parts.split_first()?;
        let keys: Option<Vec<Value<'p>>> = operands.iter().map(|part| literal(self.arena, part)).collect();
        let keys = keys?;
        match head.as_var()? {
            INPUT => Some(Source::Input(keys)),
            DATA if !self.is_virtual(&keys) => Some(Source::Base(keys)),
            _ => None,
        }
    }

    /// Where a reference leads, its head being `input`, `data` or a name of what is there.
    fn place(&mut self, scope: &Scope<'_, 'p>, term: &Term<'p>) -> Option<SourceId> {
        let parts = parts(term)?;
        let (head, operands) = parts.split_first()?;
        let var = head.as_var()?;
        if matches!(var, INPUT | DATA) {
            let source = self.ground(parts)?;
            return Some(self.sources.id(source, Some(head.place)));
        }
        let start = self.named(scope, var)?;
        let keys: Option<Vec<Value<'p>>> = operands.iter().map(|part| literal(self.arena, part)).collect();
        let (source, place) = self.sources.0.get(start)?.clone();
        let longer = |mut path: Vec<Value<'p>>, keys: Vec<Value<'p>>| {
            path.extend(keys);
            path
        };
        let source = match source {
            Source::Input(path) => Source::Input(longer(path, keys?)),
            Source::Base(path) => {
                let path = longer(path, keys?);
                if self.is_virtual(&path) {
                    return None;
                }
                Source::Base(path)
            }
            Source::Argument(_) => return None,
        };
        Some(self.sources.id(source, place))
    }

    /// As [`Self::place`], also by the name alone; an argument is none.
    fn validated(&mut self, scope: &Scope<'_, 'p>, term: &Term<'p>) -> Option<SourceId> {
        if let (Kind::Var(var), None) = (&term.kind, parts(term)) {
            let source = self.named(scope, *var)?;
            return match self.sources.get(source)? {
                Source::Argument(_) => None,
                _ => Some(source),
            };
        }
        let head = parts(term)?.first()?;
        matches!(head.as_var(), Some(INPUT | DATA)).then(|| self.place(scope, term)).flatten()
    }

    /// Whether rules give what is there.
    fn is_virtual(&self, path: &[Value<'p>]) -> bool {
        let mut node = 0;
        for key in path {
            let Some(child) = self.tree.child(node, key) else { return false };
            if self.tree.node(child).is_some_and(|child| !child.rules.is_empty()) {
                return true;
            }
            node = child;
        }
        true
    }
}

/// A reference in which variables that are known scalars stand as these.
fn plugged<'p>(term: &Term<'p>, constants: &HashMap<Var, Term<'p>>) -> Term<'p> {
    let Kind::Ref(parts) = &term.kind else { return term.clone() };
    let plug = |(at, part): (usize, &Term<'p>)| match part.kind {
        Kind::Var(var) if at > 0 => match constants.get(&var) {
            Some(constant @ Term { kind: Kind::Scalar(_), .. }) => constant.clone(),
            _ => part.clone(),
        },
        _ => part.clone(),
    };
    Term::new(Kind::Ref(parts.iter().enumerate().map(plug).collect()), term.place)
}

/// A term, or the constant that it names.
fn known<'t, 'p>(term: &'t Term<'p>, constants: &'t HashMap<Var, Term<'p>>) -> Option<&'t Term<'p>> {
    match term.kind {
        Kind::Var(var) => constants.get(&var),
        _ => Some(term),
    }
}

/// Whether there is nothing in a term that must be looked up.
fn is_constant(term: &Term<'_>) -> bool {
    match &term.kind {
        Kind::Scalar(_) => true,
        Kind::Array(items) | Kind::Set(items) => items.iter().all(is_constant),
        Kind::Object(pairs) => pairs.iter().all(|(key, value)| is_constant(key) && is_constant(value)),
        _ => false,
    }
}

/// A text split at any of some characters, unless a backslash stands before.
pub(crate) fn split<'t>(text: &'t str, delimiters: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, letter) in text.char_indices() {
        if letter == '\\' || escaped {
            escaped = !escaped;
        } else if delimiters.contains(letter) {
            found.push(text.get(start..at).unwrap_or_default());
            start = at + letter.len_utf8();
        }
    }
    found.push(text.get(start..).unwrap_or_default());
    found
}

/// Where a source was first seen.
pub(super) fn place_of(sources: &Sources<'_>, id: SourceId) -> Option<Place> {
    sources.0.get(id).and_then(|(_, place)| *place)
}
