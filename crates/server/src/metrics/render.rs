//! A server's numbers, with their descriptions.

use glassline_wire::link::LinkKind;

use crate::close_reason::CloseReason;
use crate::metrics::counters::Counted;
use crate::metrics::exposition::Exposition;
use crate::metrics::{Snapshot, journal};

/// The numbers of a server; `answered`: its loop gave them just now.
pub(crate) fn render(snapshot: &Snapshot, answered: bool) -> String {
    let mut out = Exposition::new();
    out.family("glassline_build_info", "gauge", "Always 1; the version is in the label.").labelled(
        "version",
        env!("CARGO_PKG_VERSION"),
        1,
    );
    let help =
        "Whether the server's loop gave these numbers just now (1), or did not answer in time (0) and they are old.";
    out.gauge("glassline_loop_answers", help, u8::from(answered));
    present(&mut out, snapshot);
    said(&mut out, snapshot);
    refused(&mut out, snapshot);
    if let Some(gauges) = &snapshot.journal {
        journal::add(&mut out, gauges);
    }
    out.into_text()
}

fn present(out: &mut Exposition, snapshot: &Snapshot) {
    out.gauge("glassline_members", "Members: connections whose name was accepted.", snapshot.members);
    out.gauge("glassline_connections", "Connections, members or not.", snapshot.connections);
    out.gauge("glassline_nameless_connections", "Connections that have no name yet.", snapshot.unregistered);
    out.gauge("glassline_http_connections", "Browsers' connections without a WebSocket.", snapshot.http);
    out.gauge("glassline_websocket_connections", "Connections with a WebSocket.", snapshot.websockets);
    let help = "Connections by their link; one whose handshake is under way counts as plaintext.";
    out.family("glassline_link_connections", "gauge", help);
    for (link, count) in LinkKind::ALL.into_iter().zip(snapshot.connections_by_link) {
        out.labelled("link", link.as_str(), count);
    }
    out.gauge("glassline_rooms", "Rooms, the lobby included.", snapshot.rooms);
    let help = "Bytes in all rooms' logs that some member has not been sent yet.";
    out.gauge("glassline_room_log_bytes", help, snapshot.log_bytes);
}

fn said(out: &mut Exposition, snapshot: &Snapshot) {
    let (hub, traffic, counters) = (&snapshot.hub, &snapshot.traffic, &snapshot.counters);
    out.counter("glassline_joins_total", "Names accepted.", counters.count(Counted::Joined));
    let help = "Messages sent in rooms, without direct messages, repeated sends and messages that could not be stored.";
    out.counter("glassline_messages_total", help, hub.messages);
    let help = "Messages of rooms written to members, one for each member, as soon as a byte of it is; a sender's own counts where it \
                is sent back as the acknowledgement; what is replayed from the history does not.";
    out.counter("glassline_deliveries_total", help, hub.deliveries);
    let help = "Bytes read from connections.";
    out.counter("glassline_received_bytes_total", help, traffic.received_bytes);
    out.counter("glassline_sent_bytes_total", "Bytes written to connections.", traffic.sent_bytes);
    out.counter("glassline_writes_total", "Writes to connections that took bytes.", traffic.writes);
    let help = "Gaps reported to members that had fallen too far behind.";
    out.counter("glassline_gaps_total", help, counters.count(Counted::Gaps));
    out.counter("glassline_missed_messages_total", "Messages in those gaps.", counters.count(Counted::Missed));
    let pauses = [
        ("connection", Counted::ConnectionPauses),
        ("flood", Counted::FloodPauses),
        ("outbox", Counted::SendQueuePauses),
    ];
    let pauses = pauses.into_iter().map(|(reason, event)| (reason, counters.count(event)));
    let help = "Times that a connection was not read for a while: it sent too much (flood), or did not read its answers (outbox).";
    out.counters("glassline_pauses_total", help, "reason", pauses);
}

fn refused(out: &mut Exposition, snapshot: &Snapshot) {
    let counters = &snapshot.counters;
    let (refusals, endings): (Vec<_>, Vec<_>) = counters.closed().partition(|(reason, _)| reason.is_refusal());
    let text = |counts: Vec<(CloseReason, u64)>| counts.into_iter().map(|(reason, count)| (reason.into_str(), count));
    let help = "Connections refused, or closed for what they sent.";
    out.counters("glassline_refusals_total", help, "reason", text(refusals));
    let help = "Handshakes of secure links that were completed.";
    out.counters(
        "glassline_handshakes_total",
        help,
        "link",
        counters.links().map(|(link, count)| (link.as_str(), count)),
    );
    let help = "Handshakes of secure links that were not completed, by the reason for which the connection ended.";
    out.counters("glassline_failed_handshakes_total", help, "reason", text(counters.failed_handshakes().collect()));
    let codes = snapshot.hub.refusals().map(|(code, count)| (code.into(), count));
    let help = "Requests of members that were answered with an error; the member stays.";
    out.counters("glassline_refused_requests_total", help, "code", codes);
    let help = "Connections that ended in another way than by a refusal.";
    out.counters("glassline_endings_total", help, "reason", text(endings));
    let help = "Times that no connection could be accepted, for want of descriptors or memory.";
    out.counter("glassline_accept_failures_total", help, counters.count(Counted::AcceptFailed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_its_help_and_type_and_its_place() {
        let mut snapshot = Snapshot { members: 3, ..Snapshot::default() };
        snapshot.hub.messages = 41;
        snapshot.counters.add_end(CloseReason::NameRefused, false);
        let text = render(&snapshot, true);
        for line in [
            "# HELP glassline_members Members: connections whose name was accepted.",
            "# TYPE glassline_members gauge",
            "glassline_members 3",
            "glassline_http_connections 0",
            "glassline_websocket_connections 0",
            "# TYPE glassline_messages_total counter",
            "glassline_messages_total 41",
            "glassline_refusals_total{reason=\"name_refused\"} 1",
            "glassline_refusals_total{reason=\"tls_not_spoken\"} 0",
            "glassline_refused_requests_total{code=\"unknown_name\"} 0",
            "glassline_pauses_total{reason=\"flood\"} 0",
            "glassline_loop_answers 1",
            "glassline_link_connections{link=\"plaintext\"} 0",
            "glassline_handshakes_total{link=\"noise\"} 0",
            "glassline_failed_handshakes_total{reason=\"handshake_failed\"} 0",
        ] {
            assert!(text.lines().any(|written| written == line), "no {line:?} in\n{text}");
        }
        assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
    }
}
