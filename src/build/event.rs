//! What happens while a plan is carried out, for whoever shows it.

use std::time::Duration;

use crate::registry::Digest;

/// Something that happened. Names are those of images and phases in `release.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Work on a phase begins.
    Phase {
        /// Its name.
        name: String,
        /// How many images of it have to be built.
        images: usize,
    },
    /// An image is being built.
    Building {
        /// Its name.
        image: String,
        /// Its platforms.
        platforms: String,
    },
    /// Where the build of an image has got to.
    Step {
        /// Its name.
        image: String,
        /// What the builder says.
        text: String,
    },
    /// An image is in the registry, under its staging tag.
    Staged {
        /// Its name.
        image: String,
        /// Since its build began.
        took: Duration,
        /// It was there before.
        adopted: bool,
    },
    /// A release tag points at an image.
    Published {
        /// Its name.
        image: String,
        /// The tag, in full.
        tag: String,
        /// What it points at.
        digest: Digest,
        /// What it pointed at before.
        previous: Option<Digest>,
        /// It pointed there already.
        unchanged: bool,
    },
    /// An image cannot be built.
    Failed {
        /// Its name.
        image: String,
        /// Why.
        why: String,
    },
    /// An image is not built, because of what it needs.
    Skipped {
        /// Its name.
        image: String,
        /// The image that it needs.
        needs: String,
    },
    /// A workflow run that builds a phase is somewhere else than before.
    Run {
        /// The phase.
        phase: String,
        /// The page of the run.
        url: String,
        /// `started`, or GitHub's word for where it is.
        state: String,
    },
    /// Every image of a phase is published and was read back.
    Verified {
        /// The phase.
        name: String,
    },
    /// Something a person should know.
    Note(String),
}

/// Who listens.
pub type Listener<'a> = &'a (dyn Fn(Event) + Send + Sync);
