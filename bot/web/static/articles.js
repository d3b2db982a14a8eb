// The editor of an article: fields or the file, looked at while it is written, saved as a draft, published once it is known what that changes.

import {h, messageElement, post, setZone, t, toast} from "./chat.js";

const id = (name) => document.getElementById(name);
const main = id("content");
const fields = id("fields");
const file = id("file").querySelector("textarea");
const LISTS = {questions: "\n", tags: ","};
const state = {...JSON.parse(main.dataset.opened), mode: "form", dirty: false, skin: "telegram", tongue: "", skins: {}, problems: [], checked: 0, clash: false};
setZone(Number(main.dataset.offset));

// --- what is on the page

function pair(label = "", target = "") {
  const row = h("div", {},
    h("input", {value: label, maxLength: 60, ariaLabel: t("art_button_label"), placeholder: t("art_button_label")}),
    h("input", {value: target, maxLength: 500, ariaLabel: t("art_button_to"), placeholder: t("art_button_to"), list: "ids"}),
    h("button", {type: "button", ariaLabel: t("art_remove_button"), title: t("art_remove_button")}, "✕"));
  row.lastChild.addEventListener("click", () => { row.remove(); changed(); id("add-button").focus(); });
  return row;
}

function formNow() {
  const form = {buttons: [...id("buttons").children].map((row) => [...row.querySelectorAll("input")].map((field) => field.value))};
  for (const name of ["title", "section", "audience", "body", "topic", "owner", "valid_until"]) form[name] = fields.elements[name].value;
  for (const [name, sign] of Object.entries(LISTS)) form[name] = fields.elements[name].value.split(sign);
  return form;
}

/** Shows the article in the fields; `early` says what somebody typed before this script ran, by field: that stays. */
function fill(early = {}) {
  const form = state.form;
  setMode(form ? state.mode : "file");
  document.querySelector('[data-mode="form"]').disabled = !form;
  if (file.value !== state.text) file.value = state.text;
  if (!form) return;
  for (const name of ["title", "section", "audience", "body", "topic", "owner", "valid_until"]) fields.elements[name].value = early[name] ?? form[name];
  for (const [name, sign] of Object.entries(LISTS)) fields.elements[name].value = early[name] ?? form[name].join(sign === "," ? ", " : sign);
  id("buttons").replaceChildren(...form.buttons.map(([label, target]) => pair(label, target)));
  id("heading").textContent = form.title || t("art_new");
}

function setMode(mode) {
  state.mode = mode;
  fields.hidden = mode !== "form";
  id("file").hidden = mode !== "file";
  for (const button of document.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
}

/** What every request says: the file, the text as it was, and the fields over it. */
function written(more = {}) {
  return {file: state.file, source: state.mode === "file" ? file.value : state.text, form: state.mode === "file" ? null : formNow(), seen: state.seen, ...more};
}

function showState() {
  const draft = state.file && (!state.served || state.seen.draft);
  id("states").replaceChildren(...[
    state.served ? h("span", {className: "badge operator"}, t("published")) : h("span", {className: "badge"}, t(state.file ? "draft" : "art_unsaved_new")),
    state.served && state.seen.draft ? h("span", {className: "badge waiting"}, t("art_has_draft")) : null,
    state.dirty ? h("span", {className: "badge waiting"}, t("art_unsaved")) : null,
    state.file ? h("code", {className: "quiet"}, state.file) : null].filter(Boolean));
  id("withdraw").hidden = !state.served;
  id("history").hidden = !state.file;
  id("history").href = `/articles/history?file=${encodeURIComponent(state.file)}`;
  id("discard").hidden = !draft;
  id("discard").textContent = t(state.served ? "art_discard" : "art_remove");
}

function say(text, undo = "") {
  const place = id("said");
  place.replaceChildren(text);
  if (!undo) return;
  const button = h("button", {type: "button", className: "undo"}, t("gaps_undo"));
  button.addEventListener("click", async () => {
    const back = await post("/articles/undo", {change: undo});
    if (back) adopt(back);
  });
  place.append(" ", button);
}

/** The page shows what a step left; what is gone is in the list no more. */
function adopt(answer) {
  if (answer.gone) {
    Object.assign(state, {file: "", seen: {file: "", draft: ""}, served: false, published: null, dirty: false});
  } else {
    Object.assign(state, answer, {dirty: false, clash: false});
    history.replaceState(null, "", `/articles/edit?file=${encodeURIComponent(state.file)}`);
    fill();
  }
  id("conflict").hidden = true;
  showState();
  say(answer.said, answer.undo);
  look();
}

// --- looking

let timer = 0;

function changed() {
  state.dirty = true;
  showState();
  clearTimeout(timer);
  timer = setTimeout(look, 350);
}

async function look() {
  clearTimeout(timer);
  const mine = ++state.checked;
  const response = await ask("/articles/check", written());
  if (mine !== state.checked || !response.ok) return;
  const seen = await response.json();
  if (mine !== state.checked) return;
  state.problems = seen.problems;
  if (state.mode === "form") state.preview = seen.text; else state.form = seen.form;
  document.querySelector('[data-mode="form"]').disabled = !seen.form;
  state.skins = seen.skins;
  if (seen.form) id("heading").textContent = seen.form.title || t("art_new");
  showRemarks();
  showSkins();
  if (seen.conflict && !state.clash) notice(seen);
}

async function ask(path, data) {
  try {
    return await fetch(path, {method: "POST", headers: {"X-CSRF-Token": document.querySelector("meta[name=csrf]").content, "Content-Type": "application/json"}, body: JSON.stringify(data)});
  } catch {
    return {ok: false, status: 0};
  }
}

function showRemarks() {
  const list = id("remarks");
  const bad = state.problems.some((p) => p.blocks);
  id("publish").disabled = bad;
  id("count").textContent = state.problems.length || "";
  list.replaceChildren(...state.problems.map((p) => {
    const jump = p.row || p.line ? h("button", {type: "button"}, p.row && state.mode === "form" ? t("art_row", {n: p.row}) : t("art_line", {n: p.line})) : null;
    jump?.addEventListener("click", () => goTo(p));
    return h("li", {className: p.severity}, p.severity === "error" ? "⛔ " : "⚠️ ", p.text, p.hint ? ` → ${p.hint}` : "", " ", jump);
  }));
  if (!state.problems.length) list.append(h("li", {className: "well"}, t("art_no_remarks")));
}

function goTo(problem) {
  const body = state.mode === "form" ? fields.elements.body : file;
  if (state.mode === "form" && !problem.row) return fields.elements.questions.focus();
  const rows = body.value.split("\n");
  const at = Math.min(rows.length, state.mode === "form" ? problem.row : problem.line) - 1;
  const start = rows.slice(0, at).join("\n").length + (at ? 1 : 0);
  body.focus();
  body.setSelectionRange(start, start + rows[at].length);
}

function showSkins() {
  const tongues = Object.keys(state.skins);
  if (!tongues.includes(state.tongue)) state.tongue = tongues[0] ?? "";
  id("tongues").replaceChildren(...(tongues.length < 2 ? [] : tongues).map((tongue) => {
    const button = h("button", {type: "button", ariaPressed: String(tongue === state.tongue)}, tongue.toUpperCase());
    button.addEventListener("click", () => { state.tongue = tongue; showSkins(); });
    return button;
  }));
  const phone = id("phone");
  phone.className = `phone ${state.skin === "vk" ? "vk" : "tg"}`;
  const act = {press() {}, edit() {}, why: null};
  const messages = state.skins[state.tongue]?.[state.skin] ?? [];
  phone.querySelector(".log").replaceChildren(...messages.map((message) => messageElement(message, {mine: Boolean(message.press), names: false, act, old: true})));
  if (!messages.length) phone.querySelector(".log").append(h("p", {className: "empty"}, t("art_no_preview")));
}

// --- somebody else wrote it

function notice(seen) {
  state.clash = true;
  const show = h("button", {type: "button"}, t("art_show_both"));
  show.addEventListener("click", () => clash({...seen, conflict: {...seen.conflict, mine: state.mode === "file" ? file.value : state.preview ?? seen.conflict.mine}}));
  id("conflict").replaceChildren(h("b", {}, t("art_changed")), " ", show);
  id("conflict").hidden = false;
}

/** Both texts, and whose goes on. */
function clash(answer) {
  state.clash = true;
  const {theirs, mine, gone} = answer.conflict; // newer words of theirs are told at the next look
  const keep = h("button", {type: "button", className: "go"}, t("art_keep_mine"));
  keep.addEventListener("click", () => {
    Object.assign(state, {seen: answer.now ?? {file: "", draft: ""}, clash: false, dirty: true});
    id("conflict").hidden = true;
    say(t("art_kept_mine"));
    showState();
    look();
  });
  const take = h("button", {type: "button"}, t("art_take_theirs"));
  take.addEventListener("click", () => {
    state.dirty = false;
    if (answer.overtaken) return simple("/articles/discard");
    location.assign(`/articles/edit?file=${encodeURIComponent(state.file)}`);
  });
  id("conflict").replaceChildren(h("b", {}, answer.error),
    h("div", {className: "both"},
      h("div", {}, h("h3", {}, t("art_mine")), h("pre", {tabIndex: 0, className: "mine"}, mine)),
      h("div", {}, h("h3", {}, t("art_theirs")), h("pre", {tabIndex: 0, className: "theirs"}, gone ? t("art_theirs_gone") : theirs))),
    h("div", {className: "decide"}, keep, " ", gone ? null : take));
  id("conflict").hidden = false;
  id("conflict").scrollIntoView({block: "nearest"});
}

/** Post a step; a conflict is shown, everything else that goes wrong is told. */
async function step(path, data) {
  for (const button of document.querySelectorAll(".bar2 button, dialog button")) button.disabled = true;
  const response = await ask(path, data);
  for (const button of document.querySelectorAll(".bar2 button, dialog button")) button.disabled = false;
  document.querySelector('[data-mode="form"]').disabled = !state.form && state.mode === "file";
  const answer = response.status ? await response.json() : null;
  if (response.ok) return answer;
  if (answer?.conflict) {
    id("plan").close();
    clash(answer);
  } else toast(answer ? t("not_done", {error: answer.error}) : t("offline"), true);
  return null;
}

// --- steps

async function save() {
  const answer = await step("/articles/save", written());
  if (answer) adopt(answer);
}

function diffElement(rows) {
  const names = {"+": "plus", "-": "minus", "…": "gap1"};
  return h("div", {className: "diff", tabIndex: 0, role: "region", ariaLabel: t("art_diff")}, rows.map(([sign, text]) => h("div", {className: names[sign] ?? ""}, sign === " " ? `  ${text}` : `${sign} ${text}`)));
}

function brokenElement(plan) {
  if (!plan.broken.length) return [];
  return [h("h3", {}, t("art_broken")), h("ul", {className: "broken"}, plan.broken.map((b) => h("li", {}, `«${b.question}»: ${b.expected} → ${b.got || t("art_nothing")}`))),
    plan.more ? h("p", {className: "quiet"}, t("art_more_broken", {n: plan.more})) : null];
}

/** What customers asked in the last days, and what would become of it. */
function replayElement(plan) {
  if (!plan.replayed) return [];
  const rows = plan.changes.map((c) => h("li", {className: c.harm ? "harm" : ""}, `«${c.question}»: ${c.before} → ${c.after} `, h("span", {className: "badge"}, c.kind)));
  return [h("h3", {}, t("art_customers_asked")), h("p", {}, plan.replayed, " ", h("a", {href: "/gate"}, t("gate_title"))),
    ...plan.reasons.map((reason) => h("p", {className: "problem"}, reason)), rows.length ? h("ul", {className: "replay"}, rows) : null];
}

async function publish() {
  if (id("plan").open) return;
  const plan = await step("/articles/plan", written());
  if (!plan) return;
  const dialog = id("plan");
  const go = h("button", {type: "button", className: "go confirm"}, t(plan.held ? "art_anyway" : "art_publish_now"));
  const back = h("button", {type: "button"}, t("art_not_yet"));
  const reason = plan.held && plan.anyway ? h("input", {maxLength: 300, name: "reason", required: true}) : null;
  go.disabled = plan.problems.some((p) => p.blocks);
  go.hidden = plan.held && !plan.anyway;
  go.addEventListener("click", async () => {
    if (reason && !reason.value.trim()) return reason.focus();
    const answer = await step(reason ? "/articles/publish/anyway" : "/articles/publish", written({reason: reason?.value ?? ""}));
    if (!answer) return;
    if (answer.refused) {
      toast(answer.refused, true);
      dialog.close();
      return;
    }
    dialog.close();
    adopt(answer);
  });
  back.addEventListener("click", () => dialog.close());
  dialog.querySelector(".inside").replaceChildren(...[
    h("p", {className: "quiet"}, h("code", {}, plan.place)),
    h("h3", {}, t(plan.new ? "art_new_text" : "art_diff")),
    plan.diff.length ? diffElement(plan.diff) : h("p", {}, t("art_no_diff")),
    h("h3", {}, t("art_gate")), h("p", {}, plan.golden),
    plan.broken.length || plan.held ? null : h("p", {className: "fine"}, t("art_breaks_nothing")),
    ...brokenElement(plan),
    ...replayElement(plan),
    plan.astray.length ? h("p", {className: "quiet"}, `${t("art_astray")}: ${plan.astray.map((q) => `«${q}»`).join(", ")}`) : null,
    plan.held && !plan.anyway ? h("p", {}, t("art_who_may")) : null,
    reason ? h("label", {}, t("art_reason"), reason) : null,
    h("div", {className: "decide"}, go, " ", back)].flat().filter(Boolean));
  dialog.showModal();
  (reason ?? go).focus();
}

async function simple(path) {
  const answer = await step(path, written());
  if (answer) adopt(answer);
}

async function tryOut(event) {
  event.preventDefault();
  const answer = await post("/articles/try", written({question: id("try").elements.question.value}));
  if (!answer) return;
  const verdict = answer.decision === "answer" ? t(answer.mine ? "art_try_mine" : "art_try_other", {title: answer.title}) : t(`art_try_${answer.decision}`);
  id("tried").replaceChildren(h("div", {className: `verdict ${answer.decision}`}, h("b", {}, verdict), h("span", {className: "quiet"}, t("art_try_sure", {n: Math.round(100 * answer.confidence)}))));
}

// --- pictures and files

/** Keep each file beside the articles and put its words where the cursor stands. */
async function attach(files) {
  const field = state.mode === "form" ? fields.elements.body : file;
  for (const one of files) {
    const query = new URLSearchParams({file: state.file, section: fields.elements.section.value, name: one.name || "picture.png"});
    const kept = await post(`/articles/attach?${query}`, null, {body: one, type: one.type || "application/octet-stream"});
    if (!kept) continue;
    const before = field.value.slice(0, field.selectionStart);
    const words = `${!before || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n"}${kept.markdown}\n`;
    field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
    say(t("art_file_added", {file: kept.place}));
    changed();
  }
}

for (const field of [fields.elements.body, file]) {
  field.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); field.classList.add("dropping"); } });
  field.addEventListener("dragleave", () => field.classList.remove("dropping"));
  field.addEventListener("drop", (event) => {
    field.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    attach([...event.dataTransfer.files]);
  });
  field.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    attach([...event.clipboardData.files]);
  });
}
id("add-file").addEventListener("click", () => id("attach").click());
id("attach").addEventListener("change", async () => { await attach([...id("attach").files]); id("attach").value = ""; });

// --- wiring

fields.addEventListener("input", changed);
fields.addEventListener("submit", (event) => event.preventDefault());
file.addEventListener("input", changed);
id("add-button").addEventListener("click", () => { id("buttons").append(pair()); id("buttons").lastChild.querySelector("input").focus(); });
id("save").addEventListener("click", save);
id("publish").addEventListener("click", publish);
id("withdraw").addEventListener("click", () => simple("/articles/withdraw"));
id("discard").addEventListener("click", () => simple("/articles/discard"));
id("try").addEventListener("submit", tryOut);
for (const button of document.querySelectorAll("[data-skin]")) button.addEventListener("click", () => {
  state.skin = button.dataset.skin;
  for (const other of document.querySelectorAll("[data-skin]")) other.setAttribute("aria-pressed", String(other === button));
  showSkins();
});
for (const button of document.querySelectorAll("[data-mode]")) button.addEventListener("click", async () => {
  if (button.dataset.mode === state.mode) return;
  const answer = await post("/articles/check", written());
  if (!answer) return;
  Object.assign(state, {text: answer.text, form: answer.form, mode: button.dataset.mode});
  fill();
  look();
});
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey)) return;
  if (event.key.toLowerCase() === "s" || event.code === "KeyS") { event.preventDefault(); save(); }
  if (event.key === "Enter" && !id("publish").disabled && !event.target.closest("dialog")) { event.preventDefault(); publish(); }
});
addEventListener("beforeunload", (event) => { if (state.dirty) event.preventDefault(); });
addEventListener("focus", () => { if (state.file) look(); });
const source = new EventSource("/events");
source.addEventListener("knowledge", () => { if (state.file) look(); });
addEventListener("pagehide", () => source.close());

const early = Object.fromEntries([...fields.elements].filter((f) => f.name && "defaultValue" in f && f.value !== f.defaultValue).map((f) => [f.name, f.value]));
fill(early);
if (Object.keys(early).length) state.dirty = true;
if (state.restored) {
  state.dirty = true;
  say(t("art_restored"));
}
showState();
if (state.overtaken !== null && state.overtaken !== undefined) clash({overtaken: true, error: t("art_overtaken"), conflict: {theirs: state.overtaken, mine: state.text, gone: false}, now: state.seen});
look();
if (!state.file) fields.elements.title.focus();
