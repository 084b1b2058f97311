//! Writes a made fleet: `cargo run --release --example make_bundles -- FOLDER COUNT`. The same count gives the same bundles.

#[path = "../tests/workshop/mod.rs"]
mod workshop;

use std::path::Path;

fn main() {
    let mut words = std::env::args().skip(1);
    let (Some(folder), Some(Ok(count))) = (words.next(), words.next().map(|word| word.parse::<usize>()))
    else {
        eprintln!("usage: make_bundles FOLDER COUNT");
        std::process::exit(2);
    };
    let fleet = workshop::fleet::Fleet::new(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut bytes = 0;
    for number in 0..count {
        bytes += workshop::fleet::put(Path::new(&folder), fleet.bundle(number)).bytes.len();
    }
    println!("{count} bundles, {:.1} MB, in {folder}", bytes as f64 / 1e6);
}
