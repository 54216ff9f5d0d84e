//! One client's messages of one room, across all its connections: each once, in order.

use std::collections::BTreeSet;

use crate::fault::Fault;

/// Progress of a client in a room.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    last: u64,
    /// Numbers at the end of the stream that came as answers to a repeated request: they may come once more in their place.
    answered: BTreeSet<u64>,
}

impl Stream {
    /// The newest number the client has, sent in `since`.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// A new connection begins after `last`: nothing earlier is sent again.
    pub(crate) fn reconnect(&mut self) {
        self.answered.clear();
    }

    /// Message number `seq` of `room` came to `by`. `is_answer` says that it answers a `send` that was made before (E4): the server
    /// then sends a message that was in the stream already, or is not yet.
    ///
    /// # Errors
    /// It came before, or something before it did not.
    pub(crate) fn take(&mut self, by: &str, room: &str, seq: u64, is_answer: bool) -> Result<(), Fault> {
        let (by, room, last) = (by.to_owned(), room.to_owned(), self.last);
        if seq == last + 1 {
            self.last = seq;
            if is_answer {
                self.answered.insert(seq);
            }
            Ok(())
        } else if is_answer || self.answered.remove(&seq) {
            Ok(())
        } else if seq <= last {
            Err(Fault::SeenTwice { by, room, seq, last })
        } else {
            Err(Fault::Hole { by, room, seq, last })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_once_and_in_order() {
        let mut stream = Stream::default();
        for seq in 1..5 {
            stream.take("bob", "den", seq, false).unwrap();
        }
        assert!(matches!(stream.take("bob", "den", 4, false), Err(Fault::SeenTwice { seq: 4, last: 4, .. })));
        assert!(matches!(stream.take("bob", "den", 1, false), Err(Fault::SeenTwice { .. })));
        assert!(matches!(stream.take("bob", "den", 6, false), Err(Fault::Hole { seq: 6, last: 4, .. })));
    }

    #[test]
    fn an_answer_may_come_beside_the_stream() {
        let mut stream = Stream::default();
        stream.take("bob", "den", 1, false).unwrap();
        // Before its place, in its place, and after it.
        stream.take("bob", "den", 3, true).unwrap();
        stream.take("bob", "den", 2, true).unwrap();
        stream.take("bob", "den", 2, false).unwrap();
        assert!(matches!(stream.take("bob", "den", 2, false), Err(Fault::SeenTwice { .. })));
        stream.take("bob", "den", 3, false).unwrap();
        stream.take("bob", "den", 1, true).unwrap();
        assert_eq!(stream.last(), 3);
    }
}
