//! Sealed rooms of people (S7): passphrases that are typed, and what is shown before and after.

use std::rc::Rc;

use glassline_server::Config;

use super::harness::{Opening, Terminal};
use crate::harness::Server;
use crate::program::Folder;

const PASSPHRASE: &str = "correct horse";

fn opening(server: &Server, name: &str) -> Opening {
    Opening::join(server.address, name).size(40, 160)
}

/// A client in lines at a terminal, in the room "den".
#[track_caller]
fn linear(opening: Opening) -> Terminal {
    let mut member = opening.argument("--linear").start();
    member.see("connected to");
    member.keys_until("/join den\r", "you are talking in den now");
    member
}

#[track_caller]
fn seal(member: &mut Terminal) {
    member.keys_until("/seal\r", "passphrase of den");
    member.keys_until(&format!("{PASSPHRASE}\r"), "den is sealed under key");
}

/// Has alice seal the room and leave. Returns her home.
fn sealed_before(server: &Server) -> Rc<Folder> {
    let mut alice = linear(opening(server, "alice"));
    seal(&mut alice);
    let home = Rc::clone(alice.home());
    alice.keys("/quit\r");
    assert_eq!(alice.exit_code(), 0);
    home
}

#[test]
fn in_lines_nothing_of_a_passphrase_is_shown() {
    let server = Server::start();
    let mut bob = linear(opening(&server, "bob"));
    let mut alice = linear(opening(&server, "alice"));
    for cancelled in ["\x1b", "\x04"] {
        alice.keys_until("/seal\r", "passphrase of den");
        let before = alice.count_written("nothing was sealed");
        alice.keys(&format!("xyz{cancelled}"));
        alice.wait_for("the end of the question", |screen| screen.matches("nothing was sealed").count() > before);
    }
    alice.keys_until("/seal\r", "passphrase of den");
    alice.keys("correkt\x15correct horzz\x7f\x7fse\r");
    alice.see("this passphrase is weak");
    alice.see("den is sealed under key");
    alice.keys_until("readable by members\r", "readable by members");
    for typed in ["xyz", "corre", "horz", "horse", "•"] {
        assert_eq!(alice.count_written(typed), 0, "{typed}: {}", alice.written());
    }
    bob.see("[sealed: key ");
    seal(&mut bob);
    alice.keys("the secret\r");
    bob.see("alice > the secret");

    alice.keys_until("/unseal\r", "/unseal again does it");
    alice.keys_until("again sealed\r", "again sealed");
    bob.see("alice > again sealed");
    alice.keys("/unseal\r");
    alice.wait_for("the second question", |screen| screen.matches("/unseal again does it").count() == 2);
    alice.keys_until("/unseal\r", "den is not sealed here any more");
}

/// Speaks in a room that the other is in without its key, which then gets it.
#[track_caller]
fn read_back(server: &Server, carol: &mut Terminal) {
    let mut alice = linear(opening(server, "alice"));
    seal(&mut alice);
    alice.keys("the secret\r");
    carol.wait_for("two messages", |screen| screen.matches("[sealed: key ").count() == 2);
    seal(carol);
    carol.see("alice > the secret");
}

#[test]
fn a_key_shows_what_could_not_be_read_before() {
    let server = Server::start();
    read_back(&server, &mut linear(opening(&server, "carol")));

    let folder = Folder::new();
    let server = Server::keeping(folder.path(), Config::default());
    let mut carol = opening(&server, "carol").open();
    carol.keys_until("/join den\r", "carol in den");
    read_back(&server, &mut carol);
}

#[test]
fn a_room_that_is_sealed_here_says_so_on_entering() {
    let server = Server::start();
    let home = sealed_before(&server);

    let locked = "den is sealed here: enter its passphrase with /seal";
    let mut alice = linear(opening(&server, "alice").home(&home));
    alice.see(locked);
    seal(&mut alice);
    alice.keys("/quit\r");
    assert_eq!(alice.exit_code(), 0);

    let mut alice = opening(&server, "alice").home(&home).open();
    alice.keys_until("/join den\r", locked);
    seal(&mut alice);
}

#[test]
fn a_log_of_sealed_rooms_is_announced() {
    let server = Server::start();
    let notice = "log_sealed is on: what is said in sealed rooms is written, readable, to files in ";
    let mut alice = linear(opening(&server, "alice").argument("--log").argument("--log-sealed"));
    alice.see(notice);
    seal(&mut alice);
    alice.keys_until("the secret\r", "the secret");
    alice.keys("/quit\r");
    assert_eq!(alice.exit_code(), 0);
    let mut bob = opening(&server, "bob").argument("--log").argument("--log-sealed").open();
    bob.see(notice);
}

/// A client at a terminal, in the room "den".
#[track_caller]
fn in_the_den(server: &Server, name: &str) -> Terminal {
    let mut member = opening(server, name).open();
    member.keys_until("/join den\r", &format!("{name} in den"));
    member
}

#[test]
fn what_is_typed_behind_seal_is_never_sent() {
    let server = Server::start();
    let mut bob = linear(opening(&server, "bob"));
    for mut alice in [in_the_den(&server, "alice"), linear(opening(&server, "carol"))] {
        alice.keys_until("/seal correct horse\r", "nothing was sealed: what you typed behind /seal");
        alice.keys_until("that was all\r", "that was all");
        bob.see("that was all");
        assert_eq!(bob.count_written("correct horse"), 0, "{}", bob.screen());
        alice.keys("/quit\r");
        alice.exit_code();
    }
}

#[test]
fn a_refused_text_comes_back_with_up() {
    let server = Server::start();
    let home = sealed_before(&server);

    let mut alice = opening(&server, "alice").home(&home).open();
    alice.keys_until("/join den\r", "den is sealed here");
    alice.keys_until("a secret of ours\r", "Up brings your text back");
    alice.see_input("");
    alice.keys("\x1b[A");
    alice.see_input("a secret of ours");
    alice.keys("\x15");
    seal(&mut alice);
    alice.keys("\x1b[A");
    alice.see_input("/seal");
    alice.keys("\x1b[A");
    alice.see_input("a secret of ours");
    alice.keys_until("\r", "alice > a secret of ours");
    assert_eq!(server.log().matches("a secret").count(), 0);
}

#[test]
fn a_seal_that_the_server_refuses_is_undone() {
    let server = Server::start();
    let mut bob = linear(opening(&server, "bob"));
    bob.keys_until("readable\r", "readable");
    let mut alice = in_the_den(&server, "alice");
    alice.keys_until("/seal\r", "passphrase of den");
    alice.keys_until(&format!("{PASSPHRASE}\r"), "your key of den is given up");
    alice.see("only an operator may seal it");
    alice.keys("readable, too\r");
    bob.see("alice > readable, too");
}

/// Returns a passphrase in a text: six words, joined.
fn generated(text: &str) -> Option<String> {
    let word = text.split(|c: char| c != '-' && !c.is_alphabetic()).find(|word| word.matches('-').count() == 5);
    word.map(str::to_owned)
}

#[test]
fn a_generated_passphrase_is_shown_once_the_room_is_sealed() {
    let server = Server::start();
    let shown = "Its passphrase is";
    let mut bob = linear(opening(&server, "bob"));
    bob.keys_until("readable\r", "readable");
    let mut alice = in_the_den(&server, "alice");
    alice.keys_until("/seal\r", "passphrase of den");
    alice.keys_until("\r", "your key of den is given up");
    assert_eq!(generated(&alice.written()), None);

    alice.keys_until("/join nest\r", "alice in nest");
    alice.keys_until("/seal\r", "passphrase of nest");
    alice.keys_until("\r", shown);
    let passphrase = generated(&alice.screen()).expect("it is shown");

    bob.keys_until("/join nest\r", "nest is sealed by its members");
    // Random words open nothing that others have sealed.
    bob.keys_until("/seal\r", "passphrase of nest");
    bob.keys_until("\r", "enter its passphrase with /seal. To begin a new key");
    assert_eq!(bob.count_written(shown), 0, "{}", bob.written());
    bob.keys_until("/seal\r", "passphrase of nest");
    bob.keys_until(&format!("{passphrase}\r"), "nest is sealed under key");
    bob.keys_until("for members\r", "for members");
    alice.see("bob > for members");
}

#[test]
fn the_tutorial_dialect_says_why_nothing_is_sealed() {
    let server = Server::start();
    let why = "sealed messages need the event dialect";
    let mut alice = opening(&server, "alice").argument("--dialect").argument("tutorial").open();
    alice.keys_until("/seal\r", why);
    alice.see_input("");
    alice.see("join without `--dialect tutorial`");
    alice.keys_until("/quit\r", "");

    // A room that was sealed over the event dialect gets nothing readable over this one.
    let home = sealed_before(&server);
    let mut bob = linear(opening(&server, "bob"));
    let mut alice = opening(&server, "alice").argument("--dialect").argument("tutorial").home(&home).open();
    alice.keys_until("/join den\r", "you are in den; ");
    alice.keys_until("a secret\r", "Up brings your text back");
    alice.see_input("");
    alice.keys_until("/leave\r", "you are in lobby");
    alice.keys_until("/join den\r", "you are in den; ");
    bob.see("alice joined");
    assert_eq!(bob.count_written("a secret"), 0);
}

#[test]
fn a_weak_passphrase_is_warned_of_in_every_mode() {
    let server = Server::start();
    let weak = "den: this passphrase is weak";
    let mut alice = in_the_den(&server, "alice");
    alice.keys_until("/seal\r", "passphrase of den");
    alice.keys_until(&format!("{PASSPHRASE}\r"), weak);
    let home = Rc::new(Folder::new());
    for (file, passphrase, is_weak) in [("weak", PASSPHRASE, true), ("strong", "four words are not weak", false)] {
        home.write(file, passphrase);
        let seal = format!("den={}", home.join(file).display());
        let opening = || opening(&server, "bob").home(&home).argument("--seal").argument(&seal);
        for mut bob in [opening().argument("--linear").start(), opening().open()] {
            bob.see("connected to");
            assert_eq!(bob.count_written(weak) > 0, is_weak, "{}", bob.screen());
            bob.keys("/quit\r");
            bob.exit_code();
        }
    }
}
