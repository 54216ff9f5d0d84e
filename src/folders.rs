//! Where a user's files are: the XDG base folders, on every system.

use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, Xdg};

/// What all of this program's files are in.
const OWN_FOLDER: &str = "glassline";
const CONFIGURATION_FILE: &str = "config.toml";

/// `$XDG_CONFIG_HOME/glassline/config.toml`; nothing without a home.
pub(crate) fn configuration_file() -> Option<PathBuf> {
    let file = Xdg::new().ok()?.config_dir().join(OWN_FOLDER).join(CONFIGURATION_FILE);
    whole(file)
}

/// `$XDG_STATE_HOME/glassline`, where logs and typed lines go; nothing without a home.
pub(crate) fn state_folder() -> Option<PathBuf> {
    whole(Xdg::new().ok()?.state_dir()?.join(OWN_FOLDER))
}

/// A path as people write it: from their home on, if it lies there.
pub(crate) fn in_short(path: &Path) -> String {
    let home = Xdg::new().ok().map(|folders| folders.home_dir().to_path_buf());
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_path_buf)) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

/// A home that is no whole path would put files wherever the program happens to be started.
fn whole(path: PathBuf) -> Option<PathBuf> {
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_short_within_the_home_and_whole_elsewhere() {
        let Ok(folders) = Xdg::new() else { panic!("the tests need a home") };
        assert_eq!(in_short(&folders.home_dir().join("a/b.db")), "~/a/b.db");
        let elsewhere = folders.home_dir().with_file_name("somebody-else").join("b.db");
        assert_eq!(in_short(&elsewhere), elsewhere.display().to_string());
    }
}
