//! Width of the written pages.

const COLUMNS_MAX: usize = 100;

/// Returns a page whose paragraphs and list items keep to 100 columns; a row of a table is one line.
pub fn wrapped(page: &str) -> String {
    let mut wrapped = String::new();
    for line in page.lines() {
        if line.starts_with('|') || line.chars().count() <= COLUMNS_MAX {
            wrapped.push_str(line);
        } else {
            wrap(line, &mut wrapped);
        }
        wrapped.push('\n');
    }
    wrapped
}

fn wrap(line: &str, wrapped: &mut String) {
    let indent = if line.starts_with("- ") { "  " } else { "" };
    let mut columns = 0;
    for word in line.split(' ') {
        let width = word.chars().count();
        if columns > 0 && columns + 1 + width > COLUMNS_MAX {
            wrapped.push('\n');
            wrapped.push_str(indent);
            columns = indent.len();
        } else if columns > 0 {
            wrapped.push(' ');
            columns += 1;
        }
        wrapped.push_str(word);
        columns += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_items_are_wrapped_and_tables_are_not() {
        let (word, row) = ("é".repeat(49), format!("| {} |", "wide ".repeat(40)));
        let page = format!("# Title\n\n{word} {word} {word}\n- {word} {word} end\n{row}\n");
        let expected = format!("# Title\n\n{word} {word}\n{word}\n- {word}\n  {word} end\n{row}\n");
        assert_eq!(wrapped(&page), expected);
        assert_eq!(wrapped(&expected), expected);
    }
}
