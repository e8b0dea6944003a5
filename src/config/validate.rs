//! The rules of `release.yaml`.
