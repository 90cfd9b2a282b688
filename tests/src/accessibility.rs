//! What the browser tells those who do not look: its tree of accessibility, as screen readers get it.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::browser::Browser;

/// What can be used, and what says where one is and what has happened.
const ROLES: [&str; 12] = [
    "dialog", "heading", "textbox", "combobox", "checkbox", "radio", "button", "link", "alert", "status",
    "note", "list",
];

/// What is told beside a name, where it is so.
const STATES: [&str; 6] = ["modal", "required", "invalid", "checked", "busy", "focused"];

impl Browser {
    /// Everything of a page that is worth a word, in its order: the role, the name, the states, and what describes it, such as
    /// `textbox "Phone number" required invalid (This number is too short.)`.
    pub async fn read_aloud(&self) -> Vec<String> {
        let tree = self.devtools("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().expect("nodes");
        let by_id: HashMap<_, _> = nodes.iter().map(|node| (&node["nodeId"], node)).collect();
        let mut told = Vec::new();
        // The last is the next: a tree in its order.
        let mut open: Vec<&Value> = nodes.first().into_iter().collect();
        while let Some(node) = open.pop() {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            if node["ignored"] != true && ROLES.contains(&role) {
                told.push(line(role, node));
            }
            let children = node["childIds"].as_array().into_iter().flatten().rev();
            open.extend(children.filter_map(|child| by_id.get(child).copied()));
        }
        told
    }
}

fn line(role: &str, node: &Value) -> String {
    let text = |member: &str| node[member]["value"].as_str().unwrap_or_default();
    let mut line = format!("{role} {:?}", text("name"));
    for state in STATES {
        let mut properties = node["properties"].as_array().into_iter().flatten();
        let value =
            properties.find(|property| property["name"] == state).map(|property| &property["value"]["value"]);
        if value.is_some_and(|value| *value == true || *value == "true" || *value == 1) {
            line.push(' ');
            line.push_str(state);
        }
    }
    let description = text("description");
    if !description.is_empty() {
        line = format!("{line} ({description})");
    }
    line
}
