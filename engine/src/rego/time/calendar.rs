//! The calendar, and instants in zones.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rego) enum Zone {
    /// Universal time.
    Utc,
    /// A zone of the database.
    Named(Box<TimeZone>),
}

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl Zone {
    /// The zone of a name, as the database spells it. The machine's own zone (`Local`) is taken for universal
    /// time.
    pub(in crate::rego) fn named(name: &str) -> Option<Self> {
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Self::Utc);
        }
        let zone = DATABASE.get(name).ok()?;
        (zone.iana_name() == Some(name)).then(|| Self::Named(Box::new(zone)))
    }

    /// How far the zone is ahead of universal time at an instant, in seconds, and what it is then called.
    pub(in crate::rego) fn offset(&self, seconds: i64) -> (i64, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Named(zone) => {
                let instant = Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
                    Timestamp::MIN
                } else {
                    Timestamp::MAX
                });
                let info = zone.to_offset_info(instant);
                (i64::from(info.offset().seconds()), info.abbreviation().to_owned())
            }
        }
    }
}

/// A date and a time of day, without zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) struct Civil {
    pub(in crate::rego) year: i64,
    /// 1 to 12.
    pub(in crate::rego) month: i64,
    /// 1 to 31.
    pub(in crate::rego) day: i64,
    pub(in crate::rego) hour: i64,
    pub(in crate::rego) minute: i64,
    pub(in crate::rego) second: i64,
    pub(in crate::rego) nanosecond: i64,
}

impl Civil {
    /// The date and time in universal time, of seconds since 1970.
    pub(in crate::rego) fn from_seconds(seconds: i64, nanosecond: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Years that begin in March, in cycles of 400 years.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: rest / 3_600,
            minute: rest / 60 % 60,
            second: rest % 60,
            nanosecond,
        }
    }

    /// Seconds since 1970, taken as universal time. Months and days outside of their ranges run over; `None`:
    /// far beyond any calendar.
    pub(in crate::rego) fn seconds(&self) -> Option<i64> {
        const FAR: i64 = 1 << 40;
        let sane = |value: i64| (-FAR..FAR).contains(&value).then_some(value);
        let months = sane(self.month)? - 1;
        let (year, month) = (sane(self.year)? + months.div_euclid(12), months.rem_euclid(12) + 1);
        let year = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let shifted_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100
            + (153 * shifted_month + 2) / 5
            + sane(self.day)?
            - 1;
        let days = era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)?;
        let time = self.hour * 3_600 + self.minute * 60 + self.second;
        days.checked_mul(86_400)?.checked_add(time)
    }

    /// 0 is Sunday.
    pub(in crate::rego) fn weekday(&self) -> usize {
        let days = self.seconds().map_or(0, |seconds| seconds.div_euclid(86_400));
        usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0)
    }

    /// 1 is the first of January.
    pub(in crate::rego) fn day_of_year(&self) -> i64 {
        self.day + days_before(self.month) + i64::from(self.month > 2 && is_leap(self.year))
    }
}

/// Whether a year has a 29th of February.
pub(in crate::rego) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days of a common year before a month; 13 is the end of the year.
pub(in crate::rego) fn days_before(month: i64) -> i64 {
    const BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    usize::try_from(month - 1).ok().and_then(|at| BEFORE.get(at).copied()).unwrap_or(365)
}

/// The days of a month.
pub(in crate::rego) fn days_in(month: i64, year: i64) -> i64 {
    if month == 2 && is_leap(year) { 29 } else { days_before(month + 1) - days_before(month) }
}

/// The months in English.
pub(in crate::rego) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days of the week in English.
pub(in crate::rego) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
