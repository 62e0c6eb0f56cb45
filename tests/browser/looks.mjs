// What is wrong with how a letter is laid out: runs inside the page, and answers in sentences.

/** The mistakes in the layout of the letter that the page shows. `expected`: its language, and what its links may be. */
export function layoutMistakes({ language, redeem, record, isDigest }) {
  const mistakes = [];
  const must = (holds, mistake) => holds || mistakes.push(mistake);
  const shorten = (text) => text.trim().replace(/\s+/g, " ").slice(0, 40);

  const visibleTexts = () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const range = document.createRange();
      range.selectNodeContents(node);
      const boxes = [...range.getClientRects()].filter((box) => box.width > 0 && box.height > 0);
      if (/[^\s\u00a0]/.test(node.data) && boxes.length > 0 && node.parentElement.checkVisibility()) {
        texts.push({ node, boxes, style: getComputedStyle(node.parentElement), words: shorten(node.data) });
      }
    }
    return texts;
  };
  const texts = visibleTexts();
  must(texts.length > 3, "there is hardly any text");

  const root = document.documentElement;
  must(root.scrollWidth <= innerWidth, `it is ${root.scrollWidth} px wide in a window of ${innerWidth}`);
  for (const { boxes, words, style } of texts) {
    must(boxes.every((box) => box.left >= 0 && box.right <= innerWidth + 0.5), `"${words}" leaves the window`);
    must(parseFloat(style.fontSize) >= 14, `"${words}" is ${style.fontSize} high`);
  }
  for (const element of document.body.querySelectorAll("*")) {
    const clips = getComputedStyle(element).overflow !== "visible" && element.checkVisibility();
    const cut = clips && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1);
    must(!cut, `<${element.localName}> cuts "${shorten(element.textContent)}"`);
  }

  // Boxes of a line may touch those of the next one by a hair; a third of the smaller one is an overlap.
  const boxes = texts.flatMap(({ node, boxes, words }) => boxes.map((box) => ({ node, box, words })));
  boxes.forEach((one, place) => {
    for (const other of boxes.slice(place + 1)) {
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      const overlaps = across > 1 && down > Math.min(one.box.height, other.box.height) / 3;
      must(!overlaps || one.node === other.node, `"${one.words}" and "${other.words}" overlap`);
    }
  });

  const locale = new Intl.Locale(language);
  const { direction } = locale.getTextInfo?.() ?? locale.textInfo;
  must(root.lang === language, `its language is "${root.lang}"`);
  must(root.dir === direction, `its direction is "${root.dir}"`);
  for (const paragraph of document.querySelectorAll("p, h1, h2, h3, li")) {
    const inside = texts.filter(({ node }) => paragraph.contains(node));
    if (inside.length === 0) continue;
    const style = getComputedStyle(paragraph);
    const sheet = paragraph.getBoundingClientRect();
    const boxes = inside.flatMap(({ boxes }) => boxes);
    const line = boxes.filter((box) => Math.abs(box.bottom - Math.min(...boxes.map(({ bottom }) => bottom))) < 4);
    const inset =
      direction === "rtl"
        ? sheet.right - parseFloat(style.paddingRight) - Math.max(...line.map(({ right }) => right))
        : Math.min(...line.map(({ left }) => left)) - sheet.left - parseFloat(style.paddingLeft);
    const aligned = style.direction === direction && (style.textAlign === "center" || Math.abs(inset) < 2);
    must(aligned, `"${inside[0].words}" does not begin at the edge where ${language} begins`);
  }

  const anchors = [...document.querySelectorAll("a")];
  const redeems = anchors.filter((anchor) => new RegExp(redeem.source, redeem.flags).test(anchor.href));
  for (const anchor of anchors) {
    const allowed = redeems.includes(anchor) ? !isDigest : anchor.href.startsWith("mailto:") || (isDigest && anchor.href.startsWith(record));
    must(allowed, `"${shorten(anchor.textContent)}" leads to ${anchor.getAttribute("href")}`);
  }
  must(document.querySelectorAll("script, form, iframe, object, embed, link, base, meta[http-equiv], video, audio").length === 0, "it holds more than text and pictures");
  if (isDigest) return mistakes;

  const [button, ...others] = redeems.filter((anchor) => anchor.textContent.trim() !== anchor.href);
  must(redeems.some((anchor) => anchor.textContent.trim() === anchor.href && anchor.checkVisibility()), "the link does not stand in it as text");
  must(redeems.every((anchor) => anchor.href === redeems[0].href), "its links to redeem differ");
  if (!button || others.length > 0) return [...mistakes, `it has ${button ? others.length + 1 : 0} buttons`];
  const { height, width } = button.getBoundingClientRect();
  must(height >= 44, `the button is ${height} px high`);
  must(width >= 44 && width <= innerWidth, `the button is ${width} px wide`);
  const range = document.createRange();
  range.selectNodeContents(button);
  const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
  must(lines.size <= 2, `the button's text has ${lines.size} lines`);
  return mistakes;
}
