// The chat on a shop's page: one file, no framework, no build step (ES2019). It talks to the addresses beside
// its own and needs of the page's Content-Security-Policy only `script-src` and `connect-src` with that host.
//
// Laws: what a visitor wrote is kept (in the outbox below) before it is sent, and repeated under one key until
// the server says it has it; nothing here may break the page; nobody sees what another person wrote.
(() => {
  "use strict";
  const SETUP = {};  // the server puts in: words of each language, settings of the channel
  const script = document.currentScript || document.querySelector('script[src*="/chat/"][src*="widget.js"]');
  const early = window.supportChat;
  if (early && early.stay) return early.stay();  // the script twice, or a page whose body was changed
  if (!script || !script.src || !Element.prototype.attachShadow) return;
  const BASE = new URL(".", script.src).href;
  const PREFIX = "support-chat " + BASE + " ";
  const SECOND = 1000;
  const LATE = 20 * SECOND;       // after so long a message counts as "not sent yet"
  const SILENCE = 20 * SECOND;    // a stream speaks every 15 s; one that says nothing is held up on its way
  const HIDDEN = 30 * SECOND;     // a tab nobody looks at gives its connection back
  const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

  // -- words -------------------------------------------------------------------------------------------------

  const words = SETUP.words || {};
  const known = (tag) => {
    const short = String(tag || "").slice(0, 2).toLowerCase();
    return words[short] ? short : "";
  };
  const asked = script.dataset.language || document.documentElement.lang || navigator.language;
  const language = known(asked) || known(SETUP.language) || Object.keys(words)[0] || "en";
  const say = (key, facts) => String((words[language] || {})[key] || key)
    .replace(/\{(\w+)\}/g, (all, name) => (facts && name in facts ? facts[name] : ""));
  const size = (bytes) => (bytes < 1e6 ? Math.max(1, Math.round(bytes / 1e3)) + " " + say("kilo")
    : (bytes / 1e6).toLocaleString(language, { maximumFractionDigits: 1 }) + " " + say("mega"));
  const moment = (at) => new Date(typeof at === "number" && at < 1e12 ? at * SECOND : at);
  const written = (at, options) => {
    const when = moment(at);
    return isNaN(when) ? "" : new Intl.DateTimeFormat(language, options).format(when);
  };

  // -- what is kept in the browser; in memory alone where the browser keeps nothing -----------------------------

  const memory = new Map();
  const kept = {
    get(name) {
      if (memory.has(name)) return memory.get(name);
      try { return JSON.parse(localStorage.getItem(PREFIX + name)); } catch (_) { return null; }
    },
    set(name, value) {
      memory.delete(name);
      try {
        if (value === null) localStorage.removeItem(PREFIX + name);
        else localStorage.setItem(PREFIX + name, JSON.stringify(value));
      } catch (_) {
        if (value !== null) memory.set(name, value);
      }
    },
    names(start) {
      const found = [...memory.keys()];
      try {
        for (let i = 0; i < localStorage.length; i++) {
          const key = localStorage.key(i);
          if (key.startsWith(PREFIX)) found.push(key.slice(PREFIX.length));
        }
      } catch (_) { /* memory is all there is */ }
      return found.filter((name) => name.startsWith(start));
    },
  };
  const ofTab = (name, value) => {  // of this tab alone: whether the chat is open, a draft
    try {
      if (value === undefined) return sessionStorage.getItem(PREFIX + name) || "";
      if (value) sessionStorage.setItem(PREFIX + name, value); else sessionStorage.removeItem(PREFIX + name);
    } catch (_) { /* not kept then */ }
    return "";
  };

  // -- state -------------------------------------------------------------------------------------------------

  const state = {
    open: false, token: "", person: "", login: script.dataset.login || "", cursor: "", messages: [],
    settings: SETUP.settings || {}, unread: 0, typing: null, cutOff: false, ready: false, gone: false,
    files: [], echoes: [], notice: "",
  };
  let person = 0;       // counts who was here: an answer meant for the one before is dropped
  let generation = 0;   // of the conversation's loop: one that is not the present one ends
  let cut = () => {};   // ends the request that waits for news
  const wakers = new Set();
  const wake = () => { wakers.forEach((now) => now()); wakers.clear(); };
  const pause = (time) => new Promise((done) => { const go = () => { clearTimeout(timer); wakers.delete(go); done(); };
    const timer = setTimeout(go, time); wakers.add(go); });
  const backoff = (failures, least) => pause(Math.max(Math.min(30, 2 ** Math.min(failures, 5)) * (0.25 + Math.random() * 0.5), least || 0) * SECOND);
  const uuid = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  const here = () => ({ url: location.href.split("#")[0].slice(0, 1000), title: document.title.slice(0, 200) });
  const visible = () => state.open && !document.hidden;

  // -- requests ----------------------------------------------------------------------------------------------

  const failure = (status, data, after) => Object.assign(new Error("HTTP " + status), { status, data: data || {}, after: Number(after) || 0 });
  // whether the server has understood and said no; all else is worth another try
  const refused = (error) => error.status >= 400 && error.status < 500 && ![401, 408, 425, 429].includes(error.status);

  async function call(path, body, { token = state.token, time = 20 * SECOND, last = false, waits = false } = {}) {
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), time);
    if (waits) cut = () => control.abort();
    try {
      const answer = await fetch(BASE + path, {
        method: body ? "POST" : "GET", cache: "no-store", keepalive: last,
        credentials: /^(session|logout)$/.test(path) ? "include" : "omit",  // a cookie lasts longer in some browsers
        signal: control.signal,
        headers: { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: "Bearer " + token }) },
        body: body && JSON.stringify(body),
      });
      if (!answer.ok) throw failure(answer.status, await answer.json().catch(() => ({})), answer.headers.get("Retry-After"));
      return await answer.json();
    } finally {
      clearTimeout(timer);
    }
  }

  let opening = null;
  const session = () => {
    if (!opening) opening = openSession().finally(() => { opening = null; });
    return opening;
  };

  // Who the visitor is, and what was said so far. One tab at a time, so that two make one visitor.
  async function openSession() {
    for (let failures = 0; !state.gone; failures++) {
      try {
        await (navigator.locks ? navigator.locks.request(PREFIX, askSession) : askSession());
        state.ready = true;
        cutOff(false);
        seen();
        greet();
        draw();
        return;
      } catch (error) {
        if (state.login && (error.status === 401 || (error.status === 403 && error.data.error === "login"))) {
          console.warn("[support-chat] the login was not accepted:", error.data);
          state.login = "";
          if (kept.get("named")) renounce();
        } else if (error.status === 401) {
          renounce();
        } else if ((error.status === 403 || error.status === 404) && !state.cursor) {
          console.warn("[support-chat] this page may not use the chat:", error.message, error.data);
          state.gone = true;
          draw();
        }
        if (failures) cutOff(true);
        if (failures === 2 && !state.ready && !error.status) {  // a browser tells no script which of the two it is
          console.warn("[support-chat] no answer from " + BASE + ": is " + location.origin + " among the channel's `origins`?");
        }
        await backoff(failures, error.after);
      }
    }
  }

  async function askSession() {
    const before = state.token || kept.get("visitor") || "", login = state.login, then = person;
    if (kept.get("leave")) await leave(before);
    const answer = await call("session", {
      ...(before && { visitor: before }), ...(login && { login }), language, page: here(),
    }, { token: "" });
    if (then !== person) throw failure(0);  // somebody else came meanwhile
    adopt(answer, Boolean(login));
    state.settings = answer.settings;
    state.messages = [...answer.messages];
    state.whole = answer.messages.length < 20;  // a page of the server's is longer
    state.cursor = answer.cursor;
    state.unread = answer.unread || 0;
    state.typing = null;
    dress();
  }

  // What was written as a guest goes with them when they log in; what one person wrote never goes to another:
  // it waits for them to be here again.
  function adopt({ visitor, person: now }, byLogin) {
    const before = kept.get("person") || "", same = before === now, goesOn = same || !kept.get("named");
    retoken((of) => !of || of === now || (goesOn && of === before), visitor, now);
    kept.set("named", byLogin || (same && kept.get("named")) || null);
    if (!goesOn) forget();
    Object.assign(state, { token: visitor, person: now });
    kept.set("person", now);
    kept.set("visitor", visitor);
  }
  function retoken(which, token, now) {
    for (const entry of entries(true)) if (which(entry.person)) change(entry, { token, person: now, stale: false });
  }

  function renounce() {  // the server knows this visitor no more: what a guest has waiting goes with the next one
    const before = kept.get("person");
    if (!kept.get("named")) retoken((of) => of === before, "", "");
    Object.assign(state, { token: "", person: "" });
    kept.set("person", null);
    kept.set("visitor", null);
  }

  function forget() {
    Object.assign(state, { messages: [], unread: 0, typing: null, files: [], echoes: [], notice: "", greeted: false, declined: false });
    ["pressed", "email", "agreed", "read"].forEach((name) => kept.set(name, null));
    ofTab("draft", null);
    if (ui) ui.field.value = "";
  }

  // -- news: a stream, or asking again and again where something on the way holds streams up ----------------------

  async function begin() {
    const mine = ++generation;
    cut();
    await session();
    for (let failures = 0; mine === generation && !state.gone;) {
      try {
        if (document.hidden && away) await pause(3600 * SECOND);
        else if (ofTab("poll")) await poll(mine);
        else await stream(mine);
        failures = 0;
        cutOff(false);
      } catch (error) {
        if (mine !== generation) return;
        if (refused(error) || error.status === 401) { await session(); if (failures < 2) { failures++; continue; } }
        if (!(document.hidden && away)) failures++;
        if (failures > 1) cutOff(true);
        await backoff(failures, error.after);
      }
    }
  }

  async function poll(mine) {
    const answer = await call("messages?wait=25&after=" + encodeURIComponent(state.cursor), null, { time: 45 * SECOND, waits: true });
    if (mine !== generation) return;
    for (const event of answer.events || answer.messages.map((m) => ({ event: "message", data: m }))) {
      hear(event.event, event.data, event.id);
    }
    state.cursor = answer.cursor || state.cursor;
  }

  async function stream(mine) {
    const control = new AbortController();
    const began = performance.now();
    let heard = false, timer = 0, silent = false;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => { silent = !heard; control.abort(); }, heard ? 2 * SILENCE : SILENCE);
    };
    cut = () => control.abort();
    listen();
    try {
      const answer = await fetch(BASE + "events?after=" + encodeURIComponent(state.cursor), {
        headers: { Accept: "text/event-stream", Authorization: "Bearer " + state.token },
        credentials: "omit", cache: "no-store", signal: control.signal,
      });
      if (!answer.ok) throw failure(answer.status);
      const reader = answer.body.getReader(), decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (mine !== generation) return;
        if (done) break;
        heard = true;
        cutOff(false);
        listen();
        const parts = (text + decoder.decode(value, { stream: true })).replace(/\r/g, "").split("\n\n");
        text = parts.pop();
        parts.forEach(told);
      }
      if (performance.now() - began < 5 * SECOND) throw failure(0);
      await pause(SECOND * Math.random());
    } catch (error) {
      if (silent && navigator.onLine) ofTab("poll", "1");
      throw error;
    } finally {
      clearTimeout(timer);
      control.abort();
    }
  }

  function told(part) {
    const fields = {};
    for (const line of part.split("\n")) {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) || [];
      if (name) fields[name] = name in fields ? fields[name] + "\n" + value : value;
    }
    try {
      if (fields.data) hear(fields.event || "message", JSON.parse(fields.data), fields.id);
    } catch (error) { console.warn("[support-chat]", error); }
  }

  function hear(kind, data, id) {
    if (kind === "message" || kind === "edit") {
      const place = state.messages.findIndex((m) => m.id === data.id);
      if (place >= 0) state.messages[place] = { ...data, cursor: state.messages[place].cursor };
      else if (kind === "message") arrived(data);
    } else if (kind === "remove") {
      state.messages = state.messages.filter((m) => m.id !== data.id);
    } else if (kind === "typing") {
      clearTimeout(state.typing && state.typing.timer);
      state.typing = { ...data, timer: setTimeout(() => { state.typing = null; draw(); }, 8 * SECOND) };
    } else if (kind === "notice") {
      state.notice = data.text;
      setTimeout(() => { if (state.notice === data.text) { state.notice = ""; draw(); } }, 15 * SECOND);
    } else if (kind === "read" && data.cursor) {
      state.unread = 0;
    }
    if (id) state.cursor = id;
    draw();
  }

  function arrived(message) {
    state.messages.push(message);
    if (message.from === "visitor") return;
    state.typing = null;
    if (visible()) return seen();
    state.unread++;
    if (ui) ui.told.textContent = say("news", { name: nameOf(message), text: (message.text || "").slice(0, 200) });
  }

  async function earlier() {  // what was said before, once somebody scrolls up to it
    if (ui.log.scrollTop > 60 || state.whole || !state.ready) return;
    const then = person, first = state.messages[0].cursor;
    state.whole = true;
    try {
      const { messages } = await call("messages?before=" + encodeURIComponent(first));
      if (then !== person) return;
      const ids = state.messages.map((m) => m.id), more = messages.filter((m) => !ids.includes(m.id));
      const below = ui.log.scrollHeight - ui.log.scrollTop;
      state.messages.unshift(...more);
      ui.log.setAttribute("aria-live", "off");
      paintAll();
      ui.log.scrollTop = ui.log.scrollHeight - below;
      state.whole = !more.length;
    } catch (error) {
      state.whole = refused(error);
    }
  }

  function seen() {
    if (!visible() || !state.ready) return;
    const last = state.messages[state.messages.length - 1];
    const reader = person;
    state.unread = 0;
    if (last && last.cursor !== kept.get("read")) {
      call("read", { cursor: last.cursor }).then(() => reader === person && kept.set("read", last.cursor), () => {});
    }
  }

  function cutOff(value) {
    if (state.cutOff !== value) { state.cutOff = value; draw(); }
  }

  // -- outbox: one place of the browser's storage for each thing to be sent, so that tabs do not overwrite others' ---

  function put(kind, body, text) {  // *text* is what stands in the chat meanwhile
    const waiting = entries(true);
    const at = Math.max(Date.now(), ...waiting.map((e) => e.at + 1));  // a clock set back reorders nothing
    const entry = { kind, body: { key: uuid(), language, ...body }, at, text, token: state.token, person: state.person };
    change(entry);
    started.set(entry.body.key, performance.now());
    setTimeout(draw, LATE + 50);
    wake();
    flush();
    draw();
  }

  const started = new Map();  // when this page saw an entry first, by a clock nobody sets
  const entries = (all) => kept.names("out ").map((name) => kept.get(name))
    .filter((e) => e && (all || ours(e))).sort((a, b) => a.at - b.at);
  const ours = ({ person: of }) => !of || of === state.person;
  const change = (entry, facts) => kept.set("out " + entry.body.key, { ...entry, ...facts });
  const drop = (entry) => kept.set("out " + entry.body.key, null);
  const late = (entry) => {
    const key = entry.body.key;
    if (!started.has(key)) { started.set(key, performance.now()); setTimeout(draw, LATE + 50); }
    return performance.now() - started.get(key) > LATE;
  };

  let sending = false;
  async function flush() {
    if (sending) return;
    sending = true;
    try {
      for (let failures = 0; !state.gone;) {
        const entry = entries(true).find((e) => !e.refused && !e.stale && (e.kind === "consent" || !unasked()));
        if (!entry) return;
        if (!entry.token) {  // nobody is known yet: the session gives it its visitor
          if (state.token && state.ready) retoken((of) => !of, state.token, state.person); else await session();
          continue;
        }
        try {
          const answer = await call(entry.kind, entry.body, { token: entry.token, last: true });
          if (entry.text) state.echoes.push({ ...entry, id: answer.id });
          drop(entry);
          if (entry.kind === "consent") await session();  // what is offered after a yes, and the greeting
          failures = 0;
          cutOff(false);
        } catch (error) {
          if (error.status === 401 && ours(entry)) await session();
          else if (error.status === 401) change(entry, { stale: true });
          else if (error.status === 403 && error.data.error === "consent") await askConsent();
          else if (refused(error) && entry.text) change(entry, { refused: error.data.error || true });
          else if (refused(error)) drop(entry);
          if (!refused(error)) await backoff(failures++, error.after);
          if (failures > 1) cutOff(true);
        }
        draw();
      }
    } finally {
      sending = false;
    }
  }

  async function askConsent() {  // it was for another text, or for another person
    kept.set("agreed", null);
    await session();
    await pause(SECOND);
  }

  function again(entry) {
    change(entry, { refused: false });
    started.delete(entry.body.key);
    wake();
    flush();
    draw();
  }

  // -- files: each is sent by itself, so that a large one keeps no words waiting -----------------------------------

  function take(list) {
    const limit = (state.settings.limits || {}).file || Infinity;
    for (const file of list) {
      if (file.size > limit) state.notice = say("big", { name: file.name, size: size(limit) });
      else if (file.size) state.files.push({ key: uuid(), file, sent: 0, token: "", person: "", failures: 0, refused: false });
      else state.notice = say("nothing_in", { name: file.name });
    }
    draw();
    carry();
  }

  let carrying = false;
  async function carry() {
    if (carrying) return;
    carrying = true;
    for (let failures = 0; !state.gone;) {
      const entry = state.files.find((f) => !f.refused && !f.id);
      if (!entry) break;
      if (!state.ready) await session();
      if (ours(entry)) Object.assign(entry, { token: state.token, person: state.person });
      try {
        entry.id = (await upload(entry)).id;
        failures = 0;
      } catch (error) {
        if (error.status === 401) await session();
        if (refused(error)) entry.refused = error.data.error || true;
        // a folder, a file that is gone, a proxy that takes none so large: all else goes, but this does not
        else if (!error.status && navigator.onLine && !state.cutOff && ++entry.failures > 6) entry.refused = true;
        else if (state.files.includes(entry)) await backoff(failures++, error.after);
      }
      draw();
    }
    carrying = false;
  }

  const upload = (entry) => new Promise((done, fail) => {
    const request = new XMLHttpRequest(), form = new FormData();
    let timer = 0;
    const moving = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), 60 * SECOND); };
    form.append("key", entry.key);
    form.append("file", entry.file, entry.file.name || "file");
    request.open("POST", BASE + "files");
    request.setRequestHeader("Authorization", "Bearer " + entry.token);
    request.upload.onprogress = (event) => { moving(); entry.sent = event.loaded / event.total; progress(entry); };
    request.onloadend = () => {
      clearTimeout(timer);
      let data = null;
      try { data = JSON.parse(request.responseText); } catch (_) { /* not our server's words */ }
      if (request.status >= 200 && request.status < 300 && data) done(data);
      else fail(failure(request.status, data, data && data.after));
    };
    entry.stop = () => request.abort();
    moving();
    request.send(form);
  });

  async function load(file) {
    const answer = await fetch(BASE + "files/" + encodeURIComponent(file.id), {
      headers: { Authorization: "Bearer " + state.token }, credentials: "omit",
    });
    if (!answer.ok) throw failure(answer.status);
    return answer.blob();
  }

  async function download(file) {
    try {
      const blob = new Blob([await load(file)], { type: "application/octet-stream" });  // never opened as a page
      const link = el("a", { href: URL.createObjectURL(blob), download: file.name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60 * SECOND);
    } catch (_) {
      state.notice = say("no_file", { name: file.name });
      draw();
    }
  }

  // A picture is drawn, not linked to: so the page's policy needs no img-src, and no address shows it to others.
  async function paint(canvas, file, most) {
    const picture = await createImageBitmap(await load(file));
    const scale = Math.min(1, most / Math.max(picture.width, picture.height));
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  }

  // -- pieces of the page ------------------------------------------------------------------------------------

  function el(tag, facts, ...inner) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(facts || {})) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...inner.filter((part) => part !== null && part !== undefined && part !== false));
    return node;
  }
  function icon(path) {
    const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
    const line = document.createElementNS(space, "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }
  const ICONS = {
    chat: "M4 5.5h16v11h-9.5L6 20v-3.5H4z",
    down: "M6 9.5l6 6 6-6",
    close: "M6 6l12 12M18 6L6 18",
    clip: "M20 11.5l-7.8 7.8a5 5 0 0 1-7-7L13 4.500a3.300 3.300 0 0 1 4.700 4.700l-7.800 7.800a1.700 1.700 0 0 1-2.400-2.400l7.200-7.200",
    send: "M12 19V5M6 11l6-6 6 6",
    file: "M7 3.500h7l4 4v13H7zM13.500 3.500V8H18",
    save: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
    bot: "M6 9h12v9H6zM12 9V5.500M9.500 13v1.500M14.500 13v1.500",
  };

  // The server's HTML is built anew from what is allowed here, without the browser's own parser (pages with
  // Trusted Types forbid it): anything else is left as its words, or left out.
  const ALLOWED = /^(a|b|strong|i|em|u|s|del|code|pre|br|p|ul|ol|li|blockquote|span|table|thead|tbody|tr|th|td)$/;
  const NEVER = /^(script|style|template|iframe|object|noscript|title|textarea|select|svg|math)$/;
  const SAFE = /^(https?:\/\/|mailto:|tel:)/i;
  const SIGNS = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
  const decoded = (text) => text.replace(/&(?:#(x?)([\da-f]{1,6})|(\w+));/gi, (all, hex, code, name) => {
    const point = parseInt(code, hex ? 16 : 10);
    return name ? SIGNS[name] || all : point > 0 && point < 0x110000 ? String.fromCodePoint(point) : "";
  });
  const outward = (href) => ({ href, target: "_blank", rel: "noopener noreferrer nofollow" });
  function body(message) {
    const into = el("div", { class: "words" }), open = [into], piece = /<(\/?)([a-z]\w*)([^>]*)>|[^<]+|</gi;
    const html = message.from === "visitor" ? "" : message.html;
    if (!html) into.append(message.text || "");
    let never = "";
    for (let found; html && (found = piece.exec(html));) {
      const [text, end, name, facts] = found, tag = (name || "").toLowerCase(), inner = open[open.length - 1];
      if (never) {
        if (end && tag === never) never = "";
      } else if (!tag) {
        inner.append(decoded(text));
      } else if (end) {
        const at = open.map((node) => node.localName).lastIndexOf(tag);
        if (at > 0) open.length = at;
      } else if (NEVER.test(tag)) {
        never = tag;
      } else if (ALLOWED.test(tag)) {
        const href = tag === "a" ? decoded((/\bhref\s*=\s*["']([^"']*)["']/i.exec(facts) || [])[1] || "") : "";
        const node = el(tag, SAFE.test(href) && outward(href));
        inner.append(node);
        if (tag !== "br") open.push(node);
      }
    }
    return into;
  }

  const nameOf = (message) => message.name || say(message.from === "operator" ? "operator" : "bot");

  // -- the dialog ----------------------------------------------------------------------------------------------

  let ui = null;
  function build() {
    const host = document.createElement("support-chat");
    const root = host.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch (_) {
      root.append(el("style", {}, STYLE));  // an old browser
    }
    const button = (kind, word, click, more) =>
      el("button", { type: "button", class: kind, "aria-label": say(word), title: say(word), click, ...more });
    ui = {
      host, root,
      launch: button("launch", "open", () => (state.open ? close() : open()), { "aria-expanded": "false", title: null }),
      count: el("span", { class: "count", hidden: true }),
      told: el("div", { class: "unseen", role: "status" }),
      title: el("h2", { id: "title" }), sub: el("p", { class: "sub" }),
      log: el("div", { class: "log", role: "log", tabindex: "0", "aria-live": "off", "aria-label": say("log"), scroll: earlier }),
      hello: el("p", { class: "hello" }, icon(ICONS.chat), say("hello")),
      typing: el("div", { class: "typing", hidden: true }, el("i"), el("i"), el("i"), el("span", { class: "unseen" })),
      notice: el("div", { class: "notice", role: "status", hidden: true }),
      consent: el("div", { class: "consent", hidden: true }),
      email: el("form", { class: "email", hidden: true, novalidate: true, submit: leaveEmail }),
      field: el("textarea", { id: "field", rows: "1", placeholder: say("field"), "aria-label": say("field"), input: typed, keydown: entered, paste: pasted, enterkeyhint: "send" }),
      left: el("div", { class: "left", role: "status" }),
      picker: el("input", { type: "file", multiple: true, hidden: true, tabindex: "-1", change: picked }),
      send: button("send", "send", submit),
      drop: el("div", { class: "drop", hidden: true }, say("drop")),
      rows: new Map(),
    };
    ui.launch.append(icon(ICONS.chat), icon(ICONS.down), ui.count);
    ui.send.append(icon(ICONS.send));
    const shut = button("shut", "close", () => close()), clip = button("clip", "attach", () => ui.picker.click());
    shut.append(icon(ICONS.close));
    clip.append(icon(ICONS.clip));
    ui.entry = el("div", { class: "entry" }, clip, ui.picker, ui.field, ui.send);
    ui.log.append(ui.hello, ui.typing);
    ui.panel = el("section", {
      class: "panel", role: "dialog", "aria-labelledby": "title", hidden: true,
      keydown: trapped, dragover: dragged, dragleave: dragged, drop: dropped,
    }, el("header", {}, el("div", {}, ui.title, ui.sub), shut),
      ui.log, ui.notice, ui.email, ui.consent, ui.left, ui.entry, ui.drop);
    const all = el("div", { class: "all", lang: language }, ui.launch, ui.panel, ui.told);
    for (const kind of ["keydown", "keyup", "keypress"]) {  // letters typed here are no shortcuts of the page
      all.addEventListener(kind, (event) => event.stopPropagation());
    }
    root.append(all);
    ui.field.value = ofTab("draft");
    dress();
    document.body.append(host);
    if (window.visualViewport) ["resize", "scroll"].forEach((kind) => visualViewport.addEventListener(kind, fit));
    fit();
    grow();
    draw();
  }

  function dress() {  // in the shop's colour, with ink that is readable on it
    if (!ui) return;
    const colour = [script.dataset.colour, state.settings.colour, "#1a63d8"].find((c) => /^#[0-9a-f]{6}$/i.test(c || ""));
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    ui.host.style.setProperty("--c", colour);
    ui.host.style.setProperty("--on", 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff");
  }

  function fit() {  // above the keyboard of a phone
    const view = window.visualViewport;
    if (!view || view.scale > 1.01) return;
    ui.host.style.setProperty("--high", view.height + "px");
    ui.host.style.setProperty("--top", view.offsetTop + "px");
  }

  function grow() {
    ui.field.style.height = "auto";
    ui.field.style.height = Math.min(ui.field.scrollHeight + 2, 132) + "px";
  }

  let drawing = false;
  function draw() {
    if (drawing || !ui) return;
    drawing = true;
    Promise.resolve().then(() => { drawing = false; paintAll(); }).catch((error) => console.warn("[support-chat]", error));
  }

  function paintAll() {
    ui.host.hidden = state.gone;
    ui.panel.hidden = !state.open;
    ui.launch.setAttribute("aria-expanded", String(state.open));
    ui.launch.setAttribute("aria-label", state.open ? say("close")
      : say("open") + (state.unread ? ". " + say("unread", { n: state.unread }) : ""));
    ui.host.toggleAttribute("data-open", state.open);
    ui.count.hidden = !state.unread || state.open;
    ui.count.textContent = state.unread > 99 ? "99+" : state.unread || "";
    ui.title.textContent = state.settings.title || say("title");
    const operator = [...state.messages].reverse().find((m) => m.from !== "visitor");
    const writes = state.typing && (state.typing.name ? state.typing : operator || { from: "bot" });
    ui.sub.textContent = writes ? say("typing", { name: nameOf(writes) })
      : operator && operator.from === "operator" ? say("with", { name: nameOf(operator) }) : say("sub");
    if (!state.open) return;
    paintRows();
    ui.typing.hidden = !writes;
    ui.typing.lastChild.textContent = writes ? ui.sub.textContent : "";
    const offline = state.cutOff || !navigator.onLine;
    paintNotice(state.notice || (offline ? say("offline") : ""));
    paintConsent();
    paintEmail();
    paintLimit();
  }

  const sameGroup = (a, b) => a && b && a.from === b.from && a.name === b.name && !a.gap && moment(b.at) - moment(a.at) < 300 * SECOND;

  // What is on its way stands below what was said; what the server has, stands where the server has it.
  function paintRows() {
    const ids = new Set(state.messages.map((m) => m.id));
    const done = (e) => ids.has(e.id) || ids.has(e.key || e.body.key);  // a visitor's message has the key as its id
    state.echoes = state.echoes.filter((e) => !done(e) && ours(e));
    state.files = state.files.filter((f) => !(f.id && done(f)));
    const mine = (key, text, more) => ({ id: key, from: "visitor", text, at: NaN, ...more });
    const rows = [
      ...state.messages.map((message) => ({ message })),
      ...[...state.echoes, ...entries().filter((e) => e.text && !done(e))]
        .map((entry) => ({ entry, message: mine(entry.body.key, entry.text) })),
      ...state.files.filter(ours).map((upload) => ({ upload, message: mine(upload.key, "") })),
    ];
    const atEnd = toEnd() < 150;
    const shown = new Set();
    let place = ui.hello, day = "", added = null;
    rows.forEach((row, i) => {
      const { message, entry, upload } = row;
      const own = message.from === "visitor", sure = message.at === message.at;
      const today = written(sure ? message.at : Date.now(), { day: "numeric", month: "long" });
      const first = !sameGroup(rows[i - 1] && rows[i - 1].message, message);
      const last = !rows[i + 1] || !sameGroup(message, rows[i + 1].message);
      const stand = entry && (entry.id ? "sent" : entry.refused ? "refused" : late(entry) ? "late" : "sending");
      const fresh = today && today !== day ? today : "";
      day = today || day;
      // what a screen reader is told once: a message that arrives where it stood stays the same piece of the page
      const core = JSON.stringify([own ? message.text : [message.html, message.name, first], message.files || [], message.buttons || [],
        upload && [upload.refused, upload.id], fresh, pressed(message)]);
      const print = core + JSON.stringify([message.at, message.edited, last, stand]);
      let known = ui.rows.get(message.id);
      if (!known || known.print !== print) {
        const node = rowOf(row, { first, last, stand, day: fresh });
        if (known && known.core === core) {
          known.node.className = node.className;
          known.node.lastChild.replaceWith(node.lastChild);
          known.print = print;
        } else {
          if (known) known.node.replaceWith(node); else if (i === rows.length - 1) added = message;
          known = { node, print, core };
          ui.rows.set(message.id, known);
        }
        if ((stand === "late" || stand === "refused") && known.stand !== stand) ui.told.textContent = say(stand);
        known.stand = stand;
      }
      if (place.nextSibling !== known.node) place.after(known.node);
      place = known.node;
      shown.add(message.id);
    });
    for (const [id, { node }] of ui.rows) if (!shown.has(id)) { node.remove(); ui.rows.delete(id); }
    ui.hello.hidden = rows.length > 0;
    if (atEnd || (added && added.from === "visitor")) ui.log.scrollTop = ui.log.scrollHeight;
    if (ui.log.getAttribute("aria-live") === "off" && state.ready) setTimeout(() => ui.log.setAttribute("aria-live", "polite"), 500);
  }

  function rowOf({ message, entry, upload }, { first, last, stand, day }) {
    const own = message.from === "visitor", name = own ? say("you") : nameOf(message);
    const row = el("div", { class: "row " + message.from + (last ? " last" : "") });
    if (day) row.append(el("div", { class: "day" }, el("span", {}, day)));
    if (first && !own) {
      const face = el("span", { class: "face", "aria-hidden": "true" });
      face.append(message.from === "bot" ? icon(ICONS.bot) : name.slice(0, 1).toUpperCase());
      row.append(el("div", { class: "who" }, face, el("b", {}, name),
        el("span", {}, message.from === "bot" && name !== say("bot") ? say("bot") : message.from === "operator" && message.name ? say("operator") : "")));
    } else {
      row.append(el("span", { class: "unseen" }, name + ": "));
    }
    if (message.html || message.text) row.append(el("div", { class: "bubble" }, body(message)));
    for (const file of message.files || []) row.append(fileOf(file));
    if (upload) row.append(uploadOf(upload));
    if (message.buttons && message.buttons.length) row.append(buttonsOf(message));
    const meta = el("div", { class: "meta" + (stand && stand !== "sent" ? " always" : ""), "aria-live": "off" });
    if (message.edited) meta.append(say("edited") + " ");
    if (message.at === message.at && written(message.at, { hour: "numeric" })) {
      const time = moment(message.at);
      meta.append(el("time", { datetime: time.toISOString(), title: written(time, { dateStyle: "long", timeStyle: "short" }) },
        written(time, { hour: "2-digit", minute: "2-digit" })));
    }
    if (stand) meta.append(say(stand));
    if (stand === "late" || stand === "refused") {
      row.classList.add("bad");
      meta.append(" ", link("again", () => again(entry)));
      if (stand === "refused") meta.append(" ", link("discard", () => { drop(entry); draw(); ui.field.focus(); }));
    }
    row.append(meta);
    return row;
  }

  const link = (word, click) => el("button", { type: "button", class: "link", click }, say(word));

  function fileOf(file) {
    if (file.id && file.picture && PICTURES.includes(file.mime) && window.createImageBitmap) {
      const canvas = el("canvas", { "aria-hidden": "true" });
      const opener = el("button", { type: "button", class: "picture", "aria-label": say("picture", { name: file.name }), click: () => view(file, opener) }, canvas);
      paint(canvas, file, 560).then(() => { if (toEnd() < 500) ui.log.scrollTop = ui.log.scrollHeight; }, () => opener.replaceWith(saver(file)));
      return opener;
    }
    return saver(file);
  }
  const toEnd = () => ui.log.scrollHeight - ui.log.scrollTop - ui.log.clientHeight;

  const saver = (file) => (file.id ? el("button", { type: "button", class: "file", "aria-label": say("download", { name: file.name, size: size(file.size) }), click: () => download(file) },
    ...about(file), icon(ICONS.save)) : el("div", { class: "file" }, ...about(file)));
  const about = (file) => [icon(ICONS.file), el("span", {}, el("b", {}, file.name || say("file")), file.size ? size(file.size) : "")];

  function uploadOf(upload) {
    const remove = () => { state.files = state.files.filter((f) => f !== upload); if (upload.stop) upload.stop(); draw(); ui.field.focus(); };
    const box = el("div", { class: "file" }, ...about(upload.file));
    if (upload.id) return box;
    if (upload.refused) {
      box.append(el("span", { class: "why" }, say(upload.refused === "kind" ? "kind" : "refused"), " ", upload.refused !== "kind" && link("again", () => { Object.assign(upload, { refused: false, failures: 0 }); draw(); carry(); }), " ", link("discard", remove)));
      return box;
    }
    upload.bar = el("progress", { max: "1", value: String(upload.sent), "aria-label": say("sending") });
    box.append(upload.bar, link("discard", remove));
    return box;
  }
  const progress = (upload) => { if (upload.bar) upload.bar.value = upload.sent; };

  // -- buttons of a message: pressed once ------------------------------------------------------------------------

  const pressed = (message) => {
    const chosen = (kept.get("pressed") || {})[message.id];
    return (message.buttons || []).some((b) => b.id === chosen) ? chosen : "";
  };
  function press(message, button) {
    if (pressed(message)) return;
    const all = Object.entries({ ...kept.get("pressed"), [message.id]: button.id });
    kept.set("pressed", Object.fromEntries(all.slice(-100)));
    put("presses", { message: message.id, button: button.id }, button.label);
    ui.field.focus();
  }
  function buttonsOf(message) {
    const chosen = pressed(message), box = el("div", { class: "keys" });
    for (const button of message.buttons) {
      if (button.url && SAFE.test(button.url)) {
        box.append(el("a", { ...outward(button.url), class: "key" }, button.label, el("span", { class: "unseen" }, " (" + say("new_tab") + ")")));
      } else if (!button.url) {
        box.append(el("button", {
          type: "button", class: "key", disabled: Boolean(chosen), "aria-pressed": chosen === button.id && "true", click: () => press(message, button),
        }, button.label));
      }
    }
    return box;
  }

  // -- what stands between the messages and the field -------------------------------------------------------------

  function paintNotice(text) {
    if (ui.notice.dataset.text === text) return;
    ui.notice.dataset.text = text;
    ui.notice.hidden = !text;
    ui.notice.replaceChildren(el("span", {}, text));
    if (state.notice) ui.notice.append(hider(() => { state.notice = ""; }));
  }

  const unasked = () => {  // whether a yes is still needed before anything is sent
    const text = (state.settings.consent || {}).text;
    return Boolean(text) && kept.get("agreed") !== text && (state.ready || !kept.get("visitor"));
  };
  function paintConsent() {
    const consent = state.settings.consent, text = consent && consent.text, needed = unasked();
    ui.entry.hidden = needed;
    ui.consent.hidden = !needed;
    if (!needed) return;
    const print = text + state.declined;
    if (ui.consent.dataset.print === print) return;
    ui.consent.dataset.print = print;
    const answer = (agreed) => {
      state.declined = !agreed;
      if (agreed) kept.set("agreed", text);
      put("consent", { agreed });
      setTimeout(() => (agreed ? ui.field : ui.consent.querySelector("button")).focus(), 30);
    };
    ui.consent.replaceChildren(el("p", {}, state.declined ? say("declined") : text, " ",
      SAFE.test(consent.url || "") ? el("a", outward(consent.url), say("more")) : ""),
    el("div", { class: "keys" }, el("button", { type: "button", class: "key main", click: () => answer(true) }, say("agree")),
      !state.declined && el("button", { type: "button", class: "key", click: () => answer(false) }, say("decline"))));
  }

  function paintEmail() {
    const wrote = state.messages.some((m) => m.from === "visitor") || state.echoes.length > 0;
    const show = Boolean(state.settings.email) && wrote && !kept.get("email") && !ui.entry.hidden;
    if (ui.email.hidden !== !show) ui.email.hidden = !show;
    if (!show || ui.email.firstChild) return;
    const hide = hider(() => kept.set("email", "-"));
    const form = () => {
      ui.email.replaceChildren(el("label", { for: "email" }, say("email_offer")), hide,
        el("div", { class: "line" }, el("input", { id: "email", type: "email", autocomplete: "email", inputmode: "email", placeholder: say("email") }),
          el("button", { class: "key main" }, say("save"))),
        el("p", { class: "wrong", role: "alert", id: "wrong" }));
      ui.email.querySelector("input").focus();
    };
    ui.email.append(link("email_offer", form), hide);
  }

  function hider(act) {
    const hide = el("button", { type: "button", class: "hide", "aria-label": say("hide"), click: () => { act(); draw(); ui.field.focus(); } });
    hide.append(icon(ICONS.close));
    return hide;
  }

  async function leaveEmail(event) {
    event.preventDefault();
    const input = ui.email.querySelector("input"), wrong = ui.email.querySelector(".wrong"), address = input.value.trim();
    try {
      if (!/^\S+@\S+\.\S+$/.test(address)) throw failure(422);
      if (!state.ready) await session();
      await call("email", { address });
      kept.set("email", address);
      state.notice = say("email_kept", { address });
      ui.field.focus();
    } catch (error) {
      const mistaken = refused(error);
      wrong.textContent = say(mistaken ? "email_wrong" : "email_later");
      if (mistaken) { input.setAttribute("aria-invalid", "true"); input.setAttribute("aria-describedby", "wrong"); input.focus(); }
    }
    draw();
  }

  const over = () => [...ui.field.value].length - ((state.settings.limits || {}).text || 4000);
  function paintLimit() {
    const extra = over();
    const text = extra > 0 ? say("long", { n: extra }) : "";
    if (ui.left.textContent !== text) ui.left.textContent = text;
    ui.send.disabled = extra > 0 || !ui.field.value.trim();
  }

  // A picture by itself, as large as the dialog; Escape goes back to where it was opened.
  function view(file, opener) {
    const canvas = el("canvas", { role: "img", "aria-label": file.name });
    const gone = () => { ui.viewer = null; box.remove(); opener.focus(); };
    const shut = el("button", { type: "button", class: "shut", "aria-label": say("hide"), click: gone });
    const save = el("button", { type: "button", class: "shut", "aria-label": say("download", { name: file.name, size: size(file.size) }), click: () => download(file) });
    shut.append(icon(ICONS.close));
    save.append(icon(ICONS.save));
    const box = el("div", { class: "viewer", role: "dialog", "aria-modal": "true", "aria-label": file.name }, el("div", { class: "tools" }, save, shut), canvas);
    ui.viewer = { box, gone };
    ui.panel.append(box);
    paint(canvas, file, 2400).catch(gone);
    shut.focus();
  }

  // -- hands -----------------------------------------------------------------------------------------------------

  function submit() {
    const text = ui.field.value.trim();
    if (!text || over() > 0) return;
    ui.field.value = "";
    ofTab("draft", null);
    state.notice = "";
    grow();
    put("messages", { text, page: here() }, text);
    ui.field.focus();
  }

  let lastTyped = -Infinity;
  function typed() {
    grow();
    ofTab("draft", ui.field.value);
    draw();
    if (!state.ready || !ui.field.value || performance.now() - lastTyped < 4 * SECOND) return;
    lastTyped = performance.now();
    call("typing", {}).catch(() => {});
  }

  function entered(event) {
    const phone = matchMedia("(pointer: coarse)").matches;  // there Enter is a new line, the arrow sends
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229 || phone) return;
    event.preventDefault();
    submit();
  }

  function pasted(event) {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  }
  function picked() {
    take([...ui.picker.files]);
    ui.picker.value = "";
    ui.field.focus();
  }
  const holdsFiles = (event) => !ui.entry.hidden && [...event.dataTransfer.types].includes("Files");
  function dragged(event) {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    ui.drop.hidden = event.type === "dragleave" && !ui.panel.contains(event.relatedTarget);
  }
  function dropped(event) {
    ui.drop.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  }

  function trapped(event) {
    if (event.key === "Escape") {
      if (ui.viewer) ui.viewer.gone(); else close();
    }
    if (event.key !== "Tab") return;
    const inside = ui.viewer ? ui.viewer.box : ui.panel;
    const stops = [...inside.querySelectorAll("button, a[href], input, textarea, [tabindex='0']")]
      .filter((node) => !node.disabled && node.tabIndex >= 0 && node.getClientRects().length);
    const at = stops.indexOf(ui.root.activeElement), next = at + (event.shiftKey ? -1 : 1);
    if (at >= 0 && next >= 0 && next < stops.length) return;
    event.preventDefault();
    stops[(next + stops.length) % stops.length].focus();
  }

  // -- open, close, log in, log out ---------------------------------------------------------------------------------

  const wide = () => matchMedia("(min-width: 481px)").matches;
  let opener = null;
  function greet() {  // the bot may say hello to whoever opens the chat for the first time
    if (state.greeted || !state.ready || !state.open || state.quiet || state.messages.length || unasked() || entries().length) return;
    state.greeted = true;
    call("start", { key: uuid(), language, page: here() }).catch(() => { state.greeted = false; });
  }
  function open(quietly) {
    if (!ui || state.open) return;
    opener = document.activeElement;
    state.open = true;
    state.quiet = quietly === true;
    ui.panel.setAttribute("aria-modal", String(!wide()));  // on a phone nothing of the page is left beside it
    ofTab("open", "1");
    ui.log.setAttribute("aria-live", "off");
    if (!generation) begin();
    paintAll();
    ui.log.scrollTop = ui.log.scrollHeight;
    grow();
    seen();
    greet();
    draw();
    if (quietly !== true) (ui.entry.hidden ? ui.consent.querySelector("button") : ui.field).focus();
  }
  function close() {
    if (!state.open) return;
    const inside = document.activeElement === ui.host;
    state.open = false;
    ofTab("open", null);
    paintAll();
    if (inside) (opener && opener !== document.body && opener !== ui.host && opener.isConnected ? opener : ui.launch).focus();
  }
  function login(token) {
    if (!token || token === state.login) return;
    person++;
    Object.assign(state, { login: String(token), token: "", person: "", ready: false });
    if (kept.get("named")) forget();
    draw();
    begin();
  }
  function logout() {
    const token = state.token || kept.get("visitor");
    person++;
    forget();
    for (const name of kept.names("")) kept.set(name, null);
    if (token) kept.set("leave", true);
    if (token) leave(token).catch(() => {});
    Object.assign(state, { token: "", person: "", login: "", ready: false, cursor: "" });
    generation++;
    cut();
    if (state.open) begin(); else generation = 0;
    draw();
  }
  const stay = () => { if (ui && !ui.host.isConnected) document.body.append(ui.host); };
  const leave = (token) => call("logout", {}, { token, last: true }).then(() => kept.set("leave", null));
  const face = { open, close, login, logout, stay, push: (...calls) => calls.forEach(([name, ...rest]) => {
    try { if (Object.prototype.hasOwnProperty.call(face, name)) face[name](...rest); } catch (error) { console.warn("[support-chat]", error); }
  }) };

  // -- start -------------------------------------------------------------------------------------------------------

  let away = document.hidden;
  function looked() {
    if (document.hidden) {
      setTimeout(() => { if (document.hidden) { away = true; cut(); } }, HIDDEN);
      return;
    }
    away = false;
    wake();
    flush();
    seen();
    draw();
  }

  // Another tab has begun a session. Who logged in there is not who is here: this page is of before, and its chat
  // is gone until it is loaded anew; who logged out there is nobody here, too.
  function elsewhere(token) {
    const now = kept.get("person") || "", named = Boolean(kept.get("named"));
    if (token && state.ready && now === state.person) { state.token = token; return; }
    if (token && (!state.ready || (state.login && !named))) return;
    person++;
    forget();
    Object.assign(state, { token, person: now, login: "", ready: false, gone: named });
    generation++;
    cut();
    if (!state.gone) begin();
  }

  function start() {
    if (!state.login) Object.assign(state, { token: kept.get("visitor") || "", person: kept.get("person") || "" });
    build();
    window.supportChat = face;
    document.addEventListener("visibilitychange", looked);
    window.addEventListener("pageshow", looked);
    window.addEventListener("online", () => { wake(); draw(); });
    window.addEventListener("offline", draw);
    window.addEventListener("beforeunload", (event) => { if (state.files.some((f) => !f.id && !f.refused)) event.preventDefault(); });
    window.addEventListener("storage", (event) => {
      if (!event.key || !event.key.startsWith(PREFIX)) return;
      const name = event.key.slice(PREFIX.length);
      if (name.startsWith("out ")) setTimeout(flush, 5 * SECOND);  // that tab may be closed before it is sent
      const token = kept.get("visitor") || "";
      if (name === "visitor" && generation) elsewhere(token);
      draw();
    });
    if (state.token || state.login || kept.names("out ").length) begin();
    flush();
    if (Array.isArray(early)) face.push(...early);
    const asked = "open" in script.dataset || location.hash === "#support-chat";  // letters lead there
    if (asked || (ofTab("open") && wide())) open(true);
  }

  const STYLE = `/*style*/`;

  const run = () => { try { start(); } catch (error) { console.warn("[support-chat]", error); } };
  if (document.body) run(); else document.addEventListener("DOMContentLoaded", run);
})();
