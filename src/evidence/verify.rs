//! The files of a bundle against the collector's manifest.
//!
//! The manifest holds the SHA-256 of every file that the collector wrote. A file that was edited, cut or replaced on its way here is told
//! from one that arrived as it was; so are files that went missing and files that somebody added.

use crate::artifact::ArtifactId;
use crate::artifact::collection::Artifact;
use crate::artifact::manifest::Manifest;

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Files whose content is not what was collected.
    pub altered: Vec<ArtifactId>,
    /// Paths that the manifest names and the bundle lacks.
    pub lost: Vec<String>,
    /// Files that the manifest does not name.
    pub added: Vec<ArtifactId>,
    /// Files whose content is as it was collected.
    pub sound: usize,
}

/// The path of the folder that a manifest lies in, with its slash.
pub fn folder_of(path: &str) -> &str {
    path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or_default()
}

/// Compares, and gives the altered files their reason.
pub fn verify(artifacts: &mut [Artifact], manifest: ArtifactId, said: &Manifest) -> Verification {
    let mut found = Verification::default();
    let folder =
        artifacts.get(manifest.0).map(|artifact| folder_of(&artifact.path).to_owned()).unwrap_or_default();
    let mut named = vec![manifest];
    for item in &said.items {
        let (Some(path), Some(expected)) = (&item.path, &item.sha256) else { continue };
        let path = format!("{folder}{}", path.replace('\\', "/"));
        let Some(at) = artifacts.iter().position(|artifact| artifact.path == path) else {
            found.lost.push(path);
            continue;
        };
        named.push(ArtifactId(at));
        let Some(artifact) = artifacts.get_mut(at) else { continue };
        match &artifact.sha256 {
            Some(hash) if hash.eq_ignore_ascii_case(expected) => found.sound += 1,
            Some(hash) => {
                let what = format!(
                    "altered since it was collected: the manifest has the SHA-256 {expected}, the file {hash}"
                );
                artifact.reason = Some(match artifact.reason.take() {
                    Some(reason) => format!("{what}; {reason}"),
                    None => what,
                });
                found.altered.push(ArtifactId(at));
            }
            // Hashes were not computed, or the file could not be read, which says so itself.
            None => {}
        }
    }
    let ours = |artifact: &Artifact| artifact.path.starts_with(&folder);
    found.added = artifacts
        .iter()
        .enumerate()
        .filter(|(at, artifact)| ours(artifact) && !named.contains(&ArtifactId(*at)))
        .map(|(at, _)| ArtifactId(at))
        .collect();
    // A manifest that names no hashes at all is from something else than the collector: it can vouch for nothing.
    if named.len() == 1 && found.lost.is_empty() {
        found.added.clear();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::identify::ReadStatus;

    fn artifact(path: &str, sha256: &str) -> Artifact {
        Artifact {
            path: path.into(),
            kind: "text".into(),
            bytes: 1,
            sha256: Some(sha256.into()),
            status: ReadStatus::Read,
            reason: None,
        }
    }

    #[test]
    fn altered_lost_and_added_files_are_told_apart() {
        let text = r#"{"schema": "actriage.manifest/1", "items": [
            {"id": "a", "outcome": "success", "path": "captures/a.txt", "sha256": "AA"},
            {"id": "b", "outcome": "success", "path": "captures\\b.txt", "sha256": "bb"},
            {"id": "c", "outcome": "success", "path": "c.txt", "sha256": "cc"}]}"#;
        let manifest = Manifest::parse(text).unwrap();
        let mut files = [
            artifact("case/manifest.json", "00"),
            artifact("case/captures/a.txt", "aa"),
            artifact("case/captures/b.txt", "b0"),
            artifact("case/new.txt", "11"),
            artifact("else.txt", "22"),
        ];
        let found = verify(&mut files, ArtifactId(0), &manifest);
        assert_eq!((found.sound, found.altered, found.added), (1, vec![ArtifactId(2)], vec![ArtifactId(3)]));
        assert_eq!(found.lost, ["case/c.txt"]);
        assert!(files[2].reason.as_deref().unwrap().starts_with("altered since it was collected"));
        assert_eq!(files[1].reason, None);
    }

    #[test]
    fn a_manifest_without_hashes_vouches_for_nothing() {
        let manifest = Manifest::parse(r#"{"schema": "actriage.manifest/1", "items": []}"#).unwrap();
        let mut files = [artifact("manifest.json", "00"), artifact("a.txt", "aa")];
        assert_eq!(verify(&mut files, ArtifactId(0), &manifest), Verification::default());
    }
}
