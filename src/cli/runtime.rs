//! Where asynchronous work runs, and what an interrupt does to it.

use std::future::Future;
use std::io;
use std::process::exit;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::{Error, Kind, Result};

/// How long work may take to hear of an interrupt: what is blocking does not hear it.
const HEARING: Duration = Duration::from_secs(2);

/// Runs `work` to its end.
///
/// On SIGINT or SIGTERM the work is dropped, which ends the processes that it started (they are in groups of their own
/// and hear nothing of a terminal's Ctrl-C).
///
/// # Errors
/// Those of `work`, a signal, and a machine that gives no threads.
pub fn wait_for<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let cannot = |error: io::Error| Error::usage(format!("cannot start: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(cannot)?;
    let (stop, stopped) = oneshot::channel();
    // from here on no signal goes unheard
    let signals = runtime.block_on(async { Signals::listen() }).map_err(cannot)?;
    runtime.spawn(async move {
        let kind = signals.next().await;
        // nobody listens any more: the work is done
        let _done = stop.send(kind);
        tokio::time::sleep(HEARING).await;
        exit(i32::from(kind.exit_code()))
    });
    let outcome = runtime.block_on(async {
        tokio::select! {
            result = work => result,
            Ok(kind) = stopped => Err(Error::stopped(kind)),
        }
    });
    // a name that is still being looked up is not waited for
    runtime.shutdown_background();
    outcome
}

/// The signals that ask the program to stop.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one of them.
    async fn next(mut self) -> Kind {
        tokio::select! {
            _ = self.interrupt.recv() => Kind::Interrupted,
            _ = self.terminate.recv() => Kind::Terminated,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Signals)
    }

    async fn next(self) -> Kind {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Kind::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}
