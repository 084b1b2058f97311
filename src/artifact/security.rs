//! Security descriptors: who owns a key and who may do what with it.

/// A security identifier in its text form, `S-1-5-20`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid(pub String);

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
