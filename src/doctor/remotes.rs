//! The right to push to the registry, and what GitHub lets the token do.

use futures_util::future::join_all;

use super::{Check, Needs};
use crate::config::RepositoryName;
use crate::github::{self, Answer, GitHub, Rights};
use crate::registry::Registry;

/// Where pull requests go, and who asks.
pub struct Home<'a> {
    /// Its repository.
    pub repository: RepositoryName,
    /// How GitHub is reached.
    pub settings: &'a github::Settings,
    /// What the pull requests need.
    pub needs: github::Needs,
    /// Whether nothing works without GitHub.
    pub needed: bool,
}

/// One check for each registry host: the right to push to all of its repositories.
pub(super) async fn push(needs: &Needs<'_>, registry: &dyn Registry) -> Vec<Check> {
    let answers = needs.repositories.iter().map(async |one| (one, registry.check_push(one).await));
    let answers = join_all(answers).await;
    let mut hosts: Vec<&str> = needs.repositories.iter().map(|one| one.registry()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let judge = |host: &str| {
        let about = format!("push to {host}");
        let here: Vec<_> = answers.iter().filter(|(one, _)| one.registry() == host).collect();
        let failures: Vec<_> = here.iter().filter_map(|(_, answer)| answer.as_ref().err()).collect();
        let Some(first) = failures.first() else {
            let detail = match &here[..] {
                [(only, _)] => format!("allowed in {}", only.path()),
                all => format!("allowed in all {} repositories", all.len()),
            };
            return Check::ok(about, needs.builds_here, detail);
        };
        let more = match failures.len() {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        let check = Check::missing(about, needs.builds_here, format!("{}{more}", first.message));
        match first.hints.first() {
            Some(hint) => check.remedy(hint),
            None => check,
        }
    };
    hosts.into_iter().map(judge).collect()
}

/// What GitHub says of the token.
pub(super) async fn github(home: Option<&Home<'_>>) -> Vec<Check> {
    let Some(home) = home else { return Vec::new() };
    let preflight = async {
        let github = GitHub::connect(home.settings, &home.repository, &Rights::look()).await?;
        github.preflight(&home.repository, &home.needs).await
    };
    let preflight = match preflight.await {
        Ok(preflight) => preflight,
        Err(error) => {
            let check = Check::unknown("GitHub", home.needed, error.message);
            return vec![match error.hints.into_iter().next() {
                Some(hint) => check.remedy(hint),
                None => check,
            }];
        }
    };
    let judge = |check: github::Check| {
        let found = match check.answer {
            Answer::Yes => Check::ok(check.about, home.needed, check.reason),
            Answer::No => Check::missing(check.about, home.needed, check.reason),
            Answer::Unknown => Check::unknown(check.about, home.needed, check.reason),
        };
        match check.remedy {
            Some(remedy) => found.remedy(remedy),
            None => found,
        }
    };
    preflight.checks.into_iter().map(judge).collect()
}
