//! The facts of one Dockerfile, each with its place: directives, definitions (`ARG`, `ENV`), stages, references.
//!
//! parse-dockerfile finds the instructions; what it leaves as one span (the arguments of `ARG` and `ENV`, the value of
//! `--mount`) is taken apart here, on the raw bytes, because an edit needs the place of each value.
//!
//! Source of the rules: the Dockerfile reference, <https://docs.docker.com/reference/dockerfile/>.

mod directives;
mod heredoc;
mod span;
mod words;

use std::ops::Range;

use parse_dockerfile as parser;

use directives::Directives;
use heredoc::Heredocs;
use words::Words;
pub(super) use words::continuation_end;

/// A range of bytes in the file.
pub type Span = Range<usize>;

/// A Dockerfile's facts. Spans are byte offsets into the file as it is on disk, byte order mark included.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    /// The text that spans refer to. Bytes that are not UTF-8 are replaced by `?`, one for one.
    pub text: String,
    /// The escape character: a backslash, or a backtick where the directive says so.
    pub escape: u8,
    /// Value of the `# syntax=` directive.
    pub syntax: Option<Span>,
    /// `ARG`s before the first `FROM`, in order.
    pub globals: Vec<Definition>,
    /// In order.
    pub stages: Vec<Stage>,
}

/// `NAME`, or `NAME=value`, of an `ARG` or `ENV` instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Whether it is an `ENV`.
    pub env: bool,
    /// The name.
    pub name: String,
    /// The value as written, quotes included; `None` for an `ARG` without default.
    pub value: Option<Span>,
}

/// A build stage: from its `FROM` to the next.
#[derive(Debug, Clone)]
pub struct Stage {
    /// `FROM ... AS name`.
    pub name: Option<String>,
    /// What it is built from: an image reference or an earlier stage, not yet expanded.
    pub from: Span,
    /// Value of `FROM --platform=`.
    pub platform: Option<Span>,
    /// The whole `FROM` instruction.
    pub span: Span,
    /// What follows the `FROM`, in order.
    pub instructions: Vec<Instruction>,
}

/// One instruction of a stage.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// Which one.
    pub keyword: Keyword,
    /// All of it, continuation lines and heredocs included.
    pub span: Span,
    /// Where the bodies of its heredocs begin.
    pub heredocs: Option<usize>,
    /// What it defines, for `ARG` and `ENV`.
    pub definitions: Vec<Definition>,
    /// Files that it takes from elsewhere: of `COPY`, `ADD` and bind mounts.
    pub transfers: Vec<Transfer>,
}

impl Instruction {
    /// Images and stages that it names: `COPY --from=`, `RUN --mount=from=`.
    pub fn references(&self) -> impl Iterator<Item = &Span> {
        self.transfers.iter().filter_map(|transfer| transfer.from.as_ref())
    }
}

/// The instructions that are told apart here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// `ADD`.
    Add,
    /// `ARG`.
    Arg,
    /// `COPY`.
    Copy,
    /// `RUN`.
    Run,
    /// `ONBUILD`; its definitions and transfers are those of the instruction inside, which other builds carry out.
    Onbuild,
    /// `CMD`, `ENTRYPOINT`, `HEALTHCHECK` and `SHELL`: variables in them are left to the shell of the running image.
    Command,
    /// Any other; its variables are replaced by the builder.
    Other,
}

/// Files that an instruction takes from the build context, a stage or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// `--from=`, or `from=` of a mount; `None` is the build context.
    pub from: Option<Span>,
    /// Their paths, not yet expanded; an empty one is everything. URLs are among them.
    pub paths: Vec<Span>,
    /// Values of `--exclude=`.
    pub excludes: Vec<Span>,
    /// Whether `--parents` is there.
    pub parents: bool,
}

/// Why a text is no Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What the parser said, without the place.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
}

impl Dockerfile {
    /// Reads the facts of `bytes`. A file without any `FROM` has no stages, and is fine.
    pub fn parse(bytes: &[u8]) -> Result<Self, SyntaxError> {
        let (text, offset) = one_byte_a_byte(bytes);
        let body = &text[offset..];
        if body.trim().is_empty() {
            return Ok(Dockerfile { text, escape: b'\\', syntax: None, globals: Vec::new(), stages: Vec::new() });
        }
        let directives = Directives::read(body);
        let heredocs = heredoc::find(body, directives.escape);
        let plain = heredoc::without(body, &heredocs);
        let parsed = parser::parse_iter(&plain).map_err(syntax_error)?;
        let mut file = Dockerfile {
            syntax: directives.syntax.map(|span| shift(span, offset)),
            escape: directives.escape,
            globals: Vec::new(),
            stages: Vec::new(),
            text: String::new(),
        };
        let reader = Reader { text: &text, offset, escape: file.escape, heredocs: &heredocs };
        for instruction in parsed {
            match instruction {
                Ok(instruction) => reader.add(&instruction, &mut file),
                // a fragment of definitions without a stage is still worth reading
                Err(error) if file.stages.is_empty() && error.to_string().contains("at least one FROM") => break,
                Err(error) => return Err(syntax_error(error)),
            }
        }
        file.text = text;
        Ok(file)
    }

    /// Every definition of the file: global ones, then those of the stages, in order.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        let staged = self.stages.iter().flat_map(|stage| &stage.instructions).flat_map(|i| &i.definitions);
        self.globals.iter().chain(staged)
    }

    /// Index of the stage that `name` (a name in any case, or a number) means when `before` stages come before it.
    pub fn stage_index(&self, name: &str, before: usize) -> Option<usize> {
        let earlier = &self.stages[..before];
        let by_name = earlier.iter().rposition(|s| s.name.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name)));
        by_name.or_else(|| name.parse().ok().filter(|index| *index < before))
    }
}

/// The text of `bytes` with every byte of the original in its place, and the length of its byte order mark.
fn one_byte_a_byte(bytes: &[u8]) -> (String, usize) {
    let offset = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    (text, offset)
}

fn syntax_error(error: parser::Error) -> SyntaxError {
    let text = error.to_string();
    let message = text.split_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
    SyntaxError { message, line: error.line().max(1) }
}

fn shift(span: Span, by: usize) -> Span {
    span.start + by..span.end + by
}

/// Turns parsed instructions into facts.
struct Reader<'a> {
    text: &'a str,
    offset: usize,
    escape: u8,
    heredocs: &'a [Heredocs],
}

impl Reader<'_> {
    fn add(&self, parsed: &parser::Instruction<'_>, file: &mut Dockerfile) {
        if let parser::Instruction::From(from) = parsed {
            let image = shift(from.image.span.clone(), self.offset);
            let end = from.as_.as_ref().map_or(image.end, |(_, name)| name.span.end + self.offset);
            file.stages.push(Stage {
                name: from.as_.as_ref().map(|(_, name)| name.value.to_string()),
                platform: self.flag(&from.options, "platform"),
                from: image,
                span: from.from.span.start + self.offset..end,
                instructions: Vec::new(),
            });
            return;
        }
        let mut facts = self.facts(parsed);
        if let Some(heredocs) = self.heredocs_of(facts.span.start) {
            facts.heredocs = Some(heredocs.bodies.start + self.offset);
            facts.span.end = heredocs.bodies.end + self.offset;
        }
        match file.stages.last_mut() {
            Some(stage) => stage.instructions.push(facts),
            None => file.globals.extend(facts.definitions),
        }
    }

    fn facts(&self, parsed: &parser::Instruction<'_>) -> Instruction {
        let span = shift(span::instruction_span(parsed), self.offset);
        let words = Words { text: self.text, escape: self.escape };
        let mut facts = Instruction {
            keyword: Keyword::Other,
            span,
            heredocs: None,
            definitions: Vec::new(),
            transfers: Vec::new(),
        };
        match parsed {
            parser::Instruction::Arg(arg) => {
                facts.keyword = Keyword::Arg;
                facts.definitions = words.definitions(shift(arg.arguments.span.clone(), self.offset), false);
            }
            parser::Instruction::Env(env) => {
                facts.definitions = words.definitions(shift(env.arguments.span.clone(), self.offset), true);
            }
            parser::Instruction::Copy(copy) => {
                facts.keyword = Keyword::Copy;
                facts.transfers = vec![self.transfer(&copy.options, &copy.src)];
            }
            parser::Instruction::Add(add) => {
                facts.keyword = Keyword::Add;
                facts.transfers = vec![self.transfer(&add.options, &add.src)];
            }
            parser::Instruction::Run(run) => {
                facts.keyword = Keyword::Run;
                let mounts = run.options.iter().filter(|flag| flag.name.value == "mount");
                let values = mounts.filter_map(|flag| flag.value.as_ref());
                let mounts = values.filter_map(|value| self.mount(shift(value.span.clone(), self.offset)));
                facts.transfers = mounts.collect();
            }
            parser::Instruction::Onbuild(onbuild) => {
                let inner = self.facts(&onbuild.instruction);
                let keyword = Keyword::Onbuild;
                facts = Instruction { keyword, span: facts.span.start..inner.span.end, ..inner };
            }
            parser::Instruction::Cmd(_)
            | parser::Instruction::Entrypoint(_)
            | parser::Instruction::Healthcheck(_)
            | parser::Instruction::Shell(_) => facts.keyword = Keyword::Command,
            _ => {}
        }
        facts
    }

    fn flag(&self, flags: &[parser::Flag<'_>], name: &str) -> Option<Span> {
        let flag = flags.iter().find(|flag| flag.name.value == name)?;
        flag.value.as_ref().map(|value| shift(value.span.clone(), self.offset))
    }

    /// The heredocs of the instruction that begins at `start` of the file.
    fn heredocs_of(&self, start: usize) -> Option<&Heredocs> {
        self.heredocs.iter().find(|heredocs| heredocs.instruction + self.offset == start)
    }

    /// Whether the word at `span` of the parsed text stands for a heredoc.
    fn is_heredoc(&self, span: &Span) -> bool {
        self.heredocs.iter().flat_map(|heredocs| &heredocs.words).any(|word| word == span)
    }

    fn transfer(&self, flags: &[parser::Flag<'_>], sources: &[parser::Source<'_>]) -> Transfer {
        let paths = sources.iter().filter_map(|source| match source {
            parser::Source::Path(path) if !self.is_heredoc(&path.span) => Some(shift(path.span.clone(), self.offset)),
            _ => None,
        });
        let excludes = flags.iter().filter(|flag| flag.name.value == "exclude");
        let excludes = excludes.filter_map(|flag| flag.value.as_ref());
        let off = |flag: &parser::Flag<'_>| flag.value.as_ref().is_some_and(|value| value.value == "false");
        Transfer {
            from: self.flag(flags, "from"),
            paths: paths.collect(),
            excludes: excludes.map(|value| shift(value.span.clone(), self.offset)).collect(),
            parents: flags.iter().any(|flag| flag.name.value == "parents" && !off(flag)),
        }
    }

    /// `type=bind,from=image,source=path`, if it brings files of somewhere else.
    fn mount(&self, value: Span) -> Option<Transfer> {
        let (mut from, mut source, mut bind) = (None, None, true);
        let mut at = value.start;
        let end = value.end;
        for field in self.text[value].split(',') {
            let (key, written) = field.split_once('=').unwrap_or((field, ""));
            let span = at + field.len() - written.len()..at + field.len();
            match key.trim_start_matches(['"', '\'']) {
                "from" => from = Some(span),
                "source" | "src" => source = Some(span),
                "type" => bind = written == "bind",
                _ => {}
            }
            at += field.len() + 1;
        }
        // a bind mount without source mounts everything: an empty path
        let paths = vec![source.unwrap_or(end..end)];
        (bind || from.is_some()).then_some(Transfer { from, paths, excludes: Vec::new(), parents: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions(text: &str) -> Vec<(String, Option<String>)> {
        let file = Dockerfile::parse(text.as_bytes()).unwrap();
        file.definitions().map(|d| (d.name.clone(), d.value.clone().map(|v| file.text[v].to_owned()))).collect()
    }

    fn pair(name: &str, value: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn definitions_are_split_however_they_are_written() {
        for (text, expected) in [
            ("ARG A=1 B=2\nFROM x", vec![pair("A", "1"), pair("B", "2")]),
            ("ARG \"V=1\"\nFROM x", vec![pair("V", "1")]),
            ("ARG V=\"1\"\nFROM x", vec![pair("V", "\"1\"")]),
            ("arg V=\nFROM x", vec![pair("V", "")]),
            ("ARG V\nFROM x", vec![("V".into(), None)]),
            ("FROM x\nENV A=1 \\\n  # why\n\n  B=2", vec![pair("A", "1"), pair("B", "2")]),
            ("FROM x\nENV V some text", vec![pair("V", "some text")]),
            ("\u{feff}ARG V=1\r\nFROM x\r\n", vec![pair("V", "1")]),
            ("# escape=`\nARG A=1 `\n  B=2\nFROM x", vec![pair("A", "1"), pair("B", "2")]),
            ("ARG\tA=1\t\nFROM x", vec![pair("A", "1")]),
            ("ARG V=1", vec![pair("V", "1")]),
        ] {
            assert_eq!(definitions(text), expected, "{text:?}");
        }
    }

    #[test]
    fn references_are_found_wherever_flags_stand() {
        let text = "# syntax=docker/dockerfile:1.7\n\
            FROM --platform=$BUILDPLATFORM a:1 as Base\n\
            COPY --chown=1:1 --from=b:2 --link /x /y\n\
            COPY --from=base /x /y\n\
            RUN --mount=type=bind,from=c:3,target=/m --mount=type=cache,target=/c true\n\
            RUN cat <<EOF >/a && cat <<-E >/b\nFROM z:9\nEOF\nFROM y:9\n\tE\n\
            COPY a b /c/\n\
            RUN --mount=type=bind,source=d,target=/d true\n";
        let file = Dockerfile::parse(text.as_bytes()).unwrap();
        let texts = |spans: Vec<&Span>| spans.into_iter().map(|s| &text[s.clone()]).collect::<Vec<_>>();
        assert_eq!(&text[file.syntax.clone().unwrap()], "docker/dockerfile:1.7");
        assert_eq!(file.stages.len(), 1, "a FROM inside a heredoc is no stage");
        let stage = &file.stages[0];
        assert_eq!(&text[stage.platform.clone().unwrap()], "$BUILDPLATFORM");
        assert_eq!(&text[stage.span.clone()], "FROM --platform=$BUILDPLATFORM a:1 as Base");
        assert_eq!(
            texts(stage.instructions.iter().flat_map(Instruction::references).collect()),
            ["b:2", "base", "c:3"]
        );
        let local = stage.instructions.iter().flat_map(|i| &i.transfers).filter(|t| t.from.is_none());
        assert_eq!(texts(local.flat_map(|t| &t.paths).collect()), ["a", "b", "d"]);
        assert_eq!(file.stage_index("BASE", 1), Some(0));
        assert_eq!(file.stage_index("0", 1), Some(0));
        assert_eq!(file.stage_index("base", 0), None);
    }

    #[test]
    fn bytes_that_are_no_text_keep_their_places() {
        let file = Dockerfile::parse(b"# caf\xe9\nARG V=1\nFROM x").unwrap();
        assert_eq!(file.globals[0].value, Some(13..14));
    }

    #[test]
    fn what_is_no_dockerfile_says_where() {
        let error = Dockerfile::parse(b"FROM x\nNONSENSE y\n").unwrap_err();
        assert_eq!(error.line, 2, "{error:?}");
    }
}
