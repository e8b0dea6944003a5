//! What happens during a build, as it happens: a line an image on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Record, counted};
use crate::build::Event;

/// Between two turns of the spinner.
const TICK: Duration = Duration::from_millis(120);

/// Shows and records the events of a build.
pub struct Progress {
    quiet: bool,
    verbose: bool,
    begun: Instant,
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
        Progress { quiet, verbose, begun: Instant::now(), lines, state: Mutex::default() }
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
        state.record.add(self.begun.elapsed(), &event);
        let line = match event {
            Event::Phase { name, images: 0 } => Some(format!("phase {name}: nothing to build")),
            Event::Phase { name, images } => Some(format!("phase {name}: {} to build", counted(images, "image"))),
            Event::Building { image, platforms } => match &self.lines {
                Some(lines) => {
                    let bar = lines.add(ProgressBar::new_spinner().with_style(style()));
                    bar.enable_steady_tick(TICK);
                    bar.set_prefix(image.clone());
                    bar.set_message(format!("for {platforms}"));
                    state.bars.insert(image, bar);
                    None
                }
                None => Some(format!("{image}: building for {platforms}")),
            },
            Event::Step { image, text } => match state.bars.get(&image) {
                Some(bar) => {
                    bar.set_message(text);
                    None
                }
                None => self.verbose.then(|| format!("{image}: {text}")),
            },
            Event::Staged { image, took, adopted } => {
                if let Some(bar) = state.bars.remove(&image) {
                    bar.finish_and_clear();
                }
                Some(match adopted {
                    true => format!("{image}: was there already"),
                    false => format!("{image}: built in {:.1} s", took.as_secs_f64()),
                })
            }
            Event::Published { image, tag, digest, unchanged, .. } => {
                Some(format!("{image}: {tag} {} {digest}", if unchanged { "is" } else { "->" }))
            }
            Event::Failed { image, why } => {
                if let Some(bar) = state.bars.remove(&image) {
                    bar.finish_and_clear();
                }
                Some(format!("{image}: failed: {}", brief(&why)))
            }
            Event::Skipped { image, needs } => Some(format!("{image}: not built: it needs {needs}")),
            Event::Verified { name } => Some(format!("phase {name}: verified")),
            Event::Run { phase, url, state: now } => Some(format!("phase {phase}: run {now}: {url}")),
            Event::Note(text) => Some(text),
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

/// The first line of a failure and the last, which has the reason.
fn brief(why: &str) -> String {
    let (first, last) = (why.lines().next().unwrap_or_default(), why.lines().next_back().unwrap_or_default());
    if first == last { first.to_owned() } else { format!("{first} {last}") }
}

fn style() -> ProgressStyle {
    let plain = ProgressStyle::default_spinner();
    plain.clone().template("{spinner} {prefix:<24} {elapsed:>5}  {wide_msg}").unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_one_line_with_its_reason() {
        assert_eq!(
            brief("a does not build:\n0.1 no luck\nERROR: exit code: 1"),
            "a does not build: ERROR: exit code: 1"
        );
        assert_eq!(brief("gone"), "gone");
        assert_eq!(brief(""), "");
    }
}
