//! Words for the index, quoted, so that nothing in them is syntax.

/// Writes one behind what was asked before.
pub(super) fn put_quoted(asked: &mut String, characters: impl Iterator<Item = char>) {
    asked.push('"');
    for character in characters {
        if character == '"' {
            asked.push('"');
        }
        asked.push(character);
    }
    asked.push('"');
}
