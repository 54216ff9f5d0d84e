use glassline_session::{Command, HistorySelection, SlashExecutor};

use super::*;
use glassline_wire::commands::{ArgumentKind, COMMANDS, CommandGroup, client_names};

fn client(line: &str) -> Result<ParsedLine, String> {
    parse_line(line, SlashExecutor::Client)
}

macro_rules! doing {
    ($command:expr) => {
        Ok(ParsedLine::Session($command))
    };
}

#[test]
fn lines_without_a_slash_and_with_two_are_text() {
    for who in [SlashExecutor::Client, SlashExecutor::Server, SlashExecutor::Nobody, SlashExecutor::Undecided] {
        assert_eq!(parse_line("hi /me", who), doing!(Command::Say("hi /me".into())));
        assert_eq!(parse_line("//quit", who), doing!(Command::Say("/quit".into())));
        for leave in ["/quit", "/exit", "/bye"] {
            assert_eq!(parse_line(leave, who), doing!(Command::Leave), "{who:?}");
        }
    }
}

#[test]
fn each_command_reads_its_arguments() {
    assert_eq!(client("/me waves  at all"), doing!(Command::Action("waves  at all".into())));
    let direct = Command::Direct { to: "bob".into(), text: "a\nb".into() };
    assert_eq!(client("/msg  bob  a\nb"), doing!(direct));
    assert_eq!(client("/reply ok"), Ok(ParsedLine::Reply("ok".into())));
    assert_eq!(client("/nick al"), doing!(Command::Rename("al".into())));
    assert_eq!(client("/who"), doing!(Command::Members(None)));
    assert_eq!(client("/names den"), doing!(Command::Members(Some("den".into()))));
    assert_eq!(client("/join den"), doing!(Command::Join("den".into())));
    assert_eq!(client("/leave"), doing!(Command::LeaveRoom(None)));
    assert_eq!(client("/clear"), Ok(ParsedLine::Clear));
    for (line, range) in [
        ("/history", HistorySelection::Latest(20)),
        ("/history 200", HistorySelection::Latest(200)),
        ("/history around  7", HistorySelection::Around(7)),
        ("/history around #7", HistorySelection::Around(7)),
    ] {
        assert_eq!(client(line), doing!(Command::History(range)), "{line}");
    }
    assert_eq!(client("/search a  b"), doing!(Command::Search("a  b".into())));
    assert_eq!(client("/older"), doing!(Command::Older));
}

#[test]
fn an_operators_line_goes_to_the_server_without_its_slash() {
    let operates = |line: &str, sent: &str| assert_eq!(client(line), doing!(Command::Operate(sent.into())), "{line}");
    operates("/op secret word", "op secret word");
    operates("/ban  192.0.2.0/24 2h  too loud ", "ban 192.0.2.0/24 2h  too loud");
    operates("/motd", "motd");
    operates("/motd two\nlines", "motd two\nlines");
    operates("/roster", "roster");
    assert_eq!(parse_line("/op secret", SlashExecutor::Server), doing!(Command::ServerLine("/op secret".into())));
    for who in [SlashExecutor::Nobody, SlashExecutor::Undecided] {
        assert!(parse_line("/op secret", who).is_err_and(|notice| !notice.contains("secret")), "{who:?}");
    }
    assert!(parse_line(" /op secret", SlashExecutor::Client).is_err_and(|notice| !notice.contains("secret")));
}

#[test]
fn wrong_arguments_show_the_usage() {
    for (line, usage) in [
        ("/me", "usage: /me TEXT"),
        ("/msg bob", "usage: /msg NAME TEXT"),
        ("/msg", "usage: /msg NAME TEXT"),
        ("/nick a b", "usage: /nick NAME"),
        ("/names a b", "usage: /names [ROOM]"),
        ("/quit now", "usage: /quit"),
        ("/history 0", "usage: /history [N|around NUMBER]"),
        ("/history 201", "usage: /history [N|around NUMBER]"),
        ("/history around", "usage: /history [N|around NUMBER]"),
        ("/history around7", "usage: /history [N|around NUMBER]"),
        ("/search", "usage: /search TEXT"),
        ("/older 5", "usage: /older"),
        ("/qr x", "usage: /qr [NUMBER]"),
        ("/op", "usage: /op TOKEN"),
        ("/ban", "usage: /ban WHO [FOR] [REASON]"),
        ("/freeze now", "usage: /freeze"),
    ] {
        let notice = client(line).expect_err(line);
        assert!(notice.starts_with(&format!("{usage}: ")), "what it does stands behind it: {line}: {notice}");
    }
    for line in ["/history 500", "/history 0", "/history den"] {
        let notice = client(line).expect_err(line);
        assert!(notice.contains("1 to 200") && notice.contains("the room you are in"), "{notice}");
    }
}

#[test]
fn help_of_what_there_is_not_says_so() {
    let notice = |line: &str, who| parse_line(line, who).expect_err("there is none");
    let nope = notice("/help xyz", SlashExecutor::Client);
    assert_eq!(nope, "there is no command /xyz; /help lists them");
    assert_eq!(notice("/help /nmaes", SlashExecutor::Client), "there is no command /nmaes; did you mean /names?");
    assert!(!notice("/help \u{1b}[6n", SlashExecutor::Client).contains('\u{1b}'));
    for line in ["/help names", "/help operators"] {
        assert!(notice(line, SlashExecutor::Nobody).starts_with("this server has no commands"), "{line}");
    }
}

#[test]
fn an_unknown_command_is_an_error_that_names_the_nearest() {
    let error = client("/nmaes").expect_err("unknown");
    assert!(error.contains("/names?") && error.contains("//nmaes"), "{error}");
    let error = client("/etc/passwd\nx").expect_err("unknown");
    assert!(error.contains("/help"), "{error}");
    assert!(!client("/\u{1b}[6n").expect_err("unknown").contains('\u{1b}'));
}

#[test]
fn a_server_with_commands_gets_them_and_another_one_never_does() {
    for line in ["/help nick", "/names", "/dance x", "/nick a b"] {
        assert_eq!(parse_line(line, SlashExecutor::Server), doing!(Command::ServerLine(line.into())));
    }
    let Ok(ParsedLine::Session(Command::Help(own))) = parse_line("/help", SlashExecutor::Server) else {
        panic!("both")
    };
    assert!(own.contains("/bell") && !own.contains("/names"), "what the server does is the server's to say: {own}");
    assert!(matches!(parse_line("/help bell", SlashExecutor::Server), Ok(ParsedLine::Help(_))));
    for line in ["/names", "/dance"] {
        assert!(parse_line(line, SlashExecutor::Nobody).is_err(), "{line}");
    }
    let Ok(ParsedLine::Help(lines)) = parse_line("/help", SlashExecutor::Nobody) else { panic!("help") };
    assert!(lines.iter().all(|line| !line.contains("/names")), "{lines:?}");
}

#[test]
fn help_shows_every_command() {
    let Ok(ParsedLine::Help(blocks)) = client("/help all") else { panic!("help") };
    let mut lines: Vec<String> = blocks.iter().flat_map(|block| block.lines()).map(str::to_owned).collect();
    assert!(!lines.iter().any(|line| line.trim_start().starts_with("/kick")), "few are operators: {lines:?}");
    let Ok(ParsedLine::Help(of_operators)) = client("/help operators") else { panic!("help") };
    lines.extend(of_operators[0].lines().map(str::to_owned));
    for command in COMMANDS {
        assert!(
            lines.iter().any(|line| line.trim_start().starts_with(&format!("/{}", command.name))),
            "{}",
            command.name
        );
    }
    assert_eq!(client("/help /who"), client("/help names"));
    assert_eq!(client("/help keys"), Ok(ParsedLine::Keys));
}

#[test]
fn help_fits_a_small_screen_and_names_every_command() {
    let Ok(ParsedLine::Help(blocks)) = client("/help") else { panic!("help") };
    let [block] = &blocks[..] else { panic!("one block: {blocks:?}") };
    let rows: Vec<&str> = block.lines().collect();
    // Of 24 rows of 80 columns the input and the status take two, a time and a mark eight columns.
    assert!(rows.len() <= 21 && rows.iter().all(|row| row.chars().count() <= 72), "{block}");
    for command in COMMANDS.iter().filter(|command| command.group != CommandGroup::Operators) {
        assert!(block.contains(&format!("/{}", command.name)), "{} in {block}", command.name);
    }
    let explained = rows.iter().filter(|row| row.starts_with('/') && !row.starts_with("/help"));
    let columns: Vec<usize> = explained.map(|row| row.len() - row[28..].trim_start().len()).collect();
    assert!(columns.len() > 10 && columns.iter().all(|&column| column == 28), "{block}");
    let Ok(ParsedLine::Help(blocks)) = client("/help all") else { panic!("help") };
    for block in &blocks {
        assert!(block.lines().count() < 40 && block.lines().all(|row| row.chars().count() <= 72), "{block}");
    }
}

#[test]
fn what_users_of_irc_type_publishes_nothing_private() {
    for line in ["/query bob a secret", "/w bob a secret"] {
        let direct = Command::Direct { to: "bob".into(), text: "a secret".into() };
        assert_eq!(client(line), doing!(direct), "{line}");
        let sent = "/msg bob a secret".to_owned();
        assert_eq!(parse_line(line, SlashExecutor::Server), doing!(Command::ServerLine(sent)), "{line}");
    }
    assert_eq!(client("/w bob"), doing!(Command::Whois("bob".into())));
    assert!(client("/query bob").is_err_and(|notice| notice.contains("/msg NAME TEXT")));
    assert_eq!(client("/j den"), doing!(Command::Join("den".into())));
    assert_eq!(client("/part"), doing!(Command::LeaveRoom(None)));
    assert_eq!(client("/list"), doing!(Command::Rooms));
    assert_eq!(parse_line("/j den", SlashExecutor::Server), doing!(Command::ServerLine("/join den".into())));
    for line in
        ["/m bob a secret", "/ms bob a secret", "/mg bob a secret", "/wh bob", "/ e", "/ma", "/em x", "/whisper bob x"]
    {
        for who in [SlashExecutor::Client, SlashExecutor::Nobody, SlashExecutor::Undecided] {
            let notice = parse_line(line, who).expect_err(line);
            assert!(!notice.contains("/me?"), "{line}: {notice}");
        }
    }
    for name in client_names().chain(["dance", "m", "secret"]).filter(|name| !["quit", "exit", "bye"].contains(name)) {
        for args in ["", " bob", " bob a secret"] {
            for who in [SlashExecutor::Nobody, SlashExecutor::Undecided] {
                let meaning = parse_line(&format!("/{name}{args}"), who);
                assert!(
                    !matches!(meaning, Ok(ParsedLine::Session(_))),
                    "a server without commands gets nothing: /{name}{args}"
                );
            }
        }
    }
}

#[test]
fn the_table_agrees_with_itself() {
    let names: Vec<&str> = client_names().collect();
    for (at, name) in names.iter().enumerate() {
        assert!(!names[..at].contains(name), "{name} twice");
    }
    for command in COMMANDS {
        for argument in command.arguments {
            let ArgumentKind::Choice(choices) = argument else { continue };
            for choice in *choices {
                assert!(
                    client(&format!("/{} {choice}", command.name)).is_ok(),
                    "/{} does not take {choice}",
                    command.name
                );
            }
        }
    }
}

#[test]
fn a_command_behind_a_space_is_not_published() {
    for who in [SlashExecutor::Client, SlashExecutor::Server, SlashExecutor::Nobody] {
        assert!(parse_line(" /msg bob secret", who).is_err_and(|notice| notice.contains("space")));
    }
    assert_eq!(client(" / is the root"), doing!(Command::Say(" / is the root".into())));
    assert_eq!(client(" /tmp is full"), doing!(Command::Say(" /tmp is full".into())));
}

#[test]
fn a_hidden_command_is_not_published() {
    use SlashExecutor::{Client, Nobody, Server, Undecided};
    let hidden = [
        "\u{feff}/msg bob secret",
        "\u{200b} /op secret",
        "／msg bob secret",
        "/\u{2060}msg bob secret",
        "\u{a0}/mgs bob secret",
    ];
    for line in hidden {
        for who in [Client, Server, Nobody, Undecided] {
            let notice = parse_line(line, who).expect_err(line);
            assert!(notice.contains("write `//") && !notice.contains("secret"), "{notice}");
        }
        assert!(!is_storable(line), "{line}");
    }
    assert!(client(hidden[0]).is_err_and(|notice| notice.contains("U+FEFF")));
    assert!(client(hidden[2]).is_err_and(|notice| notice.contains("U+FF0F") && notice.contains("looks like a slash")));
    assert!(is_secret("\u{200b} /op secret") && is_secret("／op secret") && !is_secret("opus"));
    assert_eq!(concealed("\u{feff}/op a", 0).0, "\u{feff}/op •");
    assert!(is_storable("ノート") && is_storable("／(^o^)＼"));
    for text in ["❤\u{fe0f} hi", "\u{200f}مرحبا", "\u{feff}hi", "//msg is a command", "ノート"] {
        let said = text.strip_prefix('/').unwrap_or(text);
        assert_eq!(client(text), doing!(Command::Say(said.into())), "{text}");
    }
}

#[test]
fn a_private_line_within_a_text_is_not_published() {
    for text in ["hi\n/msg bob secret", "hi\n\u{200b}/op secret", "//x\n /reply secret", "/me waves\n／r secret"] {
        assert!(client(text).is_err_and(|notice| notice.contains("line 2") && !notice.contains("secret")), "{text}");
        assert!(!is_storable(text), "{text}");
    }
    assert!(client("hi\n/tmp is full\n/join den").is_ok() && client("/msg bob a\n/msg carl b").is_ok());
}

// A name that resembles none gets no suggestion.
#[test]
fn unknown_commands_get_a_suggestion_only_if_one_resembles() {
    let guessed = |line: &str| client(line).expect_err("there is no such command");
    for (line, meant) in [
        ("/jo den", "/join"),
        ("/q", "/quit"),
        ("/m bob x", "/msg"),
        ("/whios bob", "/whois"),
        ("/awy", "/away"),
        ("/QUIT", "/quit"),
        ("/Hepl", "/help"),
    ] {
        assert!(guessed(line).contains(&format!("did you mean {meant}?")), "{}", guessed(line));
    }
    for line in ["/x", "/foo", "/zz", "/"] {
        assert!(guessed(line).contains("/help lists"), "{}", guessed(line));
    }
}
