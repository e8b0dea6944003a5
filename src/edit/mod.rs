//! Sites into edits.
