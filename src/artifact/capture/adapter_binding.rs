//! `Get-NetAdapterBinding`: which protocols and filters are bound to which adapter.
//!
//! Property names, component ids and truth values are never localised; display names are, and tables cut them. Whether a
//! component such as `ms_tcpip6` is bound is only told where the output shows `Enabled`.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::{self, Cell};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The bindings in the order of the output.
    pub bindings: Vec<Binding>,
}

/// One component and one adapter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Binding {
    /// 1-based line.
    pub line: u32,
    /// Name of the adapter; `None` where it was cut off or not printed.
    pub adapter: Option<String>,
    /// Name of the component as shown to people; localised, and cut in tables.
    pub display_name: Option<String>,
    /// Id of the component: `ms_tcpip6` is IPv6. `None` where it was cut off or not printed.
    pub component_id: Option<String>,
    /// Whether it is bound; `None` where that was not printed.
    pub enabled: Option<bool>,
}

impl Data {
    /// The bindings of one component.
    pub fn component<'d>(&'d self, id: &'d str) -> impl Iterator<Item = &'d Binding> {
        self.bindings.iter().filter(move |binding| {
            binding.component_id.as_deref().is_some_and(|component| component.eq_ignore_ascii_case(id))
        })
    }
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::AdapterBinding, recognise, starts: |_| false, read };

/// The name of a component, or the type that CSV and CLIXML carry, and a second property of the object.
fn recognise(block: &Block<'_>) -> u8 {
    let (mut id, mut name, mut class) = (false, false, false);
    for (_, line) in block.lines() {
        id |= line.contains("ComponentID");
        name |= line.contains("DisplayName") || line.contains("Enabled");
        class |= line.contains("MSFT_NetAdapterBindingSettingData");
    }
    if class || (id && name) { 90 } else { 0 }
}

fn read(block: &Block<'_>) -> Reading {
    if let Some(failed) = shape::failed(block) {
        return failed;
    }
    let found = shape::objects(block);
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    for object in found.objects.iter().filter(|object| object.has("ComponentID") || object.has("Enabled")) {
        // A name that a table cut is no key.
        let whole = |name: &str| {
            let property = object.property(name).filter(|property| !property.truncated)?;
            property.cell.text().map(std::borrow::Cow::into_owned)
        };
        let binding = Binding {
            line: object.line,
            adapter: whole("Name").or_else(|| whole("ifAlias")).or_else(|| whole("InterfaceAlias")),
            display_name: object.text("DisplayName"),
            component_id: whole("ComponentID"),
            enabled: object.get("Enabled").and_then(Cell::truth),
        };
        if binding.component_id.is_none() || binding.enabled.is_none() || binding.adapter.is_none() {
            doubts.at(object.line, "the binding lacks its adapter, its component or whether it is enabled");
        }
        data.bindings.push(binding);
    }
    if let Some(problem) = found.problems.first() {
        doubts.whole(problem.to_string());
    }
    if data.bindings.is_empty() {
        doubts.whole("no binding was printed");
    }
    netsh::reading(CaptureData::AdapterBinding(data), None, &doubts)
}
