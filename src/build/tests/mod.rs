//! Runs over a registry in memory, with an engine that builds in no time and fails on demand.

mod holes;
mod plans;
mod tags;
mod tiers;
mod workshop;
