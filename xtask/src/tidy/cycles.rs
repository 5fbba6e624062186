//! The source files of a crate do not import each other in a cycle. A name counts where it is defined, not
//! where a parent re-exports it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::finding::Finding;
use super::imports::{Path, Source, Use, read};

/// How many re-exports in a row are followed.
const HOPS_MAX: u32 = 8;

type Modules<'a> = BTreeMap<Path<'a>, Source<'a>>;
/// Which files each file imports.
type Imports<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Checks the crates among `files`, which are the texts of the repository by name.
pub(super) fn check(files: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut crates: BTreeMap<&str, Modules<'_>> = BTreeMap::new();
    for (file, text) in files {
        let Some((folder, path)) = file.strip_suffix(".rs").and_then(|it| it.split_once("/src/")) else {
            continue;
        };
        let is_root = path == "lib" || path == "main" && !files.contains_key(&format!("{folder}/src/lib.rs"));
        let path = path.strip_suffix("/mod").unwrap_or(path);
        let module = if is_root { Vec::new() } else { path.split('/').collect() };
        crates.entry(folder).or_default().insert(module, read(file, text));
    }
    crates.values().flat_map(|modules| cycles(&imports(modules))).collect()
}

fn imports<'a>(modules: &Modules<'a>) -> Imports<'a> {
    let is_declared = |module: &Path<'a>| {
        let parent = |len: usize| modules.get(&module[..len]);
        (0..module.len()).all(|len| parent(len).is_some_and(|it| it.children.contains(&module[len])))
    };
    let mut imports = Imports::new();
    for (module, source) in modules.iter().filter(|(module, _)| is_declared(module)) {
        let used = source.uses.iter().filter(|it| !is_pure_re_export(modules, module, source, it));
        let paths = used.map(|it| it.path.clone()).chain(source.inline_paths());
        let found = paths.filter_map(|path| target(modules, module, &path, HOPS_MAX));
        let files = found.map(|(_, found)| found.file).filter(|file| *file != source.file);
        imports.insert(source.file, files.collect());
    }
    imports
}

/// Whether the module only passes on what one of its children defines.
fn is_pure_re_export(modules: &Modules<'_>, module: &[&str], source: &Source<'_>, used: &Use<'_>) -> bool {
    let found = target(modules, module, &used.path, HOPS_MAX);
    let is_of_child = found.is_some_and(|(found, _)| found.len() > module.len() && found.starts_with(module));
    used.is_public && is_of_child && !source.names(used.name)
}

/// The module that defines what `path` means in the module `from`. `None` if it is of another crate.
fn target<'m, 'a>(
    modules: &'m Modules<'a>,
    from: &[&'a str],
    path: &[&'a str],
    hops: u32,
) -> Option<(&'m Path<'a>, &'m Source<'a>)> {
    let path = absolute(modules, from, path)?;
    let len = (0..=path.len()).rev().find(|len| modules.contains_key(&path[..*len]))?;
    let (module, source) = modules.get_key_value(&path[..len])?;
    let passed_on = path.get(len).filter(|name| **name != "*" && hops > 0).and_then(|name| {
        let used = source.uses.iter().find(|used| used.name == *name)?;
        target(modules, module, &[&used.path[..], &path[len + 1..]].concat(), hops - 1)
    });
    passed_on.or(Some((module, source)))
}

fn absolute<'a>(modules: &Modules<'a>, from: &[&'a str], path: &[&'a str]) -> Option<Path<'a>> {
    let (first, rest) = path.split_first()?;
    match *first {
        "crate" => Some(rest.to_vec()),
        "self" => Some([from, rest].concat()),
        "super" => {
            let (_, parent) = from.split_last()?;
            let is_higher = rest.first() == Some(&"super");
            if is_higher { absolute(modules, parent, rest) } else { Some([parent, rest].concat()) }
        }
        child => modules.get(from)?.children.contains(&child).then(|| [from, path].concat()),
    }
}

/// One finding for each set of files that import each other, with a shortest cycle in it.
fn cycles(imports: &Imports<'_>) -> Vec<Finding> {
    let (mut findings, mut seen) = (Vec::new(), BTreeSet::new());
    for &file in imports.keys() {
        if seen.contains(file) || shortest_path(imports, file, file).is_none() {
            continue;
        }
        let is_member = |other: &&str| {
            shortest_path(imports, file, other).is_some() && shortest_path(imports, other, file).is_some()
        };
        let members: Vec<&str> = imports.keys().copied().filter(is_member).collect();
        let cycles = members.iter().filter_map(|member| shortest_path(imports, member, member));
        let shortest = cycles.min_by_key(Vec::len).unwrap_or_default().join(" → ");
        findings.push(Finding::new(
            file,
            format!("is in an import cycle of {} files: {shortest}", members.len()),
        ));
        seen.extend(members);
    }
    findings
}

/// A shortest path of imports from one file to another, with both of them.
fn shortest_path<'a>(imports: &Imports<'a>, from: &'a str, to: &'a str) -> Option<Vec<&'a str>> {
    let (mut paths, mut seen) = (VecDeque::from([vec![from]]), BTreeSet::new());
    while let Some(path) = paths.pop_front() {
        for &next in path.last().and_then(|last| imports.get(last)).into_iter().flatten() {
            let longer = [&path[..], &[next]].concat();
            if next == to {
                return Some(longer);
            }
            if seen.insert(next) {
                paths.push_back(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    fn check(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(file, text)| (format!("a/src/{file}"), (*text).to_owned())).collect();
        super::check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_child_that_imports_from_a_parent_that_imports_it_is_a_cycle() {
        let child = ("a/b.rs", "use super::A;\npub struct B(A);");
        let cycle = ["a/src/a.rs: is in an import cycle of 2 files: a/src/a.rs → a/src/a/b.rs → a/src/a.rs"];
        for parent in ["mod b;\nuse b::B;\nstruct A;", "mod b;\nstruct A;\nfn f() { b::g() }"] {
            assert_eq!(check(&[("lib.rs", "mod a;"), ("a.rs", parent), child]), cycle, "{parent}");
        }
        assert_eq!(check(&[("lib.rs", "mod a;"), ("a.rs", "mod b;\nstruct A;"), child]), [""; 0]);
    }

    #[test]
    fn a_name_counts_where_it_is_defined() {
        let parent = ("a/mod.rs", "mod b;\nmod d;\npub use self::b::B;");
        let files = [
            ("lib.rs", "mod a;\nmod c;"),
            parent,
            ("a/b.rs", "pub struct B;"),
            ("a/d.rs", "use crate::c::C;"),
        ];
        assert_eq!(check(&[&files[..], &[("c.rs", "use crate::a::B;")]].concat()), [""; 0]);
        let found =
            check(&[&files[..2], &[("a/b.rs", "use crate::c::C;"), ("c.rs", "use crate::a::B;")]].concat());
        assert!(found[0].ends_with("a/src/a/b.rs → a/src/c.rs → a/src/a/b.rs"), "{found:?}");
        let uses_it = ("a/mod.rs", "mod b;\npub use b::B;\nstruct A(B);");
        let found = check(&[files[0], uses_it, ("a/b.rs", "use super::A;"), ("c.rs", "")]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn one_finding_has_all_files_and_the_shortest_cycle() {
        let files = [
            ("main.rs", "mod a;\nmod b;\nmod c;\nfn main() { a::f() }"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use super::c::{C, D};"),
            ("c.rs", "fn f() { crate::a::f(); crate::b::f() }"),
        ];
        assert_eq!(
            check(&files),
            ["a/src/a.rs: is in an import cycle of 3 files: a/src/b.rs → a/src/c.rs → a/src/b.rs"]
        );
    }
}
