/** The event stream over real connections. */
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { testApp, visitorWrites } from '../support.ts';

const t = await testApp();
await t.app.listen({ host: '127.0.0.1', port: 0 });
const { port } = t.app.server.address() as AddressInfo;
const channel = (await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name: 'live' } } })).json;

interface Frame {
  id: number;
  event: string;
  data: any;
}

/** Follows the stream and gathers what it says. */
async function follow(options: { key?: string; after?: number; lastEventId?: number } = {}) {
  const abort = new AbortController();
  const query = options.after === undefined ? '' : `?after=${options.after}`;
  const response = await fetch(`http://127.0.0.1:${port}/workspaces/${t.workspaceId}/events/stream${query}`, {
    headers: {
      authorization: `AccessKey ${options.key ?? t.key}`,
      ...(options.lastEventId === undefined ? {} : { 'last-event-id': String(options.lastEventId) }),
    },
    signal: abort.signal,
  });
  const frames: Frame[] = [];
  const state = { ended: false };
  const read = async () => {
    let text = '';
    const decoder = new TextDecoder();
    const reader = response.body!.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += decoder.decode(part.value, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const fields = Object.fromEntries(
          text
            .slice(0, end)
            .split('\n')
            .map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
        );
        if (fields.event) frames.push({ id: Number(fields.id), event: fields.event, data: JSON.parse(fields.data!) });
        text = text.slice(end + 2);
      }
    }
  };
  void read()
    .catch(() => undefined)
    .finally(() => {
      state.ended = true;
    });
  await until(() => frames.length > 0);
  return { response, frames, state, stop: () => abort.abort() };
}

describe('the event stream', () => {
  it('tells at once, with the message and the conversation, and is resumed without a gap', async () => {
    const live = await follow();
    expect(live.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const start = live.frames[0]!;
    expect(start.event).toBe('ready');
    await visitorWrites(t.engine, 'live', { visitor: 'ann', text: 'One', name: 'Ann' });
    await until(() => live.frames.some((frame) => frame.event === 'message.created'));
    const created = live.frames.find((frame) => frame.event === 'message.created')!;
    expect(created.data).toMatchObject({
      seq: created.id,
      type: 'message.created',
      channelId: channel.id,
      message: { direction: 'incoming', content: { text: 'One' } },
      conversation: { contact: { computedDisplayName: 'Ann' }, unreadCount: 1, lastMessage: { content: { text: 'One' } } },
    });
    live.stop();
    await visitorWrites(t.engine, 'live', { visitor: 'ann', text: 'Two' });
    await t.call('PATCH', `/channels/${channel.id}`, { body: { name: 'Renamed' } });
    const resumed = await follow({ lastEventId: created.id });
    await until(() => resumed.frames.some((frame) => frame.event === 'channel.updated'));
    const ids = resumed.frames.slice(1).map((frame) => frame.id);
    expect(ids).toEqual(ids.map((_id, n) => created.id + 1 + n));
    expect(resumed.frames.at(-1)!.data.channel).toMatchObject({ id: channel.id, name: 'Renamed', sandbox: false });
    resumed.stop();
  });

  it('gives every reader everything once and in order, however many write', async () => {
    const { newest } = (await t.call('GET', '/events?limit=1')).json;
    const readers = await Promise.all([follow(), follow({ after: 0 }), follow({ lastEventId: newest })]);
    await Promise.all(Array.from({ length: 40 }, (_item, n) => visitorWrites(t.engine, 'live', { visitor: `v${n % 7}`, text: `${n}` })));
    const last = (await t.call('GET', '/events?limit=1')).json.newest;
    for (const reader of readers) {
      await until(() => reader.frames.at(-1)!.id === last);
      const ids = reader.frames.slice(1).map((frame) => frame.id);
      expect(ids).toEqual(ids.map((_id, n) => ids[0]! + n));
      expect(ids.at(-1)).toBe(last);
      reader.stop();
    }
    expect(readers[1]!.frames[1]!.id).toBe(1);
  });

  it('fills in only what the key may read, and shows test keys the sandbox only', async () => {
    const bare = await follow({ key: await t.makeKey(['events:read', 'conversations:read']) });
    const test = await follow({ key: await t.makeKey(['*'], { sandbox: true }) });
    await visitorWrites(t.engine, 'live', { visitor: 'zoe', text: 'Secret' });
    await until(() => bare.frames.some((frame) => frame.event === 'message.created'));
    const frame = bare.frames.find((item) => item.event === 'message.created')!;
    expect(frame.data.conversation).toBeDefined();
    expect(JSON.stringify(frame.data)).not.toContain('Secret');
    expect(test.frames.map((item) => item.event)).toEqual(['ready']);
    bare.stop();
    test.stop();
  });

  it('refuses a cursor that is none', async () => {
    const path = '/events/stream';
    expect((await t.call('GET', path, { headers: { 'last-event-id': 'x' } })).json.details).toHaveProperty('Last-Event-ID');
    expect((await t.call('GET', `${path}?after=-1`)).json.details).toHaveProperty('after');
  });

  it('ends when the server stops, so that nothing waits for it', async () => {
    const live = await follow();
    await t.app.close();
    await until(() => live.state.ended);
  });
});
