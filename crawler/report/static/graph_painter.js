// Draws the graph's nodes and links on a canvas.

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

  /** Draw an article filled, a teaser hollow, and a failure as a cross; a seed has a ring. */
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
    if (this.data.isSeed(node)) this.drawRing(context, x, y, radius, this.ink);
  }

  drawRing(context, x, y, radius, colour) {
    context.beginPath();
    context.arc(x, y, radius + 3, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  }
}
