//! `glassline operator-token`, and the file with the token that makes a member an operator.

use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use glassline_server::OperatorToken;
use glassline_wire::operator_token::GeneratedToken;

use crate::folders;
use crate::plain_file;

/// A secret and some white space; what is longer is another file.
const FILE_BYTES_MAX: u64 = 4 * 1024;

/// Prints a new token on stdout. Errors: the system has no random bits, or stdout cannot be
/// written.
pub(crate) fn print_new() -> anyhow::Result<()> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).context("cannot make a token without random bits from the system; try again")?;
    let token = GeneratedToken::from_bits(u128::from_ne_bytes(bits));
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{token}")
        .and_then(|()| stdout.flush())
        .context("cannot write the token; direct it to a file that can be written")
}

/// A token, and warnings about its file.
pub(crate) struct TokenRead {
    pub(crate) token: OperatorToken,
    /// Others may read the file, or texts that hold the token are not recognised.
    pub(crate) warnings: Vec<String>,
}

/// Reads the token from its file. Errors: it cannot be read, or holds no token; the text states the
/// cause and what to do.
pub(crate) fn read(path: &Path) -> anyhow::Result<TokenRead> {
    let path =
        &folders::expanded(path).map_err(|advice| anyhow!("--operator-token-file {}: {advice}", path.display()))?;
    let named = || format!("the operators' token in {}", path.display());
    let file = plain_file::open(path).with_context(|| format!("cannot read {}; name another file", named()))?;
    let mut warnings = Vec::new();
    if plain_file::is_open_to_others(&file, path) {
        let chmod = format!("chmod 600 {}", path.display());
        warnings.push(format!("others may read the operators' token; keep it to yourself with `{chmod}`"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", named()))?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is not text in UTF-8; write a new one", named()))?;
    let token = OperatorToken::parse(&text).with_context(named)?;
    if !token.is_recognised_in_text() {
        warnings.push(
            "this operator token is your own: where somebody says it to everybody by mistake, it is not recognised; \
             `glassline operator-token` prints one that is"
                .to_string(),
        );
    }
    Ok(TokenRead { token, warnings })
}
