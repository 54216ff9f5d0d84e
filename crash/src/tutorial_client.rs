//! An author of the tutorial dialect: its messages have no ids and no acknowledgement, but numbers like all others.

use std::time::Instant;

use glassline_testkit::frame;

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::peer::Peer;
use crate::script::TUTORIAL_AUTHOR;

/// The server's own name (T9).
const SERVER: &str = "*";

/// Most messages sent at once; then it waits until it receives one.
const BURST: u32 = 4;

/// A sender sends so many while this author sends one.
const SENDER_MESSAGES: u32 = 8;

/// The author, which receives from the others of its room as well.
#[derive(Debug)]
pub(crate) struct TutorialClient {
    name: String,
    /// The frame with the name, when the text is still to come.
    from: Option<String>,
    is_in: bool,
    opened_at: Instant,
    budget: u32,
    /// The newest count received of each author: pairs come in order, and none again.
    received: Vec<Option<u32>>,
    burst: u32,
}

impl TutorialClient {
    /// The script's last author.
    pub(crate) fn new(ledger: &Ledger) -> Self {
        let authors = ledger.script().authors();
        Self {
            name: authors[TUTORIAL_AUTHOR].name.clone(),
            from: None,
            is_in: false,
            opened_at: Instant::now(),
            budget: 0,
            received: vec![None; authors.len()],
            burst: 0,
        }
    }
}

impl Peer for TutorialClient {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&mut self, _ledger: &mut Ledger, out: &mut Vec<u8>) {
        self.from = None;
        self.is_in = false;
        self.burst = BURST;
        self.opened_at = Instant::now();
        frame::put(out, &self.name);
    }

    fn take(&mut self, payload: &[u8], ledger: &mut Ledger, _out: &mut Vec<u8>) -> Result<(), Fault> {
        let payload = String::from_utf8(payload.to_vec())
            .map_err(|_| Fault::malformed(&self.name, "a frame that is not UTF-8"))?;
        let Some(from) = self.from.take() else {
            self.from = Some(payload);
            return Ok(());
        };
        // The server's first pair shows that it is logged in.
        self.is_in = true;
        self.burst = BURST;
        if from == SERVER {
            return Ok(());
        }
        let (author, count) = ledger.observe_pair(&self.name, &from, &payload)?;
        let received = &mut self.received[author];
        if author == TUTORIAL_AUTHOR || received.is_some_and(|received| received >= count) {
            let answer = format!("#{count} of {from}, which it said itself or heard before");
            return Err(Fault::Stray { by: self.name.clone(), answer });
        }
        *received = Some(count);
        Ok(())
    }

    fn prepare(&mut self, budget: u32) {
        self.budget = budget / SENDER_MESSAGES;
    }

    fn is_done(&self) -> bool {
        self.is_in
    }

    fn work(&mut self, ledger: &mut Ledger, out: &mut Vec<u8>) {
        while self.is_in && self.budget > 0 && self.burst > 0 {
            self.budget -= 1;
            self.burst -= 1;
            let count = ledger.say(TUTORIAL_AUTHOR);
            frame::put(out, ledger.script().text(TUTORIAL_AUTHOR, count));
        }
    }

    fn waits_for(&self) -> Option<(&'static str, Instant)> {
        (!self.is_in).then_some(("its first pair", self.opened_at))
    }
}
