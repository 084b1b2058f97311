//! Outputs that follow one another without any prompt or heading between them.
//!
//! `command >> file` leaves nothing between two outputs but a blank line, if that. A block that two readers claim is looked at
//! paragraph by paragraph: where a paragraph is surely another output and nothing of the one before, there is the cut.

use super::{Block, READERS, Reader, command, shape, split};

/// How sure a reader has to be of the block to be asked about its paragraphs.
const CLAIM: u8 = 50;

/// How sure it has to be of a paragraph.
const SURE: u8 = 80;

/// The outputs in a block; mostly the block itself. A block behind a command whose output is known is one output.
pub fn divide(block: Block<'_>) -> Vec<Block<'_>> {
    let settled = block.command.is_some_and(|command| command::kind_of(command).is_some());
    if settled || split::foreign(&block).is_some() || shape::is_empty(&block) {
        return vec![block];
    }
    let head = block.head();
    let claims: Vec<&Reader> = READERS.iter().filter(|reader| (reader.recognise)(&head) >= CLAIM).collect();
    if claims.len() < 2 {
        return vec![block];
    }
    let mut parts: Vec<Block<'_>> = Vec::new();
    let mut open = block;
    let mut owner: Option<&Reader> = None;
    let mut end = block.from;
    for paragraph in paragraphs(&block) {
        let before_it = std::mem::replace(&mut end, paragraph.to);
        let surest = claims
            .iter()
            .map(|reader| ((reader.recognise)(&paragraph), *reader))
            .max_by_key(|(score, reader)| (*score, std::cmp::Reverse(reader.kind)));
        let Some((_, surest)) = surest.filter(|(score, _)| *score >= SURE) else { continue };
        match owner {
            Some(before) if before.kind == surest.kind || (before.recognise)(&paragraph) > 0 => {}
            Some(_) => {
                parts.push(Block { to: before_it, ..open });
                open = Block { from: paragraph.from, command: None, ..block };
                owner = Some(surest);
            }
            None => owner = Some(surest),
        }
    }
    parts.push(open);
    parts
}

/// Runs of lines without a blank one.
fn paragraphs<'t>(block: &Block<'t>) -> Vec<Block<'t>> {
    let mut found: Vec<Block<'t>> = Vec::new();
    let mut inside = false;
    for (number, line) in block.lines() {
        if line.trim().is_empty() {
            inside = false;
            continue;
        }
        match found.last_mut().filter(|_| inside) {
            Some(last) => last.to = number,
            None => found.push(Block { from: number, to: number, ..*block }),
        }
        inside = true;
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::artifact::capture::{self, CaptureKind};
    use crate::artifact::text::Text;

    #[test]
    fn outputs_without_anything_between_them() {
        let text = "\nName             : a\nInterfaceAlias   : b\nNetworkCategory  : Private\nIPv4Connectivity : Internet\n\
                    IPv6Connectivity : NoTraffic\n\nServer:  UnKnown\nAddress:  10.0.0.1\n\nName:    x.example\nAddress:  192.0.2.1\n\n\
                    ComputerName     : x.example\nRemoteAddress    : 192.0.2.1\nRemotePort       : 443\nTcpTestSucceeded : True\n";
        let kinds: Vec<_> = capture::read(&Text::decode(text.as_bytes()))
            .iter()
            .map(|capture| (capture.kind, capture.line_from))
            .collect();
        assert_eq!(
            kinds,
            [
                (CaptureKind::ConnectionProfile, 2),
                (CaptureKind::Nslookup, 8),
                (CaptureKind::TestConnection, 14)
            ]
        );
    }
}
