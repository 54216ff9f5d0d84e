//! A whole run: the rounds, the final check and the summary.

use std::fs;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::time::Instant;

use glassline_testkit::Rng;

use crate::arguments::RunOptions;
use crate::clients::Clients;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::plan::{KillPoint, Plan};
use crate::records;
use crate::script::Script;
use crate::server::Program;
use crate::server_run::ServerRun;

/// Number of servers killed, by when.
#[derive(Debug, Default)]
struct Kills {
    starting: u64,
    recovering: u64,
    under_load: u64,
}

/// Runs the harness and prints the result. Returns whether no promise was broken.
pub(crate) fn run(options: &RunOptions) -> anyhow::Result<bool> {
    let folder = tempfile::Builder::new().prefix("glassline-crash-").tempdir()?;
    let program = Program {
        path: fs::canonicalize(&options.server)
            .map_err(|error| anyhow::anyhow!("cannot run {}: {error}; build it first", options.server.display()))?,
        serve_options: options.serve_options.clone(),
        folder: folder.path().to_path_buf(),
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
        Ok(()) => Ok(true),
        Err(fault) => {
            let folder = folder.keep();
            println!("FAULT in round {round}: {fault}");
            println!("the file and the server's stderr are kept in {}", folder.display());
            let lines = program.stderr_tail();
            if !lines.is_empty() {
                println!("the last lines of the server's stderr:\n{lines}");
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
    let rng = Rng::new(options.seed);
    let mut clients = Clients::new(ledger, &rng.labelled(u64::MAX))?;
    let mut run = |plan: Plan, rng: Rng, ledger: &mut Ledger| {
        let (patience, messages_max) = (options.patience(), options.messages);
        ServerRun { program, clients: &mut clients, ledger, rng, patience, messages_max }.run(plan)
    };
    for number in 1..=options.rounds {
        *round = number;
        let mut rng = rng.labelled(number);
        let plan = Plan::draw(&mut rng, options.messages);
        progress(&format!("round {number} of {}: {:?}", options.rounds, plan.kill_point));
        run(plan, rng, ledger)?;
        match plan.kill_point {
            KillPoint::Starting { .. } => kills.starting += 1,
            KillPoint::Recovering { .. } => kills.recovering += 1,
            KillPoint::UnderLoad { .. } => kills.under_load += 1,
            KillPoint::Settled => {}
        }
    }
    progress("the final check");
    run(Plan::last(), rng.labelled(0), ledger)?;
    records::check(program, ledger)
}

/// Shows a line that replaces the one before, on a terminal.
fn progress(text: &str) {
    if stdout().is_terminal() {
        print!("\r\x1b[K{text}\r");
        // A closed stdout is no error.
        let _ = stdout().flush();
    }
}
