// Whether tags close in the order in which they were opened. Browsers forgive what Word, inside Outlook, does not.

const VOID = new Set("area base br col embed hr img input link meta source track wbr".split(" "));

/** The first tag that is not closed as it should be, in words; nothing where all are. */
export function unclosed(html) {
  const markup = html.replace(/<!--[\s\S]*?-->/g, "").replace(/(<(style|script|title)\b[^>]*>)[\s\S]*?(?=<\/\2>)/g, "$1");
  const open = [];
  for (const [tag, closing, name, selfClosing] of markup.matchAll(/<(\/?)([a-z][\w:-]*)(?:"[^"]*"|'[^']*'|[^"'>])*?(\/?)>/gi)) {
    if (VOID.has(name.toLowerCase()) || selfClosing) continue;
    if (!closing) open.push(name);
    else if (open.pop() !== name) return `${tag} where something else is open`;
  }
  return open.length > 0 ? `no end of <${open.pop()}>` : undefined;
}
