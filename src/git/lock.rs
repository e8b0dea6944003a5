//! Waiting for another git process that writes the same reference. git itself waits a moment (`core.filesRefLockTimeout`);
//! libgit2 gives up at once.

use std::time::{Duration, Instant};

use git2::ErrorCode;

/// A reference is written in milliseconds; a lock that is older was left by a process that died.
pub(super) const LIMIT: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// Runs `write` again as long as another process holds the lock or was quicker, until `limit` is over.
pub(super) fn wait<T>(limit: Duration, mut write: impl FnMut() -> Result<T, git2::Error>) -> Result<T, git2::Error> {
    let (start, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match write() {
            Err(error) if is_busy(&error) && start.elapsed() < limit => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(limit / 10);
            }
            done => return done,
        }
    }
}

fn is_busy(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::Locked | ErrorCode::Modified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::{Error, ErrorClass};

    fn locked() -> Error {
        Error::new(ErrorCode::Locked, ErrorClass::Os, "failed to create locked file")
    }

    #[test]
    fn a_lock_is_waited_for_and_nothing_else_is() {
        let mut answers = vec![Ok(7), Err(locked()), Err(locked())];
        assert_eq!(wait(LIMIT, || answers.pop().unwrap()).unwrap(), 7);
        let mut calls = 0;
        let other = wait(LIMIT, || -> Result<(), Error> {
            calls += 1;
            Err(Error::from_str("no space left on device"))
        });
        assert_eq!((other.unwrap_err().code(), calls), (ErrorCode::GenericError, 1));
    }

    #[test]
    fn what_libgit2_says_of_a_reference_that_another_process_writes_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init_bare(directory.path()).unwrap();
        let tree = repository.treebuilder(None).unwrap().write().unwrap();
        let lock = directory.path().join("refs/heads/main.lock");
        std::fs::write(&lock, "").unwrap();
        let mut calls = 0;
        wait(LIMIT, || {
            calls += 1;
            if calls == 3 {
                std::fs::remove_file(&lock).unwrap();
            }
            let author = git2::Signature::now("GraphScope Bot", "bot@example.com")?;
            repository.commit(Some("refs/heads/main"), &author, &author, "", &repository.find_tree(tree)?, &[])
        })
        .unwrap();
        assert_eq!(calls, 3);
    }

    #[test]
    fn a_lock_that_a_dead_process_left_is_an_error_in_the_end() {
        let limit = Duration::from_millis(30);
        assert_eq!(wait(limit, || Err::<(), _>(locked())).unwrap_err().code(), ErrorCode::Locked);
    }
}
