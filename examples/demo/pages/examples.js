// The script of the page of examples: what a page of yours may do.

// What is called before Ringback has come waits in a queue.
window.Ringback ||= function () { (Ringback.q ||= []).push(arguments); };

const element = id => document.getElementById(id);

element("open").onclick = () => Ringback("open", { prefill: { name: "Ann Example" } });
element("check").onclick = () => Ringback("check");
Ringback("on", "before-submit", event => {
  if (element("keep").checked && !event.detail.fields.includes("email")) event.preventDefault();
});

for (const type of ["open", "close", "level", "before-submit", "submitted", "state", "error"])
  document.addEventListener("ringback:" + type, event => {
    const heard = element("heard");
    if (!heard.dataset.any) heard.replaceChildren();
    heard.dataset.any = "yes";
    const item = document.createElement("li");
    item.textContent = `${event.type} ${JSON.stringify(event.detail)}`;
    heard.append(item);
  });
