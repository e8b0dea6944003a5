//! What ran when during a build, and what held it up. Pure: a plan and a record in, spans and text out.

use std::fmt::Write;
use std::time::Duration;

use super::{Record, markdown::fenced};
use crate::build::BuildPlan;

/// How many characters the longest bar has.
const WIDTH: usize = 40;
/// An image that begins so soon after what it needs has waited for nothing else.
const AT_ONCE: Duration = Duration::from_millis(250);

/// The builds of a run, by their beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// One for each image that was built.
    pub spans: Vec<Span>,
    /// The images that decided how long it took, each of which waited for the one before it.
    pub critical: Vec<String>,
}

/// The build of an image, from its beginning to its last tag. Times are since the beginning of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its name.
    pub image: String,
    /// Index of its phase.
    phase: usize,
    /// When its build began.
    pub start: Duration,
    /// When others could be built on it.
    ready: Duration,
    /// When it was published, or failed.
    pub end: Duration,
    /// It failed.
    pub failed: bool,
    /// What it waited for last.
    pub after: Option<Wait>,
}

/// What a build waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// An image that it is built on.
    Base(String),
    /// The last image of an earlier phase.
    Phase(String),
    /// An image whose end made room for it.
    Room(String),
}

impl Wait {
    fn image(&self) -> &str {
        match self {
            Wait::Base(image) | Wait::Phase(image) | Wait::Room(image) => image,
        }
    }
}

impl Timeline {
    /// The timeline of `record`, which is that of a run of `plan`.
    pub fn new(plan: &BuildPlan, record: &Record) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for (phase, image) in plan.phases.iter().enumerate().flat_map(|(n, p)| p.images.iter().map(move |i| (n, i))) {
            let Some(done) = record.images.get(&image.image) else { continue };
            let (Some(start), Some(end)) = (done.started, done.ended) else { continue };
            let (image, failed) = (image.image.clone(), done.failure.is_some());
            spans.push(Span { image, phase, start, ready: done.staged.unwrap_or(end), end, failed, after: None });
        }
        let waits: Vec<Option<Wait>> = spans.iter().map(|span| wait(span, &spans, plan)).collect();
        for (span, wait) in spans.iter_mut().zip(waits) {
            span.after = wait;
        }
        spans.sort_by(|a, b| (a.start, a.end, &a.image).cmp(&(b.start, b.end, &b.image)));
        let mut critical = Vec::new();
        let mut next = spans.iter().max_by_key(|span| span.end);
        while let Some(span) = next {
            critical.push(span.image.clone());
            // each began before the one that waited for it, so that this comes to an end
            next = span.after.as_ref().and_then(|wait| spans.iter().find(|other| other.image == wait.image()));
        }
        critical.reverse();
        Timeline { spans, critical }
    }

    /// Bars and times, a line an image, and what held it up; empty where less than two images were built.
    pub fn text(&self) -> String {
        let Some(total) = self.spans.iter().map(|span| span.end).max().filter(|_| self.spans.len() > 1) else {
            return String::new();
        };
        let width = self.spans.iter().map(|span| span.image.len()).max().unwrap_or_default();
        let mut out = String::new();
        for span in &self.spans {
            let bar = bar(span, total);
            let took = duration(span.end - span.start);
            let failed = if span.failed { "  failed" } else { "" };
            let mark = if self.critical.contains(&span.image) { '*' } else { ' ' };
            // writing to a string cannot fail
            let _ = writeln!(out, "{mark} {:<width$}  {bar}  {took:>9}{failed}", span.image);
        }
        let _ = writeln!(out, "* {} in all: {}", duration(total), self.critical_path());
        out
    }

    /// The same for Markdown.
    pub fn markdown(&self) -> String {
        let text = self.text();
        if text.is_empty() { text } else { fenced("", &text) }
    }

    /// The same without bars, for output that is no terminal.
    pub fn plain(&self) -> String {
        let Some(total) = self.spans.iter().map(|span| span.end).max().filter(|_| self.spans.len() > 1) else {
            return String::new();
        };
        let mut out = String::new();
        for span in &self.spans {
            let failed = if span.failed { ", failed" } else { "" };
            let (start, took) = (duration(span.start), duration(span.end - span.start));
            let _ = writeln!(out, "{}: began at {start}, took {took}{failed}", span.image);
        }
        let _ = writeln!(out, "{} in all: {}", duration(total), self.critical_path());
        out
    }

    /// `a -> b (its base)`: what held the run up.
    fn critical_path(&self) -> String {
        let step = |name: &String| {
            let span = self.spans.iter().find(|span| span.image == *name);
            match span.and_then(|span| span.after.as_ref()) {
                Some(Wait::Phase(_)) => format!("{name} (next phase)"),
                Some(Wait::Room(_)) => format!("{name} (waited for room)"),
                Some(Wait::Base(_)) | None => name.clone(),
            }
        };
        self.critical.iter().map(step).collect::<Vec<_>>().join(" -> ")
    }
}

/// What `span` waited for: of its bases and the phase before its own, what came last; what made room, if it began later.
fn wait(span: &Span, spans: &[Span], plan: &BuildPlan) -> Option<Wait> {
    let earlier = || spans.iter().filter(|other| other.start < span.start);
    let bases = plan.images().find(|image| image.image == span.image).map(|image| &image.bases);
    let is_base = |other: &&Span| bases.is_some_and(|bases| bases.contains(&other.image));
    let base = earlier().filter(is_base).map(|other| (other.ready, Wait::Base(other.image.clone())));
    let phase = earlier().filter(|other| other.phase < span.phase);
    let phase = phase.map(|other| (other.end, Wait::Phase(other.image.clone())));
    let needed = base.chain(phase).filter(|(end, _)| *end <= span.start).max_by_key(|(end, _)| *end);
    let known = needed.as_ref().map_or(Duration::ZERO, |(end, _)| *end);
    let room = earlier().filter(|other| other.phase == span.phase && known < other.ready && other.ready <= span.start);
    match room.max_by_key(|other| other.ready) {
        Some(other) if span.start > known + AT_ONCE => Some(Wait::Room(other.image.clone())),
        _ => needed.map(|(_, wait)| wait),
    }
}

/// A bar where the span lies in `total`, at least one character of it.
fn bar(span: &Span, total: Duration) -> String {
    let place = |at: Duration| {
        let share = at.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
        // between 0 and the width
        (share * WIDTH as f64).round() as usize
    };
    let start = place(span.start).min(WIDTH - 1);
    let end = place(span.end).clamp(start + 1, WIDTH);
    format!("{}{}{}", "·".repeat(start), "█".repeat(end - start), "·".repeat(WIDTH - end))
}

pub(super) fn duration(of: Duration) -> String {
    let seconds = of.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", of.as_secs_f64()),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{Event, ImagePlan, PhasePlan, State};

    /// Images with their bases, of a phase.
    type Phase<'a> = (&'a str, &'a [(&'a str, &'a [&'a str])]);

    fn plan(phases: &[Phase<'_>]) -> BuildPlan {
        let image = |(name, bases): &(&str, &[&str])| ImagePlan {
            image: (*name).into(),
            index: 0,
            repository: String::new(),
            tags: Vec::new(),
            moving_tags: Vec::new(),
            platforms: Vec::new(),
            inputs: String::new(),
            state: State::Missing,
            build: true,
            again: false,
            bases: bases.iter().map(|base| (*base).to_owned()).collect(),
            moves: Vec::new(),
        };
        let phase =
            |(name, images): &Phase<'_>| PhasePlan { name: (*name).into(), images: images.iter().map(image).collect() };
        BuildPlan { commit: "c".into(), phases: phases.iter().map(phase).collect(), notes: Vec::new() }
    }

    /// Builds as (image, start, staged), in seconds.
    fn record(builds: &[(&str, f64, f64)]) -> Record {
        let mut record = Record::default();
        for (image, start, staged) in builds {
            let image = (*image).to_owned();
            let (start, staged) = (Duration::from_secs_f64(*start), Duration::from_secs_f64(*staged));
            record.add(start, &Event::Building { image: image.clone(), platforms: String::new() });
            record.add(staged, &Event::Staged { image, took: staged - start, adopted: false });
        }
        record
    }

    #[test]
    fn the_critical_path_goes_through_bases_the_phase_before_and_what_made_room() {
        let plan = plan(&[
            ("v6d", &[("dev", &[]), ("quick", &[]), ("runtime", &["dev"])]),
            ("gs", &[("coordinator", &["dev"]), ("late", &[])]),
        ]);
        let record = record(&[
            ("dev", 0.0, 60.0),
            ("quick", 0.0, 5.0),
            ("runtime", 60.0, 90.0),
            ("coordinator", 90.1, 100.0),
            ("late", 100.0, 130.0),
        ]);
        let timeline = Timeline::new(&plan, &record);
        assert_eq!(timeline.critical, ["dev", "runtime", "coordinator", "late"]);
        assert_eq!(
            timeline.plain().lines().last(),
            Some("2 m 10 s in all: dev -> runtime -> coordinator (next phase) -> late (waited for room)")
        );
    }

    #[test]
    fn bars_lie_where_the_builds_ran() {
        let plan = plan(&[("v6d", &[("dev", &[]), ("runtime", &["dev"]), ("other", &[])])]);
        let record = record(&[("dev", 0.0, 3.0), ("runtime", 3.0, 4.0), ("other", 0.0, 0.01)]);
        let text = Timeline::new(&plan, &record).text();
        let expected = format!(
            "  other    █{}      0.0 s\n* dev      {}{}      3.0 s\n* runtime  {}{}      1.0 s\n* 4.0 s in all: dev -> runtime\n",
            "·".repeat(39),
            "█".repeat(30),
            "·".repeat(10),
            "·".repeat(30),
            "█".repeat(10),
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn one_image_or_what_was_adopted_needs_no_timeline() {
        let plan = plan(&[("v6d", &[("dev", &[]), ("runtime", &["dev"])])]);
        let mut record = record(&[("dev", 0.0, 3.0)]);
        record.add(
            Duration::from_secs(4),
            &Event::Staged { image: "runtime".into(), took: Duration::ZERO, adopted: true },
        );
        let timeline = Timeline::new(&plan, &record);
        assert_eq!((timeline.text(), timeline.plain(), timeline.markdown()), Default::default());
        assert_eq!(timeline.critical, ["dev"]);
    }

    #[test]
    fn builds_that_take_no_time_at_all_come_to_an_end() {
        let plan = plan(&[("v6d", &[("a", &["b"]), ("b", &["a"])])]);
        let timeline = Timeline::new(&plan, &record(&[("a", 1.0, 1.0), ("b", 1.0, 1.0)]));
        assert_eq!(timeline.critical.len(), 1);
    }
}
