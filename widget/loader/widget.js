// Ringback's loader: all that a page pays for until a visitor wishes to be called. It draws the launcher, and fetches
// the form on intent: its description, the module, and the module's script, side by side.
// The build takes out comments and white space, and fills in the folder of the assets and the launcher's label in each language.
(() => {
  const page = document;
  const script = page.currentScript;
  const service = script.src.replace(/\/widget\.js.*/, "");
  const texts = {texts};
  const styles = "{styles}";

  const get = url => fetch(url, { credentials: "omit" }).then(answer => {
    if (!answer.ok) throw answer;
    return answer;
  });

  const add = (parent, tag, name, text) => {
    const element = parent.appendChild(page.createElement(tag));
    element.className = name;
    element.textContent = text;
    return element;
  };

  let engine, tries = 0;
  const start = () => {
    const assets = service + "{assets}ringback.";
    return engine ||= Promise.all([
      // Browsers remember a failed import by its address: a new try needs a new one.
      import(assets + (tries++ ? "js?" + tries : "js")),
      get(assets + "wasm"),
    ]).then(([module, module_or_path]) => module.default({ module_or_path }).then(() => module)).catch(error => {
      engine = 0;
      throw error;
    });
  };

  // The form in the page, loaded when it comes near the part of the page that can be seen.
  class Inline extends HTMLElement {
    connectedCallback() {
      this.root ||= this.attachShadow({ mode: "open" });
      this.agent = this.dataset.agent || new URLSearchParams(location.search).get("ringback_agent") || "";
      // The service looks them up in this order, and so does the label. Chinese is here in its simplified script alone:
      // `zh-Hant` and `zh-TW` ask for the other.
      this.locales = [this.dataset.locale, page.documentElement.lang, ...navigator.languages].filter(tag => tag);
      const label = tag => !/^zh-[^cs]+$/i.test(tag) && texts[tag.slice(0, 2)];
      this.label = this.dataset.label || label(this.locales.find(label) || "en");
      this.begin();
    }

    begin() {
      new IntersectionObserver((entries, observer) => {
        if (entries.some(entry => entry.isIntersecting)) {
          observer.disconnect();
          this.show(1);
        }
      }, { rootMargin: "300px" }).observe(this);
    }

    // An element that is only moved is connected again before the microtask runs.
    disconnectedCallback() {
      queueMicrotask(() => {
        if (!this.isConnected) {
          this.form?.free();
          this.form = this.loading = 0;
        }
      });
    }

    load(inline) {
      const { site } = this.dataset;
      const query = new URLSearchParams({ locale: this.locales, agent: this.agent });
      return this.loading ||= Promise.all([
        start(),
        get(`${service}/v1/sites/${site}/form?${query}`).then(answer => answer.json()),
      ]).then(([module, form]) => this.form = module.mount(this.root, form, service, this.agent, !!inline))
        .catch(error => {
          this.loading = 0;
          throw error;
        });
    }

    async show(inline) {
      this.note?.remove();
      try {
        (await this.load(inline)).open();
      } catch (error) {
        this.note = add(this.root, "a", "launch note", this.label + " ↗");
        this.note.href =
          service + (this.agent ? "/a/" + this.agent : "/c/" + this.dataset.site);
        this.dispatchEvent(new CustomEvent("ringback:error", {
          bubbles: true, composed: true, detail: { type: "load", status: error.status || 0 },
        }));
      }
    }
  }

  // The button that floats above the page.
  class Launcher extends Inline {
    begin() {
      if (this.button) return;
      try {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(styles);
        this.root.adoptedStyleSheets = [sheet];
      } catch {
        add(this.root, "style", "", styles);
      }
      const button = this.button = add(this.root, "button", "launch", "");
      add(button, "i", "", "");
      add(button, "span", "", this.dataset.label ?? this.label);
      button.part = "launcher";
      button.ariaLabel = this.label;
      // A finger enters too, before it presses.
      button.onpointerenter = button.onfocus = () => this.load().catch(() => {});
      button.onclick = async () => {
        button.ariaBusy = true;
        await this.show();
        button.ariaBusy = null;
      };
    }
  }

  const launcher = () => page.querySelector("ringback-launcher");
  if (!window.Ringback) {
    window.Ringback = {
      open: () => launcher()?.show(),
      close: () => launcher()?.form?.close(),
      on: (type, listener) => page.addEventListener("ringback:" + type, listener),
    };
    customElements.define("ringback-form", Inline);
    customElements.define("ringback-launcher", Launcher);
  }
  const draw = () => {
    if (!script.dataset.site || launcher()) return;
    const element = page.createElement("ringback-launcher");
    Object.assign(element.dataset, script.dataset);
    page.body.append(element);
  };
  page.body ? draw() : page.addEventListener("DOMContentLoaded", draw);
})();
