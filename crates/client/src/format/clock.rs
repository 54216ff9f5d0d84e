//! Local time of the server's timestamps.

use glassline_wire::timestamp::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};

#[derive(Debug, Clone)]
pub(crate) struct LocalClock {
    zone: TimeZone,
    now: fn() -> Timestamp,
}

impl LocalClock {
    /// The system's clock in the system's time zone.
    pub(crate) fn system() -> Self {
        Self { zone: TimeZone::system(), now: || from_jiff(Instant::now()) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// As `14:02`.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        self.local(at).strftime("%H:%M").to_string()
    }

    pub(crate) fn date(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// As `2026-11-22 14:02`.
    pub(crate) fn minute(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// As `2026-11-22 14:02:03`.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn local(&self, at: Timestamp) -> Zoned {
        // The library ends a day before the wire does, so that every zone has the instant.
        let ms = i64::try_from(at.unix_ms).unwrap_or(i64::MAX);
        Instant::from_millisecond(ms).unwrap_or(Instant::MAX).to_zoned(self.zone.clone())
    }
}

/// As `Sunday, 22 November 2026`.
pub(crate) fn format_date(date: Date) -> String {
    date.strftime("%A, %-d %B %Y").to_string()
}

fn from_jiff(instant: Instant) -> Timestamp {
    Timestamp::from_unix_ms(u64::try_from(instant.as_millisecond()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl LocalClock {
        pub(crate) fn fixed(now: fn() -> Timestamp) -> Self {
            Self { zone: TimeZone::UTC, now }
        }

        /// The clock of 1970, so many hours east of Greenwich.
        pub(crate) fn in_zone(hours: i8) -> Self {
            Self { zone: TimeZone::fixed(jiff::tz::offset(hours)), now: || Timestamp::from_unix_ms(0) }
        }
    }

    #[test]
    fn an_instant_is_shown_in_the_zone_of_the_reader() {
        let at = Timestamp::parse("2026-03-28T23:30:05.000Z").expect("an instant");
        let utc = LocalClock::fixed(|| Timestamp::from_unix_ms(0));
        let east = LocalClock::in_zone(2);
        assert_eq!((utc.time(at), east.time(at)), ("23:30".into(), "01:30".into()));
        assert_eq!(east.moment(at), "2026-03-29 01:30:05");
        assert_eq!(format_date(utc.date(at)), "Saturday, 28 March 2026");
        assert_eq!(format_date(east.date(at)), "Sunday, 29 March 2026");
        assert_eq!(utc.date(Timestamp::MAX).year(), 9999);
    }
}
