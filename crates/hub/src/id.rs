//! Keys of members and rooms. A key is never used again: one that is kept too long finds nothing.

use slotmap::DefaultKey;

/// Key of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub(crate) DefaultKey);

/// Key of an open room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RoomId(pub(crate) DefaultKey);

#[cfg(test)]
pub(crate) fn member_id(number: u64) -> MemberId {
    MemberId(slotmap::KeyData::from_ffi(number).into())
}
