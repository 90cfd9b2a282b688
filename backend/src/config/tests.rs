//! What the configuration takes and refuses.

use super::*;

const SOUND: &str = r#"
    [webex]
    access_token = "token_PF84_658d1102-0000-4000-8000-000000000001"
    [sites.acme]
    name = "Acme"
    entry_point = "11111111-2222-4333-8444-555555555555"
    [sites.acme.preferred_agent]
    entry_point = "66666666-7777-4888-9999-000000000000"
    ani = "+15555550100"
    [agents.grace]
    name = "Grace Loh"
    email = "grace.loh@example.com"
    [api_keys.crm]
    key = "0123456789abcdef0123456789abcdef"
"#;

fn loaded(text: &str) -> Result<Config, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), [])
}

#[test]
fn a_sound_configuration_is_taken() {
    assert!(loaded(SOUND).is_ok());
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "[delivery]\nlease_s = 5\nretry_s = []\n[sites.Acme]\nname = ''\nentry_point = ''";
    let told = loaded(text).unwrap_err();
    let keys: Vec<_> = told.0.iter().map(|error| error.key.as_str()).collect();
    let expected = [
        "webex.access_token",
        "delivery.lease_s",
        "delivery.retry_s",
        "sites.Acme",
        "sites.Acme.name",
        "sites.Acme.entry_point",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn each_value_that_cannot_work_is_found() {
    let token = "access_token = \"token";
    let name = "name = \"Acme\"";
    let email = "email = \"grace.loh@example.com\"";
    for (from, to, key) in [
        (token, "region = 'us9'\naccess_token = \"token", "webex.region"),
        (token, "base_url = 'https://x/y'\naccess_token = \"token", "webex.base_url"),
        (token, "access_token = \"Bearer token", "webex.access_token"),
        (token, "webhook_secrets = ['short']\naccess_token = \"token", "webex.webhook_secrets"),
        (name, "name = 'Acme'\norigins = ['https://x/']", "sites.acme.origins"),
        (name, "name = 'Acme'\nani = '15555550100'", "sites.acme.ani"),
        (name, "name = 'Acme'\ncountries = ['XX']", "sites.acme.countries"),
        (name, "name = 'Acme'\nlocale = 'xx'", "sites.acme.locale"),
        (name, "name = 'Acme'\nfields = ['name']", "sites.acme.fields"),
        (name, "name = 'Acme'\nfields = ['phone']\nrequired = ['name']", "sites.acme.required"),
        (name, "name = 'Acme'\nattributes = { X = '{nmae}' }", "sites.acme.attributes.X"),
        (name, "name = 'Acme'\nattributes = { X = '{field.size}' }", "sites.acme.attributes.X"),
        (name, "name = 'Acme'\nfields = ['phone', 'nmae']\nrequired = []", "sites.acme.fields"),
        (name, "name = 'Acme'\nfields = ['phone', 'phone']\nrequired = []", "sites.acme.fields"),
        (name, "name = 'Acme'\nattributes = {}", "sites.acme.reference_variable"),
        (name, "name = 'Acme'\nreasons = [{ id = 'A b', label = 'x' }]", "sites.acme.reasons.A b"),
        (name, "name = 'Acme'\nwait_time = { queue = '' }", "sites.acme.wait_time.queue"),
        (name, "name = 'Acme'\nwait_time = { queue = 'q', refresh_s = 1 }", "sites.acme.wait_time.refresh_s"),
        (name, "name = 'Acme'\nwait_time = { queue = 'q', max_cv = 0 }", "sites.acme.wait_time.max_cv"),
        (
            name,
            "name = 'Acme'\nwait_time = { queue = 'q', lookback_minutes = 4 }",
            "sites.acme.wait_time.lookback_minutes",
        ),
        (
            name,
            "name = 'Acme'\nreasons = [{ id = 'a', label = 'x', queue = 'q q' }]",
            "sites.acme.reasons.a.queue",
        ),
        ("ani = \"+15555550100\"", "ani = '+15555550100'\nidentify_by = 'id'", "agents.grace.id"),
        (name, "name = 'Acme'\nhours = { timezone = 'UTC' }", "sites.acme.hours"),
        (
            name,
            "name = 'Acme'\nhours = { timezone = 'UTC', monday = ['9-12'] }",
            "sites.acme.hours.monday[0]",
        ),
        (
            name,
            "name = 'Acme'\nhours = { timezone = 'UTC', monday = [], holidays = ['25.12.'] }",
            "sites.acme.hours.holidays[0]",
        ),
        ("ani = \"+15555550100\"", "ani = '5550100'", "sites.acme.preferred_agent.ani"),
        (email, "email = 'grace'", "agents.grace.email"),
        (email, "", "agents.grace.email"),
        (email, "email = 'grace.loh@example.com'\nsites = ['nowhere']", "agents.grace.sites"),
        ("key = \"0123456789abcdef0123456789abcdef\"", "key = 'short'", "api_keys.crm.key"),
        ("key = \"0123", "key_file = '/nonexistent'\nkey = \"0123", "api_keys.crm.key_file"),
        (
            "[api_keys.crm]",
            "[limits]\naddress = { requests = 0, per_s = 1 }\n[api_keys.crm]",
            "limits.address",
        ),
    ] {
        assert!(SOUND.contains(from), "{from}");
        let told = loaded(&SOUND.replacen(from, to, 1)).unwrap_err();
        assert!(told.0.iter().any(|error| error.key == key && !error.remedy.is_empty()), "{key}: {told}");
    }
}

#[test]
fn a_field_of_the_operators_own_that_cannot_work_is_found() {
    let told_of = |fields: &str, field: &str| {
        let site = format!("name = 'Acme'\nrequired = []\nfields = [{fields}]\ncustom_fields = [{field}]");
        loaded(&SOUND.replacen("name = \"Acme\"", &site, 1)).err().map(|errors| errors.to_string())
    };
    let shown = "'phone', 'size'";
    let sound = "{ id = 'size', kind = 'choice', label = { en = 'Size', de = 'Größe' }, choices = [{ id = 's', label = 'S' }] }";
    assert_eq!(told_of(shown, sound), None);
    for (fields, field, key) in [
        ("'phone'", sound, "custom_fields.size: the form does not show it"),
        (shown, "{ id = 'size', kind = 'text', label = '' }", "custom_fields.size.label"),
        (
            shown,
            "{ id = 'size', kind = 'text', label = { de = 'Größe' } }",
            "custom_fields.size.label: there is no text",
        ),
        (
            shown,
            "{ id = 'size', kind = 'text', label = { en = 'S', tlh = 'S' } }",
            "custom_fields.size.label: the form is in no",
        ),
        (
            shown,
            "{ id = 'size', kind = 'text', label = 'S', max_length = 251 }",
            "custom_fields.size.max_length",
        ),
        (
            shown,
            "{ id = 'size', kind = 'text', label = 'S', autocomplete = 'cc-number' }",
            "custom_fields.size.autocomplete",
        ),
        (
            shown,
            "{ id = 'size', kind = 'text', label = 'S', choices = [{ id = 's', label = 'S' }] }",
            "custom_fields.size.choices",
        ),
        (shown, "{ id = 'size', kind = 'choice', label = 'S' }", "custom_fields.size.choices: there are 0"),
        (
            shown,
            "{ id = 'size', kind = 'choice', label = 'S', choices = [{ id = 's', label = 'S' }, { id = 's', label = 'T' }] }",
            "custom_fields.size.choices.s: the id stands twice",
        ),
        (
            shown,
            "{ id = 'size', kind = 'text', label = 'S' }, { id = 'size', kind = 'text', label = 'T' }",
            "the id \"size\" stands twice",
        ),
        (
            "'phone', 'country'",
            "{ id = 'country', kind = 'text', label = 'S' }",
            "a member of this name already",
        ),
        (
            "'phone', 'Size'",
            "{ id = 'Size', kind = 'text', label = 'S' }",
            "custom_fields.Size: this is not an identifier",
        ),
        (shown, "{ id = 'size', kind = 'number', label = 'S' }", "kind"),
        (shown, "{ id = 'size', kind = 'text', label = 5 }", "a text, or a table of texts by language"),
    ] {
        let told = told_of(fields, field).unwrap_or_default();
        assert!(told.contains(key) && told.contains("hint: "), "{field}: {told}");
    }
    let ids: Vec<_> = (0..13).map(|index| format!("f{index}")).collect();
    let many = ids.iter().map(|id| format!("{{ id = '{id}', kind = 'text', label = 'S' }}"));
    let listed = ids.iter().map(|id| format!("'{id}'")).chain(["'phone'".to_owned()]);
    let told = told_of(&listed.collect::<Vec<_>>().join(","), &many.collect::<Vec<_>>().join(","));
    assert!(told.unwrap().contains("13 fields of your own are too many"));
}

#[test]
fn words_and_looks_that_cannot_be_shown_are_found() {
    for (given, key) in [
        ("theme.color = 'blue'", "theme.color"),
        ("theme.radius = 41", "theme.radius"),
        ("theme.font = 'x;y'", "theme.font"),
        ("texts.xx = {}", "texts.xx"),
        ("texts.en = { 'form.titel' = 'x' }", "texts.en.form.titel"),
        ("texts.en = { 'meta.direction' = 'rtl' }", "texts.en.meta.direction"),
        ("texts.en = { 'form.title' = ' ' }", "texts.en.form.title"),
        ("texts.en = { 'form.title' = \"a\\u0007\" }", "texts.en.form.title"),
        ("texts.all = { 'form.title.agent' = 'We call' }", "texts.all.form.title.agent"),
    ] {
        let told = loaded(&SOUND.replacen("name = \"Acme\"", &format!("name = 'Acme'\n{given}"), 1));
        let key = format!("sites.acme.{key}");
        assert!(
            told.unwrap_err().0.iter().any(|error| error.key == key && !error.remedy.is_empty()),
            "{key}"
        );
    }
}

#[test]
fn more_attributes_than_webex_takes_are_refused() {
    let pairs: Vec<_> = (0..30).map(|index| format!("A{index} = 'x'")).collect();
    let text = format!("name = 'Acme'\nreference_variable = ''\nattributes = {{ {} }}", pairs.join(", "));
    let told = loaded(&SOUND.replacen("name = \"Acme\"", &text, 1)).unwrap_err().to_string();
    assert!(told.contains("sites.acme.attributes: 30 attributes are more than Webex takes"), "{told}");
}

#[test]
fn a_key_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "fedcba9876543210fedcba9876543210\n").unwrap();
    let key_file = format!("key_file = {:?}", path.display().to_string());
    let text = SOUND.replacen("key = \"0123456789abcdef0123456789abcdef\"", &key_file, 1);
    let config = loaded(&text).unwrap();
    assert_eq!(config.api_keys["crm"].key.expose_secret(), "fedcba9876543210fedcba9876543210");
}
