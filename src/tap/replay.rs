//! `glassline tap replay`: plays one side of a recorded connection back.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, anyhow};
use glassline_tap::replay::{Ids, Outcome, Player, Script};
use glassline_tap::{Direction, Permission, Role, Side, cause, reach};
use glassline_wire::message_id::MessageId;

use super::arguments::ReplayArguments;
use super::columns::safe;
use super::{PURPOSE, confirmation, report};
use crate::note;

/// Time to connect to the server.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Bytes that are played, and their peer.
enum Peer {
    Server(SocketAddr),
    Client(SocketAddr),
}

impl Peer {
    fn of(arguments: &ReplayArguments) -> anyhow::Result<Self> {
        match (arguments.to, arguments.listen) {
            (Some(to), _) => Ok(Self::Server(to)),
            (None, Some(listen)) => Ok(Self::Client(listen)),
            (None, None) => Err(anyhow!("name the other side: --to a server, or --listen for a client")),
        }
    }

    fn check(&self, beyond_loopback: bool) -> anyhow::Result<()> {
        let (role, address) = match self {
            Self::Server(address) => (Role::Target, *address),
            Self::Client(address) => (Role::Listen, *address),
        };
        let permission = if beyond_loopback { Permission::PrivateNetworks } else { Permission::LoopbackOnly };
        reach::check(role, address, permission)?;
        if beyond_loopback {
            confirmation::ask(&format!("The recorded bytes will be sent to whoever is at {address}."))?;
        }
        Ok(())
    }

    /// Direction of the bytes that are played, and the side of the tap on which they were recorded
    /// as sent.
    fn side(&self) -> (Direction, Side) {
        match self {
            Self::Server(_) => (Direction::ToServer, Side::Client),
            Self::Client(_) => (Direction::ToClient, Side::Server),
        }
    }

    fn connect(&self) -> anyhow::Result<TcpStream> {
        match self {
            Self::Server(address) => TcpStream::connect_timeout(address, CONNECT_MAX)
                .map_err(|error| anyhow!("cannot connect to {address}: {}; start the server there", cause(&error))),
            Self::Client(address) => {
                let listener = TcpListener::bind(address)
                    .map_err(|error| anyhow!("cannot listen on {address}: {}; choose another port", cause(&error)))?;
                println!("listening on {}", listener.local_addr()?);
                Ok(listener.accept().context("cannot accept a client")?.0)
            }
        }
    }
}

/// Plays a connection and prints what became of it.
pub(super) fn replay(arguments: &ReplayArguments) -> anyhow::Result<()> {
    note(PURPOSE);
    let peer = Peer::of(arguments)?;
    peer.check(arguments.beyond_loopback)?;
    let script = script(arguments, peer.side())?;
    let player = Player::new(&script, peer.connect()?, Duration::from_secs(arguments.wait_s));
    let outcome = player.context("cannot use the connection")?.run()?;
    print(&outcome, &script);
    if outcome.missing.is_empty() { Ok(()) } else { Err(anyhow!("not everything that was waited for has arrived")) }
}

fn script(arguments: &ReplayArguments, (direction, side): (Direction, Side)) -> anyhow::Result<Script> {
    let capture = report::open(&arguments.recording)?;
    if let Some(loss) = capture.end().loss() {
        note(format_args!("{loss}, so connection {} may not be whole", arguments.connection));
    }
    let number = arguments.connection;
    if let Some(connection) = capture.connections(side).find(|connection| connection.number == number) {
        let frames = connection.frames.iter().map(|captured| &captured.frame);
        let ids = if arguments.fresh { Ids::Fresh } else { Ids::Identical };
        return Ok(Script::new(frames, direction, ids, fresh_id)?);
    }
    let rejected = capture
        .rejected()
        .iter()
        .find(|rejected| rejected.number == number && rejected.side.is_none_or(|of| of == side));
    if let Some(rejected) = rejected {
        return Err(anyhow!("connection {number} cannot be played back: {}", rejected.reason));
    }
    let count = capture.connections(side).count();
    Err(anyhow!("the recording has no connection {number}; it has {count}, numbered from 1 on"))
}

fn fresh_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness of the system the id is one that the server may know; it then says so.
    let _ = getrandom::fill(&mut bytes);
    MessageId(u128::from_le_bytes(bytes)).to_string()
}

fn print(outcome: &Outcome, script: &Script) {
    let frames = script.steps().iter().filter(|step| matches!(step, glassline_tap::replay::Step::Send { .. })).count();
    println!("sent {} of {frames} frames, received {}", outcome.sent, outcome.received);
    if script.pongs_omitted() > 0 {
        let pongs = match script.pongs_omitted() {
            1 => "1 recorded pong was".to_owned(),
            count => format!("{count} recorded pongs were"),
        };
        println!("{pongs} not repeated: pings are answered as they come");
    }
    for rejection in &outcome.rejections {
        println!("the other side refused something, in these words: {}", safe(rejection));
    }
    for awaited in &outcome.missing {
        println!("did not arrive in time: {}", safe(&awaited.to_string()));
    }
    if outcome.ended_by_peer {
        println!("the other side ended the connection");
    }
}
