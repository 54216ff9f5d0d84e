//! Students at their programs: they connect, say something now and then, leave in the middle of a breath, and come back.

use crate::diary::find;
use crate::line::Told;
use crate::person::unique_text;
use crate::student::Student;
use crate::world::World;

/// A student's program and its connection.
pub(crate) struct Seat {
    pub(crate) student: Student,
    pub(crate) line: Option<u64>,
    pub(crate) dials_at_ms: Option<u64>,
    pub(crate) acts_at_ms: u64,
    /// Last text that it says, once it has said it.
    last_words: Option<String>,
    pub(crate) is_done: bool,
    texts: u64,
}

impl Seat {
    pub(crate) fn new(index: usize) -> Self {
        Self {
            student: Student::new(format!("tom{index}")),
            line: None,
            dials_at_ms: Some(10),
            acts_at_ms: 700,
            last_words: None,
            is_done: false,
            texts: 0,
        }
    }
}

impl World {
    /// Something happened to a student's connection.
    pub(crate) fn tell_student(&mut self, index: usize, id: u64, told: Told) -> Result<(), String> {
        let desk = &mut self.desks[index];
        if desk.line != Some(id) {
            return Ok(());
        }
        match told {
            Told::Bytes(bytes) => desk.student.heard(&bytes)?,
            Told::Written => {}
            Told::Closed => {
                desk.line = None;
                desk.dials_at_ms = Some(self.now_ms + 500);
                if let Some(text) = desk.last_words.take() {
                    desk.is_done = find(&self.disk.lock(), &text).next().is_some();
                    let is_broken = self.lines.get(&id).is_none_or(|line| line.broken);
                    if !desk.is_done && !is_broken {
                        return Err(format!(
                            "{text:?} was said, then the connection was closed in order, and it is not stored"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// A student does what is due.
    pub(crate) fn step_desk(&mut self, index: usize) {
        let now_ms = self.now_ms;
        let owner = self.people.len() + index;
        let desk = &mut self.desks[index];
        if desk.is_done {
            return;
        }
        if desk.dials_at_ms.take_if(|at_ms| *at_ms <= now_ms).is_some() {
            let line = self.connect(owner);
            let desk = &mut self.desks[index];
            desk.line = line;
            match line.and_then(|line| self.lines.get_mut(&line)) {
                Some(line) => line.write(desk.student.connected()),
                None => desk.dials_at_ms = Some(now_ms + 700),
            }
        }
        let desk = &mut self.desks[index];
        if desk.acts_at_ms > now_ms {
            return;
        }
        desk.acts_at_ms = now_ms + self.random.between(1, self.plan.act_every_ms);
        let Some(line) = desk.line.and_then(|line| self.lines.get_mut(&line)) else { return };
        if !desk.student.is_in() || line.has_ended() {
            return;
        }
        if self.is_calm {
            let is_stored = |text: &String| find(&self.disk.lock(), text).next().is_some();
            desk.is_done = desk.last_words.as_ref().is_some_and(is_stored);
            if !desk.is_done && desk.last_words.is_some() {
                return;
            }
        }
        if !desk.is_done {
            desk.texts += 1;
            let text = unique_text(&desk.student.name, desk.texts, &self.plan, &mut self.random);
            line.write(desk.student.say(&text));
            desk.last_words = self.is_calm.then_some(text);
        }
        if self.is_calm || self.random.per_mille(50) {
            // Its end comes right behind what it said, which is taken all the same.
            line.end();
        }
    }
}
