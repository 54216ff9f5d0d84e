//! Taking another name while one is here.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, Rejection, Renamed};

use crate::dialect::Dialect;
use crate::hub::Hub;
use crate::id::MemberId;
use crate::name::Name;
use crate::now::Now;

impl Hub {
    /// Gives a member exactly the name it asks for, and tells its rooms.
    ///
    /// # Errors
    /// The name breaks the rules, is taken, looks like one that is, or is banned; or the member may not speak: a name is told to everybody.
    pub fn rename(&mut self, id: MemberId, wished: &str, reference: Option<String>, now: Now) -> Result<(), Rejection> {
        self.check_speech(id, now)?;
        let name = Name::parse(wished.as_bytes())?;
        let Some(member) = self.members.get(id) else { return Ok(()) };
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
        let renamed = Renamed { from: from.clone(), to: name.as_str().to_string() };
        let text = format!("{from} is now {}", name.as_str());
        for &room in &rooms {
            self.announce_waiting(room, [&from, name.as_str()], now);
            self.announce(room, &text, &Event::Renamed(renamed.clone()));
        }
        // The one who asked has it from the room, except for a ref, or where it is in none.
        if dialect == Dialect::Event && (reference.is_some() || rooms.is_empty()) {
            self.tell(id, Envelope::new(Event::Renamed(renamed), reference));
        }
        Ok(())
    }
}
