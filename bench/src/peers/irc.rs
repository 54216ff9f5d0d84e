//! IRC: everybody joins one channel; the server does not send a message back to its sender.

use anyhow::Result;

use super::hop::line_bytes;
use super::{Peer, Role, Step, name_of};

const PRIVMSG: &[u8] = b"PRIVMSG ";

pub struct Irc;

impl Peer for Irc {
    fn hello(&self, member: usize, _role: Role, out: &mut Vec<u8>) {
        let name = name_of(member);
        out.extend_from_slice(format!("NICK {name}\r\nUSER {name} 0 * :{name}\r\nJOIN #lobby\r\n").as_bytes());
    }

    fn message(&mut self, _member: usize, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"PRIVMSG #lobby :");
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    }

    /// A line has at most 512 bytes, the prefix that the server adds included.
    fn longest_text_bytes(&self) -> usize {
        400
    }

    /// ngIRCd reads this much of a record; the rest waits in its TLS library until more arrives.
    fn longest_record_bytes(&self) -> Option<usize> {
        Some(2048)
    }

    fn scan(&self, bytes: &[u8]) -> Result<Step> {
        let Some(line) = line_bytes(bytes) else {
            return Ok(Step::More);
        };
        let command_at = bytes[..line].iter().position(|&byte| byte == b' ').map_or(line, |at| at + 1);
        Ok(Step::Record { bytes: line, delivery: bytes[command_at..].starts_with(PRIVMSG) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::hop::tests::count_with_every_cut;
    use super::*;

    #[test]
    fn counts_messages_between_other_lines() {
        let stream = b":bench.example.net 001 m1 :Welcome\r\n:m2!~m2@localhost JOIN :#lobby\r\n\
            :m2!~m2@localhost PRIVMSG #lobby :PRIVMSG here\r\nPING :bench.example.net\r\n\
            :m2!~m2@localhost PRIVMSG #lobby :\r\n";
        assert_eq!(count_with_every_cut(&Irc, stream), 2);
    }
}
