"use strict";
// Filters and sorts the images; all of them are there without it.
(() => {
  const form = document.querySelector(".controls");
  const table = document.querySelector(".images");
  const rows = [...table.tBodies].map((body, place) => ({
    body,
    place,
    id: Number(body.dataset.id),
    label: body.dataset.label,
    kinds: body.dataset.kind.split(" "),
    radius: body.dataset.radius.split(" ").map(Number),
    votes: body.dataset.votes.split(" ").map(Number),
    flipped: body.querySelector(".flip") !== null,
  }));
  const field = (name) => (form.elements[name] ? form.elements[name].value : "");

  const tests = {
    all: () => true,
    ok: (kind) => kind === "ok",
    not: (kind) => kind !== "ok" && kind !== "-",
    differ: (_, row) => new Set(row.kinds.map((kind) => kind === "ok")).size > 1,
    flip: (_, row) => row.flipped,
  };

  const orders = {
    id: (a, b) => a.place - b.place,
    label: (a, b) => a.label.localeCompare(b.label, undefined, { numeric: true }),
    radius: (a, b, run) => a.radius[run] - b.radius[run],
    votes: (a, b, run) => a.votes[run] - b.votes[run],
  };

  function update() {
    const run = Number(field("run"));
    const show = field("show");
    const label = field("label");
    const test = tests[show] || ((kind) => kind === show);
    const descending = field("sort").startsWith("-");
    const order = orders[field("sort").replace("-", "")];
    let count = 0;
    for (const row of rows) {
      const kept = test(row.kinds[run], row) && (!label || row.label === label);
      row.body.hidden = !kept;
      count += kept;
    }
    const absent = (row) => row.kinds[run] === "-"; // of this run: behind the others, unless they are as they came
    const sorted = (a, b) => absent(a) - absent(b) || (descending ? order(b, a, run) : order(a, b, run));
    rows.sort((a, b) => (order === orders.id ? 0 : sorted(a, b)) || a.place - b.place);
    table.append(...rows.map((row) => row.body));
    form.querySelector("output").textContent = `${count} of ${rows.length} images`;
  }

  form.hidden = false;
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  update();
})();
