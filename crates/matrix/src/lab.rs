//! Parties of a cell: a server, members with their keys, and somebody else's keys for the attacker.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use glassline_wire::layer::LayerStack;

use crate::chat::{Conversation, Member, ROOM, Server};
use crate::outcome::Defect;
use crate::random::Random;
use crate::scheme::{MemberKeys, Memory, Scheme, ServerKeys};
use crate::seal::{Received, Voice, VoiceSetup};
use crate::secret::Secret;
use crate::transcript::Transcript;

/// Amount of work of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// A few byte positions, one guess.
    Few,
    /// Each byte position.
    All,
}

/// Name of the member whose connection is attacked.
pub(crate) const ALICE: &str = "alice";
/// Name of the member at the other end of the conversation.
pub(crate) const BOB: &str = "bob";
/// Name of a third member.
pub(crate) const CAROL: &str = "carol";
/// Name of a member who attacks.
pub(crate) const MALLORY: &str = "mallory";

/// Passphrase of the room, as people choose them. It is the same in each cell: to derive a key is
/// expensive on purpose.
pub(crate) const PASSPHRASE: &str = "sunshine 7";

/// Everything that an attack has at hand.
#[derive(Debug)]
pub(crate) struct Lab<'a> {
    scheme: &'a Scheme,
    effort: Effort,
    random: Random,
    transcript: Transcript,
    server: ServerKeys,
    alice: MemberKeys,
}

impl<'a> Lab<'a> {
    /// A lab for one cell; `label` and seed determine everything in it.
    pub(crate) fn new(scheme: &'a Scheme, effort: Effort, seed: u64, label: &str) -> Self {
        let mut random = Random::new(seed, label);
        let shared = random.secret();
        let server = ServerKeys { own: random.secret(), shared };
        let alice = MemberKeys { own: random.secret(), shared };
        Self { scheme, effort, random, transcript: Transcript::default(), server, alice }
    }

    /// A lab of the same people with the same keys, under another scheme.
    pub(crate) fn under<'b>(&mut self, scheme: &'b Scheme) -> Lab<'b> {
        let random = Random::new(self.random.next_u64(), scheme.name());
        let Self { effort, server, alice, .. } = *self;
        Lab { scheme, effort, random, transcript: Transcript::default(), server, alice }
    }

    pub(crate) fn into_transcript(self) -> Transcript {
        self.transcript
    }

    pub(crate) fn note(&mut self, line: impl AsRef<str>) {
        self.transcript.note(line);
    }

    pub(crate) fn scheme(&self) -> &'a Scheme {
        self.scheme
    }

    pub(crate) fn effort(&self) -> Effort {
        self.effort
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    pub(crate) fn server_keys(&self) -> ServerKeys {
        self.server
    }

    pub(crate) fn alice_keys(&self) -> MemberKeys {
        self.alice
    }

    /// Keys of somebody who was told nothing.
    pub(crate) fn strangers_server_keys(&mut self) -> ServerKeys {
        ServerKeys { own: self.random.secret(), shared: self.random.secret() }
    }

    /// Keys of somebody who was told nothing.
    pub(crate) fn strangers_member_keys(&mut self) -> MemberKeys {
        MemberKeys { own: self.random.secret(), shared: self.random.secret() }
    }

    /// Alice's knowledge after she has compared the server's key with its owner.
    pub(crate) fn verified(&self) -> Arc<Memory> {
        Memory::verified(self.scheme.link().public(&self.server.own))
    }

    /// A voice in the room with the room's passphrase.
    pub(crate) fn voice(&mut self, name: &str) -> Box<dyn Voice> {
        self.voice_with(name, PASSPHRASE)
    }

    /// A voice in the room with this passphrase.
    pub(crate) fn voice_with(&mut self, name: &str, passphrase: &str) -> Box<dyn Voice> {
        self.enter(name, name, ROOM, passphrase)
    }

    /// The voice of a member with the room's passphrase who claims another's name.
    pub(crate) fn voice_as(&mut self, claimed: &str, member: &str) -> Box<dyn Voice> {
        self.enter(claimed, member, ROOM, PASSPHRASE)
    }

    /// A voice in another room, whose members happen to use the same passphrase.
    pub(crate) fn voice_in(&mut self, room: &str, name: &str) -> Box<dyn Voice> {
        self.enter(name, name, room, PASSPHRASE)
    }

    /// A voice under this name, with the own key of `member`.
    fn enter(&mut self, name: &str, member: &str, room: &str, passphrase: &str) -> Box<dyn Voice> {
        let own = self.own_key(member);
        let random = self.random.secret();
        self.scheme.seal().voice(VoiceSetup { name, room, own, passphrase, random })
    }

    /// A member's own key: the same each time for Alice, and for others within a lab.
    fn own_key(&self, name: &str) -> Secret {
        if name == ALICE {
            return self.alice.own;
        }
        Random::of(&self.alice.shared, name).secret()
    }

    /// A server in which Bob is and hears everything.
    pub(crate) fn chat(&mut self) -> Rc<RefCell<Server>> {
        let seed = self.random.next_u64();
        let mut server = Server::new(Random::new(seed, "server"));
        let bob = self.voice(BOB);
        server.add_listener(BOB, bob);
        Rc::new(RefCell::new(server))
    }

    /// Alice's layers with her keys and this knowledge.
    pub(crate) fn client_layers(&mut self, memory: &Arc<Memory>) -> LayerStack {
        let random = self.random.secret();
        self.scheme.link().client(&self.alice, memory, random)
    }

    /// The server's layers.
    pub(crate) fn server_layers(&mut self) -> LayerStack {
        let keys = self.server;
        self.server_layers_with(&keys)
    }

    /// Layers of a server with these keys.
    pub(crate) fn server_layers_with(&mut self, keys: &ServerKeys) -> LayerStack {
        let random = self.random.secret();
        self.scheme.link().server(keys, random)
    }

    /// Alice, before she connects.
    pub(crate) fn alice(&mut self) -> Member {
        Member { name: ALICE.to_owned(), token: None, voice: self.voice(ALICE) }
    }

    /// A connection of Alice on which nothing has passed yet.
    pub(crate) fn connect(&mut self, chat: &Rc<RefCell<Server>>) -> Conversation {
        let memory = self.verified();
        let (client, server, alice) = (self.client_layers(&memory), self.server_layers(), self.alice());
        Conversation::new(client, server, alice, Rc::clone(chat))
    }

    /// A connection of Alice over which honest messages have passed in both directions.
    ///
    /// # Errors
    /// They did not.
    pub(crate) fn session(&mut self, chat: &Rc<RefCell<Server>>) -> Result<Conversation, Defect> {
        let conversation = self.connect(chat);
        self.establish(conversation, chat)
    }

    /// Passes honest messages in both directions over a new connection.
    ///
    /// # Errors
    /// They did not pass.
    pub(crate) fn establish(
        &mut self,
        mut conversation: Conversation,
        chat: &Rc<RefCell<Server>>,
    ) -> Result<Conversation, Defect> {
        conversation.pump();
        if !conversation.is_established() {
            let cause = conversation.error().unwrap_or_else(|| "the handshake does not end".to_owned());
            return Err(Defect(format!("alice cannot log in: {cause}")));
        }
        self.exchange(&mut conversation, chat)?;
        self.note("alice logs in; honest messages pass in both directions");
        Ok(conversation)
    }

    /// Passes an honest message in each direction.
    ///
    /// # Errors
    /// One of them did not arrive as it was sent.
    pub(crate) fn exchange(
        &mut self,
        conversation: &mut Conversation,
        chat: &Rc<RefCell<Server>>,
    ) -> Result<(), Defect> {
        let (up, down) = (format!("honest {}", self.random.word()), format!("honest {}", self.random.word()));
        conversation.member_says(&up);
        conversation.pump();
        conversation.listener_says(BOB, &down);
        conversation.pump();
        let was_heard = |received: &[Received], text: &str| received.last().and_then(Received::text) == Some(text);
        if was_heard(chat.borrow().received(BOB), &up) && was_heard(conversation.received(), &down) {
            return Ok(());
        }
        let received = format!("{:?} and {:?}", chat.borrow().received(BOB).last(), conversation.received().last());
        Err(Defect(format!("honest messages are not heard ({received}; {:?})", conversation.error())))
    }
}

/// Words that people choose, as every attacker has them in a list.
pub(crate) const WEAK_WORDS: [&str; 8] =
    ["password", "letmein", "dragon", "sunshine", "football", "monkey", "qwerty", "welcome"];
