//! Rules in their written forms.

use proptest::prelude::*;
use serde_json::json;
use strum::VariantNames as _;

use super::*;
use crate::faults::Pace;
use crate::frame::{Dialect, Direction};
use crate::line::End;

fn rule(line: &str) -> Rule {
    line.parse().unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[track_caller]
fn fault(line: &str) -> String {
    line.parse::<Rule>().expect_err(line).to_string()
}

fn in_file(rules: &str) -> Vec<Rule> {
    RuleFile::parse(rules).unwrap_or_else(|error| panic!("{rules}: {error}")).rules
}

/// Each action in one line, in a file, and in code.
fn actions() -> Vec<(&'static str, &'static str, Action)> {
    let set = |field: &str, value| Edit::Set { field: field.into(), value };
    let replace = Edit::Replace { field: "text".into(), old: "a b".into(), new: "c".into() };
    let notice =
        Content::Event(json!({"type": "notice", "text": "1", "seq": 1}).as_object().cloned().unwrap_or_default());
    let pair = Content::Pair { name: "eve".into(), text: "hi".into() };
    let postponement = |frames, at_most_us| Postponement { frames, at_most_us };
    vec![
        ("drop", "action = 'drop'", Action::Drop),
        (
            "delay by=50ms jitter=20us",
            "action = 'delay'\nby = '50ms'\njitter = '20us'",
            Action::Delay { delay_us: 50_000, jitter_us: 20 },
        ),
        ("duplicate copies=2", "action = 'duplicate'\ncopies = 2", Action::Duplicate { copies: 2 }),
        (
            "reorder after=3 within=2s",
            "action = 'reorder'\nafter = 3\nwithin = '2s'",
            Action::Reorder(postponement(3, 2_000_000)),
        ),
        ("replay", "action = 'replay'", Action::Replay(postponement(1, 1_000_000))),
        (
            "cut end=reset at=5",
            "action = 'cut'\nend = 'reset'\nat = 5",
            Action::Cut { end: End::Reset, after_bytes: 5 },
        ),
        (
            "stall for=1m both=true",
            "action = 'stall'\nfor = '1m'\nboth = true",
            Action::Stall { duration_us: 60_000_000, both_directions: true },
        ),
        (
            "slice bytes=3 pause=10ms",
            "action = 'slice'\nbytes = 3\npause = '10ms'",
            Action::Slice(Pace { slice_bytes: 3, pause_us: 10_000 }),
        ),
        ("throttle rate=400", "action = 'throttle'\nrate = 400", Action::Throttle { bytes_per_s: 400 }),
        ("flip", "action = 'flip'", Action::FlipBit { bit: None }),
        ("flip bit=80", "action = 'flip'\nbit = 80", Action::FlipBit { bit: Some(80) }),
        (
            "edit set.text=5 set.seq=5 replace.text='a b=>c'",
            "action = 'edit'\nset.text = '5'\nset.seq = 5\nreplace.text = ['a b', 'c']",
            Action::Edit(vec![set("text", json!("5")), set("seq", json!(5)), replace]),
        ),
        (
            "edit add.action=true",
            "action = 'edit'\n[rule.add]\naction = true",
            Action::Edit(vec![Edit::Add { field: "action".into(), value: json!(true) }]),
        ),
        (r#"send raw="\x00\n""#, "action = 'send'\nraw = \"\\u0000\\n\"", Action::Send(Content::Raw(vec![0, 10]))),
        ("send hex='16 03'", "action = 'send'\nhex = '1603'", Action::Send(Content::Raw(vec![0x16, 3]))),
        (
            "inject payload=hi back=true",
            "action = 'inject'\npayload = 'hi'\nback = true",
            Action::Inject(Injection { content: Content::Payload(b"hi".to_vec()), backwards: true, before: false }),
        ),
        (
            "inject where=before event.type=notice event.text=1 event.seq=1",
            "action = 'inject'\nwhere = 'before'\nevent = { type = 'notice', text = '1', seq = 1 }",
            Action::Inject(Injection { content: notice.clone(), backwards: false, before: true }),
        ),
        (
            r#"send event='{"type":"notice","text":"1","seq":1}'"#,
            "action = 'send'\nevent = { type = 'notice', text = '1', seq = 1 }",
            Action::Send(notice),
        ),
        (
            "send pair.name=eve pair.text=hi",
            "action = 'send'\npair = { name = 'eve', text = 'hi' }",
            Action::Send(pair),
        ),
        (
            "impersonate as=carol say='yes, I do'",
            "action = 'impersonate'\nas = 'carol'\nsay = 'yes, I do'",
            Action::Impersonate { name: "carol".into(), text: Some("yes, I do".into()) },
        ),
        ("downgrade", "action = 'downgrade'", Action::Downgrade),
        ("hold", "action = 'hold'", Action::Hold { timeout_us: 60_000_000 }),
        (
            "hook command='python3 hook.py' timeout=2s",
            "action = 'hook'\ncommand = ['python3', 'hook.py']\ntimeout = '2s'",
            Action::Hook { command: vec!["python3".into(), "hook.py".into()], timeout_us: 2_000_000 },
        ),
    ]
}

#[test]
fn every_action_is_the_same_in_a_line_a_file_and_code() {
    let mut names = std::collections::BTreeSet::new();
    for (line, file, action) in actions() {
        names.insert(action.name());
        let expected = Rule::new(Matcher::default(), action);
        assert_eq!(rule(line), expected, "{line}");
        assert_eq!(in_file(&format!("[[rule]]\n{file}")), [expected], "{file}");
    }
    assert_eq!(names, ActionKind::VARIANTS.iter().copied().collect());
}

#[test]
fn conditions_are_the_same_in_a_line_and_a_file() {
    let matcher = Matcher {
        direction: Some(Direction::ToServer),
        connection: Some(Range::only(2)),
        frame: Some(Range { least: 3, most: 5 }),
        size: Some(Range { least: 100, most: u64::MAX }),
        dialect: Some(Dialect::Tutorial),
        kind: Some("text".into()),
        name: Some("bob the builder".into()),
        name_contains: Some("bo".into()),
        room: Some("den".into()),
        text: None,
        text_contains: Some("\"secret\"".into()),
    };
    let expected = Rule::new(matcher, Action::Drop).labelled("mine").with_probability(0.25).at_most(4);
    let line = r#"drop label=mine to=server connection=2 frame=3-5 size=100- dialect=tutorial kind=text
        name="bob the builder" name~bo room=den text~"\"secret\"" p=0.25 count=4"#;
    assert_eq!(rule(line), expected);
    let file = r#"
        seed = 18446744073709551615
        [[rule]]
        label = "mine"
        action = "drop"
        to = "server"
        connection = 2
        frame = "3-5"
        size = "100-"
        dialect = "tutorial"
        kind = "text"
        name = "bob the builder"
        name_contains = "bo"
        room = "den"
        text_contains = '"secret"'
        p = 0.25
        count = 4
    "#;
    let file = RuleFile::parse(file).expect("a good file");
    assert_eq!((file.seed, file.rules), (Some(u64::MAX), vec![expected]));
    assert_eq!(RuleFile::parse(""), Ok(RuleFile::default()));
}

#[test]
fn a_fault_in_a_line_has_its_place_and_a_next_step() {
    for (line, expected) in [
        ("", "character 1 of the rule: a rule begins with its action, such as `drop to=server`"),
        ("to=server", "character 1 of the rule: a rule begins with its action, such as `drop to=server`"),
        ("dorp", "character 1 of the rule: there is no action \"dorp\"; did you mean drop?"),
        ("drop to=up", "character 6 of the rule: to cannot be \"up\"; write server or client"),
        ("drop name=éé p=2", "character 14 of the rule: p cannot be \"2\"; write a number from 0 to 1"),
        ("drop txt=1 p=2", "character 6 of the rule: there is no key \"txt\"; did you mean text?"),
        ("drop p=2", "character 6 of the rule: p cannot be \"2\"; write a number from 0 to 1"),
        ("drop p=NaN", "character 6 of the rule: p cannot be \"NaN\"; write a number from 0 to 1"),
        ("drop bob", "character 6 of the rule: \"bob\" has no value; write it as key=value, such as to=server"),
        ("drop room~x", "character 6 of the rule: room~ is unknown; ~ finds a part of name or text"),
        ("drop p=1 p=0", "character 10 of the rule: p is there twice; leave one"),
        ("drop kind=mesage", "character 6 of the rule: there is no kind of frame \"mesage\"; did you mean message?"),
        ("drop frame=5-3", "write a number or a range, such as 3, 3-5, 3- or -5"),
        ("drop text=\"a", "character 11 of the rule: the quote \" is not closed; write another one at its end"),
        ("drop text=\"\\q\"", "character 12 of the rule: this escape is unknown; write \\n,"),
        ("delay", "character 1 of the rule: delay needs its time, such as by=50ms"),
        ("delay bye=50ms", "character 7 of the rule: there is no key \"bye\"; did you mean by?"),
        ("delay by=50", "by cannot be \"50\"; write a time of at most an hour with its unit, such as 200us"),
        ("delay by=2h", "by cannot be \"2h\"; write a time of at most an hour"),
        ("delay by=61m", "by cannot be \"61m\"; write a time of at most an hour"),
        ("throttle rate=0", "rate cannot be \"0\"; write a number from 1 to 18446744073709551615"),
        ("edit", "edit needs a change, such as set.text="),
        ("edit replace.text=a", "replace.text cannot be \"a\"; write the old words, =>"),
        ("send", "send needs what to send: raw, hex, payload, event.type or pair.name"),
        ("send raw=a hex=00", "send takes one of raw, hex, payload, event and pair; leave one"),
        ("send hex=0", "hex cannot be \"0\"; write two hexadecimal digits for each byte"),
        ("send event=[]", "event cannot be \"[]\"; write a JSON object"),
        ("inject pair.name=x", "a pair needs pair.name and pair.text"),
        ("impersonate", "impersonate needs a name, such as as=alice"),
        ("hook", "hook needs a program"),
        ("drop label=\"\\x1b[2J\"", "write a name without control characters"),
    ] {
        let what = fault(line);
        assert!(what.contains(expected), "{line}: {what}");
        assert!(!what.contains('\x1b'), "{what:?}");
    }
}

#[test]
fn a_fault_in_a_file_has_its_line() {
    for (text, expected) in [
        ("seed = -1", "line 1: seed is a number from 0 on"),
        ("sed = 1", "line 1: there is no key \"sed\"; did you mean seed?"),
        ("\nrule = 1", "line 2: rules are tables; begin each with [[rule]]"),
        ("rule = [1]", "line 1: rules are tables; begin each with [[rule]]"),
        ("[[rule]]\nto = \"server\"", "line 1: a rule needs its action, such as action = \"drop\""),
        ("[[rule]]\naction = \"drop\"\nto = \"up\"", "line 3: to cannot be \"up\"; write server or client"),
        ("[[rule]]\naction = \"dropp\"", "line 2: there is no action \"dropp\"; did you mean drop?"),
        ("[[rule]]\naction = 'delay'\nby = 5", "line 3: by cannot be 5; write a time"),
        ("[[rule]]\naction = 'drop'\nset.text = 'x'", "line 3: there is no key \"set.text\"; write one of"),
        (
            "[[rule]]\naction = 'edit'\n[rule.replace]\ntext = 'x'",
            "line 4: replace.text cannot be \"x\"; write the old",
        ),
        ("a = ", "line 1: this is no TOML"),
        ("# changes\n[[rule]]\naction = \"edit\"", "line 3: edit needs a change"),
    ] {
        let what = RuleFile::parse(text).expect_err(text).to_string();
        assert!(what.starts_with(expected), "{text}: {what}");
    }
}

#[test]
fn rules_without_a_label_get_one() {
    let drop = || Rule::new(Matcher::default(), Action::Drop);
    let set = RuleSet::new(1, vec![drop(), drop(), drop().labelled("mine")]).expect("labels differ");
    let labels: Vec<_> = set.rules().iter().map(|rule| rule.label.clone()).collect();
    assert_eq!(labels, ["drop-1", "drop-2", "mine"]);
    assert_eq!(set.without("drop-1").rules()[0].label, "drop-2");
    let twice = RuleSet::new(1, vec![drop().labelled("a"), drop().labelled("a")]);
    assert_eq!(twice, Err(DuplicateLabel("a".into())));
}

#[test]
fn the_page_shows_rules_that_can_be_read() {
    let page = include_str!("../../../../docs/tap-rules.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let file = RuleFile::parse(example).expect("the example is right");
    let lines: Vec<Rule> = page
        .split("--rule '")
        .skip(1)
        .filter_map(|rest| rest.split("' ").next().or(Some(rest)))
        .map(|line| rule(line.split('\'').next().unwrap_or_default()))
        .collect();
    assert_eq!((file.rules.len(), file.seed), (2, Some(7)));
    let actions = |rules: &[Rule]| rules.iter().map(|rule| rule.action.clone()).collect::<Vec<_>>();
    assert_eq!(actions(&lines), actions(&file.rules));
    for action in ActionKind::VARIANTS {
        assert!(page.contains(&format!("\n| `{action}` | ")), "{action} is not in the table");
    }
    let error = "drop zzzz=1".parse::<Rule>().expect_err("no such key").to_string();
    for key in error.split("write one of ").nth(1).expect("the keys").split(", ") {
        assert!(page.contains(&format!("`{key}`")), "{key} is not on the page");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in "[ -~\\n\u{e9}]{0,60}", words in "(drop|edit|send|flip) [a-z.]{1,9}[=~][\"'\\\\x0-9a]{0,9}") {
        for text in [&text, &words] {
            if let Err(error) = text.parse::<Rule>() {
                prop_assert!(error.to_string().starts_with("character "));
            }
            let _ = RuleFile::parse(text);
            let _ = RuleFile::parse(&format!("[[rule]]\naction = 'edit'\n{text}"));
        }
    }
}
