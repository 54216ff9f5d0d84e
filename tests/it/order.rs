//! A hundred members, a hundred senders (T5, E4): everybody sees everybody else's messages, once, in one order.

use std::thread;

use crate::harness::{EventClient, Server, Tutorial};

const MEMBERS: usize = 100;

/// Sender and number of a message.
type Seen = Vec<(usize, usize)>;

fn parse(from: &str, text: &str) -> (usize, usize) {
    let sender = from.strip_prefix('m').and_then(|n| n.parse().ok()).expect("a member's name");
    (sender, text.parse().expect("a number"))
}

enum Member {
    Tutorial(Tutorial),
    Event(EventClient),
}

impl Member {
    fn join(server: &Server, n: usize, speaks_events: bool) -> Self {
        let name = format!("m{n}");
        if speaks_events {
            Self::Event(EventClient::join(server.address, &name))
        } else {
            Self::Tutorial(Tutorial::join(server.address, &name))
        }
    }

    /// Sends its messages, a few at a time, and reads what comes in between and after, until it has seen `count`.
    fn converse(&mut self, messages_each: usize, count: usize) -> Seen {
        let mut seen = Seen::new();
        for n in 0..messages_each {
            match self {
                Self::Tutorial(client) => client.say(n.to_string()),
                Self::Event(client) => client.say(&n.to_string()),
            }
            // One in, one out: all senders are in the middle of sending for as long as they can be.
            if seen.len() < count {
                seen.push(self.next());
            }
        }
        while seen.len() < count {
            seen.push(self.next());
        }
        seen
    }

    fn next(&mut self) -> (usize, usize) {
        match self {
            Self::Tutorial(client) => {
                let pair = client.said();
                parse(&pair.from, &pair.text)
            }
            Self::Event(client) => {
                let message = client.expect("message");
                parse(message["from"].as_str().expect("a name"), message["text"].as_str().expect("a text"))
            }
        }
    }

    /// Returns whether any message came after everything that was expected.
    fn has_received_more(&mut self) -> bool {
        match self {
            Self::Tutorial(client) => client.barrier().iter().any(|pair| !pair.is_word()),
            Self::Event(client) => client.barrier().iter().any(|event| event["type"] == "message"),
        }
    }
}

/// Every member sends `messages_each`; every n-th uses the event dialect.
fn everybody_talks(messages_each: usize, speaks_events: fn(usize) -> bool) {
    let server = Server::start();
    // One that sends nothing receives everything, with its numbers.
    let mut witness = EventClient::join(server.address, "witness");
    let all = MEMBERS * messages_each;
    let mut members: Vec<Member> = (0..MEMBERS).map(|n| Member::join(&server, n, speaks_events(n))).collect();
    let (order, seen) = thread::scope(|scope| {
        let conversations: Vec<_> = members
            .iter_mut()
            .enumerate()
            .map(|(n, member)| {
                // An event member receives its own messages too: they are its acknowledgements.
                let count = if speaks_events(n) { all } else { all - messages_each };
                scope.spawn(move || member.converse(messages_each, count))
            })
            .collect();
        let order: Seen = (1..=all)
            .map(|seq| {
                let message = witness.expect("message");
                assert_eq!(message["seq"], seq);
                parse(message["from"].as_str().expect("a name"), message["text"].as_str().expect("a text"))
            })
            .collect();
        let seen: Vec<Seen> = conversations.into_iter().map(|thread| thread.join().expect("saw all")).collect();
        (order, seen)
    });
    for sender in 0..MEMBERS {
        let own = order.iter().filter(|&&(from, _)| from == sender).map(|&(_, n)| n);
        assert!(own.eq(0..messages_each), "the messages of m{sender}, each once, in the order they were sent");
    }
    for (n, seen) in seen.iter().enumerate() {
        let expected = order.iter().filter(|&&(from, _)| speaks_events(n) || from != n);
        assert!(seen.iter().eq(expected), "m{n} saw another order");
        assert!(!members[n].has_received_more(), "m{n} saw something twice");
    }
}

#[test]
fn a_hundred_tutorial_members_see_one_order() {
    everybody_talks(50, |_| false);
}

#[test]
fn a_hundred_members_of_both_dialects_see_one_order() {
    everybody_talks(20, |n| n % 2 == 0);
}
