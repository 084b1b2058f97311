//! How a collection was made, told from the paths in it.
//!
//! The layout changes nothing in what is read (artifacts are recognised by content); it tells the engineer whose bundle this is.

/// The name of the layout in the report.
pub fn name(paths: &[&str], has_manifest: bool) -> &'static str {
    let lower: Vec<String> = paths.iter().map(|path| path.to_ascii_lowercase()).collect();
    let any = |test: &dyn Fn(&str) -> bool| lower.iter().any(|path| test(path));
    if has_manifest {
        return "actriage-collector";
    }
    if any(&|path| path.contains("windows/system32/config/") || path.contains("windows/system32/winevt/")) {
        return "windows-tree";
    }
    if any(&|path| path.ends_with("osinfo.txt")) && any(&|path| path.ends_with("envinfo.txt")) {
        return "gather-network-info";
    }
    match paths {
        [_] => "single-file",
        _ => "loose",
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn layouts_are_told_from_paths_below_any_prefix() {
        assert_eq!(name(&["case/C/Windows/System32/config/SYSTEM"], false), "windows-tree");
        assert_eq!(name(&["x/config/osinfo.txt", "x/config/envinfo.txt"], false), "gather-network-info");
        assert_eq!(name(&["a.evtx", "b.txt"], false), "loose");
        assert_eq!(name(&["a.evtx"], false), "single-file");
        assert_eq!(name(&["manifest.json"], true), "actriage-collector");
    }
}
