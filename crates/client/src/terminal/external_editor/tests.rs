use super::*;
use std::sync::mpsc::{Receiver, sync_channel};

/// A state folder that is not there yet, and what is beside it; gone with the test.
struct Home(glassline_testkit::Folder);

impl Home {
    fn new() -> Self {
        Self(glassline_testkit::Folder::new())
    }

    fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// An editor that is a script, for which `$1` is the file.
    fn start(&self, script: &str, text: &str) -> (ExternalEditor, Receiver<DriverEvent>) {
        let path = self.0.write("an editor.sh", script);
        let (inbox, events) = sync_channel(4);
        let editor = format!("sh '{}'", path.display());
        (ExternalEditor::start(&editor, text, &self.state(), inbox).expect("started"), events)
    }

    /// Returns the edited text, and the bytes written to the terminal.
    fn edited(&self, script: &str, text: &str) -> (Result<String, String>, Vec<u8>) {
        let (external_editor, events) = self.start(script, text);
        let event = events.recv_timeout(Duration::from_secs(20)).expect("it ends");
        assert!(matches!(event, DriverEvent::User(UserInput::EditorClosed)));
        let mut terminal = Vec::new();
        (external_editor.finish(&mut terminal), terminal)
    }

    fn drafts(&self) -> Vec<PathBuf> {
        let mut drafts: Vec<_> =
            fs::read_dir(self.state()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        drafts.sort();
        drafts
    }
}

#[test]
fn a_blank_variable_hides_no_editor() {
    let chosen = |visual: Option<&str>, editor: Option<&str>| {
        chosen_editor(|name| if name == "VISUAL" { visual } else { editor }.map(str::to_owned))
    };
    assert_eq!(chosen(Some(" "), Some("nano")).as_deref(), Some("nano"));
    assert_eq!(chosen(None, Some("nano")).as_deref(), Some("nano"));
    assert_eq!(chosen(Some("vim"), Some("nano")).as_deref(), Some("vim"));
    assert_eq!(chosen(Some(""), Some("")), None);
}

#[test]
fn a_text_comes_back_and_leaves_no_file() {
    let home = Home::new();
    let (text, terminal) = home.edited(r#"echo " two" >>"$1""#, "one");
    assert_eq!((text.as_deref(), terminal.len()), (Ok("one two"), 0));
    assert_eq!(home.drafts(), [] as [PathBuf; 0]);
}

#[test]
fn a_text_that_cannot_be_inserted_is_kept_and_its_place_shown() {
    let home = Home::new();
    for (number, (script, why)) in [
        (r#"echo new >"$1"; exit 3"#, "exit status: 3"),
        (r#"head -c 70000 /dev/zero | tr '\0' x >"$1""#, "more than 65536 bytes"),
        (r#"printf '\377\376' >"$1""#, "UTF-8"),
    ]
    .into_iter()
    .enumerate()
    {
        let notice = home.edited(script, "draft").0.expect_err(script);
        let drafts = home.drafts();
        assert_eq!(drafts.len(), number + 1, "no kept draft is overwritten: {drafts:?}");
        let path = drafts.last().expect("a draft");
        assert!(notice.contains(why) && notice.ends_with(&format!("the text is in {}", path.display())), "{notice}");
        assert!(fs::metadata(path).expect("a draft").len() > 0);
    }
}

#[test]
fn what_stands_in_the_line_still_leaves_no_file() {
    let home = Home::new();
    for script in ["exit 1", r#"rm "$1""#, r#": >"$1"; exit 1"#] {
        let notice = home.edited(script, "draft").0.expect_err(script);
        assert!(notice.contains("the line is as it was") && !notice.contains("the text is in"), "{notice}");
    }
    assert_eq!(home.drafts(), [] as [PathBuf; 0]);
}

#[test]
fn a_file_that_cannot_be_written_is_not_blamed_on_the_editor() {
    let home = Home::new();
    fs::write(home.state(), "a file where the folder should be").expect("written");
    let (inbox, _arrivals) = sync_channel(4);
    let notice = ExternalEditor::start("true", "draft", &home.state(), inbox).expect_err("no folder");
    assert!(notice.starts_with("cannot write the line") && !notice.contains("EDITOR"), "{notice}");
}

#[cfg(unix)]
#[test]
fn a_missing_program_is_reported_with_what_to_do() {
    let home = Home::new();
    let (inbox, events) = sync_channel(4);
    let external_editor =
        ExternalEditor::start("/nowhere/editor --wait 2>/dev/null", "draft", &home.state(), inbox).expect("a shell");
    events.recv_timeout(Duration::from_secs(20)).expect("it ends");
    let notice = external_editor.finish(&mut Vec::new()).expect_err("nothing ran");
    assert!(notice.starts_with("cannot run /nowhere/editor") && notice.contains("set EDITOR"), "{notice}");
}

#[cfg(unix)]
#[test]
fn a_program_that_is_abandoned_may_put_its_things_in_order() {
    let home = Home::new();
    let ready = home.0.join("ready");
    let script =
        format!("trap 'echo saved >\"$1\"; exit 0' TERM; : >'{}'; while :; do sleep 0.01; done", ready.display());
    let (external_editor, _arrivals) = home.start(&script, "draft");
    wait_until_there(&ready);
    let mut terminal = Vec::new();
    let notice = external_editor.abandon(&mut terminal).expect("the text is kept");
    assert!(terminal.is_empty(), "it left by itself");
    let drafts = home.drafts();
    assert!(notice.ends_with(&drafts[0].display().to_string()), "{notice}");
    assert_eq!(fs::read_to_string(&drafts[0]).expect("a draft"), "saved\n");
}

#[cfg(unix)]
#[test]
fn a_program_that_will_not_end_is_killed_and_the_screen_reset() {
    let home = Home::new();
    let ready = home.0.join("ready");
    let script = format!("trap '' TERM; : >'{}'; while :; do sleep 0.01; done", ready.display());
    let (external_editor, _arrivals) = home.start(&script, "draft");
    wait_until_there(&ready);
    let started = Instant::now();
    let mut terminal = Vec::new();
    assert!(external_editor.abandon(&mut terminal).is_some());
    assert!(started.elapsed() < ENDS_WITHIN * 5);
    let written = String::from_utf8(terminal).expect("text");
    assert!(written.contains("\x1b[?1049l") && written.contains("\x1b[?25h"), "{written:?}");
    assert_eq!(fs::read_to_string(&home.drafts()[0]).expect("a draft"), "draft");
}

#[cfg(unix)]
fn wait_until_there(path: &Path) {
    let until = Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        assert!(Instant::now() < until, "{} never came", path.display());
        thread::yield_now();
    }
}
