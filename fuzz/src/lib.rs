//! Parts that several targets have: random numbers that each run repeats, and a client without
//! suspicion.

use glassline_secure::{NoRandomness, Random, ServerOffer, ServerTrust, Untrusted};

/// Random bytes that count up from a number.
#[derive(Debug)]
pub struct Counting(pub u8);

impl Random for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        Ok(())
    }
}

/// Trust in whatever key a server shows.
#[derive(Debug)]
pub struct AnyServer;

impl ServerTrust for AnyServer {
    fn check(&self, _: &ServerOffer) -> Result<(), Untrusted> {
        Ok(())
    }
}
