//! Whether a failed call is made again, and after how long: pure decisions, no waiting.
//!
//! The rules are GitHub's ("Best practices for using the REST API"): obey `Retry-After`, else wait for
//! `X-RateLimit-Reset` when nothing remains, else a minute after a secondary limit.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::failure::{Cause, Failure, Refusal};
use super::settings::Limits;

/// What GitHub asks for after a secondary limit that names no time.
const SECONDARY: SignedDuration = SignedDuration::from_secs(60);

/// How long to wait before `failure`'s call is made again; `None`: it is not.
///
/// `attempt` counts from 1; `waited` is what this call has waited for rate limits so far; `repeatable` says that making it
/// twice is the same as making it once.
pub(super) fn pause_before_next(
    failure: &Failure,
    repeatable: bool,
    attempt: u32,
    waited: Duration,
    limits: &Limits,
    now: Timestamp,
) -> Option<Pause> {
    if attempt >= limits.attempts {
        return None;
    }
    if let Cause::Status(refusal) = &failure.cause
        && let Some(until) = refusal.limited_until
    {
        // A limited call was not carried out, whatever it is.
        if refusal.status >= 500 && !repeatable {
            return None;
        }
        let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        return (waited + wait <= limits.patience).then_some(Pause { wait, limited: true });
    }
    let passing = match &failure.cause {
        Cause::Transport { sent, .. } => !sent || repeatable,
        Cause::Status(refusal) => repeatable && matches!(refusal.status, 408 | 500 | 502..=504),
        // A page with status 200 is a login page or a wrong address: it will be there next time, too.
        Cause::Unreadable { .. } | Cause::Redirect { .. } | Cause::Graphql { .. } => false,
    };
    passing.then(|| Pause { wait: backoff(attempt, limits.pause), limited: false })
}

/// A pause before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    pub wait: Duration,
    /// The server asked for it.
    pub limited: bool,
}

/// Doubles from `first`; the latter half is random, so that jobs that failed together do not come back together.
pub(super) fn backoff(attempt: u32, first: Duration) -> Duration {
    let full = first * 2u32.saturating_pow(attempt.saturating_sub(1).min(10));
    // Every `RandomState` is keyed anew: randomness enough for this, without a crate for it.
    let random = RandomState::new().hash_one(attempt) % 1000;
    full / 2 + full * (random as u32) / 2000
}

/// Until when the server wants to be left alone; `None` if `refusal` is not about that.
pub(super) fn limited_until(
    refusal: &Refusal,
    header: impl Fn(&str) -> Option<String>,
    now: Timestamp,
) -> Option<Timestamp> {
    let asked = header("retry-after").and_then(|value| retry_after(&value, now));
    match refusal.status {
        429 | 403 => {}
        // Maintenance: the pause is asked for, the limit is not ours.
        503 => return asked,
        _ => return None,
    }
    let exhausted = header("x-ratelimit-remaining").is_some_and(|left| left == "0");
    let reset = || header("x-ratelimit-reset")?.parse().ok().and_then(|s| Timestamp::from_second(s).ok());
    let said = refusal.message.to_lowercase().contains("rate limit");
    if let Some(asked) = asked {
        Some(asked)
    } else if exhausted && let Some(reset) = reset() {
        // The two clocks may differ, and the second named is not over when it begins.
        Some(reset.max(now) + SignedDuration::from_secs(1))
    } else if refusal.status == 429 || said {
        Some(now + SECONDARY)
    } else {
        None
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &str, now: Timestamp) -> Option<Timestamp> {
    match value.parse::<u32>() {
        Ok(seconds) => Some(now + SignedDuration::from_secs(seconds.into())),
        Err(_) => Some(jiff::fmt::rfc2822::parse(value).ok()?.timestamp().max(now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        connect: Duration::ZERO,
        total: Duration::ZERO,
        attempts: 3,
        pause: Duration::from_millis(100),
        patience: Duration::from_secs(60),
    };

    fn now() -> Timestamp {
        "2025-05-20T10:00:00Z".parse().unwrap()
    }

    fn failure(cause: Cause) -> Failure {
        Failure { what: "look".into(), call: "GET https://example.com".into(), cause }
    }

    fn status(status: u16) -> Failure {
        failure(Cause::Status(Box::new(Refusal { status, ..Refusal::default() })))
    }

    fn limited(code: u16, headers: &[(&str, &str)], message: &str) -> Option<Timestamp> {
        let refusal = Refusal { status: code, message: message.into(), ..Refusal::default() };
        let header = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        limited_until(&refusal, header, now())
    }

    #[test]
    fn only_a_repeatable_call_is_repeated_after_a_server_error() {
        for code in [500, 502, 503, 504] {
            assert!(pause_before_next(&status(code), true, 1, Duration::ZERO, &LIMITS, now()).is_some());
            assert!(pause_before_next(&status(code), false, 1, Duration::ZERO, &LIMITS, now()).is_none());
        }
        for code in [400, 401, 403, 404, 409, 422, 501] {
            assert!(pause_before_next(&status(code), true, 1, Duration::ZERO, &LIMITS, now()).is_none(), "{code}");
        }
    }

    #[test]
    fn a_call_that_never_left_is_made_again_whatever_it_is() {
        let lost = |sent| failure(Cause::Transport { message: String::new(), sent, timed_out: false });
        assert!(pause_before_next(&lost(false), false, 1, Duration::ZERO, &LIMITS, now()).is_some());
        assert!(pause_before_next(&lost(true), false, 1, Duration::ZERO, &LIMITS, now()).is_none());
        assert!(pause_before_next(&lost(true), true, 1, Duration::ZERO, &LIMITS, now()).is_some());
        assert!(pause_before_next(&lost(true), true, 3, Duration::ZERO, &LIMITS, now()).is_none());
    }

    #[test]
    fn a_limit_is_waited_for_as_long_as_patience_lasts() {
        let refusal = Refusal { status: 429, limited_until: Some(now() + SECONDARY / 2), ..Refusal::default() };
        let failure = failure(Cause::Status(Box::new(refusal)));
        let next = |waited| pause_before_next(&failure, false, 1, Duration::from_secs(waited), &LIMITS, now());
        assert_eq!(next(30), Some(Pause { wait: Duration::from_secs(30), limited: true }));
        assert_eq!(next(31), None);
    }

    #[test]
    fn limits_are_told_from_missing_rights() {
        let at = |seconds: i64| Some(now() + SignedDuration::from_secs(seconds));
        let reset = (now() + SignedDuration::from_secs(9)).as_second().to_string();
        assert_eq!(limited(403, &[], "Resource not accessible by integration"), None);
        assert_eq!(limited(403, &[("x-ratelimit-remaining", "42"), ("x-ratelimit-reset", &reset)], ""), None);
        assert_eq!(limited(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)], ""), at(10));
        assert_eq!(limited(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")], ""), at(1));
        assert_eq!(limited(403, &[], "You have exceeded a secondary rate limit"), at(60));
        assert_eq!(limited(429, &[], ""), at(60));
        assert_eq!(limited(429, &[("retry-after", "7")], ""), at(7));
        assert_eq!(limited(429, &[("retry-after", "Tue, 20 May 2025 10:00:08 GMT")], ""), at(8));
        assert_eq!(limited(503, &[("retry-after", "7")], ""), at(7));
        assert_eq!(limited(502, &[("retry-after", "7")], ""), None);
    }

    #[test]
    fn pauses_double_and_vary_within_their_latter_half() {
        for attempt in 1..=4 {
            let full = Duration::from_millis(100) * 2u32.pow(attempt - 1);
            let pause = backoff(attempt, Duration::from_millis(100));
            assert!(pause >= full / 2 && pause <= full, "{attempt}: {pause:?}");
        }
    }
}
