"use strict";
// Everything is readable without this: it only sorts, filters, and opens what is folded before printing.
document.documentElement.classList.add("scripted");
for (const table of document.querySelectorAll("table.sort")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "ascending" : "descending");
      const key = (row) => { const cell = row.cells[column]; return cell.dataset.key ?? cell.textContent.trim(); };
      const body = table.tBodies[0];
      const order = new Intl.Collator(undefined, { numeric: true });
      const rows = [...body.rows].sort((one, other) => order.compare(key(one), key(other)));
      body.replaceChildren(...(down ? rows : rows.reverse()));
    });
  });
}
const text = document.getElementById("filter-text");
const severity = document.getElementById("filter-severity");
const owner = document.getElementById("filter-owner");
const told = document.getElementById("filter-told");
const fresh = document.getElementById("filter-new");
function filter() {
  const wanted = text.value.trim().toLowerCase();
  const active = wanted || severity.value || owner.value !== "*" || fresh.checked;
  let shown = 0;
  for (const group of document.querySelectorAll("details.rule")) {
    const head = group.querySelector("summary").textContent.toLowerCase();
    let own = 0;
    for (const row of group.querySelectorAll("tbody tr")) {
      const fits = (!severity.value || group.dataset.severity === severity.value)
        && (owner.value === "*" || row.dataset.owner === owner.value)
        && (!fresh.checked || row.dataset.new === "1")
        && (!wanted || head.includes(wanted) || row.textContent.toLowerCase().includes(wanted));
      row.hidden = !fits;
      own += fits;
    }
    group.hidden = own === 0;
    if (active && own > 0) group.open = true;
    shown += own;
  }
  told.textContent = `${shown} shown`;
}
if (text) for (const control of [text, severity, owner, fresh]) control.addEventListener("input", filter);
// A link to what is folded opens it.
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") target.open = true;
}
addEventListener("hashchange", reveal);
reveal();
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
