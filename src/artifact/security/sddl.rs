//! SDDL: security descriptors as Windows writes them in text ([MS-DTYP] 2.5.1).
//!
//! Writing follows `ConvertSecurityDescriptorToStringSecurityDescriptor`: a mask is printed as one name when it is exactly the
//! mask of that name, else as the names of its bits from the lowest up, else in hex; SIDs have two letters where Windows has
//! them for every machine alike. Reading takes what `Get-Acl` prints.

use std::fmt::Write as _;

use super::{Ace, SecurityDescriptor, Sid};
use super::{DACL_AUTO_INHERIT_REQ, DACL_AUTO_INHERITED, DACL_PRESENT, DACL_PROTECTED, SELF_RELATIVE};
use crate::artifact::{Place, Problem};

/// `ACE_TYPE` and its letters.
const KINDS: [(u8, &str); 15] = [
    (0x00, "A"),
    (0x01, "D"),
    (0x02, "AU"),
    (0x03, "AL"),
    (0x05, "OA"),
    (0x06, "OD"),
    (0x07, "OU"),
    (0x08, "OL"),
    (0x09, "XA"),
    (0x0a, "XD"),
    (0x0b, "ZA"),
    (0x0d, "XU"),
    (0x11, "ML"),
    (0x12, "RA"),
    (0x13, "SP"),
];

/// `ACE_FLAGS` in the order in which Windows prints them.
const FLAGS: [(u8, &str); 8] = [
    (0x01, "OI"),
    (0x02, "CI"),
    (0x04, "NP"),
    (0x08, "IO"),
    (0x10, "ID"),
    (0x20, "CR"),
    (0x40, "SA"),
    (0x80, "FA"),
];

/// Control flags of a DACL in the order in which Windows prints them.
const CONTROL: [(u16, &str); 3] =
    [(DACL_PROTECTED, "P"), (DACL_AUTO_INHERIT_REQ, "AR"), (DACL_AUTO_INHERITED, "AI")];

/// Masks with a name of their own. `KX` is the same mask as `KR` and is only read.
const MASKS: [(u32, &str); 8] = [
    (0x000f_003f, "KA"),
    (0x0002_0019, "KR"),
    (0x0002_0006, "KW"),
    (0x0002_0019, "KX"),
    (0x001f_01ff, "FA"),
    (0x0012_0089, "FR"),
    (0x0012_0116, "FW"),
    (0x0012_00a0, "FX"),
];

/// Names of single bits, from the lowest up.
const BITS: [(u32, &str); 17] = [
    (0x0000_0001, "CC"),
    (0x0000_0002, "DC"),
    (0x0000_0004, "LC"),
    (0x0000_0008, "SW"),
    (0x0000_0010, "RP"),
    (0x0000_0020, "WP"),
    (0x0000_0040, "DT"),
    (0x0000_0080, "LO"),
    (0x0000_0100, "CR"),
    (0x0001_0000, "SD"),
    (0x0002_0000, "RC"),
    (0x0004_0000, "WD"),
    (0x0008_0000, "WO"),
    (0x1000_0000, "GA"),
    (0x2000_0000, "GX"),
    (0x4000_0000, "GW"),
    (0x8000_0000, "GR"),
];

/// SIDs that have two letters on every machine. Those of a domain (`DA`, `LA` …) depend on the machine that prints them.
const SIDS: [(&str, &str); 46] = [
    ("S-1-1-0", "WD"),
    ("S-1-3-0", "CO"),
    ("S-1-3-1", "CG"),
    ("S-1-3-4", "OW"),
    ("S-1-5-2", "NU"),
    ("S-1-5-4", "IU"),
    ("S-1-5-6", "SU"),
    ("S-1-5-7", "AN"),
    ("S-1-5-9", "ED"),
    ("S-1-5-10", "PS"),
    ("S-1-5-11", "AU"),
    ("S-1-5-12", "RC"),
    ("S-1-5-18", "SY"),
    ("S-1-5-19", "LS"),
    ("S-1-5-20", "NS"),
    ("S-1-5-32-544", "BA"),
    ("S-1-5-32-545", "BU"),
    ("S-1-5-32-546", "BG"),
    ("S-1-5-32-547", "PU"),
    ("S-1-5-32-548", "AO"),
    ("S-1-5-32-549", "SO"),
    ("S-1-5-32-550", "PO"),
    ("S-1-5-32-551", "BO"),
    ("S-1-5-32-552", "RE"),
    ("S-1-5-32-554", "RU"),
    ("S-1-5-32-555", "RD"),
    ("S-1-5-32-556", "NO"),
    ("S-1-5-32-558", "MU"),
    ("S-1-5-32-559", "LU"),
    ("S-1-5-32-568", "IS"),
    ("S-1-5-32-569", "CY"),
    ("S-1-5-32-573", "ER"),
    ("S-1-5-32-574", "CD"),
    ("S-1-5-32-575", "RA"),
    ("S-1-5-32-576", "ES"),
    ("S-1-5-32-577", "MS"),
    ("S-1-5-32-578", "HA"),
    ("S-1-5-32-579", "AA"),
    ("S-1-5-32-580", "RM"),
    ("S-1-5-33", "WR"),
    ("S-1-15-2-1", "AC"),
    ("S-1-16-4096", "LW"),
    ("S-1-16-8192", "ME"),
    ("S-1-16-8448", "MP"),
    ("S-1-16-12288", "HI"),
    ("S-1-16-16384", "SI"),
];

/// A NULL DACL, in words.
const NO_ACCESS_CONTROL: &str = "NO_ACCESS_CONTROL";

impl Sid {
    /// The two letters of SDDL, or the SID itself.
    pub fn sddl(&self) -> &str {
        SIDS.iter().find(|(sid, _)| *sid == self.0).map_or(&self.0, |(_, letters)| letters)
    }

    /// A SID from SDDL. Letters that stand for another account on every machine (`DA`, `LA` …) are kept as they are.
    fn from_sddl(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((sid, _)) = SIDS.iter().find(|(_, letters)| letters.eq_ignore_ascii_case(text)) {
            return Some(Self::new(*sid));
        }
        let is_letters = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_sid = text.len() > 4
            && text.as_bytes().first_chunk::<4>().is_some_and(|start| start.eq_ignore_ascii_case(b"S-1-"));
        (is_letters || is_sid).then(|| Self::new(text))
    }
}

impl Ace {
    /// The entry as Windows prints it: `(A;OICI;KA;;;NS)`.
    pub fn to_sddl(&self) -> String {
        let kind = name_of(&KINDS, self.kind).map_or_else(|| format!("{:#x}", self.kind), str::to_owned);
        let flags = names_of_bits(&FLAGS, |bit| self.flags & bit != 0);
        format!("({kind};{flags};{};;;{})", mask_text(self.mask), self.sid.sddl())
    }

    fn from_sddl(text: &str) -> Option<Self> {
        let mut fields = text.split(';').map(str::trim);
        let kind = fields.next()?;
        let (kind, _) = KINDS.iter().find(|(_, letters)| letters.eq_ignore_ascii_case(kind))?;
        let flags = bits_of_names(&FLAGS, fields.next()?)?.iter().fold(0, |flags, bit| flags | bit);
        let mask = mask_of(fields.next()?)?;
        // Two GUIDs of object entries, which keys do not have; behind the SID a condition may follow.
        let sid = Sid::from_sddl(fields.nth(2)?)?;
        Some(Self { kind: *kind, flags, mask, sid })
    }
}

fn name_of<T: PartialEq>(table: &[(T, &'static str)], wanted: T) -> Option<&'static str> {
    table.iter().find(|(value, _)| *value == wanted).map(|(_, name)| *name)
}

fn names_of_bits<T: Copy>(table: &[(T, &'static str)], is_set: impl Fn(T) -> bool) -> String {
    table.iter().filter(|(bit, _)| is_set(*bit)).map(|(_, name)| *name).collect()
}

/// The bits of names that stand side by side, all of two letters.
fn bits_of_names<T: Copy>(table: &[(T, &'static str)], text: &str) -> Option<Vec<T>> {
    let mut bits = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, behind) = rest.split_at_checked(2)?;
        bits.push(table.iter().find(|(_, own)| own.eq_ignore_ascii_case(name))?.0);
        rest = behind;
    }
    Some(bits)
}

fn mask_text(mask: u32) -> String {
    if let Some(name) = name_of(&MASKS, mask) {
        return name.to_owned();
    }
    let named = BITS.iter().fold(0, |all, (bit, _)| all | bit);
    if mask & !named == 0 { names_of_bits(&BITS, |bit| mask & bit != 0) } else { format!("{mask:#x}") }
}

fn mask_of(text: &str) -> Option<u32> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(hex, 16).ok();
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.parse().ok();
    }
    let names: Vec<(u32, &'static str)> = MASKS.iter().chain(&BITS).copied().collect();
    Some(bits_of_names(&names, text)?.iter().fold(0, |mask, bits| mask | bits))
}

impl SecurityDescriptor {
    /// Owner, group and DACL as `ConvertSecurityDescriptorToStringSecurityDescriptor` prints them:
    /// `O:BAG:SYD:P(A;OICI;KA;;;NS)…`
    pub fn to_sddl(&self) -> String {
        let mut text = String::new();
        for (letter, sid) in [('O', &self.owner), ('G', &self.group)] {
            if let Some(sid) = sid {
                let _ = write!(text, "{letter}:{}", sid.sddl());
            }
        }
        text + &self.dacl_sddl()
    }

    /// The DACL part alone: `D:P(A;OICI;KA;;;NS)…`; empty when the descriptor has none.
    pub fn dacl_sddl(&self) -> String {
        if self.control & DACL_PRESENT == 0 {
            return String::new();
        }
        let mut text = String::from("D:");
        for (_, letters) in CONTROL.iter().filter(|(bit, _)| self.control & bit != 0) {
            text.push_str(letters);
        }
        match &self.dacl {
            None => text.push_str(NO_ACCESS_CONTROL),
            Some(list) => text.extend(list.iter().map(Ace::to_sddl)),
        }
        text
    }

    /// Reads SDDL text; a SACL is passed over.
    ///
    /// # Errors
    /// The text is not SDDL; the problem says what was expected at which byte of it.
    pub fn from_sddl(text: &str) -> Result<Self, Problem> {
        let mut parts = Parts { text, at: 0 };
        let mut out = Self { control: SELF_RELATIVE, owner: None, group: None, dacl: None };
        while let Some((letter, start, body)) = parts.next()? {
            let sid = || Sid::from_sddl(body).ok_or_else(|| problem(start, "a SID", body));
            match letter {
                b'O' => out.owner = Some(sid()?),
                b'G' => out.group = Some(sid()?),
                b'D' => out.read_dacl(start, body)?,
                _ => {}
            }
        }
        Ok(out)
    }

    fn read_dacl(&mut self, start: usize, body: &str) -> Result<(), Problem> {
        self.control |= DACL_PRESENT;
        let (flags, mut rest) =
            body.split_at_checked(body.find('(').unwrap_or(body.len())).unwrap_or((body, ""));
        let mut flags = flags.trim();
        if let Some(before) = flags.strip_suffix(NO_ACCESS_CONTROL) {
            flags = before;
        } else {
            self.dacl = Some(Vec::new());
        }
        while !flags.is_empty() {
            let Some((bit, name)) = CONTROL.iter().find(|(_, name)| flags.starts_with(name)) else {
                return Err(problem(start, "flags of a DACL (P, AR, AI)", flags));
            };
            self.control |= bit;
            flags = flags.strip_prefix(name).unwrap_or_default();
        }
        while let Some(open) = rest.trim_start().strip_prefix('(') {
            let at = start + body.len() - open.len();
            let entry = matching_bracket(open).and_then(|end| Some((open.get(..end)?, open.get(end + 1..)?)));
            let Some((entry, behind)) = entry else {
                return Err(problem(at, "an entry that ends with )", open));
            };
            let ace = Ace::from_sddl(entry)
                .ok_or_else(|| problem(at, "an entry type;flags;rights;;;SID", entry))?;
            self.dacl.get_or_insert_default().push(ace);
            rest = behind;
        }
        if rest.trim().is_empty() { Ok(()) } else { Err(problem(start, "entries in brackets", rest)) }
    }
}

/// Where the bracket that was opened before `text` closes; conditions have brackets of their own.
fn matching_bracket(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    text.bytes().position(|byte| match byte {
        b'(' => {
            depth += 1;
            false
        }
        b')' if depth == 0 => true,
        b')' => {
            depth -= 1;
            false
        }
        _ => false,
    })
}

/// The parts `O:`, `G:`, `D:` and `S:` of an SDDL text.
struct Parts<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parts<'t> {
    /// Letter, position and text of the next part.
    fn next(&mut self) -> Result<Option<(u8, usize, &'t str)>, Problem> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start().len();
        let rest = rest.trim();
        if rest.is_empty() {
            return Ok(None);
        }
        let start = self.at + blank + 2;
        let &[letter, b':'] = rest.as_bytes().first_chunk().unwrap_or(&[0; 2]) else {
            return Err(problem(start - 2, "O:, G:, D: or S:", rest));
        };
        let letter = letter.to_ascii_uppercase();
        if !b"OGDS".contains(&letter) {
            return Err(problem(start - 2, "O:, G:, D: or S:", rest));
        }
        let body = rest.get(2..).unwrap_or_default();
        let end = part_end(body);
        self.at = start + end;
        Ok(Some((letter, start, body.get(..end).unwrap_or(body).trim_end())))
    }
}

/// Where the next part begins: at a letter with a colon, outside of brackets.
fn part_end(body: &str) -> usize {
    let mut depth = 0usize;
    let bytes = body.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && at > 0 => return at - 1,
            _ => {}
        }
    }
    body.len()
}

fn problem(at: usize, expected: &str, found: &str) -> Problem {
    let shown: String = found.chars().take(40).collect();
    Problem::new(Place::Offset(at as u64), expected, format!("{shown:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::hive::sd;

    #[test]
    fn the_expected_descriptor_of_network_service() {
        // domain.md 5.11: the real hive's five entries, owner, group and protection, in the letters of [MS-DTYP] 2.5.1.
        let descriptor = SecurityDescriptor::parse(&sd::user_hive("S-1-5-20")).unwrap();
        let text = "O:BAG:SYD:P(A;OICI;KA;;;NS)(A;OICI;KA;;;SY)(A;OICI;KA;;;BA)(A;OICI;KR;;;RC)(A;;KR;;;AC)";
        assert_eq!(descriptor.to_sddl(), text);
        assert_eq!(SecurityDescriptor::from_sddl(text).unwrap(), descriptor);
    }

    #[test]
    fn masks_as_windows_prints_them() {
        // SDGXGWGR: the entry for authenticated users on the root of a system drive, as icacls and Get-Acl show it.
        // CCDCLCSWRP: the usual launch permission of COM servers. 0x1200a9: read and execute on a file has a bit (synchronize)
        // that has no letters.
        for (mask, text) in [
            (0xe001_0000, "SDGXGWGR"),
            (0x1f, "CCDCLCSWRP"),
            (0x0012_00a9, "0x1200a9"),
            (0x0002_0019, "KR"),
            (0x000f_003f, "KA"),
            (0, ""),
        ] {
            assert_eq!(mask_text(mask), text);
            assert_eq!(mask_of(text), Some(mask));
        }
        assert_eq!(mask_of("KX"), Some(0x0002_0019));
        assert_eq!(mask_of("QQ"), None);
    }

    #[test]
    fn what_get_acl_prints() {
        // Get-Acl gives owner and group, and SACL flags when it was asked for them.
        let text = "O:SYG:SYD:PAI(A;CIIO;GA;;;CO)(D;;KA;;;S-1-5-21-1-2-3-1001)(A;ID;KR;;;S-1-5-80-1-2-3-4-5)S:AI(AU;SA;KA;;;WD)";
        let descriptor = SecurityDescriptor::from_sddl(text).unwrap();
        assert!(descriptor.is_protected());
        let dacl = descriptor.dacl.as_ref().unwrap();
        assert_eq!(dacl.len(), 3);
        assert!(dacl[0].is_allow() && !dacl[0].applies_here());
        assert!(dacl[1].is_deny());
        assert_eq!(format!("{}S:AI(AU;SA;KA;;;WD)", descriptor.to_sddl()), text);
        let null = SecurityDescriptor::from_sddl("O:BAD:NO_ACCESS_CONTROL").unwrap();
        assert_eq!(null.dacl, None);
        assert_eq!(null.to_sddl(), "O:BAD:NO_ACCESS_CONTROL");
        assert_eq!(SecurityDescriptor::from_sddl("D:").unwrap().dacl, Some(vec![]));
    }

    #[test]
    fn conditional_entries_keep_their_place() {
        let text = "D:(XA;;KR;;;WD;(Member_of {SID(BA)}))(A;;KA;;;LA)";
        let dacl = SecurityDescriptor::from_sddl(text).unwrap().dacl.unwrap();
        assert_eq!((dacl[0].kind, dacl[0].sid.as_str()), (0x09, "S-1-1-0"));
        assert_eq!(dacl[1].sid.as_str(), "LA");
    }

    #[test]
    fn what_is_not_sddl_is_refused_with_its_place() {
        for (text, at) in
            [("hello", 0), ("O:", 2), ("O:BAD:(A;;KA;;;NS", 7), ("D:(A;;QQ;;;NS)", 3), ("D:X(A;;KA;;;NS)", 2)]
        {
            let problem = SecurityDescriptor::from_sddl(text).unwrap_err();
            assert_eq!(problem.place, Place::Offset(at), "{text}: {problem}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[OGDS:();A-Z0-9x ü-]{0,60}") {
            let _ = SecurityDescriptor::from_sddl(&text);
        }

        #[test]
        fn every_descriptor_reads_back(
            flags in 0u16..8,
            entries in proptest::collection::vec((0usize..15, 0u8..=255, 0u32.., 0usize..46), 0..5),
        ) {
            let bits = CONTROL.iter().enumerate().filter(|(at, _)| flags >> at & 1 != 0);
            let descriptor = SecurityDescriptor {
                control: bits.fold(SELF_RELATIVE | DACL_PRESENT, |all, (_, (bit, _))| all | bit),
                owner: Some(Sid::new("S-1-5-21-1-2-3-1001")),
                group: None,
                dacl: Some(entries.iter().map(|&(kind, flags, mask, sid)| Ace {
                    kind: KINDS[kind].0, flags, mask, sid: Sid::new(SIDS[sid].0),
                }).collect()),
            };
            proptest::prop_assert_eq!(SecurityDescriptor::from_sddl(&descriptor.to_sddl()).unwrap(), descriptor);
        }
    }
}
