//! The relays that are measured, each started alone on the measured core.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use glassline_testkit::Folder;

use crate::child::OwnedChild;
use crate::pinning::{MEASURED_CORE, on_core};
use crate::process::{ListenQueue, cpu_ns};
use crate::systems::{find_program, free_port, words};

const START_LIMIT: Duration = Duration::from_secs(20);
const START_POLL: Duration = Duration::from_millis(10);

/// A program that relays bytes between a client and a server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(const_into_str)]
pub enum Relay {
    #[strum(serialize = "plain relay")]
    Plain,
    #[strum(serialize = "socat")]
    Socat,
    #[strum(serialize = "tap")]
    Tap,
    #[strum(serialize = "tap --linear")]
    TapLinear,
    #[strum(serialize = "tap --record")]
    TapRecord,
    #[strum(serialize = "socat -x")]
    SocatHex,
    #[strum(serialize = "mitmdump")]
    Mitmdump,
}

impl Relay {
    /// Returns why it cannot be measured, if it is not installed.
    pub fn missing(self) -> Option<&'static str> {
        let (program, reason) = match self {
            Self::Plain | Self::Tap | Self::TapLinear | Self::TapRecord => return None,
            Self::Socat | Self::SocatHex => ("socat", "not installed: apt-get install socat"),
            Self::Mitmdump => ("mitmdump", "not installed: pip install mitmproxy==11.0.2, in a venv on the PATH"),
        };
        if find_program(program).is_some() { None } else { Some(reason) }
    }

    /// Returns the version of a program that an installation brings.
    pub fn version(self) -> Option<String> {
        let (program, flag, line) = match self {
            Self::Socat => ("socat", "-V", 1),
            Self::Mitmdump => ("mitmdump", "--version", 0),
            _ => return None,
        };
        let said = Command::new(find_program(program)?).arg(flag).output().ok()?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        said.lines().nth(line).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Returns the factor by which it is given less to do, since it is that much slower.
    pub fn divisor(self) -> u64 {
        match self {
            Self::SocatHex => 20,
            _ => 1,
        }
    }

    /// Starts it in front of this server.
    pub fn start(self, glassline: &Path, to: SocketAddr) -> Result<Running> {
        if let Some(reason) = self.missing() {
            bail!(reason);
        }
        let folder = Folder::new();
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let (program, args) = self.command(glassline, (addr, to), &folder)?;
        let program = find_program(&program).with_context(|| format!("{} is not there", program.display()))?;
        let child = on_core(MEASURED_CORE, program.as_os_str())
            .args(args)
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("stdout"))?)
            // socat -x writes there what passes, as fast as it can.
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start setpriv and taskset (util-linux)")?;
        // From here on the guard ends the child on any failure.
        let mut running = Running { child: child.into(), addr, folder };
        running.wait_until_listening()?;
        Ok(running)
    }

    fn command(
        self,
        glassline: &Path,
        (addr, to): (SocketAddr, SocketAddr),
        folder: &Folder,
    ) -> Result<(OsString, Vec<OsString>)> {
        let tap = |options: &[&str]| {
            let common = words(&["tap", "--listen", &addr.to_string(), "--to", &to.to_string()]);
            (glassline.as_os_str().to_owned(), [common, words(options)].concat())
        };
        let socat = |options: &[&str]| {
            let listen = format!("TCP-LISTEN:{},bind=127.0.0.1,reuseaddr,fork,backlog=1024", addr.port());
            ("socat".into(), [words(options), words(&[&listen, &format!("TCP:{to}")])].concat())
        };
        Ok(match self {
            Self::Plain => {
                let own = std::env::current_exe()?.into_os_string();
                (own, words(&["plain-relay", &addr.to_string(), &to.to_string()]))
            }
            Self::Socat => socat(&[]),
            Self::SocatHex => socat(&["-x"]),
            Self::Tap => tap(&["--quiet"]),
            Self::TapLinear => tap(&["--linear"]),
            Self::TapRecord => {
                let file = folder.join("recording.pcapng").display().to_string();
                tap(&["--quiet", "--overwrite", "--record", &file])
            }
            Self::Mitmdump => {
                let mode = format!("reverse:tcp://{to}@{addr}");
                let settings = format!("confdir={}", folder.path().display());
                ("mitmdump".into(), words(&["-q", "--mode", &mode, "--set", &settings]))
            }
        })
    }
}

/// A running relay; dropping it ends it.
pub struct Running {
    child: OwnedChild,
    pub addr: SocketAddr,
    folder: Folder,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of the relay and of the processes that it has started and that run, in nanoseconds.
    pub fn cpu_ns(&self) -> Result<u64> {
        let mut total = cpu_ns(self.pid())?;
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid()))?;
        for child in children.split_whitespace() {
            total += cpu_ns(child.parse()?)?;
        }
        Ok(total)
    }

    /// Waits without connecting: a connection would reach the server.
    fn wait_until_listening(&mut self) -> Result<()> {
        let until = Instant::now() + START_LIMIT;
        let queue = ListenQueue::of(self.addr);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(self.folder.join("stdout")).unwrap_or_default();
                bail!("ended at once ({status}): {}", said.lines().last().unwrap_or_default());
            }
            if queue.waiting().is_some() {
                return Ok(());
            }
            std::thread::sleep(START_POLL);
        }
        bail!("not listening after {START_LIMIT:?}")
    }
}
