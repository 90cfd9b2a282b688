// The second level, loaded only where the first cannot work: the service's own form, which needs no WebAssembly and no script,
// in a frame. Where that is forbidden too, the visitor gets a link.

// How long a frame may be silent once it is loaded. Browsers do not tell a page that a frame was refused.
const SILENCE_MS = 5000;

const closes = {closes};
const styles = "{styles}";

// Whether the page's policy forbids what is tried: browsers tell so shortly after it has failed.
const isForbidden = async (directive, attempt) => {
  let seen = false;
  const note = event => seen ||= event.disposition == "enforce" && event.effectiveDirective.startsWith(directive);
  document.addEventListener("securitypolicyviolation", note);
  await attempt().catch(() => {});
  await new Promise(done => setTimeout(done, 50));
  document.removeEventListener("securitypolicyviolation", note);
  return seen;
};

// Why the first level cannot work. Throws where the second cannot either.
const reasonOf = async ({ url, error, described }) => {
  const refused = await described.then(() => 0, refused => refused);
  if (refused instanceof Response) throw { reason: "service-refused", status: refused.status };
  if (refused) {
    if (await isForbidden("connect-src", () => fetch(url, { credentials: "omit" }))) return "connect-forbidden";
    throw { reason: "service-unreachable" };
  }
  if (!window.WebAssembly) return "wasm-missing";
  return /content security|csp|unsafe-eval/i.test(error) ? "wasm-forbidden" : "wasm-failed";
};

export const plain = async given => {
  const { element, service, site, agent, tell, fail, labelOf, localesOf } = given;
  const { root } = element;
  const page = document;
  // What the module may have begun.
  root.querySelector(".frame")?.remove();
  const reason = await reasonOf(given);
  let told;
  const tellLevel = () => {
    if (!told) tell(element, "level", { level: "plain", reason });
    told = 1;
  };

  // The hosted page holds the plain form itself, in the element.
  const home = new URL(service).origin;
  if (home == location.origin) {
    root.querySelector("slot") || root.append(page.createElement("slot"));
    return { open: tellLevel, close() {}, prefill() {}, free() {} };
  }

  const isInline = element.localName == "ringback-form";
  const locales = localesOf(element);
  const label = labelOf(element);
  const query = new URLSearchParams({ locale: locales, level: "plain", reason });
  for (const look of ["color", "preset", "theme"]) if (element.dataset[look]) query.set(look, element.dataset[look]);
  const listening = new AbortController();
  let panel, frame;

  const free = () => {
    listening.abort();
    panel?.remove();
    panel = 0;
  };
  const giveUp = reason => {
    free();
    element.form = 0;
    fail(element, reason);
  };

  const draw = () => {
    panel = page.createElement(isInline ? "div" : "dialog");
    panel.className = "plain";
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(styles);
      root.adoptedStyleSheets = [...root.adoptedStyleSheets.filter(one => one != element.sheet), sheet];
      element.sheet = sheet;
    } catch {
      panel.appendChild(page.createElement("style")).textContent = styles;
    }
    frame = panel.appendChild(page.createElement("iframe"));
    frame.title = label;
    // A page that is isolated from all others takes no other frames; ours needs nothing that this takes away.
    frame.credentialless = window.crossOriginIsolated;
    if (!isInline) {
      const close = panel.appendChild(page.createElement("button"));
      close.ariaLabel = closes[locales.map(tag => tag?.slice(0, 2)).find(tag => closes[tag]) || "en"];
      close.onclick = () => panel.close();
      panel.ariaLabel = label;
      panel.onclose = () => tell(element, "close", {});
    }
    const { signal } = listening;
    let isReady;
    addEventListener("message", ({ source, origin, data }) => {
      if (source != frame.contentWindow || origin != home) return;
      const { type, height, dir, ...detail } = data || {};
      if (type == "ringback:ready") {
        isReady = 1;
        tellLevel();
        if (height > 0) frame.style.height = height + "px";
        // The button stands where the lines of the form end, and not those of the page.
        panel.dir = dir;
      }
      // What the form itself would tell the page.
      if (type == "ringback:submitted" || type == "ringback:state") tell(element, type.slice(9), detail);
    }, { signal });
    page.addEventListener("securitypolicyviolation", event => {
      if (event.disposition == "enforce" && event.effectiveDirective == "frame-src" && event.blockedURI.startsWith(service))
        giveUp("frame-forbidden");
    }, { signal });
    frame.onload = () => setTimeout(() => isReady || !panel || giveUp("frame-silent"), SILENCE_MS);
    frame.src = `${service + (agent ? "/a/" + agent : "/c/" + site)}?${query}`;
    root.querySelector("slot:not([name])")?.remove();
    root.append(panel);
  };

  return {
    open() {
      panel || draw();
      if (!isInline && !panel.matches(":modal")) {
        // One that the page has moved while it was open says that it is, and is no longer above the page.
        panel.open = false;
        panel.showModal();
        tell(element, "open", {});
      }
    },
    close: () => isInline || panel?.close(),
    prefill() {},
    free,
  };
};
