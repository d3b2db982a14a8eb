// «Почему такой ответ?»: what was understood, the candidates, the numbers, the decision in one sentence.

import {h, t} from "./chat.js";

const number = (value) => (typeof value === "number" ? value.toFixed(2).replace(".", document.body.dataset.lang === "ru" ? "," : ".") : "");
const plain = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
const word = (stem, value) => t(`${stem}_${value}`) || plain(value);

function gauge(label, value) {
  if (typeof value !== "number") return null;
  return h("div", {className: "gauge"}, h("span", {}, label), h("span", {className: "num"}, number(value)), h("meter", {min: 0, max: 1, value, ariaLabel: label}));
}

const CHANNELS = ["words", "letters", "rapidfuzz", "embeddings"]; // shown first; the rest stands in the JSON

/** Candidates as rows: each channel's score where it has one, then the total. */
function candidates(why) {
  const rows = (why.candidates ?? []).slice(0, 5);
  if (!rows.length) return null;
  const scoresOf = (row) => row.channels ?? row.scores ?? Object.fromEntries(
    Object.entries(why.channels ?? {}).map(([name, found]) => [name, Array.isArray(found)
      ? found.find((f) => (f.article ?? f[0]) === row.article)?.score ?? found.find((f) => f[0] === row.article)?.[1] : found?.[row.article]]));
  const given = new Set(rows.flatMap((row) => Object.entries(scoresOf(row)).filter(([, v]) => typeof v === "number").map(([name]) => name)));
  const names = [...CHANNELS.filter((name) => given.has(name)), ...[...given].filter((name) => !CHANNELS.includes(name))].slice(0, 4);
  const best = Math.max(...rows.map((row) => row.score ?? 0), 0.0001);
  return h("table", {},
    h("thead", {}, h("tr", {}, [t("why_article"), ...names.map((n) => word("channel", n)), t("why_total")].map((name) => h("th", {scope: "col"}, name)))),
    rows.map((row, i) => h("tbody", {className: i ? "" : "best"},
      h("tr", {}, h("th", {scope: "rowgroup", colSpan: names.length + 2, className: "title", title: row.article}, row.title ?? row.article)),
      h("tr", {},
        h("td", {}, h("meter", {min: 0, max: Math.max(1, best), value: row.score ?? 0, ariaLabel: t("why_total")})),
        names.map((name) => h("td", {className: "num"}, number(scoresOf(row)[name]))),
        h("td", {className: "num"}, number(row.score))))));
}

function part(title, ...inside) {
  const kept = inside.flat().filter(Boolean);
  return kept.length ? [h("h3", {}, title), ...kept] : [];
}

function repair(r) {
  return [h("code", {}, `${r.raw} → ${r.fixed}`), h("span", {className: "quiet"}, ` ${word("repair", r.kind)} `)];
}

function understood(why) {
  return [
    part(t("why_understood"), why.understood && h("p", {}, h("code", {}, plain(why.understood)))),
    part(t("why_repairs"), why.repairs?.length && h("p", {}, why.repairs.flatMap(repair))),
    part(t("why_lemmas"), why.lemmas?.length && h("p", {}, h("code", {}, why.lemmas.join(" ")))),
  ].flat();
}

function thresholds(why) {
  const given = Object.entries(why.thresholds ?? {}).filter(([, value]) => typeof value === "number");
  return given.length ? h("p", {className: "quiet"}, given.map(([name, value]) => `${word("threshold", name)} ${number(value)}`).join(" · ")) : null;
}

function timings(why) {
  const given = Object.entries(why.timings ?? {}).filter(([, value]) => typeof value === "number");
  return given.length ? h("p", {className: "quiet"}, given.map(([name, ms]) => `${name === "ms" ? "" : name} ${ms.toFixed(ms < 10 ? 1 : 0)}`).join(" · "), ` ${t("why_ms")}`) : null;
}

/** What the optional assistant did with the answer; nothing where it was not asked. */
function assisted(found) {
  if (!found) return null;
  const counts = [["said", found.sources?.length], ["dropped", found.dropped]].filter(([, n]) => n);
  return h("p", {}, word("why_assistant", found.outcome), counts.map(([name, n]) => ` · ${t(`why_assistant_${name}`)}: ${n}`).join(""));
}

/** Fill *place* with a turn ({text, dialog, result, reason, why}) or an answer of the knowledge base ({decision, why, …}). */
export function showWhy(place, turn) {
  const why = turn.why ?? {};
  const decision = turn.decision ?? why.decision;
  const list = candidates({...why, candidates: why.candidates ?? turn.candidates});
  const verdict = decision ? word("decision", decision) : word("result", turn.result);
  const sentence = (turn.sentences?.[document.documentElement.lang] ?? why.sentence) || (list ? "" : t("why_none"));
  place.replaceChildren(h("div", {className: "facts-why"},
    part(t("why_text"), (turn.text || why.raw) && h("p", {className: "said"}, turn.text || plain(why.raw))),
    understood(why),
    part(t("why_act"), (turn.act ?? why.act) && h("p", {}, word("act", turn.act ?? why.act))),
    part(t("why_candidates"), list),
    h("div", {className: `verdict ${decision ?? turn.result ?? ""}`}, h("b", {}, `${t("why_decision")}: ${verdict}`), sentence, thresholds(why)),
    gauge(t("why_confidence"), turn.confidence ?? why.confidence),
    gauge(t("why_scope"), turn.scope ?? why.scope),
    turn.dialog ? part(t("why_dialog"), h("p", {}, h("code", {}, turn.dialog), ` · ${word("result", turn.result)}`, turn.reason && turn.reason !== turn.result ? ` · ${word("reason", turn.reason)}` : "")) : [],
    part(t("why_assistant"), assisted(why.assistant)),
    part(t("why_timings"), timings(why)),
    part(t("why_articles"), turn.articles && h("p", {}, h("code", {}, turn.articles))),
    h("details", {}, h("summary", {}, t("why_json")), h("pre", {}, JSON.stringify({...turn, sentences: undefined, why: {...why, sentence}}, null, 1)))));
}
