//! The systems that are measured: how each is started, alone, on the server's core.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use glassline_testkit::Folder;
use rustix::process::{Pid, Signal, kill_process};

use crate::certificate::Certificate;
use crate::child::OwnedChild;
use crate::peers::{Event, Irc, Nats, Peer, Resp, Tutorial};
use crate::pinning::{MEASURED_CORE, on_core};

const START_LIMIT: Duration = Duration::from_secs(10);
/// Longest wait for a server to end; it stores first what waits to be stored.
const END_LIMIT: Duration = Duration::from_secs(60);
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";
const START_POLL: Duration = Duration::from_millis(10);
/// ngIRCd listens with a queue of ten; the others with thousands.
const NGIRCD_CONNECTS_AT_ONCE: usize = 8;
const CONNECTS_AT_ONCE: usize = 128;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum System {
    Floor,
    Glassline,
    GlasslineEvent,
    Broadcast,
    Redis,
    Nats,
    Ngircd,
}

impl System {
    /// The program of a peer that an installation brings, which is also the name of its package.
    pub fn peer_program(self) -> Option<&'static str> {
        match self {
            Self::Redis => Some("redis-server"),
            Self::Nats => Some("nats-server"),
            Self::Ngircd => Some("ngircd"),
            _ => None,
        }
    }

    pub fn missing(self) -> Option<String> {
        let program = self.peer_program()?;
        match find_program(program) {
            Some(_) => None,
            None => Some(format!("not installed: apt-get install {program}")),
        }
    }

    /// Returns why a peer cannot be started with TLS.
    pub fn tls_missing(self) -> Option<String> {
        let has_tls = match self {
            Self::Redis => find_program("redis-server").is_some_and(|program| knows_tls_port(&program)),
            // It says what it was built with beside its version.
            Self::Ngircd => self.version().is_some_and(|version| version.contains("SSL")),
            // The standard library of its language has TLS.
            _ => true,
        };
        self.missing().or_else(|| (!has_tls).then(|| "the installed package is built without TLS".to_owned()))
    }

    /// Returns the version line of an installed peer.
    pub fn version(self) -> Option<String> {
        let program = find_program(self.peer_program()?)?;
        let flag = if self == Self::Nats { "-v" } else { "--version" };
        let said = Command::new(program).arg(flag).output().ok()?;
        Some(String::from_utf8_lossy(&said.stdout).lines().next()?.trim().to_owned())
    }

    pub fn peer(self) -> Box<dyn Peer> {
        match self {
            Self::Floor => Box::new(Tutorial::through_the_floor()),
            Self::Glassline | Self::Broadcast => Box::new(Tutorial::member()),
            Self::GlasslineEvent => Box::new(Event::default()),
            Self::Redis => Box::new(Resp),
            Self::Nats => Box::new(Nats),
            Self::Ngircd => Box::new(Irc),
        }
    }

    pub fn connects_at_once(self) -> usize {
        if self == Self::Ngircd { NGIRCD_CONNECTS_AT_ONCE } else { CONNECTS_AT_ONCE }
    }

    /// Starts it where it is measured.
    pub fn start(self, glassline: &Path) -> Result<Server> {
        self.start_on(MEASURED_CORE, glassline)
    }

    pub fn start_on(self, core: usize, glassline: &Path) -> Result<Server> {
        self.start_with(core, glassline, &words(&["--history", "none"]))
    }

    /// Starts it on a core; Glassline gets these options after its own.
    pub fn start_with(self, core: usize, glassline: &Path, options: &[OsString]) -> Result<Server> {
        self.launch(core, glassline, options, None)
    }

    /// Starts a peer where it is measured, with TLS under a key of its own.
    pub fn start_secured_peer(self) -> Result<Server> {
        ensure!(self.peer_program().is_some(), "{} is no peer", self.into_str());
        // Read once it listens; the files are not needed any longer.
        let certificate = Certificate::new()?;
        self.launch(MEASURED_CORE, Path::new(""), &[], Some(&certificate))
    }

    fn launch(
        self,
        core: usize,
        glassline: &Path,
        options: &[OsString],
        certificate: Option<&Certificate>,
    ) -> Result<Server> {
        let folder = Folder::new();
        let port = free_port()?;
        let own_program = std::env::current_exe()?;
        let (program, args) = match self {
            Self::Floor | Self::Broadcast => (own_program.into_os_string(), words(&[self.into_str(), "127.0.0.1:0"])),
            Self::Glassline | Self::GlasslineEvent => {
                let args = [&words(&["serve", "--listen", "127.0.0.1:0"]), options].concat();
                (glassline.as_os_str().to_owned(), args)
            }
            Self::Redis => ("redis-server".into(), redis_args(port, certificate)),
            Self::Nats => {
                let config = folder.write("nats.conf", nats_config(port, certificate));
                ("nats-server".into(), vec!["-c".into(), config.into_os_string()])
            }
            Self::Ngircd => {
                let config = folder.write("ngircd.conf", ngircd_config(port, certificate)?);
                ("ngircd".into(), vec!["-n".into(), "-f".into(), config.into_os_string()])
            }
        };
        let program =
            find_program(&program).with_context(|| format!("{} is not there", Path::new(&program).display()))?;
        let child = on_core(core, program.as_os_str())
            .args(args)
            .stdin(Stdio::null())
            .stdout(File::create(folder.join(STDOUT))?)
            .stderr(File::create(folder.join(STDERR))?)
            .spawn()
            .context("cannot start setpriv and taskset (util-linux)")?;
        // From here on the guard ends the child on any failure.
        let mut server = Server { child: child.into(), addr: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), folder };
        server.wait_until_listening(self.peer_program().is_none())?;
        Ok(server)
    }
}

/// A running server; dropping it ends it.
pub struct Server {
    child: OwnedChild,
    pub addr: SocketAddr,
    /// Configuration and output.
    folder: Folder,
}

impl Server {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the address of Glassline's metrics, which it announces after its listening address.
    pub fn metrics_addr(&self) -> Result<SocketAddr> {
        let until = Instant::now() + START_LIMIT;
        while Instant::now() < until {
            if let Some(addr) = self.announced("metrics on ")? {
                return Ok(addr);
            }
            std::thread::sleep(START_POLL);
        }
        bail!("it does not say where its numbers are")
    }

    /// Returns the address that follows these words on stdout.
    fn announced(&self, words: &str) -> Result<Option<SocketAddr>> {
        let said = fs::read_to_string(self.folder.join(STDOUT))?;
        let addr = said.lines().find_map(|line| line.strip_prefix(words));
        // A line still being written has no newline yet.
        let addr = addr.filter(|_| said.ends_with('\n'));
        addr.map(|addr| addr.trim().parse().context("an unreadable address")).transpose()
    }

    /// Asks Glassline to end, and waits until it has: what it keeps is then closed.
    pub fn end(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).context("the server is gone")?;
        let until = Instant::now() + END_LIMIT;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "ended with {status}: {}", self.last_line().unwrap_or_default());
                return Ok(());
            }
            std::thread::sleep(START_POLL);
        }
        bail!("it does not end within {END_LIMIT:?}")
    }

    /// The last line that the server wrote about itself, to go with a failure.
    pub fn last_line(&self) -> Option<String> {
        [self.folder.join(STDERR), self.folder.join(STDOUT)].iter().find_map(|path| {
            let text = fs::read_to_string(path).ok()?;
            text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
        })
    }

    fn wait_until_listening(&mut self, announces_address: bool) -> Result<()> {
        let until = Instant::now() + START_LIMIT;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended at once ({status}): {}", self.last_line().unwrap_or_default());
            }
            if announces_address {
                if let Some(addr) = self.announced("listening on ")? {
                    self.addr = addr;
                    return Ok(());
                }
            } else if TcpStream::connect_timeout(&self.addr, START_LIMIT).is_ok() {
                return Ok(());
            }
            std::thread::sleep(START_POLL);
        }
        bail!("not listening after {START_LIMIT:?}: {}", self.last_line().unwrap_or_default())
    }
}

/// Returns whether this Redis has the option, which ends at once where it is told to listen nowhere.
fn knows_tls_port(program: &Path) -> bool {
    let said = Command::new(program).args(["--port", "0", "--tls-port", "0"]).stdin(Stdio::null()).output();
    said.is_ok_and(|said| !String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).contains("Bad directive"))
}

fn redis_args(port: u16, certificate: Option<&Certificate>) -> Vec<OsString> {
    let port = port.to_string();
    let mut args = words(&["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    match certificate {
        None => args.extend(words(&["--port", &port])),
        Some(certificate) => {
            args.extend(words(&["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]));
            args.extend(["--tls-cert-file".into(), certificate.chain().into()]);
            args.extend(["--tls-key-file".into(), certificate.key().into()]);
        }
    }
    args.extend(words(&["--tcp-backlog", "4096", "--maxclients", "15000"]));
    // By default a subscriber that lags by 32 MiB is disconnected.
    args.extend(words(&["--client-output-buffer-limit", "pubsub 0 0 0"]));
    args
}

fn nats_config(port: u16, certificate: Option<&Certificate>) -> String {
    let tls = certificate.map_or_else(String::new, |certificate| {
        let (chain, key) = (certificate.chain().display(), certificate.key().display());
        format!("tls {{ cert_file: \"{chain}\", key_file: \"{key}\", timeout: 60 }}\n")
    });
    // Generous where the defaults would cut a slow subscriber; no pings, which the generator does not answer.
    format!(
        "listen: \"127.0.0.1:{port}\"\nwrite_deadline: \"120s\"\nmax_pending: 1073741824\nping_interval: \"1h\"\n{tls}"
    )
}

fn ngircd_config(port: u16, certificate: Option<&Certificate>) -> Result<String> {
    let (plain_port, tls) = match certificate {
        None => (port, String::new()),
        // It listens in plaintext as well, always.
        Some(certificate) => {
            let (chain, key) = (certificate.chain().display(), certificate.key().display());
            (free_port()?, format!("[SSL]\nPorts = {port}\nCertFile = {chain}\nKeyFile = {key}\n"))
        }
    };
    Ok(format!(
        "[Global]\nName = bench.example.net\nInfo = bench\nAdminInfo1 = bench\nListen = 127.0.0.1\nPorts = {plain_port}\n\
         MotdPhrase = hello\n\
         [Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\nMaxJoins = 0\nMaxNickLength = 20\n\
         PingTimeout = 3600\nPongTimeout = 3600\n\
         [Options]\nDNS = no\nIdent = no\nPAM = no\n{tls}"
    ))
}

pub fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Servers are in `sbin`, which is not on every path.
pub fn find_program(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let name = Path::new(name.as_ref());
    if name.components().count() > 1 {
        return fs::canonicalize(name).ok();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(sbin).map(|dir| dir.join(name)).find(|file| file.is_file())
}
