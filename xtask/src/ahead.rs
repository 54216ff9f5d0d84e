//! Tools and builds of later steps, made while earlier steps wait for their tests.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::command::behind;
use crate::tools::{self, Install, Tool};
use crate::{fuzz, programs};

/// Time between two looks at a build.
const POLL: Duration = Duration::from_millis(100);

/// Builds made in the background, one after the other; ended with this value.
///
/// Each step builds what it uses in any case: it finds what is done here, and waits for what is under
/// way. So what fails here is reported where a step repeats it.
pub(crate) struct Ahead(Arc<Mutex<State>>);

enum State {
    /// Before the first build, or between two.
    Ready,
    Building(Child),
    Over,
}

impl Ahead {
    /// Begins with the build that is used first. Where `tools` may be installed without asking, they
    /// are, too.
    pub(crate) fn start(tools: Vec<Tool>, install: Install) -> Self {
        if install == Install::Yes {
            // What is still missing is reported by the step that needs it.
            thread::spawn(move || tools::ensure(&tools, install));
        }
        let builds = [
            Ok(programs::simulation_build()),
            Ok(programs::release_build()),
            Ok(programs::crash_build()),
            fuzz::build(),
        ];
        let state = Arc::new(Mutex::new(State::Ready));
        let shared = Arc::clone(&state);
        thread::spawn(move || builds.iter().flatten().for_each(|build| make(build, &shared)));
        Self(state)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        if let State::Building(mut build) = std::mem::replace(&mut *lock(&self.0), State::Over) {
            // It may have ended by itself.
            let _ = build.kill();
            let _ = build.wait();
        }
    }
}

/// Makes one build, without a word: cargo repeats its warnings and errors to the step that uses it.
fn make(build: &Command, state: &Mutex<State>) {
    {
        let mut state = lock(state);
        if matches!(*state, State::Over) {
            return;
        }
        let mut build = behind(build);
        let Ok(build) = build.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else { return };
        *state = State::Building(build);
    }
    loop {
        thread::sleep(POLL);
        let mut state = lock(state);
        let State::Building(build) = &mut *state else { return };
        if !matches!(build.try_wait(), Ok(None)) {
            *state = State::Ready;
            return;
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
