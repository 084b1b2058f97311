//! The command line of `reg query`, which says what its output covers.

use crate::artifact::reg_export::{short_root, wow64_twin};

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// The key; `None` when it is on another machine or not a key at all.
    pub path: Option<String>,
    /// `/s`.
    pub recursive: bool,
    /// `/v NAME` or `/ve`: only this value.
    pub only_value: Option<String>,
    /// `/f`, `/t` and their kin: only what matches was printed.
    pub searches: bool,
    /// `/reg:32`: the key that was read is the 32-bit twin of the one that was printed.
    pub view_32: bool,
    /// `/se SEP`: what stands between the strings of a list.
    pub separator: Option<String>,
}

impl Command {
    /// The key that was read.
    pub fn asked(&self) -> Option<String> {
        let path = self.path.clone()?;
        Some(if self.view_32 { wow64_twin(&path).unwrap_or(path) } else { path })
    }

    /// Reads an echoed command line, with or without a prompt; `None` when it is no `reg query`.
    pub fn parse(line: &str) -> Option<Self> {
        if line.starts_with("    ") || line.starts_with("HKEY_") {
            return None;
        }
        let mut words = words(after_query(line)?).into_iter().peekable();
        let mut command = Self { path: short_root(&words.next()?), ..Self::default() };
        while let Some(word) = words.next() {
            let mut argument = || words.next_if(|next| !next.starts_with('/'));
            match word.to_lowercase().as_str() {
                "/s" => command.recursive = true,
                "/v" => match argument() {
                    Some(name) => command.only_value = Some(name),
                    None => command.searches = true,
                },
                "/ve" => command.only_value = Some(String::new()),
                "/f" | "/t" => {
                    let _ = argument();
                    command.searches = true;
                }
                "/k" | "/d" => command.searches = true,
                "/se" => command.separator = argument(),
                "/reg:32" => command.view_32 = true,
                // Where the output went is not part of the question.
                redirect if redirect.starts_with(['>', '|', '&']) || redirect.starts_with("2>") => break,
                _ => {}
            }
        }
        Some(command)
    }
}

/// What stands behind `reg query`.
fn after_query(line: &str) -> Option<&str> {
    let lower = line.to_ascii_lowercase();
    ["reg query ", "reg.exe query ", "reg.exe\" query "].iter().find_map(|words| {
        let at = lower.find(words)?;
        let before = lower.get(..at)?.chars().next_back();
        let own_word = before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'));
        own_word.then(|| line.get(at + words.len()..)).flatten()
    })
}

/// Words of a command line; quotes hold blanks together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut any) = (false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, any) = (!quoted, true),
            c if c.is_whitespace() && !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_that_matter() {
        // `reg query /?` of Windows 10.
        let parsed = Command::parse(
            r#"C:\Windows\system32>reg query "HKLM\SOFTWARE\Microsoft\Windows NT" /v "Some Name" /reg:32 > x.txt"#,
        );
        assert_eq!(
            parsed,
            Some(Command {
                path: Some(r"HKLM\SOFTWARE\Microsoft\Windows NT".to_owned()),
                only_value: Some("Some Name".to_owned()),
                view_32: true,
                ..Command::default()
            })
        );
        let recursive = Command::parse("PS C:\\> reg.exe query HKEY_CURRENT_USER\\Software /s").unwrap();
        assert!(recursive.recursive && !recursive.searches && recursive.only_value.is_none());
        assert_eq!(Command::parse("reg query HKCU\\a /ve").unwrap().only_value.as_deref(), Some(""));
        for search in ["/f x /s", "/s /t REG_SZ", "/v /s"] {
            assert!(Command::parse(&format!("reg query HKLM {search}")).unwrap().searches, "{search}");
        }
        assert_eq!(Command::parse(r"reg query \\other\HKLM\SOFTWARE").unwrap().path, None);
        assert_eq!(Command::parse("my-reg query HKLM"), None);
        assert_eq!(Command::parse("reg add HKLM /v x"), None);
    }
}
