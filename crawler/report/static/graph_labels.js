// Writes the headlines of articles into the graph.

const LABEL_FONT = "12px system-ui, sans-serif";
const LABEL_LINE = 15;
const LABEL_LINES = 2;
const LABEL_WIDTH = 170;
// Marks that turn the direction of text, which a headline must not do to its surroundings.
const DIRECTION_MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// Nodes with smaller radii may be covered. Where they are many, there is no space beside them.
const LEAST_UNCOVERED = 4;
const COST_OF_NODE = 1e6;
const COST_OF_EDGE = 1e3;

/** Writes names beside nodes, where they cover no other name and no large node. */
class GraphLabels {
  constructor(data, painter) {
    this.data = data;
    this.painter = painter;
    this.texts = new Map();
  }

  /** Write the names of some nodes, the first of which matter most, beside these and others. */
  draw(context, view, nodes, others, width, height) {
    context.font = LABEL_FONT;
    context.textBaseline = "top";
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = this.painter.paper;
    context.fillStyle = this.painter.ink;
    // Names just outside are placed too, so that none appears or vanishes while the graph moves.
    const near = [-LABEL_WIDTH, -60, width + LABEL_WIDTH, height + 60];
    const circles = this.circles(view, others, near);
    const taken = [];
    for (const node of nodes) {
      const [x, y] = [view.x(this.data.x[node]), view.y(this.data.y[node])];
      if (!isWithin(x, y, near)) continue;
      const {lines, length} = this.label(context, node);
      // A name below or above its node is moved into the picture.
      const isInView = x >= 0 && x <= width;
      const middle = isInView ? clamp(x, length / 2 + 6, width - length / 2 - 6) : x;
      const places = this.places(x, middle, y, this.painter.radius(node), lines.length, length)
        .filter(({box}) => !taken.some((other) => overlap(box, other)))
        .map((place) => ({...place, cost: this.cost(place.box, circles, width, height)}))
        .sort((one, other) => one.cost - other.cost);
      const [place] = places;
      // The first name is that of the selection or a seed.
      if (!place || (place.cost >= COST_OF_NODE && node !== nodes[0])) continue;
      taken.push(place.box);
      context.textAlign = place.align;
      const top = place.box[1] + 2;
      lines.forEach((line, at) => context.strokeText(line, place.x, top + at * LABEL_LINE));
      lines.forEach((line, at) => context.fillText(line, place.x, top + at * LABEL_LINE));
    }
  }

  /** The nodes in a box, as boxes with a radius. */
  circles(view, nodes, near) {
    const found = [];
    for (const node of nodes) {
      const [x, y] = [view.x(this.data.x[node]), view.y(this.data.y[node])];
      const radius = this.painter.radius(node);
      if (isWithin(x, y, near)) {
        found.push({box: [x - radius, y - radius, x + radius, y + radius], radius});
      }
    }
    return found;
  }

  /** Where a name may be: below its node, above it or at its sides, the best first. */
  places(x, middle, y, radius, lines, length) {
    const [gap, height] = [radius + 3, lines * LABEL_LINE];
    const [sideGap, sideTop] = [gap + 4, y - height / 2];
    const boxAt = (left, top) => [left - 4, top - 2, left + length + 4, top + height];
    return [
      {box: boxAt(middle - length / 2, y + gap), x: middle, align: "center"},
      {box: boxAt(middle - length / 2, y - gap - height), x: middle, align: "center"},
      {box: boxAt(x + sideGap, sideTop), x: x + sideGap, align: "left"},
      {box: boxAt(x - sideGap - length, sideTop), x: x - sideGap, align: "right"},
    ];
  }

  /** How bad a place is: it covers nodes, or the edge of the picture cuts it off. */
  cost(box, circles, width, height) {
    const isCut = box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height;
    let cost = isCut ? COST_OF_EDGE : 0;
    for (const circle of circles) {
      if (overlap(box, circle.box)) cost += circle.radius < LEAST_UNCOVERED ? 1 : COST_OF_NODE;
    }
    return cost;
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

function isWithin(x, y, [left, top, right, bottom]) {
  return x >= left && x <= right && y >= top && y <= bottom;
}

function overlap(one, other) {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
}
