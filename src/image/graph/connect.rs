//! Which references of an image are images of this release, and every complaint about them.

use std::collections::BTreeSet;

use super::super::reach::Use;
use super::catalog::{Catalog, Found};
use super::{Base, Faults, Node, Note};
use crate::config::{Code, Platform};

/// Finds the images of this release among the references of the node at `index`.
pub(super) fn connect(
    index: usize,
    nodes: &mut [Node],
    catalog: &Catalog,
    faults: &mut Faults<'_>,
    notes: &mut BTreeSet<Note>,
) {
    let mut builds = std::mem::take(&mut nodes[index].builds);
    let mut bases: Vec<Base> = Vec::new();
    for build in &mut builds {
        for (used, internal) in build.reach.uses.iter().zip(&mut build.internal) {
            let source = &nodes[index].dockerfile;
            let found = catalog.find(&used.reference);
            *internal = judge(index, nodes, &build.platform, used, &found, faults);
            let line = source.line(used.span.start);
            if let Found::Elsewhere { floating: true } = found {
                let message = format!("`{}` is a floating base: it may change without notice", used.reference);
                let (column, length) = (source.column(used.span.start), used.span.len());
                notes.insert(Note { path: source.path.clone(), line, column, length, message });
            }
            let base = Base {
                node: *internal,
                reference: used.reference.clone(),
                how: used.how,
                span: used.span.clone(),
                line,
            };
            if !bases.contains(&base) {
                bases.push(base);
            }
        }
    }
    bases.sort_by_key(|base| base.span.start);
    nodes[index].builds = builds;
    nodes[index].bases = bases;
}

/// The image that `used` is, after every complaint about it.
fn judge(
    index: usize,
    nodes: &[Node],
    platform: &Platform,
    used: &Use,
    found: &Found,
    faults: &mut Faults<'_>,
) -> Option<usize> {
    let node = &nodes[index];
    let mut fault = |code: Code, message: String, help: String| {
        faults.at(code, &node.dockerfile, used.span.clone(), message, Some(help));
    };
    match found {
        Found::Elsewhere { .. } => None,
        Found::Pinned { repository } => {
            fault(
                Code::PinnedBase,
                format!("`{}` pins an image of this release, `{repository}`, by digest", used.reference),
                "drop the digest: builds pin the bases that they have built by themselves".into(),
            );
            None
        }
        Found::UnknownTag { repository, tag, known } => {
            fault(
                Code::UnknownTag,
                format!("`{}`: `{repository}` publishes no tag `{tag}`", used.reference),
                format!("it publishes {}", known.join(", ")),
            );
            None
        }
        Found::Moving { node: base } => {
            let fixed = nodes[*base].tags.iter().find(|tag| !tag.moving).map_or("", |tag| tag.name.as_str());
            fault(
                Code::MovingBase,
                format!("`{}` is a moving tag of `{}`, an image of this release", used.reference, nodes[*base].image),
                format!("build on its tag of this version, `{fixed}`"),
            );
            Some(*base)
        }
        Found::Image { node: base, arch } => {
            let other = &nodes[*base];
            if other.phase > node.phase {
                fault(
                    Code::LaterPhase,
                    format!("`{}` is built on `{}`, which is of a later phase", node.image, other.image),
                    "move one of them: a phase is built on itself and on those before it".into(),
                );
            }
            let wanted = wanted(platform, used, arch.as_deref());
            let missing = wanted.filter(|wanted| !other.platforms.iter().any(|p| same(p, wanted)));
            if let Some(missing) = missing {
                let theirs: Vec<String> = other.platforms.iter().map(Platform::to_string).collect();
                fault(
                    Code::MissingPlatform,
                    format!("`{}` needs `{}` for {missing}, which it is not built for", node.image, other.image),
                    format!(
                        "`{}` is built for {}; widen its `platforms:` or narrow those of `{}`",
                        other.image,
                        theirs.join(", "),
                        node.image
                    ),
                );
            }
            Some(*base)
        }
    }
}

/// The platform that is needed of a base; `None` is one that only the building machine knows.
fn wanted(target: &Platform, used: &Use, arch: Option<&str>) -> Option<Platform> {
    if let Some(arch) = arch {
        return Some(Platform { os: target.os.clone(), arch: arch.to_owned(), variant: None });
    }
    match used.platform.as_deref() {
        None => Some(target.clone()),
        Some(asked) => asked.parse().ok(),
    }
}

/// Whether two platforms are the same; arm64 is v8 whether it says so or not.
fn same(a: &Platform, b: &Platform) -> bool {
    let variant = |p: &Platform| p.variant.clone().filter(|v| !(p.arch == "arm64" && v == "v8"));
    a.os == b.os && a.arch == b.arch && variant(a) == variant(b)
}
