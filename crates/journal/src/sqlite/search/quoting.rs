//! Terms of an index query.

/// Appends a term to an index query, quoted so that nothing in it is syntax.
pub(super) fn put_quoted(query: &mut String, term: impl Iterator<Item = char>) {
    query.push('"');
    for character in term {
        if character == '"' {
            query.push('"');
        }
        query.push(character);
    }
    query.push('"');
}
