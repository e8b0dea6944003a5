//! What is published: the state of each image, from its index alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::BuildPlan;
use super::annotations;
use super::desired::{Desired, Wanted};
use crate::error::{Error, Result};
use crate::image::{Fingerprint, diff};
use crate::registry::{ImageRef, Part, Registry, TagState, gone, tag_state, usual_spelling};

/// Questions to the registry at the same time.
const AT_ONCE: usize = 16;

/// What tags hold.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// `None` is a tag that does not exist.
    tags: HashMap<ImageRef, Option<TagState>>,
    /// Tags that the registry said nothing about.
    unanswered: HashSet<ImageRef>,
}

/// The state of an image, or of one of its tags.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// Every platform is there, made from these inputs.
    Current,
    /// It is made from other inputs, and stays so.
    Kept {
        /// What has changed.
        reasons: Vec<String>,
    },
    /// It is made from other inputs.
    Stale {
        /// What has changed.
        reasons: Vec<String>,
    },
    /// Platforms are missing.
    Incomplete {
        /// Which.
        absent: Vec<String>,
    },
    /// It is not there.
    Missing,
    /// The registry did not answer.
    Unknown,
}

impl State {
    /// Whether nothing has to be done about it.
    pub fn is_settled(&self) -> bool {
        matches!(self, State::Current | State::Kept { .. })
    }

    /// How bad it is, for taking the worst of several tags.
    fn rank(&self) -> u8 {
        match self {
            State::Current => 0,
            State::Kept { .. } => 1,
            State::Stale { .. } => 2,
            State::Incomplete { .. } => 3,
            State::Missing => 4,
            State::Unknown => 5,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            State::Current => f.write_str("current"),
            State::Missing => f.write_str("missing"),
            State::Unknown => f.write_str("unknown: the registry could not be asked"),
            State::Kept { reasons } => write!(f, "stale (kept): {}", reasons.join(", ")),
            State::Stale { reasons } => write!(f, "stale: {}", reasons.join(", ")),
            State::Incomplete { absent } => write!(f, "incomplete: {} is absent", absent.join(", ")),
        }
    }
}

/// What is to be built of `desired`. As soon as anything is, indexes are looked behind: a run that builds on one does it, too.
///
/// # Errors
/// Remote.
pub async fn plan(registry: &dyn Registry, desired: &Desired) -> Result<BuildPlan> {
    let tags = desired.images.iter().map(Wanted::releases).collect::<Result<Vec<_>>>()?.concat();
    let mut observed = Observed::look(registry, tags).await?;
    let plan = BuildPlan::new(desired, &observed, &BTreeSet::new())?;
    if plan.is_settled() {
        return Ok(plan);
    }
    observed.look_inside(registry, desired).await?;
    BuildPlan::new(desired, &observed, &BTreeSet::new())
}

impl Observed {
    /// Looks at `images`: one request for each tag that is an index.
    ///
    /// # Errors
    /// Remote.
    pub async fn look(registry: &dyn Registry, images: impl IntoIterator<Item = ImageRef>) -> Result<Self> {
        let asked = images.into_iter().map(async |image: ImageRef| {
            let state = tag_state(registry, &image).await?;
            Ok::<_, Error>((image, state))
        });
        let tags = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(Observed { tags, unanswered: HashSet::new() })
    }

    /// Looks at `images` as [`Observed::look`] does, and goes on where the registry fails: with the first failure.
    pub async fn look_at_each(
        registry: &dyn Registry,
        images: impl IntoIterator<Item = ImageRef>,
    ) -> (Self, Option<Error>) {
        let asked = images.into_iter().map(async |image: ImageRef| (tag_state(registry, &image).await, image));
        let answers: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let (mut observed, mut first) = (Observed::default(), None);
        for (answer, image) in answers {
            match answer {
                Ok(state) => drop(observed.tags.insert(image, state)),
                Err(error) => {
                    observed.unanswered.insert(image);
                    first = first.or(Some(error));
                }
            }
        }
        (observed, first)
    }

    /// What `image` holds.
    pub fn get(&self, image: &ImageRef) -> Option<&TagState> {
        self.tags.get(image).and_then(Option::as_ref)
    }

    /// Looks behind the indexes of `desired`, one request for each manifest that they list. A platform of which something was
    /// deleted counts as absent from now on. Gives what is gone, in words.
    ///
    /// # Errors
    /// Remote.
    pub async fn look_inside(&mut self, registry: &dyn Registry, desired: &Desired) -> Result<Vec<String>> {
        let mut tags = Vec::new();
        for wanted in &desired.images {
            tags.extend(wanted.releases()?.into_iter().map(|tag| (&*wanted.name, tag)));
        }
        tags.retain(|(_, tag)| self.get(tag).is_some());
        let looks = tags.into_iter().map(async |(name, tag): (&str, ImageRef)| {
            let gone = match self.get(&tag) {
                Some(state) => gone(registry, &tag.repository, state).await?,
                None => Vec::new(),
            };
            Ok::<_, Error>((name.to_owned(), tag, gone))
        });
        let found: Vec<_> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        let mut told = Vec::new();
        for (name, tag, gone) in found {
            told.extend(gone.iter().map(|part| {
                let part = tag.repository.digest(&part.digest);
                format!("{tag} lists {part}, which is gone: `gs-release build --engine buildx --rebuild {name}` makes it anew")
            }));
            if let Some(Some(state)) = self.tags.get_mut(&tag) {
                forget(state, &gone);
            }
        }
        Ok(told)
    }

    /// The images of `desired` that stay as they were published, with the fingerprints of that. What gs-release did not build
    /// has its digest for one: it changes with the image, too.
    ///
    /// # Errors
    /// As [`Observed::state`].
    pub fn kept(&self, desired: &Desired) -> Result<BTreeMap<usize, Fingerprint>> {
        let mut kept = BTreeMap::new();
        for (index, wanted) in desired.images.iter().enumerate() {
            if !matches!(self.state(desired, wanted)?, State::Kept { .. }) {
                continue;
            }
            let tag = wanted.releases()?.into_iter().find_map(|tag| self.get(&tag));
            let fingerprint = tag.and_then(|tag| {
                let digest = tag.digest.as_str().strip_prefix("sha256:");
                annotations::inputs(&tag.annotations).or_else(|| Fingerprint::parse(&format!("v1:{}", digest?)))
            });
            kept.extend(fingerprint.map(|fingerprint| (index, fingerprint)));
        }
        Ok(kept)
    }

    /// The state of `wanted`: that of the worst of its tags.
    ///
    /// # Errors
    /// Usage, if it has a tag that cannot be one.
    pub fn state(&self, desired: &Desired, wanted: &Wanted) -> Result<State> {
        let keep = desired.phases[wanted.phase].keep;
        let states = wanted.releases()?.into_iter().map(|tag| match self.unanswered.contains(&tag) {
            true => State::Unknown,
            false => judge(wanted, keep, self.get(&tag)),
        });
        Ok(states.max_by_key(State::rank).unwrap_or(State::Missing))
    }
}

/// Takes the platforms away from `state` of which a part is gone: all of them for a part that names none.
pub(super) fn forget(state: &mut TagState, gone: &[Part]) {
    state
        .platforms
        .retain(|platform| gone.iter().all(|part| part.platform.as_ref().is_some_and(|lost| lost != platform)));
}

/// The state of one tag of `wanted`.
pub fn judge(wanted: &Wanted, keep: bool, found: Option<&TagState>) -> State {
    let Some(found) = found else { return State::Missing };
    let absent = wanted.platforms.iter().map(usual_spelling).filter(|platform| !found.platforms.contains(platform));
    let absent: Vec<String> = absent.map(|platform| platform.to_string()).collect();
    if !absent.is_empty() {
        return State::Incomplete { absent };
    }
    match annotations::inputs(&found.annotations) {
        Some(inputs) if inputs == wanted.inputs.fingerprint => State::Current,
        known => {
            let reasons = match (known, annotations::parts(&found.annotations)) {
                (None, _) => vec!["not built by gs-release".to_owned()],
                (Some(_), None) => vec!["its inputs changed".to_owned()],
                (Some(_), Some(parts)) => diff(&parts, &wanted.inputs.parts),
            };
            let reasons = if reasons.is_empty() { vec!["its inputs changed".to_owned()] } else { reasons };
            if keep { State::Kept { reasons } } else { State::Stale { reasons } }
        }
    }
}
