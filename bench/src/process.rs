//! Facts from the kernel about a process: its CPU time, its memory, its listening queue, the
//! machine it runs on.

use std::fs::{self, File};
use std::io::Read;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use rustix::thread::Pid;

/// CPU time of all live threads of a process, in nanoseconds.
pub fn cpu_ns(pid: u32) -> Result<u64> {
    let mut total = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).context("the process is gone")? {
        // A thread may end between the listing and the reading.
        if let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) {
            total += spent_ns(&schedstat);
        }
    }
    Ok(total)
}

/// CPU time of one thread of this process, in nanoseconds.
pub fn thread_cpu_ns(thread: Pid) -> Result<u64> {
    let schedstat = fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).context("the thread is gone")?;
    Ok(spent_ns(&schedstat))
}

fn spent_ns(schedstat: &str) -> u64 {
    schedstat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// Resident memory in KiB.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    field(&status, "VmRSS").and_then(|value| value.trim_end_matches(" kB").parse().ok()).context("no VmRSS")
}

/// The cores that this process may run on, as the kernel writes them (`0-1`, `1`).
pub fn allowed_cores() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    Ok(field(&status, "Cpus_allowed_list").context("no Cpus_allowed_list")?.to_owned())
}

/// Returns the number of descriptors that this process may open.
pub fn descriptor_limit() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

/// One line on the machine: processor, cores, kernel.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpus, "model name").unwrap_or("unknown processor");
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // Behind the version comes what tells of one machine only.
    let version = kernel.trim().split('-').next().unwrap_or("unknown");
    format!("{model}, {cores} cores, Linux {version}")
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// The connections that the kernel made but the server has not accepted yet.
pub struct ListenQueue {
    local_address: String,
}

impl ListenQueue {
    pub fn of(addr: SocketAddr) -> Self {
        let ip = match addr {
            SocketAddr::V4(v4) => u32::from_le_bytes(v4.ip().octets()),
            SocketAddr::V6(_) => 0,
        };
        Self { local_address: format!("{ip:08X}:{:04X}", addr.port()) }
    }

    /// `None` where the kernel does not tell.
    pub fn waiting(&self) -> Option<usize> {
        // Listeners come first in the table: the first page is enough, and reading all of it would cost.
        let mut page = [0; 4096];
        let read = File::open("/proc/net/tcp").ok()?.read(&mut page).ok()?;
        std::str::from_utf8(&page[..read]).ok()?.lines().find_map(|line| {
            let mut columns = line.split_whitespace().skip(1);
            let is_listener = columns.next()? == self.local_address && columns.nth(1)? == "0A";
            let (_, queued) = columns.next()?.split_once(':')?;
            is_listener.then(|| usize::from_str_radix(queued, 16).ok())?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_time() {
        let own = std::process::id();
        assert!(resident_kib(own).unwrap() > 0);
        let before = cpu_ns(own).unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_millis(20);
        while std::time::Instant::now() < until {}
        assert!(cpu_ns(own).unwrap() > before);
        assert!(thread_cpu_ns(rustix::thread::gettid()).unwrap() > 0);
        assert!(!allowed_cores().unwrap().is_empty());
        assert!(descriptor_limit().unwrap() > 0);
    }

    #[test]
    fn a_waiting_connection_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let queue = ListenQueue::of(addr);
        assert_eq!(queue.waiting(), Some(0));
        let _waiting = std::net::TcpStream::connect(addr).unwrap();
        assert_eq!(queue.waiting(), Some(1));
    }
}
