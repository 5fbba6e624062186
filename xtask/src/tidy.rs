//! `cargo xtask tidy`: the rules of this code base that no other tool checks, each with a clear message.

mod commits;
mod cycles;
mod dependencies;
mod finding;
mod imports;
mod layers;
mod lessons;
mod texts;
mod widths;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use self::finding::Finding;
use crate::shell;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let architecture = fs::read_to_string(workspace.root().join("ARCHITECTURE.md"))?;
    let mut findings = layers::check(workspace.metadata(), &architecture);
    let manifest = fs::read_to_string(workspace.root().join("Cargo.toml"))?;
    let reasons = fs::read_to_string(workspace.root().join("CONTRIBUTING.md")).unwrap_or_default();
    findings.extend(dependencies::check(&manifest, &reasons));
    let lessons = fs::read_to_string(workspace.root().join("docs/lessons.md"))?;
    findings.extend(lessons::check(&lessons, |path| fs::read_to_string(workspace.root().join(path)).ok()));
    let glossary = fs::read_to_string(workspace.root().join("docs/glossary.md"))?;
    let word_rules = words::rules(&glossary);
    findings.extend(words::check_table(&word_rules));
    findings.extend(check_commits(workspace)?);
    let files = files(workspace)?;
    let home = env::var_os("HOME").map(PathBuf::from);
    let machine_paths = texts::machine_paths(home.as_deref(), workspace.root());
    let mut sources = BTreeMap::new();
    for name in &files {
        let content = fs::read(workspace.root().join(name)).with_context(|| format!("cannot read {name}"))?;
        // Images and fonts follow other rules.
        if let Ok(text) = String::from_utf8(content) {
            findings.extend(texts::check(name, &text, &machine_paths));
            findings.extend(widths::check(name, &text));
            findings.extend(words::check(name, &text, &word_rules));
            if let Some(advice) = texts::advice(name, &text) {
                println!("{advice}");
            }
            sources.insert(name.clone(), text);
        }
    }
    findings.extend(cycles::check(&sources));
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings, see above", findings.len());
    }
    println!("tidy: {} files have no findings", files.len());
    Ok(())
}

/// The messages of the commits since the rule began, as far as they are in this clone.
fn check_commits(workspace: &Workspace) -> Result<Vec<Finding>> {
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(workspace.root()).args(words);
        command
    };
    let range = format!("{}..HEAD", commits::SINCE);
    let format = format!("--format={}", commits::FORMAT);
    if git(&["merge-base", "--is-ancestor", commits::SINCE, "HEAD"]).output()?.status.success() {
        return Ok(commits::check(&shell::read(&mut git(&["log", "--no-merges", &format, &range]))?));
    }
    println!("note: commit messages are not checked, because this clone lacks commit {}", commits::SINCE);
    Ok(Vec::new())
}

/// Everything that is, or is about to be, in the repository.
fn files(workspace: &Workspace) -> Result<Vec<String>> {
    let mut command = Command::new("git");
    command.current_dir(workspace.root());
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
    let listed = shell::read(&mut command)?;
    let exists = |name: &&str| !name.is_empty() && workspace.root().join(name).is_file();
    Ok(listed.split('\0').filter(exists).map(str::to_owned).collect())
}
