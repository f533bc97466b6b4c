//! uv, and wheels that tests make: good ones and hostile ones.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::cache::cached;

/// Where `scripts/setup.sh uv` has put it.
pub fn uv() -> PathBuf {
    cached("uv/bin/uv", "uv")
}

/// The index that pip is set up for on this machine.
#[expect(clippy::disallowed_methods, reason = "pip's own variable, or its file, says it")]
pub fn index_url() -> String {
    let said = std::process::Command::new("python3")
        .args(["-m", "pip", "config", "get", "global.index-url"])
        .output();
    let of_file = said.ok().filter(|said| said.status.success());
    let of_file = of_file.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    let url = std::env::var("PIP_INDEX_URL").ok().or(of_file).filter(|url| !url.is_empty());
    url.unwrap_or_else(|| "https://pypi.org/simple".to_owned())
}

/// A wheel of pure Python to be.
pub struct Wheel {
    name: String,
    version: String,
    metadata: String,
    files: Vec<(String, Vec<u8>, u32)>,
}

const PLAIN: u32 = 0o100_644;
const LINK: u32 = 0o120_777;

impl Wheel {
    pub fn new(name: &str, version: &str) -> Self {
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        Self { name: name.replace('-', "_"), version: version.into(), metadata, files: Vec::new() }
    }

    pub fn needs(mut self, requirement: &str) -> Self {
        self.metadata += &format!("Requires-Dist: {requirement}\n");
        self
    }

    /// Says in its metadata that it is another package.
    pub fn posing_as(mut self, name: &str) -> Self {
        self.metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {}\n", self.version);
        self
    }

    /// A file at any path, also at one that leads out.
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.push((path.into(), content.as_ref().to_vec(), PLAIN));
        self
    }

    pub fn link(mut self, path: &str, to: &str) -> Self {
        self.files.push((path.into(), to.into(), LINK));
        self
    }

    /// Writes it into a directory; answers the path.
    pub fn write(mut self, directory: &Path) -> PathBuf {
        let info = format!("{}-{}.dist-info", self.name, self.version);
        let wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        self.files.push((format!("{info}/METADATA"), self.metadata.clone().into(), PLAIN));
        self.files.push((format!("{info}/WHEEL"), wheel.into(), PLAIN));
        let mut record: String = self.files.iter().map(|(path, ..)| format!("{path},,\n")).collect();
        record += &format!("{info}/RECORD,,\n");
        self.files.push((format!("{info}/RECORD"), record.into(), PLAIN));
        let path = directory.join(format!("{}-{}-py3-none-any.whl", self.name, self.version));
        std::fs::write(&path, zip(&self.files)).expect("the wheel is written");
        path
    }
}

/// A ZIP archive (APPNOTE 4.3) of deflated files.
fn zip(files: &[(String, Vec<u8>, u32)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (path, content, mode) in files {
        let offset = number(archive.len());
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(content).expect("memory takes it");
        let packed = packed.finish().expect("memory takes it");
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let mut head = Vec::new();
        // Version, flags, deflate, time, date.
        head.extend([20_u16, 0, 8, 0, 0x21].iter().flat_map(|word| word.to_le_bytes()));
        head.extend(
            [crc.sum(), number(packed.len()), number(content.len())]
                .iter()
                .flat_map(|word| word.to_le_bytes()),
        );
        head.extend(short(path.len()).to_le_bytes());
        head.extend(0_u16.to_le_bytes());
        archive.extend(0x0403_4b50_u32.to_le_bytes());
        archive.extend(&head);
        archive.extend(path.as_bytes());
        archive.extend(&packed);
        directory.extend(0x0201_4b50_u32.to_le_bytes());
        // Made by Unix: the mode counts.
        directory.extend(0x0314_u16.to_le_bytes());
        directory.extend(&head);
        directory.extend([0_u8; 6]);
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(path.as_bytes());
    }
    let count = short(files.len());
    let end = [
        0x0605_4b50_u32.to_le_bytes().to_vec(),
        vec![0; 4],
        [count.to_le_bytes(), count.to_le_bytes()].concat(),
    ];
    let place = [number(directory.len()).to_le_bytes(), number(archive.len()).to_le_bytes()].concat();
    [archive, directory, end.concat(), place, vec![0; 2]].concat()
}

fn number(length: usize) -> u32 {
    u32::try_from(length).expect("a small archive")
}

fn short(length: usize) -> u16 {
    u16::try_from(length).expect("a small archive")
}
