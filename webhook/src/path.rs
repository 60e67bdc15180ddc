//! The five paths that the webhook configurations point to, and what each answers without a verdict.

use wayguard_engine::Stage;

/// Where a review is posted to. Each path is a registered group of its own (design §2, "The verdict").
///
/// A review that cannot be judged (body too large, too much in flight, out of time, a panic) still gets an
/// explicit answer with its uid: `Fail` and `Own` deny it, `Mutate` and `Ignore` admit it with a warning and
/// count it, as does `Stamp`. That is what the policies of those groups ask for: `Ignore` holds only policies with
/// `onError: Allow` or without power to deny, and what `Mutate` left out is found by validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// `/mutate`: defaults and overrides, as a JSON Patch.
    Mutate,
    /// `/validate/fail`: policies that deny, and deny when they fail.
    Fail,
    /// `/validate/ignore`: all other policies.
    Ignore,
    /// `/validate/own`: the suite's own kinds, judged when they are applied.
    Own,
    /// `/mutate/own`: who asked for a claim, or agreed to one, is written down in it.
    Stamp,
}

impl Path {
    /// All paths.
    pub const ALL: [Self; 5] = [Self::Mutate, Self::Fail, Self::Ignore, Self::Own, Self::Stamp];

    /// The URL's path.
    pub fn url(self) -> &'static str {
        match self {
            Self::Mutate => "/mutate",
            Self::Fail => "/validate/fail",
            Self::Ignore => "/validate/ignore",
            Self::Own => "/validate/own",
            Self::Stamp => "/mutate/own",
        }
    }

    /// What the engine is asked; `Own` and `Stamp` are no question for policies.
    pub(crate) fn stage(self) -> Option<Stage> {
        match self {
            Self::Mutate => Some(Stage::Mutate),
            Self::Fail => Some(Stage::ValidateFail),
            Self::Ignore => Some(Stage::ValidateIgnore),
            Self::Own | Self::Stamp => None,
        }
    }

    /// Whether what could not be judged is admitted.
    pub(crate) fn admits_unjudged(self) -> bool {
        matches!(self, Self::Mutate | Self::Ignore | Self::Stamp)
    }
}
