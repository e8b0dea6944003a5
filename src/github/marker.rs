//! The hidden line in a pull request's body by which the bot confirms that it is its own. Pure text.

use serde::{Deserialize, Serialize};

use crate::version::Version;

const OPEN: &str = "<!-- gs-release:";
const CLOSE: &str = "-->";

/// What the bot wrote down in a pull request: `<!-- gs-release: {"component":"vineyard","version":"0.24.2"} -->`.
///
/// People edit bodies: a marker that cannot be read is no marker, and one that is gone is put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Name of the component in `release.yaml`.
    pub component: String,
    /// The version that the pull request brings.
    pub version: Version,
    /// What its text speaks of: the id of the tree at its head. Empty where that was not noted.
    pub tree: String,
    /// Reviewers, assignees and milestone have been set, and are left to people from there on.
    pub set_up: bool,
    /// The bot itself closed it, for a newer one.
    pub superseded: bool,
}

#[derive(Serialize, Deserialize)]
struct Written {
    component: String,
    version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    tree: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    setup: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<String>,
}

impl Marker {
    /// The marker in `body`: the first that can be read.
    pub fn parse(body: &str) -> Option<Self> {
        places(body).find_map(|place| Marker::read(&body[place]))
    }

    /// The marker as the comment that stands in a body.
    pub fn render(&self) -> String {
        let written = Written {
            component: self.component.clone(),
            version: self.version.to_string(),
            tree: self.tree.clone(),
            setup: self.set_up.then(|| "done".to_owned()),
            closed: self.superseded.then(|| "superseded".to_owned()),
        };
        // A struct of strings cannot fail to serialise. JSON has an escape for every character, so that nothing in a
        // name can end the comment.
        let json = serde_json::to_string(&written).unwrap_or_default();
        let json = json.replace('<', "\\u003c").replace('>', "\\u003e").replace("--", "-\\u002d");
        format!("{OPEN} {json} {CLOSE}")
    }

    /// `body` with this marker: in place of the readable ones, else at the end.
    pub fn put_in(&self, body: &str) -> String {
        let mut text = String::with_capacity(body.len() + 100);
        let (mut copied, mut put) = (0, false);
        for place in places(body).filter(|place| Marker::read(&body[place.clone()]).is_some()) {
            text.push_str(&body[copied..place.start]);
            if !put {
                text.push_str(&self.render());
            }
            (copied, put) = (place.end, true);
        }
        text.push_str(&body[copied..]);
        if !put {
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n\n" };
            text.push_str(gap);
            text.push_str(&self.render());
            text.push('\n');
        }
        text
    }

    fn read(comment: &str) -> Option<Self> {
        let json = comment.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
        let written: Written = serde_json::from_str(json.trim()).ok()?;
        Some(Marker {
            component: written.component,
            version: written.version.parse().ok()?,
            tree: written.tree,
            set_up: written.setup.as_deref() == Some("done"),
            superseded: written.closed.as_deref() == Some("superseded"),
        })
    }
}

/// Where the comments of this kind are in `body`, readable or not.
fn places(body: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    body.match_indices(OPEN).filter_map(move |(start, _)| {
        let length = body[start..].find(CLOSE)? + CLOSE.len();
        Some(start..start + length)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marker(component: &str) -> Marker {
        Marker {
            component: component.into(),
            version: "0.24.2".parse().unwrap(),
            tree: String::new(),
            set_up: false,
            superseded: false,
        }
    }

    #[test]
    fn the_marker_reads_as_documented() {
        assert_eq!(marker("vineyard").render(), r#"<!-- gs-release: {"component":"vineyard","version":"0.24.2"} -->"#);
        let done = Marker { set_up: true, superseded: true, ..marker("vineyard") };
        assert!(done.render().contains(r#""setup":"done","closed":"superseded""#));
    }

    #[test]
    fn a_marker_survives_what_people_and_newer_versions_do_to_it() {
        let edited = "Hello\r\n<!-- gs-release:\r\n{ \"version\": \"v0.24.2\", \"new\": [1],\n \"component\": \"vineyard\" }-->\r\nbye";
        assert_eq!(Marker::parse(edited), Some(marker("vineyard")));
        for broken in
            ["", "<!-- gs-release: -->", "<!-- gs-release: {", "<!-- gs-release: {\"component\":\"vineyard\"} -->"]
        {
            assert_eq!(Marker::parse(broken), None, "{broken}");
        }
        let after_broken = format!("<!-- gs-release: oops {}", marker("vineyard").render());
        assert_eq!(Marker::parse(&after_broken), Some(marker("vineyard")));
    }

    #[test]
    fn a_marker_is_replaced_where_it_stands_and_nothing_else_changes() {
        let body = format!("a\r\n{}\r\nb {} c", marker("x").render(), marker("y").render());
        assert_eq!(marker("z").put_in(&body), format!("a\r\n{}\r\nb  c", marker("z").render()));
        assert_eq!(marker("z").put_in("a"), format!("a\n\n{}\n", marker("z").render()));
    }

    proptest! {
        #[test]
        fn what_is_put_in_any_body_is_found_again(component in any::<String>(), body in any::<String>(), set_up: bool, superseded: bool) {
            let marker = Marker { component, version: "1.2.3-rc.1".parse().unwrap(), tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".into(), set_up, superseded };
            let rendered = marker.render();
            prop_assert_eq!(rendered.find(CLOSE), Some(rendered.len() - CLOSE.len()));
            let with = marker.put_in(&body);
            prop_assert_eq!(Marker::parse(&with), Some(marker.clone()));
            prop_assert!(with.starts_with(&body));
            prop_assert_eq!(marker.put_in(&with), with.clone());
        }

        #[test]
        fn a_hostile_name_does_not_end_the_comment(component in "[-<>!]{0,12}") {
            let rendered = marker(&component).render();
            prop_assert_eq!(rendered[4..rendered.len() - 3].find("--"), None);
            prop_assert_eq!(Marker::parse(&rendered), Some(marker(&component)));
        }
    }
}
