//! Where versions are written in a repository that nobody has described yet, and whose they are.
//!
//! Evidence decides, never a list of known paths: what names the number (`role`), what that is called (`names`), in what
//! kind of file it stands (`kind`). Nothing here writes or asks a remote.
//!
//! - [`mention::judge`] judges one number on one line, for whoever has found it.

pub mod kind;
pub mod mention;
pub mod names;
pub mod role;
