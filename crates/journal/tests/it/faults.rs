//! Files that cannot be had, and disks that are full.

use std::fs;
use std::path::Path;
use std::time::Duration;

use glassline_journal::{Keep, StoreError, TransferError, open};
use glassline_wire::history::NotAppended;
use rusqlite::Connection;

use crate::support::{check, export, import, vacuum, *};

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

#[test]
fn a_lock_of_another_program_is_not_called_a_server() {
    let folder = Folder::new();
    let lock = folder.path().join("history.db.lock");
    drop(open_kept(&folder.file()));
    assert_eq!(fs::read(&lock).expect("reads"), b"", "an orderly end leaves no mark");
    // Where a server was killed, the mark of a process that is gone is left.
    for left in ["", "glassline 4294967295\n"] {
        fs::write(&lock, left).expect("writes");
        let other = fs::File::open(&lock).expect("opens");
        other.lock().expect("locks");
        let refused = refusal(&folder.file());
        assert!(matches!(&refused, StoreError::Locked(locked) if *locked == lock), "{refused:?}");
        let words = refused.to_string();
        assert!(words.contains("another program") && words.contains("fuser"), "{words}");
        drop(other);
        drop(open_kept(&folder.file()));
    }
    // A lock in the file itself, as a database tool takes it.
    let other = rusqlite::Connection::open(folder.file()).expect("opens");
    other.execute_batch("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE").expect("locks");
    let refused = refusal(&folder.file());
    assert!(matches!(&refused, StoreError::Locked(locked) if *locked == folder.file()), "{refused:?}");
    drop(other);
    drop(open_kept(&folder.file()));
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
fn newer_schema_short_file_and_broken_page_are_distinguished() {
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
fn a_file_that_needs_its_log_is_not_read_without_it_by_a_link() {
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
    let allow = |folder: u32, file: u32| {
        fs::set_permissions(copied.path(), fs::Permissions::from_mode(folder)).expect("may");
        fs::set_permissions(copied.file(), fs::Permissions::from_mode(file)).expect("may");
    };
    let exported = |name: &Path| export(name, &mut Vec::new()).map(|exported| exported.messages);
    for name in [copied.file(), link] {
        allow(0o500, 0o400);
        let read_only = as_ordinary_user(&copied, |_| exported(&name));
        allow(0o700, 0o600);
        assert!(read_only.is_err(), "{}: {read_only:?}", name.display());
    }
    // Who may write to the file needs nothing beside it.
    allow(0o500, 0o600);
    let log = fs::read(beside(&copied.file(), "-wal")).expect("reads");
    assert_eq!(as_ordinary_user(&copied, |_| exported(&copied.path().join("link.db"))).expect("exports"), 1);
    allow(0o700, 0o600);
    assert_eq!(copied.names(), ["history.db", "history.db-wal", "link.db"]);
    assert!(fs::read(beside(&copied.file(), "-wal")).expect("reads") == log);
}

#[cfg(target_os = "linux")]
#[test]
fn reading_what_may_not_be_written_leaves_no_file_behind() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores");
    drop(store);
    let names = folder.names();
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o400)).expect("may");
    let report = as_ordinary_user(&folder, check).expect("a report");
    assert_eq!((report.messages, report.faults), (1, Vec::new()));
    assert_eq!(folder.names(), names, "a server of another user could not write to them");
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
        assert!(matches!(store.maintain(Duration::ZERO), Err(StoreError::NotInPlace(_))), "{moved:?}");
        assert!(
            matches!(store.find_duplicates(&said(1)).expect("reads")[..], [Some(NotAppended::Again(_))]),
            "{moved:?}"
        );
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
        let (scripted_store, results) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let opened = open(&file, Keep::default()).map(drop);
            let checked = if ending.is_empty() { check(&file).map(drop) } else { Ok(()) };
            scripted_store.send((opened, checked))
        });
        let (opened, checked) = results.recv_timeout(std::time::Duration::from_secs(20)).expect("an answer");
        assert!(matches!(&opened, Err(StoreError::CannotOpen { path, .. }) if *path == piped), "{opened:?}");
        assert_eq!(checked.is_err(), ending.is_empty());
    }
}

fn beside(file: &Path, ending: &str) -> std::path::PathBuf {
    std::path::PathBuf::from(format!("{}{ending}", file.display()))
}

#[cfg(unix)]
#[test]
fn messages_from_before_the_file_was_moved_return_with_it() {
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

#[cfg(unix)]
#[test]
fn a_file_with_a_second_name_is_refused() {
    let folder = Folder::new();
    drop(open_kept(&folder.file()));
    let other = folder.path().join("other.db");
    fs::hard_link(folder.file(), &other).expect("links");
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&other, &link).expect("links");
    let is_refused = |result: Result<(), StoreError>| {
        assert!(matches!(&result, Err(StoreError::HardLinked { links: 2, .. })), "{result:?}");
    };
    for name in [&folder.file(), &other, &link] {
        is_refused(Err(refusal(name)));
        is_refused(vacuum(name).map(drop));
        is_refused(check(name).map(drop));
        for command in [
            export(name, &mut Vec::new()).map(drop),
            import(name, &mut &b"{\"type\":\"schema\",\"version\":1}\n"[..]).map(drop),
        ] {
            let Err(TransferError::Store(refused)) = command else { panic!("{command:?}") };
            is_refused(Err(refused));
        }
    }
    let names = fs::read_dir(folder.path()).expect("reads").count();
    assert_eq!(names, 4, "the file, its lock, and two names: no second log");
    fs::remove_file(&other).expect("removes");
    drop(open_kept(&folder.file()));
}

/// A name that is added while a server runs is no way in for a second one.
#[cfg(unix)]
#[test]
fn a_second_name_for_an_open_file_lets_nobody_in() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let other = folder.path().join("other.db");
    fs::hard_link(folder.file(), &other).expect("links");
    assert!(matches!(refusal(&other), StoreError::HardLinked { .. }));
    assert_eq!(store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores"), stored([1]));
}

#[test]
fn nothing_is_acknowledged_once_a_file_is_cut_short() {
    for (ending, cut) in [("", 0), ("", 1), ("", 4_096), ("-wal", 0), ("-wal", 1), ("-wal", 4_120)] {
        let folder = Folder::new();
        let mut store = open_kept(&folder.file());
        store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores");
        let path = format!("{}{ending}", folder.file().display());
        let file = fs::OpenOptions::new().write(true).open(&path).expect("opens");
        let length = file.metadata().expect("a length").len();
        file.set_len(if cut == 0 { 0 } else { length - cut }).expect("cuts");
        let refused = store.append(&[entry("lobby", "alice", "more", None, 1)]).expect_err("refused");
        assert!(refused.is_fatal() && refused.to_string().contains("cut short"), "{path} by {cut}: {refused}");
        let refused = store.append(&[entry("lobby", "alice", "more", None, 1)]);
        assert!(refused.is_err(), "and stays so");
        drop(store);
        assert_eq!(fs::metadata(&path).expect("a length").len(), if cut == 0 { 0 } else { length - cut });
    }
}

#[test]
fn a_log_that_another_program_emptied_is_not_cut_short() {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    for seq in 1..=3 {
        assert_eq!(store.append(&[entry("lobby", "alice", "hi", None, 1)]).expect("stores"), stored([seq]));
        let other = Connection::open(folder.file()).expect("opens");
        let busy: i64 = other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).expect("empties");
        assert_eq!(busy, 0);
        let log = fs::metadata(format!("{}-wal", folder.file().display())).expect("a log");
        assert_eq!(log.len(), 0);
    }
}
