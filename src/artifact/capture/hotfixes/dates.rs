//! Dates of updates, whose order of day and month follows the user's region or the provider's mood.
//!
//! `3/18/2014` can only be month first; `3/2/2019` can be both. One list has one order, so an unmistakable date settles the others
//! of its list; where none does, the date stays text.

use crate::time::FileTime;

/// The order of day and month that a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `10/31/2023`.
    MonthFirst,
    /// `31/10/2023`.
    DayFirst,
    /// No date tells, or two tell different things.
    Unknown,
}

/// The order that the unmistakable dates of a list agree on.
pub fn order<'t>(dates: impl Iterator<Item = &'t str>) -> Order {
    let (mut month_first, mut day_first) = (false, false);
    for (a, b, _) in dates.filter_map(ambiguous) {
        month_first |= b > 12 && a <= 12;
        day_first |= a > 12 && b <= 12;
    }
    match (month_first, day_first) {
        (true, false) => Order::MonthFirst,
        (false, true) => Order::DayFirst,
        _ => Order::Unknown,
    }
}

/// A date as midnight UTC; `None` when it is not certain which day is meant.
pub fn date(text: &str, order: Order) -> Option<FileTime> {
    let text = text.trim();
    if let Some((a, b, year)) = ambiguous(text) {
        return match order {
            Order::MonthFirst => day(year, a, b),
            Order::DayFirst => day(year, b, a),
            Order::Unknown if a == b => day(year, a, b),
            Order::Unknown => None,
        };
    }
    if let Some(milliseconds) =
        text.strip_prefix("/Date(").and_then(|rest| rest.split([')', '+', '-']).next())
    {
        return FileTime::from_unix_seconds(milliseconds.parse::<i64>().ok()?.div_euclid(1000));
    }
    // Some updates carry a FILETIME in hex.
    if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return u64::from_str_radix(text, 16).ok().map(FileTime::from_ticks);
    }
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u32 = text.parse().ok()?;
        return day(number / 10_000, number / 100 % 100, number % 100);
    }
    let (parts, separator) = parts(text)?;
    match (parts, separator) {
        ([year, month, date], _) if year > 999 => day(year, month, date),
        // With dots the day comes first wherever it is written so.
        ([date, month, year], '.') => day(year, month, date),
        _ => None,
    }
}

/// Whether a text begins with three numbers the way dates do.
pub fn is_date(text: &str) -> bool {
    parts(text.trim()).is_some()
}

/// Day and month with slashes or dashes and the year behind them.
fn ambiguous(text: &str) -> Option<(u32, u32, u32)> {
    match parts(text)? {
        ([a, b, year], '/' | '-') if a <= 31 && b <= 31 && year > 999 => Some((a, b, year)),
        _ => None,
    }
}

/// Three numbers with one separator, at the start of a text (a time of day may follow).
fn parts(text: &str) -> Option<([u32; 3], char)> {
    let word = text.split([' ', 'T', '\u{a0}']).next()?.trim_end_matches(['.', ',']);
    let separator = word.chars().find(|c| !c.is_ascii_digit())?;
    let mut numbers = word.split(separator).map(|part| part.parse::<u32>().ok());
    let parts = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some((parts, separator))
}

fn day(year: u32, month: u32, day: u32) -> Option<FileTime> {
    FileTime::parse(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, all: &[&str]) -> Option<String> {
        date(text, order(all.iter().copied())).map(FileTime::date)
    }

    #[test]
    fn an_unmistakable_date_settles_its_list() {
        // wmic_qfe/en-win10-1 holds 3/2/2019 beside 2/18/2019.
        assert_eq!(read("3/2/2019", &["3/2/2019", "2/18/2019"]).as_deref(), Some("2019-03-02"));
        assert_eq!(read("3/2/2019", &["3/2/2019", "18/2/2019"]).as_deref(), Some("2019-02-03"));
        assert_eq!(read("3/2/2019", &["3/2/2019"]), None);
        assert_eq!(read("3/2/2019", &["2/18/2019", "18/2/2019"]), None);
    }

    #[test]
    fn forms_that_need_no_list() {
        let alone = |text| read(text, &[text]);
        assert_eq!(alone("18.02.2019 00:00:00").as_deref(), Some("2019-02-18"));
        assert_eq!(alone("2019-02-18").as_deref(), Some("2019-02-18"));
        assert_eq!(alone("2019/2/18 0:00:00").as_deref(), Some("2019-02-18"));
        assert_eq!(alone("20190218").as_deref(), Some("2019-02-18"));
        // domain.md section 11: c58ae982b574cc01, little-endian, is 2011-09-16T21:13:42Z.
        assert_eq!(alone("01cc74b582e98ac5").as_deref(), Some("2011-09-16"));
        assert_eq!(alone("5/5/2019").as_deref(), Some("2019-05-05"));
        assert_eq!(alone("yesterday"), None);
        assert_eq!(alone("31/31/2019"), None);
    }
}
