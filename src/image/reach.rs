//! What one build takes in: the stages that a target reaches on one platform, with every variable replaced.
//!
//! The rules are BuildKit's (`frontend/dockerfile/dockerfile2llb`): a stage sees only the stages before it, `COPY --from`
//! takes a name or an index and no variables, a stage that is built on another one inherits its `ARG`s and `ENV`s, and a
//! named context takes the place of the stage or image of its name. Nothing here knows of other images or of files.

use std::collections::{BTreeMap, BTreeSet};

use super::dockerfile::{Dockerfile, Instruction, Keyword, Span, Transfer};
use super::expand::{Scope, UNKNOWN};
use crate::config::Platform;

/// One build: a target on a platform, with the values given to it.
#[derive(Debug)]
pub struct Target<'a> {
    /// The stage; `None` is the last one.
    pub stage: Option<&'a str>,
    /// What is built for.
    pub platform: &'a Platform,
    /// Build args.
    pub args: &'a BTreeMap<String, String>,
    /// Named contexts.
    pub contexts: &'a [Named],
}

/// A named context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name: a stage's, or a reference.
    pub name: String,
    /// The image that it is; `None` is files of another kind.
    pub image: Option<String>,
}

/// What a build takes in.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// The stages, in the order of the file; the target is the last one.
    pub stages: Vec<ReachedStage>,
    /// The images that they name, in the order of the file.
    pub uses: Vec<Use>,
}

/// A stage that is built.
#[derive(Debug, Clone)]
pub struct ReachedStage {
    /// Its index in the file.
    pub index: usize,
    /// What it is built from.
    pub origin: Origin,
    /// `FROM --platform=`, expanded.
    pub platform: Option<String>,
    /// What is done in it, in order; empty if a named context takes its place.
    pub steps: Vec<Step>,
}

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nothing: `FROM scratch`.
    Scratch,
    /// The build context.
    Main,
    /// An earlier stage, by its index in the file.
    Stage(usize),
    /// An image: index into [`Reach::uses`].
    Image(usize),
    /// A named context that is no image, by index.
    Context(usize),
}

/// One instruction, with what it depends on besides its text.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its index in the stage.
    pub instruction: usize,
    /// The `ARG`s that it depends on, with their values.
    pub args: Vec<(String, String)>,
    /// The files that it takes from elsewhere.
    pub transfers: Vec<ReachedTransfer>,
}

/// A [`Transfer`] with its variables replaced.
#[derive(Debug, Clone)]
pub struct ReachedTransfer {
    /// Where from.
    pub from: Origin,
    /// Paths; `None` where a variable has no value here, so that any path may be meant.
    pub paths: Vec<Option<String>>,
    /// Patterns of `--exclude` that are known.
    pub excludes: Vec<String>,
    /// Whether `--parents` is there.
    pub parents: bool,
}

/// A reference to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// With every variable replaced.
    pub reference: String,
    /// How the file uses it.
    pub how: How,
    /// The platform that is asked of it, where the file says one: `None` is the target's.
    pub platform: Option<String>,
    /// Where it is written.
    pub span: Span,
}

/// How an image is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// `FROM`.
    From,
    /// `COPY --from`.
    Copy,
    /// `RUN --mount=from`.
    Mount,
}

/// Why a build cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no such stage, or no stage at all.
    NoTarget,
    /// Something in the file is wrong: where, what, and what to do.
    At(Span, String, String),
}

impl Reach {
    /// What building `target` of `file` takes in, and what stands in the way.
    pub fn of(file: &Dockerfile, target: &Target<'_>) -> (Self, Vec<Obstacle>) {
        let last = file.stages.len();
        let found = match target.stage {
            Some(name) => file.stage_index(name, last),
            None => last.checked_sub(1),
        };
        let Some(goal) = found else { return (Reach::default(), vec![Obstacle::NoTarget]) };
        let automatic = automatic(target);
        let global = Scope::global_with(file, target.args, &automatic);
        let mut walk = Walk { file, target, global, uses: Vec::new(), obstacles: Vec::new() };
        let stages = walk.stages(goal);
        let stages = walk.steps(stages);
        (Reach { stages, uses: walk.uses }, walk.obstacles)
    }
}

/// The variables that BuildKit provides. The build platform is the machine's, which inputs do not depend on: it is taken
/// to be the target's, as it is in a native build.
fn automatic(target: &Target<'_>) -> Vec<(&'static str, String)> {
    let Platform { os, arch, variant } = target.platform;
    let variant = variant.clone().unwrap_or_default();
    vec![
        ("TARGETPLATFORM", target.platform.to_string()),
        ("TARGETOS", os.clone()),
        ("TARGETARCH", arch.clone()),
        ("TARGETVARIANT", variant.clone()),
        ("TARGETSTAGE", target.stage.unwrap_or("default").to_owned()),
        ("BUILDPLATFORM", target.platform.to_string()),
        ("BUILDOS", os.clone()),
        ("BUILDARCH", arch.clone()),
        ("BUILDVARIANT", variant),
    ]
}

struct Walk<'a> {
    file: &'a Dockerfile,
    target: &'a Target<'a>,
    global: Scope<'a>,
    uses: Vec<Use>,
    obstacles: Vec<Obstacle>,
}

impl<'a> Walk<'a> {
    /// The stages that `goal` reaches, in the order of the file. Every stage needs earlier ones only, so one pass
    /// from the last to the first meets each after all that need it.
    fn stages(&self, goal: usize) -> Vec<(usize, Option<usize>)> {
        let mut needed = BTreeSet::from([goal]);
        let mut reached = Vec::new();
        while let Some(index) = needed.pop_last() {
            let stage = &self.file.stages[index];
            if let Some(context) = self.replacement(index) {
                reached.push((index, Some(context)));
                continue;
            }
            let base = self.global.expand(stage.from.clone()).text;
            needed.extend(self.file.stage_index(&base, index).filter(|_| !is_number(&base)));
            let own = stage.instructions.iter().filter(|instruction| instruction.keyword != Keyword::Onbuild);
            let transfers = own.flat_map(|i| i.transfers.iter().map(move |t| (i, t)));
            for (instruction, transfer) in transfers {
                let from = transfer.from.as_ref().and_then(|from| self.stage_of(instruction, from, index));
                // files of a stage that a context takes the place of are that context's
                needed.extend(from.filter(|stage| self.replacement(*stage).is_none()));
            }
            reached.push((index, None));
        }
        reached.reverse();
        reached
    }

    fn steps(&mut self, stages: Vec<(usize, Option<usize>)>) -> Vec<ReachedStage> {
        let mut ends: BTreeMap<usize, Scope<'a>> = BTreeMap::new();
        let mut reached = Vec::new();
        for (index, replaced) in stages {
            let file = self.file;
            let stage = &file.stages[index];
            if let Some(context) = replaced {
                let origin = self.named(context, How::From, None, stage.from.clone());
                ends.insert(index, self.global.stage());
                reached.push(ReachedStage { index, origin, platform: None, steps: Vec::new() });
                continue;
            }
            let platform = stage.platform.clone().map(|span| (self.global.expand(span.clone()).text, span));
            // which machine builds is not known here
            let by_builder = |span: &Span| file.text[span.clone()].contains("BUILD");
            let asked = platform.as_ref().map(|(text, span)| if by_builder(span) { "" } else { text });
            let origin = self.base(index, asked);
            let mut scope = match &origin {
                Origin::Stage(base) => ends.get(base).cloned().unwrap_or_else(|| self.global.stage()),
                _ => self.global.stage(),
            };
            let mut steps = Vec::new();
            for (i, instruction) in stage.instructions.iter().enumerate() {
                let step = self.step(index, i, instruction, &scope);
                let own = instruction.definitions.iter().filter(|_| instruction.keyword != Keyword::Onbuild);
                own.for_each(|definition| scope.define(definition, Some(&self.global)));
                steps.extend(step);
            }
            ends.insert(index, scope);
            reached.push(ReachedStage { index, origin, platform: platform.map(|(text, _)| text), steps });
        }
        reached
    }

    /// The named context called `name`: of a stage, or of a reference however it is spelled.
    fn context(&self, name: &str) -> Option<usize> {
        let familiar = familiar(name);
        self.target.contexts.iter().position(|context| self::familiar(&context.name).eq_ignore_ascii_case(familiar))
    }

    /// The named context that takes the place of the stage at `index`.
    fn replacement(&self, index: usize) -> Option<usize> {
        self.file.stages[index].name.as_deref().and_then(|name| self.context(name))
    }

    /// What the named context of this index is.
    fn named(&mut self, context: usize, how: How, platform: Option<&str>, span: Span) -> Origin {
        match self.target.contexts[context].image.clone() {
            Some(reference) => self.image(reference, how, platform, span),
            None => Origin::Context(context),
        }
    }

    /// What the stage at `index` is built from.
    fn base(&mut self, index: usize, platform: Option<&str>) -> Origin {
        let span = self.file.stages[index].from.clone();
        let base = self.global.expand(span.clone()).text;
        if let Some(earlier) = self.file.stage_index(&base, index).filter(|_| !is_number(&base)) {
            return Origin::Stage(earlier);
        }
        if base == "scratch" {
            return Origin::Scratch;
        }
        let written = &self.file.text[span.clone()];
        if base.is_empty() || base.contains(UNKNOWN) {
            let message = format!("`FROM {written}` has a variable without a value");
            let help = "give its ARG a default before the first FROM, or a value in the image's `args:`";
            self.obstacles.push(Obstacle::At(span, message, help.to_owned()));
            return Origin::Scratch;
        }
        match self.context(&base) {
            Some(context) => self.named(context, How::From, platform, span),
            None => self.image(base, How::From, platform, span),
        }
    }

    /// The earlier stage that `from` of a `COPY` or mount names. An index is taken for one in `COPY` only.
    fn stage_of(&self, instruction: &Instruction, from: &Span, before: usize) -> Option<usize> {
        let name = unquoted(&self.file.text[from.clone()]);
        let index = self.file.stage_index(name, before)?;
        (instruction.keyword != Keyword::Run || !is_number(name)).then_some(index)
    }

    /// What `from` of a `COPY` or mount means.
    fn from(&mut self, instruction: &Instruction, from: &Span, stage: usize) -> Origin {
        let how = if instruction.keyword == Keyword::Run { How::Mount } else { How::Copy };
        if let Some(index) = self.stage_of(instruction, from, stage) {
            let replacement = self.replacement(index);
            return replacement.map_or(Origin::Stage(index), |context| self.named(context, how, None, from.clone()));
        }
        let flag = if how == How::Mount { "--mount=from" } else { "COPY --from" };
        let name = unquoted(&self.file.text[from.clone()]);
        let fault = |message: String, help: &str| Obstacle::At(from.clone(), message, help.to_owned());
        if name.contains('$') {
            let help = "make it a stage of its own: FROM takes variables";
            self.obstacles.push(fault(format!("`{flag}={name}`: variables are not replaced here"), help));
            return Origin::Scratch;
        }
        if let Some(context) = self.context(name) {
            return self.named(context, how, None, from.clone());
        }
        let later = self.file.stage_index(name, self.file.stages.len()).is_some();
        if later || is_number(name) && how == How::Copy {
            let help = "a stage sees only the stages before it";
            let message = match later {
                true => format!("`{flag}={name}`: that stage does not come before this one"),
                false => format!("`{flag}={name}`: there is no stage of that index"),
            };
            self.obstacles.push(fault(message, help));
            return Origin::Scratch;
        }
        match name {
            "scratch" => Origin::Scratch,
            _ => self.image(name.to_owned(), how, None, from.clone()),
        }
    }

    fn image(&mut self, reference: String, how: How, platform: Option<&str>, span: Span) -> Origin {
        self.uses.push(Use { reference, how, platform: platform.map(str::to_owned), span });
        Origin::Image(self.uses.len() - 1)
    }

    /// What an instruction does, if it does anything: `ARG` only counts where its value is used.
    fn step(&mut self, stage: usize, index: usize, instruction: &Instruction, scope: &Scope<'_>) -> Option<Step> {
        if instruction.keyword == Keyword::Arg {
            return None;
        }
        let text = &self.file.text[instruction.span.clone()];
        let used = scope.args().filter(|(name, _)| match instruction.keyword {
            // every ARG in scope is in the environment of the command
            Keyword::Run => true,
            Keyword::Command => false,
            _ => mentions(text, name),
        });
        let args = used.map(|(name, value)| (name.to_owned(), value.text.clone())).collect();
        let transfers = instruction.transfers.iter().filter(|_| instruction.keyword != Keyword::Onbuild);
        let transfers = transfers.map(|transfer| self.transfer(stage, instruction, transfer, scope)).collect();
        Some(Step { instruction: index, args, transfers })
    }

    fn transfer(
        &mut self,
        stage: usize,
        instruction: &Instruction,
        transfer: &Transfer,
        scope: &Scope<'_>,
    ) -> ReachedTransfer {
        let from = transfer.from.as_ref().map_or(Origin::Main, |from| self.from(instruction, from, stage));
        let known = |span: &Span| {
            let text = scope.expand(span.clone()).text;
            // whatever its variables are, a URL is no path in the context
            (is_fetched(instruction.keyword, &text) || !text.contains(UNKNOWN)).then_some(text)
        };
        ReachedTransfer {
            from,
            paths: transfer.paths.iter().map(known).collect(),
            excludes: transfer.excludes.iter().filter_map(known).collect(),
            parents: transfer.parents,
        }
    }
}

/// Whether `text` names the variable `name`: `$NAME` or `${NAME...`.
fn mentions(text: &str, name: &str) -> bool {
    let names = text.split('$').skip(1).map(|rest| rest.strip_prefix('{').unwrap_or(rest));
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    // an operand may name another variable, hence the look at every `$`
    names.into_iter().any(|rest| rest.strip_prefix(name).is_some_and(is_end))
}

/// Whether a source is fetched from elsewhere, as `ADD` does: a URL, or `user@host:path` as git has it.
pub(super) fn is_fetched(keyword: Keyword, source: &str) -> bool {
    !matches!(keyword, Keyword::Copy | Keyword::Run) && is_url(source)
}

fn is_url(source: &str) -> bool {
    let is_name = |part: &str| !part.is_empty() && !part.contains(['/', ':', '@']);
    let host = |rest: &str| rest.split_once(':').is_some_and(|(host, path)| is_name(host) && !path.is_empty());
    source.contains("://") || source.split_once('@').is_some_and(|(user, rest)| is_name(user) && host(rest))
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

/// A reference as people write it: without Docker Hub's name and without `:latest`.
pub(super) fn familiar(reference: &str) -> &str {
    let bare = reference.strip_prefix("docker.io/").or_else(|| reference.strip_prefix("index.docker.io/"));
    let bare = bare.map_or(reference, |bare| bare.strip_prefix("library/").unwrap_or(bare));
    bare.strip_suffix(":latest").unwrap_or(bare)
}
