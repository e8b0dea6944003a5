//! What is done about a phase that is not published, by the runs there are. Pure.

use crate::github::Run;

/// One start of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Its run; `None`: it was started, and there is no trace of it any more.
    pub run: Option<Run>,
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// This run of the request goes on: wait for its end.
    Join(&'a Run),
    /// Another run stands in the way: wait for its end, and look again.
    WaitFor(&'a Run),
    /// Nothing is under way: start the attempt of this number.
    Start(u32),
    /// It was tried often enough; this was the last attempt.
    GiveUp(&'a Attempt),
}

/// Decides. `attempts` are those of the request, `in_the_way` a run of something else that must end first, `allowed` is how
/// often it may be tried all in all.
///
/// A run that has ended well counts as a failed attempt: were it not one, the registry would have the images, and nobody
/// would ask.
pub fn decide<'a>(attempts: &'a [Attempt], in_the_way: Option<&'a Run>, allowed: u32) -> Decision<'a> {
    let last = attempts.iter().max_by_key(|attempt| attempt.number);
    let active = attempts.iter().rev().filter_map(|attempt| attempt.run.as_ref()).find(|run| run.state.is_active());
    match (active, in_the_way, last) {
        (Some(run), ..) => Decision::Join(run),
        (None, Some(run), _) => Decision::WaitFor(run),
        (None, None, Some(last)) if last.number >= allowed => Decision::GiveUp(last),
        (None, None, last) => Decision::Start(last.map_or(1, |last| last.number + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::RunState;

    fn run(state: &str) -> Run {
        let state = match state {
            "queued" | "in_progress" | "waiting" => RunState::Active(state.into()),
            _ => RunState::Ended(state.into()),
        };
        Run {
            id: 1,
            title: String::new(),
            state,
            branch: None,
            head_sha: String::new(),
            url: String::new(),
            created_at: "2025-05-20T10:00:00Z".parse().unwrap(),
            started_at: "2025-05-20T10:00:00Z".parse().unwrap(),
            attempt: 1,
        }
    }

    /// The decision in short, for attempts that ended so, or go on so; `gone` has no run.
    fn short(attempts: &[&str], in_the_way: Option<&str>, allowed: u32) -> String {
        let attempts = attempts
            .iter()
            .zip(1..)
            .map(|(state, number)| Attempt { number, run: (*state != "gone").then(|| run(state)) });
        let attempts: Vec<Attempt> = attempts.collect();
        let in_the_way = in_the_way.map(run);
        match decide(&attempts, in_the_way.as_ref(), allowed) {
            Decision::Join(run) => format!("join {}", run.state),
            Decision::WaitFor(run) => format!("wait for {}", run.state),
            Decision::Start(number) => format!("start {number}"),
            Decision::GiveUp(last) => format!("give up after {}", last.number),
        }
    }

    #[test]
    fn runs_and_attempts_decide() {
        for (attempts, in_the_way, allowed, expected) in [
            (&[][..], None, 2, "start 1"),
            (&["queued"], None, 2, "join queued"),
            (&["in_progress"], None, 2, "join in progress"),
            (&["waiting"], None, 1, "join waiting"),
            (&["failure"], None, 2, "start 2"),
            (&["cancelled"], None, 2, "start 2"),
            (&["timed_out"], None, 2, "start 2"),
            (&["startup_failure"], None, 2, "start 2"),
            (&["gone"], None, 2, "start 2"),
            // the registry does not have the images, whatever the run says
            (&["success"], None, 2, "start 2"),
            (&["success"], None, 1, "give up after 1"),
            (&["failure", "failure"], None, 2, "give up after 2"),
            (&["failure", "gone"], None, 2, "give up after 2"),
            (&["failure", "in_progress"], None, 2, "join in progress"),
            // a run that goes on is joined, however old its attempt
            (&["in_progress", "failure"], None, 2, "join in progress"),
            // one more, when a person says so
            (&["failure", "failure"], None, 3, "start 3"),
            (&["failure", "failure", "queued"], None, 2, "join queued"),
            (&[], Some("in_progress"), 2, "wait for in progress"),
            (&["failure"], Some("queued"), 2, "wait for queued"),
            (&["queued"], Some("in_progress"), 2, "join queued"),
            (&["failure", "failure"], Some("queued"), 2, "wait for queued"),
        ] {
            assert_eq!(short(attempts, in_the_way, allowed), expected, "{attempts:?} {in_the_way:?} {allowed}");
        }
    }
}
