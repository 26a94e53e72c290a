// Writes the headlines of articles into the graph.

const LABEL_FONT = "12px system-ui, sans-serif";
// With more nodes, there would be no space for names between them.
const MOST_KEPT_CLEAR = 100;
const LABEL_LINE = 15;
const LABEL_LINES = 2;
const LABEL_WIDTH = 170;
// Marks that turn the direction of text, which a headline must not do to its surroundings.
const DIRECTION_MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Writes names under nodes, where no other name is. */
class GraphLabels {
  constructor(data, painter) {
    this.data = data;
    this.painter = painter;
    this.texts = new Map();
  }

  /** Write the names of some nodes, the first of which matter most. */
  draw(context, view, nodes, width, height) {
    const taken = this.data.count <= MOST_KEPT_CLEAR ? this.nodeBoxes(view) : [];
    context.font = LABEL_FONT;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = this.painter.paper;
    context.fillStyle = this.painter.ink;
    for (const node of nodes) {
      const [nodeX, top] =
        [view.x(this.data.x[node]), view.y(this.data.y[node]) + this.painter.radius(node) + 3];
      // Names just outside are placed too, so that none appears or vanishes while the graph moves.
      if (nodeX < -LABEL_WIDTH || nodeX > width + LABEL_WIDTH) continue;
      if (top < -60 || top > height + 60) continue;
      const {lines, length} = this.label(context, node);
      const isInView = nodeX >= 0 && nodeX <= width;
      const x = isInView ? clamp(nodeX, length / 2 + 4, width - length / 2 - 4) : nodeX;
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

  /** The boxes of the shown nodes, which names are not to cover. */
  nodeBoxes(view) {
    const boxes = [];
    for (let node = 0; node < this.data.count; node++) {
      if (this.data.hidden[node]) continue;
      const [x, y] = [view.x(this.data.x[node]), view.y(this.data.y[node])];
      const radius = this.painter.radius(node);
      boxes.push([x - radius, y - radius, x + radius, y + radius]);
    }
    return boxes;
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
