//! `--fix`: what admission would fill in, written into the files themselves. Only text is inserted, replaced or
//! cut at known places, so comments and layout stay. What comes out is read again and must be exactly the
//! objects that admission would make; else the file is left as it is and the patch is shown instead.

mod edit;
mod render;
mod spots;

use super::judge::Judged;
use super::report::Checked;
use crate::exit::{Failure, io_reason};
use crate::input::{FoundObject, TextFile, objects};
use crate::judging::patched;
use crate::output::{Output, PLACE, styled};
use wayguard_engine::value::{Document, PatchOperation};

/// Writes the patches into the files; whether any file was changed.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write(judged: &Judged, files: &[TextFile], out: &mut Output) -> Result<bool, Failure> {
    let mut changed = false;
    for (index, file) in files.iter().enumerate() {
        let wanted = wanted(judged, index);
        let count: usize = wanted.iter().map(|(_, checked)| checked.patch.len()).sum();
        let (Some(path), true) = (&file.path, count > 0) else { continue };
        match fixed(file, &wanted) {
            Ok(text) => {
                crate::whole_file::write(path, &text).map_err(|error| {
                    Failure::Ours(format!("cannot write `{}`: {}", path.display(), io_reason(&error)))
                })?;
                let changes = if count == 1 { "1 change".to_owned() } else { format!("{count} changes") };
                out.talk(format_args!("{}: {changes} written", styled(PLACE, &file.name)));
                changed = true;
            }
            Err(reason) => {
                out.note(format_args!(
                    "{}: left as it is, because {reason}; apply this patch (RFC 6902) by hand:",
                    file.name
                ));
                for (_, checked) in &wanted {
                    out.talk(format_args!("# {}", checked.object));
                    let patch = serde_json::to_string_pretty(&checked.patch).unwrap_or_default();
                    out.talk(patch);
                }
            }
        }
    }
    Ok(changed)
}

/// The objects of one file that are to be changed.
fn wanted(judged: &Judged, file_index: usize) -> Vec<(&FoundObject, &Checked)> {
    // Results of objects come first and in the objects' order; those of unreadable files follow.
    let pairs = judged.objects.iter().zip(&judged.report.results);
    pairs.filter(|(object, checked)| object.file_index == file_index && !checked.patch.is_empty()).collect()
}

/// The file's new text.
fn fixed(file: &TextFile, wanted: &[(&FoundObject, &Checked)]) -> Result<String, String> {
    let mut text = file.text.clone();
    for (object, checked) in wanted {
        for operation in &checked.patch {
            let path = format!("{}{}", object.prefix, operation.path());
            text = edit::apply(&text, object.document_index, &path, operation)?;
        }
    }
    verify(file, &text, wanted)?;
    Ok(text)
}

/// Reads the new text and compares every object with what it must be.
fn verify(file: &TextFile, text: &str, wanted: &[(&FoundObject, &Checked)]) -> Result<(), String> {
    let read = |text: &str| objects(&[TextFile { text: text.to_owned(), ..file.clone() }]).0;
    let (before, after) = (read(&file.text), read(text));
    let differs =
        "the result would not be what admission makes of it (anchors, or a layout that is not understood)";
    if before.len() != after.len() {
        return Err(differs.to_owned());
    }
    let key = |object: &FoundObject| (object.document_index, object.prefix.clone());
    for (old, new) in before.iter().zip(&after) {
        let patch =
            wanted.iter().find(|(object, _)| key(object) == key(old)).map(|(_, checked)| &checked.patch);
        let expected = expected(old, patch.map(Vec::as_slice).unwrap_or_default())?;
        if key(old) != key(new) || expected.value() != new.value() {
            return Err(differs.to_owned());
        }
    }
    Ok(())
}

fn expected(object: &FoundObject, patch: &[PatchOperation]) -> Result<Document, String> {
    patched(object.value(), patch)
}
