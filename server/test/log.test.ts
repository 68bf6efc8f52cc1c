import { expect, it } from 'vitest';
import { errorForLog } from '../src/log.ts';
import { invalid, PatchbayError } from '../src/model/errors.ts';

it('logs an answer given on purpose by its words, without a stack', () => {
  const shown = errorForLog(invalid('business_account_id', 'is needed for templates'));
  expect(shown).toMatchObject({ code: 'invalid', message: 'is needed for templates' });
  expect(shown).not.toHaveProperty('stack');
});

it('keeps the stack of what nobody expected, and of what an answer hides', () => {
  expect(errorForLog(new TypeError('boom'))).toMatchObject({ stack: expect.stringContaining('log.test.ts') });
  const wrapped = new PatchbayError('invalid', 'It went wrong.', { cause: new TypeError('boom') });
  expect(errorForLog(wrapped)).toMatchObject({ stack: expect.stringContaining('boom') });
});
