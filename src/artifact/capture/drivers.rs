//! `driverquery` and `fltmc`: the drivers and the file-system filters, by which security products are known.
//!
//! `driverquery` has localised headers in a fixed order, so columns are told by their place: name, display name, type, link date;
//! with `/si` device, INF file, signed, manufacturer. `fltmc` prints numbers in its last columns. Tables cut long names, module
//! names among them, to the width of their column.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::{self, columns};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// Drivers, from `driverquery`.
    pub drivers: Vec<Driver>,
    /// Devices and the signature of their drivers, from `driverquery /si`.
    pub devices: Vec<Device>,
    /// Filters that are loaded, from `fltmc`.
    pub filters: Vec<Filter>,
}

/// One driver.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Driver {
    /// 1-based line.
    pub line: u32,
    /// Name of the module (the service's key name).
    pub module: String,
    /// Display name; a table cuts it to 22 columns.
    pub display_name: String,
    /// Path of the file (`/v`).
    pub path: Option<String>,
}

/// One device and the signature of its driver.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Device {
    /// 1-based line.
    pub line: u32,
    /// Name of the device; a table cuts it.
    pub name: String,
    /// INF file.
    pub inf: String,
    /// Whether the driver is signed.
    pub signed: bool,
    /// Manufacturer.
    pub manufacturer: String,
}

/// One file-system filter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filter {
    /// 1-based line.
    pub line: u32,
    /// Name of the filter (the service's key name).
    pub name: String,
    /// How many volumes it is attached to; `None` for legacy filters.
    pub instances: Option<u32>,
    /// Altitude, a decimal number that may have a fraction.
    pub altitude: String,
    /// A legacy filter, which stands outside the filter manager.
    pub legacy: bool,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Drivers, recognise, starts, read };

/// Modules that every Windows has; the table of `driverquery` is recognised by them whatever its header says.
const ALWAYS_THERE: &[&str] = &[
    "ACPI", "AFD", "Beep", "CNG", "disk", "FltMgr", "KSecDD", "mountmgr", "NDIS", "Ntfs", "Null", "partmgr",
    "pci", "Tcpip",
];

/// Filters that Windows itself brings, of which one is always loaded.
const WINDOWS_FILTERS: &[&str] = &[
    "bindflt",
    "CldFlt",
    "FileInfo",
    "luafv",
    "npsvctrig",
    "storqosflt",
    "wcifs",
    "WdFilter",
    "Wof",
    "MsSecFlt",
    "FileCrypt",
];

/// The English headers of the tables.
fn starts(line: &str) -> bool {
    ["Module Name  Display Name", "Filter Name        ", "DeviceName         "]
        .iter()
        .any(|header| line.starts_with(header))
}

fn is_one_of(names: &[&str], word: &str) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// The first cell of a line: up to two blanks, a column of one blank in tables, or the first quoted cell of CSV.
fn first_word(line: &str) -> &str {
    let line = line.trim_start();
    match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => line.split_whitespace().next().unwrap_or_default(),
    }
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut rule, mut modules, mut filters, mut devices) = (false, 0usize, 0usize, false);
    for (number, line) in block.lines() {
        let by_label = shape::labelled(line).map(|found| found.value).unwrap_or_default();
        rule |= netsh::is_rule(line, '=', 40)
            || line.trim_start().starts_with("\",\"")
            || line.matches("\",\"").count() >= 3;
        modules +=
            usize::from(is_one_of(ALWAYS_THERE, first_word(line)) || is_one_of(ALWAYS_THERE, by_label));
        filters +=
            usize::from(filter(number, line).is_some_and(|found| is_one_of(WINDOWS_FILTERS, &found.name)));
        devices |= line.contains(".inf") && (line.contains(" TRUE ") || line.contains("\"TRUE\""));
    }
    match (filters, modules, rule) {
        (1.., ..) => 90,
        (0, 4.., _) => 85,
        (0, _, true) if devices => 80,
        _ => 0,
    }
}

/// How the block is laid out.
enum Layout {
    Filters,
    Csv,
    Table(Vec<(usize, usize)>),
    List,
}

fn layout(block: &Block<'_>) -> Layout {
    for (number, line) in block.lines() {
        if filter(number, line).is_some() {
            return Layout::Filters;
        }
        if line.trim_start().starts_with('"') {
            return Layout::Csv;
        }
        if netsh::is_rule(line, '=', 40) {
            return Layout::Table(columns::rule_spans(line).unwrap_or_default());
        }
    }
    Layout::List
}

fn read(block: &Block<'_>) -> Reading {
    if let Some(failed) = shape::failed(block) {
        return failed;
    }
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    match layout(block) {
        Layout::Filters => read_filters(block, &mut data, &mut doubts),
        Layout::Csv => {
            for object in shape::objects(block).objects {
                let cells = object
                    .properties
                    .iter()
                    .map(|property| property.cell.text().unwrap_or_default().into_owned());
                take(object.line, &cells.collect::<Vec<_>>(), &mut data, &mut doubts);
            }
        }
        Layout::Table(spans) => read_table(block, &spans, &mut data, &mut doubts),
        Layout::List => read_list(block, &mut data, &mut doubts),
    }
    if data.drivers.is_empty() && data.devices.is_empty() && data.filters.is_empty() {
        doubts.whole("no driver was printed");
    }
    netsh::reading(CaptureData::Drivers(data), None, &doubts)
}

fn read_filters(block: &Block<'_>, data: &mut Data, doubts: &mut Doubts) {
    let mut rule = false;
    for (number, line) in block.lines().filter(|(_, line)| !line.trim().is_empty()) {
        match filter(number, line) {
            Some(filter) => data.filters.push(filter),
            None if rule => doubts.at(number, format!("expected a filter, found {}", netsh::quote(line))),
            None => rule |= netsh::is_rule(line, '-', 30),
        }
    }
}

fn read_table(block: &Block<'_>, spans: &[(usize, usize)], data: &mut Data, doubts: &mut Doubts) {
    let mut lines = block.lines().skip_while(|(_, line)| !netsh::is_rule(line, '=', 40)).skip(1);
    let rows: Vec<(u32, &str)> = lines.by_ref().filter(|(_, line)| !line.trim().is_empty()).collect();
    let texts: Vec<&str> = rows.iter().map(|(_, line)| *line).collect();
    for ((number, _), cells) in rows.iter().zip(columns::cut_rows(spans, &texts)) {
        take(*number, &cells, data, doubts);
    }
}

/// Blocks of `Label: value`, a blank line between; the order of the labels is that of the columns.
fn read_list(block: &Block<'_>, data: &mut Data, doubts: &mut Doubts) {
    let mut cells: Vec<String> = Vec::new();
    let mut first = 0;
    for (number, line) in block.lines() {
        match shape::labelled(line) {
            Some(found) => {
                if cells.is_empty() {
                    first = number;
                }
                cells.push(found.value.to_owned());
            }
            None if line.trim().is_empty() && !cells.is_empty() => {
                take(first, &cells, data, doubts);
                cells.clear();
            }
            None => {}
        }
    }
    if !cells.is_empty() {
        take(first, &cells, data, doubts);
    }
}

/// Takes one row by the places of its cells: four, fifteen with `/v`; four with a truth value in third place with `/si`.
fn take(line: u32, cells: &[String], data: &mut Data, doubts: &mut Doubts) {
    match cells {
        [name, inf, signed, manufacturer] if matches!(signed.as_str(), "TRUE" | "FALSE") => {
            data.devices.push(Device {
                line,
                name: name.clone(),
                inf: inf.clone(),
                signed: signed == "TRUE",
                manufacturer: manufacturer.clone(),
            })
        }
        [module, display_name, more @ ..]
            if !module.is_empty() && !module.contains(' ') && matches!(more.len(), 2 | 13) =>
        {
            let path = more.get(11).filter(|path| path.contains('\\')).cloned();
            data.drivers.push(Driver {
                line,
                module: module.clone(),
                display_name: display_name.clone(),
                path,
            });
        }
        _ => {
            doubts.at(line, format!("expected a driver with 4 or 15 columns, found {} columns", cells.len()))
        }
    }
}

/// Name, instances, altitude, frame. A legacy filter has no instances and the frame `<Legacy>`.
fn filter(line: u32, text: &str) -> Option<Filter> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (name, instances, altitude, frame) = match words.as_slice() {
        [name, altitude, frame @ "<Legacy>"] => (name, None, altitude, frame),
        [name, instances, altitude, frame] => (name, Some(instances.parse().ok()?), altitude, frame),
        _ => return None,
    };
    let legacy = *frame == "<Legacy>";
    let decimal = altitude.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && altitude.len() >= 4;
    let framed = legacy || frame.bytes().all(|byte| byte.is_ascii_digit());
    let named = name.chars().any(char::is_alphabetic);
    (decimal && framed && named).then(|| Filter {
        line,
        name: (*name).to_owned(),
        instances,
        altitude: (*altitude).to_owned(),
        legacy,
    })
}

#[cfg(test)]
mod tests {
    use super::super::netsh::testing::{damage_says_nothing_new, data, read_unasked};
    use super::super::{CaptureKind, CaptureStatus};

    /// Layout of Windows 10: columns of 12, 22, 13 and 22, one blank between them.
    const TABLE: &str = "\nModule Name  Display Name           Driver Type   Link Date             \n\
        ============ ====================== ============= ======================\n\
        1394ohci     1394 OHCI Compliant Ho Kernel                              \n\
        ACPI         Microsoft ACPI Driver  Kernel                              \n\
        Beep         Beep                   Kernel                              \n\
        CSAgent      CrowdStrike Falcon     File System   5/19/2015 1:28:03 AM  \n\
        disk         Disk Driver            Kernel                              \n\
        Ntfs         Ntfs                   File System                         \n\
        Tcpip        TCP/IP Protocol Driver Kernel                              \n";

    #[test]
    fn the_table_of_driverquery() {
        let (data, status, reason) = data!(Drivers, TABLE);
        assert_eq!((status, reason, data.drivers.len()), (CaptureStatus::Parsed, None, 7));
        let rows: Vec<_> = data
            .drivers
            .iter()
            .map(|row| (row.line, row.module.as_str(), row.display_name.as_str()))
            .collect();
        assert_eq!(rows[0], (4, "1394ohci", "1394 OHCI Compliant Ho"));
        assert_eq!(rows[3], (7, "CSAgent", "CrowdStrike Falcon"));
        assert_eq!(rows[6], (10, "Tcpip", "TCP/IP Protocol Driver"));
    }

    #[test]
    fn csv_and_list_with_localised_labels() {
        let csv = "\"Modulname\",\"Anzeigename\",\"Treibertyp\",\"Linkdatum\"\n\"ACPI\",\"Microsoft ACPI-Treiber\",\"Kernel \",\"\"\n\
            \"Beep\",\"Beep\",\"Kernel \",\"\"\n\"disk\",\"Datenträgertreiber\",\"Kernel \",\"\"\n\"Ntfs\",\"Ntfs\",\"Dateisystem \",\"\"\n";
        let list = "Modulname:    ACPI\nAnzeigename:  Microsoft ACPI-Treiber\nTreibertyp:   Kernel\nLinkdatum:\n\n\
            Modulname:    Beep\nAnzeigename:  Beep\nTreibertyp:   Kernel\nLinkdatum:\n\n\
            Modulname:    disk\nAnzeigename:  Datenträgertreiber\nTreibertyp:   Kernel\nLinkdatum:\n\n\
            Modulname:    Ntfs\nAnzeigename:  Ntfs\nTreibertyp:   Dateisystem\nLinkdatum:\n";
        for text in [csv, list] {
            let (data, status, _) = data!(Drivers, text);
            assert_eq!((status, data.drivers.len()), (CaptureStatus::Parsed, 4), "{text}");
            assert_eq!(
                (data.drivers[2].module.as_str(), data.drivers[2].display_name.as_str()),
                ("disk", "Datenträgertreiber")
            );
        }
    }

    #[test]
    fn signatures_of_devices() {
        let text = "\nDeviceName                     InfName       IsSigned Manufacturer             \n\
            ============================== ============= ======== =========================\n\
            Volume Shadow Copy             volsnap.inf   TRUE     Microsoft                \n\
            Odd device                     oem7.inf      FALSE    Odd Corp                 \n";
        let (data, status, _) = data!(Drivers, text);
        assert_eq!((status, data.devices.len()), (CaptureStatus::Parsed, 2));
        assert_eq!(
            (data.devices[1].line, data.devices[1].inf.as_str(), data.devices[1].signed),
            (5, "oem7.inf", false)
        );
    }

    #[test]
    fn filters_with_a_legacy_one() {
        // The first two rows as Microsoft's documentation of legacy filters prints them.
        let text = "\nFilter Name                     Num Instances    Altitude    Frame\n\
            ------------------------------  -------------  ------------  -----\n\
            AVLegacy                                        389998.99   <Legacy>\n\
            AVMiniFilter                           3        328000         0\n\
            UCPD                                    5       385250.5       0\n\
            WdFilter                                5       328010         0\n";
        let (data, status, _) = data!(Drivers, text);
        assert_eq!(status, CaptureStatus::Parsed);
        let rows: Vec<_> = data
            .filters
            .iter()
            .map(|row| (row.line, row.name.as_str(), row.instances, row.altitude.as_str(), row.legacy))
            .collect();
        assert_eq!(
            rows,
            [
                (4, "AVLegacy", None, "389998.99", true),
                (5, "AVMiniFilter", Some(3), "328000", false),
                (6, "UCPD", Some(5), "385250.5", false),
                (7, "WdFilter", Some(5), "328010", false),
            ]
        );
    }

    #[test]
    fn a_refusal_and_cut_columns() {
        let refused = read_unasked(
            CaptureKind::Drivers,
            "Filter enumeration failed with error: 0x80070005 \nAccess is denied.\n",
        );
        assert_eq!(refused.status, CaptureStatus::ErrorOutput);
        let cut: String =
            TABLE.lines().map(|line| format!("{}\n", line.chars().take(35).collect::<String>())).collect();
        let reading = read_unasked(CaptureKind::Drivers, &cut);
        assert_ne!(reading.status, CaptureStatus::Parsed);
    }

    #[test]
    fn damage_says_nothing_new_of_drivers() {
        damage_says_nothing_new(CaptureKind::Drivers, TABLE, true);
    }
}
