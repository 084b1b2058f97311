//! Printed times: which of them say their offset from UTC, and in which order the others write day and month.

use jiff::civil::DateTime;

use super::record::Record;
use crate::artifact::{Place, Problem};
use crate::time::FileTime;

/// Order of the first two numbers of a date like `4/11/2023`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    DayFirst,
    MonthFirst,
}

/// How the times of one listing are written.
#[derive(Debug)]
pub(super) struct Clock {
    order: Order,
    /// The order follows from the times themselves.
    certain: bool,
    /// Some times do not say their offset.
    local: bool,
}

/// Marks of the second half of the day.
const AFTERNOON: &[&str] = &["PM", "pm", "p.m.", "p. m.", "下午", "午後", "오후"];
/// Marks of the first half.
const FORENOON: &[&str] = &["AM", "am", "a.m.", "a. m.", "上午", "午前", "오전"];

impl Clock {
    /// Finds out how a listing writes its times.
    pub(super) fn of(records: &[Record]) -> Self {
        let times: Vec<(Option<u64>, &str)> =
            records.iter().filter_map(|record| Some((record.number(), record.time()?))).collect();
        let local = times.iter().any(|(_, time)| exact(time).is_none());
        let regional: Vec<(Option<u64>, Numbers)> =
            times.iter().filter_map(|(number, time)| Some((*number, Numbers::of(time)?))).collect();
        let first_over = regional.iter().any(|(_, numbers)| numbers.first > 12);
        let second_over = regional.iter().any(|(_, numbers)| numbers.second > 12);
        let same = regional.iter().all(|(_, numbers)| numbers.first == numbers.second);
        let (order, certain) = match (first_over, second_over) {
            (true, false) => (Order::DayFirst, true),
            (false, true) => (Order::MonthFirst, true),
            _ if same => (Order::DayFirst, true),
            _ => by_sequence(&regional),
        };
        Self { order, certain, local }
    }

    /// What the times do not tell.
    pub(super) fn problem(&self) -> Option<Problem> {
        if !self.local {
            return None;
        }
        let order = match (self.certain, self.order) {
            (true, _) => "",
            (false, Order::DayFirst) => "; whether day or month comes first is not certain either: day first",
            (false, Order::MonthFirst) => {
                "; whether day or month comes first is not certain either: month first"
            }
        };
        let found = format!("local times, read as if they were UTC{order}");
        Some(Problem::new(Place::Whole, "times with their offset from UTC", found))
    }

    /// Reads a printed time.
    pub(super) fn read(&self, text: &str) -> Option<FileTime> {
        exact(text).or_else(|| FileTime::parse(text)).or_else(|| Numbers::of(text)?.time(self.order))
    }
}

/// A time that says its offset: RFC 3339, or milliseconds since 1970 as `/Date(…)/`, which is how PowerShell 5 writes JSON.
fn exact(text: &str) -> Option<FileTime> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        let digits = inner.split(['+', '-']).next().filter(|digits| !digits.is_empty())?;
        let millis: i64 = digits.parse().ok()?;
        let second = FileTime::from_unix_seconds(millis.div_euclid(1000))?;
        let ticks = u64::try_from(millis.rem_euclid(1000)).ok()? * 10_000;
        return Some(FileTime::from_ticks(second.ticks().saturating_add(ticks)));
    }
    // A date has two dashes; one more, a plus or a Z behind the T is an offset.
    let (_, time) = text.split_once('T')?;
    time.contains(['Z', '+', '-']).then(|| FileTime::parse(text)).flatten()
}

/// The order with which the times rise with the record numbers (without numbers: rise or fall), when that is one order and not the
/// other. Otherwise the half-day marks of the United States decide.
fn by_sequence(times: &[(Option<u64>, Numbers)]) -> (Order, bool) {
    let numbered = times.iter().all(|(number, _)| number.is_some());
    let sequential = |order| {
        let mut read: Vec<(Option<u64>, FileTime)> =
            times.iter().filter_map(|(number, numbers)| Some((*number, numbers.time(order)?))).collect();
        if numbered {
            read.sort_by_key(|(number, _)| *number);
        }
        let rising = read.is_sorted_by_key(|(_, time)| *time);
        let falling = || read.iter().rev().is_sorted_by_key(|(_, time)| *time);
        read.len() == times.len() && (rising || !numbered && falling())
    };
    match (sequential(Order::DayFirst), sequential(Order::MonthFirst)) {
        (true, false) => (Order::DayFirst, true),
        (false, true) => (Order::MonthFirst, true),
        _ if times.iter().any(|(_, numbers)| numbers.half_days) => (Order::MonthFirst, false),
        _ => (Order::DayFirst, false),
    }
}

/// The numbers of a date in regional order (`4/11/2023 1:24:02 PM`, `14.02.2023 06:55:58`).
#[derive(Clone, Copy, Debug)]
struct Numbers {
    first: i8,
    second: i8,
    year: i16,
    hour: i8,
    minute: i8,
    seconds: i8,
    half_days: bool,
}

impl Numbers {
    fn of(text: &str) -> Option<Self> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let (first, second, year) = (numbers.next()?, numbers.next()?, numbers.next()?);
        if first.len() > 2 || !matches!(year.len(), 2 | 4) {
            return None;
        }
        let year: i16 = year.parse().ok()?;
        let afternoon = AFTERNOON.iter().any(|mark| text.contains(mark));
        let forenoon = FORENOON.iter().any(|mark| text.contains(mark));
        let hour: i8 = numbers.next()?.parse().ok()?;
        let hour = match hour {
            12 if forenoon => 0,
            1..=11 if afternoon => hour + 12,
            _ => hour,
        };
        Some(Self {
            first: first.parse().ok()?,
            second: second.parse().ok()?,
            year: if year < 100 { year + 2000 } else { year },
            hour,
            minute: numbers.next()?.parse().ok()?,
            seconds: numbers.next().and_then(|part| part.parse().ok()).unwrap_or(0),
            half_days: afternoon || forenoon,
        })
    }

    fn time(&self, order: Order) -> Option<FileTime> {
        let (month, day) = match order {
            Order::DayFirst => (self.second, self.first),
            Order::MonthFirst => (self.first, self.second),
        };
        let civil = DateTime::new(self.year, month, day, self.hour, self.minute, self.seconds, 0).ok()?;
        let stamp = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        FileTime::from_unix_seconds(stamp.as_second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(times: &[&str]) -> Clock {
        let record = |(index, time): (usize, &&str)| Record {
            line: 1,
            properties: vec![
                ("TimeCreated".to_owned(), (*time).to_owned()),
                ("RecordId".to_owned(), (index + 1).to_string()),
            ],
            items: Vec::new(),
        };
        Clock::of(&times.iter().enumerate().map(record).collect::<Vec<_>>())
    }

    fn read(times: &[&str]) -> Vec<String> {
        let clock = clock(times);
        times.iter().map(|time| clock.read(time).map(|time| time.to_string()).unwrap_or_default()).collect()
    }

    #[test]
    fn one_day_beyond_twelve_tells_the_order_of_all() {
        assert_eq!(
            read(&["4/11/2023 1:24:02 PM", "4/19/2023 12:25:39 AM"]),
            ["2023-04-11T13:24:02Z", "2023-04-19T00:25:39Z"]
        );
        assert_eq!(
            read(&["02/03/2023 06:55:58", "14/03/2023 18:55:58"]),
            ["2023-03-02T06:55:58Z", "2023-03-14T18:55:58Z"]
        );
    }

    #[test]
    fn the_sequence_tells_the_order() {
        // With the day first the second record would be older than the first.
        assert_eq!(
            read(&["1/9/2024 10:00:00", "2/3/2024 10:00:00"]),
            ["2024-01-09T10:00:00Z", "2024-02-03T10:00:00Z"]
        );
        assert!(clock(&["1/9/2024 10:00:00", "2/3/2024 10:00:00"]).certain);
        assert!(!clock(&["1/9/2024 10:00:00"]).certain);
    }

    #[test]
    fn other_forms_of_dates() {
        assert_eq!(read(&["14.02.2023 06:55:58"]), ["2023-02-14T06:55:58Z"]);
        assert_eq!(read(&["2018-09-05 00:48:37"]), ["2018-09-05T00:48:37Z"]);
        assert_eq!(read(&["yesterday"]), [""]);
        assert_eq!(read(&["99/99/2023 06:55:58"]), [""]);
    }

    #[test]
    fn exact_times_are_no_problem_and_others_are() {
        // 1595374458918 ms is 2020-07-21T23:34:18.918Z (any epoch converter).
        let times =
            ["/Date(1595374458918)/", "2022-05-20T03:01:30.2834368-04:00", "2025-11-11T11:44:42.9510000Z"];
        assert_eq!(read(&times), ["2020-07-21T23:34:18Z", "2022-05-20T07:01:30Z", "2025-11-11T11:44:42Z"]);
        assert_eq!(clock(&times).problem(), None);
        assert!(clock(&["2020-12-14T17:09:08.940"]).problem().is_some());
        assert!(clock(&["4/11/2023 1:24:02 PM"]).problem().unwrap().found.contains("month first"));
    }
}
