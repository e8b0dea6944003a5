//! Files of the working tree, for the commands that edit them.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The content of the regular file at `path` under `root`.
///
/// # Errors
/// Refused: it is not there, or no regular file.
pub fn read_regular(root: &Path, path: &str) -> Result<Vec<u8>> {
    let file = root.join(path);
    let found = std::fs::symlink_metadata(&file).and_then(|meta| match meta.is_file() {
        true => std::fs::read(&file),
        false => Err(std::io::Error::other("not a regular file")),
    });
    found.map_err(|error| {
        Error::refused(format!("cannot edit {path}: {error}")).hint("bring the file back, or edit no working files")
    })
}

/// Writes each content into its file, permissions as they are.
///
/// # Errors
/// Usage: a file cannot be written.
pub fn write_all<'c>(contents: impl Iterator<Item = (PathBuf, &'c [u8])>) -> Result<()> {
    for (file, content) in contents {
        std::fs::write(&file, content)
            .map_err(|error| Error::usage(format!("cannot write {}: {error}", file.display())))?;
    }
    Ok(())
}
