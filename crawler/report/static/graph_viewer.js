// The graph, drawn on a canvas.
//
// All links and nodes are drawn into a bitmap that reaches somewhat beyond the canvas, a slice per
// frame, so that no frame is late. Meanwhile the canvas shows the last complete bitmap, moved and
// scaled. Labels, the selection and the node under the pointer are drawn over it in every frame.
//
// Listens to these events of the document: "filter" ({text, publisher, from, until}) and
// "show-node" ({row}); dispatches "show-row" ({row}).

// The bitmap reaches beyond each side of the canvas by this part of the canvas.
const BITMAP_MARGIN = 0.25;
const FIT_PADDING = 40;
// How far apart, in pixels, the nodes of a small graph may be.
const SPARSE_SPACING = 190;
const ZOOM_STEP = 1.4;
const LARGEST_SCALE = 12;
const ARROW_KEYS = {
  ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
};
const PAN_STEP = 60;
// A pointer that moves farther than this, in pixels, does not click.
const CLICK_TOLERANCE = 4;
// One label per so many square pixels, before the graph is zoomed.
const LABEL_AREA = 36000;

/** The canvas with its controls. */
class GraphViewer {
  constructor() {
    const part = (name) => document.getElementById(`graph-${name}`);
    this.data = new GraphData(JSON.parse(part("data").textContent));
    this.painter = new GraphPainter(this.data);
    this.labels = new GraphLabels(this.data, this.painter);
    this.section = document.getElementById("graph");
    this.canvas = part("canvas");
    this.context = this.canvas.getContext("2d");
    [this.controls, this.stage, this.tooltip, this.panel, this.status] =
      ["controls", "stage", "tooltip", "node", "status"].map(part);
    this.bitmap = document.createElement("canvas");
    this.nextBitmap = document.createElement("canvas");
    this.bitmapView = null;
    this.drawing = null;
    this.isFitted = true;
    this.selected = null;
    this.selectedLinks = [];
    this.pointed = null;
    this.pointers = new Map();
    this.reportFilter = {text: "", publisher: "", from: "", until: ""};
    part("viewer").hidden = this.controls.hidden = false;
    part("zoom-in").addEventListener("click", () => this.zoom(ZOOM_STEP));
    part("zoom-out").addEventListener("click", () => this.zoom(1 / ZOOM_STEP));
    part("fit").addEventListener("click", () => this.fit());
    this.controls.addEventListener("change", () => this.applyControls());
    this.controls.addEventListener("submit", (event) => event.preventDefault());
    this.listenToCanvas();
    this.listenToDocument();
    this.applyControls();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  listenToCanvas() {
    const listen = (type, handler, options) =>
      this.canvas.addEventListener(type, (event) => handler.call(this, event), options);
    listen("pointerdown", this.onPointerDown);
    listen("pointermove", this.onPointerMove);
    listen("pointerup", this.onPointerUp);
    listen("pointercancel", this.onPointerCancel);
    listen("pointerleave", () => this.point(null));
    listen("wheel", this.onWheel, {passive: false});
    listen("keydown", this.onKey);
  }

  listenToDocument() {
    document.addEventListener("filter", (event) => {
      this.reportFilter = event.detail;
      this.filter();
    });
    document.addEventListener("show-node", (event) => {
      const node = this.data.row.indexOf(event.detail.row);
      if (node >= 0) this.show(node, {inMiddle: true});
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
  }

  // Filters and controls.

  applyControls() {
    const form = new FormData(this.controls);
    const roles = new Set(form.getAll("role"));
    this.data.shownRoles = new Set(this.data.roles.filter((role) => roles.has(role)));
    this.painter.colourBy = form.get("colour");
    for (const legend of this.section.querySelectorAll("[data-colour]")) {
      legend.hidden = legend.dataset.colour !== this.painter.colourBy;
    }
    this.filter();
  }

  filter() {
    const notFetched = this.controls.elements["not-fetched"];
    const matching = this.data.filter(this.reportFilter, notFetched?.checked ?? true);
    if (this.selected !== null && this.data.hidden[this.selected]) {
      this.select(null);
    } else if (this.selected !== null) {
      this.selectedLinks = this.data.linksOf(this.selected);
    }
    this.point(null);
    if (matching < this.data.count) {
      this.announce(`${formatted(matching)} of ${formatted(this.data.count)} match.`);
    } else if (this.selected === null) {
      this.announce("");
    }
    this.redraw();
  }

  /** Say something to screen readers, and unless it is only "spoken", also on the page. */
  announce(text, className = "") {
    this.status.className = className;
    this.status.textContent = text;
  }

  // Where it is seen from.

  resize() {
    const {clientWidth, clientHeight} = this.canvas;
    if (!clientWidth) return;
    const [oldWidth, oldHeight] = [this.width, this.height];
    [this.width, this.height, this.ratio] = [clientWidth, clientHeight, devicePixelRatio];
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    // A node of median size covers a third of the way to the next node.
    const medianSize = this.data.size[this.data.count >> 1];
    this.radiusUnit = clamp(
      (this.data.spacing() * this.fittedView().scale) / medianSize / 3, 1.5, 5);
    if (this.isFitted) {
      this.fit();
    } else {
      this.look(this.view.moved((this.width - oldWidth) / 2, (this.height - oldHeight) / 2));
    }
    this.redraw();
    this.paint();
  }

  /** The view that shows the whole graph. Few nodes are not torn far apart. */
  fittedView() {
    const [left, top, right, bottom] = this.data.bounds();
    const [width, height] = [Math.max(right - left, 1), Math.max(bottom - top, 1)];
    const scale = Math.min(
      (this.width - 2 * FIT_PADDING) / width,
      (this.height - 2 * FIT_PADDING) / height,
      (SPARSE_SPACING * Math.sqrt(this.data.count)) / Math.max(width, height),
    );
    return new GraphView(
      scale,
      this.width / 2 - ((left + right) / 2) * scale,
      this.height / 2 - ((top + bottom) / 2) * scale,
    );
  }

  fit() {
    this.look(this.fittedView());
    this.isFitted = true;
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const fitted = this.fittedView().scale;
    const largest = Math.min(LARGEST_SCALE, fitted * (4 + Math.sqrt(this.data.count)));
    const scale = clamp(this.view.scale * factor, fitted / 2, Math.max(largest, fitted));
    this.look(this.view.scaled(scale, x, y));
  }

  /** Look at the graph from a view, or the nearest one that does not lose sight of it. */
  look(view) {
    const [left, top, right, bottom] = this.data.bounds();
    this.view = new GraphView(
      view.scale,
      clamp(
        view.left, FIT_PADDING - right * view.scale,
        this.width - FIT_PADDING - left * view.scale),
      clamp(
        view.top, FIT_PADDING - bottom * view.scale,
        this.height - FIT_PADDING - top * view.scale),
    );
    this.isFitted = false;
    this.zoomed = view.scale / this.fittedView().scale;
    this.painter.radiusUnit = this.radiusUnit * clamp(Math.sqrt(this.zoomed), 0.7, 3.5);
    this.requestFrame();
  }

  // Drawing.

  requestFrame() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  /** Draw everything anew. */
  redraw() {
    this.drawing = null;
    this.bitmapView &&= {...this.bitmapView, isOutdated: true};
    this.requestFrame();
  }

  recolour() {
    this.painter.readColours();
    this.redraw();
  }

  /** Draw in the colours of paper, and at once, since printing waits for no frame. */
  print(isPrinting) {
    document.documentElement.classList.toggle("on-paper", isPrinting);
    this.recolour();
    while (isPrinting && this.view && !this.isCurrent(this.bitmapView)) this.paint();
  }

  /** Whether the bitmap, or one that is being drawn, is of this scale and reaches far enough. */
  isCurrent(drawn) {
    return drawn && !drawn.isOutdated && drawn.scale === this.view.scale &&
      Math.abs(drawn.left - this.view.left) < (this.width * BITMAP_MARGIN) / 2 &&
      Math.abs(drawn.top - this.view.top) < (this.height * BITMAP_MARGIN) / 2;
  }

  startDrawing() {
    const [marginX, marginY] =
      [this.width, this.height].map((side) => Math.round(side * BITMAP_MARGIN));
    const [width, height] = [this.width + 2 * marginX, this.height + 2 * marginY];
    this.nextBitmap.width = Math.round(width * this.ratio);
    this.nextBitmap.height = Math.round(height * this.ratio);
    const context = this.nextBitmap.getContext("2d");
    context.scale(this.ratio, this.ratio);
    const {scale, left, top} = this.view;
    this.drawing = {
      steps: this.painter.draw(context, this.view.moved(marginX, marginY), width, height),
      drawn: {scale, left, top, marginX, marginY, width, height},
    };
  }

  paint() {
    if (!this.view) return;
    if (!this.drawing && !this.isCurrent(this.bitmapView)) this.startDrawing();
    if (this.drawing?.steps.next().done) {
      [this.bitmap, this.nextBitmap] = [this.nextBitmap, this.bitmap];
      this.bitmapView = this.drawing.drawn;
      this.drawing = null;
    }
    const {context, data, view, painter} = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = painter.paper;
    context.fillRect(0, 0, this.width, this.height);
    if (this.bitmapView) this.paintBitmap();
    if (this.selected !== null) this.paintSelection();
    const labelled = this.labelled();
    const others = this.selected === null ? data.shown() : labelled;
    this.labels.draw(context, view, labelled, others, this.width, this.height);
    if (this.pointed !== null) this.paintRing(this.pointed, painter.accent);
    if (this.drawing || !this.isCurrent(this.bitmapView)) this.requestFrame();
  }

  paintBitmap() {
    const drawn = this.bitmapView;
    const factor = this.view.scale / drawn.scale;
    // Moved by whole pixels of the screen, the bitmap stays sharp.
    const whole = (value) => Math.round(value * this.ratio) / this.ratio;
    this.context.drawImage(
      this.bitmap,
      whole(this.view.left - (drawn.left + drawn.marginX) * factor),
      whole(this.view.top - (drawn.top + drawn.marginY) * factor),
      drawn.width * factor,
      drawn.height * factor,
    );
  }

  /** Fade everything but the selected node, its links and its neighbours. */
  paintSelection() {
    const {context, view, painter, data} = this;
    context.globalAlpha = 0.8;
    context.fillStyle = painter.paper;
    context.fillRect(0, 0, this.width, this.height);
    context.globalAlpha = this.selectedLinks.length > 60 ? 0.5 : 0.85;
    context.lineWidth = 1.3;
    for (const {role, source, target} of this.selectedLinks) {
      context.strokeStyle = context.fillStyle = painter.roleColours[role];
      context.setLineDash(GRAPH_DASHES[role]);
      context.beginPath();
      painter.traceLink(context, view, source, target);
      context.stroke();
      painter.drawArrow(context, view, source, target);
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    for (const node of [...this.neighbours().reverse(), this.selected]) {
      painter.drawNode(context, node, view.x(data.x[node]), view.y(data.y[node]));
    }
    this.paintRing(this.selected, painter.accent);
  }

  paintRing(node, colour) {
    const {context, view, painter, data} = this;
    const radius = painter.radius(node);
    painter.drawRing(context, view.x(data.x[node]), view.y(data.y[node]), radius, colour);
  }

  /** The nodes to name: the selection's, or the seeds and the most linked, as far as there is space
      for them. */
  labelled() {
    if (this.selected !== null) return [this.selected, ...this.neighbours()];
    const most = ((this.width * this.height) / LABEL_AREA) * this.zoomed ** 2;
    const nodes = [];
    for (const node of this.data.seedsFirst) {
      if (nodes.length >= most) break;
      if (!this.data.hidden[node] && !this.data.dimmed[node]) nodes.push(node);
    }
    return nodes;
  }

  // Selecting.

  /** The neighbours of the selected node, the most linked first. */
  neighbours() {
    const found = new Set(this.selectedLinks.flatMap(({source, target}) => [source, target]));
    found.delete(this.selected);
    return [...found].sort((one, other) => one - other);
  }

  select(node) {
    this.selected = node;
    this.selectedLinks = node === null ? [] : this.data.linksOf(node);
    this.point(null);
    this.fillPanel();
    this.announce(node === null ? "Nothing is selected." : this.description(node), "spoken");
    this.requestFrame();
  }

  /** Select a node and bring it into the middle, unless it is in view and need not be there. */
  show(node, {inMiddle}) {
    if (this.data.hidden[node]) {
      this.announce("A filter hides this article in the graph.");
      return;
    }
    this.select(node);
    const isInView = (place, side) => place > side * 0.12 && place < side * 0.88;
    if (
      !inMiddle &&
      isInView(this.view.x(this.data.x[node]), this.width) &&
      isInView(this.view.y(this.data.y[node]), this.height)
    ) return;
    this.look(this.view.moved(
      this.width / 2 - this.view.x(this.data.x[node]),
      this.height / 2 - this.view.y(this.data.y[node]),
    ));
  }

  /** Show a tooltip for a node. */
  point(node) {
    if (node === this.pointed) return;
    this.pointed = node;
    this.tooltip.hidden = node === null;
    this.canvas.classList.toggle("on-node", node !== null);
    if (node !== null) {
      this.tooltip.replaceChildren(
        graphElement("bdi", {}, this.data.name(node)),
        graphElement("span", {}, this.data.day[node] ?? "date unknown"));
      const {offsetWidth, offsetHeight} = this.tooltip;
      const [x, y] = [this.view.x(this.data.x[node]), this.view.y(this.data.y[node])];
      const gap = this.painter.radius(node) + 8;
      const top = y - gap - offsetHeight < 4 ? y + gap : y - gap - offsetHeight;
      this.tooltip.style.left = `${clamp(x - offsetWidth / 2, 4, this.width - offsetWidth - 4)}px`;
      this.tooltip.style.top = `${clamp(top, 4, Math.max(this.height - offsetHeight - 4, 4))}px`;
    }
    this.requestFrame();
  }

  /** The shown node at a point of the canvas, within some tolerance; null if there is none. */
  nodeAt(x, y, tolerance) {
    let [nearest, least] = [null, tolerance];
    for (let node = 0; node < this.data.count; node++) {
      if (this.data.hidden[node]) continue;
      const distance = Math.hypot(
        this.view.x(this.data.x[node]) - x, this.view.y(this.data.y[node]) - y,
      ) - this.painter.radius(node);
      if (distance < least) [nearest, least] = [node, distance];
    }
    return nearest;
  }

  counts(node) {
    const links = this.data.linksOf(node);
    const outgoing = links.filter(({source}) => source === node).length;
    return {incoming: links.length - outgoing, outgoing};
  }

  kindName(node) {
    return {
      article: "Article", teaser: "Known from a link only", failure: "Fetching failed",
    }[this.data.kind[node]];
  }

  description(node) {
    const {data} = this;
    const {incoming, outgoing} = this.counts(node);
    return [
      data.name(node), this.kindName(node), data.day[node] ?? "date unknown",
      data.publishers[data.publisher[node]] ?? "publisher unknown", `depth ${data.depth[node]}`,
      `${graphCount(incoming, "link")} in, ${graphCount(outgoing, "link")} out`,
    ].join("; ");
  }

  fillPanel() {
    const node = this.selected;
    this.panel.hidden = node === null;
    if (node === null) return;
    const {data} = this;
    const {incoming, outgoing} = this.counts(node);
    const facts = [
      ["Published", data.day[node] ?? "unknown"],
      ["Publisher", data.publishers[data.publisher[node]] ?? "unknown"],
      ["Depth", data.depth[node]],
      ["Status", this.kindName(node)],
      ["Links in", formatted(incoming)],
      ["Links out", formatted(outgoing)],
    ];
    const actions = [];
    if (isWebAddress(data.url[node])) {
      actions.push(graphElement(
        "a", {href: data.url[node], target: "_blank", rel: "noreferrer noopener"},
        "Original article"));
    }
    if (data.row[node] !== null) {
      const button = graphElement("button", {type: "button"}, "Show in the table");
      button.addEventListener("click", () => this.showRow());
      actions.push(button);
    }
    const close = graphElement(
      "button", {type: "button", className: "close", ariaLabel: "Close", title: "Close"}, "×");
    close.addEventListener("click", () => {
      this.select(null);
      this.canvas.focus({preventScroll: true});
    });
    this.panel.replaceChildren(
      close,
      graphElement("h3", {}, graphElement("bdi", {}, data.name(node))),
      graphElement("dl", {}, ...facts.flatMap(([name, value]) => [
        graphElement("dt", {}, name),
        graphElement("dd", {}, graphElement("bdi", {}, String(value))),
      ])),
      graphElement("p", {}, ...actions));
    this.panel.scrollTop = 0;
  }

  showRow() {
    const row = this.selected === null ? null : this.data.row[this.selected];
    if (row !== null) document.dispatchEvent(new CustomEvent("show-row", {detail: {row}}));
  }

  // Pointers.

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  onPointerDown(event) {
    if (event.button !== 0) return;
    const [x, y] = this.place(event);
    // One finger scrolls the page, until a tap has given the focus to the graph.
    const pans = event.pointerType !== "touch" || document.activeElement === this.canvas;
    this.pointers.set(event.pointerId, {x, y, startX: x, startY: y, pans, isClick: true});
    this.canvas.setPointerCapture(event.pointerId);
  }

  onPointerMove(event) {
    const [x, y] = this.place(event);
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) {
      if (event.pointerType !== "touch") this.point(this.nodeAt(x, y, 5));
      return;
    }
    if (Math.hypot(x - pointer.startX, y - pointer.startY) > CLICK_TOLERANCE) {
      pointer.isClick = false;
    }
    const other = [...this.pointers.values()].find((one) => one !== pointer);
    if (other) {
      pointer.isClick = other.isClick = false;
      this.pinch(pointer, other, x, y);
    } else if (pointer.pans && !pointer.isClick) {
      this.point(null);
      this.canvas.classList.add("moving");
      this.look(this.view.moved(x - pointer.x, y - pointer.y));
    }
    [pointer.x, pointer.y] = [x, y];
  }

  /** Zoom and move so that the graph stays under both fingers, one of which moved to (x, y). */
  pinch(finger, other, x, y) {
    const before = Math.hypot(finger.x - other.x, finger.y - other.y);
    const after = Math.hypot(x - other.x, y - other.y);
    if (before > 0 && after > 0) this.zoom(after / before, (x + other.x) / 2, (y + other.y) / 2);
    this.look(this.view.moved((x - finger.x) / 2, (y - finger.y) / 2));
  }

  onPointerUp(event) {
    const pointer = this.pointers.get(event.pointerId);
    this.onPointerCancel(event);
    if (!pointer?.isClick) return;
    const node = this.nodeAt(pointer.x, pointer.y, event.pointerType === "touch" ? 16 : 5);
    if (node !== null || this.selected !== null) this.select(node);
  }

  onPointerCancel(event) {
    this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("moving");
  }

  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.canvas) return;
    event.preventDefault();
    this.point(null);
    // A line of some mice is about 33 pixels of others. A pinch of a touchpad comes in small steps.
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1);
    this.zoom(Math.exp(-clamp(pixels, -300, 300) * (event.ctrlKey ? 0.006 : 0.002)),
      ...this.place(event));
  }

  // Keys.

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    const actions = {
      "+": () => this.zoom(ZOOM_STEP),
      "=": () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP),
      "0": () => this.fit(),
      n: () => this.stepNode(1),
      p: () => this.stepNode(-1),
      " ": () => this.pointed !== null && this.show(this.pointed, {inMiddle: false}),
      Enter: () => this.showRow(),
      Escape: () => this.select(null),
    };
    if (event.shiftKey && step) {
      this.stepNeighbour(step);
    } else if (event.key in ARROW_KEYS) {
      const [byX, byY] = ARROW_KEYS[event.key];
      this.point(null);
      this.look(this.view.moved(byX * PAN_STEP, byY * PAN_STEP));
    } else if (actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]) {
      actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]();
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Select the next or previous shown node, in the order of links to them. */
  stepNode(step) {
    const {count, hidden, dimmed} = this.data;
    let node = this.selected ?? (step > 0 ? -1 : count);
    for (let tried = 0; tried < count; tried++) {
      node = (node + step + count) % count;
      if (!hidden[node] && !dimmed[node]) {
        this.show(node, {inMiddle: false});
        return;
      }
    }
  }

  /** Point at the next or previous neighbour of the selected node. */
  stepNeighbour(step) {
    const neighbours = this.neighbours();
    if (!neighbours.length) {
      this.announce(this.selected === null ? "Nothing is selected." : "It has no neighbours.");
      return;
    }
    const {length} = neighbours;
    const before = this.pointed === null ? -1 : neighbours.indexOf(this.pointed);
    const place = before < 0 ? (step > 0 ? 0 : length - 1) : (before + step + length) % length;
    this.point(neighbours[place]);
    this.announce(
      `Neighbour ${place + 1} of ${length}: ${this.description(neighbours[place])}`, "spoken");
  }
}

const graphCount = (number, noun) => `${formatted(number)} ${noun}${number === 1 ? "" : "s"}`;

function isWebAddress(url) {
  return URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol);
}

function graphElement(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

if (document.getElementById("graph-data")) new GraphViewer();
