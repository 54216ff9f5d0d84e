//! Operator commands (O2): checked, turned into an act, and handed over to be stored; one that
//! changes nothing is answered at once.

use alloc::format;
use alloc::string::{String, ToString};

use glassline_wire::commands::OP;
use glassline_wire::event::{AuditEntry, AuditKind, ErrorCode, Event, Rejection};
use glassline_wire::limits::OPERATE_BYTES_MAX;
use glassline_wire::operator_token::GeneratedToken;
use glassline_wire::timestamp::Timestamp;

use crate::Now;
use crate::hub::{Hub, Reply, ReplyResult};
use crate::id::MemberId;
use crate::log_event::LogEvent;
use crate::member::Member;
use crate::moderation::{OperatorCommand, Pending, Sanctions, Target, WRONG_TOKENS_MAX, first_word, messages, written};
use crate::name::Looks;

impl Hub {
    /// Executes an operator's line without slash. With a history an act takes effect, is announced
    /// and answered only once it is stored.
    ///
    /// # Errors
    /// Not an operator, not an operator command, or a target that is not allowed.
    pub fn operate(&mut self, id: MemberId, line: &str, reference: Option<String>, now: Now) -> ReplyResult {
        if self.rules.operator_token.is_none() {
            let text = "this server has no operators; its host starts it with `--operator-token-file FILE`";
            return Err(Rejection::new(ErrorCode::NotOperator, text));
        }
        if line.len() > OPERATE_BYTES_MAX {
            let text = format!("this line has {} bytes, the limit is {OPERATE_BYTES_MAX}; write less", line.len());
            return Err(Rejection::new(ErrorCode::TooLong, text));
        }
        if let (OP, token) = first_word(line) {
            return self.take_token(id, token, reference, now);
        }
        if !self.is_operator(id) {
            let text = "only operators may do this; `/op TOKEN` makes you one";
            return Err(Rejection::new(ErrorCode::NotOperator, text));
        }
        let act =
            |act, who, until, text| AuditEntry { at: now.at, by: self.name(id).to_string(), act, who, until, text };
        let (act, target) = match OperatorCommand::parse(line)? {
            OperatorCommand::Kick { name, reason } => {
                let target = self.kickable(id, &name)?;
                (act(AuditKind::Kick, Some(written(self.name(target))), None, reason), Some(target))
            }
            OperatorCommand::Mute { target, for_ms, reason } => {
                self.check_target(id, &target, self.moderation.mutes(), now)?;
                (act(AuditKind::Mute, Some(target.to_string()), Some(after(now, for_ms)), reason), None)
            }
            OperatorCommand::Ban { target, for_ms, reason } => {
                self.check_target(id, &target, self.moderation.bans(), now)?;
                (act(AuditKind::Ban, Some(target.to_string()), Some(after(now, for_ms)), reason), None)
            }
            OperatorCommand::Unmute { target } => {
                check_in_force(&target, self.moderation.mutes(), "mute", now)?;
                (act(AuditKind::Unmute, Some(target.to_string()), None, None), None)
            }
            OperatorCommand::Unban { target } => {
                check_in_force(&target, self.moderation.bans(), "ban", now)?;
                (act(AuditKind::Unban, Some(target.to_string()), None, None), None)
            }
            OperatorCommand::Freeze if !self.moderation.is_frozen() => (act(AuditKind::Freeze, None, None, None), None),
            OperatorCommand::Thaw if self.moderation.is_frozen() => (act(AuditKind::Thaw, None, None, None), None),
            OperatorCommand::TakeMotdAway if self.moderation.motd().is_some() => {
                (act(AuditKind::Motd, None, None, None), None)
            }
            OperatorCommand::SetMotd { text } => (act(AuditKind::Motd, None, None, Some(text)), None),
            OperatorCommand::Freeze => return Ok(Reply::notice("the talk is frozen already; /thaw ends it")),
            OperatorCommand::Thaw => return Ok(Reply::notice("the talk is not frozen")),
            OperatorCommand::TakeMotdAway | OperatorCommand::ShowMotd => match self.moderation.motd() {
                Some(motd) => return Ok(Reply::notice(format!("newcomers are shown:\n{motd}"))),
                None => return Ok(Reply::notice("there is no message of the day; /motd TEXT sets one")),
            },
            OperatorCommand::Roster => return Ok(Reply::notice(self.list_members())),
            OperatorCommand::Bans => return Ok(Reply::notice(self.moderation.list_sanctions(now.at))),
        };
        self.submit(id, Pending { act, target }, reference);
        Ok(Reply::Nothing)
    }

    /// `op TOKEN`.
    fn take_token(&mut self, id: MemberId, shown: &str, reference: Option<String>, now: Now) -> ReplyResult {
        let (Some(token), Some(member)) = (&self.rules.operator_token, self.members.get_mut(id)) else {
            return Ok(Reply::Nothing);
        };
        if member.is_operator() {
            return Ok(Reply::notice("you are an operator already"));
        }
        if member.wrong_tokens() >= WRONG_TOKENS_MAX {
            let text = "too many wrong tokens came over this connection; look yours up, then connect again";
            return Err(Rejection::new(ErrorCode::NotOperator, text));
        }
        if self.attempts.left(member.address(), now.monotonic_ms) == 0 {
            let wait_min = self.attempts.wait_ms(member.address(), now.monotonic_ms).div_ceil(60_000).max(1);
            let text = format!(
                "too many wrong tokens came from your address; try again in {wait_min} min, or from another address"
            );
            return Err(Rejection::new(ErrorCode::NotOperator, text));
        }
        if !token.is(shown) {
            member.note_wrong_token();
            self.attempts.note_wrong(member.address(), now.monotonic_ms);
            let (connection, left) = (member.connection(), self.attempts.left(member.address(), now.monotonic_ms));
            let warning = messages::wrong_token(member.name(), member.address(), left);
            self.log_events.push_back(LogEvent::WrongToken { connection, left });
            if let Some(warning) = warning {
                self.send_to_each(Member::is_operator, &Event::notice(warning));
            }
            let text = match GeneratedToken::parse(shown) {
                Err(mistyped) => format!("this is no token: {mistyped}"),
                Ok(_) => "this is not the token; ask whoever runs this server".to_string(),
            };
            return Err(Rejection::new(ErrorCode::NotOperator, text));
        }
        let by = self.name(id).to_string();
        let act = AuditEntry { at: now.at, by, act: AuditKind::Op, who: None, until: None, text: None };
        self.submit(id, Pending { act, target: None }, reference);
        Ok(Reply::Nothing)
    }

    fn submit(&mut self, by: MemberId, pending: Pending, reference: Option<String>) {
        if self.rules.durable {
            self.queue_act(by, pending, reference);
        } else {
            self.enforce(Some(by), pending, reference);
        }
    }

    /// Returns the target of a kick: any member who is not an operator.
    fn kickable(&self, by: MemberId, name: &str) -> Result<MemberId, Rejection> {
        let (target, member) = self.find(name)?;
        if target == by {
            return Err(Rejection::new(ErrorCode::BadField, "that is you; leave instead"));
        }
        if member.is_operator() {
            return Err(is_operator(member.name()));
        }
        Ok(target)
    }

    /// Refuses a mute or ban that would hit an operator or too wide a network, or exceed the limit.
    fn check_target(&self, by: MemberId, target: &Target, sanctions: &Sanctions, now: Now) -> Result<(), Rejection> {
        let bad = |text: String| Err(Rejection::new(ErrorCode::BadField, text));
        if let Target::Network(network) = target
            && network.is_too_wide()
        {
            return bad(format!("{network} is half the world; name a smaller network"));
        }
        let own = self.members.get(by).map(Member::address);
        let operators = || self.members.iter().map(|(_, member)| member).filter(|member| member.is_operator());
        match target {
            Target::Name { .. } => {
                if let Some(operator) = operators().find(|operator| target.hits_name(&Looks::of(operator.name()))) {
                    return Err(is_operator(operator.name()));
                }
            }
            Target::Network(network) => {
                let is_own = own.is_some_and(|address| network.contains(address));
                let who = if is_own { "your own connection comes" } else { "an operator comes" };
                if is_own || operators().any(|operator| network.contains(operator.address())) {
                    return bad(format!("{who} from {network}, and others may share it; take the name instead"));
                }
            }
        }
        sanctions.check_capacity(target, now.at)
    }
}

fn after(now: Now, for_ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(now.at.unix_ms.saturating_add(for_ms))
}

fn is_operator(name: &str) -> Rejection {
    let text = format!("{name} is an operator, whom no other operator can touch; a new token ends that");
    Rejection::new(ErrorCode::BadField, text)
}

fn check_in_force(target: &Target, sanctions: &Sanctions, what: &str, now: Now) -> Result<(), Rejection> {
    if sanctions.on(target, now.at).is_some() {
        return Ok(());
    }
    let text = format!("no {what} of exactly {target} stands; /bans lists what does");
    Err(Rejection::new(ErrorCode::UnknownName, text))
}
