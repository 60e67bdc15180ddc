//! `strings.render_template`: Go's `text/template` over JSON. Numbers are text to it, as they are when OPA hands them
//! over: `{{if .n}}` holds for 0, and `{{eq .n 1}}` is an error. What a key that is not there gives is `<undefined>`.

mod functions;
mod item;
mod lexer;
mod parser;
mod render;

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::value::Value;

pub(super) const TABLE: &[Builtin] =
    &[function("strings.render_template", &[Type::String, Type::RECORD], Type::String, render)];

/// The longest template that is read, in bytes.
const MAX_TEMPLATE: usize = 1 << 20;

/// How deep what a template holds may nest, templates within templates included.
const MAX_NESTING: usize = 100;

fn failed<T>(words: impl AsRef<str>) -> Result<T, BuiltinError> {
    Err(BuiltinError::failed(format!("template: {}", words.as_ref())))
}

fn too_deep() -> BuiltinError {
    BuiltinError::Halt("templates that nest more than 100 deep are not rendered here".into())
}

fn render<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    operand::object(arguments, 2)?;
    if text.len() > MAX_TEMPLATE {
        return Err(BuiltinError::Halt("templates of more than 1 MiB are not rendered here".into()));
    }
    call.spend(text.len() / 2)?;
    call.claim(text.len().saturating_mul(32))?;
    let data = super::json_schema::as_json(call, operand::at(arguments, 2), 0)?;
    let tokens = lexer::tokens(text);
    let templates = parser::parse(tokens)?;
    let rendered = render::render(call, &templates, data)?.replace("<no value>", "<undefined>");
    Ok(Some(call.text(&rendered)))
}

#[cfg(test)]
mod tests {
    use crate::rego::builtins::probe::answer;

    fn rendered(template: &str, data: &str) -> String {
        let template = serde_json::to_string(template).unwrap();
        answer("strings.render_template", &format!("[{template}, {data}]"))
    }

    #[test]
    fn templates_are_rendered() {
        for (template, data, expected) in [
            ("a {{.x}} {{.y}}", r#"{"x": 2.50}"#, "a 2.50 <undefined>"),
            ("{{range $i, $n := .n}}{{if $i}},{{end}}{{$n}}{{end}}", r#"{"n": ["a", "b"]}"#, "a,b"),
            (
                "{{range $k, $v := .m}}{{$k}}={{$v}};{{else}}none{{end}}",
                r#"{"m": {"b": 1, "a": [1, null]}}"#,
                "a=[1 <nil>];b=1;",
            ),
            (
                "{{with .a}}{{.b}}{{else}}no{{end}}|{{with .z}}{{else}}no{{end}}",
                r#"{"a": {"b": true}}"#,
                "true|no",
            ),
            ("x  {{- 1 -}}  y{{/* c */}}", "{}", "x1y"),
            (
                r#"{{define "t"}}<{{.}}>{{end}}{{template "t" .a}}{{block "b" .}}{{.a}}{{end}}"#,
                r#"{"a": "v"}"#,
                "<v>v",
            ),
            (
                r#"{{printf "%v-%03d" .a 7 | len}} {{index .l 1}} {{slice .a 1 2}}"#,
                r#"{"a": "abc", "l": [1, 2]}"#,
                "7 2 b",
            ),
            (r#"{{if and (eq .a "x") (not .b) (lt 1 2)}}yes{{end}}"#, r#"{"a": "x", "b": false}"#, "yes"),
            (
                "{{range .l}}{{if eq . \"b\"}}{{continue}}{{end}}{{if eq . \"d\"}}{{break}}{{end}}{{.}}{{end}}",
                r#"{"l": ["a", "b", "c", "d"]}"#,
                "ac",
            ),
            ("{{$x := 1}}{{range 3}}{{$x = .}}{{end}}{{$x}}", "{}", "2"),
            (
                "{{html .a}} {{js .a}} {{urlquery .a}}",
                r#"{"a": "<'é "}"#,
                "&lt;&#39;é  \\u003C\\'é  %3C%27%C3%A9+",
            ),
        ] {
            assert_eq!(
                rendered(template, data),
                format!("OK {}", serde_json::to_string(expected).unwrap()),
                "{template}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_an_error() {
        for (template, data) in [
            ("{{", "{}"),
            ("{{.a", "{}"),
            ("{{end}}", "{}"),
            ("{{if .a}}", "{}"),
            ("{{nope .a}}", "{}"),
            ("{{$x}}", "{}"),
            ("{{eq .n 1}}", r#"{"n": 1}"#),
            ("{{.a.b}}", r#"{"a": null}"#),
            ("{{range .a}}{{end}}", r#"{"a": "text"}"#),
            ("{{template \"t\"}}", "{}"),
            ("{{index .l 9}}", r#"{"l": []}"#),
            ("{{break}}", "{}"),
        ] {
            let given = rendered(template, data);
            assert!(
                given.starts_with("ERR eval_builtin_error: strings.render_template: template: "),
                "{template}: {given}"
            );
        }
    }

    #[test]
    fn endless_templates_end() {
        let given = rendered(r#"{{define "t"}}{{template "t" .}}{{end}}{{template "t" .}}"#, "{}");
        assert_eq!(given, "HALT templates that nest more than 100 deep are not rendered here");
        assert!(rendered("{{range 1000000000000}}x{{end}}", "{}").starts_with("HALT evaluation took more"));
        assert!(rendered(&"{{if 1}}".repeat(10_000), "{}").starts_with("HALT templates that nest"));
        assert!(
            rendered(&format!("{{{{{}", "(".repeat(10_000)), "{}").starts_with("HALT templates that nest")
        );
    }
}
