//! The figures as a markdown page.

use std::fmt::Write as _;

use strum::VariantArray as _;

use super::handshakes::Answerer;
use super::sealing::Half;
use super::{Link, PEERS, READERS, STORM_CLIENTS, Workload};
use crate::report::{HOW_TO_READ, head, put_table};
use crate::results::{Measure, Results};
use crate::target::{TITLES, Target, put_row};
use crate::workloads::{Scale, TEXT_BYTES, idle, windowed};

// Writing to a String cannot fail; the results of `write!` are dropped for that reason throughout.

pub fn page(results: &Results, scale: &Scale) -> String {
    let mut page = head("Benchmarks of links", "cargo xtask bench links");
    let _ = writeln!(
        page,
        "- server on core 0, generator on core 1, loopback; links one at a time, in turn; {} rounds, idle at most 3\n\
         - glassline keeps no history here; clients speak the tutorial dialect and show no key of their own\n\
         - the generator counts what arrives over TLS by the lengths of records and does not decrypt it, because it would be the bottleneck; \
         each member has decrypted messages before",
        scale.rounds
    );
    for peer in PEERS {
        let version = match peer.tls_missing() {
            Some(reason) => format!("not run: {reason}"),
            None => peer.version().unwrap_or_else(|| "unknown version".to_owned()),
        };
        let _ = writeln!(page, "- {}: {version}", peer.into_str());
    }
    page.push_str(HOW_TO_READ);
    for &workload in Workload::VARIANTS {
        let table = workload.into_str();
        put_table(&mut page, results, "| row |", table, &explanation(workload), &results.measures(table));
    }
    put_ratios(&mut page, results);
    page
}

fn explanation(workload: Workload) -> String {
    match workload {
        Workload::Fanout => format!(
            "{READERS} readers, one sender, {TEXT_BYTES}-byte texts, {} messages in flight (a message is in flight until the slowest reader has it). \
             The peers have TLS, under a key of the same kind (ECDSA P-256), with the same version and cipher (TLS 1.3, AES-128-GCM). \
             ngircd gets the sender's messages in records of 2 KiB, because it leaves a part of longer ones unread.",
            windowed::FANOUT.window_messages
        ),
        Workload::OneAtATime => format!(
            "{READERS} readers, one sender; a message is sent when the last reader has the one before. Times until the last has it."
        ),
        Workload::Idle => {
            format!("{} members connected and silent. Resident memory against the empty server.", idle::READERS)
        }
        Workload::Handshakes => "`openssl s_time -new -tls1_3` on core 1: handshakes one after the other, without resumption. `openssl s_server` has a \
                                 key of the same kind (ECDSA P-256) and sends no tickets either. Where both servers are not busy, the client was the bottleneck."
            .to_owned(),
        Workload::Storm => format!(
            "As *one-at-a-time* over TLS, first calm, then while {STORM_CLIENTS} × `openssl s_time -new -tls1_3` connect, shake hands and leave, again and \
             again. They share core 1 with the generator and give way to it (nice 19)."
        ),
        Workload::Seal => "Sealing a text of 80 bytes beside a bare Ed25519 signature, and opening it beside a bare strict verification, \
                           with one key and on core 0 (`cargo run --release -p glassline-secure --example seal_cost`)."
            .to_owned(),
    }
}

fn put_ratios(page: &mut String, results: &Results) {
    page.push_str(
        "\n## Ratios\n\nEvery ratio is of two rows in the same round: the median of the rounds, and the smallest and largest.\n\n",
    );
    page.push_str(TITLES);
    let links = (Link::Tls.into_str(), Link::Plain.into_str());
    let servers = (Answerer::Glassline.into_str(), Answerer::OpenSsl.into_str());
    let (fanout, singly) = (Workload::Fanout.into_str(), Workload::OneAtATime.into_str());
    let (shaken, storm) = (Workload::Handshakes.into_str(), Workload::Storm.into_str());
    let (idle, seal) = (Workload::Idle.into_str(), Workload::Seal.into_str());
    let peers: Vec<_> = results.rows(fanout).filter(|row| PEERS.iter().any(|peer| peer.into_str() == *row)).collect();
    let best_peer = if peers.is_empty() { "peer".to_owned() } else { format!("of {}", peers.join(", ")) };
    let beside_peers = format!("fanout over TLS: deliveries/s, glassline ÷ the best {best_peer}");
    let rows = [
        (
            "fanout: deliveries/s, tls ÷ plain",
            results.ratio(fanout, links, Measure::DeliveriesPerSecond),
            Target::AtLeast(0.6),
        ),
        // The same where the server is the bottleneck; it says more where the machine is not quiet.
        (
            "fanout: server CPU, tls ÷ plain",
            results.ratio(fanout, links, Measure::CpuMicrosPerDelivery),
            Target::AtMost(1.0 / 0.6),
        ),
        (
            beside_peers.as_str(),
            results.ratio_to_largest(fanout, Link::Tls.into_str(), &peers, Measure::DeliveriesPerSecond),
            Target::AtLeast(4.0),
        ),
        (
            "one-at-a-time: server CPU, tls ÷ plain",
            results.ratio(singly, links, Measure::CpuMicrosPerDelivery),
            Target::AtMost(1.2),
        ),
        (
            "idle: memory per member, tls − plain (KiB)",
            results.difference(idle, links, Measure::KibPerMember),
            Target::AtMost(8.0),
        ),
        (
            "handshakes/s, glassline ÷ openssl s_server",
            results.ratio(shaken, servers, Measure::HandshakesPerSecond),
            Target::AtLeast(0.8),
        ),
        (
            "storm: p99 with ÷ without",
            results.spread(storm, Link::Tls.into_str(), Measure::StormP99Ratio),
            Target::AtMost(2.0),
        ),
        (
            "sealing ÷ a bare Ed25519 signature",
            results.spread(seal, Half::Sealing.into_str(), Measure::BareRatio),
            Target::AtMost(2.0),
        ),
        (
            "opening ÷ a bare strict verification",
            results.spread(seal, Half::Opening.into_str(), Measure::BareRatio),
            Target::AtMost(1.5),
        ),
    ];
    for (what, figure, target) in rows {
        put_row(page, what, figure, target, "");
    }
}
