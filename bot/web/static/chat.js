// Words, elements and messages. Nothing here reads HTML from anywhere: text is always text.

const WORDS = JSON.parse(document.body.dataset.words);
export const LANG = document.body.dataset.lang;

export function t(name, facts = {}) {
  return (WORDS[name] ?? "").replace(/\{(\w+)\}/g, (all, key) => facts[key] ?? all);
}

/** An element: properties, then children (texts or elements; null is left out). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const TAGS = {bold: ["b"], italic: ["i"], underline: ["u"], strike: ["s"], code: ["code"], pre: ["pre"], quote: ["span", "quoted"], spoiler: ["span", "hush"]};

function safeUrl(url) {
  return /^(https?:\/\/|mailto:|tel:)/i.test(url) ? url : null;
}

/** A text with its styles. Offsets count characters, as the server does, not UTF-16 units. */
export function styled(text, spans) {
  const chars = Array.from(text);
  const edges = [...new Set([0, chars.length, ...spans.flatMap((s) => [s.offset, s.offset + s.length])])];
  edges.sort((a, b) => a - b);
  return edges.slice(0, -1).map((start, i) => {
    let piece = document.createTextNode(chars.slice(start, edges[i + 1]).join(""));
    for (const span of spans.filter((s) => s.offset <= start && start < s.offset + s.length)) {
      const href = span.style === "link" ? safeUrl(span.url || piece.textContent) : null;
      const [tag, className] = href ? ["a"] : TAGS[span.style] ?? ["span"];
      piece = h(tag, href ? {href, target: "_blank", rel: "noopener noreferrer"} : {className: className ?? ""}, piece);
      if (span.style === "spoiler") piece.tabIndex = 0;
    }
    return piece;
  });
}

const zone = {offset: 0};
export function setZone(seconds) {
  zone.offset = seconds;
}

export function clockText(milliseconds) {
  return new Date(milliseconds + zone.offset * 1000).toISOString().slice(11, 16);
}

export function size(bytes) {
  return bytes < 1024 * 1024 ? t("kilobytes", {n: Math.max(1, Math.round(bytes / 1024))}) : t("megabytes", {n: (bytes / 1024 / 1024).toFixed(1)});
}

const ICONS = {photo: "🖼", document: "📎", voice: "🎤", video: "🎬", video_note: "📹", audio: "🎵", animation: "🎞", sticker: "🙂", location: "📍", contact: "👤", other: "📎"};

function attachment(a) {
  const caption = a.data.caption ?? "";
  if (a.picture) {
    const picture = h("a", {href: `/file/${a.file}`, target: "_blank", rel: "noopener"}, h("img", {src: `/file/${a.file}`, alt: caption || a.name || t("photo"), loading: "lazy"}));
    return caption ? h("figure", {}, picture, h("figcaption", {}, caption)) : picture;
  }
  const kind = t(a.media === "voice" ? "voice_message" : a.media);
  const place = a.data.latitude ? `${a.data.latitude}, ${a.data.longitude}` : [a.data.name, a.data.phone, a.data.emoji, a.data.label].filter(Boolean).join(" ");
  const rest = [caption || (a.name && a.media !== "voice" ? a.name : kind), place, a.duration ? `0:${String(a.duration).padStart(2, "0")}` : "", a.size ? size(a.size) : ""];
  const inside = [`${ICONS[a.media] ?? "📎"} `, rest.filter(Boolean).join(" · ")];
  return a.file && a.media !== "voice" ? h("a", {href: `/file/${a.file}`, download: a.name}, ...inside) : h("span", {}, ...inside);
}

function keys(message, act) {
  if (!message.buttons.length) return null;
  return h("div", {className: "keys"}, message.buttons.map((row) => h("div", {}, row.map((b) => b.url
    ? h("a", {href: safeUrl(b.url) ?? "#", target: "_blank", rel: "noopener noreferrer"}, `${b.label} ↗`)
    : h("button", {type: "button", className: b.style, ariaPressed: String(message.pressed === b.token),
        onclick: (event) => act.press(message, b.token, event.currentTarget)}, b.label)))));
}

function meta(message, mine, act) {
  const ticks = {kept: t("tick_kept"), read: t("tick_read"), failed: t("tick_failed")}[message.ticks];
  return h("div", {className: "meta"},
    message.pinned ? h("span", {title: t("pinned")}, "📌") : null,
    message.edited ? h("span", {}, t("edited")) : null,
    mine && !message.deleted && message.text ? h("button", {type: "button", title: t("edit"), ariaLabel: t("edit"), onclick: () => act.edit(message)}, "✎") : null,
    act.why && message.row && !mine ? h("button", {type: "button", className: "ask", title: t("why"), ariaLabel: t("why"), onclick: () => act.why(message)}, "?") : null,
    h("time", {dateTime: message.at}, clockText(Date.parse(message.at))),
    ticks && mine ? h("span", {className: message.ticks === "failed" ? "bad" : "", title: t(message.ticks)}, ticks) : null);
}

/** One message. `mine` says on which side it stands; `act` holds press, edit, why. */
export function messageElement(message, {mine, names, act, old}) {
  const className = `${mine ? "mine" : ""} ${old ? "old" : ""}`;
  if (message.press) return h("div", {className: `trace ${className}`, title: t("pressed")}, `👆 ${names ? `${message.name}: ` : ""}${message.press}`);
  const card = names && !mine && message.buttons.length > 0;
  return h("article", {className: `msg ${className} ${card ? "ticket" : ""}`},
    h("div", {className: "bubble"},
      names && message.name ? h("span", {className: "name"}, message.name) : null,
      message.attachments.length ? h("div", {className: "files"}, message.attachments.map(attachment)) : null,
      message.deleted ? h("div", {className: "gone"}, t("deleted")) : h("div", {className: "text"}, styled(message.text, message.spans)),
      meta(message, mine, act)),
    message.reaction ? h("span", {className: "reaction"}, message.reaction) : null,
    keys(message, act));
}

export function toast(text, bad = false) {
  const element = h("div", {className: bad ? "bad" : ""}, text);
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), bad ? 8000 : 4500);
}

/** POST as our own page; the answer as JSON, or null with a toast that says what went wrong. */
export async function post(path, data, options = {}) {
  const headers = {"X-CSRF-Token": document.querySelector("meta[name=csrf]").content, "Content-Type": options.type ?? "application/json"};
  try {
    const response = await fetch(path, {method: "POST", headers, body: options.body ?? JSON.stringify(data)});
    const answer = await response.json();
    if (response.ok) return answer;
    toast(t("not_done", {error: answer.error}), true);
  } catch {
    toast(t("offline"), true);
  }
  return null;
}

export function newKey() {
  return crypto.randomUUID();
}
