// Everything works without this file. It keeps a second tap on a button from sending a form twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 5000);
});
// A page that the browser took out of its memory may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
// A button that copies a text stands there only where it can.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", () => navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value));
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
// The sheet that this page brought along is fetched for the next pages, once nothing else is wanted; from the server, as
// a copy would not renew the cookie that tells of it.
const along = document.querySelector("style[data-from]");
if (along) addEventListener("load", () => fetch(along.dataset.from, { cache: "reload" }).catch(() => {}));
const worker = navigator.serviceWorker;
// What is typed into a long form stays on the device until it was sent, or its person signs out.
const { me, wipe } = document.documentElement.dataset;
const hour = (at) => new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
const LONGEST = 14 * 24 * 3600e3; // ms that a draft is kept
const UNSAID = ["csrf_token", "key", "version", "me"];
// What a filled in form says, in the words of its page: for the page of what waits.
const words = (form, typed) => typed.filter(([, value]) => value.trim() && value !== form.dataset.usual).map(([field, value]) => {
  const of = (it) => it.name === field && (!/^(radio|checkbox)$/.test(it.type) || it.value === value);
  const control = [...form.elements].find(of), own = control.labels?.[0], legend = control.closest("fieldset")?.querySelector("legend");
  const text = (it) => it.firstChild.textContent.trim();
  if (!own) return null;
  if (legend && /^(radio|checkbox)$/.test(control.type)) return [text(legend), text(own)];
  return [text(own), control.selectedOptions ? control.selectedOptions[0].text : value];
}).filter(Boolean);
const drop = (kind) => Object.keys(localStorage).forEach((name) => name.startsWith(kind) && localStorage.removeItem(name));
const drafts = () => Object.keys(localStorage).filter((name) => name.startsWith(`draft:${me}:`));
const forgetDrafts = () => { drop("draft:"); drop("said:"); };
const draftOf = (name) => JSON.parse(localStorage.getItem(name));
for (const name of drafts()) if (Date.now() - draftOf(name).at > LONGEST) localStorage.removeItem(name);
// The form that this tab sent last: did it arrive, or is it in the queue?
const asked = new URLSearchParams(location.search), last = JSON.parse(sessionStorage.getItem("last") || "null");
const arrived = last && asked.has("done");
if (last && (arrived || asked.has("kept"))) {
  localStorage.removeItem(last.name);
  if (arrived) localStorage.removeItem(`said:${last.key}`);
  sessionStorage.removeItem("last");
}
// A blank form that was kept stands in for the one that was asked for; else it is for this day and half of it.
for (const form of document.querySelectorAll("form[data-kept]")) {
  const here = new Date(), usual = { day: here.toLocaleDateString("sv"), session: here.getHours() < 12 ? "m" : "a" };
  for (const name of form.querySelector(".faults") ? [] : ["day", "session", "pupil"]) {
    const control = form.elements[name], value = asked.get(name) || usual[name];
    if (control && value) control.value = value;
    if (control && usual[name]) form.dataset.draft += control.value;
  }
}
for (const form of me ? document.querySelectorAll("form[data-draft]") : []) {
  const { key, pupil } = form.elements, note = form.querySelector(".draft");
  const name = `draft:${me}:${new URL(form.action).pathname}:${pupil ? pupil.value : ""}${form.dataset.draft}`;
  const typed = () => [...new FormData(form)].filter(([field]) => !UNSAID.includes(field));
  const first = JSON.stringify(typed()), draft = draftOf(name);
  let fresh = key.value;
  const save = (sent) => {
    if (sent || JSON.stringify(typed()) !== first) {
      localStorage.setItem(name, JSON.stringify({ at: Date.now(), typed: typed(), key: sent && key.value }));
    } else localStorage.removeItem(name);
  };
  if (draft && !form.querySelector(".faults")) {
    for (const control of form.elements) {
      const values = draft.typed.filter(([field]) => field === control.name).map(([, value]) => value);
      if (/^(radio|checkbox)$/.test(control.type)) control.checked = values.includes(control.value);
      else if (control.type !== "hidden" && values.length) control.value = values[0];
      const folded = control.closest("details");
      if (folded && (control.checked || values.some(Boolean))) folded.open = true;
    }
    if (draft.key) key.value = draft.key; // it was sent, and may have arrived
    note.querySelector("b").textContent = hour(draft.at);
    note.hidden = false;
    note.querySelector("button").addEventListener("click", () => {
      localStorage.removeItem(name);
      location.reload();
    });
  }
  form.addEventListener("input", () => {
    key.value = fresh; // what was changed is another entry
    save();
  });
  form.addEventListener("submit", () => {
    save(true);
    if (worker?.controller) localStorage.setItem(`said:${key.value}`, JSON.stringify(words(form, typed())));
    sessionStorage.setItem("last", JSON.stringify({ name, key: key.value }));
    // A page that comes back out of the browser's memory may be filled in for another session: it is no repetition then.
    fresh = crypto.randomUUID?.().replaceAll("-", "") || fresh;
  });
}
// The service worker keeps today's pages and what was not sent; here it is told to go on, and what it says is shown.
const bar = document.getElementById("unsent");
const ask = (what, more) => worker && worker.ready.then((it) => it.active.postMessage({ do: what, ...more }));
// While something waits and the page is seen, it is tried again: soon at first, then ever more seldom; not before the
// server wants it. What a person does, and a line that may be back, begins anew.
const SOON = 2e3, SELDOM = 30e3; // ms
let unsent = 0, waits = 0, tries = 0, held = 0, timer = 0;
const later = () => {
  clearTimeout(timer);
  if (!waits || document.hidden) return;
  const pause = Math.min(SOON * 2 ** tries, SELDOM) * (0.8 + Math.random() * 0.4); // not all phones at once
  timer = setTimeout(() => { tries += 1; ask("flush"); later(); }, Math.max(pause, held));
};
const anew = (more) => { tries = 0; if (!document.hidden) ask("flush", more); later(); };
const show = ({ unsent: count, review, last: at, held: ms }) => {
  const [all, again, none] = ["b", ".review", ".none"].map((part) => bar.querySelector(part));
  bar.hidden = !count && !unsent && bar.hidden;
  all.textContent = unsent = count;
  again.hidden = !review;
  none.hidden = count > 0;
  if (!count) drop("said:");
  bar.querySelector(".some").hidden = bar.querySelector("button").hidden = !count;
  bar.querySelector(".last").hidden = !at;
  if (at) bar.querySelector(".last b").textContent = hour(at);
  waits = count - review;
  held = ms;
  later();
};
if (worker && !me && worker.controller) worker.controller.postMessage(wipe === undefined ? { do: "hello", me: "" } : { do: "wipe" });
if (wipe !== undefined) forgetDrafts();
if (worker && me) {
  worker.addEventListener("message", ({ data }) => {
    if (data.ended) {
      forgetDrafts();
      location.assign("/login");
    } else if ("unsent" in data) show(data);
  });
  worker.startMessages();
  if (arrived) ask("done", { key: last.key });
  const begin = () => worker.register("/sw.js").then(() => ask("hello", { me }), () => {});
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin);
  bar.querySelector("button").addEventListener("click", () => anew({ now: true }));
  // Not every browser tells of a line that is back, and one that has just come back may not carry anything yet.
  for (const name of ["online", "pageshow", "focus"]) addEventListener(name, () => anew());
  document.addEventListener("visibilitychange", () => anew());
}
// Signing out wipes the device; what was not sent is asked about first.
document.querySelector("form[data-leave]")?.addEventListener("submit", (event) => {
  if ((unsent || drafts().length) && !confirm(bar.dataset.ask)) {
    event.preventDefault();
    return;
  }
  forgetDrafts();
  if (worker?.controller) worker.controller.postMessage({ do: "wipe" });
});
