//! Lays a described hive out in bins and cells.

use std::collections::HashMap;

use super::{HiveBuilder, ListKind, Node, Value};

const NONE: u32 = u32::MAX;
const SEGMENT: usize = 16_344;

/// Upper case of UTF-16 units, one unit for one.
pub fn upper(units: &[u16]) -> Vec<u16> {
    units
        .iter()
        .map(|&unit| {
            let Some(letter) = char::from_u32(u32::from(unit)) else { return unit };
            let upper: Vec<char> = letter.to_uppercase().collect();
            if upper.len() == 1 { u16::try_from(upper[0] as u32).unwrap_or(unit) } else { unit }
        })
        .collect()
}

/// The hive bins while they are filled.
struct Bins {
    bytes: Vec<u8>,
    /// Version 1.1: the offset of the cell before it in its bin stands behind a cell's size, and cells are aligned to 16.
    old_cells: bool,
    previous: u32,
    /// Where the next cell goes, and where the open bin ends.
    next: usize,
    end: usize,
}

impl Bins {
    /// Reserves a cell for this many bytes of content and gives its offset.
    fn alloc(&mut self, len: usize) -> u32 {
        let size =
            if self.old_cells { (len + 8).next_multiple_of(16) } else { (len + 4).next_multiple_of(8) };
        if self.next + size > self.end {
            self.close();
            let start = self.bytes.len();
            let bin = (size + 32).next_multiple_of(4096);
            self.bytes.resize(start + bin, 0);
            self.bytes[start..start + 4].copy_from_slice(b"hbin");
            self.put_u32(start + 4, start as u32);
            self.put_u32(start + 8, bin as u32);
            self.next = start + 32;
            self.end = start + bin;
            self.previous = NONE;
        }
        let offset = self.next;
        self.put_u32(offset, (size as i32).wrapping_neg() as u32);
        if self.old_cells {
            self.put_u32(offset + 4, self.previous);
            self.previous = offset as u32;
        }
        self.next += size;
        offset as u32
    }

    /// What is left of the open bin becomes one free cell.
    fn close(&mut self) {
        if self.next < self.end {
            self.put_u32(self.next, (self.end - self.next) as u32);
        }
    }

    fn put_u32(&mut self, at: usize, number: u32) {
        self.bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    fn fill(&mut self, offset: u32, content: &[u8]) {
        let at = offset as usize + if self.old_cells { 8 } else { 4 };
        self.bytes[at..at + content.len()].copy_from_slice(content);
    }

    fn cell(&mut self, content: &[u8]) -> u32 {
        let offset = self.alloc(content.len());
        self.fill(offset, content);
        offset
    }
}

struct Layout<'b> {
    builder: &'b HiveBuilder,
    bins: Bins,
    /// Security cells: offset and number of keys that use it.
    security: HashMap<Vec<u8>, (u32, u32)>,
    /// Their offsets in the order of their making.
    security_order: Vec<(u32, Vec<u8>)>,
}

/// The bytes of a hive.
pub fn build(builder: &HiveBuilder) -> Vec<u8> {
    let old_cells = builder.minor == 1;
    let bins = Bins { bytes: Vec::new(), old_cells, previous: NONE, next: 0, end: 0 };
    let mut layout = Layout { builder, bins, security: HashMap::new(), security_order: Vec::new() };
    let root = layout.key(&builder.root, None, &[]);
    layout.link_security();
    layout.bins.close();
    let bins = layout.bins.bytes;
    let mut bytes = base_block(builder, root, bins.len() as u32);
    bytes.extend(bins);
    // The first bin keeps a copy of the time of the last write.
    bytes[4096 + 20..4096 + 28].copy_from_slice(&builder.last_written.to_le_bytes());
    bytes
}

impl Layout<'_> {
    /// Names go to Latin-1 when all their units fit.
    fn name(&self, units: &[u16]) -> (Vec<u8>, bool) {
        let narrow = !self.builder.wide_names && units.iter().all(|&unit| unit < 0x100);
        if narrow {
            (units.iter().map(|&unit| unit as u8).collect(), true)
        } else {
            (units.iter().flat_map(|unit| unit.to_le_bytes()).collect(), false)
        }
    }

    fn key(&mut self, node: &Node, parent: Option<u32>, inherited: &[u8]) -> u32 {
        let (name, narrow) = self.name(&node.name);
        let offset = self.bins.alloc(76 + name.len());
        let descriptor = node.security.as_deref().unwrap_or(inherited);
        let security = self.security_cell(descriptor);
        let class: Vec<u8> =
            node.class.iter().flat_map(|name| name.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let class_cell = if class.is_empty() { NONE } else { self.bins.cell(&class) };
        let values = self.values(&node.values);
        let mut subkeys = Vec::new();
        for (upper, subkey) in &node.subkeys {
            subkeys.push((self.key(subkey, Some(offset), descriptor), upper, &subkey.name));
        }
        let list = self.list(&subkeys);

        let mut flags = node.flags | if narrow { 0x20 } else { 0 };
        if parent.is_none() {
            flags |= 0x0c;
        }
        let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0) as u32;
        let mut content = Vec::with_capacity(76 + name.len());
        content.extend(b"nk");
        content.extend(flags.to_le_bytes());
        content.extend(node.time.to_le_bytes());
        for number in [
            0,
            parent.unwrap_or(0),
            node.subkeys.len() as u32,
            0,
            list,
            NONE,
            node.values.len() as u32,
            values,
            security,
            class_cell,
            longest(&mut node.subkeys.values().map(|key| key.name.len() * 2)),
            0,
            longest(&mut node.values.iter().map(|value| value.name.len() * 2)),
            longest(&mut node.values.iter().map(|value| value.data.len())),
            0,
        ] {
            content.extend(number.to_le_bytes());
        }
        content.extend((name.len() as u16).to_le_bytes());
        content.extend((class.len() as u16).to_le_bytes());
        content.extend(name);
        self.bins.fill(offset, &content);
        offset
    }

    fn values(&mut self, values: &[Value]) -> u32 {
        if values.is_empty() {
            return NONE;
        }
        let list = self.bins.alloc(values.len() * 4);
        let offsets: Vec<u8> = values.iter().flat_map(|value| self.value(value).to_le_bytes()).collect();
        self.bins.fill(list, &offsets);
        list
    }

    fn value(&mut self, value: &Value) -> u32 {
        let (name, narrow) = self.name(&value.name);
        let len = value.data.len();
        let (len_field, data_field) = if len <= 4 {
            let mut inline = [0; 4];
            inline[..len].copy_from_slice(&value.data);
            (len as u32 | 0x8000_0000, u32::from_le_bytes(inline))
        } else if len > SEGMENT && self.builder.minor > 3 {
            (len as u32, self.big_data(&value.data))
        } else {
            (len as u32, self.bins.cell(&value.data))
        };
        let mut content = b"vk".to_vec();
        content.extend((name.len() as u16).to_le_bytes());
        for number in [len_field, data_field, value.kind, u32::from(narrow)] {
            content.extend(number.to_le_bytes());
        }
        content.extend(name);
        self.bins.cell(&content)
    }

    fn big_data(&mut self, data: &[u8]) -> u32 {
        let segments: Vec<u32> = data.chunks(SEGMENT).map(|segment| self.bins.cell(segment)).collect();
        let list: Vec<u8> = segments.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        let list = self.bins.cell(&list);
        let mut content = b"db".to_vec();
        content.extend((segments.len() as u16).to_le_bytes());
        content.extend(list.to_le_bytes());
        content.extend([0; 4]);
        self.bins.cell(&content)
    }

    fn list(&mut self, subkeys: &[(u32, &Vec<u16>, &Vec<u16>)]) -> u32 {
        if subkeys.is_empty() {
            return NONE;
        }
        let leaves: Vec<u32> = subkeys.chunks(self.builder.split).map(|part| self.leaf(part)).collect();
        if let [single] = leaves[..] {
            return single;
        }
        let mut content = b"ri".to_vec();
        content.extend((leaves.len() as u16).to_le_bytes());
        content.extend(leaves.iter().flat_map(|offset| offset.to_le_bytes()));
        self.bins.cell(&content)
    }

    fn leaf(&mut self, subkeys: &[(u32, &Vec<u16>, &Vec<u16>)]) -> u32 {
        let mut content = match self.builder.list {
            ListKind::Li => b"li",
            ListKind::Lf => b"lf",
            ListKind::Lh => b"lh",
        }
        .to_vec();
        content.extend((subkeys.len() as u16).to_le_bytes());
        for (offset, upper, name) in subkeys {
            content.extend(offset.to_le_bytes());
            match self.builder.list {
                ListKind::Li => {}
                ListKind::Lf => content.extend(hint(name)),
                ListKind::Lh => {
                    let hash = upper
                        .iter()
                        .fold(0u32, |hash, &unit| hash.wrapping_mul(37).wrapping_add(u32::from(unit)));
                    content.extend(hash.to_le_bytes());
                }
            }
        }
        self.bins.cell(&content)
    }

    fn security_cell(&mut self, descriptor: &[u8]) -> u32 {
        if let Some((offset, users)) = self.security.get_mut(descriptor) {
            *users += 1;
            return *offset;
        }
        let offset = self.bins.alloc(20 + descriptor.len());
        self.security.insert(descriptor.to_vec(), (offset, 1));
        self.security_order.push((offset, descriptor.to_vec()));
        offset
    }

    /// Security cells form a ring.
    fn link_security(&mut self) {
        let ring = std::mem::take(&mut self.security_order);
        for (index, (offset, descriptor)) in ring.iter().enumerate() {
            let next = ring[(index + 1) % ring.len()].0;
            let previous = ring[(index + ring.len() - 1) % ring.len()].0;
            let mut content = b"sk\0\0".to_vec();
            for number in [next, previous, self.security[descriptor].1, descriptor.len() as u32] {
                content.extend(number.to_le_bytes());
            }
            content.extend(descriptor);
            self.bins.fill(*offset, &content);
        }
    }
}

/// The first four characters when they are ASCII, else zeros.
fn hint(name: &[u16]) -> [u8; 4] {
    let mut hint = [0; 4];
    for (byte, &unit) in hint.iter_mut().zip(name) {
        if unit >= 0x80 {
            return [0; 4];
        }
        *byte = unit as u8;
    }
    hint
}

fn base_block(builder: &HiveBuilder, root: u32, bins_len: u32) -> Vec<u8> {
    let mut block = vec![0; 4096];
    block[..4].copy_from_slice(b"regf");
    let mut put = |at: usize, number: u32| block[at..at + 4].copy_from_slice(&number.to_le_bytes());
    put(4, builder.sequences.0);
    put(8, builder.sequences.1);
    put(20, 1);
    put(24, builder.minor);
    put(32, 1);
    put(36, root);
    put(40, bins_len);
    put(44, 1);
    block[12..20].copy_from_slice(&builder.last_written.to_le_bytes());
    let name: Vec<u16> = builder.file_name.encode_utf16().collect();
    for (index, unit) in name[name.len().saturating_sub(31)..].iter().enumerate() {
        block[48 + 2 * index..50 + 2 * index].copy_from_slice(&unit.to_le_bytes());
    }
    seal(&mut block);
    block
}

/// Writes the checksum of a base block.
pub fn seal(block: &mut [u8]) {
    let mut sum = 0;
    for word in block[..508].chunks(4) {
        sum ^= u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
    }
    let sum = match sum {
        0 => 1,
        0xffff_ffff => 0xffff_fffe,
        sum => sum,
    };
    block[508..512].copy_from_slice(&sum.to_le_bytes());
}
