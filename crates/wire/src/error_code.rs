//! The words of the closed list of causes (E6), for whoever counts them.

use crate::event::ErrorCode;

impl ErrorCode {
    /// Every cause, in the order of their declaration.
    pub const ALL: [Self; 24] = [
        Self::NotAnEvent,
        Self::NotUtf8,
        Self::UnknownType,
        Self::BadField,
        Self::OutOfOrder,
        Self::BadName,
        Self::NameTaken,
        Self::TooLong,
        Self::EmptyText,
        Self::UnknownRoom,
        Self::BadRoom,
        Self::TooManyRooms,
        Self::UnknownName,
        Self::Busy,
        Self::IdReused,
        Self::TooLate,
        Self::NoHistory,
        Self::NotStored,
        Self::NotOperator,
        Self::Muted,
        Self::Frozen,
        Self::Banned,
        Self::Kicked,
        Self::Rate,
    ];

    /// The word that stands for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotAnEvent => "not_an_event",
            Self::NotUtf8 => "not_utf8",
            Self::UnknownType => "unknown_type",
            Self::BadField => "bad_field",
            Self::OutOfOrder => "out_of_order",
            Self::BadName => "bad_name",
            Self::NameTaken => "name_taken",
            Self::TooLong => "too_long",
            Self::EmptyText => "empty_text",
            Self::UnknownRoom => "unknown_room",
            Self::BadRoom => "bad_room",
            Self::TooManyRooms => "too_many_rooms",
            Self::UnknownName => "unknown_name",
            Self::Busy => "busy",
            Self::IdReused => "id_reused",
            Self::TooLate => "too_late",
            Self::NoHistory => "no_history",
            Self::NotStored => "not_stored",
            Self::NotOperator => "not_operator",
            Self::Muted => "muted",
            Self::Frozen => "frozen",
            Self::Banned => "banned",
            Self::Kicked => "kicked",
            Self::Rate => "rate",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_listed_once_in_place_with_its_wire_word() {
        for (place, code) in ErrorCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, place, "{code:?}");
            assert_eq!(serde_json::to_value(code).expect("a word"), code.word());
        }
        assert_eq!(ErrorCode::Rate as usize, ErrorCode::ALL.len() - 1, "the last one declared is the last one listed");
    }
}
