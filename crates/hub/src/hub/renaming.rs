//! Taking another name while one is here.

use alloc::{string::ToString, vec::Vec};

use glassline_wire::event::{Event, Rejection, Renamed};

use crate::dialect::Dialect;
use crate::hub::{Hub, Reply};
use crate::id::MemberId;
use crate::name::Name;
use crate::now::Now;

impl Hub {
    /// Gives a member exactly the name it asks for, and tells its rooms.
    ///
    /// # Errors
    /// The name breaks the rules, is taken, looks like one that is, or is banned; or the member may not speak: a name is told to everybody.
    pub fn rename(&mut self, id: MemberId, wished: &str, now: Now) -> Result<Reply, Rejection> {
        self.check_speech(id, now)?;
        let name = Name::parse(wished.as_bytes())?;
        let Some(member) = self.members.get(id) else { return Ok(Reply::Nothing) };
        self.moderation.check_name(&name, member.address(), now.at)?;
        let (dialect, from) = (member.dialect(), member.name().to_string());
        let looks = self.names.check_rename(&from, id, &name)?;
        self.names.release(&from);
        self.names.claim(name.as_str(), &looks, id);
        let rooms: Vec<_> = member.rooms().collect();
        if let Some(member) = self.members.get_mut(id) {
            member.rename(name.clone().into_boxed());
        }
        self.renew_mute(id, now.at);
        let renamed = Event::Renamed(Renamed { from: from.clone(), to: name.as_str().to_string() });
        for &room in &rooms {
            self.announce_waiting(room, [&from, name.as_str()], now);
            self.send_to_room(room, renamed.clone());
        }
        Ok(match dialect {
            Dialect::Tutorial => Reply::Nothing,
            // In no room it is not told by one.
            Dialect::Event if rooms.is_empty() => renamed.into(),
            Dialect::Event => Reply::Confirmation(renamed),
        })
    }
}
