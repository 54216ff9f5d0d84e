//! Limits of a peer's sends (clauses T7 and L). Both sides hold to these; a server publishes them
//! in `welcome`.

/// Length of a frame's header in bytes (T1).
pub const HEADER_BYTES: usize = 10;
/// Longest name in characters (T7): fits beside a message on an 80-column screen.
pub const NAME_CHARS_MAX: usize = 32;
/// Longest name in bytes (T7): 32 characters of up to two bytes, or 16 of four.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest text of one message in bytes (T7): several screens, and still one segment on a loopback.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest payload of an event frame in bytes: JSON may spend six bytes on one byte of text (`\u0000`), plus the other fields.
pub const EVENT_BYTES_MAX: usize = 6 * TEXT_BYTES_MAX + 4 * 1024;
/// Longest first frame in bytes before a name is accepted (L): an unregistered client takes no more
/// memory than this.
pub const GREETING_BYTES_MAX: usize = 4 * 1024;
/// Longest room name in characters.
pub const ROOM_CHARS_MAX: usize = 32;
/// Longest `ref` that is echoed, in bytes: enough for a UUID or a counter, too small to use the server as storage.
pub const REF_BYTES_MAX: usize = 64;
/// Bytes of base64 of a sealed message that are enough for the record in it (S2), and end with a whole
/// byte.
pub const SEALED_BEGINNING_BYTES: usize = 388;

/// Most names in one `joined` or `left` (T11); the rest is a count.
pub const ANNOUNCED_NAMES_MAX: usize = 20;
/// Most names in one `members` answer; `count` is the number in all.
pub const LISTED_NAMES_MAX: usize = 1_000;
/// Most rooms in one `rooms` answer: five hundred of the longest names fit an event's frame; `count` is the number in all.
pub const LISTED_ROOMS_MAX: usize = 500;
/// Longest text of `away` in bytes: it is a reason, not a message, and stays with the member for as long as it is away.
pub const AWAY_BYTES_MAX: usize = 256;
/// Most messages in one `history`: several screens, and what one frame holds of ordinary ones.
pub const PAGE_MESSAGES_MAX: usize = 200;
/// Longest text to look for, in bytes: it is compared with every message that may hold it.
pub const QUERY_BYTES_MAX: usize = 256;
/// Longest line of `operate` in bytes: a command, a network, an end and a reason of some sentences.
pub const OPERATE_BYTES_MAX: usize = 1_024;
/// Longest `sealed` in bytes of base64 (S2): the longest text with everything a sealed message has
/// beside it.
pub const SEALED_BYTES_MAX: usize = 24 * 1024;
