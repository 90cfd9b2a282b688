//! The number, as visitors type, paste and correct it.

use fantoccini::key::Key;
use ringback_tests::browser::Browser;
use ringback_tests::house::House;
use ringback_tests::page::Page;
use ringback_tests::visitor;
use webex_simulator::Pace;

/// A house whose site calls several countries; people of the first are usual.
async fn house_for(countries: &[&str]) -> House {
    House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.set("sites.acme.countries", countries.to_vec());
    })
    .await
}

/// Such a house, and a browser in which its form is open.
async fn open_for(countries: &[&str]) -> (House, Browser) {
    let house = house_for(countries).await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    browser.page().open().await;
    (house, browser)
}

/// What stands in the field, with `|` for the caret.
async fn field(page: &Page<'_>) -> String {
    let (start, end) = page.selection("#phone").await;
    assert_eq!(start, end, "something is selected");
    let text: Vec<u16> = page.value("#phone").await.encode_utf16().collect();
    let (before, behind) = text.split_at(start.try_into().unwrap());
    [String::from_utf16(before).unwrap(), String::from_utf16(behind).unwrap()].join("|")
}

/// Types keys one by one, and says what stands in the field after each.
async fn typed(page: &Page<'_>, text: &str) -> Vec<String> {
    let mut shown = Vec::new();
    for key in text.chars() {
        page.type_text(&key.to_string()).await;
        shown.push(field(page).await);
    }
    shown
}

/// Empties the field by keys.
async fn empty(page: &Page<'_>) {
    page.click("#phone").await;
    page.select_all().await;
    page.press(&[Key::Delete]).await;
    assert_eq!(page.value("#phone").await, "");
}

#[tokio::test]
async fn a_number_grows_into_the_groups_of_its_country_key_by_key() {
    let (_house, browser) = open_for(&["US", "DE", "GB", "FR", "AE"]).await;
    let page = browser.page();
    page.click("#phone").await;
    let steps =
        ["(2|", "(20|", "(202|", "(202) 5|", "(202) 55|", "(202) 555|", "(202) 555-0|", "(202) 555-01|"];
    assert_eq!(typed(&page, "20255501").await, steps);
    for (country, keys, shown) in [
        ("DE", "0301234567", "030 1234567|"),
        ("GB", "02079460142", "020 7946 0142|"),
        ("FR", "0199005501", "01 99 00 55 01|"),
        ("AE", "0501234567", "050 123 4567|"),
        // With the country's code, whatever was chosen.
        ("US", "+442079460142", "+44 20 7946 0142|"),
        ("DE", "+12025550142", "+1 202-555-0142|"),
    ] {
        empty(&page).await;
        page.choose("#country", country).await;
        page.click("#phone").await;
        assert_eq!(typed(&page, keys).await.pop().as_deref(), Some(shown), "{country}");
    }
}

#[tokio::test]
async fn the_caret_stays_behind_its_digit_and_a_digit_is_deleted_across_what_separates_it() {
    let (_house, browser) = open_for(&["US"]).await;
    let page = browser.page();
    page.click("#phone").await;
    page.type_text("202555014").await;
    page.press(&[Key::Home, Key::Right, Key::Right, Key::Right]).await;
    assert_eq!(field(&page).await, "(20|2) 555-014");
    assert_eq!(typed(&page, "9").await, ["(209|) 255-5014"]);
    page.press(&[Key::Right, Key::Right]).await;
    assert_eq!(field(&page).await, "(209) |255-5014");
    // What stands before the caret is a space, and would come back.
    page.press(&[Key::Backspace]).await;
    assert_eq!(field(&page).await, "(20|2) 555-014");
    page.press(&[Key::Right, Key::Delete]).await;
    assert_eq!(field(&page).await, "(202|) 550-14");
    page.press(&[Key::Delete, Key::Delete, Key::Backspace, Key::Backspace]).await;
    assert_eq!(field(&page).await, "(2|01) 4");
    // At either end there is nothing to delete.
    page.press(&[Key::Home, Key::Backspace]).await;
    assert_eq!(page.value("#phone").await, "(201) 4");
    page.press(&[Key::End, Key::Delete]).await;
    assert_eq!(field(&page).await, "(201) 4|");
    page.press(&[Key::Backspace, Key::Backspace, Key::Backspace, Key::Backspace]).await;
    assert_eq!(field(&page).await, "|");
}

#[tokio::test]
async fn what_is_selected_gives_way_to_what_is_typed_or_pasted() {
    let (_house, browser) = open_for(&["US", "DE"]).await;
    let page = browser.page();
    page.click("#phone").await;
    page.type_text("2025550142").await;
    page.press(&[Key::Home, Key::Right]).await;
    page.select_with_shift(Key::Right, 5).await;
    assert_eq!(page.selection("#phone").await, (1, 6));
    assert_eq!(typed(&page, "3").await, ["(3|55) 501-42"]);
    page.select_all().await;
    page.paste("2025550143").await;
    assert_eq!(field(&page).await, "(202) 555-0143|");
    page.select_all().await;
    page.press(&[Key::Backspace]).await;
    assert_eq!(typed(&page, "+49").await, ["+|", "+4|", "+49|"]);
}

#[tokio::test]
async fn a_number_can_be_pasted_however_it_is_written_and_nothing_of_it_is_lost() {
    let (_house, browser) = open_for(&["US", "DE", "GB"]).await;
    let page = browser.page();
    for (pasted, shown, country) in [
        // Digits alone are put in groups.
        ("2025550142", "(202) 555-0142", "US"),
        ("+442079460142", "+44 20 7946 0142", "GB"),
        // What is separated already stays as its writer has it, and tells its country all the same.
        ("(202) 555-0142", "(202) 555-0142", "GB"),
        ("+49 (0)30 / 123-45.67", "+49 (0)30 / 123-45.67", "DE"),
        ("tel:+1-202-555-0142", "tel:+1-202-555-0142", "US"),
        ("+44\u{a0}20\u{2009}7946\u{2013}0142", "+44\u{a0}20\u{2009}7946\u{2013}0142", "GB"),
        ("202\t555\t0142", "202\t555\t0142", "GB"),
        ("\u{202a}+1 202 555 0142\u{202c}", "\u{202a}+1 202 555 0142\u{202c}", "US"),
        // Known nowhere, or no number at all.
        ("0044 20 7946 0142", "0044 20 7946 0142", "US"),
        ("00442079460142", "00442079460142", "US"),
        ("+999123456", "+999123456", "US"),
        ("call 202-555-0142 ext 7", "call 202-555-0142 ext 7", "US"),
        ("555-CALL-NOW", "555-CALL-NOW", "US"),
    ] {
        empty(&page).await;
        page.paste(pasted).await;
        let found = (page.value("#phone").await, page.value("#country").await);
        assert_eq!((found.0.as_str(), found.1.as_str()), (shown, country), "{pasted:?}");
    }
}

#[tokio::test]
async fn who_separates_a_number_in_another_way_is_let_be() {
    let (_house, browser) = open_for(&["US", "DE"]).await;
    let page = browser.page();
    page.click("#phone").await;
    // Begun with a separator, it is left alone from there on.
    assert_eq!(typed(&page, "(202)555.").await.last().unwrap(), "(202)555.|");
    page.press(&[Key::Backspace, Key::Left, Key::Backspace]).await;
    assert_eq!(field(&page).await, "(202)5|5");
    // Once the groups are ours, a separator changes nothing, and no digit is lost.
    empty(&page).await;
    assert_eq!(typed(&page, "202-555-0142").await.last().unwrap(), "(202) 555-0142|");
    // Of a number that no rule knows, every separator is the visitor's.
    empty(&page).await;
    assert_eq!(typed(&page, "12 34").await.last().unwrap(), "12 34|");
    page.press(&[Key::Left, Key::Left, Key::Backspace]).await;
    assert_eq!(field(&page).await, "12|34");
    // Nor is a number that is too long for its groups cut, or what is no number at all.
    empty(&page).await;
    page.type_text("202555014299").await;
    assert_eq!(page.value("#phone").await.replace(|sign: char| !sign.is_ascii_digit(), ""), "202555014299");
    page.type_text("x").await;
    assert!(page.value("#phone").await.ends_with("99x"));
    page.press(&[Key::Backspace, Key::Backspace, Key::Backspace]).await;
    assert_eq!(field(&page).await, "(202) 555-0142|");
}

#[tokio::test]
async fn what_is_being_composed_is_let_be_until_it_is_there() {
    let (_house, browser) = open_for(&["US"]).await;
    let page = browser.page();
    page.click("#phone").await;
    page.type_text("202").await;
    for composed in ["５", "５５", "５５５"] {
        browser.compose(composed).await;
        assert_eq!(page.value("#phone").await, ["(202", composed].concat());
    }
    browser.commit("555").await;
    page.type_text("0").await;
    assert_eq!(field(&page).await, "(202) 555-0|");
}

#[tokio::test]
async fn typing_can_be_taken_back_step_by_step() {
    let (_house, browser) = open_for(&["US"]).await;
    let page = browser.page();
    page.click("#phone").await;
    page.type_text("2025550").await;
    page.select_all().await;
    page.type_text("9").await;
    assert_eq!(page.value("#phone").await, "(9");
    let mut seen = Vec::new();
    for _ in 0..40 {
        page.undo().await;
        seen.push(page.value("#phone").await);
    }
    assert!(seen.contains(&"(202) 555-0".to_owned()), "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some(""), "{seen:?}");
    // And typing goes on as before.
    assert_eq!(typed(&page, "2025").await.last().unwrap(), "(202) 5|");
}

#[tokio::test]
async fn a_browser_that_fills_the_form_in_is_understood_and_another_country_means_other_groups() {
    let (_house, browser) = open_for(&["US", "DE", "GB"]).await;
    let page = browser.page();
    page.click("#name").await;
    for (filled, shown, country) in [
        ("+4930123456", "+49 30 123456", "DE"),
        ("+1 202-555-0142", "+1 202-555-0142", "US"),
        ("+442079460142", "+44 20 7946 0142", "GB"),
    ] {
        page.autofill("#phone", filled).await;
        let found = (page.value("#phone").await, page.value("#country").await);
        assert_eq!((found.0.as_str(), found.1.as_str()), (shown, country), "{filled}");
    }
    // Nothing of it went to where the focus is.
    assert_eq!((page.focused().await.as_str(), page.value("#name").await.as_str()), ("name", ""));
    page.autofill("#phone", "").await;
    page.autofill("#phone", "0301234567").await;
    page.choose("#country", "DE").await;
    assert_eq!(page.value("#phone").await, "030 1234567");
    page.autofill("#phone", "").await;
    page.autofill("#phone", "2025550142").await;
    page.choose("#country", "US").await;
    assert_eq!(page.value("#phone").await, "(202) 555-0142");
}

#[tokio::test]
async fn a_number_runs_from_left_to_right_on_every_page_and_is_sent_as_it_is_dialled() {
    let house = house_for(&["US", "DE"]).await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/rtl", house.website())).await;
    let page = browser.page();
    page.open().await;
    page.fill_in().await;
    page.fill("#phone", "").await;
    page.click("#phone").await;
    // Other digits are left as they are: with separators between them they would run from right to left.
    page.type_text("٢٠٢٥٥٥٠١٤٢").await;
    assert_eq!(page.value("#phone").await, "٢٠٢٥٥٥٠١٤٢");
    empty(&page).await;
    let direction = "
        const { shadowRoot } = document.querySelector('ringback-launcher');
        const of = element => getComputedStyle(element).direction;
        return [of(shadowRoot.querySelector('form')), of(shadowRoot.querySelector('#phone'))]";
    assert_eq!(browser.script(direction, vec![]).await, serde_json::json!(["rtl", "ltr"]));
    page.type_text("20255501").await;
    page.press(&[Key::Left]).await;
    assert_eq!(typed(&page, "4").await, ["(202) 555-04|1"]);
    page.press(&[Key::Backspace, Key::End]).await;
    assert_eq!(typed(&page, "42").await, ["(202) 555-014|", "(202) 555-0142|"]);
    page.send().await;
    page.until_state("requested").await;
    assert_eq!(house.until_tasks(1).await[0].destination, visitor::PHONE_E164);
}

#[tokio::test]
async fn countries_stand_in_the_order_of_the_language_behind_the_usual_one() {
    let house = house_for(&["US", "AT", "ZA", "DE", "AE"]).await;
    let browser = Browser::open().await;
    for (locale, order) in [
        ("en", ["United States", "Austria", "Germany", "South Africa", "United Arab Emirates"]),
        // By its letters, not by their codes: Ö is an O.
        (
            "de",
            ["Vereinigte Staaten", "Deutschland", "Österreich", "Südafrika", "Vereinigte Arabische Emirate"],
        ),
    ] {
        browser.goto(house.website()).await;
        browser.script("document.documentElement.lang = arguments[0]", vec![locale.into()]).await;
        let page = browser.page();
        page.open().await;
        let options = page.text("#country").await;
        let told: Vec<_> = options.lines().map(str::trim).collect();
        let codes = if locale == "en" {
            ["+1", "+43", "+49", "+27", "+971"]
        } else {
            ["+1", "+49", "+43", "+27", "+971"]
        };
        let expected: Vec<_> =
            order.iter().zip(codes).map(|(name, code)| format!("{name} \u{2066}{code}\u{2069}")).collect();
        assert_eq!(told, expected);
        assert_eq!(page.value("#country").await, "US");
    }
}
