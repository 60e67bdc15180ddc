//! The variables of a program: what people named, and what the stages made up.

use super::form::Var;
use std::collections::HashMap;

/// All variables; a name of a person is one variable until local variables are told apart.
#[derive(Debug)]
pub(crate) struct Names {
    known: Vec<Name>,
    by_text: HashMap<String, Var>,
}

#[derive(Clone, Debug)]
enum Name {
    Written(String),
    Wildcard,
    /// Made up; of a local variable with the name that its author knows.
    Made(Option<Var>),
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self { known: Vec::new(), by_text: HashMap::new() };
        // INPUT and DATA.
        names.written("input");
        names.written("data");
        names
    }
}

impl Names {
    /// The variable of a written name.
    pub(crate) fn written(&mut self, text: &str) -> Var {
        if let Some(var) = self.by_text.get(text) {
            return *var;
        }
        let var = self.add(Name::Written(text.to_owned()));
        self.by_text.insert(text.to_owned(), var);
        var
    }

    /// A `_`, each another.
    pub(crate) fn wildcard(&mut self) -> Var {
        self.add(Name::Wildcard)
    }

    /// A variable that nobody wrote.
    pub(crate) fn made(&mut self) -> Var {
        self.add(Name::Made(None))
    }

    /// A local variable of its own for a declared name.
    pub(crate) fn local(&mut self, of: Var) -> Var {
        self.add(Name::Made(Some(of)))
    }

    fn add(&mut self, name: Name) -> Var {
        let var = Var::try_from(self.known.len()).unwrap_or(Var::MAX);
        self.known.push(name);
        var
    }

    fn get(&self, var: Var) -> Option<&Name> {
        self.known.get(usize::try_from(var).ok()?)
    }

    /// The name that a person wrote; `None` if nobody did.
    pub(crate) fn shown(&self, var: Var) -> Option<&str> {
        match self.get(var)? {
            Name::Written(text) => Some(text),
            Name::Wildcard => Some("_"),
            Name::Made(Some(of)) => self.shown(*of),
            Name::Made(None) => None,
        }
    }

    pub(crate) fn is_wildcard(&self, var: Var) -> bool {
        matches!(self.get(var), Some(Name::Wildcard))
    }

    /// Whether a stage made it up, local variables included.
    pub(crate) fn is_made(&self, var: Var) -> bool {
        matches!(self.get(var), Some(Name::Made(_)))
    }
}
