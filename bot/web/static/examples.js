// Examples from use: try out, accept and reject what is marked; what came of it is said under the article, and how to take it back.

import {h, post, t} from "./chat.js";

const open = (group) => [...group.querySelectorAll("li[data-id]:not([hidden])")];
const marked = (group) => open(group).filter((line) => line.querySelector("[type=checkbox]").checked);

/** What a line asks for: its id, the words as the editor left them, and the article. */
function wanted(group, line) {
  const article = group.querySelector(".target")?.value.trim() || group.dataset.article;
  return {id: line.dataset.id, question: line.querySelector(".words").value, article};
}

function said(group, ...children) {
  group.querySelector("[role=status]").replaceChildren(...children);
}

/** Post *name* for some lines; a decision hides them until it is undone. */
async function decide(group, name, lines, more = {}) {
  if (!lines.length) {
    said(group, t("examples_nothing"));
    return;
  }
  const buttons = [...group.querySelectorAll("button")];
  buttons.forEach((button) => { button.disabled = true; });
  const answer = await post(`/examples/${name}`, {lines: lines.map((line) => wanted(group, line)), ...more});
  buttons.forEach((button) => { button.disabled = false; });
  if (!answer) return;
  const worse = answer.worse?.length ? [h("p", {}, t("examples_worse")), h("ul", {}, answer.worse.map((q) => h("li", {}, `«${q}»`)))] : [];
  said(group, h("p", {}, answer.text), ...worse);
  if (worse.length && name === "accept") {
    const anyway = h("button", {type: "button", className: "anyway"}, t("examples_anyway"));
    anyway.addEventListener("click", () => decide(group, name, lines, {anyway: true}));
    group.querySelector("[role=status]").append(anyway);
  }
  for (const line of open(group)) if (answer.done?.includes(line.dataset.id)) line.hidden = true;
  if (answer.undo) {
    const undo = h("button", {type: "button", className: "undo"}, t("gaps_undo"));
    undo.addEventListener("click", async () => {
      const back = await post("/examples/undo", {change: answer.undo});
      if (!back) return;
      for (const line of group.querySelectorAll("li[hidden]")) if (back.restored.includes(line.dataset.id)) line.hidden = false;
      said(group, back.text);
    });
    group.querySelector("[role=status]").append(undo);
  }
}

for (const group of document.querySelectorAll(".learnt")) {
  const on = (selector, act) => group.querySelector(selector).addEventListener("click", act);
  on(".all", () => open(group).forEach((line) => { line.querySelector("[type=checkbox]").checked = true; }));
  on(".try", () => decide(group, "try", marked(group)));
  on(".accept", () => decide(group, "accept", marked(group)));
  on(".reject-all", () => decide(group, "reject", marked(group)));
  for (const line of open(group)) line.querySelector(".reject").addEventListener("click", () => decide(group, "reject", [line]));
}
