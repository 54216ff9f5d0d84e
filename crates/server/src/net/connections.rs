//! The connections there are, by their keys.

use slab::Slab;

use crate::connection_key::ConnectionKey;
use crate::net::connection::Connection;

#[derive(Debug)]
pub(crate) struct Connections<S> {
    entries: Slab<(ConnectionKey, Connection<S>)>,
    next_serial: u32,
}

impl<S> Connections<S> {
    pub(crate) fn new() -> Self {
        Self { entries: Slab::new(), next_serial: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn insert(&mut self, connection: Connection<S>) -> ConnectionKey {
        let key = ConnectionKey::new(self.next_serial, self.entries.vacant_key());
        self.next_serial = self.next_serial.wrapping_add(1);
        self.entries.insert((key, connection));
        key
    }

    pub(crate) fn get(&self, key: ConnectionKey) -> Option<&Connection<S>> {
        self.entries.get(key.index()).filter(|(of, _)| *of == key).map(|(_, connection)| connection)
    }

    pub(crate) fn get_mut(&mut self, key: ConnectionKey) -> Option<&mut Connection<S>> {
        self.entries.get_mut(key.index()).filter(|(of, _)| *of == key).map(|(_, connection)| connection)
    }

    pub(crate) fn remove(&mut self, key: ConnectionKey) -> Option<Connection<S>> {
        self.get(key)?;
        Some(self.entries.remove(key.index()).1)
    }

    /// Key of the connection that has this place now.
    pub(crate) fn key_at(&self, index: usize) -> Option<ConnectionKey> {
        self.entries.get(index).map(|(key, _)| *key)
    }

    /// Number of connections accepted since this one, itself included; exact below 2³².
    pub(crate) fn age(&self, key: ConnectionKey) -> u32 {
        self.next_serial.wrapping_sub(key.serial())
    }

    /// Has serials continue from here, for tests of their end.
    #[cfg(test)]
    pub(crate) fn set_next_serial(&mut self, serial: u32) {
        self.next_serial = serial;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnectionKey, &Connection<S>)> {
        self.entries.iter().map(|(_, (key, connection))| (*key, connection))
    }
}
