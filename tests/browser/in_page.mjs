// Functions that run inside the page under test. They refer to nothing outside themselves.

/** Every element as "depth tag attribute,attribute": what markup in a name would change. */
export function elementTree() {
  const lines = [];
  const walk = (element, depth) => {
    const names = element.getAttributeNames().sort().join(",");
    lines.push(`${depth} ${element.localName} ${names}`);
    for (const child of element.children) walk(child, depth + 1);
  };
  walk(document.documentElement, 0);
  return lines;
}

/** By how many pixels the page is wider than the window, and which elements make it so. */
export function overflow() {
  const root = document.documentElement;
  const excess = root.scrollWidth - root.clientWidth;
  const kept = (element) => {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== "visible") return true;
    }
    return false;
  };
  const wide = [];
  if (excess > 0) {
    for (const element of document.body.querySelectorAll("*")) {
      const box = element.getBoundingClientRect();
      if (box.width && box.right > root.clientWidth + 1 && !kept(element)) {
        wide.push(`${element.localName}#${element.id}.${element.getAttribute("class") ?? ""}`);
      }
    }
  }
  return { excess, wide: wide.slice(0, 10) };
}

/** Contrast of every text in an SVG with what was drawn below it. */
export function chartContrast() {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below, alpha) => [0, 1, 2].map((i) => top[i] * alpha + below[i] * (1 - alpha));
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => {
      const s = c / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const paper = (element) => {
    for (let up = element; up; up = up.parentElement) {
      const colour = rgba(getComputedStyle(up).backgroundColor);
      if (colour[3] === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const covers = (shape, x, y) => {
    const box = shape.getBoundingClientRect();
    return box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
  };
  const texts = [];
  for (const svg of document.querySelectorAll("svg")) {
    if (!svg.checkVisibility()) continue;
    const ground = paper(svg);
    const shapes = [];
    for (const element of svg.querySelectorAll("rect, circle, path, text")) {
      const style = getComputedStyle(element);
      const fill = style.fill === "none" ? [0, 0, 0, 0] : rgba(style.fill);
      const alpha = fill[3] * Number(style.fillOpacity) * Number(style.opacity);
      if (element.localName !== "text") {
        if (alpha > 0) shapes.push([element, fill, alpha]);
        continue;
      }
      if (!element.textContent.trim()) continue;
      const box = element.getBoundingClientRect();
      const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      let below = ground;
      for (const [shape, colour, a] of shapes) {
        if (covers(shape, x, y)) below = over(colour, below, a);
      }
      const [a, b] = [light(over(fill, below, alpha)), light(below)].sort((p, q) => q - p);
      texts.push({ text: element.textContent.trim(), ratio: (a + 0.05) / (b + 0.05) });
    }
  }
  return texts;
}

/** Run HTML_CodeSniffer; only errors, since warnings and notices ask a person. */
export function sniff(standard) {
  return new Promise((resolve, reject) => {
    globalThis.HTMLCS.process(
      standard,
      document,
      () => {
        const found = globalThis.HTMLCS.getMessages().filter((m) => m.type === 1);
        resolve(
          found.map((m) => ({
            code: m.code,
            message: m.msg,
            element: (m.element.outerHTML ?? "").slice(0, 200),
          })),
        );
      },
      (why) => reject(new Error(String(why))),
    );
  });
}

/** Run axe-core over the page; it cannot judge words of charts, which `chartContrast` does. */
export async function axe(options) {
  const told = await globalThis.axe.run({ exclude: ["svg text"] }, options);
  const brief = (rules) =>
    rules.map((rule) => ({
      id: rule.id,
      help: rule.help,
      count: rule.nodes.length,
      nodes: rule.nodes.slice(0, 5).map((n) => ({ html: n.html.slice(0, 200), why: n.failureSummary })),
    }));
  return { violations: brief(told.violations), incomplete: brief(told.incomplete) };
}
