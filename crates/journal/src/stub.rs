#![allow(missing_docs, clippy::pedantic)]
use crate::*;
use glassline_wire::request::{HistoryRange, Search};
use std::{path::Path, sync::Arc, time::Duration};
pub type Ticket = u64;
#[derive(Debug)]
pub enum Question {
    Head(String),
    Range(HistoryRange),
    Search(Search),
}
#[derive(Debug)]
pub enum Answer {
    Head(Head),
    Page(Page),
}
#[derive(Debug)]
pub enum Done {
    Appended { ticket: Ticket, outcome: Outcome },
    NotStored { ticket: Ticket, error: Arc<StoreError> },
    Answered { ticket: Ticket, answer: Result<Answer, StoreError> },
    Failed(StoreError),
}
#[derive(Debug)]
pub struct Journal;
pub struct Gauges;
#[derive(Default)]
pub struct Keep {
    pub days: Option<u32>,
    pub bytes: Option<u64>,
}
pub fn open(_: &Path, _: Keep) -> Result<Box<dyn Store>, StoreError> {
    todo!()
}
impl Journal {
    pub fn start(_: Box<dyn Store>, _: impl Fn() + Send + Sync + 'static) -> Result<Self, StoreError> {
        todo!()
    }
    pub fn append(&self, _: Vec<(Ticket, Record)>) {}
    pub fn is_full(&self) -> bool {
        false
    }
    pub fn ask(&self, _: Ticket, _: Question) -> bool {
        false
    }
    pub fn take_done(&self) -> Vec<Done> {
        vec![]
    }
    pub fn gauges(&self) -> Gauges {
        Gauges
    }
    pub fn close(self, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }
}
