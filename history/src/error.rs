//! What can go wrong with a database, told so that whoever meets it knows what to do.

/// Why something was not stored or not read. Never holds a password: places are named without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file is no database, or damaged.
    #[error(
        "{place} is damaged ({problem}); nothing was changed. Restore a copy, or move the file and those beside it that end in `-wal` and `-shm` away: the history then begins anew"
    )]
    Damaged {
        /// Which database.
        place: String,
        /// What the check said.
        problem: String,
    },
    /// There is no room.
    #[error(
        "{place} cannot grow: the disk is full; what is stored stays readable. Free some room, or lower `--history-size`"
    )]
    Full {
        /// Which database.
        place: String,
    },
    /// There is no such database.
    #[error("{place} is not there, or cannot be opened: {problem}")]
    NotThere {
        /// Which database.
        place: String,
        /// What the system said.
        problem: String,
    },
    /// A newer program has been at it.
    #[error(
        "{place} has the layout {found}, and this program knows layouts up to {known}; use a newer wayguard"
    )]
    Newer {
        /// Which database.
        place: String,
        /// The layout's number.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// It does not answer, or broke off.
    #[error("{place} does not answer: {problem}")]
    Unreachable {
        /// Which database.
        place: String,
        /// What the library said.
        problem: String,
    },
    /// It refused a statement: trying again will not help.
    #[error("{place} refused: {problem}")]
    Refused {
        /// Which database.
        place: String,
        /// What it said.
        problem: String,
    },
}

impl StoreError {
    /// Whether the same batch may be taken later.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// Reads what the library says. Codes: <https://sqlite.org/rescode.html>,
    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    pub(crate) fn from_sqlx(place: &str, error: &sqlx::Error) -> Self {
        let place = place.to_owned();
        let Some(said) = error.as_database_error() else {
            return Self::Unreachable { place, problem: error.to_string() };
        };
        let (code, problem) = (said.code().unwrap_or_default().into_owned(), said.message().to_owned());
        if let Ok(number) = code.parse::<i64>()
            && code.len() < 5
        {
            // The low byte is the kind; the rest tells more about it.
            return match number & 0xff {
                11 | 26 => Self::Damaged { place, problem },
                13 => Self::Full { place },
                14 | 23 => Self::NotThere { place, problem },
                // Busy, locked, interrupted, out of memory, I/O, read-only for now.
                5..=10 => Self::Unreachable { place, problem },
                _ => Self::Refused { place, problem },
            };
        }
        match code.get(..2).unwrap_or_default() {
            "53" if code == "53100" => Self::Full { place },
            "XX" if code == "XX001" || code == "XX002" => Self::Damaged { place, problem },
            "3D" | "28" => Self::NotThere { place, problem },
            // What is in a statement is wrong: data, constraints, syntax, rights.
            "22" | "23" | "42" => Self::Refused { place, problem },
            _ => Self::Unreachable { place, problem },
        }
    }
}
