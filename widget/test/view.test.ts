import { join } from 'node:path';
import fc from 'fast-check';
import type { Browser, Page } from 'playwright-core';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, launchBrowser } from './browser.ts';

type View = typeof import('../src/view/view.ts');
declare global {
  interface Window {
    view: View;
  }
}

async function viewCode(): Promise<string> {
  const entry = join(import.meta.dirname, '../src/view/view.ts');
  const lib = { entry, formats: ['iife' as const], name: 'view' };
  const output = (await build({ configFile: false, logLevel: 'error', build: { write: false, lib } })) as Rollup.RollupOutput[];
  return output[0]!.output[0].code;
}

/** One drawing of a list: what has a key keeps its element wherever it goes; a gap is drawn as nothing. */
const drawing = fc.uniqueArray(fc.record({ key: fc.constantFrom(...'abcdefgh'), kind: fc.constantFrom('p', 'Pair', 'gap') }), {
  selector: ({ key }) => key,
  maxLength: 8,
});

describe.skipIf(!hasBrowser)('drawing', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.setContent('<!doctype html><div id="root"></div>');
    await page.addScriptTag({ content: await viewCode() });
  });
  afterAll(() => browser?.close());

  it('makes any list of any other, and keeps what has the same key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(drawing, { minLength: 1, maxLength: 6 }), async (drawings) => {
        const seen = await page.evaluate((lists) => {
          const { h, render } = window.view;
          const root = document.getElementById('root')!;
          const Pair = ({ name }: { name?: string }) => [h('i', null, name), h('b', { id: name }, name)];
          const marks = new Map<string, Element>();
          const result = lists.map((list) => {
            const children = list.map(({ key, kind }) =>
              kind === 'gap' ? null : kind === 'p' ? h('p', { key, id: key }, key) : h(Pair as never, { key, name: key }),
            );
            render(h('section', null, 'start', children, false, 'end') as never, root);
            const kept = list.filter(({ key }) => marks.has(key) && marks.get(key) === root.querySelector(`#${key}`)).map(({ key }) => key);
            marks.clear();
            for (const { key } of list) {
              const element = root.querySelector(`#${key}`);
              if (element) marks.set(key, element);
            }
            return { html: root.innerHTML, kept };
          });
          render(null, root);
          return { result, empty: root.innerHTML };
        }, drawings);
        expect(seen.empty).toBe('');
        drawings.forEach((list, index) => {
          const html = list.map(({ key, kind }) =>
            kind === 'gap' ? '' : kind === 'p' ? `<p id="${key}">${key}</p>` : `<i>${key}</i><b id="${key}">${key}</b>`,
          );
          expect(seen.result[index]!.html).toBe(`<section>start${html.join('')}end</section>`);
          const stays = list.filter(
            ({ key, kind }) => kind !== 'gap' && drawings[index - 1]?.some((old) => old.key === key && old.kind === kind),
          );
          expect(seen.result[index]!.kept).toEqual(stays.map(({ key }) => key));
        });
      }),
      { numRuns: 60 },
    );
  });

  it('draws state, runs effects once for their inputs, and undoes them', async () => {
    const seen = await page.evaluate(async () => {
      const { h, render, useEffect, useRef, useState } = window.view;
      const root = document.getElementById('root')!;
      const log: string[] = [];
      let add = () => {};
      let box: { current: unknown } | undefined;
      const Inner = ({ n }: { n?: number }) => {
        useEffect(() => {
          log.push(`inner ${n}`);
          return () => log.push(`undo ${n}`);
        }, [n]);
        return h('span', { 'aria-busy': false, hidden: n === 2, title: n === 1 ? 'one' : undefined }, n);
      };
      const Outer = () => {
        const [n, setN] = useState(0);
        box = useRef<Element>(null);
        add = () => setN((before) => Math.min(2, before + 1));
        useEffect(() => void log.push(`outer ${box?.current instanceof Element}`), []);
        return h('div', { ref: box }, h(Inner as never, { n }));
      };
      const pages = [];
      render(h(Outer as never, null) as never, root);
      for (let round = 0; round < 4; round++) {
        pages.push(root.innerHTML);
        add();
        await Promise.resolve();
      }
      render(null, root);
      return { log, pages, empty: root.innerHTML, left: box!.current };
    });
    expect(seen.pages).toEqual([
      '<div><span aria-busy="false">0</span></div>',
      '<div><span aria-busy="false" title="one">1</span></div>',
      '<div><span aria-busy="false" hidden="">2</span></div>',
      '<div><span aria-busy="false" hidden="">2</span></div>',
    ]);
    expect(seen.log).toEqual(['inner 0', 'outer true', 'undo 0', 'inner 1', 'undo 1', 'inner 2', 'undo 2']);
    expect(seen.empty).toBe('');
    expect(seen.left).toBeNull();
  });

  it('leaves alone what the visitor has in hand: the focus, the selection, the text', async () => {
    await page.evaluate(() => {
      const { h, render, useState } = window.view;
      const Field = () => {
        const [text, setText] = useState('');
        const note = text.length % 2 === 1 && h('em', null, 'odd');
        const onInput = (event: Event) => setText((event.target as HTMLTextAreaElement).value.toUpperCase());
        return h('form', null, note, h('textarea', { value: text, onInput }), h('output', null, text));
      };
      render(h(Field as never, null) as never, document.getElementById('root')!);
    });
    await page.locator('textarea').pressSequentially('hello');
    expect(await page.locator('textarea').inputValue()).toBe('HELLO');
    expect(await page.locator('output').textContent()).toBe('HELLO');
    expect(await page.locator('em').count()).toBe(1);
  });
});
