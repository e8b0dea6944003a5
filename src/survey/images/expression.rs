//! Expressions of GitHub Actions, as far as they can be told: <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>.

use std::collections::BTreeMap;

use super::mark::marked;

/// What `${{ name }}` stands for, by name: `env.REGISTRY`, `steps.tag.outputs.TAG`.
pub type Known = BTreeMap<String, String>;

/// Stand in YAML around the name of a component: a bracket there would begin a mapping.
pub const NAME_IN_YAML: [char; 2] = ['\u{e000}', '\u{e001}'];

/// `text` with its expressions replaced, or marked.
pub fn substitute(text: &str, known: &Known) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let Some((expression, after)) = after.split_once("}}") else { break };
        out += before;
        out += &value(expression, known);
        rest = after;
    }
    (out + rest).replace(NAME_IN_YAML[0], "{").replace(NAME_IN_YAML[1], "}")
}

fn value(expression: &str, known: &Known) -> String {
    let expression = expression.trim();
    let literal =
        expression.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).filter(|one| !one.contains('\''));
    match literal.map(str::to_owned).or_else(|| known.get(&normal(expression)).cloned()) {
        Some(value) => value,
        None => marked(expression),
    }
}

/// Contexts are told without regard to case; their last part, a name somebody gave, is kept.
fn normal(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((context, last)) if !context.eq_ignore_ascii_case("github") => format!("{context}.{last}"),
        _ => name.to_ascii_lowercase(),
    }
}

/// Whether `condition` is never true for a push of the tag `reference`, `refs/tags/...`. What cannot be told may be true.
pub fn is_never(condition: &str, reference: Option<&str>) -> bool {
    let condition = condition.trim().trim_start_matches("${{").trim_end_matches("}}");
    condition.split("||").all(|all| all.split("&&").any(|one| is_false(one, reference)))
}

fn is_false(raw: &str, reference: Option<&str>) -> bool {
    let raw = raw.replace(' ', "");
    let atom = raw.replace(['(', ')', ' ', '"'], "").replace("${{", "").replace("}}", "");
    let event = reference.is_some();
    if !raw.contains("!(") && ["!startsWithgithub.ref,'refs/tags/'", "github.ref_type!='tag'"].contains(&&*atom) {
        return event;
    }
    match atom.split_once("==") {
        _ if atom == "false" => true,
        Some(("github.ref", branch)) => event && branch.starts_with("'refs/heads/"),
        // a name without a figure is that of a branch
        Some(("github.ref_name", name)) => {
            event && name.starts_with('\'') && !name.contains(|c: char| c.is_ascii_digit())
        }
        Some(("github.ref_type", kind)) => event && kind == "'branch'",
        Some(("github.event_name", name)) => event && ["'pull_request'", "'schedule'"].contains(&name),
        _ => event && atom.starts_with("startsWithgithub.ref,'refs/heads/"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::mark::unknown;
    use super::*;

    #[test]
    fn expressions_are_replaced_or_named() {
        let known = [("env.R", "r.example.com"), ("steps.t.outputs.TAG", "{gs}"), ("github.ref_name", "v{gs}")];
        let known = known.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let told = |text: &str| substitute(text, &known);
        assert_eq!(told("${{ env.R }}/a:${{steps.t.outputs.TAG}}-${{ 'x' }}"), "r.example.com/a:{gs}-x");
        assert_eq!(told("${{ GITHUB.REF_NAME }}"), "v{gs}");
        assert_eq!(unknown(&told("a:${{ inputs.v || 'x' }}")), Some("inputs.v || 'x'"));
        assert_eq!(told("a ${{ b"), "a ${{ b");
    }

    #[test]
    fn a_condition_that_a_tag_never_meets_is_told() {
        let tag = Some("refs/tags/v1");
        for (condition, never) in [
            ("false", true),
            ("${{ github.ref == 'refs/heads/main' && github.repository == 'a/b' }}", true),
            ("(github.ref == 'refs/heads/main') || (startsWith(github.ref, 'refs/tags/v'))", false),
            ("${{ github.event_name == 'pull_request' }}", true),
            ("github.event_name != 'pull_request'", false),
            ("startsWith(github.ref, 'refs/heads/')", true),
            ("!(startsWith(github.ref, 'refs/tags/') && x)", false),
            ("!startsWith(github.ref, 'refs/tags/')", true),
            ("${{ github.ref_type != 'tag' }}", true),
            ("github.ref_type == 'tag'", false),
            ("github.ref_name == 'main'", true),
            ("github.ref_name == 'v1'", false),
            ("github.ref_name == inputs.branch", false),
            ("always()", false),
        ] {
            assert_eq!(is_never(condition, tag), never, "{condition}");
        }
        assert!(!is_never("github.ref == 'refs/heads/main'", None) && is_never("${{ false }}", None));
    }
}
