//! `gs-release manifest create <tag> <src>...`: one multi-platform index from per-platform images, without Docker.

use super::Global;
use crate::config::Platform;
use crate::error::Result;
use crate::registry::{Digest, ImageRef, IndexRequest, Limits, OciRegistry, docker_config_dir, plan_index};
use crate::report;

/// Arguments of `manifest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Join images of several platforms under one tag.
    ///
    /// What the tag's repository lacks is copied there. A tag that is as wanted already is left alone. One source
    /// that is an index, without annotations, is published as it is.
    Create(Create),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The tag to write, such as registry.example.com/graphscope/graphscope-dev:v0.24.2.
    tag: ImageRef,
    /// Images and indexes to join, by tag or digest, one image a platform.
    #[arg(required = true, value_name = "SRC")]
    sources: Vec<ImageRef>,
    /// An annotation of the index.
    #[arg(long, value_name = "KEY=VALUE", value_parser = annotation)]
    annotation: Vec<(String, String)>,
    /// A platform that the index must have; may be given several times.
    #[arg(long, value_name = "OS/ARCH")]
    platform: Vec<Platform>,
}

fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// Writes the index and says what the tag points at.
pub async fn run(global: &Global, args: Args) -> Result<()> {
    let Command::Create(create) = args.command;
    let registry = OciRegistry::new(docker_config_dir(), Limits::default())?;
    let annotations = create.annotation.into_iter().collect();
    let request = IndexRequest {
        target: &create.tag,
        sources: &create.sources,
        annotations: &annotations,
        platforms: &create.platform,
        adopt: &|_| false,
    };
    let plan = plan_index(&registry, &request).await?;
    let published = if global.dry_run { plan.published } else { plan.carry_out(&registry, &request).await? };

    let tag = create.tag.to_string();
    let platforms: Vec<String> = published.platforms.iter().map(ToString::to_string).collect();
    if global.is_json() {
        let document = report::documents::Manifest {
            tag: &tag,
            digest: published.digest.as_str(),
            platforms: &platforms,
            changed: published.changed,
            previous: published.previous.as_ref().map(Digest::as_str),
        };
        report::json(&report::json_of(&document)?);
        return Ok(());
    }
    report::result(&format!("{tag}@{} ({})", published.digest, platforms.join(", ")));
    if !global.quiet {
        report::say(&match (published.changed, global.dry_run, published.previous) {
            (false, ..) => "nothing to do: the tag points there already".to_owned(),
            (true, true, None) => "a dry run: the tag would be new".to_owned(),
            (true, true, Some(previous)) => format!("a dry run: the tag would move from {previous}"),
            (true, false, None) => "the tag is new".to_owned(),
            (true, false, Some(previous)) => format!("the tag moved from {previous}"),
        });
    }
    Ok(())
}
