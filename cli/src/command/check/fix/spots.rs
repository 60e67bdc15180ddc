//! Where every value of a YAML document stands in the text.

use saphyr_parser::{Event, Marker, Parser, Span, StrInput};
use std::collections::BTreeMap;
use wayguard_engine::value::escape_segment;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A scalar with text.
    Scalar,
    /// Nothing at all after the key.
    Nothing,
    /// A mapping over several lines.
    BlockMap,
    /// A list over several lines.
    BlockList,
    /// `{…}`
    FlowMap,
    /// `[…]`
    FlowList,
    /// `*name`
    Alias,
}

/// A value's place. Indexes count characters from 0, lines from 0.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// How it is written.
    pub(super) style: Style,
    /// First character.
    pub(super) start: usize,
    /// One after the last character; of block collections that of their last value.
    pub(super) end: usize,
    /// Line of the first character.
    pub(super) first_line: usize,
    /// Line of the last character that is neither space nor comment.
    pub(super) last_line: usize,
    /// Its key, if it is a member.
    pub(super) key: Option<Key>,
    /// The first key of a mapping that has one.
    pub(super) first_key: Option<Key>,
}

/// A key's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// Column of the first character.
    pub(super) column: usize,
    /// Its line.
    pub(super) line: usize,
    /// One after its last character.
    pub(super) end: usize,
}

/// The spots of one document by JSON Pointer. Values behind an alias or a merge have none. Documents without
/// content do not count, as in the engine.
pub(super) fn spots(text: &str, document_index: usize) -> Option<BTreeMap<String, Spot>> {
    let mut finder =
        Finder { events: Parser::new_from_str(text), text: text.chars().collect(), spots: BTreeMap::new() };
    let mut seen = 0;
    while let Some((event, _)) = finder.next() {
        if !matches!(event, Event::DocumentStart(_)) {
            continue;
        }
        finder.spots.clear();
        let (event, span) = finder.next()?;
        let empty = matches!(&event, Event::Scalar(text, ..) if matches!(text.as_ref(), "" | "~" | "null"));
        finder.value(&event, span, None, &mut String::new())?;
        if empty {
            continue;
        }
        if seen == document_index {
            return Some(finder.spots);
        }
        seen += 1;
    }
    None
}

struct Finder<'t> {
    events: Parser<'t, StrInput<'t>>,
    text: Vec<char>,
    spots: BTreeMap<String, Spot>,
}

impl<'t> Finder<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        self.events.next()?.ok()
    }

    fn starts_with(&self, place: &Marker, wanted: char) -> bool {
        self.text.get(place.index()) == Some(&wanted)
    }

    /// Records a value and all in it; gives the end of its content.
    fn value(
        &mut self,
        event: &Event<'t>,
        span: Span,
        key: Option<Key>,
        path: &mut String,
    ) -> Option<(usize, usize)> {
        let mut first_key = None;
        let (style, end) = match event {
            Event::Alias(_) => (Style::Alias, self.content_end(span)),
            Event::Scalar(..) if span.start.index() == span.end.index() => {
                (Style::Nothing, self.content_end(span))
            }
            Event::Scalar(..) => (Style::Scalar, self.content_end(span)),
            Event::SequenceStart(..) => {
                let flow = self.starts_with(&span.start, '[');
                let end = self.list(span, path)?;
                if flow { (Style::FlowList, end.1) } else { (Style::BlockList, end.0) }
            }
            Event::MappingStart(..) => {
                let flow = self.starts_with(&span.start, '{');
                let (last, closing) = self.map(span, path, &mut first_key)?;
                if flow { (Style::FlowMap, closing) } else { (Style::BlockMap, last) }
            }
            _ => return None,
        };
        let start = match (style, first_key) {
            // A block mapping begins with its first key, whatever the parser's marker says.
            (Style::BlockMap, Some(Key { line, .. })) => (span.start.index(), line),
            _ => (span.start.index(), span.start.line() - 1),
        };
        let spot =
            Spot { style, start: start.0, end: end.0, first_line: start.1, last_line: end.1, key, first_key };
        self.spots.insert(path.clone(), spot);
        Some(end)
    }

    /// The end of the last element, and of the closing bracket.
    fn list(&mut self, start: Span, path: &mut String) -> Option<((usize, usize), (usize, usize))> {
        let mut last = (start.end.index(), start.end.line() - 1);
        for index in 0.. {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Some((last, (span.end.index(), span.end.line() - 1)));
            }
            let length = path.len();
            path.push('/');
            path.push_str(&index.to_string());
            last = self.value(&event, span, None, path)?;
            path.truncate(length);
        }
        None
    }

    /// The end of the last member, and of the closing brace.
    fn map(
        &mut self,
        start: Span,
        path: &mut String,
        first_key: &mut Option<Key>,
    ) -> Option<((usize, usize), (usize, usize))> {
        let mut last = (start.end.index(), start.end.line() - 1);
        loop {
            let (event, span) = self.next()?;
            let text = match event {
                Event::MappingEnd => return Some((last, (span.end.index(), span.end.line() - 1))),
                Event::Scalar(text, ..) => text,
                _ => return None,
            };
            let key = Key { column: span.start.col(), line: span.start.line() - 1, end: span.end.index() };
            first_key.get_or_insert(key);
            let length = path.len();
            path.push('/');
            path.push_str(&escape_segment(&text));
            let (event, span) = self.next()?;
            last = self.value(&event, span, Some(key), path)?;
            if self.spots.get(path.as_str()).is_some_and(|spot| spot.style == Style::Nothing) {
                last = (key.end, key.line);
            }
            path.truncate(length);
        }
    }

    /// The end of a scalar: one after its last character that is no white space, and the line of that.
    fn content_end(&self, span: Span) -> (usize, usize) {
        let mut end = span.end.index().min(self.text.len());
        while end > span.start.index() && self.text.get(end - 1).is_some_and(|last| last.is_whitespace()) {
            end -= 1;
        }
        let within = self.text.get(span.start.index()..end).unwrap_or_default();
        (end, span.start.line() - 1 + within.iter().filter(|character| **character == '\n').count())
    }
}
