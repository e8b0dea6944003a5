//! How far a parsed instruction reaches.

use parse_dockerfile as parser;

use super::Span;

/// The span of `parsed`, from its keyword to the last byte that the parser gives a place to. The parser sees no heredocs.
pub(super) fn instruction_span(parsed: &parser::Instruction<'_>) -> Span {
    use parser::Instruction as I;
    let string = |words: &[parser::UnescapedString<'_>]| words.last().map_or(0, |word| word.span.end);
    let command = |command: &parser::Command<'_>| match command {
        parser::Command::Exec(exec) => exec.span.end,
        parser::Command::Shell(shell) => shell.span.end,
        _ => 0,
    };
    let (keyword, end) = match parsed {
        I::Add(i) => (&i.add, i.dest.span.end),
        I::Arg(i) => (&i.arg, i.arguments.span.end),
        I::Cmd(i) => (&i.cmd, command(&i.arguments)),
        I::Copy(i) => (&i.copy, i.dest.span.end),
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
        I::Run(i) => (&i.run, command(&i.arguments)),
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
