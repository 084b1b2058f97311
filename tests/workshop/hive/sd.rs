//! Writes self-relative security descriptors ([MS-DTYP] 2.4.6).

/// All rights of a key.
pub const KEY_ALL: u32 = 0x000f_003f;
/// Reading a key.
pub const KEY_READ: u32 = 0x0002_0019;
/// Object and container inherit.
pub const OICI: u8 = 0x03;
/// Container inherit.
pub const CI: u8 = 0x02;

pub const ALLOW: u8 = 0;
pub const DENY: u8 = 1;

/// One entry: type, flags, mask, SID.
pub type Ace<'a> = (u8, u8, u32, &'a str);

/// A descriptor with owner `S-1-5-32-544` and group `S-1-5-18`, as root keys have them. `control` is written as given, with the
/// bits for self-relative (0x8000) and for a DACL (0x0004) added.
pub fn descriptor(control: u16, dacl: Option<&[Ace<'_>]>) -> Vec<u8> {
    full(control, Some("S-1-5-32-544"), Some("S-1-5-18"), dacl)
}

/// A descriptor with all its parts; a DACL of `None` is a NULL DACL.
pub fn full(control: u16, owner: Option<&str>, group: Option<&str>, dacl: Option<&[Ace<'_>]>) -> Vec<u8> {
    let mut body = Vec::new();
    let mut part = |bytes: Option<Vec<u8>>| -> u32 {
        let Some(bytes) = bytes else { return 0 };
        let offset = 20 + body.len() as u32;
        body.extend(bytes);
        offset
    };
    let dacl_at = part(dacl.map(acl));
    let owner_at = part(owner.map(sid));
    let group_at = part(group.map(sid));
    let mut out = vec![1, 0];
    out.extend((control | 0x8004).to_le_bytes());
    for offset in [owner_at, group_at, 0, dacl_at] {
        out.extend(offset.to_le_bytes());
    }
    out.extend(body);
    out
}

fn acl(entries: &[Ace<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, flags, mask, who) in entries {
        let sid = sid(who);
        body.extend([*kind, *flags]);
        body.extend((8 + sid.len() as u16).to_le_bytes());
        body.extend(mask.to_le_bytes());
        body.extend(sid);
    }
    let mut out = vec![2, 0];
    out.extend((8 + body.len() as u16).to_le_bytes());
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend([0, 0]);
    out.extend(body);
    out
}

/// The binary form of `S-1-…`.
pub fn sid(text: &str) -> Vec<u8> {
    let numbers: Vec<u64> = text.split('-').skip(2).map(|part| part.parse().expect("a SID")).collect();
    let mut out = vec![1, (numbers.len() - 1) as u8];
    out.extend(&numbers[0].to_be_bytes()[2..]);
    out.extend(numbers[1..].iter().flat_map(|&part| (part as u32).to_le_bytes()));
    out
}

/// What the root of a machine hive has on Windows 10.
pub fn system_hive() -> Vec<u8> {
    descriptor(
        0x1400,
        Some(&[
            (ALLOW, CI, KEY_READ, "S-1-5-32-545"),
            (ALLOW, CI, KEY_ALL, "S-1-5-32-544"),
            (ALLOW, CI, KEY_ALL, "S-1-5-18"),
            (ALLOW, CI, KEY_ALL, "S-1-3-0"),
            (ALLOW, CI, KEY_READ, "S-1-15-2-1"),
        ]),
    )
}

/// What the root of a user hive has on Windows 10: `who` is the account (`S-1-5-20` for NETWORK SERVICE).
pub fn user_hive(who: &str) -> Vec<u8> {
    descriptor(
        0x1000,
        Some(&[
            (ALLOW, OICI, KEY_ALL, who),
            (ALLOW, OICI, KEY_ALL, "S-1-5-18"),
            (ALLOW, OICI, KEY_ALL, "S-1-5-32-544"),
            (ALLOW, OICI, KEY_READ, "S-1-5-12"),
            (ALLOW, 0, KEY_READ, "S-1-15-2-1"),
        ]),
    )
}
