//! Detection of terminals that reflow their contents on a resize.

/// First version of Konsole that reflows.
const KONSOLE_SINCE: u32 = 21_04_00;

/// Returns true if the terminal is known to reflow. Variables of several terminals mean that one
/// runs within another, and the inner one is unknown.
pub(super) fn is_known(variable: impl Fn(&str) -> String) -> bool {
    let is_set = |name: &str| !variable(name).is_empty();
    let term = variable("TERM");
    let begins = |names: &[&str]| names.iter().any(|name| term.starts_with(name));
    if begins(&["screen", "tmux"]) {
        return is_set("TMUX") && !is_set("STY");
    }
    if begins(&["alacritty", "foot", "xterm-kitty", "xterm-ghostty", "wezterm"]) {
        return true;
    }
    if !term.starts_with("xterm") || ["XTERM_VERSION", "TMUX", "STY"].into_iter().any(is_set) {
        return false;
    }
    let marks = ["VTE_VERSION", "WEZTERM_PANE", "ALACRITTY_WINDOW_ID", "KITTY_WINDOW_ID"];
    let is_konsole = variable("KONSOLE_VERSION").parse().is_ok_and(|version: u32| version >= KONSOLE_SINCE);
    let is_program = ["iTerm.app", "Apple_Terminal", "vscode"].contains(&variable("TERM_PROGRAM").as_str());
    marks.into_iter().any(is_set) || is_konsole || is_program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_terminals_wrap_anew() {
        for (environment, is_so) in [
            ("TERM=screen TMUX=/tmp/tmux-0/default,1,0", true),
            ("TERM=tmux-256color TMUX=x VTE_VERSION=6800", true),
            ("TERM=screen STY=1.pts", false),
            ("TERM=screen", false),
            ("TERM=xterm-256color VTE_VERSION=6800", true),
            ("TERM=xterm-256color VTE_VERSION=6800 XTERM_VERSION=XTerm(370)", false),
            ("TERM=xterm-256color VTE_VERSION=6800 TMUX=x", false),
            ("TERM=xterm-256color KONSOLE_VERSION=201200", false),
            ("TERM=xterm-256color KONSOLE_VERSION=220401", true),
            ("TERM=xterm-256color TERM_PROGRAM=Apple_Terminal", true),
            ("TERM=rxvt-unicode-256color VTE_VERSION=6800", false),
            ("TERM=xterm-kitty", true),
            ("TERM=xterm-256color", false),
            ("", false),
        ] {
            let variables: Vec<(&str, &str)> =
                environment.split_whitespace().filter_map(|variable| variable.split_once('=')).collect();
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
            };
            assert_eq!(is_known(variable), is_so, "{environment}");
        }
    }
}
