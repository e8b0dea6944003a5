//! Standard output, where results go. Nobody may be there to read them any more, or the disk be full: the first failure is
//! kept, what follows is dropped, and the work itself goes on.

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

use crate::error::{Error, Result};

/// The first failure of standard output, of which a process has one.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Writes `text` and the end of the line, without colours where nobody sees them.
pub(super) fn line(text: fmt::Arguments<'_>) {
    if FAILED.get().is_some() {
        return;
    }
    let mut stdout = anstream::stdout().lock();
    if let Err(error) = writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        // another thread's failure may be the first, and says the same
        let _ = FAILED.set(error);
    }
}

/// Whether all results got through to standard output. A reader who has gone wanted no more: that is no failure.
///
/// # Errors
/// Usage: it cannot be written to.
pub fn delivered() -> Result<()> {
    match FAILED.get() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::usage(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
