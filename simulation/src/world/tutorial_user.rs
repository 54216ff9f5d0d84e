//! Users of the tutorial dialect: they connect, send at times, leave at once after a message, and come back.

use super::World;
use crate::connection::ConnectionEvent;
use crate::oracle::find;
use crate::sim_user::unique_text;
use crate::tutorial_session::TutorialSession;

#[derive(Default)]
pub(super) struct TutorialUser {
    pub(super) session: TutorialSession,
    pub(super) connection: Option<u64>,
    pub(super) connects_at_ms: Option<u64>,
    pub(super) acts_at_ms: u64,
    /// Last text that it sends, once it was sent.
    final_text: Option<String>,
    pub(super) is_done: bool,
    texts: u64,
}

impl TutorialUser {
    pub(super) fn new(index: usize) -> Self {
        Self {
            session: TutorialSession::new(format!("tom{index}")),
            connects_at_ms: Some(10),
            acts_at_ms: 700,
            ..Self::default()
        }
    }
}

impl World {
    pub(super) fn handle_tutorial(&mut self, index: usize, id: u64, event: ConnectionEvent) -> Result<(), String> {
        let user = &mut self.tutorial_users[index];
        if user.connection != Some(id) {
            return Ok(());
        }
        match event {
            ConnectionEvent::Bytes(bytes) => user.session.receive(&bytes)?,
            ConnectionEvent::Written => {}
            ConnectionEvent::Closed => {
                user.connection = None;
                user.connects_at_ms = Some(self.now_ms + 500);
                if let Some(text) = user.final_text.take() {
                    user.is_done = find(&self.disk.lock(), &text).next().is_some();
                    let is_broken =
                        self.connections.get(&id).is_none_or(|connection| connection.broken || connection.is_orphaned);
                    if !user.is_done && !is_broken {
                        return Err(format!(
                            "{text:?} was said, then the connection was closed in order, and it is not stored"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn step_tutorial_user(&mut self, index: usize) {
        let now_ms = self.now_ms;
        let owner = self.users.len() + index;
        let user = &mut self.tutorial_users[index];
        if user.is_done {
            return;
        }
        if user.connects_at_ms.take_if(|at_ms| *at_ms <= now_ms).is_some() {
            let connection = self.connect(owner);
            let user = &mut self.tutorial_users[index];
            user.connection = connection;
            match connection.and_then(|connection| self.connections.get_mut(&connection)) {
                Some(connection) => connection.write(user.session.connected()),
                None => user.connects_at_ms = Some(now_ms + 700),
            }
        }
        let user = &mut self.tutorial_users[index];
        if user.acts_at_ms > now_ms {
            return;
        }
        user.acts_at_ms = now_ms + self.rng.between(1, self.plan.act_every_ms);
        let Some(connection) = user.connection.and_then(|connection| self.connections.get_mut(&connection)) else {
            return;
        };
        if !user.session.is_in() || connection.has_ended() {
            return;
        }
        if self.is_fault_free {
            let is_stored = |text: &String| find(&self.disk.lock(), text).next().is_some();
            user.is_done = user.final_text.as_ref().is_some_and(is_stored);
            if !user.is_done && user.final_text.is_some() {
                return;
            }
        }
        if !user.is_done {
            user.texts += 1;
            let text = unique_text(&user.session.name, user.texts, &self.plan, &mut self.rng);
            connection.write(user.session.say(&text));
            user.final_text = self.is_fault_free.then_some(text);
        }
        if self.is_fault_free || self.rng.per_mille(50) {
            // Its end follows its messages directly, which are still accepted.
            connection.end();
        }
    }
}
