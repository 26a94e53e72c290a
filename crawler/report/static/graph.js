// The graph, drawn on a canvas.
//
// All links and nodes are drawn into a bitmap that reaches somewhat beyond the canvas, a slice per
// frame, so that no frame is late. Meanwhile the canvas shows the last complete bitmap, moved and
// scaled. Labels, the selection and what the pointer is on are drawn over it in every frame.
//
// Listens to these events of the document: "filter" ({text, publisher, from, until}) and
// "show-node" ({row}); dispatches "show-row" ({row}).

const GRAPH_COLOURS = {publisher: 8, depth: 6};
const GRAPH_DASHES = {related: [], text: [6, 3], translation: [1.5, 3]};
// With more links in view, dashes and arrowheads are too small to be seen, and cost time.
const MOST_DASHED_LINKS = 3000;
const MOST_ARROWS = 250;
// How far a link's control point is beside the straight line, as a part of its length.
const BEND = 0.12;
// A link that is longer than this, in pixels, is drawn in pieces.
const LONG_LINK = 4000;
const LONG_LINK_PIECES = 64;
// How much is drawn in one frame, in pixels of links; and as how many pixels a link, however short,
// and a node count.
const GRAPH_SLICE = 500_000;
const LINK_COST = 40;
const NODE_COST = 300;
// The bitmap reaches beyond each side of the canvas by this part of the canvas.
const BITMAP_MARGIN = 0.25;
const FIT_PADDING = 40;
const ZOOM_STEP = 1.4;
const LARGEST_SCALE = 12;
const ARROW_KEYS = {
  ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
};
const PAN_STEP = 60;
// A pointer that moves farther than this, in pixels, does not click.
const CLICK_TOLERANCE = 4;
const LABEL_FONT = "12px system-ui, sans-serif";
const LABEL_LINE = 15;
const LABEL_LINES = 2;
const LABEL_WIDTH = 170;
// One label per so many square pixels, before the graph is zoomed.
const LABEL_AREA = 36000;
// Marks that turn the direction of text, which a headline must not do to its surroundings.
const DIRECTION_MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

/** Where the graph is seen from: a point (x, y) of it is at (x * scale + left, y * scale + top). */
class GraphView {
  constructor(scale, left, top) {
    this.scale = scale;
    this.left = left;
    this.top = top;
  }

  x(x) {
    return x * this.scale + this.left;
  }

  y(y) {
    return y * this.scale + this.top;
  }

  moved(byX, byY) {
    return new GraphView(this.scale, this.left + byX, this.top + byY);
  }

  /** Scale so that what is at (x, y) stays there. */
  scaled(scale, x, y) {
    const factor = scale / this.scale;
    return new GraphView(scale, x + (this.left - x) * factor, y + (this.top - y) * factor);
  }
}

/** The nodes and links of the report, and which of them are shown. Nodes are numbers, and those
    with the most links to them come first. */
class GraphData {
  constructor(json) {
    Object.assign(this, json);
    this.count = this.x.length;
    this.hidden = new Uint8Array(this.count);
    this.dimmed = new Uint8Array(this.count);
    this.size = Float32Array.from(this.in_links, (links) =>
      Math.sqrt(1 + (8 * links) / Math.max(this.in_links[0], 5)));
    this.roles = Object.keys(this.links);
    this.shownRoles = new Set(this.roles);
    this.search = null;
  }

  name(node) {
    return this.headline[node] || this.id[node];
  }

  /** Show the nodes that a filter of the report lets pass. Returns how many match its text. */
  filter({text, publisher, from, until}, showNotFetched) {
    const words = text.split(/\s+/).filter(Boolean);
    if (words.length && !this.search) {
      this.search = this.id.map((id, node) => `${this.headline[node] ?? ""} ${id}`.toLowerCase());
    }
    let matching = 0;
    for (let node = 0; node < this.count; node++) {
      const day = this.day[node];
      this.hidden[node] =
        (publisher && this.publishers[this.publisher[node]] !== publisher) ||
        (day && ((from && day < from) || (until && day > until))) ||
        (!showNotFetched && this.kind[node] !== "article");
      this.dimmed[node] = !words.every((word) => this.search[node].includes(word));
      matching += !this.hidden[node] && !this.dimmed[node];
    }
    return matching;
  }

  /** The shown links from and to a node: {role, source, target}. */
  linksOf(node) {
    const found = [];
    for (const role of this.shownRoles) {
      const pairs = this.links[role];
      for (let at = 0; at < pairs.length; at += 2) {
        const [source, target] = [pairs[at], pairs[at + 1]];
        if ((source === node || target === node) && !this.hidden[source] && !this.hidden[target]) {
          found.push({role, source, target});
        }
      }
    }
    return found;
  }

  /** The median distance between a node and the one next to it. */
  spacing() {
    const distances = [];
    const step = Math.ceil(this.count / 200);
    for (let node = 0; node < this.count; node += step) {
      let least = Infinity;
      for (let other = 0; other < this.count; other++) {
        const distance = Math.hypot(this.x[node] - this.x[other], this.y[node] - this.y[other]);
        if (other !== node && distance < least) least = distance;
      }
      distances.push(least);
    }
    return distances.sort((one, other) => one - other)[distances.length >> 1];
  }

  /** The corners of the shown nodes, or of all if none is shown: [left, top, right, bottom]. */
  bounds() {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    const all = this.hidden.every(Boolean);
    for (let node = 0; node < this.count; node++) {
      if (all || !this.hidden[node]) {
        box[0] = Math.min(box[0], this.x[node]);
        box[1] = Math.min(box[1], this.y[node]);
        box[2] = Math.max(box[2], this.x[node]);
        box[3] = Math.max(box[3], this.y[node]);
      }
    }
    return box;
  }
}

/** Draws nodes and links. */
class GraphPainter {
  constructor(data) {
    this.data = data;
    this.colourBy = "publisher";
    this.radiusUnit = 1;
    this.readColours();
  }

  /** Read the colours of the style sheet, which differ in light and dark. */
  readColours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const scale = (name) =>
      Array.from({length: GRAPH_COLOURS[name]}, (_, place) => colour(`${name}-${place}`));
    this.paper = colour("paper");
    this.ink = colour("ink");
    this.muted = colour("muted");
    this.accent = colour("accent");
    this.scales = {publisher: scale("publisher"), depth: scale("depth")};
    this.roleColours = Object.fromEntries(
      this.data.roles.map((role) => [role, colour(`role-${role}`)]));
  }

  colour(node) {
    const scale = this.scales[this.colourBy];
    return scale[Math.min(this.data[this.colourBy][node], scale.length - 1)];
  }

  radius(node) {
    return this.radiusUnit * this.data.size[node];
  }

  /** Draw all that is shown between (0, 0) and (width, height), one slice per step. */
  *draw(context, view, width, height) {
    let work = 0;
    const isDue = (cost) => {
      work += cost;
      return work >= GRAPH_SLICE && !(work = 0);
    };
    const links = this.visibleLinks(view, width, height);
    const opacity = clamp(7 * Math.max(links.count, 1) ** -0.43, 0.05, 0.5);
    context.lineWidth = links.count > MOST_DASHED_LINKS ? 0.8 : 1.1;
    for (const {role, dimmed, pairs} of links.groups) {
      context.strokeStyle = context.fillStyle = this.roleColours[role];
      context.globalAlpha = dimmed ? opacity / 5 : opacity;
      context.setLineDash(links.count > MOST_DASHED_LINKS ? [] : GRAPH_DASHES[role]);
      for (let at = 0; at < pairs.length;) {
        // The links from one node are one path, which is faster; links from several nodes are not,
        // since only separate paths get darker where they cross.
        const source = pairs[at];
        const first = at;
        let cost = 0;
        context.beginPath();
        for (; at < pairs.length && pairs[at] === source; at += 2) {
          cost += LINK_COST + this.traceLink(context, view, source, pairs[at + 1]);
        }
        context.stroke();
        if (links.count <= MOST_ARROWS) {
          for (let place = first; place < at; place += 2) {
            this.drawArrow(context, view, source, pairs[place + 1]);
          }
        }
        if (isDue(cost)) yield;
      }
    }
    context.setLineDash([]);
    for (const dimmed of [1, 0]) {
      context.globalAlpha = dimmed ? 0.2 : 1;
      for (let node = 0; node < this.data.count; node++) {
        if (this.data.hidden[node] || this.data.dimmed[node] !== dimmed) continue;
        const [x, y] = [view.x(this.data.x[node]), view.y(this.data.y[node])];
        const radius = this.radius(node) + 2;
        if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue;
        this.drawNode(context, node, x, y);
        if (isDue(NODE_COST)) yield;
      }
    }
    context.globalAlpha = 1;
  }

  /** The links to draw, dimmed ones first: {count, groups of {role, dimmed, pairs}}. */
  visibleLinks(view, width, height) {
    const {hidden, dimmed, x, y} = this.data;
    const halfDiagonal = Math.hypot(width, height) / 2;
    const isInView = (source, target) => {
      const [x1, y1, x2, y2] =
        [view.x(x[source]), view.y(y[source]), view.x(x[target]), view.y(y[target])];
      if ((x1 < 0 && x2 < 0) || (x1 > width && x2 > width) ||
          (y1 < 0 && y2 < 0) || (y1 > height && y2 > height)) return false;
      // The curve leaves the straight line by half of how far its control point does.
      const length = Math.hypot(x2 - x1, y2 - y1);
      const area = (x2 - x1) * (y1 - height / 2) - (y2 - y1) * (x1 - width / 2);
      return Math.abs(area) <= length * (halfDiagonal + (length * BEND) / 2);
    };
    const groups = {true: [], false: []};
    let count = 0;
    for (const role of this.data.shownRoles) {
      const pairs = {true: [], false: []};
      const all = this.data.links[role];
      for (let at = 0; at < all.length; at += 2) {
        const [source, target] = [all[at], all[at + 1]];
        if (!hidden[source] && !hidden[target] && isInView(source, target)) {
          pairs[Boolean(dimmed[source] || dimmed[target])].push(source, target);
          count++;
        }
      }
      for (const dim of [true, false]) groups[dim].push({role, dimmed: dim, pairs: pairs[dim]});
    }
    return {count, groups: [...groups.true, ...groups.false]};
  }

  /** The control point of a link's curve. Links there and back bend to different sides. */
  bend(view, source, target) {
    const {x, y} = this.data;
    const [x1, y1, x2, y2] =
      [view.x(x[source]), view.y(y[source]), view.x(x[target]), view.y(y[target])];
    return [(x1 + x2) / 2 + (y2 - y1) * BEND, (y1 + y2) / 2 - (x2 - x1) * BEND];
  }

  /** Add a link to the path. Returns about how many pixels of it may be in view. */
  traceLink(context, view, source, target) {
    const {x, y} = this.data;
    const [x1, y1, x2, y2] =
      [view.x(x[source]), view.y(y[source]), view.x(x[target]), view.y(y[target])];
    const [bendX, bendY] = this.bend(view, source, target);
    const length = Math.hypot(x2 - x1, y2 - y1);
    const {width, height} = context.canvas;
    if (length < LONG_LINK) {
      context.moveTo(x1, y1);
      context.quadraticCurveTo(bendX, bendY, x2, y2);
      return Math.min(length, width);
    }
    // Dashes are slow to draw along the miles of a link that are out of sight.
    let [fromX, fromY, isDrawn] = [x1, y1, false];
    for (let step = 1; step <= LONG_LINK_PIECES; step++) {
      const after = step / LONG_LINK_PIECES;
      const [a, b, c] = [(1 - after) ** 2, 2 * after * (1 - after), after ** 2];
      const [toX, toY] = [a * x1 + b * bendX + c * x2, a * y1 + b * bendY + c * y2];
      const isInView = Math.max(fromX, toX) > 0 && Math.min(fromX, toX) < width &&
        Math.max(fromY, toY) > 0 && Math.min(fromY, toY) < height;
      if (isInView && !isDrawn) context.moveTo(fromX, fromY);
      if (isInView) context.lineTo(toX, toY);
      [fromX, fromY, isDrawn] = [toX, toY, isInView];
    }
    return width;
  }

  drawArrow(context, view, source, target) {
    const [bendX, bendY] = this.bend(view, source, target);
    const [x, y] = [view.x(this.data.x[target]), view.y(this.data.y[target])];
    const length = Math.hypot(x - bendX, y - bendY) || 1;
    const [byX, byY] = [(x - bendX) / length, (y - bendY) / length];
    const radius = this.radius(target) + 1.5;
    const [tipX, tipY] = [x - byX * radius, y - byY * radius];
    context.beginPath();
    context.moveTo(tipX, tipY);
    context.lineTo(tipX - 7 * byX + 2.6 * byY, tipY - 7 * byY - 2.6 * byX);
    context.lineTo(tipX - 7 * byX - 2.6 * byY, tipY - 7 * byY + 2.6 * byX);
    context.fill();
  }

  /** Draw an article filled, a teaser hollow, and a failure as a cross. */
  drawNode(context, node, x, y) {
    const radius = this.radius(node);
    const kind = this.data.kind[node];
    context.beginPath();
    if (kind === "failure") {
      const arm = radius * 0.8;
      context.moveTo(x - arm, y - arm);
      context.lineTo(x + arm, y + arm);
      context.moveTo(x - arm, y + arm);
      context.lineTo(x + arm, y - arm);
      context.strokeStyle = this.colour(node);
      context.lineWidth = clamp(radius * 0.4, 1.2, 3.5);
    } else {
      const filled = kind === "article";
      const line = filled ? clamp(radius * 0.2, 0.5, 1.5) : clamp(radius * 0.35, 1, 2);
      context.arc(x, y, filled ? radius : Math.max(radius - line / 2, 0.8), 0, 2 * Math.PI);
      context.fillStyle = filled ? this.colour(node) : this.paper;
      context.fill();
      context.strokeStyle = filled ? this.paper : this.colour(node);
      context.lineWidth = line;
    }
    context.stroke();
  }

  drawRing(context, view, node, colour) {
    context.beginPath();
    context.arc(
      view.x(this.data.x[node]), view.y(this.data.y[node]), this.radius(node) + 3, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  }
}

/** Writes names under nodes, where no other name is. */
class GraphLabels {
  constructor(data, painter) {
    this.data = data;
    this.painter = painter;
    this.texts = new Map();
  }

  /** Write the names of some nodes, the first of which matter most. */
  draw(context, view, nodes, width, height) {
    const taken = [];
    context.font = LABEL_FONT;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = this.painter.paper;
    context.fillStyle = this.painter.ink;
    for (const node of nodes) {
      const [x, top] =
        [view.x(this.data.x[node]), view.y(this.data.y[node]) + this.painter.radius(node) + 3];
      // Names just outside are placed too, so that none appears or vanishes while the graph moves.
      if (x < -LABEL_WIDTH || x > width + LABEL_WIDTH || top < -60 || top > height + 60) continue;
      const {lines, length} = this.label(context, node);
      const bottom = top + lines.length * LABEL_LINE;
      const box = [x - length / 2 - 4, top - 2, x + length / 2 + 4, bottom];
      const overlaps = taken.some((other) =>
        box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
      if (overlaps) continue;
      taken.push(box);
      lines.forEach((line, place) => context.strokeText(line, x, top + place * LABEL_LINE));
      lines.forEach((line, place) => context.fillText(line, x, top + place * LABEL_LINE));
    }
  }

  /** The name of a node in at most LABEL_LINES lines, and the length of the longest, in pixels. */
  label(context, node) {
    if (!this.texts.has(node)) {
      const name = this.data.name(node).replace(DIRECTION_MARKS, "").replace(/\s+/g, " ").trim();
      const lines = [];
      let rest = [...name]; // whole letters, not halves of those beyond U+FFFF
      while (rest.length && lines.length < LABEL_LINES) {
        const isLast = lines.length === LABEL_LINES - 1;
        const {line, length} = this.firstLine(context, rest, isLast);
        lines.push(line);
        rest = rest.slice(length);
      }
      const lengths = lines.map((line) => context.measureText(line).width);
      this.texts.set(node, {lines, length: Math.max(...lengths)});
    }
    return this.texts.get(node);
  }

  /** As many of the letters as a line has space for, and their number. The last line says by an
      ellipsis that there are more. */
  firstLine(context, letters, isLast) {
    const fits = (text) => context.measureText(text).width <= LABEL_WIDTH;
    let length = Math.min(letters.length, 80);
    const text = () =>
      letters.slice(0, length).join("").trim() + (isLast && length < letters.length ? "…" : "");
    while (length > 1 && !fits(text())) length--;
    const lastSpace = letters.lastIndexOf(" ", length);
    if (length < letters.length && lastSpace > length / 2) length = lastSpace;
    return {line: text(), length};
  }
}

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

  // What is shown.

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
      this.announce(`${graphNumber(matching)} of ${graphNumber(this.data.count)} match.`);
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
      (130 * Math.sqrt(this.data.count)) / Math.max(width, height),
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
    const {context, view, painter} = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = painter.paper;
    context.fillRect(0, 0, this.width, this.height);
    if (this.bitmapView) this.paintBitmap();
    if (this.selected !== null) this.paintSelection();
    this.labels.draw(context, view, this.labelled(), this.width, this.height);
    if (this.pointed !== null) painter.drawRing(context, view, this.pointed, painter.ink);
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
    painter.drawRing(context, view, this.selected, painter.accent);
  }

  /** The nodes to name: the selection's, or as many of the most linked as there is space for. */
  labelled() {
    if (this.selected !== null) return [this.selected, ...this.neighbours()];
    const most = ((this.width * this.height) / LABEL_AREA) * this.zoomed ** 2;
    const nodes = [];
    for (let node = 0; node < this.data.count && nodes.length < most; node++) {
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
      ["Links in", graphNumber(incoming)],
      ["Links out", graphNumber(outgoing)],
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

const graphNumber = (number) => number.toLocaleString("en");
const graphCount = (number, noun) => `${graphNumber(number)} ${noun}${number === 1 ? "" : "s"}`;

function isWebAddress(url) {
  return URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol);
}

function graphElement(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

if (document.getElementById("graph-data")) new GraphViewer();
