// The filter bar: the event "filter" on the document tells all parts of the report which articles
// to show.

const filterForm = document.getElementById("filters");
const days = JSON.parse(document.getElementById("filter-days").textContent);

function controlOf(name) {
  return document.getElementById(`filter-${name}`);
}

// Returns {text, publisher, from, until}; each is empty if it leaves nothing out.
function currentFilters() {
  const from = Number(controlOf("from")?.value ?? 0);
  const until = Number(controlOf("until")?.value ?? days.length - 1);
  return {
    text: controlOf("text").value.trim().toLowerCase(),
    publisher: controlOf("publisher")?.value ?? "",
    from: from > 0 ? days[from] : "",
    until: until < days.length - 1 ? days[until] : "",
  };
}

function announceFilters() {
  for (const name of controlOf("from") ? ["from", "until"] : []) {
    const day = days[controlOf(name).value];
    controlOf(`${name}-day`).value = day;
    controlOf(name).setAttribute("aria-valuetext", day);
  }
  const detail = currentFilters();
  document.dispatchEvent(new CustomEvent("filter", {detail}));
  for (const bar of document.querySelectorAll(".bar")) {
    const isShown =
      (!detail.until || bar.dataset.from <= detail.until) &&
      (!detail.from || bar.dataset.until >= detail.from);
    bar.classList.toggle("outside", !isShown);
  }
}

let waiting = 0;

filterForm.addEventListener("input", (event) => {
  // The ends of the span may meet, but not cross.
  const [from, until] = [controlOf("from"), controlOf("until")];
  if (from && Number(from.value) > Number(until.value)) {
    (event.target === from ? until : from).value = event.target.value;
  }
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(announceFilters);
});
filterForm.addEventListener("submit", (event) => event.preventDefault());

function clearFilters() {
  filterForm.reset();
  announceFilters();
}

controlOf("reset").addEventListener("click", clearFilters);

// A click on a bar of the time line shows its span, and a second one the whole time again.
document.querySelector("#time-line svg")?.addEventListener("click", (event) => {
  const bar = event.target.closest(".bar");
  if (!bar || !controlOf("from")) return;
  let first = days.findIndex((day) => day >= bar.dataset.from);
  let last = days.findLastIndex((day) => day <= bar.dataset.until);
  if (last < first) return;
  if (Number(controlOf("from").value) === first && Number(controlOf("until").value) === last) {
    [first, last] = [0, days.length - 1];
  }
  controlOf("from").value = first;
  controlOf("until").value = last;
  announceFilters();
});
