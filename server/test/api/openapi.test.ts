import { expect, it } from 'vitest';
import { testApi } from '../support/api.ts';

interface Operation {
  tags?: string[];
  summary?: string;
  responses?: Record<string, { description?: string }>;
}

it('the reference groups every route of every surface, and says what it does', async () => {
  const { call } = await testApi();
  const { body } = await call('GET', '/openapi.json');
  expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'Patchbay', version: expect.any(String) } });
  const surfaces = /^\/(api\/|channels\.|conversations\.|messages\.|contacts\.|metadata\.|tags\.|templates\.|users\.)/;
  const operations = Object.entries(body.paths as Record<string, Record<string, Operation>>)
    .filter(([path]) => surfaces.test(path))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, ...operation })));
  expect(operations.length).toBeGreaterThan(60);
  const silent = operations.filter(({ tags, summary }) => !tags?.length || !summary).map(({ at }) => at);
  expect(silent).toEqual([]);
  for (const { at, responses } of operations) {
    for (const response of Object.values(responses ?? {})) expect(response.description, at).toBeTruthy();
  }
});
