//! Where asynchronous work runs, and what an interrupt does to it.

use std::future::Future;
use std::process::exit;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// How long work may take to hear of an interrupt: what is blocking does not hear it.
const HEARING: Duration = Duration::from_secs(2);

/// Runs `work` to its end.
///
/// On SIGINT or SIGTERM the work is dropped, which ends the processes that it started (they are in groups of their own
/// and hear nothing of a terminal's Ctrl-C); the program then exits with 128 and the signal's number, as shells do.
///
/// # Errors
/// Those of `work`, and a machine that gives no threads.
pub fn wait_for<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::usage(format!("cannot start: {error}")))?;
    let (stop, stopped) = oneshot::channel();
    runtime.spawn(async move {
        let code = 128 + signal().await;
        // nobody listens any more: the work is done
        let _done = stop.send(code);
        tokio::time::sleep(HEARING).await;
        exit(code)
    });
    let outcome = runtime.block_on(async {
        tokio::select! {
            result = work => Ok(result),
            Ok(code) = stopped => Err(code),
        }
    });
    // a name that is still being looked up is not waited for
    runtime.shutdown_background();
    outcome.unwrap_or_else(|code| exit(code))
}

/// Waits for a signal that asks the program to stop, and gives its number.
#[cfg(unix)]
async fn signal() -> i32 {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = async |kind: SignalKind| {
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            // it cannot be listened to: it ends the program by itself
            Err(_) => std::future::pending().await,
        }
        kind.as_raw_value()
    };
    tokio::select! {
        number = wait(SignalKind::interrupt()) => number,
        number = wait(SignalKind::terminate()) => number,
    }
}

#[cfg(not(unix))]
async fn signal() -> i32 {
    match tokio::signal::ctrl_c().await {
        Ok(()) => 2,
        Err(_) => std::future::pending().await,
    }
}
