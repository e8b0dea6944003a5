//! `v{vineyard}`.

/// A text with places for component versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template;
