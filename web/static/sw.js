"use strict";
// The one service worker of the site. In front of it the server sets FILES, the addresses of the static files to keep.
// It keeps copies of the pages that a person needs today, queues forms that were sent without a line, and shows push
// messages. What may be kept is said by the server (/offline/pages); all of it goes with the sign-in.
const FIXED = `files ${FILES.join()}`, PAGES = "pages";
const LINE = 5000; // how long a line may take, in ms, before it is none
const HOUR = 3600e3, OLDEST = 48 * HOUR, FRESH = 24 * HOUR, OFTEN = HOUR / 12;
const PAUSE = 100; // between two copies, in ms, so that the line stays free for what the person opens
const LEFT = FILES.find((address) => address.startsWith("/offline/"));
const DOWN = new Set([502, 503, 504]); // what a proxy says for a server that is not there
const UNSAID = new Set(["csrf_token", "key", "version", "me"]); // fields of a form that nobody filled in

/** @type {(promise: Promise<Response>, most?: number) => Promise<Response>} */
const soon = (promise, most = LINE) =>
  Promise.race([promise, new Promise((_yes, no) => setTimeout(() => no(new Error("no line")), most))]);
/** @param {Response} answer */
const answers = (answer) => {
  if (!DOWN.has(answer.status)) return answer;
  const after = answer.headers.get("Retry-After"); // seconds, or a moment
  throw Object.assign(new Error("no server"), { answer, after: after && (Number(after) * 1e3 || Date.parse(after) - Date.now()) });
};

// --- what is kept beside pages: the queue, by the forms' idempotency keys, and a few facts ---
const opened = () => new Promise((yes, no) => {
  const asked = indexedDB.open("ralop", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("queue", { keyPath: "key" });
    asked.result.createObjectStore("facts");
  };
  asked.onsuccess = () => yes(asked.result);
  asked.onerror = () => no(asked.error);
});
/** @param {string} name @param {IDBTransactionMode} mode @param {(it: IDBObjectStore) => IDBRequest} work @returns {Promise<any>} */
const within = async (name, mode, work) => {
  const database = await opened();
  return new Promise((yes, no) => {
    const all = database.transaction(name, mode, { durability: "strict" });
    const asked = work(all.objectStore(name));
    all.oncomplete = () => { database.close(); yes(asked.result); };
    all.onerror = all.onabort = () => { database.close(); no(all.error); };
  });
};
const fact = (name) => within("facts", "readonly", (it) => it.get(name));
const setFact = (name, value) => within("facts", "readwrite", (it) => it.put(value, name));
const waiting = (key) => within("queue", "readonly", (it) => it.get(key));
/** @param {Waiting} post */
const put = (post) => within("queue", "readwrite", (it) => it.put(post));
const drop = (key) => within("queue", "readwrite", (it) => it.delete(key));
/** @returns {Promise<Waiting[]>} */
const own = async () => {
  const me = await fact("me");
  const all = await within("queue", "readonly", (it) => it.getAll());
  return all.filter((post) => me && post.me === me).sort((one, other) => one.at - other.at);
};

// --- whose device it is ---
const forget = async () => {
  await setFact("me", "");
  await setFact("pages", {});
  await setFact("gathered", 0);
  await caches.delete(PAGES);
};
const wipe = async () => {
  await forget();
  await within("queue", "readwrite", (it) => it.clear());
  await setFact("sent", []);
  await setFact("last", 0);
};
const say = async (words) => {
  for (const page of await clients.matchAll({ includeUncontrolled: true })) page.postMessage(words);
};
const tell = async () => {
  const posts = await own();
  const review = posts.filter((post) => post.state !== "waiting").length;
  await say({ unsent: posts.length, review, last: await fact("last"), held: await held() });
};
const hello = async (me) => {
  if (me !== (await fact("me"))) {
    await forget();
    await setFact("me", me);
    await setFact("sent", []);
    await setFact("last", 0);
  }
  await tell();
};

// --- copies of pages ---
/** @param {string} address @param {Response} answer @param {string} [stamp] */
const keep = async (address, answer, stamp) => {
  const pages = (await fact("pages")) || {}, me = await fact("me");
  if (!me || !(address in pages) || !answer.ok || answer.type !== "basic") return;
  const text = await answer.text();
  if (!text.includes(`data-me="${me}"`)) return; // the page of somebody else
  const headers = new Headers(answer.headers);
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  headers.set("X-Saved", String(Date.now()));
  headers.set("X-Stamp", stamp ?? pages[address] ?? "");
  const cache = await caches.open(PAGES);
  await cache.put(address, new Response(text, { headers }));
  if ((await fact("me")) !== me) await caches.delete(PAGES); // who it was has gone meanwhile
};
/** @param {Response} copy */
const age = (copy) => Date.now() - Number(copy.headers.get("X-Saved"));
const copyOf = async (address) => {
  const copy = (await fact("me")) && (await (await caches.open(PAGES)).match(address));
  return copy && age(copy) < OLDEST ? copy : undefined;
};
const two = (number) => String(number).padStart(2, "0");
const written = (at) => {
  const then = new Date(at), hour = `${two(then.getHours())}:${two(then.getMinutes())}`;
  const day = `${two(then.getDate())}/${two(then.getMonth() + 1)}`;
  return then.toDateString() === new Date().toDateString() ? hour : `${hour} ${day}`;
};
// Says on it that it is a copy; and each form is a form of its own: two that are filled in on one copy are two.
/** @param {Response} copy @param {boolean} missing */
const marked = async (copy, missing) => {
  const id = missing ? "missing" : "saved", at = written(Number(copy.headers.get("X-Saved")));
  const fresh = () => `name="key" value="${crypto.randomUUID().replaceAll("-", "")}"`;
  const text = (await copy.text())
    .replace(new RegExp(`(<p id="${id}"[^>]*?) hidden>([^<]*)(<b>–</b>)?`), (_all, begin, words, time) =>
      `${begin}>${words}${time ? `<b>${at}</b>` : ""}`)
    .replace(/name="key" value="[^"]*"/g, fresh);
  return new Response(text, { headers: copy.headers });
};
// Who signs out without a line is gone from the device at once, and from the server before its next page.
const leave = async () => {
  await wipe();
  await setFact("leaving", true);
  return caches.match(LEFT);
};
// A browser that takes itself to be on a line may be wrong.
const out = async (event) => {
  try {
    return answers(await soon(fetch(event.request), 6 * LINE));
  } catch { return leave(); }
};
const left = async () => {
  if (!(await fact("leaving"))) return true;
  try {
    const answer = await soon(fetch("/offline/me"));
    if (answer.status !== 401) {
      const { csrf } = await answers(answer).json();
      await soon(fetch("/logout", { method: "POST", body: new URLSearchParams({ csrf_token: csrf }) }));
    }
    await setFact("leaving", false);
    return true;
  } catch { return false; }
};
/** @param {FetchEvent} event @param {URL} url */
const page = async (event, url) => {
  if (!(await left())) return caches.match(LEFT);
  // A blank form stands in for that of one pupil or day.
  const copy = (await copyOf(url.pathname)) || (await copyOf(`${url.pathname}/blank`));
  const asked = fetch(event.request).then(answers).then(async (answer) => {
    // The sign-in page is shown to nobody we know: what was kept for someone goes before it comes.
    if (url.pathname === "/login" && answer.type !== "opaqueredirect") await (isEnded(answer) ? wipe() : forget());
    else if (answer.ok) {
      const kept = keep(url.pathname, answer.clone());
      event.waitUntil(kept.catch(() => {}));
    }
    return answer;
  });
  event.waitUntil(asked.catch(() => {}));
  try {
    return await (copy ? soon(asked) : asked);
  } catch (gone) {
    const instead = copy || (await copyOf("/offline"));
    if (!instead && gone.answer) return gone.answer; // nothing is kept here: then what the server says of itself
    if (!instead) throw gone;
    if (copy && url.pathname === "/offline") return copy; // what it shows is of now
    return marked(instead, !copy);
  }
};
/** @param {Request} request */
const file = async (request) => {
  const kept = await caches.match(request);
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch (gone) { // a page that was kept longer than the files it names
    const name = request.url.slice(request.url.lastIndexOf("/"));
    const same = FILES.find((address) => address.endsWith(name));
    const instead = same && (await caches.match(same));
    if (!instead) throw gone;
    return instead;
  }
};

let gathering = false;
const gather = async () => {
  if (gathering || Date.now() - ((await fact("gathered")) || 0) < OFTEN) return;
  gathering = true;
  try {
    const answer = await fetch("/offline/pages");
    if (isEnded(answer)) return await ended();
    const { me, pages } = await answer.json();
    if (!me || me !== (await fact("me"))) return;
    await setFact("pages", Object.fromEntries(pages));
    await setFact("gathered", Date.now());
    await sweep(new Set(pages.map(([address]) => address)));
    if (navigator.connection?.saveData) return; // then only what is looked at is kept
    for (const [address, stamp] of pages) {
      const copy = await copyOf(address);
      if (copy && copy.headers.get("X-Stamp") === stamp && age(copy) < FRESH) continue;
      await keep(address, await fetch(address, { headers: { "X-Copy": "1" }, redirect: "error" }), stamp);
      if ((await fact("me")) !== me) return;
      await new Promise((yes) => setTimeout(yes, PAUSE));
    }
  } catch { // no line: what is there stays
    await setFact("gathered", 0);
  } finally { gathering = false; }
};
/** @param {Set<string>} today */
const sweep = async (today) => {
  const cache = await caches.open(PAGES);
  for (const request of await cache.keys()) {
    const url = new URL(request.url), copy = await cache.match(request);
    if (age(copy) > OLDEST || !today.has(url.pathname)) await cache.delete(request);
  }
};

// --- forms that were sent without a line ---
/** @param {URL} url @param {string} text @returns {Waiting[]} */
const read = (url, text) => {
  const typed = [...new URLSearchParams(text)], get = (name) => typed.find((pair) => pair[0] === name)?.[1];
  const [key, me, at] = [get("key"), get("me"), Date.now()];
  if (!key || !me) return [];
  const made = (more) => ({ key, me, at, typed: [], state: "waiting", ...more });
  if (/^\/(work|cases)\/accept$/.test(url.pathname)) {
    const one = typed.filter((pair) => pair[0] === "one"), many = typed.filter((pair) => pair[0] === "case");
    return (one.length ? one : many).map(([, value]) => {
      const [code, version] = value.split(":");
      return made({ key: `${key}:${code}`, code, act: "accept", address: `/cases/${code}/accept`, version });
    });
  }
  const [, room, code, act] = url.pathname.split("/");
  const said = { address: url.pathname, version: get("version") || "", typed: typed.filter((pair) => !UNSAID.has(pair[0])) };
  if (room === "attendance") return [made({ code: "", of: [code, get("day"), get("session")].join(), act: room, ...said })];
  return [made({ code: act ? code : "", act: act || "open", ...said })];
};
/** @param {FetchEvent} event @param {URL} url */
const post = async (event, url) => {
  const posts = read(url, await event.request.clone().text());
  await setFact("gathered", 0); // the pages of the case will be others
  if (!posts.length) return fetch(event.request);
  const asked = fetch(event.request);
  event.waitUntil(asked.catch(() => {}));
  try {
    return answers(await soon(asked));
  } catch (gone) {
    await hold(gone);
    for (const one of posts) await put(one);
    event.waitUntil(tell());
    return Response.redirect(`/offline?kept=${posts.length}`, 303);
  }
};

// A busy server says how long it wants to be left alone, and a line that comes and goes is no reason to hurry: only a
// person, by a button, may be more impatient.
const PATIENCE = HOUR / 6, BREATH = 1000; // the longest that a server can ask for; between two tries; in ms
let sending, tried = 0;
const held = async () => {
  const [from, till] = (await fact("held")) || [0, 0], now = Date.now();
  return now < from ? 0 : Math.max(till - now, 0); // a clock that was set back holds nothing up
};
/** @param {NoLine} [gone] */
const hold = (gone) => {
  const now = Date.now();
  return gone?.after > 0 && setFact("held", [now, now + Math.min(gone.after, PATIENCE)]);
};
/** @param {{ now?: boolean }} [how] */
const flush = async ({ now } = {}) => {
  if (!now && (Math.abs(Date.now() - tried) < BREATH || (await held()))) return tell();
  return (sending ??= send().then(() => setFact("held", null), hold).catch(() => {}).finally(() => { sending = undefined; return tell(); }));
};
const send = async () => {
  const me = await fact("me");
  const posts = (await own()).filter((one) => one.state === "waiting");
  if (!posts.length) return;
  tried = Date.now();
  const answer = await soon(fetch("/offline/me"));
  if (isEnded(answer)) return ended();
  const known = answer.status === 401 ? {} : await answers(answer).json();
  if (known.me !== me) return; // signed out, or somebody else: it stays for whom it belongs to
  for (const { key } of posts) {
    const one = await waiting(key); // as the ones before may have changed it
    if (one?.state === "waiting" && !(await sent(one, known.csrf))) return;
  }
};
// The server's word for a sign-in that was ended from another device: the phone may be in strange hands.
/** @param {Response} answer */
const isEnded = (answer) => answer.headers.get("X-Session") === "ended";
const ended = async () => { await wipe(); await say({ ended: true }); };
/** @param {Waiting} one @param {string} csrf */
const sent = async (one, csrf) => {
  const body = new URLSearchParams([...one.typed, ["csrf_token", csrf], ["key", one.key], ["version", one.version ?? ""]]);
  const asked = fetch(one.address, { method: "POST", body, headers: { "X-Queued": one.me }, redirect: "manual" });
  const answer = answers(await soon(asked, 6 * LINE));
  if (isEnded(answer)) { await ended(); return false; }
  const told = await answer.json();
  const now = await waiting(one.key);
  if (told.state === "wait" || !now) return false;
  if (told.state === "sent") await done(one, told);
  else await put({ ...now, state: told.state, told });
  return true;
};
/** @param {Waiting} one @param {Told} told */
const done = async (one, told) => {
  await drop(one.key);
  await setFact("last", Date.now());
  const list = (await fact("sent")) || [];
  await setFact("sent", [{ code: one.code, act: one.act, at: Date.now(), to: told.at }, ...list].slice(0, 10));
  await setFact("gathered", 0); // the pages of the case are others now
  if (!told.version) return;
  // What else was filled in on the same version knew of this act: it was the person's own.
  for (const next of await own()) {
    const same = next.code === one.code && next.of === one.of && next.version === one.version && next.state !== "conflict";
    if (same) await put({ ...next, version: String(told.version) });
  }
};

// --- what pages ask for, and what the browser tells ---
const ASKED = {
  hello: async ({ me }) => { await hello(me); if (me) { await flush(); await gather(); } },
  flush,
  wipe,
  list: async () => ({ posts: await own(), sent: (await fact("sent")) || [] }),
  put: async ({ post: one }) => { await put(one); await flush({ now: true }); },
  keep: async ({ post: one }) => { await put(one); await tell(); },
  drop: async ({ key }) => { await drop(key); await tell(); },
  done: async ({ key }) => { const one = await waiting(key); if (one) await done(one, {}); await tell(); },
};
addEventListener("message", (event) => {
  const asked = ASKED[event.data.do];
  if (asked) event.waitUntil(asked(event.data).then((found) => event.ports[0]?.postMessage(found)));
});
addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate" && request.method === "GET") event.respondWith(page(event, url));
  else if (request.mode === "navigate" && url.pathname === "/logout") event.respondWith(navigator.onLine ? out(event) : leave());
  else if (request.mode === "navigate" && /^\/(cases\/|work\/accept$|attendance\/\d+$)/.test(url.pathname)) event.respondWith(post(event, url));
  else if (request.method === "GET" && request.cache !== "reload" && url.pathname.startsWith("/static/")) event.respondWith(file(request));
});
addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(FIXED).then((cache) => cache.addAll(FILES)));
});
addEventListener("activate", (event) => {
  const others = (names) => names.filter((name) => name !== FIXED && name !== PAGES);
  const cleared = caches.keys().then((names) => Promise.all(others(names).map((name) => caches.delete(name))));
  event.waitUntil(cleared.then(() => clients.claim()));
});
addEventListener("push", (event) => {
  const { title, body, url, tag } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: url, lang: "vi" }));
});
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow(event.notification.data));
});
