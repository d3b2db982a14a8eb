// The gate before publishing: begin a comparison, follow it, stop it; a supervisor's yes.

import {post, t} from "./chat.js";

const running = document.getElementById("running");
const choose = document.getElementById("choose");
const EVERY = 500; // milliseconds between looks

/** Look how far the comparison is, until it ends; then show what came of it. */
async function follow(run) {
  running.dataset.run = run;
  running.hidden = false;
  const bar = running.querySelector("progress"), status = running.querySelector("[role=status]");
  for (;;) {
    const answer = await fetch(`/gate/state?run=${run}`, {headers: {Accept: "application/json"}});
    const state = answer.ok ? await answer.json() : {state: "gone"};
    if (state.state !== "running") break;
    if (state.total) {
      bar.value = state.done / state.total;
      status.textContent = t("gate_far", state);
    }
    await new Promise((go) => { setTimeout(go, EVERY); });
  }
  location.assign(`/gate?run=${run}`);
}

choose?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = choose.querySelector("button");
  button.disabled = true;
  const answer = await post("/gate/run", {drafts: new FormData(choose).getAll("draft")});
  if (answer) await follow(answer.run);
  else button.disabled = false;
});

running?.querySelector(".stop")?.addEventListener("click", async () => {
  const answer = await post("/gate/stop", {run: running.dataset.run});
  if (answer) running.querySelector("[role=status]").textContent = answer.text;
});

const allow = document.getElementById("allow");
allow?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = allow.querySelector("button");
  button.disabled = true;
  const answer = await post("/gate/allow", Object.fromEntries(new FormData(allow)));
  if (answer) allow.querySelector("[role=status]").textContent = answer.text;
  else button.disabled = false;
});

if (running?.dataset.run) follow(running.dataset.run);
