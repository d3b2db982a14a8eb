// A conversation: what is said in it shows at once; what is being written stays. Ready answers and keys for whoever
// answers.

const words = JSON.parse(document.body.dataset.words);
const panel = document.getElementById("desk");
const order = document.getElementById("order");
const field = order?.querySelector("textarea");
const source = new EventSource("/events");
const LOOK = 10_000; // for what another process of the bot was told
let waiting;

source.addEventListener("happened", (event) => {
  if (JSON.parse(event.data).kind === "page_ordered") return;
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 300); // one reading for what comes together
});
const looking = setInterval(refresh, LOOK);
addEventListener("pagehide", () => stop());

function stop() {
  source.close();
  clearInterval(looking);
  clearTimeout(waiting);
}

/** New lines and the ticket's state; the panel anew only where nobody is at it. */
async function refresh() {
  const response = await fetch(location.href).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const before = document.querySelectorAll(".line.customer").length;
  // another state of the ticket offers other things: the whole panel is read anew
  if (state(document) !== state(page) && !field?.value && ready?.hidden !== false) return location.reload();
  swap(page, ".lines");
  if (panel && order && idle()) swap(page, "#order .orders");
  swap(page, "#desk h2");
  swapAssistant(page);
  if (document.querySelectorAll(".line.customer").length > before) news();
}

function state(page) {
  return page.querySelector("#desk h2 .badge")?.className;
}

function swap(page, selector) {
  const [now, then] = [document.querySelector(selector), page.querySelector(selector)];
  if (!now || !then || now.innerHTML === then.innerHTML) return;
  for (const open of now.querySelectorAll("details[open]")) {
    const same = open.closest("[id]")?.id;
    if (same) then.querySelector(`#${CSS.escape(same)} details`)?.setAttribute("open", "");
  }
  now.replaceWith(document.adoptNode(then));
}

function idle() {
  return !order.contains(document.activeElement) || document.activeElement === field;
}

/** Told aloud to screen readers, and in the title for whoever looks elsewhere. */
function news() {
  document.getElementById("toasts").textContent = words.talk_news;
  if (document.hidden && !document.title.startsWith("● ")) document.title = `● ${document.title}`;
}
document.addEventListener("visibilitychange", () => { document.title = document.title.replace(/^● /, ""); });

// law: what an order itself makes happen does not load the page anew before the order was answered
for (const form of document.forms) form.addEventListener("submit", (event) => { if (!isAsked(event.submitter)) stop(); });

field?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    order.requestSubmit(order.querySelector("[value=answer]"));
  }
  if (event.key === "/" && !field.value && pick) {
    event.preventDefault();
    offer();
  }
});

// --- ready answers

const pick = document.getElementById("pick");
const ready = document.getElementById("ready");
const find = ready?.querySelector("input");
let typing, searched;

if (pick) {
  pick.hidden = false;
  pick.addEventListener("click", () => (ready.hidden ? offer() : fold()));
  find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 150); });
  ready.addEventListener("keydown", move);
  if (field.value.startsWith("/")) { // typed before this script came
    [find.value, field.value] = [field.value.slice(1), ""];
    offer();
  }
}

function offer() {
  ready.hidden = false;
  find.focus();
  search();
}

function fold() {
  ready.hidden = true;
  field.focus();
}

async function search() {
  const asked = (searched = new URLSearchParams({ticket: panel.dataset.ticket, q: find.value}));
  const response = await fetch(`/conversation/${order.action.split("/").at(-2)}/ready?${asked}`).catch(() => null);
  if (!response?.ok) return;
  const found = await response.json();
  if (asked !== searched) return; // something else was typed meanwhile
  ready.querySelector("ul").replaceChildren(...found.map(shown));
  ready.querySelector("p").textContent = found.length ? "" : words.order_ready_none;
}

function shown(answer) {
  const [item, button, title, text] = ["li", "button", "b", "span"].map((name) => document.createElement(name));
  button.type = "button";
  button.disabled = answer.lacks.length > 0;
  title.textContent = answer.title;
  text.textContent = answer.lacks.length ? words.order_ready_lacks.replace("{values}", answer.lacks.join(", ")) : answer.text;
  button.append(title, text);
  button.addEventListener("click", () => put(answer));
  item.append(button);
  return item;
}

/** The answer goes where the cursor is, to be read and changed before it is sent. */
function put(answer) {
  field.setRangeText(answer.text, field.selectionStart, field.selectionEnd, "end");
  order.elements.ready.value = answer.key;
  document.getElementById("toasts").textContent = words.order_ready_put;
  fold();
}

/** Arrows walk through the answers, Escape leads back to the words. */
function move(event) {
  if (event.key === "Escape") return fold();
  const stops = [find, ...ready.querySelectorAll("ul button:enabled")];
  const at = stops.indexOf(document.activeElement);
  const next = {ArrowDown: at + 1, ArrowUp: at - 1}[event.key];
  if (event.key === "Enter" && document.activeElement === find) {
    event.preventDefault();
    stops[1]?.click();
  }
  if (next === undefined) return;
  event.preventDefault();
  stops[(next + stops.length) % stops.length].focus();
}

// --- the assistant: asked without leaving the page, so that what is being written stays

order?.addEventListener("submit", (event) => {
  if (!isAsked(event.submitter)) return;
  event.preventDefault();
  ask(event.submitter);
});
order?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-put]");
  if (button) putReply(button);
});
offerReplies();

/** Whether the button asks the assistant for something; what it sends goes the way of every answer. */
function isAsked(button) {
  return Boolean(button?.closest("#assistant")) && !button.value.startsWith("assistant_send:");
}

async function ask(button) {
  const form = new FormData(order, button);
  form.delete("files");
  button.disabled = true;
  const response = await fetch(order.action, {method: "POST", body: form}).catch(() => null);
  button.disabled = false;
  if (!response?.ok) return assistantSays(words.assistant_failed);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  // another key: the same button pressed again is another request
  order.elements.key.value = page.querySelector("#order [name=key]")?.value ?? order.elements.key.value;
  swapAssistant(page);
  assistantSays(page.querySelector("#desk .alert")?.textContent ?? "");
}

/** What came of a request, until the section is shown anew. */
function assistantSays(text) {
  document.querySelector("#assistant > [role=status]").textContent = text;
}

/** The replies anew; whoever had a button of them under the hand keeps it. */
function swapAssistant(page) {
  const held = document.activeElement?.closest("#assistant") ? document.activeElement.value : "";
  const chosen = order?.elements.assistant?.value;
  swap(page, "#assistant");
  offerReplies();
  if (chosen && order.elements.assistant) order.elements.assistant.value = chosen;
  if (held) document.querySelector(`#assistant [value="${CSS.escape(held)}"]`)?.focus();
}

function offerReplies() {
  for (const button of document.querySelectorAll("#assistant [data-put]")) button.hidden = false;
}

/** A draft goes where the cursor is; what was made of the operator's own words takes their place. */
function putReply(button) {
  const [start, end] = button.dataset.whole ? [0, field.value.length] : [field.selectionStart, field.selectionEnd];
  field.setRangeText(button.dataset.put, start, end, "end");
  order.elements.assistant.value = button.dataset.reply;
  assistantSays(words.assistant_put_done);
  field.focus();
}
