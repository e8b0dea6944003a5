//! What happens during a build, as it happens: a line an image on a terminal, plain lines elsewhere. Keeps a record of it.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::build::Event;

/// Between two turns of the spinner.
const TICK: Duration = Duration::from_millis(120);

/// What has happened, by image.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Images, by name.
    pub images: BTreeMap<String, ImageRecord>,
    /// Phases that were verified.
    pub verified: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What has happened to an image.
#[derive(Debug, Clone, Default)]
pub struct ImageRecord {
    /// It was built, not adopted.
    pub built: bool,
    /// How long staging took.
    pub took: Option<Duration>,
    /// Tags, with what they point at now and pointed at before.
    pub tags: Vec<(String, String, Option<String>)>,
    /// Why it is not there.
    pub failure: Option<String>,
}

/// Shows and records the events of a build.
pub struct Progress {
    quiet: bool,
    verbose: bool,
    lines: Option<MultiProgress>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bars: BTreeMap<String, ProgressBar>,
    record: Record,
}

impl Progress {
    /// Lines with spinners where stderr is a terminal. `quiet` shows nothing; `verbose` shows each step where it is none.
    pub fn new(quiet: bool, verbose: bool) -> Self {
        let lines = (!quiet && std::io::stderr().is_terminal()).then(MultiProgress::new);
        Progress { quiet, verbose, lines, state: Mutex::default() }
    }

    /// What has happened so far.
    pub fn record(&self) -> Record {
        self.state().record.clone()
    }

    /// Ends all lines.
    pub fn finish(&self) {
        for bar in std::mem::take(&mut self.state().bars).into_values() {
            bar.finish_and_clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes notice of an event.
    pub fn hear(&self, event: Event) {
        let mut state = self.state();
        let line = match event {
            Event::Phase { name, images: 0 } => Some(format!("phase {name}: nothing to build")),
            Event::Phase { name, images } => Some(format!("phase {name}: {images} images to build")),
            Event::Building { image, platforms } => {
                state.record.images.entry(image.clone()).or_default().built = true;
                match &self.lines {
                    Some(lines) => {
                        let bar = lines.add(ProgressBar::new_spinner().with_style(style()));
                        bar.enable_steady_tick(TICK);
                        bar.set_prefix(image.clone());
                        bar.set_message(format!("for {platforms}"));
                        state.bars.insert(image, bar);
                        None
                    }
                    None => Some(format!("{image}: building for {platforms}")),
                }
            }
            Event::Step { image, text } => match state.bars.get(&image) {
                Some(bar) => {
                    bar.set_message(text);
                    None
                }
                None => self.verbose.then(|| format!("{image}: {text}")),
            },
            Event::Staged { image, took, adopted } => {
                let entry = state.record.images.entry(image.clone()).or_default();
                entry.took = Some(took);
                if let Some(bar) = state.bars.remove(&image) {
                    bar.finish_and_clear();
                }
                Some(match adopted {
                    true => format!("{image}: was there already"),
                    false => format!("{image}: built in {:.1} s", took.as_secs_f64()),
                })
            }
            Event::Published { image, tag, digest, previous, unchanged } => {
                let previous = previous.map(|digest| digest.to_string());
                let line = format!("{image}: {tag} {} {digest}", if unchanged { "is" } else { "->" });
                state.record.images.entry(image).or_default().tags.push((tag, digest.to_string(), previous));
                Some(line)
            }
            Event::Failed { image, why } => {
                if let Some(bar) = state.bars.remove(&image) {
                    bar.finish_and_clear();
                }
                let line = format!("{image}: failed: {}", why.lines().next().unwrap_or_default());
                state.record.images.entry(image).or_default().failure = Some(why);
                Some(line)
            }
            Event::Skipped { image, needs } => {
                let why = format!("not built: it needs {needs}");
                let line = format!("{image}: {why}");
                state.record.images.entry(image).or_default().failure = Some(why);
                Some(line)
            }
            Event::Verified { name } => {
                let line = format!("phase {name}: verified");
                state.record.verified.push(name);
                Some(line)
            }
            Event::Note(text) => {
                state.record.notes.push(text.clone());
                Some(text)
            }
        };
        drop(state);
        let Some(line) = line.filter(|_| !self.quiet) else { return };
        match &self.lines {
            Some(lines) => {
                // a terminal that has gone away is no reason to fail
                let _ = lines.println(line);
            }
            None => super::say(&line),
        }
    }
}

fn style() -> ProgressStyle {
    let plain = ProgressStyle::default_spinner();
    plain.clone().template("{spinner} {prefix:<24} {elapsed:>5}  {wide_msg}").unwrap_or(plain)
}
