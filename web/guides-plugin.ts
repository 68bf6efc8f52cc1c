import { Marked, type Tokens } from 'marked';
import type { Plugin } from 'vite';

/** Turns the guides of `docs/` into HTML when the pages are built, so that a connect page shows the one text there is. */
export function guides(): Plugin {
  return {
    name: 'guides',
    transform(text, id) {
      if (!id.endsWith('.md')) return undefined;
      return { code: `export default ${JSON.stringify(htmlOf(text))};`, map: null };
    },
  };
}

function htmlOf(text: string): string {
  const marked = new Marked({
    renderer: {
      // The page has its own heading; the guide's parts stand below it.
      heading({ tokens, depth }: Tokens.Heading) {
        return depth === 1 ? '' : `<h${depth + 1}>${this.parser.parseInline(tokens)}</h${depth + 1}>`;
      },
      // Other pages of the documentation are not served here.
      link({ href, tokens }: Tokens.Link) {
        const words = this.parser.parseInline(tokens);
        return /^https?:/.test(href) ? `<a href="${href}" target="_blank" rel="noreferrer">${words}</a>` : words;
      },
      table(token: Tokens.Table) {
        const cell = (name: string, { tokens }: Tokens.TableCell) => `<${name}>${this.parser.parseInline(tokens)}</${name}>`;
        const head = token.header.map((one) => cell('th', one)).join('');
        const rows = token.rows.map((row) => `<tr>${row.map((one) => cell('td', one)).join('')}</tr>`).join('');
        return `<div><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
      },
      // What is meant for those who read the files.
      html: () => '',
    },
  });
  return marked.parse(text, { async: false });
}
