//! Files that cannot be had, and disks that are full.

use std::fs;
use std::path::Path;
use std::time::Duration;

use glassline_journal::{Keep, Outcome, StoreError, check, open};

use crate::support::*;

fn refusal(file: &Path) -> StoreError {
    match open(file, Keep::default()) {
        Ok(_) => panic!("{} must not open", file.display()),
        Err(error) => {
            let words = error.to_string();
            assert!(
                words.contains(&file.display().to_string()) && words.contains("; "),
                "{words:?} names no next step"
            );
            error
        }
    }
}

#[test]
#[cfg(unix)]
fn a_link_to_the_file_meets_the_same_lock() {
    let folder = Folder::new();
    let link = folder.file().with_file_name("link.db");
    std::os::unix::fs::symlink(folder.file(), &link).expect("a link");
    for (first, second) in [(&link, folder.file()), (&folder.file(), link.clone())] {
        let store = open_kept(first);
        assert!(matches!(refusal(&second), StoreError::InUse(_)));
        drop(store);
    }
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    assert!(matches!(refusal(&folder.file()), StoreError::InUse(_)));
    store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("the first goes on");
    drop(store);
    assert_eq!(
        open_kept(&folder.file()).append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores"),
        stored([2])
    );
}

#[cfg(unix)]
#[test]
fn the_folder_and_the_file_are_the_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let file = folder.path().join("state/glassline/history.db");
    let mut store = open_kept(&file);
    store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores");
    let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(file.parent().expect("a folder")), 0o700);
    for ending in ["", "-wal", "-shm", ".lock"] {
        let path = format!("{}{ending}", file.display());
        assert_eq!(mode(Path::new(&path)), 0o600, "{path}");
    }
}

#[test]
fn what_is_something_else_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    let file = folder.file();
    for content in [b"just some notes".to_vec(), vec![0; 100], b"SQLite format 3".to_vec(), vec![0xFF; 8_192]] {
        fs::write(&file, &content).expect("writes");
        assert!(matches!(refusal(&file), StoreError::NotAHistory(_)));
        assert_eq!(fs::read(&file).expect("reads"), content);
    }
    fs::remove_file(&file).expect("removes");
    fs::create_dir(&file).expect("a folder of that name");
    assert!(matches!(refusal(&file), StoreError::CannotOpen { .. }));
    // A database of another program.
    let other = folder.path().join("other.db");
    let made = std::process::Command::new("python3")
        .args([
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('CREATE TABLE t(x)'); c.commit()",
        ])
        .arg(&other)
        .status();
    if made.is_ok_and(|made| made.success()) {
        let before = fs::read(&other).expect("reads");
        assert!(matches!(refusal(&other), StoreError::NotAHistory(_)));
        assert_eq!(fs::read(&other).expect("reads"), before);
    } else {
        println!("no python3: another program's database is not tried");
    }
}

/// Changes bytes of a history that nobody has open.
fn edited(folder: &Folder, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut store = open_kept(&folder.file());
    store
        .append(&(0..500).map(|_| entry("lobby", "alice", "some words", None, 1)).collect::<Vec<_>>())
        .expect("stores");
    drop(store);
    let mut bytes = fs::read(folder.file()).expect("reads");
    edit(&mut bytes);
    fs::write(folder.file(), bytes).expect("writes");
}

#[test]
fn a_newer_schema_a_short_file_and_a_broken_page_are_told_apart() {
    let folder = Folder::new();
    // The user version stands at byte 60 of the header.
    edited(&folder, |bytes| bytes[60..64].copy_from_slice(&99_u32.to_be_bytes()));
    assert!(matches!(refusal(&folder.file()), StoreError::Newer { found: 99, known: 4, .. }));

    for length in [20, 4_096, 3 * 4_096, 10_000] {
        let folder = Folder::new();
        edited(&folder, |bytes| bytes.truncate(length));
        let refused = refusal(&folder.file());
        assert!(matches!(refused, StoreError::Corrupt { .. } | StoreError::NotAHistory(_)), "{length}: {refused:?}");
        assert!(length == 20 || matches!(refused, StoreError::Corrupt { .. }), "{length}: {refused:?}");
    }

    let folder = Folder::new();
    edited(&folder, |bytes| bytes[100..400].fill(0xA5));
    assert!(matches!(refusal(&folder.file()), StoreError::Corrupt { .. }));

    // The file is gone and its log is not: what is in the log must not be thrown away.
    let folder = Folder::new();
    fs::write(format!("{}-wal", folder.file().display()), [1; 5_000]).expect("writes");
    assert!(matches!(refusal(&folder.file()), StoreError::Corrupt { .. }));
    assert!(!folder.file().exists());
}

#[cfg(unix)]
#[test]
fn a_log_whose_history_is_gone_is_kept_whoever_asks_by_a_link() {
    let folder = Folder::new();
    let log = beside(&folder.file(), "-wal");
    fs::write(&log, [1; 5_000]).expect("writes");
    let links = folder.path().join("links");
    fs::create_dir(&links).expect("a folder");
    let (link, second) = (links.join("link.db"), links.join("second.db"));
    std::os::unix::fs::symlink("../history.db", &link).expect("a link");
    std::os::unix::fs::symlink("link.db", &second).expect("a link");
    for link in [&link, &second] {
        assert!(matches!(refusal(link), StoreError::Corrupt { .. }));
        assert!(!folder.file().exists(), "nothing is made in its place");
        assert_eq!(fs::read(&log).expect("is there"), [1; 5_000]);
    }
    // A link to where there is nothing yet is as good a name as another.
    fs::remove_file(&log).expect("removes");
    let mut store = open_kept(&second);
    assert_eq!(store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores"), stored([1]));
    assert!(fs::metadata(log).expect("the log is beside the file").len() > 0);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_read_without_its_log_is_not_read_without_it_through_a_link_either() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, copied) = (Folder::new(), Folder::new());
    let mut store = open_kept(&folder.file());
    store.append(&[entry("lobby", "alice", "only in the log", None, 1)]).expect("stores");
    // As a snapshot of a server that runs has it: with a log, and without what readers share.
    for ending in ["", "-wal"] {
        fs::copy(beside(&folder.file(), ending), beside(&copied.file(), ending)).expect("copies");
    }
    let link = copied.path().join("link.db");
    std::os::unix::fs::symlink(copied.file(), &link).expect("a link");
    let allow = |mode: u32| fs::set_permissions(copied.path(), fs::Permissions::from_mode(mode)).expect("may");
    let exported = |name: &Path| glassline_journal::export(name, &mut Vec::new()).map(|exported| exported.messages);
    for name in [copied.file(), link] {
        allow(0o500);
        let read_only = as_ordinary_user(&copied, |_| exported(&name));
        allow(0o700);
        assert!(read_only.is_err(), "{}: {read_only:?}", name.display());
    }
    assert_eq!(as_ordinary_user(&copied, |_| exported(&copied.path().join("link.db"))).expect("exports"), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn what_may_not_be_written_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    drop(open_kept(&folder.file()));
    let allow = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("may");
    // Else what follows would be refused for the wrong reason.
    as_ordinary_user(&folder, |file| drop(open_kept(file)));
    allow(&folder.file(), 0o400);
    assert!(matches!(as_ordinary_user(&folder, refusal), StoreError::ReadOnly(_)));
    allow(&folder.file(), 0o600);
    allow(folder.path(), 0o500);
    let other = |_: &Path| refusal(&folder.path().join("other.db"));
    assert!(matches!(as_ordinary_user(&folder, other), StoreError::ReadOnly(_)));
    allow(folder.path(), 0o700);
    as_ordinary_user(&folder, |file| drop(open_kept(file)));
}

/// As when root takes care of a server's history.
#[cfg(target_os = "linux")]
#[test]
fn what_is_made_beside_a_history_is_its_owners() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::new();
    drop(open_kept(&folder.file()));
    fs::remove_file(beside(&folder.file(), ".lock")).expect("removes");
    // Gives the file away where it may.
    as_ordinary_user(&folder, |_| ());
    drop(open_kept(&folder.file()));
    let owner =
        |ending| fs::metadata(beside(&folder.file(), ending)).map(|file| (file.uid(), file.gid())).expect("is there");
    assert_eq!(owner(".lock"), owner(""));
    as_ordinary_user(&folder, |file| drop(open_kept(file)));
}

/// Runs on a thread that has the rights of an ordinary user, whoever runs the tests, with a folder that is this user's.
#[cfg(target_os = "linux")]
fn as_ordinary_user<T: Send>(folder: &Folder, run: impl FnOnce(&Path) -> T + Send) -> T {
    let file = folder.file();
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        for entry in fs::read_dir(folder.path()).expect("a folder") {
            std::os::unix::fs::chown(entry.expect("an entry").path(), Some(NOBODY), None).expect("may");
        }
        std::os::unix::fs::chown(folder.path(), Some(NOBODY), None).expect("may");
    }
    let as_nobody = move || {
        if is_root {
            let nobody = rustix::process::Uid::from_raw(NOBODY);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("root may be anybody");
        }
        run(&file)
    };
    std::thread::scope(|scope| scope.spawn(as_nobody).join().expect("no panic"))
}

/// The user who owns nothing, on systems that have one by this number or by none.
#[cfg(target_os = "linux")]
const NOBODY: u32 = 65_534;

#[cfg(unix)]
#[test]
fn nothing_is_stored_while_the_file_is_not_where_it_was() {
    for moved in ["", "-wal", ".lock"] {
        let folder = Folder::new();
        let mut store = open_kept(&folder.file());
        let said = |id: u128| [entry("lobby", "alice", "hi", Some(id), 1)];
        assert_eq!(store.append(&said(1)).expect("stores"), stored([1]));
        let (file, elsewhere) = (beside(&folder.file(), moved), folder.path().join("elsewhere"));
        fs::rename(&file, &elsewhere).expect("moves");
        let refused = store.append(&said(2)).expect_err("the file is gone");
        assert!(matches!(refused, StoreError::NotInPlace(_)) && !refused.is_fatal(), "{moved:?}: {refused:?}");
        let words = refused.to_string();
        assert!(words.contains(&file.display().to_string()) && words.contains("; "), "{words}");
        assert!(matches!(store.tend(Duration::ZERO), Err(StoreError::NotInPlace(_))), "{moved:?}");
        assert!(matches!(store.repeats(&said(1)).expect("reads")[..], [Some(Outcome::Again(_))]), "{moved:?}");
        fs::write(&file, b"another").expect("writes");
        assert!(matches!(store.append(&said(2)), Err(StoreError::NotInPlace(_))), "{moved:?}: another file is there");
        fs::rename(&elsewhere, &file).expect("moves back");
        assert_eq!(store.append(&said(2)).expect("stores"), stored([2]), "{moved:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_as_history_or_lock_is_refused_at_once() {
    let pipe = |file: &Path| {
        assert!(std::process::Command::new("mkfifo").arg(file).status().expect("mkfifo").success());
    };
    for ending in ["", ".lock"] {
        let folder = Folder::new();
        let file = folder.file();
        let piped = beside(&file, ending);
        pipe(&piped);
        let (told, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let opened = open(&file, Keep::default()).map(drop);
            let checked = if ending.is_empty() { check(&file).map(drop) } else { Ok(()) };
            told.send((opened, checked))
        });
        let (opened, checked) = heard.recv_timeout(std::time::Duration::from_secs(20)).expect("an answer");
        assert!(matches!(&opened, Err(StoreError::CannotOpen { path, .. }) if *path == piped), "{opened:?}");
        assert_eq!(checked.is_err(), ending.is_empty());
    }
}

fn beside(file: &Path, ending: &str) -> std::path::PathBuf {
    std::path::PathBuf::from(format!("{}{ending}", file.display()))
}

#[cfg(unix)]
#[test]
fn what_was_stored_before_the_file_was_moved_is_whole_again_when_it_is_back() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    assert_eq!(store.append(&[entry("lobby", "alice", "hi", Some(1), 1)]).expect("stores"), stored([1]));
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(folder.file(), &elsewhere).expect("moves");
    // As when a deleted file is copied from the server that has it open, which is ended then.
    fs::copy(&elsewhere, folder.path().join("copy")).expect("copies");
    drop(store);
    fs::rename(folder.path().join("copy"), folder.file()).expect("moves");
    let mut store = open_kept(&folder.file());
    assert_eq!(store.append(&[entry("lobby", "alice", "on", Some(2), 1)]).expect("stores"), stored([2]));
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_elsewhere_now_is_noticed() {
    let folder = Folder::new();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(folder.file(), &link).expect("a link");
    let mut store = open_kept(&link);
    fs::remove_file(&link).expect("removes");
    drop(open_kept(&folder.path().join("other.db")));
    std::os::unix::fs::symlink(folder.path().join("other.db"), &link).expect("a link");
    let refused = store.append(&[entry("lobby", "alice", "hi", None, 1)]);
    assert!(matches!(refused, Err(StoreError::NotInPlace(_))), "{refused:?}");
}
