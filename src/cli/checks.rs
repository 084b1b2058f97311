//! `actriage checks`: every check with its id, layer and source article.

use std::io::Write;

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use super::{Exit, Outcome, width};
use crate::checks::CHECKS;

/// List every check.
#[derive(Debug, Args)]
pub struct Checks {}

impl Checks {
    pub(super) fn run(&self, out: &mut dyn Write) -> Outcome {
        let mut table = Table::new();
        let width = u16::try_from(width()).unwrap_or(u16::MAX);
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        table.force_no_tty().set_header(["id", "layer", "condition", "source"]);
        for check in CHECKS.iter() {
            table.add_row([
                check.id.to_owned(),
                check.layer.name().to_owned(),
                check.title.to_owned(),
                check.article.title(),
            ]);
        }
        // An id is what people search for and copy: it is never broken.
        if let Some(ids) = table.column_mut(0) {
            ids.set_constraint(ColumnConstraint::ContentWidth);
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(Exit::Good)
    }
}
