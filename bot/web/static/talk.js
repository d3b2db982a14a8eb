// A conversation with a ticket: what happens to it shows at once, unless somebody is writing.

const panel = document.getElementById("desk");
const field = panel.querySelector("textarea");
const source = new EventSource("/events");

source.addEventListener("happened", (event) => {
  const about = JSON.parse(event.data);
  if (String(about.ticket) !== panel.dataset.ticket || about.kind === "page_ordered") return;
  if (!field?.value) location.reload();
  else refresh();
});
addEventListener("pagehide", () => source.close());
// law: what an order itself makes happen does not load the page anew before the order was answered
for (const form of document.forms) form.addEventListener("submit", () => source.close());

/** New lines, while what is being written stays. */
async function refresh() {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const lines = page.querySelector(".lines");
  if (lines) document.querySelector(".lines").replaceWith(document.adoptNode(lines));
}
