//! Compiling modules and evaluating rules.

use super::convert::{to_json, to_regorus};
use super::{EvaluationError, LoadError, Module, check, source};
use crate::value::Value;
use regorus::unstable::{Ref, Rule, RuleHead};
use regorus::utils::limits::ExecutionTimerConfig;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How modules are read and evaluated.
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions {
    /// Rego v0 syntax (Gatekeeper templates); native policies are v1.
    pub v0: bool,
    /// A failing builtin is an error rather than undefined. OPA's default is undefined; native policies are strict.
    pub strict_builtin_errors: bool,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { v0: false, strict_builtin_errors: true }
    }
}

/// Checked, loaded modules; shared between threads, evaluated without locks.
#[derive(Clone)]
pub struct Program {
    engine: regorus::Engine,
    rules: Vec<String>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Program").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Program {
    /// Parses and checks modules.
    ///
    /// # Errors
    /// Everything that is wrong with them, not the first only (a file that cannot be parsed has one error).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a program owns what it was made from, once it is compiled by us"
    )]
    pub fn compile(modules: Vec<Module>, options: CompileOptions) -> Result<Self, Vec<LoadError>> {
        // The parser and the checks below are not ours alone: what they trip over is a refusal, not a crash.
        let shown = modules.first().map(|module| module.path.clone()).unwrap_or_default();
        catch_unwind(|| Self::compile_unguarded(&modules, options)).unwrap_or_else(|_| {
            Err(vec![LoadError::whole(&shown, "the Rego parser failed unexpectedly on this policy")])
        })
    }

    fn compile_unguarded(modules: &[Module], options: CompileOptions) -> Result<Self, Vec<LoadError>> {
        let mut errors: Vec<LoadError> = Vec::new();
        let mut engine = regorus::Engine::new();
        engine.set_rego_v0(options.v0);
        engine.set_strict_builtin_errors(options.strict_builtin_errors);
        let mut parsed: Vec<&Module> = Vec::new();
        for module in modules {
            if let Err(problems) = source::check(module) {
                errors.extend(problems);
            } else if let Err(error) = engine.add_policy(module.path.clone(), module.text.clone()) {
                errors.push(LoadError::from_regorus(&module.path, &module.text, &error.into()));
            } else {
                parsed.push(module);
            }
        }
        let trees: Vec<_> = engine.get_modules().clone();
        let functions = check::functions(&trees);
        for (module, tree) in parsed.iter().zip(&trees) {
            errors.extend(check::module(module, tree, &functions));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let rules = rule_paths(&trees);
        if let Some(rule) = rules.first() {
            // Scheduling finds what parsing cannot: unsafe variables, recursion.
            if let Err(error) = engine.clone().compile_with_entrypoint(&rule.as_str().into()) {
                return Err(vec![locate(modules, &error.to_string())]);
            }
            // One evaluation prepares the engine, which makes its clones cheap; its answer does not matter, and a
            // rule that takes for ever must not keep the others from loading.
            engine.set_execution_timer_config(ExecutionTimerConfig {
                limit: Duration::from_millis(20),
                check_interval: NonZeroU32::MIN,
            });
            engine.set_input(regorus::Value::new_object());
            let _ = engine.eval_rule(rule.clone());
        }
        Ok(Self { engine, rules })
    }

    /// The full paths (`data.package.rule`) of all rules, each once, in order.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// Whether there is a rule of that full path.
    pub fn has_rule(&self, path: &str) -> bool {
        self.rules.binary_search_by(|rule| rule.as_str().cmp(path)).is_ok()
    }

    /// The full paths of unit tests: rules named `test_…` in packages named `…_test`.
    pub fn test_rules(&self) -> Vec<String> {
        let is_test = |path: &&String| path.rsplit('.').next().is_some_and(|name| name.starts_with("test_"));
        self.rules.iter().filter(is_test).cloned().collect()
    }

    /// Evaluates a query such as `data.some.path` as `opa eval` does; `None`: undefined.
    ///
    /// # Errors
    /// If the query cannot be parsed, evaluation fails, or the limit is reached.
    pub fn query(
        &self,
        query: &str,
        input: Option<Value<'_>>,
        data: Option<Value<'_>>,
        limit: Duration,
    ) -> Result<Option<serde_json::Value>, EvaluationError> {
        self.guarded(limit, |engine| {
            if let Some(input) = input {
                engine.set_input(to_regorus(input));
            }
            if let Some(data) = data {
                engine.add_data(to_regorus(data)).map_err(|error| error.to_string())?;
            }
            let results = engine.eval_query(query.to_owned(), false).map_err(|error| error.to_string())?;
            let value = results.result.first().and_then(|result| result.expressions.first());
            Ok(value.and_then(|expression| to_json(&expression.value)))
        })
    }

    /// The value of one rule (`data.package.rule`) on an input; `None`: undefined.
    ///
    /// # Errors
    /// If evaluation fails or the limit is reached.
    pub fn rule(
        &self,
        path: &str,
        input: &Input,
        inventory: Option<&Input>,
        limit: Duration,
    ) -> Result<Option<serde_json::Value>, EvaluationError> {
        self.guarded(limit, |engine| {
            engine.set_input(input.0.clone());
            if let Some(inventory) = inventory {
                let data = Input::object([("inventory", inventory)]);
                engine.add_data(data.0).map_err(|error| error.to_string())?;
            }
            let value = engine.eval_rule(path.to_owned()).map_err(|error| error.to_string())?;
            Ok(to_json(&value))
        })
    }

    fn guarded<T>(
        &self,
        limit: Duration,
        run: impl FnOnce(&mut regorus::Engine) -> Result<T, String>,
    ) -> Result<T, EvaluationError> {
        let mut engine = self.engine.clone();
        engine.set_execution_timer_config(ExecutionTimerConfig {
            limit,
            // Often enough to stop within a millisecond of the limit, seldom enough not to be felt.
            check_interval: NonZeroU32::new(64).unwrap_or(NonZeroU32::MIN),
        });
        let started = std::time::Instant::now();
        match catch_unwind(AssertUnwindSafe(|| run(&mut engine))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) if started.elapsed() >= limit => {
                Err(EvaluationError::Timeout { limit_ms: limit.as_millis(), at: super::At::default() })
            }
            Ok(Err(shown)) => {
                let error = LoadError::from_regorus("", "", &super::error::anyhow_like::Shown(shown));
                Err(EvaluationError::Failed { message: error.message, at: super::At::default() })
            }
            Err(_) => Err(EvaluationError::Panicked),
        }
    }
}

/// The full paths of all rules that can be asked for (functions cannot), sorted, each once.
fn rule_paths(modules: &[Ref<regorus::unstable::Module>]) -> Vec<String> {
    let mut paths = std::collections::BTreeSet::new();
    for module in modules {
        let package = check::dotted(&module.package.refr).unwrap_or_default();
        for rule in &module.policy {
            let head = match rule.as_ref() {
                Rule::Spec { head: RuleHead::Set { refr, .. } | RuleHead::Compr { refr, .. }, .. } => refr,
                Rule::Default { refr, args, .. } if args.is_empty() => refr,
                _ => continue,
            };
            paths.extend(check::rule_name(head).map(|name| format!("data.{package}.{name}")));
        }
    }
    paths.into_iter().collect()
}

/// Finds the module that a rendered regorus error is about.
fn locate(modules: &[Module], shown: &str) -> LoadError {
    let named = modules.iter().find(|module| shown.contains(&format!("--> {}:", module.path)));
    let (path, text) = named.or(modules.first()).map_or(("", ""), |module| (&module.path, &module.text));
    LoadError::from_regorus(path, text, &shown.into())
}

/// A value in the evaluator's own form, cheap to clone and to combine: made once per request, used by every
/// policy.
#[derive(Clone, Debug)]
pub struct Input(regorus::Value);

impl Input {
    /// Converts a value.
    pub fn new(value: Value<'_>) -> Self {
        Self(to_regorus(value))
    }

    /// An object of already converted members.
    pub fn object<'i>(members: impl IntoIterator<Item = (&'i str, &'i Input)>) -> Self {
        let members: BTreeMap<_, _> = members
            .into_iter()
            .map(|(key, value)| (regorus::Value::String(key.into()), value.0.clone()))
            .collect();
        Self(regorus::Value::from(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10^9 combinations: minutes of work for any evaluator that tries them all.
    const ENDLESS: &str = "package p\n\nanswer if {\n\tsome a in numbers.range(1, 1000)\n\tsome b in numbers.range(1, 1000)\n\tsome c in numbers.range(1, 1000)\n\ta + b + c < 0\n}\n";

    #[test]
    fn a_rule_without_end_neither_hangs_the_load_nor_outlives_its_limit() {
        let module = Module { path: "p.rego".into(), text: ENDLESS.into() };
        let program = Program::compile(vec![module], CompileOptions::default()).unwrap();
        let input = Input::new(Value::EMPTY);
        let answer = program.rule("data.p.answer", &input, None, Duration::from_millis(50));
        assert_eq!(answer, Err(EvaluationError::Timeout { limit_ms: 50, at: super::super::At::default() }));
    }
}
