//! Identity of the user at the server.

use alloc::collections::VecDeque;

use crate::prelude::*;

/// Earlier names of the user: a message sent under one may be acknowledged under it later.
const FORMER_NAMES_MAX: usize = 8;

/// Role of the user at the server, for the lifetime of the connection (O1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Member,
    Operator,
}

#[derive(Debug)]
pub(crate) struct Identity {
    name: String,
    /// Names before that, the latest of them.
    former_names: VecDeque<String>,
    /// Token of the last `welcome`, which takes the name back (E2).
    token: Option<String>,
    /// Reason why the user is away: sent again after a reconnect.
    away: Option<String>,
    role: Role,
}

impl Identity {
    pub(crate) fn new(name: String) -> Self {
        Self { name, former_names: VecDeque::new(), token: None, away: None, role: Role::Member }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn had_name(&self, name: &str) -> bool {
        self.former_names.iter().any(|former| former == name)
    }

    pub(crate) fn rename(&mut self, name: &str) {
        if self.name != name {
            if self.former_names.len() == FORMER_NAMES_MAX {
                self.former_names.pop_front();
            }
            self.former_names.push_back(core::mem::replace(&mut self.name, name.into()));
        }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Takes over name and token of a `welcome`; returns the role on the connection before.
    pub(crate) fn welcome(&mut self, name: &str, token: &str) -> Role {
        self.rename(name);
        self.token = Some(token.into());
        core::mem::replace(&mut self.role, Role::Member)
    }

    pub(crate) fn become_operator(&mut self) {
        self.role = Role::Operator;
    }

    pub(crate) fn away(&self) -> Option<&str> {
        self.away.as_deref()
    }

    pub(crate) fn set_away(&mut self, reason: Option<&str>) {
        self.away = reason.map(Into::into);
    }
}
