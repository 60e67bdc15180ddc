//! The pages as manual pages (groff's `man` macros, man(7)).

use super::{Entry, parameters};
use std::fmt::Write as _;

/// The manual page of one policy.
pub(super) fn page(entry: &Entry) -> String {
    let (metadata, custom) = (&entry.metadata, &entry.metadata.custom);
    let name = format!("wayguard-{}", entry.id.replace('/', "-"));
    let mut page = format!(".TH {} 7 \"\" Wayguard \"Policy library\"\n", name.to_uppercase());
    // Writing to a String cannot fail, here and below.
    let _ = write!(page, ".SH NAME\n{} \\- {}\n", text(&name), text(&metadata.title));
    let _ = write!(page, ".SH DESCRIPTION\n{}\n", text(metadata.description.trim()));
    let _ = write!(page, ".SH SEVERITY\n{}\n", custom.severity.as_str());
    if !custom.controls.is_empty() {
        let _ = write!(page, ".SH CONTROLS\n{}\n", text(&custom.controls.join(", ")));
    }
    let _ = write!(page, ".SH REMEDY\n{}\n", text(custom.remedy.trim()));
    let rows = parameters(metadata);
    if !rows.is_empty() {
        page.push_str(".SH PARAMETERS\n");
    }
    for [name, kind, default, meaning] in rows {
        let default = if default.is_empty() { default } else { format!(", default {default}") };
        let _ = write!(
            page,
            ".TP\n.BR {} \" ({})\"\n{}\n",
            text(&name),
            text(&(kind + &default)).replace('"', "\\(dq"),
            text(&meaning)
        );
    }
    page
}

/// Text in which no character and no beginning of a line is a command.
fn text(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let guarded = |line: &str| {
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        format!("{guard}{line}")
    };
    text.lines()
        .map(|line| if line.is_empty() { ".PP".to_owned() } else { guarded(line) })
        .collect::<Vec<_>>()
        .join("\n")
}
