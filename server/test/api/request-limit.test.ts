import Fastify from 'fastify';
import { expect, it } from 'vitest';
import type { Principal } from '../../src/api/auth.ts';
import { limitRequests } from '../../src/api/request-limit.ts';
import { answerError } from '../../src/api/votel/errors.ts';

it('a key that asks too often is told to wait, another one is not', async () => {
  const app = Fastify();
  app.setErrorHandler(answerError);
  app.addHook('onRequest', async (request) => {
    request.principal = { keyId: request.headers['x-api-key'] } as Principal;
  });
  await limitRequests(app, 2);
  app.get('/', () => 'ok');
  const ask = (key: string) => app.inject({ url: '/', headers: { 'x-api-key': key } });
  const answers = [];
  for (const key of ['one', 'one', 'one', 'two']) answers.push(await ask(key));
  expect(answers.map((answer) => answer.statusCode)).toEqual([200, 200, 429, 200]);
  expect(answers[2]!.json()).toEqual({ detail: 'a key may make 2 requests a second' });
  expect(Number(answers[2]!.headers['retry-after'])).toBeGreaterThan(0);
  await app.close();
});
