// A letter without its looks: what readers of text alone get of its HTML. Nothing of it runs or is fetched.

const BLOCKS = "address article blockquote center dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr li ol p pre section table tr ul".split(" ");
const UNSEEN = "head script style template title".split(" ");

/** The text of an HTML document: a line a block, links with their addresses. */
export function plain(source) {
  const lines = [];
  let line = "";
  const end = () => {
    lines.push(line.replace(/\s+/g, " ").trim());
    line = "";
  };
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) line += node.data;
    if (node.nodeType !== Node.ELEMENT_NODE || isHidden(node)) return;
    const name = node.localName;
    const block = BLOCKS.includes(name) || name === "br";
    if (block) end();
    if (name === "img" && node.alt) line += `[${node.alt}]`;
    node.childNodes.forEach(read);
    if (name === "a" && node.getAttribute("href") && node.textContent.trim() !== node.getAttribute("href")) {
      line += ` <${node.getAttribute("href")}>`;
    }
    if (block && name !== "br") end();
  };
  read(new DOMParser().parseFromString(source, "text/html").body);
  end();
  return lines.join("\n").replace(/\n{3,}/g, "\n\n").trim();
}

const isHidden = (node) => UNSEEN.includes(node.localName) || node.hidden || /display:\s*none/i.test(node.getAttribute("style") ?? "");
