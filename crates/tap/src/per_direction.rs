//! One value for each direction of a connection.

use std::ops::{Index, IndexMut};

use crate::frame::Direction;

/// A value for each direction, looked up by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerDirection<T> {
    to_server: T,
    to_client: T,
}

impl<T> PerDirection<T> {
    /// The values of both directions.
    pub fn new(to_server: T, to_client: T) -> Self {
        Self { to_server, to_client }
    }

    /// Returns both values, that of the way to the server first.
    pub fn both(&self) -> [&T; 2] {
        [&self.to_server, &self.to_client]
    }

    /// Returns the value of this direction and that of the other one.
    pub fn split_mut(&mut self, direction: Direction) -> (&mut T, &mut T) {
        match direction {
            Direction::ToServer => (&mut self.to_server, &mut self.to_client),
            Direction::ToClient => (&mut self.to_client, &mut self.to_server),
        }
    }
}

impl<T> Index<Direction> for PerDirection<T> {
    type Output = T;

    fn index(&self, direction: Direction) -> &T {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

impl<T> IndexMut<Direction> for PerDirection<T> {
    fn index_mut(&mut self, direction: Direction) -> &mut T {
        self.split_mut(direction).0
    }
}
