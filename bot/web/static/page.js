// The playground: everything it shows comes from /state and /events, everything it does is a POST.

import {clockText, h, messageElement, newKey, post, setZone, t, toast} from "./chat.js";
import {showWhy} from "./why.js";

const panes = new Map([...document.querySelectorAll(".pane[data-channel]")].map((element) => [element.dataset.channel, {element, chats: new Map(), people: new Map(), chat: "", thread: "", drafts: new Map()}]));
const channels = [...panes].filter(([name]) => name !== "why");
const turns = {list: [], at: -1};
let clock = {shift: 0, offset: 0};

const id = (name) => document.getElementById(name);
const isDesk = (pane) => pane.element.classList.contains("desk");
const chatKey = (chat, thread) => `${chat}/${thread}`;
const user = (pane) => (isDesk(pane) ? pane.element.querySelector("[name=user]").value : pane.chat);

function chatOf(pane, chat, thread) {
  const key = chatKey(chat, thread);
  if (!pane.chats.has(key)) pane.chats.set(key, {chat, thread, title: "", closed: false, messages: new Map(), fresh: false});
  return pane.chats.get(key);
}

// --- drawing

function draw(channel, message, old) {
  const pane = panes.get(channel);
  const mine = isDesk(pane) ? message.author === "operator" : message.author === "customer";
  return messageElement(message, {mine, names: isDesk(pane), old, act: {
    press: async (m, token, button) => {
      button.setAttribute("aria-busy", "true");
      setTimeout(() => button.removeAttribute("aria-busy"), 4000);
      await post("/press", {channel, chat: pane.chat, user: user(pane), message: m.id, token, key: newKey()});
    },
    edit: (m) => startEdit(pane, m),
    why: isDesk(pane) ? null : async (m) => {
      const response = await fetch(`/why/${m.id}`);
      if (response.ok) showTurn(await response.json());
    },
  }});
}

function drawChat(channel) {
  const pane = panes.get(channel);
  const shown = chatOf(pane, pane.chat, pane.thread);
  const log = pane.element.querySelector(".log");
  shown.fresh = false;
  log.replaceChildren(...[...shown.messages.values()].map((m) => (m.element = draw(channel, m.data, true))));
  if (!shown.messages.size) log.append(h("p", {className: "empty"}, t("empty_chat")));
  log.scrollTop = log.scrollHeight;
  const field = pane.element.querySelector("textarea");
  if (isDesk(pane)) field.placeholder = field.ariaLabel = t(pane.thread ? "write_operator" : "write_general");
  drawTopics(pane, channel);
}

function addMessage(channel, {chat, thread, message}) {
  const pane = panes.get(channel);
  const place = chatOf(pane, chat, thread);
  const known = place.messages.get(message.id);
  place.messages.set(message.id, {data: message, element: known?.element});
  const visible = pane.chat === chat && pane.thread === thread;
  if (!visible && !known) place.fresh = true;
  if (visible) {
    const log = pane.element.querySelector(".log");
    const low = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
    const element = draw(channel, message, Boolean(known));
    log.querySelector(".empty")?.remove();
    if (!known) log.querySelector(".typing")?.remove();
    if (known?.element?.isConnected) known.element.replaceWith(element); else log.append(element);
    place.messages.get(message.id).element = element;
    if (low || !known) log.scrollTop = log.scrollHeight;
  }
  if (!known && !pane.element.classList.contains("shown")) markView(channel, true);
  drawTopics(pane, channel);
}

function drawTopics(pane, channel) {
  if (!isDesk(pane)) return;
  const list = pane.element.querySelector(".topics");
  const chats = [...pane.chats.values()].filter((r) => r.chat === pane.chat).sort((a, b) => (a.thread !== "") - (b.thread !== "") || a.closed - b.closed);
  const last = (r) => [...r.messages.values()].at(-1)?.data;
  list.replaceChildren(...chats.map((r) => h("li", {}, h("button", {
    type: "button", className: `${r.closed ? "closed" : ""} ${r.fresh ? "fresh" : ""}`, onclick: () => openThread(channel, r.thread),
    "aria-current": r.thread === pane.thread ? "true" : null}, h("b", {}, r.thread ? r.title || r.thread : `# ${t("general")}`), h("small", {}, last(r)?.text || last(r)?.press || "")))));
  if (chats.length < 2) list.append(h("p", {className: "quiet"}, t("no_topics")));
}

function openThread(channel, thread) {
  panes.get(channel).thread = thread;
  drawChat(channel);
}

function drawPeople(channel) {
  const pane = panes.get(channel);
  const select = pane.element.querySelector(isDesk(pane) ? "[name=user]" : "[name=chat]");
  const was = select.value;
  const met = new Map();
  select.replaceChildren(...[...pane.people.values()].map((p) => {
    const name = `${p.name} ${p.last_name}`.trim();
    met.set(name, (met.get(name) ?? 0) + 1); // namesakes of other scenes are told apart
    return h("option", {value: p.id}, met.get(name) > 1 ? `${name} (${met.get(name)})` : name);
  }));
  select.value = pane.people.has(was) ? was : select.options[0]?.value ?? "";
  if (!isDesk(pane)) openChat(channel, pane.people.has(pane.chat) ? pane.chat : select.value);
}

/** The customer who was talked with last: nobody opens the page to an empty chat beside a full one. */
function latestChat(pane) {
  const last = ([...pane.chats.values()].filter((r) => pane.people.has(r.chat) && r.messages.size))
    .map((r) => [[...r.messages.values()].at(-1).data.at, r.chat]).sort((a, b) => (a[0] < b[0] ? 1 : -1))[0];
  return last?.[1];
}

function openChat(channel, chat) {
  const pane = panes.get(channel);
  pane.chat = chat;
  pane.element.querySelector("[name=chat]").value = chat;
  const avatar = pane.element.querySelector(".avatar");
  avatar.textContent = (pane.people.get(chat)?.name ?? "?").slice(0, 1);
  avatar.className = `avatar c${[...chat].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 6}`;
  drawChat(channel);
  drawTrouble(channel);
}

function drawTrouble(channel) {
  const pane = panes.get(channel);
  const place = pane.element.querySelector(".trouble");
  if (place) place.textContent = pane.down ? ` · ${t("down")}` : pane.blocked?.includes(pane.chat) ? ` · ${t("blocked")}` : "";
  for (const button of pane.element.querySelectorAll("[data-do]")) {
    button.hidden = {down: pane.down, up: !pane.down, block: pane.blocked?.includes(pane.chat), unblock: !pane.blocked?.includes(pane.chat)}[button.dataset.do] ?? false;
  }
}

function drawClock() {
  setZone(clock.offset);
  const chip = id("clock");
  chip.hidden = false;
  chip.textContent = [`${clockText(Date.now() + clock.shift * 1000)} ${clock.zone}`, clock.shifted ? t("virtual") : "", clock.open === null ? "" : t(clock.open ? "open" : "closed")].filter(Boolean).join(" · ");
  id("realtime").hidden = !clock.shifted;
}

/** A new turn is shown when it explains something; a mere press or thanks only joins the list. */
function newTurn(turn) {
  if (Object.keys(turn.why ?? {}).length || turn.result === "handed_off" || turns.at < 0) return showTurn(turn);
  turns.list.push(turn);
  id("newer").disabled = false;
}

function showTurn(turn) {
  const known = turns.list.findIndex((x) => x.id === turn.id);
  if (known < 0) turns.list.push(turn);
  turns.list.sort((a, b) => a.id - b.id).splice(0, turns.list.length - 200);
  turns.at = turns.list.findIndex((x) => x.id === turn.id);
  showWhy(id("why"), turn);
  id("turn").textContent = `${t("why_turn")} ${turn.id} · ${panes.get(turn.channel)?.people.get(turn.chat)?.name ?? turn.channel}`;
  id("older").disabled = turns.at <= 0;
  id("newer").disabled = turns.at >= turns.list.length - 1;
}

function markView(name, fresh) {
  document.querySelector(`[data-show="${CSS.escape(name)}"]`)?.classList.toggle("fresh", fresh);
}

function showView(name) {
  for (const [key, pane] of panes) pane.element.classList.toggle("shown", key === name);
  for (const button of document.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === name));
  markView(name, false);
  if (panes.get(name).chat) drawChat(name);
}

// --- state and events

async function load() {
  const state = await (await fetch("/state")).json();
  clock = state.clock;
  drawClock();
  for (const view of state.channels) {
    const pane = panes.get(view.name);
    Object.assign(pane, {chats: new Map(), people: new Map(view.people.map((p) => [p.id, p])), down: view.down, blocked: view.blocked, thread: ""});
    if (view.group) pane.chat = view.group;
    for (const r of view.chats) {
      Object.assign(chatOf(pane, r.chat, r.thread), {title: r.title, closed: r.closed, messages: new Map(r.messages.map((m) => [m.id, {data: m}]))});
    }
    if (view.group) pane.thread = [...pane.chats.values()].filter((r) => r.thread && !r.closed).at(-1)?.thread ?? "";
    if (!view.group && !pane.people.has(pane.chat)) pane.chat = latestChat(pane);
    drawPeople(view.name);
    if (view.group) drawChat(view.name);
    drawTrouble(view.name);
  }
  Object.assign(turns, {list: state.turns, at: -1});
  const explained = state.turns.filter((turn) => Object.keys(turn.why).length || turn.result === "handed_off").at(-1);
  if (explained) showTurn(explained);
  id("stop").hidden = !state.playing;
  return state.after;
}

const on = {
  message: (e) => addMessage(e.channel, e),
  chat: (e) => {
    const pane = panes.get(e.channel);
    if (e.gone) {
      pane.chats.delete(chatKey(e.chat, e.thread));
      if (pane.thread === e.thread) openThread(e.channel, "");
    } else {
      const opened = !pane.chats.has(chatKey(e.chat, e.thread));
      Object.assign(chatOf(pane, e.chat, e.thread), {title: e.title, closed: e.closed});
      if (opened && !pane.element.querySelector("textarea").value) openThread(e.channel, e.thread);
    }
    drawTopics(pane, e.channel);
  },
  person: (e) => {
    panes.get(e.channel).people.set(e.id, e);
    drawPeople(e.channel);
  },
  customer: (e) => {
    openChat(e.channel, e.chat);
    if (matchMedia("(max-width: 760px)").matches) showView(e.channel);
  },
  typing: (e) => {
    const pane = panes.get(e.channel);
    const log = pane.element.querySelector(".log");
    if (pane.chat !== e.chat || pane.thread !== e.thread || log.querySelector(".typing")) return;
    const dots = h("div", {className: "typing", role: "status", ariaLabel: t("typing")}, h("i"), h("i"), h("i"));
    log.append(dots);
    log.scrollTop = log.scrollHeight;
    setTimeout(() => dots.remove(), 6000);
  },
  notice: (e) => {
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    if (e.text) toast(e.text);
  },
  state: (e) => {
    Object.assign(panes.get(e.channel), {down: e.down, blocked: e.blocked});
    drawTrouble(e.channel);
  },
  turn: newTurn,
  clock: (e) => {
    clock = e;
    drawClock();
  },
  draft: (e) => {
    const field = panes.get(e.channel).element.querySelector("textarea");
    const step = Math.max(15, (e.seconds * 1000) / Math.max(1, e.text.length));
    let shown = 0;
    const timer = setInterval(() => {
      shown += 1;
      field.value = e.text.slice(0, shown);
      if (shown >= e.text.length) clearInterval(timer);
    }, step);
    setTimeout(() => { clearInterval(timer); field.value = ""; }, e.seconds * 1000);
  },
  scene: (e) => {
    id("stop").hidden = e.state !== "playing";
    for (const button of document.querySelectorAll("[data-scene]")) button.setAttribute("aria-pressed", String(e.state === "playing" && button.dataset.scene === e.id));
    id("progress").textContent = e.state === "playing" ? t("scene_playing", e) : "";
    document.body.dataset.played = e.state === "playing" ? "" : `${e.id}:${e.state}`;
    if (e.state === "done") toast(t("scene_done"));
    if (e.state === "failed") toast(t("scene_failed", e), true);
  },
  knowledge: (e) => {
    if (e.problems.length) toast(t("kb_broken", {problem: e.problems[0]}), true);
    else toast(t("kb_updated", {n: e.articles, ms: e.milliseconds}));
  },
  reload: () => load(),
};

function listen(after) {
  const source = new EventSource(`/events?after=${encodeURIComponent(after)}`);
  let away = false;
  for (const [kind, act] of Object.entries(on)) source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  source.addEventListener("error", () => { if (!away) toast(t("offline"), true); away = true; });
  source.addEventListener("open", () => { if (away) toast(t("online")); away = false; });
  addEventListener("pagehide", () => source.close());
}

// --- doing

function startEdit(pane, message) {
  const form = pane.element.querySelector(".composer");
  form.dataset.edit = message.id;
  form.classList.add("editing");
  form.elements.text.value = message.text;
  form.elements.text.focus();
}

async function submit(channel, form) {
  const pane = panes.get(channel);
  const text = form.elements.text.value.trim();
  if (!text) return;
  const where = {channel, chat: pane.chat, user: user(pane), thread: pane.thread, text, key: newKey()};
  form.elements.text.value = "";
  form.classList.remove("editing");
  const message = form.dataset.edit;
  delete form.dataset.edit;
  const done = message ? await post("/edit", {...where, message}) : await post("/say", where);
  if (!done) form.elements.text.value = text;
}

async function upload(channel, query, file) {
  if (file && file.size > 20 * 1024 * 1024) return toast(t("too_big"), true);
  const pane = panes.get(channel);
  const kept = await post(`/upload?${new URLSearchParams({channel, ...query})}`, null, {body: file ?? "", type: file?.type || "application/octet-stream"});
  const field = pane.element.querySelector("textarea");
  if (kept && await post("/say", {channel, chat: pane.chat, user: user(pane), thread: pane.thread, text: field.value.trim(), files: [kept.id], key: newKey()})) field.value = "";
}

function wire(channel, pane) {
  const form = pane.element.querySelector(".composer");
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(channel, form); });
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(channel, form); }
    if (event.key === "Escape" && form.dataset.edit) { delete form.dataset.edit; form.classList.remove("editing"); form.elements.text.value = ""; }
  });
  const file = form.querySelector("[type=file]");
  form.querySelector("[data-attach]").addEventListener("click", () => file.click());
  file.addEventListener("change", async () => { if (file.files[0]) await upload(channel, {name: file.files[0].name}, file.files[0]); file.value = ""; });
  form.querySelector("[data-voice]").addEventListener("click", () => upload(channel, {kind: "voice"}));
  pane.element.querySelector("[name=chat]")?.addEventListener("change", (event) => openChat(channel, event.target.value));
  const menu = pane.element.querySelector(".menu");
  for (const button of menu.querySelectorAll("[data-do]")) button.addEventListener("click", () => {
    menu.open = false;
    post("/happen", {channel, chat: pane.chat, user: user(pane), thread: pane.thread, what: button.dataset.do, key: newKey()});
  });
  menu.querySelector("[data-new]")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const made = await post("/customer", {channel, name: event.target.elements.name.value});
    menu.open = false;
    event.target.reset();
    if (made) openChat(channel, made.chat);
  });
}

for (const [channel, pane] of channels) wire(channel, pane);
for (const button of document.querySelectorAll("[data-scene]")) button.addEventListener("click", () => {
  const speed = new URLSearchParams(location.search).get("speed") ?? "";
  document.body.dataset.played = "";
  post("/scene", {id: button.dataset.scene, speed});
});
for (const button of document.querySelectorAll("[data-show]")) button.addEventListener("click", () => showView(button.dataset.show));
id("settime").addEventListener("submit", (event) => { event.preventDefault(); post("/clock", {to: event.target.elements.to.value}); });
id("realtime").addEventListener("click", () => post("/clock", {to: ""}));
id("reset").addEventListener("click", () => post("/reset", {}));
id("older").addEventListener("click", () => showTurn(turns.list[turns.at - 1]));
id("newer").addEventListener("click", () => showTurn(turns.list[turns.at + 1]));
id("story").addEventListener("click", () => {
  const name = turns.list[turns.at]?.channel ?? channels[0][0];
  h("a", {href: `/story/${name}/${panes.get(name).chat}`, download: "story.yaml"}).click();
});
document.addEventListener("click", (event) => { for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false; });
setInterval(drawClock, 10000);
listen(await load());
