//! `Get-Acl | ConvertTo-Json`: rules are objects inside the object, which the common form of PowerShell objects flattens.

use serde_json::{Map, Value};

use super::super::Block;
use super::{Access, Acl, Rule, Sddl};

/// The access lists of every JSON document of a block. Lines are those of the document's start: JSON carries none of its own.
pub(super) fn acls(block: &Block<'_>) -> Vec<Acl> {
    let start = block.lines().find(|(_, line)| line.trim_start().starts_with(['{', '[']));
    let Some((line, _)) = start else { return Vec::new() };
    let text = block.text.span(line, block.to);
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>().map_while(Result::ok) {
        match value {
            Value::Array(items) => found.extend(items.iter().filter_map(|item| acl(line, item.as_object()?))),
            Value::Object(object) => found.extend(acl(line, &object)),
            _ => {}
        }
    }
    found
}

fn acl(line: u32, object: &Map<String, Value>) -> Option<Acl> {
    let text = |name: &str| {
        object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if !object.contains_key("Owner") && !object.contains_key("Sddl") {
        return None;
    }
    let listed = match object.get("Access") {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    let access: Vec<Rule> = listed.iter().filter_map(|item| rule(line, item.as_object()?)).collect();
    let sddl = text("Sddl").map(|value| Sddl { line, value });
    let as_many = sddl.as_ref().is_none_or(|sddl| super::entries(&sddl.value) == access.len());
    Some(Acl {
        line,
        path: text("Path").or_else(|| text("PSPath")),
        owner: text("Owner"),
        group: text("Group"),
        access_complete: as_many && access.len() == listed.len(),
        access,
        sddl,
    })
}

fn rule(line: u32, object: &Map<String, Value>) -> Option<Rule> {
    let access = match object.get("AccessControlType")? {
        Value::Number(number) if number.as_u64() == Some(0) => Access::Allow,
        Value::Number(number) if number.as_u64() == Some(1) => Access::Deny,
        Value::String(word) if word == "Allow" => Access::Allow,
        Value::String(word) if word == "Deny" => Access::Deny,
        _ => return None,
    };
    let account = match object.get("IdentityReference")? {
        Value::String(name) => name.clone(),
        Value::Object(inner) => inner.get("Value")?.as_str()?.to_owned(),
        _ => return None,
    };
    let rights =
        ["RegistryRights", "FileSystemRights", "Rights"].iter().find_map(|name| object.get(*name))?;
    let rights = match rights {
        Value::Number(number) => vec![number.to_string()],
        Value::String(words) => words.split(", ").map(str::to_owned).collect(),
        _ => return None,
    };
    let inherited = object.get("IsInherited").and_then(Value::as_bool);
    Some(Rule { line, account, access, rights, inherited })
}
