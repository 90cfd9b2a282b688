//! On which level a visitor was served: the form, the plain form, or a link.

use serde::Deserialize;

/// The levels, from the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The form in WASM.
    Wasm,
    /// The form that the service renders.
    Plain,
    /// A link to the hosted page.
    Link,
}

/// Why it was no better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It was the best.
    None,
    /// The browser has no WASM, or it is switched off.
    WasmMissing,
    /// The page's policy forbids it.
    WasmForbidden,
    /// The module did not come, or did not start.
    WasmFailed,
    /// The page's policy forbids connections to the service.
    ConnectForbidden,
    /// The page's policy forbids the frame.
    FrameForbidden,
    /// The frame stayed silent.
    FrameSilent,
    /// The service refused to describe the form.
    ServiceRefused,
    /// The service did not answer.
    ServiceUnreachable,
    /// The main script did not come.
    ScriptFailed,
    /// Something else.
    FormFailed,
}

/// What a browser tells about it. Both have few values: they are labels of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Shown {
    /// The level.
    pub level: Level,
    /// Why no better one.
    pub reason: Reason,
}

impl Level {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Plain => "plain",
            Self::Link => "link",
        }
    }
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::None,
        Self::WasmMissing,
        Self::WasmForbidden,
        Self::WasmFailed,
        Self::ConnectForbidden,
        Self::FrameForbidden,
        Self::FrameSilent,
        Self::ServiceRefused,
        Self::ServiceUnreachable,
        Self::ScriptFailed,
        Self::FormFailed,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::WasmMissing => "wasm-missing",
            Self::WasmForbidden => "wasm-forbidden",
            Self::WasmFailed => "wasm-failed",
            Self::ConnectForbidden => "connect-forbidden",
            Self::FrameForbidden => "frame-forbidden",
            Self::FrameSilent => "frame-silent",
            Self::ServiceRefused => "service-refused",
            Self::ServiceUnreachable => "service-unreachable",
            Self::ScriptFailed => "script-failed",
            Self::FormFailed => "form-failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_types_and_service_know_the_same_reasons() {
        let types = include_str!("../../widget/ringback.d.ts");
        let scripts = [
            include_str!("../../widget/loader/widget.js"),
            include_str!("../../widget/loader/main.js"),
            include_str!("../../widget/loader/plain.js"),
        ]
        .concat();
        for reason in Reason::ALL {
            let quoted = format!("\"{}\"", reason.as_str());
            assert!(types.contains(&quoted), "{quoted}");
            assert!(scripts.contains(reason.as_str()), "{quoted}");
            assert_eq!(serde_json::from_str::<Reason>(&quoted).unwrap(), reason);
        }
        for level in [Level::Wasm, Level::Plain, Level::Link] {
            let quoted = format!("\"{}\"", level.as_str());
            assert!(types.contains(&quoted) && scripts.contains(&quoted), "{quoted}");
            assert_eq!(serde_json::from_str::<Level>(&quoted).unwrap(), level);
        }
    }
}
