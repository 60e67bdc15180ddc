//! Coverage as one page of HTML: nothing is fetched, it is read in light and dark, by keyboard and by ear.

use super::page::{SCRIPT, STYLE};
use super::told::percent;
use super::{Count, Coverage, File, Spot};
use std::collections::BTreeMap;

impl Coverage {
    /// The page.
    pub(in crate::command::test) fn html(&self) -> String {
        let lines = self.lines();
        let mut files: Vec<(usize, &File)> = self.files.values().enumerate().collect();
        // What needs work comes first.
        files.sort_by(|(_, one), (_, other)| {
            let share = |file: &File| file.lines().percent();
            share(one).total_cmp(&share(other)).then_with(|| one.name.cmp(&other.name))
        });
        let rows: String = files.iter().map(|(number, file)| row(*number, file)).collect();
        let sources: String = files.iter().map(|(number, file)| source(*number, file)).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>Coverage: {share}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#files\">To the files</a>\n\
             <header>\n<h1>Coverage of policies by their tests</h1>\n\
             <p class=\"sum\"><strong>{share}</strong> of {all} lines in {count} files; \
             {missing} not covered</p>\n{meter}\n</header>\n<main id=\"files\">\n\
             <p><label><input type=\"checkbox\" id=\"lacking\"> Only files that lack something</label></p>\n\
             <table>\n<caption>Files, the least covered first</caption>\n<thead><tr><th scope=\"col\">File</th>\
             <th scope=\"col\">Lines</th><th scope=\"col\">Not covered</th><th scope=\"col\">Covered</th></tr>\
             </thead>\n<tbody>\n{rows}</tbody>\n</table>\n{sources}</main>\n<script>{SCRIPT}</script>\n\
             </body>\n</html>\n",
            share = percent(lines),
            all = lines.all(),
            count = self.files.len(),
            missing = lines.not_covered,
            meter = meter(lines),
        )
    }
}

/// A bar, with its value as words for who cannot see it.
fn meter(count: Count) -> String {
    let value = count.percent();
    format!(
        "<meter min=\"0\" max=\"100\" low=\"80\" high=\"99.99\" optimum=\"100\" value=\"{value}\">{value} %</meter>"
    )
}

fn row(number: usize, file: &File) -> String {
    let lines = file.lines();
    let whole = if lines.not_covered == 0 { " class=\"whole\"" } else { "" };
    format!(
        "<tr{whole}><th scope=\"row\"><a href=\"#f{number}\">{}</a></th><td>{}</td><td>{}</td><td>{} {}</td></tr>\n",
        escape(&file.name),
        lines.all(),
        lines.not_covered,
        meter(lines),
        percent(lines),
    )
}

fn source(number: usize, file: &File) -> String {
    let by_line = file.by_line();
    let mut missed: BTreeMap<u32, Vec<&Spot>> = BTreeMap::new();
    for spot in file.missed() {
        missed.entry(spot.span.start.line).or_default().push(spot);
    }
    let lines: String = (1_u32..)
        .zip(file.text.lines())
        .map(|(line, text)| {
            let (class, said) = match by_line.get(&line) {
                Some(true) => (" class=\"yes\"", "<span class=\"ear\">covered: </span>"),
                Some(false) => (" class=\"no\"", "<span class=\"ear\">not covered: </span>"),
                None => ("", ""),
            };
            let missing = missed.get(&line).map(|spots| remark(spots)).unwrap_or_default();
            let text = marked(text, missed.get(&line).map(Vec::as_slice).unwrap_or_default(), line);
            format!(
                "<li{class} id=\"f{number}l{line}\" value=\"{line}\">{said}<code>{text}</code>{missing}</li>\n"
            )
        })
        .collect();
    let open = if file.lines().not_covered == 0 { "" } else { " open" };
    let whole = if open.is_empty() { " class=\"whole\"" } else { "" };
    format!(
        "<section{whole} id=\"f{number}\"><details{open}><summary><h2>{}</h2> <span>{}</span></summary>\n\
         <ol>\n{lines}</ol></details></section>\n",
        escape(&file.name),
        percent(file.lines()),
    )
}

/// What is missing on a line, each once.
fn remark(spots: &[&Spot]) -> String {
    let mut said: Vec<&str> = spots.iter().map(|spot| spot.missing()).collect();
    said.dedup();
    format!(" <em>{}</em>", escape(&said.join("; ")))
}

/// The line, with what was not come to marked.
fn marked(text: &str, spots: &[&Spot], line: u32) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut html = String::new();
    let mut at = 0;
    for spot in spots {
        let start = column(spot.span.start.column).max(at).min(letters.len());
        let end = if spot.span.end.line > line { letters.len() } else { column(spot.span.end.column) };
        let end = end.clamp(start, letters.len());
        if end == start {
            continue;
        }
        let piece = |from: usize, to: usize| -> String {
            escape(&letters.get(from..to).unwrap_or_default().iter().collect::<String>())
        };
        html.push_str(&piece(at, start));
        html.push_str(&format!("<mark>{}</mark>", piece(start, end)));
        at = end;
    }
    let rest: String = letters.get(at..).unwrap_or_default().iter().collect();
    html.push_str(&escape(&rest));
    html
}

fn column(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::Marked;
    use super::*;
    use wayguard_engine::rego::syntax::tree::{Position, Span};

    #[test]
    fn what_is_missing_is_marked_and_texts_are_escaped() {
        let at = |line, column| Position { offset: 0, line, column };
        let spot =
            Spot { span: Span { start: at(1, 3), end: at(1, 8) }, what: Marked::Expression, reached: false };
        assert_eq!(marked("a <b> && c", &[&spot], 1), "a <mark>&lt;b&gt; &amp;</mark>&amp; c");
        assert_eq!(marked("a", &[&spot], 1), "a");
        let text = "package p\n\na if x < 1\n".to_owned();
        let file = File { name: "<p>.rego".to_owned(), text, spots: BTreeMap::from([((3, 6), spot)]) };
        let coverage = Coverage { files: BTreeMap::from([("p".into(), file)]) };
        let page = coverage.html();
        assert!(page.contains("&lt;p&gt;.rego") && !page.contains("<p>.rego"), "{page}");
        assert!(page.contains("0 %") && page.contains("not covered: "), "{page}");
        assert!(!page.contains("http"), "the page fetches nothing");
    }
}
