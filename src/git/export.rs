//! A commit as files on disk, without a checkout: what a build gets to see.

use std::path::Path;

use git2::{ObjectType, Oid};

use super::{Commit, Repository, failed};
use crate::error::{Error, Result};

const EXECUTABLE: i32 = 0o100755;
const SYMLINK: i32 = 0o120000;

impl Repository {
    /// Writes the files of `commit` into the empty directory `to`: modes and symlinks as they are, submodules at their
    /// recorded commits.
    ///
    /// # Errors
    ///
    /// Usage: a file or submodule is not in this clone, or the disk is full.
    pub fn export(&self, commit: Commit, to: &Path) -> Result<()> {
        write_tree(&self.inner, commit.tree, to, "")
    }
}

fn write_tree(repository: &git2::Repository, tree: Oid, to: &Path, prefix: &str) -> Result<()> {
    let tree =
        repository.find_tree(tree).map_err(|error| failed(format!("cannot read the tree of /{prefix}"), error))?;
    for entry in &tree {
        let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
        let (path, place) = (format!("{prefix}{name}"), to.join(&name));
        let cannot = |error: std::io::Error| Error::usage(format!("cannot write {}: {error}", place.display()));
        match entry.kind() {
            Some(ObjectType::Tree) => {
                std::fs::create_dir(&place).map_err(cannot)?;
                write_tree(repository, entry.id(), &place, &format!("{path}/"))?;
            }
            Some(ObjectType::Commit) => {
                std::fs::create_dir(&place).map_err(cannot)?;
                write_submodule(repository, entry.id(), &place, &path)?;
            }
            _ => {
                let blob = repository.find_blob(entry.id());
                let blob =
                    blob.map_err(|error| failed(format!("cannot read {path}"), error).hint(super::MISSING_BLOB))?;
                write_file(&place, blob.content(), entry.filemode()).map_err(cannot)?;
            }
        }
    }
    Ok(())
}

fn write_submodule(repository: &git2::Repository, commit: Oid, to: &Path, path: &str) -> Result<()> {
    let find = || {
        let inner = repository.find_submodule(path)?.open()?;
        let tree = inner.find_commit(commit)?.tree_id();
        Ok::<_, git2::Error>((inner, tree))
    };
    let (inner, tree) = find().map_err(|error| {
        failed(format!("submodule {path} is not here at its recorded commit {commit}"), error)
            .hint("git submodule update --init --recursive")
    })?;
    write_tree(&inner, tree, to, "")
}

#[cfg(unix)]
fn write_file(place: &Path, content: &[u8], mode: i32) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    if mode == SYMLINK {
        return std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(content), place);
    }
    std::fs::write(place, content)?;
    let permissions = if mode == EXECUTABLE { 0o755 } else { 0o644 };
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(permissions))
}

#[cfg(not(unix))]
fn write_file(place: &Path, content: &[u8], _mode: i32) -> std::io::Result<()> {
    std::fs::write(place, content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) {
        let identity =
            ["-c", "user.name=A Person", "-c", "user.email=person@example.com", "-c", "protocol.file.allow=always"];
        let status = std::process::Command::new("git").current_dir(directory).args(identity).args(arguments).status();
        assert!(status.unwrap().success(), "git {arguments:?}");
    }

    #[test]
    fn an_export_has_modes_symlinks_and_submodules_and_no_uncommitted_work() {
        let root = tempfile::tempdir().unwrap();
        let (inner, outer, out) = (root.path().join("inner"), root.path().join("outer"), root.path().join("out"));
        for directory in [&inner, &outer, &out] {
            std::fs::create_dir(directory).unwrap();
        }
        git(&inner, &["init", "--quiet"]);
        std::fs::write(inner.join("a"), "inner").unwrap();
        git(&inner, &["add", "."]);
        git(&inner, &["commit", "--quiet", "--message", "x"]);
        git(&outer, &["init", "--quiet"]);
        std::fs::create_dir(outer.join("d")).unwrap();
        std::fs::write(outer.join("d/run.sh"), "#!/bin/sh\r\n").unwrap();
        std::fs::set_permissions(outer.join("d/run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
        symlink("d/run.sh", outer.join("link")).unwrap();
        git(&outer, &["submodule", "--quiet", "add", inner.to_str().unwrap(), "sub"]);
        git(&outer, &["add", "."]);
        git(&outer, &["commit", "--quiet", "--message", "x"]);
        std::fs::write(outer.join("d/run.sh"), "changed").unwrap();
        std::fs::write(outer.join("untracked"), "x").unwrap();

        let repository = Repository::open(&outer).unwrap();
        repository.export(repository.resolve("HEAD").unwrap(), &out).unwrap();
        assert_eq!(std::fs::read_to_string(out.join("d/run.sh")).unwrap(), "#!/bin/sh\r\n");
        assert_eq!(out.join("d/run.sh").metadata().unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(std::fs::read_link(out.join("link")).unwrap(), Path::new("d/run.sh"));
        assert_eq!(std::fs::read_to_string(out.join("sub/a")).unwrap(), "inner");
        assert!(!out.join("untracked").exists());
    }
}
