// The graph's nodes and links, and where they are seen from.

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

  /** Scale around the point (x, y), which stays where it is. */
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
    const nodes = [...this.id.keys()];
    this.seedsFirst = [
      ...nodes.filter((node) => this.isSeed(node)), ...nodes.filter((node) => !this.isSeed(node)),
    ];
  }

  isSeed(node) {
    return this.depth[node] === 0;
  }

  name(node) {
    return this.headline[node] || this.id[node];
  }

  /** Show the nodes that a filter of the report lets pass. Returns how many match its text. */
  filter(filters, showNotFetched) {
    const {text, publisher} = filters;
    if (text) this.search ??= this.id.map((id, node) => this.searchedText(id, node));
    let matching = 0;
    for (let node = 0; node < this.count; node++) {
      this.hidden[node] =
        (publisher && this.publishers[this.publisher[node]] !== publisher) ||
        !isInSpan(filters, this.day[node]) ||
        (!showNotFetched && this.kind[node] !== "article");
      this.dimmed[node] = Boolean(text) && !hasWords(this.search[node], text);
      matching += !this.hidden[node] && !this.dimmed[node];
    }
    return matching;
  }

  /** The nodes that are shown. */
  shown() {
    return this.seedsFirst.filter((node) => !this.hidden[node]);
  }

  /** The text in which a search looks for a node: for articles, the same as in the table. */
  searchedText(id, node) {
    const words = document.getElementById(this.row[node])?.dataset.words ?? id;
    return `${this.headline[node] ?? ""} ${words}`.toLowerCase();
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
