"use strict";
// Sorts the table of devices by a column, and hides rows that are not asked for.
(() => {
  const table = document.getElementById("devices");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row, place) => ({row, place, text: row.textContent.toLowerCase(), state: row.querySelector("[data-state]").dataset.state}));
  const add = (parent, name, properties) => parent.appendChild(Object.assign(document.createElement(name), properties));

  const form = add(document.getElementById("controls"), "form", {className: "filter", role: "search"});
  const words = add(form, "label", {textContent: "Text in the row"});
  const input = add(words, "input", {type: "search", autocomplete: "off"});
  const states = add(form, "label", {textContent: "State"});
  const select = add(states, "select", {});
  add(select, "option", {value: "", textContent: "all"});
  for (const state of new Set(rows.map(r => r.state))) add(select, "option", {value: state, textContent: state});
  const count = add(form, "output", {});

  const filter = () => {
    const wanted = input.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const r of rows) {
      const yes = (select.value === "" || r.state === select.value) && wanted.every(w => r.text.includes(w));
      r.row.hidden = !yes;
      if (yes) shown++;
    }
    count.textContent = shown + " of " + rows.length;
  };
  form.addEventListener("submit", event => event.preventDefault());
  input.addEventListener("input", filter);
  select.addEventListener("change", filter);

  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = add(head, "button", {type: "button", textContent: head.textContent});
    head.firstChild.remove();
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = new Map(rows.map(r => [r, r.row.cells[column].textContent]));
      rows.sort((a, b) => (down ? -1 : 1) * key.get(a).localeCompare(key.get(b), undefined, {numeric: true}) || a.place - b.place);
      body.append(...rows.map(r => r.row));
    });
  });
  filter();
})();
