//! Compresses the built client ahead of time at the highest level: `.br` and `.gz` beside each file.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The smallest file that is compressed. Below this, headers outweigh the savings.
const LEN_MIN: usize = 1024;
/// Files worth compressing. Images and fonts are compressed already.
const EXTENSIONS: [&str; 9] = ["css", "html", "js", "json", "svg", "txt", "wasm", "webmanifest", "xml"];
/// The largest window that browsers must accept for brotli, as a power of two.
const BROTLI_WINDOW_BITS: u32 = 22;
const BROTLI_QUALITY: u32 = 11;

/// Compresses every file of the folder and of its subfolders.
pub(super) fn folder(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            self::folder(&path)?;
        } else if path.extension().is_some_and(|own| EXTENSIONS.iter().any(|known| own == *known)) {
            let content = fs::read(&path)?;
            if content.len() >= LEN_MIN {
                fs::write(with_suffix(&path, ".br"), brotli(&content)?)?;
                fs::write(with_suffix(&path, ".gz"), gzip(&content)?)?;
            }
        }
    }
    Ok(())
}

/// `path` with the suffix after its extension.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

pub(super) fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, BROTLI_QUALITY, BROTLI_WINDOW_BITS);
    writer.write_all(content)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn compressed_files_decompress_to_the_original() {
        let content = b"seat ".repeat(1000);
        let mut from_brotli = Vec::new();
        let compressed = brotli(&content).unwrap();
        brotli::Decompressor::new(compressed.as_slice(), 4096).read_to_end(&mut from_brotli).unwrap();
        let mut from_gzip = Vec::new();
        let compressed = gzip(&content).unwrap();
        flate2::read::GzDecoder::new(compressed.as_slice()).read_to_end(&mut from_gzip).unwrap();
        assert!(from_brotli == content && from_gzip == content);
    }

    #[test]
    fn small_files_and_pictures_are_not_compressed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("big.js"), "x".repeat(LEN_MIN)).unwrap();
        fs::write(folder.path().join("small.js"), "x").unwrap();
        fs::write(folder.path().join("big.png"), "x".repeat(LEN_MIN)).unwrap();
        super::folder(folder.path()).unwrap();
        let exists = |name: &str| folder.path().join(name).exists();
        assert!(exists("big.js.br") && exists("big.js.gz"));
        assert!(!exists("small.js.br") && !exists("big.png.br"));
    }
}
