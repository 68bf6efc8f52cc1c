import { expect, it } from 'vitest';
import { updateConversation } from '../../../src/engine/conversations.ts';
import { testApp, visitorWrites } from '../support.ts';

it('a new name loses nothing that somebody else writes beside it at the same moment', async () => {
  const t = await testApp();
  await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name: 'renaming' } } });
  await visitorWrites(t.engine, 'renaming', { visitor: 'ann', text: 'Hello' });
  const { id } = (await t.call('GET', '/conversations')).json.results[0];
  const note = (n: number) =>
    updateConversation(t.engine, t.workspaceId, id, ({ metadata }) => ({ metadata: { ...metadata, [`note${n}`]: true } }));
  const numbers = [...Array(20).keys()];
  const answers = await Promise.all(
    numbers.flatMap((n) => [t.call('PATCH', `/conversations/${id}`, { body: { name: `Name ${n}` } }), note(n)]),
  );
  expect(answers).toHaveLength(40);
  const { rows } = await t.engine.database.query('select metadata from conversations where id = $1', [id]);
  expect(Object.keys(rows[0].metadata).filter((key) => key.startsWith('note'))).toHaveLength(20);
  expect(rows[0].metadata.name).toMatch(/^Name /);
});
