//! The texts that are made from the table: its part of the script, its part of the documentation, and what `explain --collect` says.

use std::fmt::Write as _;

use super::table::{Form, Item, TABLE};
use super::unlocks;
use crate::knowledge::endpoints::{Class, ENDPOINTS};

/// Where the made part of a text begins and ends.
pub const BEGIN: &str = "BEGIN TABLE";
/// The last line of the made part.
pub const END: &str = "END TABLE";

/// Hosts that probes ask beside the required ones: the DNS probe of Windows, and device registration.
const MORE_HOSTS: [&str; 2] = ["dns.msftncsi.com", "enterpriseregistration.windows.net"];

/// Names that `-Probe` resolves and connects to.
pub fn probe_hosts() -> Vec<&'static str> {
    let required = ENDPOINTS.iter().filter(|row| row.class == Class::Required && !row.host.contains('*'));
    let mut hosts: Vec<&str> = required.map(|row| row.host).chain(MORE_HOSTS).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// A text with the lines between its markers replaced.
pub fn with_part(text: &str, part: &str) -> Option<String> {
    let begin = text.find(BEGIN)?;
    let begin = begin + text.get(begin..)?.find('\n')? + 1;
    let end = begin + text.get(begin..)?.find(END)?;
    let end = text.get(..end)?.rfind('\n')? + 1;
    Some(format!("{}{part}{}", text.get(..begin)?, text.get(end..)?))
}

/// The table as PowerShell.
pub fn script_part() -> String {
    let mut out = String::from("$Table = @(\n");
    for item in TABLE.iter() {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "    @{{ Id = {}; Category = {}; File = {}",
            quoted(item.id),
            quoted(item.category),
            quoted(item.file)
        );
        let _ = writeln!(
            out,
            "       Form = {}; Elevated = ${}; Personal = ${}; Unless = {}; Channel = {}",
            quoted(form_name(item)),
            item.elevated,
            item.personal,
            quoted(item.unless.unwrap_or_default()),
            quoted(item.channel.unwrap_or_default()),
        );
        let _ = writeln!(out, "       Privacy = {}", quoted(item.privacy));
        let each: Vec<String> = item.each.iter().map(|text| quoted(&full_root(text))).collect();
        match each.as_slice() {
            [] => out.push_str("       Each = @()\n"),
            each => {
                let _ = writeln!(out, "       Each = @(\n           {})", each.join(",\n           "));
            }
        }
        out.push_str("       Run = @(");
        for run in &item.runs {
            let _ = write!(
                out,
                "\n           @{{ Needs = {}; Shown = {}\n              Block = {{ {} }} }}",
                quoted(run.needs),
                quoted(run.shown),
                run.command
            );
        }
        out.push_str(") }\n");
    }
    out.push_str(")\n");
    let hosts: Vec<String> = probe_hosts().into_iter().map(quoted).collect();
    let _ = writeln!(out, "$ProbeNames = @(\n    {})", hosts.join(",\n    "));
    out
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// PowerShell's paths and `reg` both know the long names of root keys.
fn full_root(text: &str) -> String {
    match text.strip_prefix(r"HKLM\") {
        Some(rest) => format!(r"HKEY_LOCAL_MACHINE\{rest}"),
        None => text.to_owned(),
    }
}

fn form_name(item: &Item) -> &'static str {
    match item.form {
        Some(Form::Text) => "text",
        Some(Form::Objects) => "objects",
        Some(Form::Log) => "log",
        Some(Form::File) | None => "file",
    }
}

/// Categories in the order of the table.
fn categories() -> Vec<&'static str> {
    let mut found: Vec<&str> = Vec::new();
    for item in TABLE.iter() {
        if !found.contains(&item.category) {
            found.push(item.category);
        }
    }
    found
}

/// The table as Markdown, a section a category; `checks_of` names the checks that read an item.
pub fn docs_part(checks_of: impl Fn(&str) -> Vec<&'static str>) -> String {
    let mut out = String::new();
    for category in categories() {
        let _ = writeln!(out, "\n### {category}\n");
        out.push_str(
            "| item | what for | what it tells about people and networks | elevated | by hand | checks |\n",
        );
        out.push_str("|---|---|---|---|---|---|\n");
        for item in TABLE.iter().filter(|item| item.category == category) {
            let mut privacy = item.privacy.to_owned();
            if item.personal {
                privacy.push_str(" (not with `-NoPersonal`)");
            }
            let _ = writeln!(
                out,
                "| `{}` | {} | {privacy} | {} | `{}` | {} |",
                item.id,
                item.why,
                if item.elevated { "yes" } else { "no" },
                item.by_hand().replace('|', r"\|"),
                listed(&checks_of(item.id)),
            );
        }
        for item in TABLE.iter().filter(|item| item.category == category && !item.each.is_empty()) {
            let each: Vec<String> = item.each.iter().map(|text| format!("`{text}`")).collect();
            let _ = writeln!(out, "\n`{}` is one file for each of {}.", item.id, each.join(", "));
        }
        out.push('\n');
    }
    out
}

fn listed(checks: &[&str]) -> String {
    match checks {
        [] => "none yet".to_owned(),
        checks => checks.join(", "),
    }
}

/// What to collect, all of it or for one check.
pub fn explain(check: Option<&str>) -> String {
    let mut out = String::new();
    let wanted = |item: &&Item| check.is_none_or(|check| unlocks::checks_of(item.id).contains(&check));
    for category in categories() {
        let items: Vec<&Item> =
            TABLE.iter().filter(|item| item.category == category).filter(wanted).collect();
        if items.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{category}");
        for item in items {
            let elevated = if item.elevated { " (elevated)" } else { "" };
            let _ = writeln!(out, "  {}: {}{elevated}", item.id, item.why);
            let _ = writeln!(out, "      {}", item.by_hand());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_made_part_is_replaced_and_the_rest_stays() {
        let text = "a\n# BEGIN TABLE x\nold\nold\n# END TABLE\nb\n";
        assert_eq!(with_part(text, "new\n").unwrap(), "a\n# BEGIN TABLE x\nnew\n# END TABLE\nb\n");
        assert_eq!(with_part("nothing", "new"), None);
    }

    #[test]
    fn probes_ask_what_sign_in_and_licensing_need() {
        let hosts = probe_hosts();
        for host in crate::checks::required::SIGN_IN_AND_LICENSING {
            assert!(hosts.contains(&host), "{host}");
        }
        assert_eq!(quoted("it's"), "'it''s'");
    }
}
