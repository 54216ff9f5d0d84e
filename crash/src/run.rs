//! A whole run: the rounds, the last look, and the line that sums it up.

use std::fs;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::time::Instant;

use crate::arguments::RunOptions;
use crate::crew::Crew;
use crate::draws::Draws;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::life::Life;
use crate::plan::{Death, Plan};
use crate::records;
use crate::script::Script;
use crate::server::{Program, fresh_folder};

/// Number of servers killed, by when.
#[derive(Debug, Default)]
struct Kills {
    starting: u64,
    recovering: u64,
    under_load: u64,
}

/// Runs it, tells what came of it. Returns whether no promise was broken.
///
/// # Errors
/// The harness cannot begin.
pub(crate) fn run(options: &RunOptions) -> anyhow::Result<bool> {
    let folder = fresh_folder(&std::env::temp_dir())?;
    let program = Program {
        path: fs::canonicalize(&options.server)
            .map_err(|error| anyhow::anyhow!("cannot run {}: {error}; build it first", options.server.display()))?,
        serve_options: options.serve_options.clone(),
        folder,
    };
    println!("seed {}, {} rounds, at most {} messages a round", options.seed, options.rounds, options.messages);
    let began = Instant::now();
    let mut ledger = Ledger::new(Script::new(options.seed));
    let mut kills = Kills::default();
    let mut round = 0;
    let ended = rounds(options, &program, &mut ledger, &mut kills, &mut round);
    let Kills { starting, recovering, under_load } = kills;
    println!(
        "rounds {round}, kills {} ({starting} while starting, {recovering} while recovering, {under_load} under load), \
         acknowledged {} ({} of them only after a restart), seen {}, stored {}, faults {}, seed {}, {} s",
        starting + recovering + under_load,
        ledger.acknowledged(),
        ledger.answered_again(),
        ledger.seen(),
        ledger.stored(),
        u8::from(ended.is_err()),
        options.seed,
        began.elapsed().as_secs(),
    );
    match ended {
        Ok(()) => {
            // What is left over of a good run serves nobody; if it stays, it stays.
            let _ = fs::remove_dir_all(&program.folder);
            Ok(true)
        }
        Err(fault) => {
            println!("FAULT in round {round}: {fault}");
            println!("the file and the server's words are kept in {}", program.folder.display());
            let words = program.last_words();
            if !words.is_empty() {
                println!("the server's last words:\n{words}");
            }
            println!(
                "replay it with: {} (the same decisions; the moments within a millisecond are the machine's)",
                options.replay()
            );
            Ok(false)
        }
    }
}

fn rounds(
    options: &RunOptions,
    program: &Program,
    ledger: &mut Ledger,
    kills: &mut Kills,
    round: &mut u64,
) -> Result<(), Fault> {
    let draws = Draws::new(options.seed);
    let mut crew = Crew::new(ledger, &draws.fork(u64::MAX))?;
    let mut live = |plan: Plan, draws: Draws, ledger: &mut Ledger| {
        let (patience, messages_max) = (options.patience, options.messages);
        Life { program, crew: &mut crew, ledger, draws, patience, messages_max }.run(plan)
    };
    for number in 1..=options.rounds {
        *round = number;
        let mut draws = draws.fork(number);
        let plan = Plan::draw(&mut draws, options.messages);
        progress(&format!("round {number} of {}: {:?}", options.rounds, plan.death));
        live(plan, draws, ledger)?;
        match plan.death {
            Death::Starting { .. } => kills.starting += 1,
            Death::Recovering { .. } => kills.recovering += 1,
            Death::UnderLoad { .. } => kills.under_load += 1,
            Death::Settled => {}
        }
    }
    progress("the last look");
    live(Plan::last(), draws.fork(0), ledger)?;
    records::check(program, ledger)
}

/// One line that changes, for whoever watches.
fn progress(text: &str) {
    if stdout().is_terminal() {
        print!("\r\x1b[K{text}\r");
        // Whoever closed stdout does not watch.
        let _ = stdout().flush();
    }
}
