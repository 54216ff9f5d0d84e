//! Rule files: TOML with a seed and a list of rules.
//!
//! ```toml
//! seed = 7
//!
//! [[rule]]
//! action = "edit"
//! to = "client"
//! text_contains = "secret"
//! replace.text = ["secret", "public"]
//! ```

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Rule;
use super::error::{Fault, RuleError, unknown};
use super::reading;
use super::settings::{Setting, Settings};

/// Most rules of one file: each is evaluated at each frame.
const RULES_MAX: usize = 1_000;
/// Tables whose fields are settings of their own.
const GROUPS: [&str; 3] = ["set", "add", "replace"];

/// Content of a rule file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleFile {
    /// Seed of the decisions, if the file has one.
    pub seed: Option<u64>,
    /// Rules in their order.
    pub rules: Vec<Rule>,
}

impl RuleFile {
    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        parse(text).map_err(|fault| fault.in_file(text))
    }
}

fn parse(text: &str) -> Result<RuleFile, Fault> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Fault::new(at, format!("this is no TOML ({}); write key = value, with texts in quotes", error.message()))
    })?;
    let mut file = RuleFile::default();
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    // The first error in the file is reported.
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        match key.get_ref().as_ref() {
            "seed" => file.seed = Some(seed(value)?),
            "rule" => file.rules = rules(value)?,
            other => return Err(Fault::new(key.span().start, unknown("key", other, &["seed", "rule"]))),
        }
    }
    Ok(file)
}

fn seed(value: &Spanned<DeValue<'_>>) -> Result<u64, Fault> {
    json(value.get_ref()).as_u64().ok_or_else(|| Fault::new(value.span().start, "seed is a number from 0 on"))
}

fn rules(value: &Spanned<DeValue<'_>>) -> Result<Vec<Rule>, Fault> {
    let wrong = || Fault::new(value.span().start, "rules are tables; begin each with [[rule]]");
    let list = value.get_ref().as_array().ok_or_else(wrong)?;
    if list.len() > RULES_MAX {
        return Err(Fault::new(value.span().start, format!("there are {} rules; leave {RULES_MAX}", list.len())));
    }
    list.iter().map(|rule| read_rule(rule.span().start, rule.get_ref().as_table().ok_or_else(wrong)?)).collect()
}

fn read_rule(at: usize, table: &DeTable<'_>) -> Result<Rule, Fault> {
    let mut settings = Vec::new();
    let mut action = None;
    for (key, value) in table {
        let (name, at) = (key.get_ref().as_ref(), key.span().start);
        match value.get_ref() {
            DeValue::String(name) if key.get_ref() == "action" => action = Some((name.to_string(), value.span().start)),
            DeValue::Table(fields) if GROUPS.contains(&name) => settings.extend(fields.iter().map(|(field, value)| {
                let key = format!("{name}.{}", field.get_ref());
                Setting { key, value: json(value.get_ref()), at: field.span().start }
            })),
            value => settings.push(Setting { key: name.to_owned(), value: json(value), at }),
        }
    }
    let Some((action, action_at)) = action else {
        return Err(Fault::new(at, "a rule needs its action, such as action = \"drop\""));
    };
    reading::rule(&action, Settings::new(settings, action_at, true), action_at)
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => {
            let (digits, radix) = (integer.as_str(), integer.radix());
            let number = i64::from_str_radix(digits, radix).map(Value::from);
            // A number beyond 64 bits is shown as it stands, and is no number for any key.
            number.or_else(|_| u64::from_str_radix(digits, radix).map(Value::from)).unwrap_or_else(|_| digits.into())
        }
        DeValue::Float(float) => float.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(list) => list.iter().map(|value| json(value.get_ref())).collect(),
        DeValue::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect())
        }
    }
}
