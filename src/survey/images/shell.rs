//! A script of the shell, taken apart into its commands. Nothing is run and nothing is replaced here.
//!
//! Source: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html>.

use super::mark::MARK;

/// Quotes and brackets within each other are told apart no deeper than this.
pub const DEEPEST: usize = 32;

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its line in the script, from 0.
    pub line: usize,
    /// Whether it runs only under a condition, more than once, or when a function is called.
    pub conditional: bool,
    /// Its words as written, quotes and variables included; `(` and `)` alone begin and end a shell of its own.
    pub words: Vec<String>,
}

#[derive(Debug)]
enum Token {
    Word(String, usize),
    Operator(&'static str, usize),
}

/// The commands of `script`, in order.
pub fn commands(script: &str) -> Vec<Command> {
    let mut reader = Reader::default();
    let mut words: Vec<String> = Vec::new();
    let mut first = 0;
    for token in tokens(script) {
        match token {
            Token::Word(word, line) => {
                if words.is_empty() {
                    first = line;
                }
                words.push(word);
            }
            Token::Operator("(", line) => match words.len() {
                0 => reader.found.push(Command { line, conditional: false, words: vec!["(".to_owned()] }),
                _ => {
                    words.clear();
                    reader.is_function = true;
                }
            },
            Token::Operator(operator, line) => {
                reader.end(std::mem::take(&mut words), first, operator);
                if operator == ")" && !reader.is_function {
                    reader.found.push(Command { line, conditional: false, words: vec![")".to_owned()] });
                }
            }
        }
    }
    reader.end(words, first, "\n");
    reader.found
}

#[derive(Default)]
struct Reader {
    found: Vec<Command>,
    /// Open constructs, and whether what is in them is conditional.
    open: Vec<bool>,
    is_function: bool,
    /// What is left of the chain of `&&` and `||` runs only under a condition.
    chained: bool,
    is_test: bool,
}

impl Reader {
    /// Takes the words of one command, which `operator` ends.
    fn end(&mut self, mut words: Vec<String>, line: usize, operator: &str) {
        while let Some(word) = words.first().cloned() {
            match word.as_str() {
                "if" | "while" | "until" => self.open.push(true),
                "for" | "case" | "select" => {
                    self.open.push(true);
                    words.clear();
                    break;
                }
                "fi" | "done" | "esac" | "}" => {
                    self.open.pop();
                    words.clear();
                    break;
                }
                "{" => self.open.push(std::mem::take(&mut self.is_function)),
                "then" | "else" | "elif" | "do" | "!" | "time" => {}
                "function" => {
                    self.is_function = true;
                    words.clear();
                    break;
                }
                _ => break,
            }
            words.remove(0);
        }
        if let Some(word) = words.first() {
            self.is_test = ["[", "[[", "test", "true", "false"].contains(&word.as_str()) || word.starts_with("((");
            let conditional = self.chained || self.open.contains(&true);
            self.found.push(Command { line, conditional, words });
        }
        self.chained = match operator {
            "||" => true,
            "&&" => self.chained || self.is_test,
            "|" => self.chained,
            _ => false,
        };
    }
}

fn tokens(script: &str) -> Vec<Token> {
    let characters: Vec<char> = script.chars().collect();
    let (mut at, mut line) = (0, 0);
    let mut found = Vec::new();
    let mut word: Option<(String, usize)> = None;
    let mut heredocs: Vec<String> = Vec::new();
    while let Some(&c) = characters.get(at) {
        let next = characters.get(at + 1).copied();
        let operator = match (c, next) {
            ('&', Some('&')) => Some("&&"),
            ('|', Some('|')) => Some("||"),
            (';', Some(';')) => Some(";;"),
            ('&', Some('>')) => None,
            ('&', _) if word.as_ref().is_some_and(|(word, _)| word.ends_with(['>', '<'])) => None,
            ('&', _) => Some("&"),
            ('|', _) => Some("|"),
            (';', _) => Some(";"),
            ('(', _) if word.as_ref().is_some_and(|(word, _)| word.ends_with('=')) => None,
            ('(', Some('(')) if word.is_none() => None,
            ('(', _) => Some("("),
            (')', _) => Some(")"),
            ('\n', _) => Some("\n"),
            _ => None,
        };
        if let Some(operator) = operator {
            found.extend(word.take().map(|(word, line)| Token::Word(word, line)));
            found.push(Token::Operator(operator, line));
            at += operator.len();
            if c == '\n' {
                line += 1;
                for end in heredocs.drain(..) {
                    let skipped = heredoc(&characters[at..], &end);
                    line += characters[at..at + skipped].iter().filter(|c| **c == '\n').count();
                    at += skipped;
                }
            }
            continue;
        }
        if c == '\\' && next == Some('\n') {
            (at, line) = (at + 2, line + 1);
            continue;
        }
        if c == '#' && word.is_none() {
            at += characters[at..].iter().take_while(|c| **c != '\n').count();
            continue;
        }
        if c.is_whitespace() {
            found.extend(word.take().map(|(word, line)| Token::Word(word, line)));
            at += 1;
            continue;
        }
        let is_here_string = characters[at..].starts_with(&['<'; 3]);
        let length = if is_here_string { 3 } else { piece(&characters[at..], 0) };
        if c == '<' && next == Some('<') && !is_here_string {
            let rest: String = characters[at + 2..].iter().take_while(|c| !"\n;|&<>()".contains(**c)).collect();
            let end = rest.trim_start_matches('-').split_whitespace().next().unwrap_or_default().to_owned();
            heredocs.push(end.trim_matches(['"', '\'', '\\']).to_owned());
            at += 2;
            continue;
        }
        let text: String = characters[at..at + length].iter().collect();
        line += text.matches('\n').count();
        word.get_or_insert((String::new(), line)).0.push_str(&text);
        at += length;
    }
    found.extend(word.map(|(word, line)| Token::Word(word, line)));
    found
}

/// How long the lines of a here-document are that the line `end` ends; none, where there is no such line.
fn heredoc(text: &[char], end: &str) -> usize {
    let mut length = 0;
    for line in text.split(|c| *c == '\n') {
        length += line.len() + 1;
        if line.iter().collect::<String>().trim() == end {
            return length.min(text.len());
        }
    }
    0
}

/// How long the piece of a word is that `text` begins with: one that is closed by a quote or a bracket, else a character.
///
/// `depth` pieces are open around it; in too many, the rest is one piece.
fn piece(text: &[char], depth: usize) -> usize {
    if depth > DEEPEST {
        return text.len();
    }
    let close = |end: char| text.iter().skip(1).position(|c| *c == end).map_or(text.len(), |at| at + 2);
    match (text.first(), text.get(1)) {
        (Some('\''), _) => close('\''),
        (Some('`'), _) => close('`'),
        (Some(&MARK), _) => close(MARK),
        (Some('\\'), Some(_)) => 2,
        (Some('"'), _) => {
            let mut at = 1;
            while at < text.len() && text[at] != '"' {
                at += if text[at] == '$' || text[at] == '\\' { piece(&text[at..], depth + 1) } else { 1 };
            }
            (at + 1).min(text.len())
        }
        (Some('$'), Some('(')) => 1 + balanced(&text[1..], '(', ')', depth),
        (Some('$'), Some('{')) => 1 + balanced(&text[1..], '{', '}', depth),
        (Some('('), _) => balanced(text, '(', ')', depth),
        _ => 1,
    }
}

fn balanced(text: &[char], open: char, close: char, depth: usize) -> usize {
    let (mut brackets, mut at) = (0, 0);
    while at < text.len() {
        match text[at] {
            c if c == open => brackets += 1,
            c if c == close => brackets -= 1,
            '\'' | '"' | '\\' => {
                at += piece(&text[at..], depth + 1);
                continue;
            }
            _ => {}
        }
        at += 1;
        if brackets == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(script: &str) -> Vec<(usize, bool, String)> {
        let told = |command: Command| (command.line, command.conditional, command.words.join("|"));
        commands(script).into_iter().map(told).collect()
    }

    #[test]
    fn commands_are_told_with_their_lines() {
        let script = "# docker build no\ncd \"a b\" && docker build \\\n  -t \"x:$(cat 'V' | tr -d v)\" . > log 2>&1; X=(a b)\n\
            cat <<'EOF' > f\ndocker build no\nEOF\n(cd x; make) | tee \"${A:-b}\" &\n";
        let expected = [
            (1, "cd|\"a b\""),
            (1, "docker|build|-t|\"x:$(cat 'V' | tr -d v)\"|.|>|log|2>&1"),
            (2, "X=(a b)"),
            (3, "cat|'EOF'|>|f"),
            (6, "("),
            (6, "cd|x"),
            (6, "make"),
            (6, ")"),
            (6, "tee|\"${A:-b}\""),
        ];
        assert_eq!(told(script), expected.map(|(line, words)| (line, false, words.to_owned())));
    }

    #[test]
    fn what_runs_under_a_condition_is_told() {
        let script = "if [[ -n $V ]]; then\n  make a\nelse make b; fi\nmake c\nfor i in 1 2; do make d; done\n\
            f() {\n make e\n}\nfalse || make g && make h\n[ -f x ] && make i\ncd x && make j\n{ make k; }\n";
        let conditional: Vec<String> =
            told(script).into_iter().filter(|(_, conditional, _)| *conditional).map(|(.., words)| words).collect();
        assert_eq!(conditional, ["[[|-n|$V|]]", "make|a", "make|b", "make|d", "make|e", "make|g", "make|h", "make|i"]);
    }

    #[test]
    fn text_that_is_never_closed_ends_with_the_script() {
        for script in ["a 'b", "a \"b $(c", "a ${b", "a `b", "cat << EOF\nb", "f() {", "a $", "a \\", "x=(", "\u{1a}"] {
            commands(script);
        }
    }

    #[test]
    fn what_follows_a_shift_or_a_redirection_is_not_lost() {
        for first in
            ["cat <<< a", "cat <<<a", "cat <<EOF>file\nno\nEOF", "(cat <<EOF)\nno\nEOF", "((1<<2))", "cat << EOF"]
        {
            let told = told(&format!("{first}\nmake a\n"));
            assert!(told.iter().any(|(.., words)| words == "make|a"), "{first}: {told:?}");
            assert!(told.iter().all(|(.., words)| words != "no"), "{first}: {told:?}");
        }
    }

    #[test]
    fn pieces_nested_too_deep_are_one_word() {
        let script = format!("X={}", "\"$(".repeat(60_000));
        assert_eq!(told(&script), [(0, false, script.clone())]);
    }
}
