//! The shop's organisation: what its operator would write into the service's configuration.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use toml::toml;
use webex_simulator::organization as webex;

/// The id of the shop's site.
pub const SITE: &str = "acme";
/// The handle of the agent whom the demo's link names.
pub const AGENT: &str = "grace";

/// What differs from one start to the next.
#[derive(Debug)]
pub struct Run<'a> {
    /// Where the database lies.
    pub folder: &'a Path,
    /// The port of the service's public door.
    pub service_port: u16,
    /// The port of the operators' door.
    pub ops_port: u16,
    /// The address of the Webex side.
    pub webex: &'a str,
    /// The secret of the webhook subscription.
    pub webhook_secret: &'a str,
    /// The key for the REST door.
    pub api_key: &'a str,
    /// The origins of the website.
    pub origins: &'a [String],
}

/// The configuration file of the service.
pub fn configuration(run: &Run<'_>) -> Result<String> {
    let mut file = toml! {
        [limits]
        cooldown_s = 0
        // Who tries the demo posts more often from one address than any visitor does.
        address = { requests = 200, per_s = 60 }

        [sites.acme]
        name = "Acme Outdoor"
        countries = ["US", "CA", "GB", "DE", "AE", "JP"]
        locale = "en"
        phone = "+1 202 555 0180"
        fields = ["name", "phone", "email", "reason", "message"]

        [[sites.acme.reasons]]
        id = "billing"
        label = "Billing"

        [[sites.acme.reasons]]
        id = "orders"
        label = "Orders"

        [[sites.acme.reasons]]
        id = "else"
        label = "Something else"

        [sites.acme.consent]
        version = "2026-01"
        text = "I agree that Acme Outdoor calls me about my request."

        [sites.acme.preferred_agent]
        variable = "preferredAgent"

        [agents.grace]
        name = "Grace Loh"

        [agents.omar]
        name = "Omar Haddad"

        [api_keys.crm]
        sites = ["acme"]
    };
    set(&mut file, &["server", "listen"], format!("127.0.0.1:{}", run.service_port))?;
    set(&mut file, &["server", "ops_listen"], format!("127.0.0.1:{}", run.ops_port))?;
    set(&mut file, &["store", "path"], run.folder.join("ringback.db"))?;
    set(&mut file, &["webex", "base_url"], run.webex)?;
    set(&mut file, &["webex", "access_token"], webex::ACCESS_TOKEN)?;
    set(&mut file, &["webex", "webhook_secrets"], [run.webhook_secret])?;
    set(&mut file, &["sites", "acme", "origins"], run.origins)?;
    set(&mut file, &["sites", "acme", "entry_point"], webex::CALLBACK_ENTRY_POINT)?;
    set(&mut file, &["sites", "acme", "preferred_agent", "entry_point"], webex::FLOW_ENTRY_POINT)?;
    set(&mut file, &["sites", "acme", "preferred_agent", "ani"], webex::DEFAULT_ANI)?;
    set(&mut file, &["agents", "grace", "email"], webex::GRACE_EMAIL)?;
    set(&mut file, &["agents", "omar", "email"], webex::OMAR_EMAIL)?;
    set(&mut file, &["api_keys", "crm", "key"], run.api_key)?;
    if let Some(reason) = file["sites"]["acme"]["reasons"].get_mut(0).and_then(toml::Value::as_table_mut) {
        reason.insert("entry_point".to_owned(), webex::BILLING_ENTRY_POINT.into());
    }
    Ok(toml::to_string(&file)?)
}

fn set(table: &mut toml::Table, path: &[&str], value: impl Serialize) -> Result<()> {
    let (last, sections) = path.split_last().unwrap_or((&"", &[]));
    let mut inner = table;
    for section in sections {
        inner = inner
            .entry(*section)
            .or_insert_with(|| toml::Table::new().into())
            .as_table_mut()
            .ok_or_else(|| anyhow::anyhow!("{section} is not a section"))?;
    }
    inner.insert((*last).to_owned(), toml::Value::try_from(value)?);
    Ok(())
}
