//! A fingerprint of everything from which the client is built. It changes when any of that changes.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;

const SOURCES: [&str; 6] = [
    "frontend",
    "crates/neticket-contract",
    "crates/neticket-domain",
    "Cargo.toml",
    "Cargo.lock",
    // Contains the compiler's flags.
    "xtask/src/setup/wasm.rs",
];
/// Folders below `frontend` that are not part of the client.
const OTHERS: [&str; 2] = ["frontend/dist", "frontend/e2e"];

/// A hash of the names and contents of all source files.
pub(super) fn of(workspace: &Workspace) -> Result<String> {
    let others = OTHERS.map(|folder| workspace.root().join(folder));
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&workspace.root().join(source), &others, &mut files)?;
    }
    let mut hasher = DefaultHasher::new();
    files.sort();
    for file in files {
        file.strip_prefix(workspace.root())?.hash(&mut hasher);
        fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, others: &[PathBuf], files: &mut Vec<PathBuf>) -> Result<()> {
    if others.iter().any(|other| other == path) {
        return Ok(());
    }
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
        collect(&entry?.path(), others, files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_outside_the_client_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["src/app.rs", "dist/app.wasm"] {
            fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let mut files = Vec::new();
        collect(folder.path(), &[folder.path().join("dist")], &mut files).unwrap();
        assert_eq!(files, [folder.path().join("src/app.rs")]);
    }
}
