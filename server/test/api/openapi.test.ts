import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { type TestApp, type TestWorkspace, testApp } from '../support/app.ts';

interface Response {
  description?: string;
  content?: Record<string, { schema: object }>;
}
interface Operation {
  operationId?: string;
  tags?: string[];
  summary?: string;
  responses?: Record<string, Response>;
}

const app: TestApp = await testApp();
const own: TestWorkspace = await app.workspace();
const reference = (await app.app.inject('/openapi.json')).json();
const operations = Object.entries(reference.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, at: `${method} ${path}`, ...operation })),
);
const isAirys = ({ tags }: Operation) => tags?.some((tag) => tag.startsWith('Airy')) === true;

describe('the reference', () => {
  it('groups every route of every surface, and says what it does', () => {
    expect(reference).toMatchObject({ openapi: '3.1.0', info: { title: 'Patchbay', version: expect.any(String) } });
    expect(operations.length).toBeGreaterThan(150);
    expect(operations.filter(({ tags, summary }) => !tags?.length || !summary).map(({ at }) => at)).toEqual([]);
    for (const { at, responses } of operations) {
      for (const response of Object.values(responses ?? {})) expect(response.description, at).toBeTruthy();
    }
    const ids = operations.flatMap(({ operationId }) => operationId ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says what the Airy surface answers, errors too', () => {
    for (const operation of operations.filter(isAirys)) {
      const statuses = Object.keys(operation.responses ?? {});
      expect(statuses, operation.at).toContain('4XX');
      const [good] = statuses.filter((status) => status.startsWith('2'));
      expect(good, operation.at).toBeTruthy();
      expect(operation.operationId, operation.at).toMatch(/^airy[A-Z]/);
    }
  });

  it('is true of what the Airy surface answers', async () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const checked = new Set<string>();
    const call = async (name: string, body?: unknown, headers: Record<string, string> = { authorization: own.key }) => {
      const answer = await app.post(name, body, headers);
      const operation = operations.find(({ path }) => path === `/${name}`)!;
      const response = operation.responses![answer.status] ?? operation.responses![`${String(answer.status)[0]}XX`];
      expect(response, `${name} answered ${answer.status}`).toBeTruthy();
      const schema = response!.content?.['application/json']?.schema;
      if (answer.text === '') expect(schema, name).toBeUndefined();
      else expect(ajv.validate(schema!, answer.json), `${name}: ${ajv.errorsText()} in ${answer.text}`).toBe(true);
      checked.add(name);
      return answer.json;
    };

    const channel = await call('channels.chatplugin.connect', { name: 'reference' });
    const channel_id = channel.id;
    const { token } = await call('chatplugin.authenticate', { channel_id }, {});
    const visitor = { authorization: `Bearer ${token}` };
    const said = await call('chatplugin.send', { message: { text: 'Hello' } }, visitor);
    const conversation_id = said.sender.id;
    const { resume_token } = await call('chatplugin.resumeToken', undefined, visitor);
    await call('chatplugin.authenticate', { resume_token }, {});
    await call('messages.send', { conversation_id, message: { text: 'Answer' } });
    await call('messages.send', { conversation_id: channel_id, message: { text: 'Waits' } });
    const { data } = await call('messages.list', { conversation_id });
    await call('messages.suggest-replies', { message_id: data[0].id, suggestions: { a: { content: 'x' } } });
    const tag = await call('tags.create', { name: 'VIP', color: 'tag-red' });
    await call('conversations.tag', { conversation_id, tag_id: tag.id });
    await call('conversations.set-state', { conversation_id, state: 'OPEN' });
    await call('metadata.upsert', { subject: 'conversation', id: conversation_id, data: { a: 1 } });
    for (const name of ['info', 'mark-read', 'refetch']) await call(`conversations.${name}`, { conversation_id });
    const contact = await call('contacts.info', { conversation_id });
    const other = await call('contacts.create', { display_name: 'Ann', via: { phone: '1' }, address: { city: 'Oslo' } });
    await call('contacts.import', [{}]);
    await call('contacts.recent-messages', { contact_id: contact.id });
    await call('contacts.update', { id: other.id, title: 'Dr.' });
    await call('contacts.merge', { source_id: other.id, destination_id: contact.id });
    const template = await call('templates.create', { name: 'Hi', source: 'chatplugin', content: { text: 'Hi' } });
    await call('templates.update', { id: template.id, name: 'Hello' });
    await call('templates.list', { source: 'chatplugin' });
    const webhook = await call('webhooks.subscribe', { url: 'https://example.com/hook' });
    await call('webhooks.unsubscribe', { id: webhook.id });
    const lists = ['channels', 'conversations', 'tags', 'users', 'contacts', 'webhooks', 'components'];
    for (const name of lists) await call(`${name}.list`);
    for (const name of ['client.config', 'components.get', 'channels.info', 'messages.resend']) await call(name, { channel_id });
    await call('chatplugin.end', undefined, visitor);
    await call('channels.chatplugin.disconnect', { channel_id });
    await call('channels.list', undefined, {});
    expect(checked.size).toBeGreaterThan(35);
  });
});
