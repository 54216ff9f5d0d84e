//! The usual tokio example: a task per connection, a broadcast channel, a write per message.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use glassline_testkit::frame::HEADER_BYTES;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

use crate::floor;

/// Room for every message that a workload has in flight: a receiver that lags would lose some.
const CHANNEL_MESSAGES: usize = 16 * 1024;
const LONGEST_PAYLOAD_BYTES: usize = 16 * 1024;

#[derive(Clone)]
struct Message {
    from: SocketAddr,
    pair: Arc<[u8]>,
}

pub fn serve(addr: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(floor::bind(addr)?)?;
        println!("listening on {}", listener.local_addr()?);
        let (messages, _) = broadcast::channel(CHANNEL_MESSAGES);
        loop {
            let (stream, from) = listener.accept().await?;
            tokio::spawn(member(stream, from, messages.clone()));
        }
    })
}

async fn member(stream: TcpStream, from: SocketAddr, messages: Sender<Message>) -> Result<()> {
    stream.set_nodelay(true)?;
    let (read_half, write_half) = stream.into_split();
    let mut reader = BufReader::new(read_half);
    let mut name = Vec::new();
    read_frame(&mut reader, &mut name).await?;
    let writer = tokio::spawn(write_messages(write_half, from, messages.subscribe()));
    let mut text = Vec::new();
    while read_frame(&mut reader, &mut text).await.is_ok() {
        let pair = [name.as_slice(), text.as_slice()].concat().into();
        // Fails only without receivers.
        let _ = messages.send(Message { from, pair });
    }
    writer.abort();
    Ok(())
}

async fn write_messages(mut stream: OwnedWriteHalf, own: SocketAddr, mut messages: Receiver<Message>) -> Result<()> {
    loop {
        match messages.recv().await {
            Ok(message) if message.from == own => {}
            Ok(message) => stream.write_all(&message.pair).await?,
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

/// Reads one frame, header included.
async fn read_frame(reader: &mut (impl AsyncReadExt + Unpin), frame: &mut Vec<u8>) -> Result<()> {
    let mut header = [0; HEADER_BYTES];
    reader.read_exact(&mut header).await?;
    let len: usize = std::str::from_utf8(&header)?.trim().parse().context("not a frame header")?;
    if len > LONGEST_PAYLOAD_BYTES {
        bail!("a frame of {len} bytes");
    }
    frame.clear();
    frame.extend_from_slice(&header);
    frame.resize(HEADER_BYTES + len, 0);
    reader.read_exact(&mut frame[HEADER_BYTES..]).await?;
    Ok(())
}
