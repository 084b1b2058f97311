//! A made fleet: recipes × variations, as many bundles as wanted, the same ones every time.
//!
//! The recipes are the samples and the cases of the fixtures; what varies is what a fleet report groups by: site, computer, update level,
//! Office version. Some bundles are bad on purpose.

use std::fs;
use std::path::Path;

use super::recipe::{self, File};

/// What is wrong with a bundle as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The end of the archive is missing, and with it its directory: nothing can be read.
    Cut,
    /// A stretch in the middle is overwritten: a member is lost.
    Scratched,
    /// Kills its worker, when the worker is a debug build that was told to play along.
    Abort,
    /// Never ends, under the same condition.
    Hang,
    /// Makes the worker write nonsense, under the same condition.
    Garbage,
}

/// A bundle of the fleet.
pub struct Made {
    pub name: String,
    pub computer: String,
    pub site: &'static str,
    pub fault: Fault,
    pub bytes: Vec<u8>,
}

/// A recipe with the text of its base.
struct Source {
    base: String,
    text: String,
    without: Vec<String>,
}

/// The maker.
pub struct Fleet {
    samples: Vec<Source>,
    cases: Vec<Source>,
    healthy: Source,
}

const SITES: &[&str] = &["BER", "MUC", "VIE", "LIS", "OSL"];
const OFFICE: &[&str] = &["16.0.19725.20126", "16.0.18227.20222", "16.0.18429.20132", "16.0.16731.20948"];

impl Fleet {
    /// Reads the recipes below the root of the project.
    pub fn new(root: &Path) -> Self {
        let markdown = |folder: &str| {
            let listing = fs::read_dir(root.join(folder)).unwrap().map(|item| item.unwrap().path());
            let mut paths: Vec<_> = listing
                .filter(|path| {
                    path.extension().is_some_and(|end| end == "md") && !path.ends_with("README.md")
                })
                .collect();
            paths.sort();
            paths.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>()
        };
        let samples = [markdown("samples"), markdown("samples/articles")].concat();
        let cases = markdown("fixtures/checks");
        let cases = cases.iter().flat_map(|text| text.split("\n## ").skip(1));
        Self {
            samples: samples.iter().map(|text| Source::new(root, text)).collect(),
            cases: cases.map(|text| Source::new(root, text)).collect(),
            healthy: Source::new(root, "Base: complete\n"),
        }
    }

    /// The bundle of a number: one in three healthy, one in five a fixture, the others samples, some causes far more often than others.
    /// One in a hundred cannot be read, one in fifty is damaged.
    pub fn bundle(&self, number: usize) -> Made {
        let fault = match number % 100 {
            41 => Fault::Cut,
            17 | 67 => Fault::Scratched,
            _ => Fault::None,
        };
        self.with_fault(number, fault)
    }

    /// The same with a fault that is chosen.
    pub fn with_fault(&self, number: usize, fault: Fault) -> Made {
        let mixed = number.wrapping_mul(0x9e37_79b1) >> 7;
        let source = if number.is_multiple_of(3) {
            &self.healthy
        } else if number % 5 == 4 {
            &self.cases[mixed % self.cases.len()]
        } else {
            // The smaller of two draws: the first recipes come most often.
            &self.samples[(mixed % self.samples.len()).min((mixed / 64) % self.samples.len())]
        };
        let site = SITES[(mixed / 5) % SITES.len()];
        let computer = format!("{site}-LT-{number:05}");
        let mut files = source.files(&variation(&computer, mixed));
        // Recipes that do not vary would give the same content twice.
        files.push(File { path: "case.txt".to_owned(), bytes: computer.clone().into_bytes() });
        let marker = |name: &str| File { path: format!("test-fault/{name}"), bytes: vec![b'x'] };
        match fault {
            Fault::Abort => files.push(marker("abort")),
            Fault::Hang => files.push(marker("hang")),
            Fault::Garbage => files.push(marker("garbage")),
            _ => {}
        }
        let mut bytes = recipe::pack(&files);
        match fault {
            Fault::Cut => bytes.truncate(bytes.len() / 2),
            Fault::Scratched => {
                // Behind the header of the first member, which is the largest.
                bytes[200..260].fill(0xff);
            }
            _ => {}
        }
        Made { name: format!("{site}/case-{number:05}.zip"), computer, site, fault, bytes }
    }

    /// Writes the first bundles of the fleet below a folder.
    pub fn write(&self, folder: &Path, count: usize) -> Vec<Made> {
        (0..count).map(|number| put(folder, self.bundle(number))).collect()
    }
}

/// Writes one bundle below a folder.
pub fn put(folder: &Path, made: Made) -> Made {
    let path = folder.join(&made.name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, &made.bytes).unwrap();
    made
}

impl Source {
    fn new(root: &Path, text: &str) -> Self {
        let line = |word: &str| text.lines().find_map(|line| line.strip_prefix(word)).map(str::trim);
        let without = line("Without:").unwrap_or_default().split(", ").map(str::to_owned).collect();
        Self {
            base: line("Base:").map(|name| base(root, name)).unwrap_or_default(),
            text: text.to_owned(),
            without,
        }
    }

    fn files(&self, variation: &str) -> Vec<File> {
        let without: Vec<&str> = self.without.iter().map(String::as_str).collect();
        // What varies stands in the two hives of the base; a recipe that leaves them out stays without.
        let has = |path: &str| {
            let fence = format!("```hive {path}\n");
            self.base.contains(&fence) && !without.contains(&path)
        };
        let varies = has("config/SYSTEM") && has("config/SOFTWARE");
        let text = if varies { format!("{}\n{variation}", self.text) } else { self.text.clone() };
        recipe::files_over(&self.base, &text, &without)
    }
}

fn base(root: &Path, name: &str) -> String {
    let text = fs::read_to_string(root.join(format!("fixtures/bases/{name}.md"))).unwrap();
    let below = text.lines().find_map(|line| line.strip_prefix("Base: ")).map(|name| base(root, name));
    below.unwrap_or_default() + &text
}

fn variation(computer: &str, mixed: usize) -> String {
    let ubr = 4000 + (mixed / 11) % 6 * 100;
    let office = OFFICE[(mixed / 13) % OFFICE.len()];
    format!(
        "```hive config/SYSTEM\n[ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"{computer}\"\n```\n\n\
         ```hive config/SOFTWARE\n[Microsoft\\Windows NT\\CurrentVersion]\n\"UBR\"=dword:{ubr:x}\n\
         [Microsoft\\Office\\ClickToRun\\Configuration]\n\"VersionToReport\"=\"{office}\"\n```\n"
    )
}
