// The table of articles: sorts, filters and pages its rows, and opens their records.

const ROWS_A_PAGE = 100;

class Table {
  constructor(table) {
    this.table = table;
    this.rows = [...table.tBodies].map((body) => readRow(body));
    this.shown = this.rows;
    this.start = 0;
    this.order = {key: "", descending: false};
    for (const heading of table.tHead.rows[0].cells) this.addSortButton(heading);
    table.addEventListener("click", (event) => {
      const body = event.target.closest(".headline")?.closest("tbody");
      if (body) this.toggle(body);
    });
    document.getElementById("page-before").addEventListener("click", () => this.turn(-1));
    document.getElementById("page-after").addEventListener("click", () => this.turn(1));
    this.place();
  }

  addSortButton(heading) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => this.sort(heading));
    heading.replaceChildren(button);
  }

  sort(heading) {
    const {key} = heading.dataset;
    const descending = this.order.key === key ? !this.order.descending : key !== "headline";
    this.order = {key, descending};
    for (const cell of heading.parentNode.cells) cell.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const sign = descending ? -1 : 1;
    // Rows without a value come last in both directions.
    this.rows.sort((one, other) => {
      const [a, b] = [one[key], other[key]];
      if (a === b) return one.number - other.number;
      if (a === "" || b === "") return a === "" ? 1 : -1;
      return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
    });
    this.table.append(...this.rows.map((row) => row.body));
    this.filter(currentFilters());
  }

  filter(filters) {
    this.shown = this.rows.filter(
      (row) =>
        (!filters.publisher || row.publisher === filters.publisher) &&
        isInSpan(filters, row.day) &&
        hasWords(row.text, filters.text),
    );
    this.start = 0;
    this.place();
    const result = document.getElementById("filter-result");
    const [shown, all] = [this.shown.length, this.rows.length];
    result.textContent = shown === all ? "" : `${formatted(shown)} of ${formatted(all)} articles`;
  }

  turn(pages) {
    this.start += pages * ROWS_A_PAGE;
    this.place();
    this.table.scrollIntoView();
  }

  // Shows the rows of the current page, and marks the others: "hidden" does not match the filters,
  // "later" is on another page, and is still printed.
  place() {
    const isShown = new Set(this.shown);
    for (const row of this.rows) row.body.hidden = !isShown.has(row);
    const end = this.start + ROWS_A_PAGE;
    this.shown.forEach((row, place) => {
      const isLater = place < this.start || place >= end;
      row.body.classList.toggle("later", isLater);
      if (!isLater) makeButton(row.body);
    });
    const count = this.shown.length;
    document.getElementById("nothing-found").hidden = count > 0;
    document.getElementById("page-places").textContent = count
      ? `${formatted(this.start + 1)} to ${formatted(Math.min(end, count))} of ${formatted(count)}`
      : "";
    document.getElementById("page-before").hidden = this.start === 0;
    document.getElementById("page-after").hidden = end >= count;
  }

  toggle(body, isOpen = !body.classList.contains("open")) {
    makeButton(body);
    const cell = body.querySelector(".record > td");
    const stored = cell.querySelector("noscript");
    if (isOpen && stored) {
      // With scripts, a browser keeps the markup in <noscript> as text until it is needed.
      cell.innerHTML = stored.textContent;
      this.addGraphButton(body, cell);
    }
    body.classList.toggle("open", isOpen);
    body.querySelector(".headline").setAttribute("aria-expanded", isOpen);
  }

  addGraphButton(body, cell) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show in the graph";
    button.addEventListener("click", () => {
      document.getElementById("graph").scrollIntoView();
      document.dispatchEvent(new CustomEvent("show-node", { detail: {row: body.id} }));
    });
    cell.querySelector(".tools").append(button);
  }

  // Opens the row of an id, on whatever page it is, even if the filters hide it.
  show(id) {
    const row = this.rows.find(({body}) => body.id === id);
    if (!row) return;
    if (row.body.hidden) clearFilters();
    this.start = Math.floor(this.shown.indexOf(row) / ROWS_A_PAGE) * ROWS_A_PAGE;
    this.place();
    this.toggle(row.body, true);
    row.body.scrollIntoView();
    row.body.querySelector(".headline").focus({preventScroll: true});
  }
}

const collator = new Intl.Collator(undefined, {numeric: true});

function readRow(body, number) {
  const cells = body.rows[0].cells;
  const textOf = (label) =>
    [...cells].find((cell) => cell.dataset.label === label)?.textContent ?? "";
  const numberOf = (label) => Number(textOf(label).replaceAll(",", ""));
  const headline = textOf("Headline");
  return {
    body,
    number,
    headline,
    text: `${headline} ${body.dataset.words}`.toLowerCase(),
    published: body.dataset.published,
    publisher: body.dataset.publisher,
    day: body.dataset.day,
    depth: numberOf("Depth"),
    linked: numberOf("Linked from"),
    revisions: numberOf("Revisions"),
  };
}

// Makes the headline of a row a button; done only for the rows that are shown, as it takes time.
function makeButton(body) {
  const headline = body.querySelector(".headline");
  if (headline.tagName === "BUTTON") return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "headline";
  button.setAttribute("aria-expanded", "false");
  // Beside the headline, so that its direction does not turn the button.
  const text = document.createElement("bdi");
  text.lang = headline.lang;
  text.textContent = headline.textContent;
  button.append(text);
  headline.replaceWith(button);
}

document.addEventListener("DOMContentLoaded", () => {
  const element = document.getElementById("table");
  if (!element) return;
  const table = new Table(element);
  document.addEventListener("filter", (event) => table.filter(event.detail));
  document.addEventListener("show-row", (event) => {
    // The address of the report then leads to the row.
    history.replaceState(null, "", `#${event.detail.row}`);
    table.show(event.detail.row);
  });
  const showTarget = () => table.show(location.hash.slice(1));
  addEventListener("hashchange", showTarget);
  if (location.hash) showTarget();
});
