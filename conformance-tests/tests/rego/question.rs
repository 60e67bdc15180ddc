//! What both engines are asked: a query over modules, data and an input.

use serde_json::Value as Json;

/// One question.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Rego sources; in errors they are `test-0.rego`, `test-1.rego` …
    pub modules: Vec<String>,
    /// The base document, as JSON.
    pub data: Option<String>,
    /// The input, as JSON; `None`: undefined.
    pub input: Option<String>,
    /// Such as `data.p.q`.
    pub query: String,
    /// Rego v0.
    pub v0: bool,
    /// The error of a builtin is one of the evaluation.
    pub strict: bool,
}

impl Question {
    /// As the oracle reads it, with each input in turn: one line.
    pub fn line(&self, inputs: &[Option<String>]) -> String {
        let quoted = |text: &str| Json::from(text).to_string();
        let inputs: Vec<String> = inputs
            .iter()
            .map(|input| input.as_ref().map_or("{}".to_owned(), |text| format!("{{\"input\":{text}}}")))
            .collect();
        let data = self.data.as_ref().map_or(String::new(), |text| format!("\"data\":{text},"));
        let line = format!(
            "{{\"kind\":\"eval\",\"modules\":{},{data}\"inputs\":[{}],\"query\":{},\"v0\":{},\"strict\":{}}}",
            Json::from(self.modules.clone()),
            inputs.join(","),
            quoted(&self.query),
            self.v0,
            self.strict
        );
        line.replace(['\n', '\r'], " ")
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            out,
            "query: {} ({}{})",
            self.query,
            if self.v0 { "v0" } else { "v1" },
            if self.strict { ", strict" } else { "" }
        )?;
        for module in &self.modules {
            writeln!(out, "{}", module.trim_end())?;
        }
        if let Some(data) = &self.data {
            writeln!(out, "data: {data}")?;
        }
        writeln!(out, "input: {}", self.input.as_deref().unwrap_or("undefined"))
    }
}
