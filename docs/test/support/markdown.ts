/** What the tests of the documentation read from Markdown: code blocks, links, headings, tables. */

export interface CodeBlock {
  /** What stands behind the fence: `sh run`. */
  info: string;
  text: string;
  /** Line of the fence, from 1. */
  line: number;
}

/** The fenced code blocks in their order; blocks inside lists lose their indentation. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { info: string; indent: number; lines: string[]; line: number } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (!open && fence) open = { info: fence[2]!.trim(), indent: fence[1]!.length, lines: [], line: index + 1 };
    else if (open && fence) {
      blocks.push({ info: open.info, text: open.lines.join('\n'), line: open.line });
      open = undefined;
    } else open?.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
  }
  if (open) throw new Error(`the code block of line ${open.line} does not end`);
  return blocks;
}

/** A block that is run, and what it should print. */
export interface Example {
  script: string;
  line: number;
  expected: { kind: 'json' | 'text'; text: string } | undefined;
}

/** The blocks marked `sh run`; a `json` or `text` block right behind one says what it prints. */
export function examples(markdown: string): Example[] {
  const blocks = codeBlocks(markdown);
  return blocks.flatMap((block, index) => {
    if (block.info !== 'sh run') return [];
    const next = blocks[index + 1];
    const said = next && (next.info === 'json' || next.info === 'text') && isBehind(markdown, block, next) ? next : undefined;
    return [{ script: block.text, line: block.line, expected: said && { kind: said.info as 'json' | 'text', text: said.text } }];
  });
}

/** Nothing but empty lines between the two. */
function isBehind(markdown: string, first: CodeBlock, second: CodeBlock): boolean {
  const lines = markdown.split('\n');
  const end = first.line + first.text.split('\n').length + (first.text === '' ? 0 : 1);
  return lines.slice(end, second.line - 1).every((line) => line.trim() === '');
}

/** Targets of links and pictures outside code. */
export function links(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/\]\(([^()\s]+(?:\([^()\s]*\))?)(?:\s+"[^"]*")?\)/g)].map((match) => match[1]!);
}

/** The names that headings can be linked by, as GitHub makes them. */
export function anchors(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const names = new Set<string>();
  for (const match of withoutBlocks(markdown).matchAll(/^#{1,6}\s+(.+)$/gm)) {
    const plain = match[1]!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const name = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    names.add(times === 0 ? name : `${name}-${times}`);
  }
  return names;
}

/** What stands in the first column of the table that has this first heading; several words of one cell apart. */
export function firstColumn(markdown: string, heading: string): string[] {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  if (start === -1) throw new Error(`there is no table that begins with the column ${heading}`);
  const words: string[] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    words.push(...[...line.split('|')[1]!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!));
  }
  return words;
}

function withoutBlocks(markdown: string): string {
  return markdown.replace(/^(\s*)```[\s\S]*?^\s*```\s*$/gm, '');
}

function withoutCode(markdown: string): string {
  return withoutBlocks(markdown).replace(/`[^`\n]*`/g, '');
}
