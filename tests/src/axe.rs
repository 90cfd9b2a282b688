//! axe-core in the page that a browser shows: what it finds against the guidelines, also inside shadow roots and frames.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::browser::Browser;

/// The rules of the Web Content Accessibility Guidelines 2.2, level AA, as axe-core names them.
const GUIDELINES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// Those of the rules that depend on colours and sizes alone.
const OF_LOOKS: [&str; 2] = ["color-contrast", "target-size"];

/// Where `cargo xtask test` has put it.
fn file() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test program");
    // target/<profile>/deps/e2e-…
    let target = test.ancestors().nth(3).expect("the target folder");
    target.join("axe/node_modules/axe-core/axe.min.js")
}

impl Browser {
    /// Brings axe-core to each page that is loaded from now on.
    pub async fn bring_axe(&self) {
        let file = file();
        let source = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}; run cargo xtask test", file.display()));
        self.before_each_page(&source).await;
    }

    /// What is wrong with the page, by every rule.
    pub async fn violations(&self) -> Vec<String> {
        self.run_axe(json!({ "type": "tag", "values": GUIDELINES })).await
    }

    /// What is wrong with how the page looks.
    pub async fn violations_of_looks(&self) -> Vec<String> {
        self.run_axe(json!({ "type": "rule", "values": OF_LOOKS })).await
    }

    async fn run_axe(&self, rules: Value) -> Vec<String> {
        let script = "
            const { violations, incomplete, passes } = await axe.run(document, { runOnly: rules });
            // What cannot be read at all is not read well. An empty control has nothing to read.
            const unread = incomplete.filter(({ id }) => id == 'color-contrast').map(({ nodes, ...rule }) =>
                ({ ...rule, nodes: nodes.filter(({ any }) => !any.some(({ data }) => /nonBmp|shortText|emptyValue/.test(data?.messageKey))) }));
            const of = ({ target, failureSummary }) => `${target.flat(9).join(' ')}: ${failureSummary}`;
            return {
                found: [...violations, ...unread].filter(({ nodes }) => nodes.length).map(({ id, nodes }) => `${id}: ${nodes.map(of).join('; ')}`),
                // Of elements in a shadow root, the target is a list; pages without script have the form in themselves.
                within: passes.flatMap(({ nodes }) => nodes).filter(({ target: [first] }) =>
                    Array.isArray(first) || document.querySelector(first)?.closest('.frame')).length,
            };
        ";
        let script = format!("return (async rules => {{ {script} }})(arguments[0])");
        let answer = self.script(&script, vec![rules]).await;
        // Where nothing in the form has been looked at, nothing was held against the rules.
        assert!(answer["within"].as_u64().is_some_and(|within| within > 0), "{answer}");
        serde_json::from_value(answer["found"].clone()).expect("texts")
    }
}
