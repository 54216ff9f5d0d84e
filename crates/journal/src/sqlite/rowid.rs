//! Rowids of messages: room and number in one integer, so that reading a room needs no other index.

/// Bits of a number: enough for a million messages a second for twelve days.
pub(crate) const SEQ_BITS: u32 = 40;

pub(crate) const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;

/// Last room's id: the remaining bits of a positive 64-bit integer.
pub(crate) const ROOM_ID_MAX: i64 = (1 << (63 - SEQ_BITS)) - 1;

/// Returns the rowid of a room's message. Numbers above [`SEQ_MAX`] count as that, where nothing is
/// stored.
pub(crate) fn rowid(room_id: i64, seq: u64) -> i64 {
    (room_id << SEQ_BITS) | seq.min(SEQ_MAX).cast_signed()
}

pub(crate) fn room_of(rowid: i64) -> i64 {
    rowid >> SEQ_BITS
}

pub(crate) fn seq_of(rowid: i64) -> u64 {
    rowid.cast_unsigned() & SEQ_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rowids_of_a_room_are_consecutive_and_never_overlap() {
        assert!(rowid(1, SEQ_MAX) < rowid(2, 0));
        assert_eq!(rowid(1, u64::MAX), rowid(1, SEQ_MAX));
        assert!(rowid(ROOM_ID_MAX, SEQ_MAX) > 0);
        for (room_id, seq) in [(1, 1), (7, SEQ_MAX), (ROOM_ID_MAX, 5)] {
            assert_eq!((room_of(rowid(room_id, seq)), seq_of(rowid(room_id, seq))), (room_id, seq));
        }
    }
}
