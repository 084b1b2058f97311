//! Security descriptors: who owns a key and who may do what with it.
//!
//! Two sources give them: the self-relative binary form of a hive's security cells ([MS-DTYP] 2.4.6) and the SDDL text that
//! `Get-Acl` prints ([MS-DTYP] 2.5.1). Both end in the same type, so that a check needs to know neither.

pub mod sddl;
mod sid;

pub use sid::Sid;

/// All rights of a registry key.
pub const KEY_ALL_ACCESS: u32 = 0x000f_003f;
/// Query values, enumerate subkeys, notify, read the descriptor.
pub const KEY_READ: u32 = 0x0002_0019;
/// Set values, create subkeys, read the descriptor.
pub const KEY_WRITE: u32 = 0x0002_0006;

/// `GENERIC_ALL`, `GENERIC_EXECUTE`, `GENERIC_WRITE`, `GENERIC_READ` with what each stands for on a registry key
/// (`CmpKeyMapping`: execute is the same as read).
const GENERIC: [(u32, u32); 4] = [
    (0x1000_0000, KEY_ALL_ACCESS),
    (0x2000_0000, KEY_READ),
    (0x4000_0000, KEY_WRITE),
    (0x8000_0000, KEY_READ),
];

/// `ACE_FLAGS`: child objects that are no containers get the entry.
pub const OBJECT_INHERIT: u8 = 0x01;
/// `ACE_FLAGS`: subkeys get the entry.
pub const CONTAINER_INHERIT: u8 = 0x02;
/// `ACE_FLAGS`: subkeys get it, but it does not pass on from there.
pub const NO_PROPAGATE: u8 = 0x04;
/// `ACE_FLAGS`: the entry is only for subkeys and does not count for the key itself.
pub const INHERIT_ONLY: u8 = 0x08;
/// `ACE_FLAGS`: the entry came from the parent key.
pub const INHERITED: u8 = 0x10;

/// `SECURITY_DESCRIPTOR_CONTROL`: there is a DACL.
pub const DACL_PRESENT: u16 = 0x0004;
/// `SECURITY_DESCRIPTOR_CONTROL`: there is a SACL.
pub const SACL_PRESENT: u16 = 0x0010;
/// `SECURITY_DESCRIPTOR_CONTROL`: inheritance was asked for.
pub const DACL_AUTO_INHERIT_REQ: u16 = 0x0100;
/// `SECURITY_DESCRIPTOR_CONTROL`: the DACL was built with inheritance.
pub const DACL_AUTO_INHERITED: u16 = 0x0400;
/// `SECURITY_DESCRIPTOR_CONTROL`: entries of the parent do not pass on to this key.
pub const DACL_PROTECTED: u16 = 0x1000;
/// `SECURITY_DESCRIPTOR_CONTROL`: the binary form with offsets.
pub const SELF_RELATIVE: u16 = 0x8000;

/// One access control entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    /// `ACE_TYPE`: 0 allow, 1 deny, 2 audit …
    pub kind: u8,
    /// `ACE_FLAGS`: 0x01 object inherit, 0x02 container inherit, 0x08 inherit only, 0x10 inherited.
    pub flags: u8,
    /// Access mask as stored; generic bits are not mapped here.
    pub mask: u32,
    /// Who it is for.
    pub sid: Sid,
}

/// Owner, group and DACL of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// `SECURITY_DESCRIPTOR_CONTROL` bits.
    pub control: u16,
    /// Owner.
    pub owner: Option<Sid>,
    /// Primary group.
    pub group: Option<Sid>,
    /// The DACL; `None` is a NULL DACL (everyone may do everything), which is not the same as an empty one.
    pub dacl: Option<Vec<Ace>>,
}

impl Ace {
    /// An entry that allows: plain, object, callback and callback object ([MS-DTYP] 2.4.4.1).
    pub fn is_allow(&self) -> bool {
        matches!(self.kind, 0x00 | 0x05 | 0x09 | 0x0b)
    }

    /// An entry that denies: plain, object, callback and callback object.
    pub fn is_deny(&self) -> bool {
        matches!(self.kind, 0x01 | 0x06 | 0x0a | 0x0c)
    }

    /// Whether it counts for the key itself and not only for what inherits from it.
    pub fn applies_here(&self) -> bool {
        self.flags & INHERIT_ONLY == 0
    }

    /// The access mask with generic rights turned into those of a registry key.
    pub fn mapped_mask(&self) -> u32 {
        let specific = self.mask & 0x0fff_ffff;
        GENERIC
            .iter()
            .filter(|(bit, _)| self.mask & bit != 0)
            .fold(specific, |mask, (_, rights)| mask | rights)
    }
}

impl SecurityDescriptor {
    /// Reads a self-relative descriptor.
    ///
    /// `None` when it is not one: wrong revision, an offset or a length that leads out of it. A descriptor is never read in part,
    /// because an entry that was left out could be the one that denies.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<20>()?;
        let [revision, _, c0, c1, ..] = *head;
        let control = u16::from_le_bytes([c0, c1]);
        if revision != 1 || control & SELF_RELATIVE == 0 {
            return None;
        }
        let part = |at: usize| -> Option<Option<&[u8]>> {
            match u32::from_le_bytes(*head.get(at..)?.first_chunk()?) {
                0 => Some(None),
                offset => bytes.get(offset as usize..).map(Some),
            }
        };
        let sid = |at| match part(at)? {
            None => Some(None),
            Some(bytes) => Sid::parse(bytes).map(Some),
        };
        let dacl = match part(16)? {
            Some(acl) if control & DACL_PRESENT != 0 => Some(parse_acl(acl)?),
            _ => None,
        };
        Some(Self { control, owner: sid(4)?, group: sid(8)?, dacl })
    }

    /// Whether entries of the parent key are kept out.
    pub fn is_protected(&self) -> bool {
        self.control & DACL_PROTECTED != 0
    }

    /// The rights that the entries for one SID allow on the key itself, generic rights mapped. Entries that only pass on to
    /// subkeys do not count; a NULL DACL allows everything.
    pub fn allowed(&self, sid: &Sid) -> u32 {
        self.rights(sid, Ace::is_allow).unwrap_or(u32::MAX)
    }

    /// The rights that the entries for one SID deny on the key itself.
    pub fn denied(&self, sid: &Sid) -> u32 {
        self.rights(sid, Ace::is_deny).unwrap_or(0)
    }

    fn rights(&self, sid: &Sid, counts: impl Fn(&Ace) -> bool) -> Option<u32> {
        let entries =
            self.dacl.as_ref()?.iter().filter(|ace| ace.sid == *sid && ace.applies_here() && counts(ace));
        Some(entries.fold(0, |mask, ace| mask | ace.mapped_mask()))
    }
}

/// Reads an ACL ([MS-DTYP] 2.4.5). Entries of unknown type are kept when they hold a SID where their type says, else the
/// whole list is unreadable.
fn parse_acl(bytes: &[u8]) -> Option<Vec<Ace>> {
    let head = bytes.first_chunk::<8>()?;
    let [_, _, s0, s1, n0, n1, ..] = *head;
    let mut rest = bytes.get(8..usize::from(u16::from_le_bytes([s0, s1])))?;
    let count = u16::from_le_bytes([n0, n1]);
    let mut list = Vec::with_capacity(usize::from(count).min(rest.len() / 16));
    for _ in 0..count {
        let &[kind, flags, l0, l1] = rest.first_chunk()?;
        let len = usize::from(u16::from_le_bytes([l0, l1]));
        let body = rest.get(4..len)?;
        list.push(parse_ace(kind, flags, body)?);
        rest = rest.get(len..)?;
    }
    Some(list)
}

/// Reads what follows an ACE's header: the mask, in object entries the flags and the GUIDs that they announce, and the SID.
fn parse_ace(kind: u8, flags: u8, body: &[u8]) -> Option<Ace> {
    let mask = u32::from_le_bytes(*body.first_chunk()?);
    let guids = if matches!(kind, 0x05..=0x08 | 0x0b | 0x0c | 0x0f | 0x10) {
        let present = u32::from_le_bytes(*body.get(4..)?.first_chunk()?);
        4 + 16 * (present & 3).count_ones() as usize
    } else {
        0
    };
    Some(Ace { kind, flags, mask, sid: Sid::parse(body.get(4 + guids..)?)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::hive::sd;

    const SERVICE: &str = "S-1-5-20";

    fn descriptor(entries: &[sd::Ace<'_>]) -> SecurityDescriptor {
        SecurityDescriptor::parse(&sd::descriptor(0, Some(entries))).unwrap()
    }

    #[test]
    fn generic_rights_become_those_of_a_key() {
        // domain.md 5.11 and 6.8: XP splits a grant in a plain entry and an inherit-only one with generic masks.
        let split = descriptor(&[
            (sd::ALLOW, 0, sd::KEY_ALL, SERVICE),
            (sd::ALLOW, 0x0b, 0x1000_0000, SERVICE),
            (sd::ALLOW, 0x0b, 0x8000_0000, "S-1-5-12"),
        ]);
        let dacl = split.dacl.as_ref().unwrap();
        assert_eq!(dacl[1].mapped_mask(), KEY_ALL_ACCESS);
        assert_eq!(dacl[2].mapped_mask(), KEY_READ);
        assert_eq!(split.allowed(&Sid::new(SERVICE)), KEY_ALL_ACCESS);
        assert_eq!(split.allowed(&Sid::new("S-1-5-12")), 0, "inherit-only does not count here");
        // GENERIC_WRITE | GENERIC_EXECUTE (CmpKeyMapping, winnt.h: KEY_WRITE, KEY_EXECUTE).
        assert_eq!(
            descriptor(&[(sd::ALLOW, 0, 0x6000_0000, SERVICE)]).allowed(&Sid::new(SERVICE)),
            0x0002_001f
        );
    }

    #[test]
    fn rights_are_summed_over_entries_and_denials_are_apart() {
        let summed = descriptor(&[
            (sd::DENY, 0, 0x0001_0000, SERVICE),
            (sd::ALLOW, 0, 0x0002_0019, SERVICE),
            (sd::ALLOW, 0, 0x000d_0026, SERVICE),
        ]);
        assert_eq!(summed.allowed(&Sid::new("s-1-5-20")), KEY_ALL_ACCESS);
        assert_eq!(summed.denied(&Sid::new(SERVICE)), 0x0001_0000);
    }

    #[test]
    fn a_null_dacl_is_not_an_empty_one() {
        let null = SecurityDescriptor::parse(&sd::descriptor(0, None)).unwrap();
        let empty = descriptor(&[]);
        assert_eq!((null.dacl.as_deref(), empty.dacl.as_deref()), (None, Some(&[][..])));
        assert_eq!(null.allowed(&Sid::new(SERVICE)), u32::MAX);
        assert_eq!(empty.allowed(&Sid::new(SERVICE)), 0);
    }

    #[test]
    fn object_entries_have_guids_before_the_sid() {
        // [MS-DTYP] 2.4.4.3: mask, flags, object type if flag 1, inherited object type if flag 2, SID.
        let mut body = 0x30u32.to_le_bytes().to_vec();
        body.extend(1u32.to_le_bytes());
        body.extend([0xaa; 16]);
        body.extend(sd::sid(SERVICE));
        let ace = parse_ace(0x05, 0, &body).unwrap();
        assert_eq!((ace.mask, ace.sid.as_str()), (0x30, SERVICE));
    }

    #[test]
    fn sids_read_as_windows_prints_them() {
        for text in ["S-1-0-0", "S-1-5-32-544", "S-1-5-21-4294967295-0-1-500", "S-1-12-1-1-2-3-4"] {
            assert_eq!(Sid::parse(&sd::sid(text)).unwrap().as_str(), text);
        }
        // ConvertSidToStringSid: an authority of more than 32 bits in hex.
        assert_eq!(Sid::parse(&[1, 0, 1, 2, 3, 4, 5, 6]).unwrap().as_str(), "S-1-0x010203040506");
        assert_eq!(Sid::parse(&[1, 2, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0]), None, "cut off");
        assert_eq!(Sid::parse(&[2, 0, 0, 0, 0, 0, 0, 5]), None, "another revision");
    }

    #[test]
    fn persons_and_not_groups() {
        let is = |text: &str| Sid::new(text).is_person();
        assert!(is("S-1-5-21-1-2-3-1001") && is("S-1-5-21-1-2-3-500") && is("S-1-12-1-1-2-3-4"));
        assert!(!is("S-1-5-21-1-2-3-513") && !is("S-1-5-32-544") && !is("S-1-5-18") && !is("S-1-5-21-1-2-3"));
    }

    proptest::proptest! {
        #[test]
        fn damaged_descriptors_are_read_or_refused(at in 0usize..200, byte: u8, len in 0usize..300) {
            let mut bytes = sd::user_hive(SERVICE);
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(len);
            let _ = SecurityDescriptor::parse(&bytes);
        }
    }
}
