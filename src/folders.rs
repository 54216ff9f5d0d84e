//! Folders of a user's files: the XDG base folders, on every system.

use std::env;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

const OWN_FOLDER: &str = "glassline";
const CONFIGURATION_FILE: &str = "config.toml";

/// `$XDG_CONFIG_HOME/glassline/config.toml`; nothing without that and without a home.
pub(crate) fn configuration_file() -> Option<PathBuf> {
    let folder = base(env::var_os("XDG_CONFIG_HOME"), home(), ".config")?;
    Some(folder.join(OWN_FOLDER).join(CONFIGURATION_FILE))
}

/// `$XDG_STATE_HOME/glassline`, where logs and typed lines go; nothing without that and without a
/// home.
pub(crate) fn state_folder() -> Option<PathBuf> {
    Some(base(env::var_os("XDG_STATE_HOME"), home(), ".local/state")?.join(OWN_FOLDER))
}

/// Folder of keys, in that of the state: a folder of configuration is copied to other machines and
/// published more easily.
pub(crate) fn keys_folder() -> Option<PathBuf> {
    Some(state_folder()?.join("keys"))
}

/// Returns a path in short form, with `~` for the home.
pub(crate) fn in_short(path: &Path) -> String {
    match home().and_then(|home| path.strip_prefix(home).ok().map(Path::to_path_buf)) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

/// Expands a `~` that no shell has expanded: in a file, and after `=`. The error states what to
/// write instead.
pub(crate) fn expanded(path: &Path) -> Result<PathBuf, String> {
    expanded_from(path, home())
}

fn expanded_from(path: &Path, home: Option<PathBuf>) -> Result<PathBuf, String> {
    let mut parts = path.components();
    let Some(Component::Normal(first)) = parts.next() else { return Ok(path.to_path_buf()) };
    if first == "~" {
        let home = home.ok_or_else(|| "HOME does not say what ~ is; write the whole path".to_string())?;
        return Ok(home.join(parts.as_path()));
    }
    if first.as_encoded_bytes().starts_with(b"~") {
        let first = first.display();
        return Err(format!("write the whole path instead of {first}, or ./{first} for a file of that name"));
    }
    Ok(path.to_path_buf())
}

/// Value of a variable if it is a whole path, else a folder in the home.
fn base(variable: Option<OsString>, home: Option<PathBuf>, in_home: &str) -> Option<PathBuf> {
    variable.map(PathBuf::from).filter(|folder| folder.is_absolute()).or_else(|| Some(home?.join(in_home)))
}

/// Home that the environment names. Without it nothing is read or stored there, whatever the
/// system's list of users contains.
#[cfg(unix)]
fn home() -> Option<PathBuf> {
    whole(env::var_os("HOME").map(PathBuf::from))
}

#[cfg(not(unix))]
fn home() -> Option<PathBuf> {
    whole(env::home_dir())
}

/// A relative home would put files into the folder where the program was started.
fn whole(path: Option<PathBuf>) -> Option<PathBuf> {
    path.filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_short_within_the_home_and_whole_elsewhere() {
        let home = home().expect("the tests need a home");
        assert_eq!(in_short(&home.join("a/b.db")), "~/a/b.db");
        let elsewhere = home.with_file_name("somebody-else").join("b.db");
        assert_eq!(in_short(&elsewhere), elsewhere.display().to_string());
    }

    #[test]
    fn a_tilde_is_the_home_and_other_paths_stay() {
        let home = || Some(PathBuf::from("/home/eve"));
        let expanded = |path: &str| expanded_from(Path::new(path), home());
        for (written, meant) in [("~/x/y.db", "/home/eve/x/y.db"), ("~", "/home/eve"), ("~//x", "/home/eve/x")] {
            assert_eq!(expanded(written), Ok(PathBuf::from(meant)), "{written}");
        }
        for same in ["x", "./~", "./~bob/x", "a/~/b", "/~/x", "..", ""] {
            assert_eq!(expanded(same), Ok(PathBuf::from(same)));
        }
        let other = expanded("~bob/x").expect_err("another's home");
        assert!(other.contains("whole path") && other.contains("./~bob"), "{other}");
        let homeless = expanded_from(Path::new("~/x"), None).expect_err("no home");
        assert!(homeless.contains("HOME") && homeless.contains("whole path"), "{homeless}");
    }

    #[test]
    fn a_variable_counts_if_it_is_a_whole_path() {
        let home = || Some(PathBuf::from("/home/eve"));
        assert_eq!(base(Some("/x".into()), home(), "y"), Some(PathBuf::from("/x")));
        assert_eq!(base(Some("x".into()), home(), "y"), Some(PathBuf::from("/home/eve/y")));
        assert_eq!(base(Some(OsString::new()), None, "y"), None);
        assert_eq!(base(None, None, "y"), None);
    }
}
