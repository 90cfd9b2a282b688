// The script of one page of the gallery, before the form's own: it answers what the form asks the service for as the scene says, and
// then does what a visitor would do. The form, its texts and its styles are the service's own.
{
  const scene = JSON.parse(document.getElementById("play").textContent);
  const service = document.currentScript.dataset.service;
  const put = (target, name, value) => Object.defineProperty(target, name, { value, configurable: true });

  // Pages of the gallery stand side by side in one tab: what one follows is not for the others.
  put(window, "sessionStorage", scene.kept ? { "ringback/acme": scene.kept } : {});
  put(window, "Notification", class {
    static permission = scene.lacks.includes("permission") ? "default" : "denied";
    static requestPermission = async () => Notification.permission = "granted";
  });
  // On the wall of all scenes, none is to take the focus from whoever looks at them.
  if (window != parent) {
    HTMLElement.prototype.focus = () => {};
    const { showModal } = HTMLDialogElement.prototype;
    HTMLDialogElement.prototype.showModal = function () {
      this.inert = true;
      showModal.call(this);
      this.inert = false;
    };
  }
  if (scene.lacks.includes("network")) put(navigator, "onLine", false);
  if (scene.lacks.includes("wasm")) delete window.WebAssembly;

  // What is asked for, by method and path.
  const calls = [
    [/^GET \/v1\/sites\/[^/]+\/form$/, "form"],
    [/^GET \/v1\/sites\/[^/]+\/texts$/, "texts"],
    [/^GET \/v1\/sites\/[^/]+\/slots$/, "slots"],
    [/^POST \/v1\/sites\/[^/]+\/callbacks$/, "ask"],
    [/^GET \/v1\/callbacks\/[^/]+\/events$/, "events"],
    [/^GET \/v1\/callbacks\/[^/]+$/, "view"],
    [/^PATCH \/v1\/callbacks\/[^/]+$/, "change"],
    [/^DELETE \/v1\/callbacks\/[^/]+$/, "cancel"],
  ];
  const json = (status, body, headers = {}) =>
    new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
  const answer = (reply, signal) => {
    if (reply == "never") return new Promise(() => {});
    if (reply == "lost") return Promise.reject(new TypeError("the connection breaks"));
    if (reply.json) {
      const { status, retry_after, body } = reply.json;
      return Promise.resolve(json(status, body, retry_after ? { "Retry-After": String(retry_after) } : {}));
    }
    const text = reply.stream.map(view => `data: ${JSON.stringify(view)}\n\n`).join("");
    return Promise.resolve(new Response(new ReadableStream({
      start(stream) {
        stream.enqueue(new TextEncoder().encode(text));
        signal?.addEventListener("abort", () => stream.error(signal.reason));
      },
    })));
  };
  const send = window.fetch.bind(window);
  window.fetch = (url, init = {}) => {
    const { origin, pathname } = new URL(url, location);
    if (origin != service) return send(url, init);
    const asked = `${init.method || "GET"} ${pathname}`;
    // The operator counts visitors.
    if (/\/shown$/.test(pathname)) return Promise.resolve(new Response(null, { status: 204 }));
    const call = calls.find(([pattern]) => pattern.test(asked))?.[1];
    const reply = scene.replies[call];
    if (reply) return answer(reply, init.signal);
    return call == "form" ? Promise.resolve(json(200, scene.form)) : send(url, init);
  };

  const host = () => document.querySelector("ringback-launcher, ringback-form");
  const until = async look => {
    for (;;) {
      const found = look();
      if (found) return found;
      await new Promise(again => setTimeout(again, 10));
    }
  };
  const find = selector => {
    const found = host()?.shadowRoot?.querySelector(selector);
    return found?.checkVisibility() && found;
  };
  const heard = new Set();
  document.addEventListener("ringback:state", ({ detail }) => heard.add(detail.state));
  const takes = {
    async hear(state) {
      await until(() => heard.has(state));
    },
    async see(selector) {
      const seen = await until(() => find(selector));
      // The panel alone is moved, and not the pages around.
      const panel = seen.closest(".body");
      if (!panel) return;
      const gap = seen.getBoundingClientRect().bottom - panel.getBoundingClientRect().bottom;
      panel.scrollTop += Math.max(0, gap + 8);
    },
    async press(selector) {
      const pressed = await until(() => find(selector));
      // As one who presses by a key: the focus is there already.
      pressed.focus();
      pressed.click();
    },
    async fill([selector, value]) {
      const control = await until(() => find(selector));
      control.value = value;
      for (const type of ["input", "change"]) control.dispatchEvent(new Event(type, { bubbles: true, composed: true }));
    },
  };
  (async () => {
    for (const step of scene.steps) for (const [name, what] of Object.entries(step)) await takes[name](what);
    await until(() => host()?.shadowRoot);
    document.documentElement.dataset.played = "yes";
  })();
}
