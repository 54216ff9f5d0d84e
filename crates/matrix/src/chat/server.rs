//! The server's side of the chat, with the members that are connected beyond the attacker's reach.

use std::collections::BTreeMap;

use glassline_wire::link::IdentityKey;

use super::ROOM;
use crate::random::Random;
use crate::seal::{Body, Posted, Received, Voice};

/// Evidence by which the server knows the owner of a name in use again.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) token: String,
    pub(crate) key: Option<IdentityKey>,
}

/// Member that hears everything the server delivers.
#[derive(Debug)]
struct Listener {
    name: String,
    voice: Box<dyn Voice>,
    received: Vec<Received>,
}

/// Rooms, accounts and the history of a server.
#[derive(Debug)]
pub(crate) struct Server {
    accounts: BTreeMap<String, Account>,
    history: Vec<Posted>,
    listeners: Vec<Listener>,
    random: Random,
}

impl Server {
    pub(crate) fn new(random: Random) -> Self {
        Self { accounts: BTreeMap::new(), history: Vec::new(), listeners: Vec::new(), random }
    }

    /// Returns where the ids of a new connection begin.
    pub(crate) fn first_id(&mut self) -> u128 {
        u128::from(self.random.next_u64()) << 64
    }

    /// Lets a member in that hears everything from now on.
    pub(crate) fn add_listener(&mut self, name: &str, voice: Box<dyn Voice>) {
        self.listeners.push(Listener { name: name.to_owned(), voice, received: Vec::new() });
    }

    /// Logs a member in, and returns its account; `None` where somebody else has the name now. As in
    /// the real server, a name belongs to whoever is connected under it, and a token or the same key
    /// takes it over.
    pub(crate) fn log_in(&mut self, name: &str, token: Option<&str>, key: Option<IdentityKey>) -> Option<Account> {
        if let Some(account) = self.accounts.get(name) {
            let is_owner = token == Some(account.token.as_str()) || (key.is_some() && account.key == key);
            return is_owner.then(|| account.clone());
        }
        let account = Account { token: self.random.word(), key };
        self.accounts.insert(name.to_owned(), account.clone());
        Some(account)
    }

    /// Gives a name back.
    pub(crate) fn log_out(&mut self, name: &str) {
        self.accounts.remove(name);
    }

    /// Stores a message of `from` and delivers it to everybody else.
    pub(crate) fn post(&mut self, from: &str, id: &str, body: Body) -> Posted {
        let number = self.history.len() as u64 + 1;
        let posted = Posted { number, room: ROOM.to_owned(), id: id.to_owned(), from: from.to_owned(), body };
        self.history.push(posted.clone());
        self.deliver(&posted);
        posted
    }

    /// The newest message.
    pub(crate) fn newest(&self) -> Option<&Posted> {
        self.history.last()
    }

    fn deliver(&mut self, posted: &Posted) {
        for listener in self.listeners.iter_mut().filter(|listener| listener.name != posted.from) {
            let received = listener.voice.receive(posted);
            listener.received.push(received);
        }
    }

    /// Posts what a listener says.
    pub(crate) fn listener_says(&mut self, name: &str, id: &str, text: &str) -> Option<Posted> {
        let listener = self.listeners.iter_mut().find(|listener| listener.name == name)?;
        let body = listener.voice.say(id, text);
        let posted = self.post(name, id, body);
        let listener = self.listeners.iter_mut().find(|listener| listener.name == name)?;
        listener.voice.echo(&posted);
        Some(posted)
    }

    /// Everything that a listener heard.
    pub(crate) fn received(&self, name: &str) -> &[Received] {
        self.listeners.iter().find(|listener| listener.name == name).map_or(&[], |listener| &listener.received)
    }
}
