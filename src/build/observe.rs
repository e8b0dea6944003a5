//! What is published: the state of each image, from its index alone.

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::annotations;
use super::desired::{Desired, Wanted};
use crate::error::Result;
use crate::image::{Fingerprint, diff};
use crate::registry::{ImageRef, Registry, TagState, tag_state, usual_spelling};

/// Questions to the registry at the same time.
const AT_ONCE: usize = 16;

/// What tags hold; `None` is a tag that does not exist.
#[derive(Debug, Clone, Default)]
pub struct Observed(HashMap<ImageRef, Option<TagState>>);

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
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            State::Current => f.write_str("current"),
            State::Missing => f.write_str("missing"),
            State::Kept { reasons } => write!(f, "stale (kept): {}", reasons.join(", ")),
            State::Stale { reasons } => write!(f, "stale: {}", reasons.join(", ")),
            State::Incomplete { absent } => write!(f, "incomplete: {} is absent", absent.join(", ")),
        }
    }
}

impl Observed {
    /// Looks at `images`: one request for each tag that is an index.
    ///
    /// # Errors
    /// Remote.
    pub async fn look(registry: &dyn Registry, images: impl IntoIterator<Item = ImageRef>) -> Result<Self> {
        let asked = images.into_iter().map(async |image: ImageRef| {
            let state = tag_state(registry, &image).await?;
            Ok::<_, crate::error::Error>((image, state))
        });
        Ok(Observed(stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?))
    }

    /// What `image` holds.
    pub fn get(&self, image: &ImageRef) -> Option<&TagState> {
        self.0.get(image).and_then(Option::as_ref)
    }

    /// What published indexes list and the registry does not have: deleted behind their backs. One request each.
    ///
    /// # Errors
    /// Remote.
    pub async fn gaps(&self, registry: &dyn Registry, desired: &Desired) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for tag in desired.images.iter().map(Wanted::releases).collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            if self.get(&tag).is_none() {
                continue;
            }
            let index = registry.manifest(&tag).await?;
            for child in index.as_ref().map(|index| index.children()).unwrap_or_default() {
                let child = tag.repository.digest(&child.digest);
                if registry.manifest(&child).await?.is_none() {
                    found.push(format!("{tag} lists {child}, which is gone"));
                }
            }
        }
        Ok(found)
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
        let states = wanted.releases()?.into_iter().map(|tag| judge(wanted, keep, self.get(&tag)));
        Ok(states.max_by_key(State::rank).unwrap_or(State::Missing))
    }
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
