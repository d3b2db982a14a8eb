// Waits for the operators' group to be chosen; without this script the page is loaded again by hand.
const waits = document.querySelector("[data-waits-for]");
async function look() {
  try {
    const found = await (await fetch("/setup/group/place", { headers: { Accept: "application/json" } })).json();
    if (found.chat && found.chat !== waits.dataset.waitsFor) { location.reload(); return; }
  } catch { /* the bot is starting anew */ }
  setTimeout(look, 2000);
}
if (waits) setTimeout(look, 2000);
for (const form of document.querySelectorAll(".setup form")) {
  form.addEventListener("submit", () => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
}
