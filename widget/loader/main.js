// The main script. It comes on intent, in one file with the module's own script, whose `mount` and `__wbg_init` it uses; what
// only few visitors need is in files of its own. Whatever a page asks for with `Ringback(…)` is done here.

const fetchOpenly = (url, more) => fetch(url, { credentials: "omit", ...more });

// What a page says with `data-prefill-order-number` is a value for the field `order-number`.
const prefilledBy = data => {
  const values = {};
  for (const [name, value] of Object.entries(data || {})) {
    const field = name.match(/^prefill([A-Z].*)/)?.[1];
    if (field) values[field.replace(/[A-Z]/g, (letter, at) => (at ? "-" : "") + letter.toLowerCase())] = value;
  }
  if (data?.reason) values.reason = data.reason;
  return values;
};

// What the page's address says with `?ringback_order_number=` is one too.
const addressed = () => Object.fromEntries(
  [...new URLSearchParams(location.search)]
    .filter(([name]) => name.startsWith("ringback_"))
    .map(([name, value]) => [name.slice(9), value]),
);

// An answer that was begun already, or else a second try: some networks fail once.
const answerOf = async (first, url) => {
  const answer = await first;
  const sure = answer instanceof Response ? answer : await fetchOpenly(url);
  if (sure.ok) return sure;
  throw sure;
};

// Countries get their names in the form's language, and stand in its order, but for the usual one. A browser that has no names shows codes.
const nameCountries = ({ countries, locale }) => {
  const names = Intl.DisplayNames && new Intl.DisplayNames(locale, { type: "region" });
  for (const country of countries) country.name = names?.of(country.code) || country.code;
  countries.push(...countries.splice(1).sort((one, other) => one.name.localeCompare(other.name, locale)));
};

let lazy, tries = 0;
// The second module and its texts, which nobody pays for who only looks at the form.
const bringLazy = async (service, form) => {
  // Browsers remember a failed import by its address: a new try needs a new one.
  lazy ||= import("./lazy.js" + "?".repeat(tries++));
  form.more ||= answerOf(0, `${service}/v1/sites/${form.site}/texts?locale=${form.locale}`).then(answer => answer.json());
  try {
    const [module, { texts }] = await Promise.all([lazy, form.more]);
    Object.assign(form.texts, texts);
    return module;
  } catch (error) {
    lazy = form.more = 0;
    throw error;
  }
};

// What the first module calls: when a request is sent, when it was accepted, and when a time is to be chosen.
const prepareLazy = (...form) => void bringLazy(...form).catch(() => {});
const callLazy = name => (service, form, ...more) => bringLazy(service, form)
  .catch(() => bringLazy(service, form))
  .then(lazy => lazy[name](service, form, ...more));
const followLive = callLazy("follow");
const chooseTime = callLazy("choose");

export const start = ({ service, script, module, waiting, localesOf, labelOf, fail }) => {
  const page = document;
  // What the page has said with `Ringback("prefill")`, for the forms that are still to come.
  let said = {};
  let engine;

  const tell = (element, type, detail) => element.dispatchEvent(
    new CustomEvent("ringback:" + type, { bubbles: true, composed: true, detail }),
  );

  const compiled = () => {
    const first = module;
    module = 0;
    return engine ||= __wbg_init({ module_or_path: answerOf(first, new URL("ringback.wasm", import.meta.url)) })
      .catch(error => {
        engine = 0;
        throw error;
      });
  };

  const linked = new URLSearchParams(location.search).get("ringback_agent") || "";
  const isInline = element => element.localName == "ringback-form";

  // A form of the first level that can be had: the module's, or the service's own in a frame.
  const make = async element => {
    const { site, color = "" } = element.dataset;
    let { agent = linked } = element.dataset;
    const url = `${service}/v1/sites/${site}/form?` + new URLSearchParams({ locale: localesOf(element), agent, color });
    // The loader has asked for the form that was meant when it asked for this script; one from a cache has not. An answer is
    // read once.
    const first = element.from == url ? element.first : fetchOpenly(url).catch(error => error);
    element.from = 0;
    const described = answerOf(first, url).then(answer => answer.json());
    try {
      const [description] = await Promise.all([described, window.WebAssembly && compiled()]);
      // The link in the page's address is for one of the page's sites, and no word of the others.
      if (!element.dataset.agent && description.agent?.status == "invalid" && forms().some(other => other.dataset.site != site)) {
        agent = "";
        delete description.agent;
      }
      nameCountries(description);
      const form = mount(element.root, description, service, agent, isInline(element));
      element.root.querySelector("slot:not([name])")?.remove();
      // The button in the colours of the site, which only the service knows.
      const button = element.root.querySelector("button.launch");
      if (button) button.style.cssText = description.theme?.style || "";
      const dialog = element.root.querySelector("dialog");
      dialog?.addEventListener("close", () => tell(element, "close", {}));
      form.prefill({ ...prefilledBy(element.dataset), ...said });
      // Addresses are kept in histories and logs: only where the operator or the page wants it.
      if (description.prefill_from_address || element.dataset.prefill == "address") form.prefill(addressed());
      let told, isWarm;
      return {
        // A browser takes its time over the first look at a text in its font. It has that before the click: the dialog is laid out unseen.
        warm() {
          if (!dialog || told || isWarm) return;
          isWarm = 1;
          dialog.style.cssText = "display:flex;visibility:hidden";
          dialog.getBoundingClientRect();
          dialog.style.cssText = "";
        },
        open(values) {
          form.prefill(values);
          form.open();
          if (told) return;
          told = 1;
          tell(element, "level", { level: "wasm", reason: "none" });
          // Not before the form is drawn: to ask takes its time too.
          setTimeout(() => fetchOpenly(`${service}/v1/sites/${site}/shown?level=wasm&reason=none`, {
            method: "POST", mode: "no-cors", keepalive: true,
          }).catch(() => {}), 200);
        },
        close: () => form.close(),
        prefill: values => form.prefill(values),
        free: () => form.free(),
      };
    } catch (error) {
      const { plain } = await import("./plain.js");
      return plain({ element, service, site, agent, url, error, described, tell, fail, labelOf, localesOf });
    }
  };

  const load = element => element.form ||= make(element).catch(error => {
    element.form = 0;
    throw error;
  });

  const free = element => {
    element.form &&= void element.form.then(form => form.free(), () => {});
    element.note?.remove();
  };

  const open = async (element, values) => {
    element.note?.remove();
    try {
      (await load(element)).open(values);
    } catch ({ reason = "form-failed", status = 0 }) {
      fail(element, reason, status);
    }
  };

  const launchers = () => [...page.querySelectorAll("ringback-launcher")];
  const forms = () => [...page.querySelectorAll("ringback-form,ringback-launcher")];

  // The form that is meant: the page's first of that site, or the one for that agent's link alone.
  const find = (wanted = {}) => {
    const { site = script.dataset.site, agent } = wanted;
    const found = launchers().find(one =>
      (!site || one.dataset.site == site) && (agent ? one.dataset.agent == agent : !one.isForAgent));
    if (found || !site) return found || page.querySelector("ringback-form");
    const element = page.createElement("ringback-launcher");
    Object.assign(element.dataset, script.dataset, { site, launcher: "none" });
    // Who is to call and about what, the script tag says of its own site.
    if (script.dataset.site != site) for (const one of ["agent", "reason"]) delete element.dataset[one];
    if (agent) element.dataset.agent = agent;
    element.isForAgent = agent;
    page.body.append(element);
    return element;
  };

  // The button says where the call stands that is on its way.
  for (const type of ["state", "error"])
    page.addEventListener("ringback:" + type, ({ target }) => {
      const button = target.root?.querySelector("button.launch");
      if (!button) return;
      const news = target.root.querySelector(".follow:not(.ended,.lost) .news")?.textContent;
      button.ariaLabel = news || labelOf(target);
      button.querySelector("span").textContent = target.dataset.label == "" ? "" : news || labelOf(target);
    });

  const commands = {
    // A link stays: the page is scrolled more often than a service comes back.
    show: element => element.note || open(element),
    open(element, wanted) {
      element ||= find(wanted);
      if (!element) return;
      if (isInline(element)) element.scrollIntoView({ block: "nearest" });
      return open(element, { ...prefilledBy(wanted), ...wanted?.prefill });
    },
    // Nobody has asked for it yet: what fails is told to whoever does.
    load: (element, wanted) => load(element || find(wanted)).then(form => form.warm?.()).catch(() => {}),
    close: () => forms().forEach(element => element.form?.then?.(form => form.close(), () => {})),
    prefill(_, values) {
      Object.assign(said, values);
      forms().forEach(element => element.form?.then?.(form => form.prefill(values), () => {}));
    },
    free,
    destroy() {
      said = {};
      forms().forEach(element => element.remove());
    },
    check: async () => (await import("./check.js")).check({ service, script }),
  };

  const run = (element, command, ...more) => commands[command]
    ? commands[command](element, ...more)
    : console.error(`Ringback: there is no command "${command}"`);
  waiting.splice(0).forEach(call => run(0, ...call));
  return run;
};
