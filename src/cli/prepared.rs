//! What the commands about images begin with: the config and the graph of a commit, and what the registry has of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Global;
use super::place::Place;
use super::remotes;
use crate::build::{BuildPlan, Desired, Observed};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::git::{Commit, Repository};
use crate::github::Settings;
use crate::image::Fingerprint;
use crate::registry::{ImageRef, Limits, OciRegistry, docker_config_dir};

/// What `plan`, `status` and `verify` look at.
#[derive(Debug, clap::Args)]
pub struct Look {
    /// The commit to look at.
    #[arg(long = "ref", value_name = "REF", default_value = "HEAD")]
    pub reference: String,
}

/// Everything that was read before anything is done.
pub struct Prepared {
    pub repository: Repository,
    pub commit: Commit,
    pub config: Config,
    pub desired: Desired,
    pub registry: OciRegistry,
    pub observed: Observed,
}

/// A registry that does not answer is something to show, and a person waits for it.
const IMPATIENT: Limits = Limits {
    connect: Duration::from_secs(5),
    request: Duration::from_secs(10),
    overall: Duration::from_secs(15),
    attempts: 2,
    backoff: Duration::from_millis(400),
    concurrent: 8,
};

/// Reads the config of the commit, and looks at the registry. `rebuild` are images that are not kept as they are.
///
/// Where something has to be built, the registry is also asked whether it has what published indexes list; where all is
/// current, their annotations are believed, for one request a tag.
pub async fn prepare(global: &Global, look: &Look, rebuild: &[String]) -> Result<Prepared> {
    let mut survey = Survey::new(global, look, rebuild, Limits::default()).await?;
    survey.observed = Observed::look(&survey.registry, survey.tags()?).await?;
    survey.settle()?;
    let plan = BuildPlan::new(&survey.desired, &survey.observed, &BTreeSet::new())?;
    if !(plan.is_settled() && rebuild.is_empty()) {
        survey.look_inside().await?;
    }
    Ok(survey.into())
}

/// As [`prepare`], and always looks behind the indexes: with what of them is gone, in words.
pub async fn prepare_in_full(global: &Global, look: &Look) -> Result<(Prepared, Vec<String>)> {
    let mut survey = Survey::new(global, look, &[], Limits::default()).await?;
    survey.observed = Observed::look(&survey.registry, survey.tags()?).await?;
    let gone = survey.look_inside().await?;
    Ok((survey.into(), gone))
}

/// As [`prepare`], but a registry that fails is no failure: it is given beside what is known all the same.
pub async fn prepare_what_is_known(global: &Global, look: &Look) -> Result<(Prepared, Option<Error>)> {
    let mut survey = Survey::new(global, look, &[], IMPATIENT).await?;
    let (observed, failure) = Observed::look_at_each(&survey.registry, survey.tags()?).await;
    survey.observed = observed;
    survey.settle()?;
    Ok((survey.into(), failure))
}

/// What was read so far.
struct Survey<'a> {
    global: &'a Global,
    repository: Repository,
    commit: Commit,
    place: Place,
    desired: Desired,
    registry: OciRegistry,
    observed: Observed,
    /// Images that are not kept as they are.
    again: BTreeSet<usize>,
    /// Those that are, which [`Survey::desired`] takes into account.
    kept: BTreeMap<usize, Fingerprint>,
}

impl<'a> Survey<'a> {
    async fn new(global: &'a Global, look: &Look, rebuild: &[String], limits: Limits) -> Result<Self> {
        let repository = Repository::open(&global.directory)?;
        let commit = resolve(global, &repository, &look.reference).await?;
        let place = Place::read(global, &repository, Some(commit))?;
        let kept = BTreeMap::new();
        let desired = place.desired(&repository, commit, global.registry.as_deref(), &kept)?;
        let mut again = BTreeSet::new();
        for name in rebuild {
            let index = desired.image(name)?;
            again.insert(index);
            again.extend(desired.graph.dependants(index));
        }
        let registry = OciRegistry::new(docker_config_dir(), limits)?;
        let observed = Observed::default();
        Ok(Survey { global, repository, commit, place, desired, registry, observed, again, kept })
    }

    fn tags(&self) -> Result<Vec<ImageRef>> {
        let tags = self.desired.images.iter().map(|image| image.releases()).collect::<Result<Vec<_>>>()?.concat();
        self.global.detail(&format!("looking at {} tags", tags.len()));
        Ok(tags)
    }

    /// Takes what is kept as it was published into account. What an image is built on may be kept, which may be why the
    /// image itself is not; from base to top it settles.
    fn settle(&mut self) -> Result<()> {
        loop {
            let mut found = self.observed.kept(&self.desired)?;
            found.retain(|index, _| !self.again.contains(index));
            if found == self.kept {
                return Ok(());
            }
            self.kept = found;
            let registry = self.global.registry.as_deref();
            self.desired = self.place.desired(&self.repository, self.commit, registry, &self.kept)?;
        }
    }

    async fn look_inside(&mut self) -> Result<Vec<String>> {
        let gone = self.observed.look_inside(&self.registry, &self.desired).await?;
        self.settle()?;
        Ok(gone)
    }
}

impl From<Survey<'_>> for Prepared {
    fn from(survey: Survey<'_>) -> Self {
        let Survey { repository, commit, place, desired, registry, observed, .. } = survey;
        Prepared { repository, commit, config: place.config, desired, registry, observed }
    }
}

/// The commit that `reference` names here, else the head of the remote's branch of that name: a bump that was pushed has no
/// local branch.
async fn resolve(global: &Global, repository: &Repository, reference: &str) -> Result<Commit> {
    let unknown = match repository.resolve(reference) {
        Ok(commit) => return Ok(commit),
        Err(error) => error,
    };
    let settings = Settings::from_process()?;
    let Some(remote) = repository.remote_for(None, &settings.server_url)? else { return Err(unknown) };
    global.detail(&format!("looking for {reference} at {}", remote.url()));
    let auth = remotes::reading(&settings, &remote, remotes::PATIENT).await;
    repository.fetch(&remote, &[reference], &auth, remotes::PATIENT)?;
    repository.tip(&remote.tracking(reference))?.ok_or(unknown)
}
