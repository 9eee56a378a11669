"use strict";
// The page of what waits on this device: each entry with what was typed, what the server said, and what can be done.
(() => {
  const worker = navigator.serviceWorker, list = document.getElementById("posts"), words = JSON.parse(list.dataset.words);
  if (!worker) return;
  const asked = (what) => worker.ready.then((it) => new Promise((yes) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => yes(data);
    it.active.postMessage(what, [channel.port2]);
  }));
  const two = (number) => String(number).padStart(2, "0");
  const written = (at) => {
    const then = new Date(at);
    return `${two(then.getHours())}:${two(then.getMinutes())} ${two(then.getDate())}/${two(then.getMonth() + 1)}`;
  };
  const made = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  const fill = (place, lines) => place.replaceChildren(...lines.map((line) => made("li", line)));
  const said = (field, value) => words.choices[field]?.[value] || words[value] || value;
  // As the page of the form said it; fields in their order, the choices of one together.
  /** @param {Waiting} post */
  const answers = (post) => {
    const kept = JSON.parse(localStorage.getItem(`said:${post.key}`) || "null"), found = new Map();
    const known = post.typed.filter(([field, value]) => words.fields[field] && value.trim());
    const lines = kept || known.map(([field, value]) => [words.fields[field], said(field, value)]);
    for (const [label, value] of lines) found.set(label, [...(found.get(label) || []), value]);
    return [...found].map(([label, values]) => [label, values.join(", ")]);
  };
  /** @param {Waiting} post */
  const restricted = (post) => post.typed.some(([field, value]) => value.trim() && words.restricted.some((it) => it === field || it === value));
  /** @param {Waiting} post */
  const codeOf = (post) => post.code || post.told?.code || ""; // of the case that stood in the way of a new one, too
  /** @param {Waiting} post */
  const put = (post) => asked({ do: "put", post: { ...post, state: "waiting", told: undefined } });
  // Other answers were sent with its key before: the server has said with which one it is an entry of its own.
  /** @param {Waiting} post */
  const anew = async (post) => {
    if (!post.told?.key) return post;
    const words = localStorage.getItem(`said:${post.key}`), version = String(post.told.version ?? post.version);
    const one = { ...post, key: post.told.key, version, told: { ...post.told, key: "" } };
    if (words) localStorage.setItem(`said:${one.key}`, words);
    localStorage.removeItem(`said:${post.key}`);
    await asked({ do: "keep", post: one });
    await asked({ do: "drop", key: post.key });
    return one;
  };
  /** @param {Waiting} post */
  const asNote = (post) => {
    const text = [words.acts[post.act] || post.act, ...answers(post).map(([label, value]) => `${label}: ${value}`)].join("\n");
    const version = post.told.version ? String(post.told.version) : "", code = codeOf(post);
    localStorage.removeItem(`said:${post.key}`); // it says something else now
    return put({ ...post, code, act: "note", address: `/cases/${code}/note`, typed: [["note", text]], version });
  };
  // The form itself, as the server shows it: with what was typed and each fault at its field, or who was faster.
  /** @param {Waiting} post */
  const open = async (post) => {
    const line = document.getElementById("no-line");
    try {
      const { me, csrf } = await (await fetch("/offline/me")).json();
      if (me !== post.me) return location.assign("/login?next=/offline");
      const form = Object.assign(document.createElement("form"), { method: "post", action: post.address, hidden: true });
      const hidden = [["csrf_token", csrf], ["key", post.key], ["version", post.version ?? ""], ["me", me]];
      for (const [name, value] of [...hidden, ...post.typed]) {
        const input = made("textarea", "");
        Object.assign(input, { name, value });
        form.append(input);
      }
      document.body.append(form);
      sessionStorage.setItem("last", JSON.stringify({ name: "", key: post.key }));
      form.submit();
    } catch { line.hidden = false; }
  };
  /** @param {Waiting} post */
  const card = (post) => {
    const made_ = document.getElementById("post").content.cloneNode(true), part = (name) => made_.querySelector(name);
    const told = post.told || {}, code = codeOf(post), state = post.state === "waiting" ? "wait" : post.state;
    const shown = told.key ? "" : state; // nobody was faster: the server says what it is
    part(".act").textContent = words.acts[post.act] || post.act;
    part(".where").textContent = code;
    part(".at").textContent = written(post.at);
    for (const line of made_.querySelectorAll(".state")) line.hidden = !shown || !line.classList.contains(shown);
    part(".why").textContent = told.why || "";
    part(".why").hidden = !told.why;
    fill(part(".told"), (told.faults || []).map(([, sentence]) => sentence).filter((sentence) => sentence !== told.why));
    part(".typed").replaceChildren(...answers(post).flatMap(([label, value]) => [made("dt", label), made("dd", value)]));
    part(".now").hidden = !told.case;
    part(".case").textContent = told.case || "";
    part(".due").textContent = told.due ? ` · ${told.due}` : "";
    fill(part(".since"), told.since || []);
    const able = {
      ".again": state === "conflict" && code === post.code, ".open": state === "faults" || (state === "conflict" && code === post.code),
      ".note": (state === "conflict" || state === "refused") && code && answers(post).length && !restricted(post),
      ".look": code,
    };
    for (const [name, can] of Object.entries(able)) part(name).hidden = !can;
    if (able[".again"]) part(".open").classList.add("second");
    part(".look").href = `/cases/${code}`;
    const on = (name, act) => part(name).addEventListener("click", () => act().then(show));
    on(".again", async () => put({ ...(await anew(post)), version: String(told.version) }));
    on(".note", async () => asNote(await anew(post)));
    on(".open", async () => open(await anew(post)));
    on(".discard", async () => {
      if (confirm(list.querySelector(".discard").dataset.ask)) await asked({ do: "drop", key: post.key });
    });
    return made_;
  };
  const sentLine = ({ code, act, at, to }) => {
    const line = made("li", `${written(at)}: `), link = made("a", `${words.acts[act] || act} ${code}`);
    link.href = to || (code ? `/cases/${code}` : "/work");
    line.append(link);
    return line;
  };
  const show = async () => {
    const { posts, sent } = await asked({ do: "list" });
    list.replaceChildren(...posts.map(card));
    document.getElementById("nothing").hidden = posts.length > 0;
    if (!posts.some((post) => post.state === "waiting")) document.getElementById("kept").hidden = true;
    document.getElementById("sent").hidden = !sent.length;
    document.querySelector("#sent ul").replaceChildren(...sent.map(sentLine));
  };
  document.getElementById("kept").hidden = !new URLSearchParams(location.search).has("kept");
  worker.addEventListener("message", ({ data }) => "unsent" in data && show());
  show();
})();
