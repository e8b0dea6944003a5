//! The shape of `release.yaml`.
