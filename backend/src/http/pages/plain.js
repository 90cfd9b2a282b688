// Makes a page of the service better where scripts may run, and is missed by nobody where not: it tells the page around the frame how
// tall this one is and where the callback stands, and puts news in its place without the page being loaded anew.
// What it tells is in docs/architecture.md, "In a frame".
(() => {
  const page = document;
  const around = parent === self ? null : parent;
  // Browsers that do not name the page around: only pages of the site can have this one in a frame (frame-ancestors).
  const origin = location.ancestorOrigins?.[0] ?? "*";
  const tell = (type, more) => around?.postMessage({ type: "ringback:" + type, ...more }, origin);
  const height = () => Math.ceil(page.body.getBoundingClientRect().height);

  let told = "";
  const tellState = () => {
    const { callback: id, state, sent } = page.querySelector("[data-callback]")?.dataset ?? {};
    if (!id) return;
    if (sent !== undefined && !told) {
      tell("submitted", { id });
      // To load the page again is not to send again.
      history.replaceState(null, "", location.pathname + location.search.replace(/[?&]sent/, ""));
    }
    if (state !== told) tell("state", { id, state: told = state });
  };

  // Each part as it came: what the visitor has opened or chosen in it since is no news.
  const came = new Map();
  for (const part of page.querySelectorAll("[data-live]")) came.set(part.dataset.live, part.cloneNode(true));

  const put = fresh => {
    const focused = page.activeElement?.id;
    for (const part of page.querySelectorAll("[data-live]")) {
      const { live } = part.dataset;
      const news = fresh.querySelector(`[data-live="${live}"]`);
      // The steps say by attributes alone how far it is.
      if (!news || news.isEqualNode(came.get(live))) continue;
      came.set(live, news.cloneNode(true));
      part.replaceChildren(...news.childNodes);
    }
    for (const name of [".frame", ".follow"]) {
      const [old, now] = [page, fresh].map(from => from.querySelector(name));
      if (old && now) for (const { name, value } of now.attributes) old.setAttribute(name, value);
    }
    const follow = fresh.querySelector(".follow");
    if (!follow?.dataset.refresh) page.querySelector(".follow")?.removeAttribute("data-refresh");
    if (follow) page.title = fresh.title;
    // What had the focus may be gone: the title says what has come in its place.
    if (focused && page.activeElement?.id !== focused)
      (page.getElementById(focused) ?? page.getElementById("title"))?.focus();
    tellState();
  };

  const look = () => {
    const seconds = page.querySelector("[data-refresh]")?.dataset.refresh;
    if (!seconds) return;
    setTimeout(async () => {
      try {
        const answer = page.hidden ? null : await fetch(location.href, { credentials: "omit" });
        if (answer?.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch {
        // The next look may have better luck; what is shown stays.
      }
      look();
    }, seconds * 1000);
  };

  // At once, and whenever it grows or shrinks.
  new ResizeObserver(() => tell("ready", { height: height(), dir: page.documentElement.dir })).observe(page.body);
  tellState();
  look();
})();
