//! Cuts a file into the command outputs that it holds.
//!
//! Cuts are made at prompts and echoed commands, at the lines where a reader says that its output begins, and where registry keys
//! or events begin, which other readers take. Nothing is cut inside an output whose entries each have such a line.

use super::{Block, CaptureKind, READERS, appended, command};
use crate::artifact::text::Text;

/// What a block holds that is not a command's output of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Registry keys: `.reg` text or `reg query`.
    Registry,
    /// Events as XML or as `wevtutil` text.
    Events,
}

/// Kinds whose first line stands above every one of their entries: a second one does not begin a second output.
const REPEATING: &[CaptureKind] = &[
    CaptureKind::WinsockCatalog,
    CaptureKind::Service,
    CaptureKind::IpConfig,
    CaptureKind::Neighbors,
    CaptureKind::NetshDump,
    CaptureKind::FirewallProfiles,
    CaptureKind::FirewallRules,
    CaptureKind::RoutePrint,
];

/// What opened a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opener {
    Reader(CaptureKind),
    Foreign(Foreign),
}

/// The blocks of a file, in their order. Every line belongs to one block at most; a file without any mark is one block. Lines
/// with prompts, banners and the headers of transcripts belong to none.
///
/// A block behind a prompt whose command printed nothing has no lines: its `to` is the prompt, its `from` the line behind it.
pub fn split(text: &Text) -> Vec<Block<'_>> {
    let mut cutter = Cutter { text, blocks: Vec::new(), open: Open::at(1), header: None };
    for (number, line) in text.lines() {
        cutter.line(number, line);
    }
    cutter.close(text.line_count());
    if cutter.blocks.is_empty() {
        cutter.blocks.push(Block::whole(text));
    }
    cutter.blocks.into_iter().flat_map(appended::divide).collect()
}

/// Whether a block is for the readers of registry keys or events.
pub fn foreign(block: &Block<'_>) -> Option<Foreign> {
    block
        .lines()
        .filter(|(_, line)| !line.trim().is_empty())
        .take(3)
        .find_map(|(_, line)| foreign_start(line))
}

fn foreign_start(line: &str) -> Option<Foreign> {
    const ROOTS: &[&str] = &["LOCAL_MACHINE", "CURRENT_USER", "USERS", "CLASSES_ROOT", "CURRENT_CONFIG"];
    let key = line.strip_prefix("[-").or_else(|| line.strip_prefix('[')).unwrap_or(line);
    if let Some(root) = key.strip_prefix("HKEY_") {
        return ROOTS.iter().any(|name| root.starts_with(name)).then_some(Foreign::Registry);
    }
    if line.starts_with("Windows Registry Editor Version") || line.trim_end() == "REGEDIT4" {
        return Some(Foreign::Registry);
    }
    let events =
        ["<Event ", "<Event>", "<Events", "Event["].iter().any(|mark| line.trim_start().starts_with(mark));
    events.then_some(Foreign::Events)
}

/// The block that is being collected.
struct Open<'t> {
    from: u32,
    /// Last line with something on it.
    last: Option<u32>,
    /// First line with something on it.
    first: Option<u32>,
    command: Option<&'t str>,
    /// The command stands behind a prompt, so it was run; a bare line may also be a line of a script.
    ran: bool,
    opener: Option<Opener>,
}

impl Open<'_> {
    fn at(from: u32) -> Self {
        Self { from, last: None, first: None, command: None, ran: false, opener: None }
    }
}

struct Cutter<'t> {
    text: &'t Text,
    blocks: Vec<Block<'t>>,
    open: Open<'t>,
    /// Line at which the header of a transcript began.
    header: Option<u32>,
}

/// Rule around the headers of PowerShell transcripts: 22 stars.
const STARS: &str = "**********************";

/// Lines that a transcript's header has at most.
const HEADER: u32 = 30;

impl<'t> Cutter<'t> {
    fn line(&mut self, number: u32, line: &'t str) {
        if line.trim_end() == STARS {
            self.close(number.saturating_sub(1));
            self.open = Open::at(number.saturating_add(1));
            self.header = match self.header {
                None => Some(number),
                Some(_) => None,
            };
            return;
        }
        if let Some(start) = self.header {
            if number - start <= HEADER {
                self.open = Open::at(number.saturating_add(1));
                return;
            }
            self.header = None;
        }
        if line.trim().is_empty() {
            return;
        }
        let prompt = command::prompt(line);
        if let Some(typed) = prompt.or_else(|| command::echoed(line)) {
            self.close(number.saturating_sub(1));
            self.open = Open::at(number.saturating_add(1));
            self.open.command = (!typed.is_empty()).then_some(typed);
            self.open.ran = prompt.is_some();
            return;
        }
        if let Some(opener) = opener(line) {
            self.opens(number, opener);
        }
        self.open.first.get_or_insert(number);
        self.open.last = Some(number);
    }

    /// A line at which an output begins.
    fn opens(&mut self, number: u32, opener: Opener) {
        let repeats = match opener {
            Opener::Reader(kind) => REPEATING.contains(&kind),
            Opener::Foreign(_) => true,
        };
        match self.open.opener {
            Some(before) if before == opener && repeats => return,
            _ if self.open.first.is_none() || (repeats && self.began_before(opener)) => {}
            _ => {
                self.close(number.saturating_sub(1));
                self.open = Open::at(number);
            }
        }
        self.open.opener = Some(opener);
    }

    /// Whether the open block is an output of that kind already, whose first line is missing. Asked once a block.
    fn began_before(&self, opener: Opener) -> bool {
        let (Opener::Reader(kind), Some(from), Some(to), None) =
            (opener, self.open.first, self.open.last, self.open.opener)
        else {
            return false;
        };
        let block = Block { text: self.text, from, to, command: None };
        READERS.iter().any(|reader| reader.kind == kind && (reader.recognise)(&block) > 0)
    }

    fn close(&mut self, end: u32) {
        let Open { from, first, last, command, ran, .. } = self.open;
        let block = match (first, last) {
            (Some(first), Some(last)) => Block { text: self.text, from: first, to: last, command },
            // A command that printed nothing says something only if it should have.
            _ if ran && command.is_some_and(|command| command::kind_of(command).is_some()) => {
                Block { text: self.text, from, to: from.saturating_sub(1).min(end), command }
            }
            _ => return,
        };
        if !is_banner(&block) {
            self.blocks.push(block);
        }
    }
}

fn opener(line: &str) -> Option<Opener> {
    if let Some(foreign) = foreign_start(line) {
        return Some(Opener::Foreign(foreign));
    }
    READERS.iter().find(|reader| (reader.starts)(line)).map(|reader| Opener::Reader(reader.kind))
}

/// The lines that cmd and PowerShell print when they start.
fn is_banner(block: &Block<'_>) -> bool {
    let Some((_, first)) = block.lines().next() else { return false };
    let named = first.starts_with("Microsoft Windows [")
        || first.starts_with("Windows PowerShell")
        || first.starts_with("PowerShell ");
    named && block.command.is_none() && block.to - block.from < 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(text: &str) -> Vec<(u32, u32, Option<String>)> {
        let text = Text::decode(text.as_bytes());
        split(&text).iter().map(|block| (block.from, block.to, block.command.map(str::to_owned))).collect()
    }

    #[test]
    fn prompts_cut_and_banners_belong_to_nobody() {
        let text = "Microsoft Windows [Version 10.0.22000.675]\n(c) Microsoft Corporation. All rights reserved.\n\n\
                    C:\\>one\n\nfirst\noutput\n\nC:\\>two\nsecond\nC:\\>";
        assert_eq!(blocks(text), [(6, 7, Some("one".into())), (10, 10, Some("two".into()))]);
    }

    #[test]
    fn a_command_without_output_is_kept_when_its_output_is_known() {
        // domain.md 13, decision 1: a prompt with the echoed command shows that it ran and returned nothing.
        let text = "PS C:\\> cls\nPS C:\\> Get-NetConnectionProfile\n\nPS C:\\> exit\n";
        assert_eq!(blocks(text), [(3, 2, Some("Get-NetConnectionProfile".into()))]);
        // … but the lines of a script show nothing.
        assert_eq!(blocks("Get-NetConnectionProfile\nipconfig /all\n"), [(1, 2, None)]);
    }

    #[test]
    fn transcript_headers_belong_to_nobody() {
        let text = format!(
            "{STARS}\nWindows PowerShell transcript start\nStart time: 20240101\n{STARS}\nTranscript started\nPS>hostname\nPC\n\
             {STARS}\nWindows PowerShell transcript end\n{STARS}\n"
        );
        assert_eq!(blocks(&text), [(5, 5, None), (7, 7, Some("hostname".into()))]);
    }

    #[test]
    fn registry_and_events_are_cut_out_for_others() {
        let text = "some words\nHKEY_LOCAL_MACHINE\\SOFTWARE\n    a    REG_SZ    b\n\nHKEY_LOCAL_MACHINE\\SYSTEM\n\
                    <Event xmlns='x'>\n</Event>\n<Event xmlns='x'/>\n";
        assert_eq!(blocks(text), [(1, 1, None), (2, 5, None), (6, 8, None)]);
        let text = Text::decode(text.as_bytes());
        let foreign: Vec<_> = split(&text).iter().map(foreign).collect();
        assert_eq!(foreign, [None, Some(Foreign::Registry), Some(Foreign::Events)]);
    }

    #[test]
    fn a_file_with_nothing_known_is_one_block() {
        assert_eq!(blocks("just\nwords\n"), [(1, 2, None)]);
        assert_eq!(blocks(""), [(1, 0, None)]);
        assert_eq!(blocks("\n\n"), [(1, 2, None)]);
    }

    proptest! {
        #[test]
        fn blocks_are_in_order_and_never_overlap(
            lines in proptest::collection::vec(
                prop_oneof![
                    Just("C:\\>ipconfig"), Just("PS>x"), Just(""), Just("HKEY_USERS\\a"), Just(STARS), Just("words"),
                    Just("Windows IP Configuration"), Just("SERVICE_NAME: x"), Just("netsh dump"),
                ], 0..40)
        ) {
            let text = Text::decode(lines.join("\n").as_bytes());
            let mut last = 0;
            for block in split(&text) {
                prop_assert!(block.from > last && block.to <= text.line_count());
                last = block.to.max(block.from - 1);
            }
        }
    }
}
