//! The event dialect (E): `hello`, then requests.

use glassline_hub::{Awaits, Dialect, LoginOutcome, MemberId, NameHolder, Reply, ReplyResult};
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, Rejection};
use glassline_wire::frame::{Decoder, Frame, HeaderError};
use glassline_wire::limits::{EVENT_BYTES_MAX, GREETING_BYTES_MAX, HEADER_BYTES};
use glassline_wire::request::{Ask, Hello, Request};

use crate::close_reason::CloseReason;
use crate::protocol::{Pause, SessionContext, Step};

#[derive(Debug)]
pub(crate) struct EventSession {
    decoder: Decoder,
    waiting: Waiting,
}

/// Request with which the client is kept waiting; no other is processed until then.
#[derive(Debug, Default)]
enum Waiting {
    #[default]
    Nothing,
    /// A `hello` with its `ref`: for the holder of the name it claims, or for the history.
    Hello(Box<(Hello, Option<String>)>),
    /// A request, or one that cannot be read, whose refusal waits as well: for earlier messages
    /// to be stored, or for an answer.
    Asked(Box<Result<Request, Envelope<Rejection>>>),
    /// The end of the connection, likewise.
    End(Box<Step>),
}

impl EventSession {
    pub(crate) fn new() -> Self {
        Self { decoder: Decoder::event(GREETING_BYTES_MAX), waiting: Waiting::Nothing }
    }

    /// Returns whether the end of the stream would cut no frame off.
    pub(crate) fn is_at_boundary(&self) -> bool {
        self.decoder.is_at_boundary()
    }

    pub(crate) fn take(&mut self, input: &mut &[u8], context: &mut SessionContext<'_>) -> Step {
        let step = self.take_frames(input, context);
        if step.is_end() && !context.may_end() {
            // It follows all queued output.
            self.waiting = Waiting::End(Box::new(step));
            return Step::Pause(Pause::History);
        }
        step
    }

    fn take_frames(&mut self, input: &mut &[u8], context: &mut SessionContext<'_>) -> Step {
        let resumed = self.take_what_waited(context);
        if resumed != Step::Continue {
            return resumed;
        }
        loop {
            if matches!(self.waiting, Waiting::Asked(_) | Waiting::End(_)) || context.awaits() == Awaits::Answer {
                return Step::Pause(Pause::History);
            }
            // What waited for the history was charged, but has not waited for the flood limit.
            if let Some(pause) = context.flood_pause() {
                return Step::Pause(pause);
            }
            match self.decoder.next(input) {
                Ok(None) => return Step::Continue,
                // The event dialect's decoder knows no raw goodbye; were there one, it would be one
                // here too.
                Ok(Some(Frame::Goodbye)) => return Step::leave(CloseReason::RawGoodbye, Vec::new()),
                Ok(Some(Frame::Payload(payload))) => {
                    context.charge(payload.len() + HEADER_BYTES);
                    let step = match *context.member {
                        None => before_welcome(payload, &mut self.waiting, context),
                        Some(member) => receive(member, payload, &mut self.waiting, context),
                    };
                    if step != Step::Continue {
                        return step;
                    }
                    if context.member.is_some() {
                        self.decoder.set_payload_bytes_max(EVENT_BYTES_MAX);
                    }
                    if let Some(pause) = context.must_pause() {
                        return Step::Pause(pause);
                    }
                }
                Err(error) => {
                    let code = match error {
                        HeaderError::TooLong { .. } => ErrorCode::TooLong,
                        HeaderError::NotDecimal { .. } | HeaderError::Empty => ErrorCode::NotAnEvent,
                    };
                    let rejection = Rejection::new(code, format!("{error}; connect again"));
                    let output = encode(Event::Error(rejection), None);
                    return Step::Close { reason: CloseReason::from(&error), detail: error.to_string(), output };
                }
            }
        }
    }

    /// Resumes the request that waited for the history, once that is done.
    fn take_what_waited(&mut self, context: &mut SessionContext<'_>) -> Step {
        if context.awaits() != Awaits::Nothing {
            return Step::Continue;
        }
        match (std::mem::take(&mut self.waiting), *context.member) {
            (Waiting::Hello(waited), None) => self.enter_again(*waited, NameHolder::Unasked, context),
            (Waiting::End(end), _) => *end,
            (Waiting::Asked(asked), Some(member)) => answer(member, *asked, &mut self.waiting, context),
            _ => Step::Continue,
        }
    }

    /// Resumes a `hello` that waited for the holder of its name: dead or alive.
    pub(crate) fn resume_claim(&mut self, holder: NameHolder, context: &mut SessionContext<'_>) -> Step {
        match std::mem::take(&mut self.waiting) {
            Waiting::Hello(waited) => self.enter_again(*waited, holder, context),
            other => {
                self.waiting = other;
                Step::Continue
            }
        }
    }

    fn enter_again(
        &mut self,
        (hello, reference): (Hello, Option<String>),
        holder: NameHolder,
        context: &mut SessionContext<'_>,
    ) -> Step {
        let step = enter(hello, reference, holder, &mut self.waiting, context);
        if context.member.is_some() {
            self.decoder.set_payload_bytes_max(EVENT_BYTES_MAX);
        }
        step
    }
}

fn before_welcome(payload: &[u8], waiting: &mut Waiting, context: &mut SessionContext<'_>) -> Step {
    let Envelope { content: rejection, reference } = match Request::from_json(payload) {
        Ok(Request { content: Ask::Hello(hello), reference }) => {
            return enter(hello, reference, NameHolder::Unasked, waiting, context);
        }
        Ok(Request { content: Ask::Bye {}, .. }) => return Step::leave(CloseReason::Bye, Vec::new()),
        Ok(Request { reference, .. }) => {
            Envelope::new(Rejection::new(ErrorCode::OutOfOrder, "say hello first"), reference)
        }
        Err(bad) => bad,
    };
    let mut output = encode(Event::Error(rejection), reference);
    // An unregistered client that repeats requests holds no more memory than the limit.
    if context.pre_login_output.len() + output.len() > GREETING_BYTES_MAX {
        let detail = "too many requests before hello".to_string();
        return Step::Close { reason: CloseReason::NoHello, detail, output: Vec::new() };
    }
    context.pre_login_output.append(&mut output);
    Step::Continue
}

/// Logs the client in, or keeps its `hello` until its wait ends.
fn enter(
    hello: Hello,
    reference: Option<String>,
    holder: NameHolder,
    waiting: &mut Waiting,
    context: &mut SessionContext<'_>,
) -> Step {
    let info = match context.connect_info() {
        Ok(info) => info,
        Err(end) => return end,
    };
    let pause = match context.hub.enter_event(&hello, reference.as_deref(), holder, info) {
        Ok(LoginOutcome::As(member)) => {
            *context.member = Some(member);
            return Step::Continue;
        }
        Ok(LoginOutcome::NameHolder(holder)) => Pause::Takeover { holder },
        Ok(LoginOutcome::Awaits) => Pause::History,
        Err(refused) => {
            let reason =
                if refused.code == ErrorCode::Banned { CloseReason::Banned } else { CloseReason::HelloRefused };
            let detail = refused.text.clone();
            let output = encode(Event::Error(refused), reference);
            return Step::Close { reason, detail, output };
        }
    };
    *waiting = Waiting::Hello(Box::new((hello, reference)));
    Step::Pause(pause)
}

fn receive(member: MemberId, payload: &[u8], waiting: &mut Waiting, context: &mut SessionContext<'_>) -> Step {
    let asked = Request::from_json(payload);
    if context.awaits() == Awaits::Nothing {
        return answer(member, asked, waiting, context);
    }
    // More messages are accepted while the history stores earlier ones. Everything else,
    // also the refusal of a message, waits for that.
    if let Ok(Request { content: Ask::Send(send), reference }) = &asked {
        context.hub.note_activity(member, context.now);
        if let Ok(reply) = context.hub.say(member, send, reference.clone(), context.now) {
            context.hub.reply(member, Ok(reply), reference.clone());
            return Step::Continue;
        }
    }
    *waiting = Waiting::Asked(Box::new(asked));
    Step::Pause(Pause::History)
}

fn answer(
    member: MemberId,
    asked: Result<Request, Envelope<Rejection>>,
    waiting: &mut Waiting,
    context: &mut SessionContext<'_>,
) -> Step {
    let request = match asked {
        Ok(request) => request,
        Err(Envelope { content, reference }) => {
            context.hub.reply(member, Err(content), reference);
            return Step::Continue;
        }
    };
    if let Ask::Join(join) = &request.content
        && !context.hub.knows_rooms(context.connection, [join.room.as_str()])
    {
        *waiting = Waiting::Asked(Box::new(Ok(request)));
        return Step::Pause(Pause::History);
    }
    let Request { content: ask, reference } = request;
    if matches!(ask, Ask::Bye {}) {
        return Step::leave(CloseReason::Bye, encode(Event::bye("goodbye"), reference));
    }
    let reply = execute(member, ask, reference.as_ref(), context);
    context.hub.reply(member, reply, reference);
    Step::Continue
}

/// Executes a request. One answered later, by the history, keeps the `ref`.
fn execute(member: MemberId, ask: Ask, reference: Option<&String>, context: &mut SessionContext<'_>) -> ReplyResult {
    let now = context.now;
    let hub = &mut *context.hub;
    // A program may repeat these without a user.
    if !matches!(ask, Ask::Ping {} | Ask::Pong {} | Ask::Members(_)) {
        hub.note_activity(member, now);
    }
    match ask {
        Ask::Send(send) => hub.say(member, &send, reference.cloned(), now),
        Ask::Direct(direct) => {
            if direct.reply {
                hub.check_reply(member, &direct.to)?;
            }
            hub.send_direct(member, &direct.to, &direct.text, Some(direct.id), now)
        }
        Ask::Join(join) => hub.join(member, &join.room, now),
        Ask::Leave(leave) => hub.leave(member, &leave.room, now),
        Ask::Rename(rename) => hub.rename(member, &rename.name, now),
        Ask::Members(asked) => Ok(Event::Members(hub.members_of(member, &asked.room)?).into()),
        Ask::Whois(asked) => Ok(Event::Whois(hub.whois(&asked.name, now)?).into()),
        Ask::Rooms {} => Ok(Event::Rooms(hub.rooms_listed()).into()),
        Ask::Away(reason) => Ok(Event::Away(hub.set_away(member, reason.text.as_deref(), now)?).into()),
        Ask::Ping {} => Ok(Event::Pong {}.into()),
        Ask::Operate(operate) => hub.operate(member, &operate.line, reference.cloned(), now),
        Ask::History(range) => hub.read_history(member, &range, reference.cloned()),
        Ask::Search(search) => hub.search_history(member, &search, reference.cloned()),
        Ask::Hello(_) => Err(Rejection::new(ErrorCode::OutOfOrder, "you have said hello already; go on")),
        // A `pong` only shows that the client is alive.
        Ask::Pong {} | Ask::Bye {} => Ok(Reply::Nothing),
    }
}

fn encode(event: Event, reference: Option<String>) -> Vec<u8> {
    Dialect::Event.encode(&Envelope::new(event, reference))
}
