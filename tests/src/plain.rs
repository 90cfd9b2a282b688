//! The plain form, as a browser without scripts posts it.

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::answer::Answer;
use crate::house::House;
use crate::visitor;

/// The members of a plain form, in their order.
pub type Members = Vec<(String, String)>;

/// What the hidden controls of a page hold.
pub fn hidden(page: &str) -> Members {
    let controls = page.split("<input type=\"hidden\"").skip(1);
    controls.map(|control| (attribute(control, "name"), attribute(control, "value"))).collect()
}

/// The value of the first attribute of that name, as text.
fn attribute(markup: &str, name: &str) -> String {
    let (_, rest) = markup.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name}: {markup}"));
    let value = rest.split('"').next().expect("a quote");
    let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    value.replace("&amp;", "&")
}

/// Where the form of a page is sent.
pub fn action(page: &str) -> String {
    let (_, form) = page.split_once("<form").expect("a form");
    attribute(form, "action")
}

/// What the visitor of the tests posts from that page.
pub fn members(page: &str) -> Members {
    let mut members = hidden(page);
    for (name, value) in [
        ("name", visitor::NAME),
        ("country", "US"),
        ("phone", visitor::PHONE),
        ("email", visitor::EMAIL),
        ("reason", "orders"),
        ("message", visitor::MESSAGE),
        ("consent", "yes"),
        ("website", ""),
    ] {
        members.push((name.to_owned(), value.to_owned()));
    }
    members
}

/// The same with one member changed.
pub fn with(mut members: Members, name: &str, value: &str) -> Members {
    members.retain(|(known, _)| known != name);
    members.push((name.to_owned(), value.to_owned()));
    members
}

impl House {
    /// The page of the site's form.
    pub async fn plain_page(&self) -> String {
        let page = self.get("/c/acme").await;
        assert_eq!(page.status.as_u16(), 200, "{}", page.text());
        page.text()
    }

    /// A post of a plain form, as browsers send it from a page of the service.
    pub fn plain_post(&self, path: &str, members: &Members) -> RequestBuilder {
        let sent: Value = members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.private.add_from(&sent);
        let request = self.request(reqwest::Method::POST, path).header("Origin", self.url());
        request.header("Sec-Fetch-Site", "same-origin").form(members)
    }

    /// Sends the plain form of the site.
    pub async fn send_plain(&self, members: &Members) -> Answer {
        self.send(self.plain_post("/c/acme", members)).await
    }

    /// Where an answer leads after a form was taken: the path of the page that follows the callback, which nobody may log.
    #[track_caller]
    pub fn follow_path(&self, answer: &Answer) -> String {
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
        let path = answer.header("location").split('?').next().expect("a path").to_owned();
        let token = path.strip_prefix("/f/").expect("the page that follows");
        self.private.add(token);
        path
    }
}
