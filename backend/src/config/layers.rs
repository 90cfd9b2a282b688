//! Lays the operator's file and the environment over the defaults.

use std::path::Path;

use toml::{Table, Value};

use super::{Config, ConfigError, ConfigErrors, DEFAULT_FILE};
use crate::expected;

/// What every variable of ours starts with.
const PREFIX: &str = "RINGBACK__";

pub(super) fn load(
    own: Option<(&Path, &str)>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigErrors> {
    let mut table = parse("the embedded defaults", DEFAULT_FILE)?;
    if let Some((path, text)) = own {
        lay_over(&mut table, parse(&path.display().to_string(), text)?);
    }
    let mut variables: Vec<Variable> = environment.into_iter().filter_map(Variable::read).collect();
    variables.sort_by(|left, right| left.path.cmp(&right.path));
    for variable in &variables {
        variable.set(&mut table, false)?;
    }
    let mut as_text = vec![false; variables.len()];
    loop {
        let error = match serde_path_to_error::deserialize(Value::Table(table.clone())) {
            Ok(config) => return Ok(config),
            Err(error) => error,
        };
        let key = error.path().to_string();
        // A variable whose text reads as a number or the like, where the key wants a text.
        let culprit = variables.iter().position(|variable| variable.covers(&key));
        match culprit {
            Some(index) if !as_text[index] && variables[index].literal.is_some() => {
                as_text[index] = true;
                variables[index].set(&mut table, true)?;
            }
            _ => return Err(told(&error, culprit.map(|index| &variables[index]), own).into()),
        }
    }
}

fn parse(name: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(String::new(), |span| {
            format!(" line {}", text.get(..span.start).unwrap_or_default().matches('\n').count() + 1)
        });
        // `message` and not `Display`: the latter quotes the line, which may hold a secret.
        ConfigError::new(
            format!("{name}{line}"),
            format!("this is not TOML: {}", error.message()),
            "mend that line",
        )
    })
}

fn lay_over(base: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) if !is_value_table(&key) => {
                lay_over(below, above);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Tables that are one value: they replace what is below and do not mix with it.
fn is_value_table(key: &str) -> bool {
    key == "attributes"
}

/// A variable of the environment that sets a key.
struct Variable {
    name: String,
    path: Vec<String>,
    text: String,
    /// What the text reads as in TOML, where that is not a text.
    literal: Option<Value>,
}

impl Variable {
    fn read((name, text): (String, String)) -> Option<Self> {
        let path = name.strip_prefix(PREFIX)?.split("__").map(str::to_ascii_lowercase).collect();
        let literal =
            format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
        let literal = literal.filter(|value| !value.is_str());
        Some(Self { name, path, text, literal })
    }

    fn set(&self, table: &mut Table, as_text: bool) -> Result<(), ConfigError> {
        let value = match &self.literal {
            Some(literal) if !as_text => literal.clone(),
            _ => Value::String(self.text.clone()),
        };
        let (last, sections) = self.path.split_last().ok_or_else(|| self.not_a_key())?;
        let mut inner = table;
        for section in sections {
            let entry = inner.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
            inner = entry.as_table_mut().ok_or_else(|| self.not_a_key())?;
        }
        inner.insert(last.clone(), value);
        Ok(())
    }

    fn not_a_key(&self) -> ConfigError {
        ConfigError::new(
            self.name.clone(),
            "this variable does not name a key",
            "name it RINGBACK__SECTION__KEY, as the default file lists them (`ringback config`)",
        )
    }

    fn covers(&self, key: &str) -> bool {
        let path = self.path.join(".");
        key == path || key.strip_prefix(&path).is_some_and(|rest| rest.starts_with(['.', '[']))
    }
}

fn told(
    error: &serde_path_to_error::Error<toml::de::Error>,
    variable: Option<&Variable>,
    own: Option<(&Path, &str)>,
) -> ConfigError {
    let place = match (variable, own) {
        (Some(variable), _) => format!("the environment variable {}", variable.name),
        (None, Some((path, _))) => path.display().to_string(),
        (None, None) => "the configuration".to_owned(),
    };
    let message = error.inner().message().to_owned();
    // The message of an unknown field names it; its path is that of the table around it.
    let remedy = if message.starts_with("unknown field") {
        format!("remove it from {place}, or check its spelling: `ringback config` prints every key")
    } else if message.starts_with("missing field") {
        format!("add it to {place}: `ringback config` prints every key with an example")
    } else {
        format!("correct it in {place}: `ringback config` prints every key with its default")
    };
    ConfigError::new(error.path().to_string(), in_words(&without_value(&message)), remedy)
}

/// What was expected, said for people.
fn in_words(message: &str) -> String {
    match message.rsplit_once("expected ") {
        Some((before, expected)) => format!("{before}expected {}", expected::in_words(expected)),
        None => message.to_owned(),
    }
}

/// serde quotes a text of the wrong type, and the text may be a secret.
fn without_value(message: &str) -> String {
    match (message.find("string \""), message.rfind("\", expected")) {
        (Some(start), Some(end)) if start < end => {
            format!(
                "{}a text{}",
                message.get(..start).unwrap_or_default(),
                message.get(end + 1..).unwrap_or_default()
            )
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DEFAULT_FILE;

    /// The default file with its commented examples switched on.
    fn with_examples() -> String {
        let example = DEFAULT_FILE.lines().skip_while(|line| !line.starts_with("# [sites.acme]"));
        let lines = example.map(|line| {
            let line = line.strip_prefix("# ").unwrap_or(line);
            let is_setting = line.starts_with('[') || (line.contains(" = ") && !line.starts_with('#'));
            if is_setting { format!("{line}\n") } else { String::new() }
        });
        lines.collect()
    }

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(Some((Path::new("own.toml"), text)), environment).map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_commented_examples_are_a_configuration_that_shows_every_key() {
        let text = with_examples();
        let config = load_text(&text, &[]).unwrap();
        assert_eq!(config.sites["acme"].reasons[0].id, "billing");
        assert_eq!(config.sites["acme"].custom_fields[0].id, "order_number");
        assert_eq!(config.agents["grace"].name, "Grace Loh");
        assert!(config.api_keys.contains_key("crm"));
        // What the examples say of defaults is what they are.
        let least =
            "[sites.acme]\nname = 'Acme Outdoor'\nentry_point = '11111111-2222-4333-8444-555555555555'";
        let least = &load_text(least, &[]).unwrap().sites["acme"];
        let shown = &config.sites["acme"];
        assert_eq!(least.countries, shown.countries);
        assert_eq!(least.numbers, shown.numbers);
        assert_eq!(least.locale, shown.locale);
        assert_eq!(least.fields, shown.fields);
        assert_eq!(least.required, shown.required);
        assert_eq!(least.attributes, shown.attributes);
        assert_eq!(least.reference_variable, shown.reference_variable);
    }

    #[test]
    fn what_was_expected_is_said_for_people_and_an_address_with_an_example() {
        let told = load_text("[delivery]\nlease_s = 's3cret'", &[]).unwrap_err();
        assert!(told.contains("expected a whole number, 0 or more"), "{told}");
        let told = load_text("[webex.oauth]\nredirect_port = 70000", &[]).unwrap_err();
        assert!(told.contains("70000") && told.contains("from 0 to 65535"), "{told}");
        for (key, value) in [("listen", "localhost"), ("ops_listen", "localhost:9090"), ("listen", "8080")] {
            let told = load_text(&format!("[server]\n{key} = '{value}'"), &[]).unwrap_err();
            assert!(told.contains(&format!("server.{key}: \"{value}\" is")), "{told}");
            assert!(told.contains("127.0.0.1:8080"), "{told}");
        }
    }

    #[test]
    fn the_environment_goes_over_the_file_and_the_file_over_the_defaults() {
        let text = "[webex]\nregion = 'eu2'\nrequest_timeout_ms = 5000\n";
        let environment = [
            ("RINGBACK__WEBEX__REQUEST_TIMEOUT_MS", "7000"),
            ("RINGBACK__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\", \"192.0.2.1\"]"),
            // Reads as a number, and is wanted as a text.
            ("RINGBACK__WEBEX__ORGANIZATION_ID", "12345"),
            ("RINGBACK__SITES__ACME__NAME", "Acme"),
            ("RINGBACK__SITES__ACME__ENTRY_POINT", "1"),
            ("PATH", "/bin"),
        ];
        let config = load_text(text, &environment).unwrap();
        assert_eq!(config.webex.region, "eu2");
        assert_eq!(config.webex.request_timeout_ms, 7000);
        assert_eq!(config.webex.connect_timeout_ms, 3000);
        assert_eq!(config.webex.organization_id, "12345");
        assert_eq!(config.server.trusted_proxies.len(), 2);
        assert_eq!(config.sites["acme"].entry_point, "1");
    }

    #[test]
    fn a_wrong_value_is_told_with_its_key_and_a_remedy_and_without_the_value() {
        for (text, environment, key, place) in [
            ("[webex]\nregoin = 'eu2'", vec![], "webex", "own.toml"),
            ("[server]\nlisten = 'nowhere'", vec![], "server.listen", "own.toml"),
            ("[webex]\naccess_token = ['s3cret']", vec![], "webex.access_token", "own.toml"),
            ("[delivery]\nlease_s = 's3cret'", vec![], "delivery.lease_s", "own.toml"),
            (
                "",
                vec![("RINGBACK__DELIVERY__LEASE_S", "s3cret")],
                "delivery.lease_s",
                "RINGBACK__DELIVERY__LEASE_S",
            ),
            ("", vec![("RINGBACK__DELIVERY__LEASES", "1")], "delivery", "unknown field"),
            ("[sites.acme]\nname = 'Acme'", vec![], "sites.acme", "missing field `entry_point`"),
            ("[webex\naccess_token = 's3cret'", vec![], "own.toml line 1", "not TOML"),
        ] {
            let told = load_text(text, &environment).unwrap_err();
            assert!(told.contains(key) && told.contains(place) && told.contains("hint: "), "{told}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }
}
