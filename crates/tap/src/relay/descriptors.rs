//! The limit on open descriptors: a tapped connection needs two.

/// Raises the limit of this process as far as the system lets it. Where it does not, the relay
/// accepts as many connections as there are descriptors.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

/// This system has no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_limit() {}
