//! Talk with a server, on a thread that may be left behind. libgit2 can wait for ever, and its own limits hold for one
//! read each and for the whole process.
//!
//! A fetch that was given up only adds objects to the database: references are moved by who waits for it. A push that was
//! given up may still arrive, as with any connection that breaks off; the next run sees it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use git2::{ErrorClass, ErrorCode};

/// How long to wait for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// For all of it together.
    Total(Duration),
    /// For its next sign of life.
    Silence(Duration),
}

/// When the server was last heard of.
#[derive(Clone)]
pub(super) struct Pulse(Arc<Mutex<Instant>>);

impl Pulse {
    fn new() -> Self {
        Pulse(Arc::new(Mutex::new(Instant::now())))
    }

    /// The server was heard of.
    pub(super) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work` with a handle of its own on the repository at `path`, and waits as long as `patience` lasts.
pub(super) fn run<T: Send + 'static>(
    path: &Path,
    patience: Patience,
    work: impl FnOnce(&git2::Repository, &Pulse) -> Result<T, git2::Error> + Send + 'static,
) -> Result<T, git2::Error> {
    let path = path.to_owned();
    let pulse = Pulse::new();
    let start = pulse.last();
    let (sender, receiver) = mpsc::channel();
    let worker = std::thread::Builder::new().name("git".into()).spawn({
        let pulse = pulse.clone();
        move || {
            let result = git2::Repository::open(&path).and_then(|repository| work(&repository, &pulse));
            // nobody listens any more where the wait is over
            let _ = sender.send(result);
        }
    });
    worker.map_err(|error| git2::Error::from_str(&format!("cannot start a thread: {error}")))?;
    loop {
        let (deadline, limit) = match patience {
            Patience::Total(limit) => (start + limit, limit),
            Patience::Silence(limit) => (pulse.last() + limit, limit),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(result) => return result,
            Err(mpsc::RecvTimeoutError::Timeout) if !left.is_zero() => {}
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let message = format!("no answer within {} seconds", limit.as_secs());
                return Err(git2::Error::new(ErrorCode::Timeout, ErrorClass::Net, message));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(git2::Error::from_str("the thread that talks to the server has stopped"));
            }
        }
    }
}
