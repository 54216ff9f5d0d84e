//! Other programs: the user's editor.

use std::io;
use std::path::Path;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

/// The command that opens a file in an editor. `EDITOR` is a piece of shell, as git takes it: it
/// may hold options, quotes and variables.
pub(crate) fn editor_command(editor: &str, file: &Path) -> Command {
    // The shell replaces itself by the editor where possible, so that a signal reaches the editor.
    let exec = if is_one_command(editor) { "exec " } else { "" };
    let mut command = Command::new("sh");
    // The arguments after the script are `$0`, which begins the shell's error texts, and `$1`.
    command.arg("-c").arg(format!("{exec}{editor} \"$1\"")).arg(editor).arg(file);
    command
}

/// Returns whether it is certainly a program with its arguments: no list of commands, and nothing
/// set before it.
fn is_one_command(editor: &str) -> bool {
    let sets = editor.split_whitespace().next().is_none_or(|first| first.contains('='));
    !sets && !editor.contains([';', '|', '&', '(', ')', '{', '}', '!', '\n'])
}

/// Sends a child SIGTERM, so that it can restore the terminal. It must not have been waited for.
pub(crate) fn ask_to_end(child: &mut Child) -> io::Result<()> {
    Ok(kill_process(Pid::from_child(child), Signal::TERM)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn an_editor_that_is_asked_to_end_is_the_one_that_ends() {
        let mut child = editor_command("sleep", Path::new("60")).spawn().expect("a shell");
        ask_to_end(&mut child).expect("asked");
        assert_eq!(child.wait().expect("a child").signal(), Some(Signal::TERM.as_raw()));
        for (editor, is_one) in
            [("vim", true), (r#""/opt/my editor" -w"#, true), ("A=1 vim", false), ("cd /; vim", false), ("a=b", false)]
        {
            assert_eq!(is_one_command(editor), is_one, "{editor}");
        }
    }

    #[test]
    fn editors_and_files_may_have_options_quotes_and_blanks() {
        for editor in ["printf '%s|'", r#""/usr/bin/env" printf '%s|' 'a b'"#, r"A=1 printf %s\|", "true; printf '%s|'"]
        {
            let output = editor_command(editor, Path::new("/a folder/it's $HOME.txt")).output().expect("a shell");
            let expected = if editor.contains("a b") { "a b|" } else { "" }.to_owned() + "/a folder/it's $HOME.txt|";
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{editor}");
        }
    }
}
