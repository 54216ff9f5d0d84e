//! Keys of members and rooms. A key is never used again: a stale one finds nothing.

slotmap::new_key_type! {
    /// Key of a member.
    pub struct MemberId;

    /// Key of an open room.
    pub(crate) struct RoomId;
}

#[cfg(test)]
pub(crate) fn member_id(number: u64) -> MemberId {
    slotmap::KeyData::from_ffi(number).into()
}
