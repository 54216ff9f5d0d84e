//! Handshakes: as many as the server takes, and what they cost those who talk.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use glassline_testkit::Folder;

use super::Link;
use crate::certificate::Certificate;
use crate::child::OwnedChild;
use crate::pinning::{GENERATOR_CORE, MEASURED_CORE, on_core};
use crate::process::cpu_ns;
use crate::results::{Figures, Measure};
use crate::systems::free_port;

const START_LIMIT: Duration = Duration::from_secs(10);
const START_POLL: Duration = Duration::from_millis(10);

/// Server of a handshake measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(const_into_str)]
pub enum Answerer {
    #[strum(serialize = "glassline")]
    Glassline,
    #[strum(serialize = "openssl s_server")]
    OpenSsl,
}

impl Answerer {
    /// Has `openssl s_time` shake hands for this long.
    pub fn measure(self, glassline: &Path, measured: Duration) -> Result<Figures> {
        match self {
            Self::Glassline => {
                let server = Link::Tls.start(glassline)?;
                rate(server.addr, server.pid(), measured)
            }
            Self::OpenSsl => {
                let server = OpenSslServer::start()?;
                rate(server.addr, server.child.id(), measured)
            }
        }
    }
}

fn rate(addr: SocketAddr, pid: u32, measured: Duration) -> Result<Figures> {
    let (before_ns, started) = (cpu_ns(pid)?, Instant::now());
    let output = s_time(addr, measured.as_secs().max(1), 0).stdout(Stdio::piped()).output()?;
    let (elapsed, busy_ns) = (started.elapsed(), cpu_ns(pid)? - before_ns);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let handshakes: f64 = text
        .lines()
        .find_map(|line| line.split_once(" connections in")?.0.trim().parse().ok())
        .with_context(|| format!("openssl s_time says: {text}"))?;
    if handshakes < 1.0 {
        bail!("no handshake has succeeded");
    }
    Ok(Figures::from([
        (Measure::HandshakesPerSecond, handshakes / elapsed.as_secs_f64()),
        (Measure::CpuMicrosPerHandshake, busy_ns as f64 / 1e3 / handshakes),
        (Measure::ServerBusyPercent, 100.0 * busy_ns as f64 / elapsed.as_nanos() as f64),
    ]))
}

/// Returns the command that shakes hands, one connection after the other, on the generator's core.
fn s_time(addr: SocketAddr, seconds: u64, niceness: u8) -> Command {
    let mut command = on_core(GENERATOR_CORE, "nice".as_ref());
    command.args(["-n", &niceness.to_string(), "openssl", "s_time", "-new", "-tls1_3"]);
    command.args(["-connect", &addr.to_string(), "-time", &seconds.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Clients that connect, shake hands and leave, again and again. Dropping it ends them.
pub struct Storm(Vec<OwnedChild>);

impl Storm {
    /// Starts so many of them for at most so many seconds. They give way to the generator, on whose
    /// core they are.
    pub fn start(addr: SocketAddr, clients: usize, seconds: u64) -> Result<Self> {
        let mut storm = Self(Vec::new());
        for _ in 0..clients {
            storm.0.push(s_time(addr, seconds, 19).spawn().context("cannot start openssl")?.into());
        }
        Ok(storm)
    }
}

/// `openssl s_server`, with a key of the same kind and without tickets, as Glassline has none.
struct OpenSslServer {
    child: OwnedChild,
    addr: SocketAddr,
    /// Output.
    _folder: Folder,
}

impl OpenSslServer {
    fn start() -> Result<Self> {
        let (folder, certificate) = (Folder::new(), Certificate::new()?);
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = on_core(MEASURED_CORE, "openssl".as_ref());
        command.args(["s_server", "-quiet", "-tls1_3", "-num_tickets", "0", "-accept", &addr.to_string()]);
        command.arg("-cert").arg(certificate.chain()).arg("-key").arg(certificate.key());
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("stdout"))?)
            .stderr(File::create(folder.join("stderr"))?)
            .spawn()
            .context("cannot start openssl")?;
        // From here on the guard ends the child on any failure.
        let mut server = Self { child: child.into(), addr, _folder: folder };
        server.wait_until_listening()?;
        Ok(server)
    }

    fn wait_until_listening(&mut self) -> Result<()> {
        let until = Instant::now() + START_LIMIT;
        while TcpStream::connect(self.addr).is_err() {
            if self.child.try_wait()?.is_some() || Instant::now() > until {
                bail!("openssl s_server does not listen");
            }
            std::thread::sleep(START_POLL);
        }
        Ok(())
    }
}
