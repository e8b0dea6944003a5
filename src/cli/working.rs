//! Files of the working tree, for the commands that edit them.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// The content of the regular file at `path` under `root`.
///
/// # Errors
/// Refused: it is not there, no regular file, or behind a symlink.
pub fn read_regular(root: &Path, path: &str) -> Result<Vec<u8>> {
    let file = root.join(path);
    let directories = Path::new(path).ancestors().skip(1).map(|directory| root.join(directory));
    let outside = directories.take_while(|directory| directory != root).find(|directory| directory.is_symlink());
    if let Some(link) = outside {
        let error = Error::refused(format!("cannot edit {path}: {} is a symlink", link.display()));
        return Err(error.hint("bring the directory back, or edit no working files"));
    }
    let found = std::fs::symlink_metadata(&file).and_then(|meta| match meta.is_file() {
        true => std::fs::read(&file),
        false => Err(std::io::Error::other("not a regular file")),
    });
    found.map_err(|error| {
        Error::refused(format!("cannot edit {path}: {error}")).hint("bring the file back, or edit no working files")
    })
}

/// Puts each content into its file, permissions as they are: every new content is ready beside its file before the first
/// file is replaced.
///
/// # Errors
/// Usage: a file cannot be written. None has changed then, unless a replacement itself fails.
pub fn write_all<'c>(contents: impl Iterator<Item = (PathBuf, &'c [u8])>) -> Result<()> {
    let failed =
        |file: &Path, error: &std::io::Error| Error::usage(format!("cannot write {}: {error}", file.display()));
    let ready = contents
        .map(|(file, content)| prepare(&file, content).map_err(|error| failed(&file, &error)).map(|temp| (file, temp)))
        .collect::<Result<Vec<_>>>()?;
    for (file, temporary) in ready {
        temporary.persist(&file).map_err(|error| {
            failed(&file, &error.error).hint("files before it are changed; the same command does the rest")
        })?;
    }
    Ok(())
}

/// A temporary file with `content` beside `file`, so that a rename can put it there. It goes away if it is dropped.
fn prepare(file: &Path, content: &[u8]) -> std::io::Result<NamedTempFile> {
    // a rename would replace a write-protected file too
    let permissions = OpenOptions::new().write(true).open(file)?.metadata()?.permissions();
    let directory = file.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".gs-release-").tempfile_in(directory)?;
    temporary.write_all(content)?;
    temporary.as_file().set_permissions(permissions)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_all_as_they_were() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("first"), "old").unwrap();
        fs::write(at("last"), "old").unwrap();
        let contents = ["first", "absent/middle", "last"].map(|name| (at(name), &b"new"[..]));
        let error = write_all(contents.into_iter()).unwrap_err();
        assert!(error.message.contains("absent/middle"), "{}", error.message);
        assert_eq!(fs::read(at("first")).unwrap(), b"old");
        assert_eq!(fs::read(at("last")).unwrap(), b"old");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2, "nothing else is left there");
    }

    #[test]
    fn no_symlink_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::create_dir_all(elsewhere.path().join("deep")).unwrap();
        fs::write(elsewhere.path().join("deep/file"), "theirs").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("link")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("deep/file"), root.path().join("file")).unwrap();
        fs::create_dir_all(root.path().join("real/deep")).unwrap();
        fs::write(root.path().join("real/deep/file"), "ours").unwrap();
        for path in ["link/deep/file", "file"] {
            assert_eq!(read_regular(root.path(), path).unwrap_err().kind.exit_code(), 3, "{path}");
        }
        assert_eq!(read_regular(root.path(), "real/deep/file").unwrap(), b"ours");
    }

    #[test]
    fn a_written_file_keeps_its_permissions() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("run.sh");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o754)).unwrap();
        write_all(std::iter::once((file.clone(), &b"new"[..]))).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o754);
    }
}
