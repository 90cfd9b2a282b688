//! Pictures of every state of the form for people to look at (`target/screenshots`), and what can be said of them without looking: nothing
//! lies outside, nothing is cut off, and what runs from right to left does.

use ringback_contract::form::Preset;
use ringback_tests::browser::{Browser, Look};
use ringback_tests::screenshot::take;

use super::gallery::dress;

/// The narrowest page that guidelines speak of: a desktop's at 400 % (WCAG 2.2, 1.4.10).
pub(super) const NARROWEST: Look = Look { width: 320, height: 640, dark: false };
/// A desktop's page at 200 %.
const ZOOMED: Look = Look { width: 640, height: 430, dark: false };

/// What is wrong with the place of anything on the page.
pub(super) async fn misplaced(browser: &Browser) -> Vec<String> {
    let script = "
        const wrong = [];
        const { shadowRoot, dataset } = document.querySelector('ringback-launcher, ringback-form');
        const page = document.documentElement;
        if (page.scrollWidth > innerWidth) wrong.push(`the page is ${page.scrollWidth} wide`);
        const shown = [...shadowRoot.querySelectorAll('*')].filter(element =>
            !element.closest('.trap, option, optgroup') && element.checkVisibility());
        for (const element of shown) {
            const name = `${element.localName}.${element.className}`;
            const { left, right, top, bottom, width } = element.getBoundingClientRect();
            if (width && (left < -.5 || right > innerWidth + .5)) wrong.push(`${name} from ${left} to ${right}`);
            if (element.matches('dialog, button.launch') && (top < -.5 || bottom > innerHeight + .5))
                wrong.push(`${name} from ${top} down to ${bottom}`);
            // Lists and lines to type in show a part of what is in them.
            if (!element.matches('select, input, textarea') && element.scrollWidth > element.clientWidth + 1 && element.clientWidth)
                wrong.push(`${name} holds ${element.scrollWidth} on ${element.clientWidth}`);
        }
        const [frame, close, title] = ['.frame', '.close', '.ask:not([hidden]) h2, .news h2'].map(one => shadowRoot.querySelector(one));
        const body = shadowRoot.querySelector('.body');
        if (close && title) {
            const scrolled = body.scrollTop;
            body.scrollTop = 0;
            const words = document.createRange();
            words.selectNodeContents(title);
            const there = close.getBoundingClientRect();
            // Of text that runs both ways, each line has several parts.
            const lines = [...words.getClientRects()];
            const isRtl = frame.dir == 'rtl';
            const { left, right } = title.getBoundingClientRect();
            if (isRtl != there.left < innerWidth / 2) wrong.push(`the cross is at ${there.left}`);
            const gap = isRtl ? right - Math.max(...lines.map(line => line.right)) : Math.min(...lines.map(line => line.left)) - left;
            if (Math.abs(gap) > 1) wrong.push('the title begins elsewhere');
            for (const line of lines)
                if (line.top < there.bottom && there.top < line.bottom && line.left < there.right && there.left < line.right)
                    wrong.push('the cross stands on the title');
            // Wherever it is scrolled to, nothing looks out from under the cross: beside it is the row in which it stands, or the title.
            const cross = shadowRoot.elementFromPoint((there.left + there.right) / 2, (there.top + there.bottom) / 2);
            if (cross != close) wrong.push(`the cross is under ${cross.localName}.${cross.className}`);
            const edges = body.getBoundingClientRect();
            if ((isRtl ? there.left - edges.left : edges.right - there.right) < body.offsetWidth - body.clientWidth)
                wrong.push('the cross stands on what one scrolls by');
            const beside = isRtl ? there.right + 1 : there.left - 1;
            for (let to = 0; to < body.scrollHeight - body.clientHeight; to += 30) {
                body.scrollTop = to;
                for (const y of [there.top + 1, (there.top + there.bottom) / 2, there.bottom - 1]) {
                    const found = shadowRoot.elementFromPoint(beside, y);
                    if (!found.matches('.bar, .ask h2')) wrong.push(`the cross stands on ${found.localName}.${found.className}`);
                }
            }
            body.scrollTop = scrolled;
        }
        return wrong;
    ";
    serde_json::from_value(browser.script(script, vec![]).await).expect("texts")
}

/// What is drawn in no colour of the system's own, or has no edge where an edge is all that there is.
async fn unseen(browser: &Browser) -> Vec<String> {
    let script = "
        const { shadowRoot } = document.querySelector('ringback-launcher, ringback-form');
        const shown = selector => [...shadowRoot.querySelectorAll(selector)].filter(element => element.checkVisibility());
        const ground = element => {
            for (let at = element; at; at = at.parentElement) {
                const { backgroundColor } = getComputedStyle(at);
                if (!/, 0\\)$/.test(backgroundColor)) return backgroundColor;
            }
        };
        const wrong = [];
        // The receivers, of borders alone.
        for (const element of shown('i, .mark span')) {
            const { borderTopColor, borderTopWidth } = getComputedStyle(element);
            if (parseFloat(borderTopWidth) < 1 || borderTopColor == ground(element.parentElement)) wrong.push(`${element.localName}: ${borderTopColor}`);
        }
        // What one presses or types in, and the panel itself.
        for (const element of shown('dialog, .launch, .primary, .quiet, input:not([type=radio], [type=checkbox]), select, textarea, .mark')) {
            const { borderTopStyle, borderTopColor, borderTopWidth } = getComputedStyle(element);
            if (borderTopStyle == 'none' || parseFloat(borderTopWidth) < 1 || borderTopColor == ground(element))
                wrong.push(`${element.className || element.localName}: ${borderTopWidth} ${borderTopStyle} ${borderTopColor}`);
        }
        // A step that was taken and one that was not.
        const dots = shown('.steps li').map(element => [element.dataset.step, getComputedStyle(element, '::before')]);
        const looks = ([step, { backgroundColor, borderTopWidth }]) => `${backgroundColor} ${borderTopWidth}`;
        const kinds = new Map(dots.map(dot => [dot[0], looks(dot)]));
        if (new Set(kinds.values()).size != kinds.size) wrong.push(`steps: ${[...kinds].join(' ')}`);
        // What is wrong, by more than its colour.
        const widths = shown('input[type=tel]').map(element => [element.ariaInvalid == 'true', getComputedStyle(element).borderTopWidth]);
        for (const [isWrong, width] of widths)
            if (isWrong != parseFloat(width) > 2) wrong.push(`a field has an edge of ${width}`);
        return wrong;
    ";
    serde_json::from_value(browser.script(script, vec![]).await).expect("texts")
}

/// Takes those pictures of a state, and judges it without looking, also at other sizes and in forced colours.
pub(super) async fn take_all(browser: &Browser, name: &str, pictures: &[Look]) -> Vec<String> {
    let mut wrong = Vec::new();
    for look in [NARROWEST, ZOOMED].iter().chain(pictures) {
        browser.look(*look).await;
        dress(browser, Preset::Soft, if look.dark { "dark" } else { "light" }).await;
        if pictures.contains(look) {
            take(browser, name, *look).await;
        }
        let found = misplaced(browser).await;
        wrong.extend(found.into_iter().map(|found| format!("at {}: {found}", look.name())));
    }
    browser.force_colors().await;
    for preset in Preset::ALL {
        dress(browser, preset, "light").await;
        let found = unseen(browser).await;
        wrong.extend(found.into_iter().map(|found| format!("{preset:?} in forced colours: {found}")));
    }
    wrong
}
