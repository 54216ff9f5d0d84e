//! `--json`: one JSON object for each observation.

use std::net::SocketAddr;

use glassline_tap::Observation;
use serde_json::json;

use super::print::Format;

/// Lines for programs.
pub(super) struct Json {
    /// Seed of the rules' decisions.
    pub(super) seed: u64,
}

impl Format for Json {
    fn start(&mut self, listens: SocketAddr, to: SocketAddr) -> String {
        json!({"observation": "listening", "address": listens.to_string(), "to": to.to_string(), "seed": self.seed})
            .to_string()
    }

    fn line(&mut self, observation: &Observation) -> String {
        observation.to_json().to_string()
    }
}
