//! Failures on command: which call fails, and how; and calls that have to come at the same moment.

use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use serde_json::Value;
use tokio::sync::Barrier;

/// How a call fails.
#[derive(Debug, Clone)]
pub enum Failure {
    /// A status and a body, without effect.
    Status(u16, Value),
    /// A status and a page for people, as proxies give, without effect.
    Html(u16),
    /// No reply, ever; without effect.
    Hang,
    /// The connection ends; without effect.
    CloseBeforeAnswer,
    /// The call is carried out, and the connection ends.
    CloseAfterEffect,
    /// The call is carried out, and the reply is a bad gateway's.
    BadGatewayAfterEffect,
    /// 429 with `Retry-After`.
    RateLimit { retry_after: Duration },
    /// 403 with `Retry-After`, as GitHub answers who writes too quickly.
    SecondaryLimit { retry_after: Duration },
    /// A redirect, without effect.
    Redirect(u16, String),
}

/// Calls that are carried out when all of them have come.
#[derive(Debug)]
pub(super) struct Meeting {
    path: Regex,
    missing: usize,
    barrier: Arc<Barrier>,
}

impl Meeting {
    pub fn new(path: &str, count: usize) -> Self {
        Meeting { path: Regex::new(path).unwrap(), missing: count, barrier: Arc::new(Barrier::new(count)) }
    }
}

/// What the call has to wait at.
pub(super) fn meeting(meetings: &mut [Meeting], path: &str) -> Option<Arc<Barrier>> {
    let meeting = meetings.iter_mut().find(|meeting| meeting.missing > 0 && meeting.path.is_match(path))?;
    meeting.missing -= 1;
    Some(meeting.barrier.clone())
}

#[derive(Debug)]
pub(super) struct Planned {
    method: Regex,
    path: Regex,
    /// How many such calls pass before it.
    passing: usize,
    failure: Failure,
}

impl Planned {
    pub fn new(method: &str, path: &str, nth: usize, failure: Failure) -> Self {
        assert!(nth > 0, "calls count from 1");
        let method = Regex::new(&format!("^(?:{method})$")).unwrap();
        Planned { method, path: Regex::new(path).unwrap(), passing: nth - 1, failure }
    }

    fn is_about(&self, method: &str, path: &str) -> bool {
        self.method.is_match(method) && self.path.is_match(path)
    }
}

/// Takes the failure that is due for this call, and counts the call for those that are not yet.
pub(super) fn due(planned: &mut Vec<Planned>, method: &str, path: &str) -> Option<Failure> {
    let mut found = None;
    planned.retain_mut(|plan| {
        if !plan.is_about(method, path) {
            return true;
        }
        if plan.passing == 0 && found.is_none() {
            found = Some(plan.failure.clone());
            return false;
        }
        plan.passing = plan.passing.saturating_sub(1);
        true
    });
    found
}
