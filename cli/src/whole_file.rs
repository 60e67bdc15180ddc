//! Writing a file whole: a reader sees the old text or the new, never half of it.

use std::fs::Permissions;
use std::path::Path;

/// Puts `content` into the file at `path`, which is made if it is not there. A link stays a link, and permissions
/// stay as they are.
///
/// # Errors
/// If the folder cannot be written to; the file is then as it was.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> std::io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let permissions: Option<Permissions> = std::fs::metadata(&target).ok().map(|known| known.permissions());
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = target.with_file_name(format!(".{name}.{}.wayguard", std::process::id()));
    let written = std::fs::write(&beside, content)
        .and_then(|()| {
            permissions.map_or(Ok(()), |permissions| std::fs::set_permissions(&beside, permissions))
        })
        .and_then(|()| std::fs::rename(&beside, &target));
    written.inspect_err(|_| {
        // The error that is reported is the first one.
        let _ = std::fs::remove_file(&beside);
    })
}
