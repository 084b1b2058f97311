//! `w32tm /query /status`: rows in a fixed order.

use serde::Serialize;

use super::super::shape::Labelled;
use super::super::shape::label::{LabelRow, Languages, find_label};
use super::Field;

/// `/query /status`. A row whose place is not certain stays `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// Leap indicator: 0 none, 1 and 2 a leap second is due, 3 not synchronised.
    pub leap_indicator: Option<Number>,
    /// Stratum: 0 unspecified, 1 primary, 2 to 15 secondary.
    pub stratum: Option<Number>,
    /// Round trip to the primary source, in seconds.
    pub root_delay_seconds: Option<f64>,
    /// Largest error that is to be expected, in seconds.
    pub root_dispersion_seconds: Option<f64>,
    /// Reference id as printed.
    pub reference_id: Option<Field>,
    /// Time of the last success, in the user's regional format; `None` when the row holds no time ("unspecified").
    pub last_sync: Option<Field>,
    /// Source.
    pub source: Option<Field>,
    /// Poll interval as a power of two.
    pub poll_interval: Option<Number>,
    /// Seconds that the clock was off at the last sync (`/verbose`).
    pub phase_offset_seconds: Option<f64>,
    /// Code of the last sync error, 0 for none (`/verbose`).
    pub last_sync_error: Option<Number>,
    /// Language of the labels.
    #[serde(skip)]
    pub language: Option<String>,
}

/// A number and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Number {
    /// 1-based line.
    pub line: u32,
    /// The number.
    pub value: i64,
}

/// The rows in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Leap,
    Stratum,
    Precision,
    RootDelay,
    RootDispersion,
    ReferenceId,
    LastSync,
    Source,
    Poll,
}

const ORDER: [Slot; 9] = [
    Slot::Leap,
    Slot::Stratum,
    Slot::Precision,
    Slot::RootDelay,
    Slot::RootDispersion,
    Slot::ReferenceId,
    Slot::LastSync,
    Slot::Source,
    Slot::Poll,
];

/// Row labels: English as documented, German as captured.
const LABELS: &[LabelRow<Slot>] = &[
    (Slot::Leap, &[("en", "Leap Indicator"), ("de", "Sprungindikator")]),
    (Slot::Precision, &[("en", "Precision"), ("de", "Präzision")]),
    (Slot::RootDelay, &[("en", "Root Delay"), ("de", "Stammverzögerung")]),
    (Slot::RootDispersion, &[("en", "Root Dispersion"), ("de", "Stammabweichung")]),
    (Slot::ReferenceId, &[("en", "ReferenceId"), ("de", "Referenz-ID")]),
    (Slot::LastSync, &[("en", "Last Successful Sync Time"), ("de", "Letzte erfolgr. Synchronisierungszeit")]),
    (Slot::Source, &[("en", "Source"), ("de", "Quelle")]),
    (Slot::Poll, &[("en", "Poll Interval"), ("de", "Abrufintervall")]),
    // The same word in both.
    (Slot::Stratum, &[("en", "Stratum"), ("de", "Stratum")]),
];

/// Whether a value can stand in a row. Text rows take anything but what is unmistakably another row's.
fn fits(slot: Slot, value: &str) -> bool {
    match slot {
        Slot::Leap => remarked(value).is_some_and(|number| (0..=3).contains(&number)),
        Slot::Stratum => remarked(value).is_some_and(|number| (0..=15).contains(&number)),
        Slot::Precision => value.starts_with('-'),
        Slot::RootDelay | Slot::RootDispersion => super::seconds(value).is_some(),
        Slot::ReferenceId => is_reference(value),
        Slot::Poll => remarked(value).is_some_and(|number| (0..=17).contains(&number)),
        Slot::LastSync | Slot::Source => !is_reference(value) && super::seconds(value).is_none(),
    }
}

/// `0(no warning)`, `4 (secondary reference …)`, `10 (1024s)`.
fn remarked(value: &str) -> Option<i64> {
    let (number, _) = value.split_once('(')?;
    number.trim().parse().ok()
}

fn is_reference(value: &str) -> bool {
    let hex = value.strip_prefix("0x").and_then(|rest| rest.get(..8));
    hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl Status {
    /// Finds the status among labelled rows: by the reference id, which no other row can be mistaken for, or by its labels.
    pub(super) fn of(rows: &[(u32, Labelled<'_>)]) -> Option<Self> {
        let mut languages = Languages::default();
        let mut placed: Vec<Option<Slot>> = Vec::with_capacity(rows.len());
        for (_, row) in rows {
            let named = find_label(LABELS, row.label).filter(|(slot, _)| fits(*slot, row.value));
            placed.push(named.map(|(slot, found)| {
                languages.vote(&found);
                slot
            }));
        }
        by_order(rows, &mut placed);
        // Fewer rows than these are some other `label: value` text.
        let certain = placed.iter().flatten().count() >= 4
            && ORDER.iter().all(|slot| placed.iter().flatten().filter(|placed| *placed == slot).count() <= 1);
        certain.then(|| {
            let mut status = Self { language: languages.winner(), ..Self::default() };
            for ((line, row), slot) in rows.iter().zip(&placed) {
                slot.iter().for_each(|slot| status.take(*slot, *line, row.value));
            }
            if let Some(poll) = placed.iter().position(|slot| *slot == Some(Slot::Poll)) {
                status.verbose(rows.get(poll + 1..).unwrap_or_default());
            }
            status
        })
    }

    fn take(&mut self, slot: Slot, line: u32, value: &str) {
        let field = || Some(Field { line, value: value.to_owned() });
        let number = || remarked(value).map(|value| Number { line, value });
        match slot {
            Slot::Leap => self.leap_indicator = number(),
            Slot::Stratum => self.stratum = number(),
            Slot::Precision => {}
            Slot::RootDelay => self.root_delay_seconds = super::seconds(value),
            Slot::RootDispersion => self.root_dispersion_seconds = super::seconds(value),
            Slot::ReferenceId => self.reference_id = field(),
            Slot::LastSync if value.bytes().any(|byte| byte.is_ascii_digit()) => self.last_sync = field(),
            Slot::LastSync => {}
            Slot::Source => self.source = field(),
            Slot::Poll => self.poll_interval = number(),
        }
    }

    /// The rows that `/verbose` adds: offset, rate, state, flags, role, last error, time since the last good sync.
    fn verbose(&mut self, rows: &[(u32, Labelled<'_>)]) {
        let [(_, offset), (_, rate), (_, state), (_, flags), (_, role), (line, error), (_, since), ..] = rows
        else {
            return;
        };
        let times = [offset, rate, since].map(|row| super::seconds(row.value));
        let codes = [state, flags, role, error].map(|row| remarked(row.value));
        if times.iter().all(Option::is_some) && codes.iter().all(Option::is_some) {
            let [offset, ..] = times;
            let [.., error] = codes;
            self.phase_offset_seconds = offset;
            self.last_sync_error = error.map(|value| Number { line: *line, value });
        }
    }

    /// Whether the clock says that it is synchronised; `None` without the row.
    pub fn synchronised(&self) -> Option<bool> {
        self.leap_indicator.map(|leap| leap.value != 3)
    }

    pub(super) fn what_is_missing(&self) -> Option<String> {
        let rows = [
            ("leap indicator", self.leap_indicator.is_some()),
            ("stratum", self.stratum.is_some()),
            ("reference id", self.reference_id.is_some()),
            ("source", self.source.is_some()),
        ];
        let missing: Vec<&str> = rows.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
        (!missing.is_empty()).then(|| format!("rows without a certain place: {}", missing.join(", ")))
    }
}

/// Places the nine rows around the reference id when each of them holds what its row holds.
fn by_order(rows: &[(u32, Labelled<'_>)], placed: &mut [Option<Slot>]) {
    let mut references = rows.iter().enumerate().filter(|(_, (_, row))| is_reference(row.value));
    let (Some((at, _)), None) = (references.next(), references.next()) else { return };
    let Some(first) = at.checked_sub(5) else { return };
    let Some(window) = rows.get(first..first + ORDER.len()) else { return };
    if window.iter().zip(ORDER).all(|((_, row), slot)| fits(slot, row.value)) {
        placed.fill(None);
        for (one, slot) in placed.iter_mut().skip(first).zip(ORDER) {
            *one = Some(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::labelled;
    use super::*;

    fn status(text: &str) -> Option<Status> {
        let rows: Vec<_> =
            (1..).zip(text.lines()).filter_map(|(line, text)| Some((line, labelled(text)?))).collect();
        Status::of(&rows)
    }

    /// A public listing of an unsynchronised machine, its labels replaced by words that no table has.
    const STRANGE: &str = "a: 3(x)\nb: 0 (x)\nc: -23 (119.209ns x)\nd: 0.0000000s\ne: 0.0000000s\nf: 0x00000000 (x)\ng: x\nh: Local CMOS Clock\ni: 6 (64s)\n";

    #[test]
    fn strange_labels_are_placed_by_order() {
        let status = status(STRANGE).unwrap();
        assert_eq!(status.synchronised(), Some(false));
        assert_eq!(status.source.unwrap().value, "Local CMOS Clock");
        assert_eq!(status.last_sync, None, "a row without any digit is no time");
        assert_eq!(status.poll_interval, Some(Number { line: 9, value: 6 }));
    }

    #[test]
    fn verbose_rows() {
        // The order of `w32tm /query /status /verbose` in Microsoft's documentation of the tool.
        let text = format!(
            "{STRANGE}j: -0.0000325s\nk: 0.0156250s\nl: 2 (x)\nm: 0 (x)\nn: 0 (x)\no: 2 (x)\np: 325.4567890s\n"
        );
        let status = status(&text).unwrap();
        assert_eq!(status.phase_offset_seconds, Some(-0.000_032_5));
        assert_eq!(status.last_sync_error, Some(Number { line: 15, value: 2 }));
    }

    #[test]
    fn a_missing_row_shifts_nothing() {
        for cut in 0..9 {
            let text: Vec<&str> =
                STRANGE.lines().enumerate().filter(|(at, _)| *at != cut).map(|(_, line)| line).collect();
            assert_eq!(status(&text.join("\n")), None, "row {cut} cut");
        }
    }
}
