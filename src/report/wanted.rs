//! What to collect next, so that every format advises the same and in the same order.

use super::model::CheckInfo;

/// Something that was not collected, with how many checks ask for it.
pub struct Wanted<'r> {
    /// What.
    pub what: &'r str,
    /// The command that collects it.
    pub collect: &'r str,
    /// Checks that ask for it.
    pub checks: usize,
    /// Checks that miss nothing else.
    pub decides: usize,
}

/// What the open checks miss, most valuable first: what alone decides most checks, then what most checks ask for. One line a command.
pub fn wanted<'r>(open: &[&'r CheckInfo]) -> Vec<Wanted<'r>> {
    let mut rows: Vec<Wanted<'r>> = Vec::new();
    for check in open {
        let alone = usize::from(
            check
                .missing
                .iter()
                .all(|item| Some(&item.collect) == check.missing.first().map(|first| &first.collect)),
        );
        let mut counted: Vec<&str> = Vec::new();
        for missing in &check.missing {
            if counted.contains(&missing.collect.as_str()) {
                continue;
            }
            counted.push(&missing.collect);
            match rows.iter_mut().find(|row| row.collect == missing.collect) {
                Some(row) => {
                    row.checks += 1;
                    row.decides += alone;
                }
                None => rows.push(Wanted {
                    what: &missing.what,
                    collect: &missing.collect,
                    checks: 1,
                    decides: alone,
                }),
            }
        }
    }
    rows.sort_by(|a, b| {
        b.decides.cmp(&a.decides).then(b.checks.cmp(&a.checks)).then_with(|| a.what.cmp(b.what))
    });
    rows
}
