//! The rules that the command line asks for.

use std::fs;

use anyhow::{Context, anyhow};
use glassline_tap::rules::RuleFile;
use glassline_tap::{Rule, RuleSet};

use super::arguments::LineArguments;

/// Reads the rules of the files, then those of the flags, then the hook. The seed is the one of the
/// flag, else of a file, else random.
pub(super) fn read(arguments: &LineArguments) -> anyhow::Result<RuleSet> {
    let mut seed = arguments.seed;
    let mut rules = Vec::new();
    for path in &arguments.rules {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the rules of {shown}"))?;
        let file = RuleFile::parse(&text).map_err(|error| anyhow!("{shown}, {error}"))?;
        seed = seed.or(file.seed);
        rules.extend(file.rules);
    }
    rules.extend(arguments.rule.iter().cloned());
    rules.extend(arguments.hook.clone());
    let seed = seed.map_or_else(getrandom::u64, Ok).context("the system has no random numbers; give a --seed")?;
    RuleSet::new(seed, rules).map_err(|error| anyhow!("{error}"))
}

/// Reads a program and its arguments, with spaces between them, as a rule that asks it about every frame.
pub(super) fn parse_hook(command: &str) -> Result<Rule, String> {
    if command.trim().is_empty() {
        return Err("a hook is a program and its arguments, as in --hook 'python3 hook.py'".into());
    }
    let quoted = command.replace('\\', "\\\\").replace('"', "\\\"");
    format!("hook command=\"{quoted}\"").parse::<Rule>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use glassline_tap::rules::Action;

    use super::*;

    #[test]
    fn a_hook_is_a_program_and_its_arguments() {
        let command = |text: &str| match parse_hook(text).map(|rule| rule.action) {
            Ok(Action::Hook { command, .. }) => command,
            other => panic!("{other:?}"),
        };
        assert_eq!(command("python3 hook.py"), ["python3", "hook.py"]);
        assert_eq!(command(r#"C:\hook.exe "x""#), [r"C:\hook.exe", r#""x""#]);
        assert!(parse_hook("").is_err());
    }
}
