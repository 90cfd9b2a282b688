// Ringback's loader: all that a page pays for until a visitor wishes to be called. It gives the page its one name and its
// two elements, draws the launcher, and on intent fetches the main script and the module at once. When not even the main
// script comes, it shows a link to the hosted page.
// The build takes out comments and white space, and fills in the folder of the assets, the styles and the labels.
(() => {
  const page = document;
  const script = page.currentScript;
  const service = script.src.replace(/\/widget(\/\w+(\/widget)?)?\.js.*/, "");
  const assets = service + "{assets}";
  const labels = {texts};
  const present = window.Ringback;
  // What was asked for and is no wish to be called: it waits until there is one.
  const waiting = [];
  let main, module, tries = 0;

  const begin = address => fetch(address, { credentials: "omit" }).catch(error => error);

  // A page may hold a button for each of several sites: each script tag puts one there.
  const launcherOf = site => page.querySelector(`ringback-launcher[data-site='${site}']`);

  const ask = (element, ...call) => {
    if (!main && /prefill|close/.test(call[0])) return waiting.push(call);
    const meant = element || launcherOf(call[1]?.site || script.dataset.site) || page.querySelector("ringback-form");
    // All at once: where a round trip takes half a second, one that waits for another is one too many. The main script asks
    // again where it means another form.
    if (!main && meant) {
      const { site, agent = "", color = "" } = meant.dataset;
      meant.first = begin(meant.from =
        service + "/v1/sites/" + site + "/form?" + new URLSearchParams({ locale: localesOf(meant), agent, color }));
    }
    module ||= window.WebAssembly && begin(assets + "ringback.wasm");
    // Browsers remember a failed import by its address: a new try needs a new one.
    main ||= import(assets + "main.js" + "?".repeat(tries++))
      .then(({ start }) => start({ service, script, module, waiting, localesOf, labelOf, fail }));
    return main.then(run => run(element, ...call)).catch(() => {
      main = 0;
      // Nobody has asked for the form yet who only comes near it.
      call[0] == "load" || fail(meant, "script-failed");
    });
  };

  // What it is to know, it knows before it stands in the page and is drawn.
  const add = (parent, tag, text, data) => {
    const element = page.createElement(tag);
    element.textContent = text;
    Object.assign(element.dataset, data);
    return parent.appendChild(element);
  };

  // The best first: the service looks them up in the same order, and passes over what is empty.
  const localesOf = element =>
    [element.dataset.locale, page.documentElement.lang, ...navigator.languages];
  // Chinese is here in its simplified script alone; `zh-Hant` and `zh-TW` ask for the other.
  const labelOf = element => element.dataset.label || labels[
    (localesOf(element).find(tag => labels[tag?.slice(0, 2)] && !/^zh-[^cs]+$/i.test(tag)) || "en").slice(0, 2)];

  // The last level: a link to the hosted page.
  const fail = (element, reason, status = 0) => {
    const { site, agent } = element.dataset;
    element.note?.remove();
    const note = element.note = add(element.root, "a", labelOf(element) + " ↗");
    note.className = "launch";
    note.href = service + (agent ? "/a/" + agent : "/c/" + site) + "?level=link&reason=" + reason;
    const tell = (type, detail) =>
      element.dispatchEvent(new CustomEvent("ringback:" + type, { bubbles: true, composed: true, detail }));
    tell("level", { level: "link", reason });
    tell("error", { type: "load", status });
  };

  // The form in the page, loaded when it comes near the part of the page that can be seen.
  class Form extends HTMLElement {
    connectedCallback() {
      this.dataset.site ||= script.dataset.site;
      this.root ||= this.draw(this.attachShadow({ mode: "open" }));
    }

    // An element that is only moved is connected again before the promise, which never calls at once, does.
    disconnectedCallback() {
      main?.then(run => this.isConnected || run(this, "free"));
    }

    draw(root) {
      new IntersectionObserver(entries => entries.pop().isIntersecting && ask(this, "show"), { rootMargin: "300px" }).observe(this);
      // What the page has put into the element is shown until there is a form.
      add(root, "slot");
      return root;
    }
  }

  // The button that floats above the page, and the dialog.
  class Launcher extends Form {
    draw(root) {
      try {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(styles);
        root.adoptedStyleSheets = [sheet];
      } catch {
        add(root, "style", styles);
      }
      if (this.dataset.launcher != "none") {
        const button = add(root, "button");
        button.className = "launch";
        add(button, "i");
        add(button, "span", this.dataset.label ?? labelOf(this));
        button.part = "launcher";
        button.ariaLabel = labelOf(this);
        button.onpointerenter = button.onfocus = () => ask(this, "load");
        // Who waits for a call has long reached for it: the button is to say where that stands. Storage may be forbidden.
        try {
          sessionStorage["ringback/" + this.dataset.site] && ask(this, "load");
        } catch {}
        button.onclick = () => {
          button.ariaBusy = true;
          ask(this, "open").then(() => button.ariaBusy = null);
        };
      }
      return root;
    }
  }
  const styles = "{styles}";

  if (!present?.open) {
    const Ringback = window.Ringback = (command, ...more) =>
      command == "on" ? page.addEventListener("ringback:" + more[0], more[1])
        : command == "off" ? page.removeEventListener("ringback:" + more[0], more[1])
          : ask(0, command, ...more);
    for (const name of ["open", "close", "on"]) Ringback[name] = Ringback.bind(0, name);
    customElements.define("ringback-form", Form);
    customElements.define("ringback-launcher", Launcher);
    for (const type of ["pointerdown", "click"])
      page.addEventListener(type, event => {
        const opener = event.composedPath().find(({ dataset }) => dataset?.ringbackOpen != null);
        opener && ask(0, type == "click" ? (event.preventDefault(), "open") : "load", opener.dataset);
      });
  }
  const stand = () => {
    script.dataset.site && !launcherOf(script.dataset.site) && add(page.body, "ringback-launcher", null, script.dataset);
    present?.q?.forEach(call => Ringback(...call));
  };
  page.body ? stand() : page.addEventListener("DOMContentLoaded", stand);
})();
