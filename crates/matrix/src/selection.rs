//! Choice of cells on a command line.

use std::str::FromStr;

use crate::attack::Attack;
use crate::scheme::Scheme;

/// Cells, as `ATTACK/SCHEME`; all of a row or a column where one side is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    attack: String,
    scheme: String,
}

/// The text has no `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cell is named by attack and scheme, as in `tamper/noise`; one of them may be left out")]
pub struct SelectionError;

impl Selection {
    pub(crate) fn contains(&self, attack: &Attack, scheme: &Scheme) -> bool {
        let is_named = |name: &str, wanted: &str| wanted.is_empty() || name == wanted;
        scheme.is_about(attack.adversary())
            && is_named(attack.id(), &self.attack)
            && is_named(&name_of(scheme.name()), &self.scheme)
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let (attack, scheme) = text.split_once('/').ok_or(SelectionError)?;
        Ok(Self { attack: attack.to_owned(), scheme: name_of(scheme) })
    }
}

/// Name of a scheme in one word.
pub(crate) fn name_of(scheme: &str) -> String {
    scheme.replace(' ', "-")
}
