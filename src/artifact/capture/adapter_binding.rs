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
pub const READER: Reader = Reader { kind: CaptureKind::AdapterBinding, recognise, starts, read };

/// The header of the table.
fn starts(line: &str) -> bool {
    line.starts_with("Name ") && line.contains(" DisplayName ") && line.contains(" ComponentID")
}

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

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::super::netsh::testing::data;

    #[test]
    fn the_table_of_powershell() {
        // Layout of `Get-NetAdapterBinding` in several public transcripts.
        let text = "Name                           DisplayName                                        ComponentID          Enabled\n\
            ----                           -----------                                        -----------          -------\n\
            Ethernet                       Client for Microsoft Networks                      ms_msclient          True   \n\
            Ethernet                       Internet Protocol Version 6 (TCP/IPv6)             ms_tcpip6            False  \n\
            vEthernet (Default Switch)     Internet Protocol Version 6 (TCP/IPv6)             ms_tcpip6            True   \n";
        let (data, status, _) = data!(AdapterBinding, text);
        assert_eq!((status, data.bindings.len()), (CaptureStatus::Parsed, 3));
        let rows: Vec<_> = data
            .component("MS_TCPIP6")
            .map(|row| (row.line, row.adapter.as_deref().unwrap(), row.enabled))
            .collect();
        assert_eq!(rows, [(4, "Ethernet", Some(false)), (5, "vEthernet (Default Switch)", Some(true))]);
        assert_eq!(data.bindings[0].display_name.as_deref(), Some("Client for Microsoft Networks"));
    }

    #[test]
    fn lists_and_json() {
        let list = "\nName                : 以太网\nInterfaceDescription : x\nComponentID         : ms_tcpip6\nDisplayName : y\nEnabled             : True\n";
        let (data, status, _) = data!(AdapterBinding, list);
        assert_eq!(
            (status, data.bindings[0].adapter.as_deref(), data.bindings[0].enabled),
            (CaptureStatus::Parsed, Some("以太网"), Some(true))
        );

        let json = "{\n    \"Name\":  \"Wi-Fi\",\n    \"DisplayName\":  \"Internet Protocol Version 6 (TCP/IPv6)\",\n    \
            \"ComponentID\":  \"ms_tcpip6\",\n    \"Enabled\":  false\n}\n";
        let (data, status, _) = data!(AdapterBinding, json);
        assert_eq!(
            (status, data.bindings.len(), data.bindings[0].enabled),
            (CaptureStatus::Parsed, 1, Some(false))
        );
    }

    #[test]
    fn what_a_table_cut_is_unknown() {
        let text = "Name      DisplayName    ComponentID Enabled\n----      -----------    ----------- -------\n\
            Ethern... Internet Pr... ms_tcpip6   True\n";
        let (data, status, _) = data!(AdapterBinding, text);
        assert_eq!((data.bindings[0].adapter.as_deref(), status), (None, CaptureStatus::Partial));

        let text = "Name     DisplayName  ComponentID\n----     -----------  -----------\nEthernet IPv6         ms_tcpip6\n";
        let (data, status, _) = data!(AdapterBinding, text);
        assert_eq!((data.bindings[0].enabled, status), (None, CaptureStatus::Partial));
    }
}
