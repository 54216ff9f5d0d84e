//! Observations as lines on the standard output.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::Duration;

use glassline_tap::Observation;
use glassline_tap::relay::Observations;

/// Form of an observation as a line.
pub(super) trait Format {
    /// Returns the first line, which tells the address.
    fn start(&mut self, listens: SocketAddr, to: SocketAddr) -> String;
    /// Returns the line of an observation, without its end.
    fn line(&mut self, observation: &Observation) -> String;
}

/// Prints what is reported until the relay ends, or whoever reads has gone.
///
/// # Errors
/// The output cannot be written.
pub(super) fn run(
    format: &mut dyn Format,
    (listens, to): (SocketAddr, SocketAddr),
    observations: &Observations,
) -> io::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    let printed = print(format, (listens, to), observations, &mut output);
    match printed.and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

fn print(
    format: &mut dyn Format,
    (listens, to): (SocketAddr, SocketAddr),
    observations: &Observations,
    output: &mut impl Write,
) -> io::Result<()> {
    writeln!(output, "{}", format.start(listens, to))?;
    loop {
        let observation = match observations.try_receive() {
            Ok(observation) => observation,
            Err(TryRecvError::Disconnected) => return Ok(()),
            Err(TryRecvError::Empty) => {
                output.flush()?;
                match observations.receive_within(Duration::MAX) {
                    Ok(observation) => observation,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            }
        };
        writeln!(output, "{}", format.line(&observation))?;
    }
}
