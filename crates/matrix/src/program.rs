//! Schemes that are programs in any language (`docs/scheme-programs.md`): their processes.

mod process;
mod seal;

use std::path::Path;
use std::sync::Arc;

use glassline_secure::external::{
    ClientKeys, ExternalError, ExternalLinks, Features, KnownServer, ServerSecrets, SharedProgram,
};
use glassline_wire::layer::LayerStack;

use crate::adversary::Adversary;
use crate::scheme::{LinkScheme, MemberKeys, Memory, Scheme, ServerKeys};
use crate::schemes::{Plain, Unsealed};
use crate::secret::Secret;
use process::Process;
use seal::ProgramSeal;

/// Causes for which a program is no scheme.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The system does not start it.
    #[error("{0} cannot be started: {1}; is it executable, and does its first line name an interpreter?")]
    Start(String, std::io::Error),
    /// Its answers are wrong, or there are none.
    #[error(transparent)]
    Answer(#[from] ExternalError),
    /// It offers neither.
    #[error("the program says that it has neither a link nor a seal; see docs/scheme-programs.md")]
    Nothing,
}

/// Starts a program, and returns its scheme: its link, its seal, or one over the other. Attacks that
/// concern what it does not have are left out.
///
/// # Errors
/// It is no scheme.
pub fn scheme(program: &Path) -> Result<Scheme, ProgramError> {
    let started = Process::start(program);
    let process = started.map_err(|error| ProgramError::Start(program.display().to_string(), error))?;
    let (shared, Features { name, link, seal, .. }) = SharedProgram::greet(process)?;
    let name = if name.is_empty() { "mine".to_owned() } else { name };
    let program_link = || Arc::new(ProgramLink(ExternalLinks::new(shared.clone())));
    match (link, seal) {
        (true, true) => Ok(Scheme::new(name, program_link(), Arc::new(ProgramSeal::new(shared.clone())))),
        (true, false) => Ok(Scheme::new(name, program_link(), Arc::new(Unsealed)).only(Adversary::Line)),
        (false, true) => {
            let seal = Arc::new(ProgramSeal::new(shared.clone()));
            Ok(Scheme::new(name, Arc::new(Plain), seal).only(Adversary::Insider))
        }
        (false, false) => Err(ProgramError::Nothing),
    }
}

/// Link of a program.
#[derive(Debug)]
struct ProgramLink(ExternalLinks);

impl KnownServer for Memory {
    fn record(&self, public: &[u8]) {
        self.is_or_becomes(public);
    }
}

impl LinkScheme for ProgramLink {
    fn public(&self, own: &Secret) -> Vec<u8> {
        // A program that does not answer carries no honest message either, which is reported.
        self.0.public(own).unwrap_or_default()
    }

    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack {
        let known = memory.known();
        let keys = ClientKeys { own: &keys.own, shared: &keys.shared, known: known.as_deref(), random: &random };
        LayerStack::new(vec![self.0.client(keys, Arc::clone(memory) as Arc<dyn KnownServer>)])
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        let keys = ServerSecrets { own: &keys.own, shared: &keys.shared, random: &random };
        LayerStack::new(vec![self.0.server(keys)])
    }
}
