//! Access of a session to the hub and its connection while it takes bytes in.

use std::net::{IpAddr, SocketAddr};

use glassline_hub::{Awaits, ConnectInfo, Hub, MemberId, Now};
use glassline_wire::link::LinkFacts;

use crate::admission::Flood;
use crate::close_reason::CloseReason;
use crate::links::Links;
use crate::protocol::step::{Pause, Step};
use crate::web::Web;

pub(crate) struct SessionContext<'a> {
    pub(crate) hub: &'a mut Hub,
    pub(crate) now: Now,
    pub(crate) connection: usize,
    pub(crate) address: IpAddr,
    /// The connection below it.
    pub(crate) carrier: &'a dyn Carrier,
    pub(crate) member: &'a mut Option<MemberId>,
    pub(crate) flood: Option<&'a mut Flood>,
    /// Output to a connection without a name.
    pub(crate) pre_login_output: &'a mut Vec<u8>,
    pub(crate) pure: bool,
    pub(crate) links: &'a Links,
    /// The chat's page, where it is served.
    pub(crate) web: Option<&'a Web>,
    /// Its address may have one more member.
    pub(crate) may_register: bool,
}

/// Connection below a session, for facts that few sessions need.
pub(crate) trait Carrier {
    /// Looks up the address that the peer connected to: a system call.
    fn local_address(&self) -> Option<SocketAddr>;

    /// Facts that its link has established.
    fn link_facts(&self) -> LinkFacts;
}

impl SessionContext<'_> {
    /// Returns whether all its requests were completed, so that it may end.
    pub(crate) fn may_end(&self) -> bool {
        self.awaits() == Awaits::Nothing && !self.member.is_some_and(|member| self.hub.is_replaying(member))
    }

    pub(crate) fn awaits(&self) -> Awaits {
        self.hub.awaits(self.connection)
    }

    /// Returns the facts about a client that logs in now, with a fresh token; where its address has
    /// as many members as it may, the end of its connection.
    pub(crate) fn connect_info(&self) -> Result<ConnectInfo, Step> {
        if !self.may_register {
            return Err(Step::leave(CloseReason::TooManyFromAddress, Vec::new()));
        }
        let mut token = [0; 16];
        // Without randomness there is no secret, and the hub takes no name back for a token of
        // zero.
        let token = getrandom::fill(&mut token).map_or(0, |()| u128::from_ne_bytes(token));
        let link = self.carrier.link_facts();
        Ok(ConnectInfo { connection: self.connection, token, address: self.address, link, now: self.now })
    }

    /// Counts a frame against the flood limit, once, when it is read.
    pub(crate) fn charge(&mut self, frame_bytes: usize) {
        if let Some(flood) = self.flood.as_deref_mut() {
            flood.take(frame_bytes, self.now.monotonic_ms);
        }
    }

    /// Returns the pause that the flood limit imposes on the next frame, if any.
    pub(crate) fn flood_pause(&mut self) -> Option<Pause> {
        let now_ms = self.now.monotonic_ms;
        let resume_after_ms = self.flood.as_deref_mut().map_or(0, |flood| flood.wait_ms(now_ms));
        (resume_after_ms > 0).then_some(Pause::Flood { resume_after_ms })
    }

    /// Returns the pause before the next frame, if any, after one was taken.
    pub(crate) fn must_pause(&mut self) -> Option<Pause> {
        let member = (*self.member)?;
        if let Some(pause) = self.flood_pause() {
            Some(pause)
        } else if self.hub.is_overfull(member) {
            Some(Pause::SendQueue)
        } else if self.hub.is_flooded() {
            Some(Pause::FanOut)
        } else {
            None
        }
    }
}
