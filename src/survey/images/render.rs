//! Images and phases as text of `release.yaml`. Nothing here decides.

use super::super::render::quoted;
use super::select::Image;

/// Doubts that are shown.
const MOST_SHOWN: usize = 60;

/// `registry:`, `phases:` and what they need under `build:`; a phase for each of the components in `order`.
pub fn phases(registry: &str, images: &[Image], order: &[usize], components: &[&str]) -> String {
    let is_arm = images.iter().any(|image| image.is_arm);
    let platforms = if is_arm { "platforms: [linux/amd64, linux/arm64]\n" } else { "" };
    let mut text = format!("registry: {}\n{platforms}\nphases:\n", quoted(registry));
    for component in order {
        let name = quoted(components[*component]);
        text += &format!("  - name: {name}\n    component: {name}\n    images:\n");
        images.iter().filter(|image| image.component == *component).for_each(|one| text += &image(one, is_arm));
    }
    if images.iter().any(|image| image.platform_tags) {
        text += "\n# tags with the architecture at their end are built today\nbuild:\n  platform-tags: true\n";
    }
    text
}

/// `image`, which is narrowed to its platforms where others `is_arm`.
fn image(image: &Image, is_arm: bool) -> String {
    let mut text = format!("      {}:\n", quoted(&image.key));
    let mut line = |key: &str, value: String| text += &format!("        {key}: {value}\n");
    if image.key != image.repository {
        line("repository", quoted(&image.repository));
    }
    line("dockerfile", quoted(&image.build.dockerfile));
    if !image.build.context.is_empty() {
        line("context", quoted(&image.build.context));
    }
    if let Some(target) = &image.build.target {
        line("target", quoted(target));
    }
    if is_arm && !image.is_arm {
        line("platforms", "[linux/amd64]".to_owned());
    }
    if !image.build.args.is_empty() {
        let args = image.build.args.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value)));
        line("args", format!("{{ {} }}", args.collect::<Vec<_>>().join(", ")));
    }
    let tags: Vec<String> = image.tags.iter().map(|tag| quoted(tag)).collect();
    line("tags", format!("[{}]", tags.join(", ")));
    text
}

/// `phases` as a comment, with the reason.
pub fn as_comment(phases: &str, reason: &str) -> String {
    let lines = phases.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n");
    format!("# phases that cannot stand as they are: {}\n{}", one_line(reason), lines.collect::<String>())
}

/// All of it: `phases`, then the doubts as comments.
pub fn section(phases: &str, doubts: &[String]) -> String {
    let mut text = phases.to_owned();
    if !doubts.is_empty() {
        text += if text.is_empty() { "" } else { "\n" };
        text += &format!("# no images, for these reasons: {}\n", doubts.len());
        doubts.iter().take(MOST_SHOWN).for_each(|doubt| text += &format!("#   {}\n", one_line(doubt)));
    }
    text
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
