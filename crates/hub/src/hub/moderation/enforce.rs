//! Consequences of an act, once it is stored: the moderation state changes, the members it applies
//! to are notified or disconnected, operators are notified.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{AuditEntry, AuditKind, ErrorCode, Event, Rejection};

use crate::dialect::Dialect;
use crate::hub::Hub;
use crate::id::MemberId;
use crate::log_event::LogEvent;
use crate::member::Member;
use crate::moderation::{Disconnect, Pending, Target, messages};
use crate::name::Looks;

impl Hub {
    /// Takes the next connection to be closed. Its member stays one until then, which is to be at
    /// once.
    pub fn take_disconnect(&mut self) -> Option<Disconnect> {
        self.disconnects.pop_front()
    }

    /// Takes the next event for the server's log.
    pub fn take_log_event(&mut self) -> Option<LogEvent> {
        self.log_events.pop_front()
    }

    /// Restores the effect of an act of an earlier time, at the start.
    pub fn restore(&mut self, act: &AuditEntry) {
        self.moderation.apply(act);
    }

    /// Executes an act that was stored, or need not be. `by` is the operator, if it is still here.
    pub(in crate::hub) fn enforce(&mut self, by: Option<MemberId>, pending: Pending, reference: Option<String>) {
        let Pending { act, target } = pending;
        // Operators are sent the act itself.
        let is_no_operator = |member: &Member| !member.is_operator();
        self.moderation.apply(&act);
        let effect = match act.act {
            AuditKind::Op => self.make_operator(by),
            AuditKind::Kick => self.kick(target, &act),
            AuditKind::Mute => Some(self.mute(&act)),
            AuditKind::Unmute => Some(self.unmute(&act)),
            AuditKind::Ban => Some(self.ban(&act)),
            AuditKind::Freeze => {
                self.send_to_each(is_no_operator, &Event::notice(messages::frozen(&act.by)));
                None
            }
            AuditKind::Thaw => {
                self.send_to_each(is_no_operator, &Event::notice("the freeze is over: everybody may speak again"));
                self.announce_held_back();
                None
            }
            AuditKind::Unban | AuditKind::Motd => None,
        };
        self.send_to_operators(by, &act, reference.as_ref());
        if let (Some(by), Some(effect)) = (by, effect) {
            self.send(by, Envelope::new(Event::notice(effect), reference));
        }
        self.log_events.push_back(LogEvent::Act(act));
    }

    /// Returns the member that another server's kick removes here: the member of exactly that name.
    pub(in crate::hub) fn target_here(&self, act: &AuditEntry) -> Option<MemberId> {
        let Target::Name { name, .. } = Target::of_act(act)? else { return None };
        self.find(name.as_str()).ok().map(|(id, _)| id)
    }

    fn make_operator(&mut self, by: Option<MemberId>) -> Option<String> {
        let id = by?;
        self.members.get_mut(id)?.make_operator();
        self.announce_arrival(id);
        Some("you are an operator for as long as this connection lasts".to_string())
    }

    /// While the kick was stored its target may have become an operator, which is immune (O5).
    fn kick(&mut self, target: Option<MemberId>, act: &AuditEntry) -> Option<String> {
        let id = target?;
        let member = self.members.get(id)?;
        if member.is_operator() {
            return Some(format!("{} has become an operator meanwhile, and stays", member.name()));
        }
        let because = messages::because(act.text.as_deref());
        let text = format!("{} closed your connection{because}; come back once that is settled", act.by);
        self.disconnect(id, ErrorCode::Kicked, &text);
        None
    }

    fn mute(&mut self, act: &AuditEntry) -> String {
        let hit = self.members_hit(act);
        let mute = Target::of_act(act).and_then(|target| self.moderation.mutes().on(&target, act.at));
        let text = mute.map(|mute| messages::muted(mute, &self.some_operators()));
        for &(id, _) in &hit {
            self.renew_mute(id, act.at);
            self.send(id, Event::notice(text.as_deref().unwrap_or_default()));
        }
        messages::hits(&names(hit))
    }

    fn unmute(&mut self, act: &AuditEntry) -> String {
        let mut freed = Vec::new();
        for id in self.ids_of(|_| true) {
            if self.renew_mute(id, act.at) {
                self.send(id, Event::notice(format!("{} gave your voice back", act.by)));
                freed.push((id, self.name(id).to_string()));
            }
        }
        messages::hits(&names(freed))
    }

    fn ban(&mut self, act: &AuditEntry) -> String {
        let hit = self.members_hit(act);
        let ban = Target::of_act(act).and_then(|target| self.moderation.bans().on(&target, act.at));
        let text = ban.map(messages::banned);
        for &(id, _) in &hit {
            self.disconnect(id, ErrorCode::Banned, text.as_deref().unwrap_or_default());
        }
        messages::hits(&names(hit))
    }

    /// Returns the present members that a mute or a ban hits; operators are not hit.
    fn members_hit(&self, act: &AuditEntry) -> Vec<(MemberId, String)> {
        let Some(target) = Target::of_act(act) else { return Vec::new() };
        let others = self.members.iter().filter(|(_, member)| !member.is_operator());
        let hit = others.filter(|(_, member)| match &target {
            Target::Name { .. } => target.hits_name(&Looks::of(member.name())),
            Target::Network(network) => network.contains(member.address()),
        });
        hit.map(|(id, member)| (id, member.name().to_string())).collect()
    }

    fn disconnect(&mut self, id: MemberId, code: ErrorCode, text: &str) {
        let Some(member) = self.members.get(id) else { return };
        let mut output = member.dialect().encode(&Event::bye(text).into());
        if member.dialect() == Dialect::Event {
            let error = Event::Error(Rejection::new(code, text)).into();
            output.splice(..0, member.dialect().encode(&error));
        }
        self.disconnects.push_back(Disconnect { member: id, connection: member.connection(), code, output });
    }

    /// Sends an act to every operator who is here; the requester's copy has the `ref`.
    fn send_to_operators(&mut self, by: Option<MemberId>, act: &AuditEntry, reference: Option<&String>) {
        for id in self.ids_of(Member::is_operator) {
            let reference = reference.filter(|_| by == Some(id)).cloned();
            self.send(id, Envelope::new(Event::Act(act.clone()), reference));
        }
    }
}

fn names(members: Vec<(MemberId, String)>) -> Vec<String> {
    let mut names: Vec<_> = members.into_iter().map(|(_, name)| name).collect();
    names.sort_unstable();
    names
}
