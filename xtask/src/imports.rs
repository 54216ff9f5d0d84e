//! Import cycles between the files of a crate. A module and its own submodules may import each
//! other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

use crate::command::{self, Outcome};
use crate::wording;

/// Path of a module from its crate; the first segment is the crate's folder.
type Module = Vec<String>;

/// Checks every crate. Fails with the modules that are part of a cycle.
pub(crate) fn check() -> Outcome {
    let mut modules = BTreeMap::new();
    for file in wording::sources("rs")? {
        let source = fs::read_to_string(command::root().join(&file));
        modules.insert(module_of(&file), source.map_err(|error| format!("{}: {error}", file.display()))?);
    }
    modules.retain(|module, _| !module.iter().any(|segment| segment.ends_with("tests")));
    let cycles = cyclic(&modules);
    if cycles.is_empty() { Ok(()) } else { Err(format!("these modules import each other: {}", cycles.join(", "))) }
}

fn module_of(file: &Path) -> Module {
    let file = file.with_extension("");
    let file = file.to_string_lossy();
    let (krate, path) = file.split_once("src/").unwrap_or((&*file, ""));
    let segments = path.split('/').filter(|segment| !["", "lib", "main", "mod"].contains(segment));
    [krate].into_iter().chain(segments).map(str::to_owned).collect()
}

/// Returns the modules that import themselves through others.
fn cyclic(modules: &BTreeMap<Module, String>) -> Vec<String> {
    let mut imports: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
    for (module, source) in modules {
        let (source, _) = source.split_once("mod tests {").unwrap_or((source, ""));
        let mut paths = Vec::new();
        put_paths(source.parse().unwrap_or_default(), module, None, &mut paths);
        let file_of = |path: &Module| (1..=path.len()).rev().find_map(|len| modules.get_key_value(&path[..len]));
        let found = paths.iter().filter_map(file_of).map(|(found, _)| found);
        imports.insert(module, found.filter(|to| !to.starts_with(module) && !module.starts_with(to)).collect());
    }
    let is_cyclic = |module: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![module]);
        while let Some(next) = open.pop() {
            open.extend(imports[next].iter().filter(|to| seen.insert(**to)));
        }
        seen.contains(module)
    };
    modules.keys().filter(|module| is_cyclic(module)).map(|module| module.join("::")).collect()
}

/// Appends the paths in a source that begin with `crate` or `super`. `prefix` is what stands before
/// the braces of a `use`.
fn put_paths(tokens: TokenStream, module: &[String], prefix: Option<&Module>, paths: &mut Vec<Module>) {
    let (mut path, mut is_joined) = (prefix.cloned(), prefix.is_some());
    for token in tokens {
        let was_joined = std::mem::take(&mut is_joined);
        match token {
            TokenTree::Group(group) => {
                put_paths(group.stream(), module, path.as_ref().filter(|_| was_joined), paths);
            }
            TokenTree::Ident(name) => {
                paths.extend(path.take_if(|_| !was_joined));
                match (&*name.to_string(), &mut path) {
                    ("crate", path) => *path = Some(module[..1].to_vec()),
                    ("super", path) => drop(path.get_or_insert_with(|| module.to_vec()).pop()),
                    (segment, Some(path)) => path.push(segment.to_owned()),
                    (_, None) => {}
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => is_joined = true,
            TokenTree::Punct(_) | TokenTree::Literal(_) => {
                paths.extend(std::mem::replace(&mut path, prefix.cloned()));
                is_joined = prefix.is_some();
            }
        }
    }
    paths.extend(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_found_unless_it_is_a_modules_own_or_a_tests() {
        let cycles_with = |source| {
            let rest =
                [("lib", ""), ("b", "mod d;"), ("c", "use crate::a::A;"), ("a/mod", "use super::b::{X, d::{D, E}};")];
            let file =
                |(name, source): (&str, &str)| (module_of(Path::new(&format!("x/src/{name}.rs"))), source.to_owned());
            cyclic(&rest.into_iter().chain([("b/d", source)]).map(file).collect())
        };
        for source in ["use crate::{b, c::C};", "fn a(b: super::super::c::C) {}", "use super::super::a::*;"] {
            assert!(cycles_with(source).contains(&"x/::b::d".to_owned()), "{source}");
        }
        for source in ["use super::b;", "#[cfg(test)]\nmod tests { use crate::c; }"] {
            assert_eq!(cycles_with(source), [""; 0], "{source}");
        }
    }
}
