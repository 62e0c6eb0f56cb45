// The contact sheet: every screenshot on one page, a row a letter, for a person to look over.

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 24px; background: light-dark(#e9e9ec, #101012); }
h2 { margin: 32px 0 8px; font-size: 18px; }
div { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
img { display: block; max-width: 100%; border: 1px solid #8888; }`;

/** The page: each row has the name of a letter, and its pictures. */
export function contactSheet(rows) {
  const sections = rows.map(({ name, pictures }) => {
    const images = pictures.map(
      ({ width, shade, address }) => `<img loading="lazy" width="${width}" src="${address}" alt="${name}, ${width} px, ${shade}">`,
    );
    return `<h2>${name}</h2>\n<div>\n${images.join("\n")}\n</div>`;
  });
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Letters</title><style>${STYLE}
</style></head>
<body>
<h1>Letters</h1>
${sections.join("\n")}
</body>
</html>
`;
}
