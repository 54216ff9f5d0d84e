//! Where a user's files are: the XDG base folders, on every system.

use std::path::PathBuf;

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

/// A home that is no whole path would put files wherever the program happens to be started.
fn whole(path: PathBuf) -> Option<PathBuf> {
    path.is_absolute().then_some(path)
}
