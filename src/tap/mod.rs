//! `glassline tap`: a relay between client and server, shown in a live view, as lines or as JSON.
//! All that passes is read, recorded and changed by [`glassline_tap`]; the terminal is used here
//! alone.

mod arguments;
mod columns;
mod confirmation;
#[cfg(test)]
mod generator;
mod interception;
mod json;
mod line_control;
mod linear;
mod live_report;
mod print;
mod replay;
mod report;
mod rule_tally;
mod rules;
mod running;
mod view;

use std::env;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use glassline_tap::relay::{ChannelObserver, ObserveOutcome, channel};
use glassline_tap::{Observation, Observer, Permission, RelayHandle, RelayOptions, Role, RuleSet, reach};

pub(crate) use arguments::TapArguments;

use arguments::{LineArguments, TapCommand};
use columns::{safe, shown};
use json::Json;
use line_control::LineControl;
use linear::Linear;
use live_report::{Evaluating, Evaluation, LiveReport};
use rule_tally::RuleTally;
use running::{NoServer, Problems, Running};
use view::{Announcer, Input, Inputs, Title};

use crate::signals::end_on_signal;
use crate::{done, note};

/// Observations that wait to be shown at most; further ones are left out and counted. That
/// of an ordinary frame takes 1 to 2 KB with its content as JSON. The view takes them 30 times a second.
const OBSERVATIONS_MAX: usize = 16_384;
/// Memory of their frames, content included.
const OBSERVATIONS_BYTES_MAX: usize = 32 << 20;
/// Words of every start.
const PURPOSE: &str = "glassline tap reads, records and can change what passes between a client and a server. It is for \
                       your own systems, and for people who have agreed to it.";

/// Taps a line until a signal or the user ends it, or works with a recording.
pub(crate) fn tap(arguments: &TapArguments) -> ExitCode {
    done(match &arguments.command {
        None => tap_line(&arguments.line),
        Some(TapCommand::Report(arguments)) => report::report(arguments),
        Some(TapCommand::Replay(arguments)) => replay::replay(arguments),
    })
}

fn tap_line(arguments: &LineArguments) -> anyhow::Result<()> {
    note(PURPOSE);
    let permission = permission(arguments)?;
    let rules = Arc::new(rules::read(arguments)?);
    let hidden_by = hidden_by(arguments);
    if let Some(reason) = hidden_by {
        rules::refuse_holds(&rules, reason)?;
    }
    if !rules.is_empty() {
        note(format_args!("{} in force, seed {}", counted_rules(&rules), rules.seed()));
    }
    let options = RelayOptions::new(arguments.listen, arguments.to).permit(permission).apply(Arc::clone(&rules));
    let options = if arguments.intercept { options.intercept(interception::begin(arguments.to)?) } else { options };
    let rule_tally = RuleTally::new(&rules);
    let evaluation = Evaluation { rule_tally, live_report: arguments.report.then(LiveReport::default) };
    let outcome = match hidden_by {
        None => run_view(arguments, options, rules, evaluation.clone()),
        Some(_) => run_lines(arguments, options, rules.seed(), evaluation.clone()),
    };
    if outcome.is_ok() {
        evaluation.rule_tally.tell();
    }
    evaluation.live_report.map_or(Ok(()), |live_report| report::print(&live_report.report())).and(outcome)
}

/// Relays, and shows the view until the user or a signal ends it.
fn run_view(
    arguments: &LineArguments,
    options: RelayOptions,
    rules: Arc<RuleSet>,
    evaluation: Evaluation,
) -> anyhow::Result<()> {
    let (observer, observations) = channel(OBSERVATIONS_MAX, OBSERVATIONS_BYTES_MAX);
    let (inputs, sender) = Inputs::new();
    let problems = Problems::default();
    let announcing = Announcing { observer, announcer: inputs.announcer(sender.clone()), problems: problems.clone() };
    let running = Running::start(options.observe(Evaluating::new(announcing, evaluation)), arguments)?;
    let at_signal = sender.clone();
    watch_signals(running.handle(), move || {
        // A full queue means that the view takes nothing in; the relay ends all the same.
        let _ = at_signal.try_send(Input::End);
    })?;
    let title = title(arguments, &running, &rules);
    let control = LineControl::new(running.handle(), rules);
    let shown = view::run(&title, (&inputs, sender), &observations, &control);
    // What the view has shown is gone with it.
    let ended = running.end(&observations, Some(&problems));
    shown.context("cannot use the terminal; --linear needs none").and(ended)
}

/// Relays, and prints a line for each observation until a signal ends it.
fn run_lines(
    arguments: &LineArguments,
    options: RelayOptions,
    seed: u64,
    evaluation: Evaluation,
) -> anyhow::Result<()> {
    let (observer, observations) = channel(OBSERVATIONS_MAX, OBSERVATIONS_BYTES_MAX);
    let options = if arguments.quiet {
        options.observe(Evaluating::new(Quiet(observer), evaluation))
    } else {
        options.observe(Evaluating::new(observer, evaluation))
    };
    let running = Running::start(options, arguments)?;
    if !running.has_server() {
        note(NoServer(arguments.to));
    }
    if io::stderr().is_terminal() {
        note("Ctrl-C ends the tap");
    }
    watch_signals(running.handle(), || {})?;
    let addresses = (running.address(), arguments.to);
    let printed = if arguments.json {
        print::run(&mut Json { seed }, addresses, &observations)
    } else {
        print::run(&mut Linear::new(), addresses, &observations)
    };
    let ended = running.end(&observations, None);
    printed.context("cannot write what passes; direct it to a file that can be written").and(ended)
}

/// Returns how far the tap may reach: beyond this machine if the user confirms it. A public address
/// is refused before anything is asked.
fn permission(arguments: &LineArguments) -> anyhow::Result<Permission> {
    if !arguments.beyond_loopback {
        return Ok(Permission::LoopbackOnly);
    }
    for (role, address) in [(Role::Listen, arguments.listen), (Role::Target, arguments.to)] {
        reach::check(role, address, Permission::PrivateNetworks)?;
    }
    confirmation::ask(&format!(
        "The tap will listen on {} and relay to {}. Whoever connects through it is read and can be changed.",
        arguments.listen, arguments.to
    ))?;
    Ok(Permission::PrivateNetworks)
}

/// Returns why the view is not shown: lines are asked for, or there is no terminal that can be
/// drawn on. `None` if it is shown.
fn hidden_by(arguments: &LineArguments) -> Option<&'static str> {
    let flags = [
        (arguments.linear, "--linear is given"),
        (arguments.json, "--json is given"),
        (arguments.quiet, "--quiet is given"),
    ];
    let flag = flags.into_iter().find_map(|(is_given, reason)| is_given.then_some(reason));
    let can_draw = io::stdin().is_terminal() && io::stdout().is_terminal();
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    flag.or((!can_draw).then_some("input or output is no terminal"))
        .or(is_dumb.then_some("the terminal cannot be drawn on (TERM=dumb)"))
}

fn title(arguments: &LineArguments, running: &Running, rules: &RuleSet) -> Title {
    let recording = arguments.record.as_deref().map(|file| format!("recording {}", shown(file)));
    let has_rules = !rules.is_empty();
    Title {
        listens: running.address(),
        to: arguments.to,
        rules: has_rules.then(|| counted_rules(rules)),
        recording,
        is_intercepting: arguments.intercept,
        seed: has_rules.then(|| rules.seed()),
        has_server: running.has_server(),
    }
}

fn counted_rules(rules: &RuleSet) -> String {
    match rules.rules().len() {
        1 => "1 rule".into(),
        count => format!("{count} rules"),
    }
}

fn watch_signals(handle: RelayHandle, then: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let end = move || {
        handle.stop();
        then();
    };
    end_on_signal(end, view::release_keyboard, || {}).context("cannot watch for signals")
}

/// Passes observations on, announces them to the view, and keeps problems for the end.
struct Announcing {
    observer: ChannelObserver,
    announcer: Announcer,
    problems: Problems,
}

impl Observer for Announcing {
    fn observe(&mut self, observation: Observation) -> ObserveOutcome {
        if let Observation::Problem { text, .. } = &observation {
            self.problems.add(text);
        }
        let outcome = self.observer.observe(observation);
        self.announcer.announce();
        outcome
    }
}

/// Passes on what is reported of connections, and asks for no frames.
struct Quiet(ChannelObserver);

impl Observer for Quiet {
    fn observe(&mut self, observation: Observation) -> ObserveOutcome {
        if matches!(observation, Observation::Arrived(..)) {
            ObserveOutcome::Omitted
        } else {
            self.0.observe(observation)
        }
    }

    fn wants_frames(&self) -> bool {
        false
    }
}

/// Returns an error of the tap as its words, which include its cause. A path in it may hold
/// anything.
fn worded(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{}", safe(&error.to_string()))
}
