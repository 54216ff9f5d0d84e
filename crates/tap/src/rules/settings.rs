//! Settings of a rule, as they stand in a file or in one line: taken one by one, and every fault
//! noted with its place.

use serde_json::{Map, Value};

use super::error::{Fault, unknown};

/// Longest time of a rule, in microseconds: nothing waits longer, whatever is written.
const DURATION_US_MAX: u64 = 3_600_000_000;
/// Characters of a wrong value that an error shows.
const SHOWN_CHARS_MAX: usize = 40;

/// A key and its value; tables are keys with dots. A value of a line is a text.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) at: usize,
}

/// The settings that were not taken, and what was wrong with those that were.
#[derive(Debug)]
pub(super) struct Settings {
    left: Vec<Setting>,
    /// Place of the rule.
    at: usize,
    /// True if values have types: a text is a text, and no number.
    is_typed: bool,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
    missing: Vec<Fault>,
}

impl Settings {
    pub(super) fn new(left: Vec<Setting>, at: usize, is_typed: bool) -> Self {
        Self { left, at, is_typed, known: Vec::new(), faults: Vec::new(), missing: Vec::new() }
    }

    /// Reports the first fault: what is wrong before what is unknown before what is missing.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        let keys = &self.known;
        let unknown = self.left.iter().map(|setting| Fault::new(setting.at, unknown("key", &setting.key, keys)));
        self.faults.extend(unknown);
        let first = self.faults.into_iter().min_by_key(|fault| fault.at);
        first.or_else(|| self.missing.into_iter().next()).map_or(Ok(()), Err)
    }

    /// Notes that something is not there.
    pub(super) fn miss(&mut self, what: impl Into<String>) {
        self.missing.push(Fault::new(self.at, what));
    }

    pub(super) fn fault(&mut self, at: usize, what: impl Into<String>) {
        self.faults.push(Fault::new(at, what));
    }

    /// Takes the setting of this key.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Setting> {
        self.known.push(key);
        let at = self.left.iter().position(|setting| setting.key == key)?;
        Some(self.left.remove(at))
    }

    /// Takes the settings whose key is `group`, a dot and a field; returns fields and settings.
    pub(super) fn take_group(&mut self, group: &'static str) -> Vec<(String, Setting)> {
        self.known.push(group);
        let (meant, left) = std::mem::take(&mut self.left)
            .into_iter()
            .partition::<Vec<_>, _>(|setting| setting.key.split_once('.').is_some_and(|(first, _)| first == group));
        self.left = left;
        let field =
            |setting: &Setting| setting.key.split_once('.').map_or(String::new(), |(_, field)| field.to_owned());
        meant.into_iter().map(|setting| (field(&setting), setting)).collect()
    }

    /// Takes a value that `read` understands; `advice` says what it does.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        advice: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let setting = self.take(key)?;
        let found = plain(&setting.value).as_deref().and_then(read);
        if found.is_none() {
            self.fault(setting.at, format!("{key} cannot be {}; {advice}", shown(&setting.value)));
        }
        found
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.read(key, "write a text", |text| Some(text.to_owned()))
    }

    pub(super) fn number<T: std::str::FromStr + PartialOrd + std::fmt::Display + Copy>(
        &mut self,
        key: &'static str,
        least: T,
        most: T,
    ) -> Option<T> {
        let advice = format!("write a number from {least} to {most}");
        self.read(key, &advice, |text| text.parse().ok().filter(|number| (least..=most).contains(number)))
    }

    pub(super) fn truth(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, "write true or false", |text| text.parse().ok())
    }

    /// Takes a time, in microseconds.
    pub(super) fn duration_us(&mut self, key: &'static str) -> Option<u64> {
        let advice = "write a time of at most an hour with its unit, such as 200us, 50ms, 2s or 1m";
        self.read(key, advice, |text| duration_us(text).filter(|us| *us <= DURATION_US_MAX))
    }

    /// Takes one of these words.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let advice = format!("write {}", names.join(" or "));
        self.read(key, &advice, |text| words.iter().find(|(name, _)| *name == text).map(|(_, word)| *word))
    }

    /// Takes words: a list, or a text that is split at spaces.
    pub(super) fn words(&mut self, key: &'static str) -> Option<Vec<String>> {
        let setting = self.take(key)?;
        let words = match &setting.value {
            Value::Array(list) => list.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
            Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
            _ => None,
        };
        let words = words.filter(|words: &Vec<String>| !words.is_empty());
        if words.is_none() {
            self.fault(
                setting.at,
                format!("{key} cannot be {}; write a program and its arguments", shown(&setting.value)),
            );
        }
        words
    }

    /// Takes a JSON object: a table, JSON as text, or a group of fields.
    pub(super) fn object(&mut self, key: &'static str) -> Option<Map<String, Value>> {
        let fields = self.take_group(key);
        if !fields.is_empty() {
            let typed = |(field, setting): (String, Setting)| {
                let value = self.typed(&field, setting.value);
                (field, value)
            };
            return Some(fields.into_iter().map(typed).collect());
        }
        let setting = self.take(key)?;
        let value = match &setting.value {
            Value::String(json) => serde_json::from_str(json).unwrap_or_default(),
            other => other.clone(),
        };
        if let Value::Object(object) = value {
            return Some(object);
        }
        self.fault(setting.at, format!("{key} cannot be {}; write a JSON object", shown(&setting.value)));
        None
    }

    /// Returns the value that a field is to have: in a line, what is JSON is JSON, except in fields
    /// that are texts.
    pub(super) fn typed(&self, field: &str, value: Value) -> Value {
        const TEXTS: [&str; 11] = ["type", "name", "from", "to", "room", "text", "id", "ref", "token", "query", "line"];
        match value {
            Value::String(text) if !self.is_typed && !TEXTS.contains(&field) => {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
            value => value,
        }
    }
}

/// Returns a value that is no list or table as it is written.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The value for an error: short, and with its control characters escaped.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn duration_us(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit_us = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit_us)
}
