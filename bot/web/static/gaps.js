// What an editor does about a group of questions; what that changed is said under it, and how to take it back.

import {h, post, t} from "./chat.js";

/** Post *act* for a group, and say what came of it. *locked* buttons stay disabled where it was done. */
async function act(gap, name, data, locked = []) {
  const buttons = [...gap.querySelectorAll("button")].filter((button) => !button.disabled);
  buttons.forEach((button) => { button.disabled = true; });
  const told = gap.querySelector("[role=status]");
  if (name === "assist") told.textContent = t("gaps_assisting");
  const answer = await post(`/gaps/${name}`, data);
  buttons.forEach((button) => { button.disabled = Boolean(answer) && locked.includes(button); });
  if (!answer && name === "assist") told.textContent = t("gaps_assist_none");
  if (!answer) return false;
  const meter = gap.querySelector("meter");
  if (meter && answer.total !== undefined) {
    meter.value = answer.answered;
    gap.querySelector(".now span").textContent = t("gaps_now", answer);
  }
  const said = gap.querySelector("[role=status]");
  said.replaceChildren(answer.text, " ", answer.href ? h("a", {href: answer.href}, answer.link) : "");
  const back = answer.undo ? ["undo", {gap: data.gap, change: answer.undo}] : {dismiss: ["restore", data], restore: ["dismiss", data]}[name];
  if (back) {
    const undo = h("button", {type: "button", className: "undo"}, t("gaps_undo"));
    undo.addEventListener("click", async () => {
      if (await act(gap, ...back)) locked.forEach((button) => { button.disabled = false; });
    });
    said.append(" ", undo);
  }
  if (["dismiss", "restore"].includes(name)) gap.classList.toggle("aside", name === "dismiss");
  return true;
}

for (const form of document.querySelectorAll("form[data-act]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = event.submitter?.dataset.act ?? form.dataset.act;
    act(form.closest(".gap"), name, Object.fromEntries(new FormData(form)), [...form.querySelectorAll("button")]);
  });
}
