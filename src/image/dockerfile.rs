//! The facts of one Dockerfile, each with its place: directives, definitions (`ARG`, `ENV`), stages, references.
//!
//! parse-dockerfile finds the instructions; what it leaves as one span (the arguments of `ARG` and `ENV`, the value of
//! `--mount`) is taken apart here, on the raw bytes, because an edit needs the place of each value.
//!
//! Source of the rules: the Dockerfile reference, <https://docs.docker.com/reference/dockerfile/>.

use std::ops::Range;

use parse_dockerfile as parser;

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
    /// All of it, continuation lines and heredocs included.
    pub span: Span,
    /// What it defines, for `ARG` and `ENV`.
    pub definitions: Vec<Definition>,
    /// Images and stages that it names: `COPY --from=`, `RUN --mount=from=`.
    pub references: Vec<Span>,
    /// Sources in the build context: of `COPY` and `ADD` without `--from`, and of bind mounts without `from`.
    pub sources: Vec<Span>,
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
        let parsed = parser::parse_iter(body).map_err(syntax_error)?;
        let directives = Directives::read(body);
        let mut file = Dockerfile {
            syntax: directives.syntax.map(|span| shift(span, offset)),
            escape: directives.escape,
            globals: Vec::new(),
            stages: Vec::new(),
            text: String::new(),
        };
        let reader = Reader { text: &text, offset, escape: file.escape };
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

/// Parser directives: `# name=value` lines at the very top. The iterating parser does not hand them out.
struct Directives {
    escape: u8,
    syntax: Option<Span>,
}

impl Directives {
    fn read(body: &str) -> Self {
        let mut directives = Directives { escape: b'\\', syntax: None };
        let mut at = 0;
        for line in body.split_inclusive('\n') {
            let Some((name, value)) = line.trim_start().strip_prefix('#').and_then(|rest| rest.split_once('=')) else {
                break;
            };
            let trimmed = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "syntax" => {
                    let start = at + line.len() - value.len() + (value.len() - value.trim_start().len());
                    directives.syntax = Some(start..start + trimmed.len());
                }
                "escape" if trimmed == "`" => directives.escape = b'`',
                "escape" | "check" => {}
                _ => break,
            }
            at += line.len();
        }
        directives
    }
}

/// Turns parsed instructions into facts.
struct Reader<'a> {
    text: &'a str,
    offset: usize,
    escape: u8,
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
        let facts = self.facts(parsed);
        match file.stages.last_mut() {
            Some(stage) => stage.instructions.push(facts),
            None => file.globals.extend(facts.definitions),
        }
    }

    fn facts(&self, parsed: &parser::Instruction<'_>) -> Instruction {
        let span = shift(instruction_span(parsed), self.offset);
        let mut facts = Instruction { span, definitions: Vec::new(), references: Vec::new(), sources: Vec::new() };
        match parsed {
            parser::Instruction::Arg(arg) => {
                facts.definitions = self.definitions(shift(arg.arguments.span.clone(), self.offset), false);
            }
            parser::Instruction::Env(env) => {
                facts.definitions = self.definitions(shift(env.arguments.span.clone(), self.offset), true);
            }
            parser::Instruction::Copy(copy) => match self.flag(&copy.options, "from") {
                Some(from) => facts.references.push(from),
                None => facts.sources = self.sources(&copy.src),
            },
            parser::Instruction::Add(add) => facts.sources = self.sources(&add.src),
            parser::Instruction::Run(run) => {
                for flag in run.options.iter().filter(|flag| flag.name.value == "mount") {
                    let Some(value) = &flag.value else { continue };
                    self.mount(shift(value.span.clone(), self.offset), &mut facts);
                }
            }
            parser::Instruction::Onbuild(onbuild) => {
                let inner = self.facts(&onbuild.instruction);
                facts = Instruction { span: facts.span.start..inner.span.end, ..inner };
            }
            _ => {}
        }
        facts
    }

    fn flag(&self, flags: &[parser::Flag<'_>], name: &str) -> Option<Span> {
        let flag = flags.iter().find(|flag| flag.name.value == name)?;
        flag.value.as_ref().map(|value| shift(value.span.clone(), self.offset))
    }

    fn sources(&self, sources: &[parser::Source<'_>]) -> Vec<Span> {
        let paths = sources.iter().filter_map(|source| match source {
            parser::Source::Path(path) => Some(shift(path.span.clone(), self.offset)),
            _ => None,
        });
        paths.collect()
    }

    /// `type=bind,from=image,source=path`: the reference, or else the source in the build context.
    fn mount(&self, value: Span, facts: &mut Instruction) {
        let (mut from, mut source, mut bind) = (None, None, true);
        let mut at = value.start;
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
        match (from, source) {
            (Some(from), _) => facts.references.push(from),
            (None, Some(source)) if bind => facts.sources.push(source),
            // a bind mount without source mounts the whole context: an empty path
            (None, None) if bind => facts.sources.push(at..at),
            _ => {}
        }
    }

    /// Splits the arguments of `ARG` or `ENV` into definitions.
    fn definitions(&self, arguments: Span, env: bool) -> Vec<Definition> {
        let words = self.words(arguments.clone());
        let bytes = self.text.as_bytes();
        if let (true, Some(first)) = (env, words.first())
            && !bytes[first.clone()].contains(&b'=')
        {
            // the old form, `ENV NAME the rest of the line`
            let rest = words.get(1).map_or(arguments.end, |second| second.start)..arguments.end;
            return vec![Definition { env, name: self.text[first.clone()].to_owned(), value: Some(rest) }];
        }
        words.into_iter().filter_map(|word| self.definition(word, env)).collect()
    }

    fn definition(&self, word: Span, env: bool) -> Option<Definition> {
        let written = &self.text[word.clone()];
        // `ARG "V=1"`: the quotes are around all of it
        let quoted = ['"', '\''].iter().any(|q| written.len() > 1 && written.starts_with(*q) && written.ends_with(*q));
        let inner = if quoted { word.start + 1..word.end - 1 } else { word };
        let written = &self.text[inner.clone()];
        let (name, value) = match written.find('=') {
            Some(equals) => (&written[..equals], Some(inner.start + equals + 1..inner.end)),
            None => (written, None),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
        (!name.is_empty() && name.chars().all(is_name)).then(|| Definition { env, name: name.to_owned(), value })
    }

    /// The words of `span`, split at white space outside quotes; continuations and the comment lines among them are
    /// white space.
    fn words(&self, span: Span) -> Vec<Span> {
        let bytes = self.text.as_bytes();
        let mut words = Vec::new();
        let (mut start, mut quote) = (None, None);
        let mut at = span.start;
        while at < span.end {
            let byte = bytes[at];
            if let Some(next) = continuation_end(bytes, at, self.escape) {
                // a continuation inside a word would join it; such a word is not one place, so it ends here
                words.extend(start.take().map(|start| start..at));
                at = next.min(span.end);
                continue;
            }
            match (byte, quote) {
                (b'"' | b'\'', None) => quote = Some(byte),
                (_, Some(open)) if byte == open => quote = None,
                (_, None) if byte.is_ascii_whitespace() => {
                    words.extend(start.take().map(|start| start..at));
                    at += 1;
                    continue;
                }
                _ => {}
            }
            start.get_or_insert(at);
            at += if byte == self.escape && quote != Some(b'\'') { 2 } else { 1 };
        }
        words.extend(start.map(|start| start..span.end));
        words
    }
}

/// If a line continuation begins at `at`, where the next line's content begins: comment and blank lines are skipped.
pub(super) fn continuation_end(bytes: &[u8], at: usize, escape: u8) -> Option<usize> {
    if bytes.get(at) != Some(&escape) {
        return None;
    }
    let mut line = line_end(bytes, at + 1)?;
    loop {
        let content = line + bytes[line..].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
        match bytes.get(content) {
            Some(b'#') => line = content + bytes[content..].iter().position(|b| *b == b'\n')? + 1,
            Some(b'\n') => line = content + 1,
            _ => return Some(line),
        }
    }
}

/// The start of the next line, if only white space stands between `at` and it.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let newline = at + bytes.get(at..)?.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\r'))?;
    (bytes[newline] == b'\n').then_some(newline + 1)
}

/// The span of `parsed`, from its keyword to the last byte that the parser gives a place to.
fn instruction_span(parsed: &parser::Instruction<'_>) -> Span {
    use parser::Instruction as I;
    let string = |words: &[parser::UnescapedString<'_>]| words.last().map_or(0, |word| word.span.end);
    let command = |command: &parser::Command<'_>| match command {
        parser::Command::Exec(exec) => exec.span.end,
        parser::Command::Shell(shell) => shell.span.end,
        _ => 0,
    };
    let (keyword, end) = match parsed {
        I::Add(i) => (&i.add, i.dest.span.end.max(heredoc_end(&i.src))),
        I::Arg(i) => (&i.arg, i.arguments.span.end),
        I::Cmd(i) => (&i.cmd, command(&i.arguments)),
        I::Copy(i) => (&i.copy, i.dest.span.end.max(heredoc_end(&i.src))),
        I::Entrypoint(i) => (&i.entrypoint, command(&i.arguments)),
        I::Env(i) => (&i.env, i.arguments.span.end),
        I::Expose(i) => (&i.expose, string(&i.arguments)),
        I::From(i) => (&i.from, i.image.span.end),
        I::Healthcheck(i) => match &i.arguments {
            parser::HealthcheckArguments::Cmd { arguments, .. } => (&i.healthcheck, command(arguments)),
            parser::HealthcheckArguments::None { none, .. } => (&i.healthcheck, none.span.end),
            _ => (&i.healthcheck, 0),
        },
        I::Label(i) => (&i.label, i.arguments.span.end),
        I::Maintainer(i) => (&i.maintainer, i.name.span.end),
        I::Onbuild(i) => (&i.onbuild, instruction_span(&i.instruction).end),
        I::Run(i) => {
            let heredocs = i.here_docs.last().map_or(0, |doc| doc.span.end);
            (&i.run, command(&i.arguments).max(heredocs))
        }
        I::Shell(i) => (&i.shell, string(&i.arguments)),
        I::Stopsignal(i) => (&i.stopsignal, i.arguments.span.end),
        I::User(i) => (&i.user, i.arguments.span.end),
        I::Volume(i) => match &i.arguments {
            parser::JsonOrStringArray::Json(json) => (&i.volume, json.span.end),
            parser::JsonOrStringArray::String(words) => (&i.volume, string(words)),
        },
        I::Workdir(i) => (&i.workdir, i.arguments.span.end),
        _ => return 0..0,
    };
    keyword.span.start..end.max(keyword.span.end)
}

fn heredoc_end(sources: &[parser::Source<'_>]) -> usize {
    let ends = sources.iter().filter_map(|source| match source {
        parser::Source::HereDoc(doc) => Some(doc.span.end),
        _ => None,
    });
    ends.max().unwrap_or(0)
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
            RUN <<EOF\nFROM z:9\nEOF\n\
            COPY a b /c/\n\
            RUN --mount=type=bind,source=d,target=/d true\n";
        let file = Dockerfile::parse(text.as_bytes()).unwrap();
        let texts = |spans: Vec<&Span>| spans.into_iter().map(|s| &text[s.clone()]).collect::<Vec<_>>();
        assert_eq!(&text[file.syntax.clone().unwrap()], "docker/dockerfile:1.7");
        assert_eq!(file.stages.len(), 1, "a FROM inside a heredoc is no stage");
        let stage = &file.stages[0];
        assert_eq!(&text[stage.platform.clone().unwrap()], "$BUILDPLATFORM");
        assert_eq!(&text[stage.span.clone()], "FROM --platform=$BUILDPLATFORM a:1 as Base");
        assert_eq!(texts(stage.instructions.iter().flat_map(|i| &i.references).collect()), ["b:2", "base", "c:3"]);
        assert_eq!(texts(stage.instructions.iter().flat_map(|i| &i.sources).collect()), ["a", "b", "d"]);
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
