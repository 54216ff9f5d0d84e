//! The frame of a page of HTML that needs no other file and no script. `maud` escapes every text.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Returns a page with this title, style and content. Its policy lets a browser load nothing, whatever
/// is in it.
pub fn page(title: &str, style: &'static str, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                // Without it a browser asks the server for a picture.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body { main { (content) } }
        }
    }
    .into_string()
}
