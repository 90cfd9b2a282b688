// Behind the second module's own script, in one file: whoever imports it gets what works, or fails.

await __wbg_init({ module_or_path: fetch(new URL("lazy.wasm", import.meta.url), { credentials: "omit" }) });
