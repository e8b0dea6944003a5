//! Who makes a commit, and when: the environment and git's configuration first, as git has it, else the bot.

use crate::error::{Error, Result};

/// Whose signature is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Author,
    Committer,
}

const BOT: (&str, &str) = ("gs-release", "gs-release@users.noreply.github.com");

/// The signature of `role`. `env` looks up a variable.
pub(super) fn signature(
    role: Role,
    config: &git2::Config,
    env: impl Fn(&str) -> Option<String>,
) -> Result<git2::Signature<'static>> {
    let (variable, section) = match role {
        Role::Author => ("GIT_AUTHOR", "author"),
        Role::Committer => ("GIT_COMMITTER", "committer"),
    };
    let env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let configured = |key: &str| config.get_string(key).ok().filter(|value| !value.trim().is_empty());
    let own = |what: &str| configured(&format!("{section}.{what}")).or_else(|| configured(&format!("user.{what}")));
    let name = env(&format!("{variable}_NAME")).or_else(|| own("name"));
    let email = env(&format!("{variable}_EMAIL")).or_else(|| own("email")).or_else(|| env("EMAIL"));
    let (name, email) = match (&name, &email) {
        (Some(name), Some(email)) => (name.as_str(), email.as_str()),
        _ => BOT,
    };
    let cannot = |error: git2::Error| {
        Error::usage(format!("cannot sign a commit as `{name} <{email}>`: {}", error.message()))
            .hint("set user.name and user.email with `git config`")
    };
    let date_variable = format!("{variable}_DATE");
    match env(&date_variable) {
        None => git2::Signature::now(name, email).map_err(cannot),
        Some(text) => {
            let time = parse_date(&text).ok_or_else(|| {
                Error::usage(format!("{date_variable}=`{text}` is not a date")).hint(
                    "write it as `1717200000 +0800`, `2024-06-01T08:00:00+08:00` or `Sat, 1 Jun 2024 08:00:00 +0800`",
                )
            })?;
            git2::Signature::new(name, email, &time).map_err(cannot)
        }
    }
}

/// The date formats that git documents: its own (seconds and offset, optionally after `@`), ISO 8601, RFC 2822.
fn parse_date(text: &str) -> Option<git2::Time> {
    let text = text.trim();
    parse_raw(text.strip_prefix('@').unwrap_or(text)).or_else(|| parse_iso(text)).or_else(|| {
        let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
        Some(git2::Time::new(zoned.timestamp().as_second(), zoned.offset().seconds() / 60))
    })
}

fn parse_raw(text: &str) -> Option<git2::Time> {
    let (seconds, offset) = text.split_once(' ').unwrap_or((text, "+0000"));
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = offset.get(1..).filter(|digits| digits.len() == 4)?;
    let (hours, minutes) = (digits.get(..2)?.parse::<i32>().ok()?, digits.get(2..)?.parse::<i32>().ok()?);
    Some(git2::Time::new(seconds.parse().ok()?, sign * (hours * 60 + minutes)))
}

fn parse_iso(text: &str) -> Option<git2::Time> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    let offset = jiff::fmt::temporal::Pieces::parse(text).ok()?.to_numeric_offset()?;
    Some(git2::Time::new(timestamp.as_second(), offset.seconds() / 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> (tempfile::TempDir, git2::Config) {
        let dir = tempfile::tempdir().unwrap();
        let mut config = git2::Config::open(&dir.path().join("config")).unwrap();
        pairs.iter().for_each(|(key, value)| config.set_str(key, value).unwrap());
        (dir, config)
    }

    fn author(pairs: &[(&str, &str)], env: &[(&str, &str)]) -> Result<String> {
        let (_dir, config) = config(pairs);
        let look = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let signature = signature(Role::Author, &config, look)?;
        Ok(format!("{} <{}>", signature.name().unwrap(), signature.email().unwrap()))
    }

    #[test]
    fn the_environment_comes_before_the_configuration_and_the_bot_last() {
        let user = [("user.name", "Ada"), ("user.email", "ada@example.com")];
        assert_eq!(author(&[], &[]).unwrap(), "gs-release <gs-release@users.noreply.github.com>");
        assert_eq!(author(&user, &[]).unwrap(), "Ada <ada@example.com>");
        assert_eq!(author(&user, &[("GIT_AUTHOR_NAME", "Bob")]).unwrap(), "Bob <ada@example.com>");
        assert_eq!(author(&user, &[("GIT_COMMITTER_NAME", "Bob")]).unwrap(), "Ada <ada@example.com>");
        assert_eq!(author(&user[..1], &[("EMAIL", "home@example.com")]).unwrap(), "Ada <home@example.com>");
        let own = [user[0], user[1], ("author.email", "own@example.com")];
        assert_eq!(author(&own, &[]).unwrap(), "Ada <own@example.com>");
    }

    #[test]
    fn half_an_identity_is_the_bot_rather_than_a_mixture() {
        let bot = "gs-release <gs-release@users.noreply.github.com>";
        assert_eq!(author(&[("user.name", "Ada")], &[]).unwrap(), bot);
        assert_eq!(author(&[("user.name", ""), ("user.email", "ada@example.com")], &[]).unwrap(), bot);
    }

    #[test]
    fn dates_are_read_in_the_formats_git_documents() {
        for (text, seconds, offset) in [
            ("1717200000 +0800", 1_717_200_000, 480),
            ("@1717200000 -0330", 1_717_200_000, -210),
            ("1717200000", 1_717_200_000, 0),
            ("2024-06-01T08:00:00+08:00", 1_717_200_000, 480),
            ("2024-06-01 00:00:00Z", 1_717_200_000, 0),
            ("Sat, 1 Jun 2024 08:00:00 +0800", 1_717_200_000, 480),
        ] {
            let time = parse_date(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((time.seconds(), time.offset_minutes()), (seconds, offset), "{text}");
        }
        for text in ["yesterday", "", "1717200000 0800", "1717200000 +8", "2024-06-01"] {
            assert!(parse_date(text).is_none(), "{text}");
        }
        let error = author(&[], &[("GIT_AUTHOR_DATE", "yesterday")]).unwrap_err();
        assert_eq!(error.message, "GIT_AUTHOR_DATE=`yesterday` is not a date");
    }
}
