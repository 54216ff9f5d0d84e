//! The event dialect (E): `hello`, then requests.

use glassline_hub::{Awaits, Hub, LoginOutcome, MemberId, NameHolder};
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Bye, ErrorCode, Event, Pong, Presence, Rejection};
use glassline_wire::frame::{Decoder, Frame, HeaderError};
use glassline_wire::limits::{EVENT_BYTES_MAX, GREETING_BYTES_MAX, HEADER_BYTES};
use glassline_wire::request::{Ask, Hello, Request};

use super::{Desk, Verdict, Wait};

#[derive(Debug)]
pub(crate) struct EventSession {
    decoder: Decoder,
    waiting: Waiting,
}

/// Request with which the client is kept waiting; nothing else is taken in meanwhile.
#[derive(Debug, Default)]
enum Waiting {
    #[default]
    Nothing,
    /// A `hello` with its `ref`: for the holder of the name it claims, or for the history.
    Hello(Box<(Hello, Option<String>)>),
    /// A request, or one that cannot be read, whose refusal waits as well: for what was said before it to be stored, or for an answer.
    Asked(Box<Result<Request, Envelope<Rejection>>>),
    /// The end of the connection, likewise.
    End(Verdict),
}

impl EventSession {
    pub(crate) fn new() -> Self {
        Self { decoder: Decoder::event(GREETING_BYTES_MAX), waiting: Waiting::Nothing }
    }

    /// Returns whether the end of the stream would cut no frame off.
    pub(crate) fn is_at_boundary(&self) -> bool {
        self.decoder.is_at_boundary()
    }

    pub(crate) fn take(&mut self, input: &mut &[u8], desk: &mut Desk<'_>) -> Verdict {
        let verdict = self.take_frames(input, desk);
        if verdict.is_end() && !desk.may_end() {
            // It comes behind everything that is owed.
            self.waiting = Waiting::End(verdict);
            return Verdict::Waits(Wait::History);
        }
        verdict
    }

    fn take_frames(&mut self, input: &mut &[u8], desk: &mut Desk<'_>) -> Verdict {
        let resumed = self.take_what_waited(desk);
        if resumed != Verdict::GoesOn {
            return resumed;
        }
        loop {
            if matches!(self.waiting, Waiting::Asked(_) | Waiting::End(_)) || desk.awaits() == Awaits::Answer {
                return Verdict::Waits(Wait::History);
            }
            // What waited for the history was charged, but has not waited for the flood limit.
            if let Some(wait) = desk.flood_wait() {
                return Verdict::Waits(wait);
            }
            match self.decoder.next(input) {
                Ok(None) => return Verdict::GoesOn,
                // The event dialect's decoder knows no raw goodbye; were there one, it would be one here too.
                Ok(Some(Frame::Goodbye)) => return Verdict::Left { reason: "raw_goodbye", words: Vec::new() },
                Ok(Some(Frame::Payload(payload))) => {
                    desk.charge(payload.len() + HEADER_BYTES);
                    let verdict = match *desk.member {
                        None => before_welcome(payload, &mut self.waiting, desk),
                        Some(member) => hear(member, payload, &mut self.waiting, desk),
                    };
                    if verdict != Verdict::GoesOn {
                        return verdict;
                    }
                    if desk.member.is_some() {
                        self.decoder.set_payload_bytes_max(EVENT_BYTES_MAX);
                    }
                    if let Some(wait) = desk.must_wait() {
                        return Verdict::Waits(wait);
                    }
                }
                Err(error) => {
                    let code = match error {
                        HeaderError::TooLong { .. } => ErrorCode::TooLong,
                        HeaderError::NotDecimal { .. } | HeaderError::Empty => ErrorCode::NotAnEvent,
                    };
                    let rejection = Rejection::new(code, format!("{error}; connect again"));
                    let words = Event::Error(rejection).to_frame();
                    return Verdict::Refused { reason: error.reason(), detail: error.to_string(), words };
                }
            }
        }
    }

    /// Goes on with what waited for the history, once that has done its part.
    fn take_what_waited(&mut self, desk: &mut Desk<'_>) -> Verdict {
        if desk.awaits() != Awaits::Nothing {
            return Verdict::GoesOn;
        }
        match (std::mem::take(&mut self.waiting), *desk.member) {
            (Waiting::Hello(waited), None) => self.enter_again(*waited, NameHolder::Unasked, desk),
            (Waiting::End(end), _) => end,
            (Waiting::Asked(asked), Some(member)) => answer(member, *asked, &mut self.waiting, desk),
            _ => Verdict::GoesOn,
        }
    }

    /// Goes on with a `hello` that waited for the holder of its name: dead or alive.
    pub(crate) fn resume_claim(&mut self, holder: NameHolder, desk: &mut Desk<'_>) -> Verdict {
        match std::mem::take(&mut self.waiting) {
            Waiting::Hello(waited) => self.enter_again(*waited, holder, desk),
            other => {
                self.waiting = other;
                Verdict::GoesOn
            }
        }
    }

    fn enter_again(
        &mut self,
        (hello, reference): (Hello, Option<String>),
        holder: NameHolder,
        desk: &mut Desk<'_>,
    ) -> Verdict {
        let verdict = enter(hello, reference, holder, &mut self.waiting, desk);
        if desk.member.is_some() {
            self.decoder.set_payload_bytes_max(EVENT_BYTES_MAX);
        }
        verdict
    }
}

fn before_welcome(payload: &[u8], waiting: &mut Waiting, desk: &mut Desk<'_>) -> Verdict {
    let answer = match Request::from_json(payload) {
        Ok(Request { content: Ask::Hello(hello), reference }) => {
            return enter(hello, reference, NameHolder::Unasked, waiting, desk);
        }
        Ok(Request { content: Ask::Bye {}, .. }) => return Verdict::Left { reason: "bye", words: Vec::new() },
        Ok(Request { reference, .. }) => {
            Envelope::new(Rejection::new(ErrorCode::OutOfOrder, "say hello first"), reference)
        }
        Err(bad) => bad,
    };
    let mut words = rejected(answer).to_frame();
    // A stranger that keeps asking holds no more memory than the limit.
    if desk.words.len() + words.len() > GREETING_BYTES_MAX {
        let detail = "too many requests before hello".to_string();
        return Verdict::Refused { reason: "no_hello", detail, words: Vec::new() };
    }
    desk.words.append(&mut words);
    Verdict::GoesOn
}

/// Lets the client in, or puts its `hello` aside until it is known what it waits for.
fn enter(
    hello: Hello,
    reference: Option<String>,
    holder: NameHolder,
    waiting: &mut Waiting,
    desk: &mut Desk<'_>,
) -> Verdict {
    let entrance = desk.entrance();
    let wait = match desk.hub.enter_event(&hello, reference.as_deref(), holder, entrance) {
        Ok(LoginOutcome::As(member)) => {
            *desk.member = Some(member);
            return Verdict::GoesOn;
        }
        Ok(LoginOutcome::NameHolder(holder)) => Wait::Takeover { holder },
        Ok(LoginOutcome::Awaits) => Wait::History,
        Err(refused) => {
            let reason = if refused.code == ErrorCode::Banned { "banned" } else { "hello_refused" };
            let detail = refused.text.clone();
            let words = rejected(Envelope::new(refused, reference)).to_frame();
            return Verdict::Refused { reason, detail, words };
        }
    };
    *waiting = Waiting::Hello(Box::new((hello, reference)));
    Verdict::Waits(wait)
}

fn hear(member: MemberId, payload: &[u8], waiting: &mut Waiting, desk: &mut Desk<'_>) -> Verdict {
    let asked = Request::from_json(payload);
    if desk.awaits() == Awaits::Nothing {
        return answer(member, asked, waiting, desk);
    }
    // More may be said while the history still stores what was said before. Everything else comes behind it, the refusal of what
    // cannot be said as well.
    if let Ok(Request { content: Ask::Send(send), reference }) = &asked {
        desk.hub.note_activity(member, desk.now);
        if desk.hub.say(member, send, reference.clone(), desk.now).is_ok() {
            return Verdict::GoesOn;
        }
    }
    *waiting = Waiting::Asked(Box::new(asked));
    Verdict::Waits(Wait::History)
}

fn answer(
    member: MemberId,
    asked: Result<Request, Envelope<Rejection>>,
    waiting: &mut Waiting,
    desk: &mut Desk<'_>,
) -> Verdict {
    let request = match asked {
        Ok(request) => request,
        Err(bad) => {
            desk.hub.tell(member, rejected(bad));
            return Verdict::GoesOn;
        }
    };
    if let Ask::Join(join) = &request.content
        && !desk.hub.knows_rooms(desk.connection, [join.room.as_str()])
    {
        *waiting = Waiting::Asked(Box::new(Ok(request)));
        return Verdict::Waits(Wait::History);
    }
    let Request { content: ask, reference } = request;
    if matches!(ask, Ask::Bye {}) {
        let bye = Event::Bye(Bye { text: "goodbye".to_string() });
        let words = Envelope::new(bye, reference).to_frame();
        return Verdict::Left { reason: "bye", words };
    }
    match carry_out(member, ask, reference.as_ref(), desk) {
        Ok(None) => {}
        Ok(Some(event)) => desk.hub.tell(member, Envelope::new(event, reference)),
        Err(refused) => desk.hub.tell(member, Envelope::new(Event::Error(refused), reference)),
    }
    Verdict::GoesOn
}

fn carry_out(
    member: MemberId,
    ask: Ask,
    reference: Option<&String>,
    desk: &mut Desk<'_>,
) -> Result<Option<Event>, Rejection> {
    let now = desk.now;
    let hub = &mut *desk.hub;
    // A program may ask for these on and on with nobody before it.
    if !matches!(ask, Ask::Ping {} | Ask::Pong {} | Ask::Members(_)) {
        hub.note_activity(member, now);
    }
    match ask {
        Ask::Send(send) => hub.say(member, &send, reference.cloned(), now)?,
        Ask::Direct(direct) => {
            if direct.reply {
                hub.check_writer(member, &direct.to)?;
            }
            hub.send_direct(member, &direct.to, &direct.text, Some(direct.id), reference.cloned(), now)?;
        }
        Ask::Join(join) => {
            let is_new = hub.join(member, &join.room, now)?;
            let mut presence = own_presence(member, &join.room, hub)?;
            presence.seq = hub.newest_in(&presence.room);
            hub.tell(member, Envelope::new(Event::Joined(presence), reference.cloned()));
            if is_new {
                hub.give_context(member, &join.room);
            }
        }
        Ask::Leave(leave) => {
            let presence = own_presence(member, &leave.room, hub)?;
            hub.leave(member, &leave.room, now)?;
            return Ok(Some(Event::Left(presence)));
        }
        Ask::Rename(rename) => hub.rename(member, &rename.name, reference.cloned(), now)?,
        Ask::Members(asked) => return hub.members_of(member, &asked.room).map(|members| Some(Event::Members(members))),
        Ask::Whois(asked) => return hub.whois(&asked.name, now).map(|whois| Some(Event::Whois(whois))),
        Ask::Rooms {} => return Ok(Some(Event::Rooms(hub.rooms_listed()))),
        Ask::Away(reason) => {
            return hub.set_away(member, reason.text.as_deref(), now).map(|away| Some(Event::Away(away)));
        }
        Ask::Ping {} => return Ok(Some(Event::Pong(Pong {}))),
        Ask::Operate(operate) => hub.operate(member, &operate.line, reference.cloned(), now)?,
        Ask::History(range) => hub.read_history(member, &range, reference.cloned())?,
        Ask::Search(search) => hub.search_history(member, &search, reference.cloned())?,
        Ask::Hello(_) => {
            return Err(Rejection::new(ErrorCode::OutOfOrder, "you have said hello already; go on"));
        }
        // Having been heard is all a `pong` is for.
        Ask::Pong {} | Ask::Bye {} => {}
    }
    Ok(None)
}

fn own_presence(member: MemberId, room: &str, hub: &Hub) -> Result<Presence, Rejection> {
    let room = glassline_hub::room_name(room)?;
    Ok(Presence { room, names: vec![hub.name(member).to_string()], count: 1, seq: None })
}

fn rejected(Envelope { content, reference }: Envelope<Rejection>) -> Envelope<Event> {
    Envelope::new(Event::Error(content), reference)
}
