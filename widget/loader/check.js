// `Ringback("check")`: tells a web developer, on the very page, what its policy lets the form do and what it lacks. Loaded by
// whoever asks for it. In English alone, as the names of directives are.

// What the page's policies say against what is tried, those that only report included.
const objections = async attempt => {
  const found = [];
  const note = event => found.push({ directive: event.effectiveDirective, isEnforced: event.disposition == "enforce" });
  document.addEventListener("securitypolicyviolation", note);
  const outcome = await attempt().then(value => ({ value }), error => ({ error }));
  // Browsers tell of a violation shortly after it.
  await new Promise(done => setTimeout(done, 100));
  document.removeEventListener("securitypolicyviolation", note);
  const of = directive => found.filter(one => one.directive.startsWith(directive));
  return {
    ...outcome,
    isForbidden: directive => of(directive).some(one => one.isEnforced),
    isReported: directive => of(directive).some(one => !one.isEnforced),
  };
};

const good = (what, found) => ({ what, ok: true, works: true, found, todo: "" });
const bad = (what, found, todo, works = false) => ({ what, ok: false, works, found, todo });
// What no frame can do either.
const refused = (...said) => ({ ...bad(...said), refused: true });

// A policy that only reports does no harm yet.
const judged = (what, tried, directive, source, found) => {
  if (tried.isForbidden(directive)) return bad(what, `The page's policy forbids it (${directive}).`, `Add ${source} to ${directive}.`);
  if (tried.isReported(directive))
    return bad(what, `A policy that only reports would forbid it (${directive}).`, `Add ${source} to ${directive} before it is enforced.`, true);
  return found;
};

const connection = async (service, site) => {
  const what = "Connection to the service";
  const address = `${service}/v1/sites/${site}/form`;
  const tried = await objections(() => fetch(address, { credentials: "omit" }));
  const { value: answer, error } = tried;
  let found = good(what, "The service answers this page.");
  if (answer?.status == 403) {
    // Not that of `location`, which files and sandboxed frames have, too.
    found = origin == "null"
      ? refused(what, "The page has no origin (a file, or a sandboxed frame).", "Open it from a web server, such as http://localhost. To preview files all the same, list \"null\" in the site's `origins` for that while.")
      : refused(what, `The site does not list ${origin}.`, `The operator adds "${origin}" to the site's \`origins\`.`);
  } else if (answer?.status == 404) {
    found = refused(what, `There is no site "${site}".`, "Check data-site.");
  } else if (answer && !answer.ok) {
    found = refused(what, `The service answers with ${answer.status}.`, "See `detail` in its answer, in the network panel.");
  } else if (error) {
    found = refused(what, "The service does not answer.", location.protocol == "https:" && service.startsWith("http:")
      ? "A page with TLS cannot use a service without."
      : "Check that it runs, and that nothing on the way stops it.");
  }
  return judged(what, tried, "connect-src", service, found);
};

const module = async () => {
  const what = "WebAssembly";
  if (!window.WebAssembly) return bad(what, "This browser has none, or it is switched off.", "Nothing: visitors get the plain form.");
  // The shortest module that there is.
  const tried = await objections(() => WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
  if (tried.error) return bad(what, "The page's policy forbids it (script-src).", "Add 'wasm-unsafe-eval' to script-src. It allows no text as script. Until then visitors get the plain form.");
  return judged(what, tried, "script-src", "'wasm-unsafe-eval'", good(what, "It may be compiled."));
};

const frame = async (service, site, isRefused) => {
  const what = "Frame with the plain form";
  // Browsers do not tell a page that this was why a frame stays empty.
  if (isRefused) return bad(what, "The service refuses this page, and is not shown in it either.", "As above.");
  const element = document.createElement("iframe");
  element.hidden = true;
  element.credentialless = window.crossOriginIsolated;
  const tried = await objections(() => new Promise(done => {
    element.onload = done;
    element.src = `${service}/c/${site}`;
    document.body.append(element);
    setTimeout(done, 4000);
  }));
  element.remove();
  return judged(what, tried, "frame-src", service, good(what, "It may be shown where WebAssembly cannot be used."));
};

const styles = async () => {
  const what = "Styles";
  try {
    new CSSStyleSheet().replaceSync("p{color:red}");
    return good(what, "They come as constructed sheets, which no policy forbids.");
  } catch {
    return bad(what, "This browser cannot construct style sheets.", "Nothing for browsers of today; older ones need 'unsafe-inline' in style-src.");
  }
};

const trustedTypes = async () => {
  const what = "Trusted Types";
  const tried = await objections(async () => {
    document.createElement("div").innerHTML = "<b></b>";
  });
  return good(what, tried.error
    ? "They are required here. The form writes no markup and needs no policy."
    : "They are not required here; the form would work if they were.");
};

const tag = async script => {
  const what = "Script tag";
  return script.crossOrigin == null
    ? bad(what, "It has no `crossorigin`.", "Add crossorigin=\"anonymous\": the form then comes over the connection that the loader has opened.", true)
    : good(what, script.integrity ? "It is pinned to one version by `integrity`." : "It always brings the present version.");
};

const show = (level, results) => {
  const page = document;
  const host = page.createElement("ringback-check");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("{styles}");
  root.adoptedStyleSheets = [sheet];
  const add = (parent, tag, text = "") => {
    const element = parent.appendChild(page.createElement(tag));
    element.textContent = text;
    return element;
  };
  const dialog = add(root, "dialog");
  dialog.ariaLabel = "Ringback on this page";
  // In a page of whatever language.
  dialog.lang = "en";
  dialog.dir = "ltr";
  add(dialog, "h2", "Ringback on this page");
  add(dialog, "p", `Visitors with this browser get ${level}.`);
  const list = add(dialog, "ul");
  for (const { what, ok, found, todo } of results) {
    const item = add(list, "li");
    item.className = ok ? "ok" : "bad";
    add(item, "b", (ok ? "✓ " : "✗ ") + what);
    add(item, "span", found);
    if (todo) add(item, "em", todo);
  }
  add(dialog, "button", "Close").onclick = () => dialog.close();
  dialog.onclose = () => host.remove();
  page.body.append(host);
  dialog.showModal();
};

export const check = async ({ service, script }) => {
  const { site = document.querySelector("ringback-form,ringback-launcher")?.dataset.site } = script.dataset;
  const results = await Promise.all([tag(script), styles(), trustedTypes()]);
  // One after the other: what a policy says against one must not be taken for the other's.
  const reached = await connection(service, site);
  const compiled = await module();
  const framed = await frame(service, site, reached.refused);
  results.push(reached, compiled, framed);
  const level = reached.works && compiled.works ? "the form" : framed.works ? "the plain form, in a frame" : "a link to the hosted page";
  show(level, results);
  return { level, results };
};
