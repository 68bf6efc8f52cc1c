import { describe, expect, it } from 'vitest';
import { errorOf, messageErrorOf } from '../../../src/connectors/meta/errors.ts';

const answer = (code: number, more: object = {}) => ({ error: { message: `(#${code}) Words`, code, ...more } });

describe('Meta’s errors', () => {
  it.each([
    ['unauthorized', 'channel', [0, 3, 10, 190, 200, 230, 299, 368, 131031, 131037, 131042, 131044, 131045, 133010, 133016]],
    ['rate-limited', 'channel', [4, 17, 32, 613, 80007, 130429]],
    ['rate-limited', 'recipient', [131056]],
    ['retry', 'message', [1, 2, 131000, 131016, 131057, 133004, 135000]],
    ['window-closed', 'recipient', [131047]],
    ['recipient-unreachable', 'recipient', [131026, 131030, 131021, 130472, 131049, 130497, 137000, 131062, 551]],
    ['opted-out', 'message', [131050]],
    ['rejected', 'channel', [131048, 131064]],
    [
      'rejected',
      'message',
      [
        100, 33, 131008, 131009, 131051, 131052, 131053, 132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132068, 132069,
        131063,
      ],
    ],
  ])('%s for the %s', (errorClass, scope, codes) => {
    for (const code of codes) {
      const error = errorOf(400, answer(code));
      expect([code, error.class, error.scope, error.code]).toEqual([code, errorClass, scope, String(code)]);
      expect(messageErrorOf({ code, title: 'Words' }).class).toBe(errorClass);
    }
  });

  it.each([
    [10, 2018278, 'window-closed'],
    [10, 2534022, 'window-closed'],
    [100, 2018001, 'recipient-unreachable'],
    [551, 1545041, 'recipient-unreachable'],
  ])('reads the sub-code of %i/%i', (code, subcode, errorClass) => {
    expect(errorOf(400, answer(code, { error_subcode: subcode })).class).toBe(errorClass);
  });

  it.each([
    [401, 'unauthorized'],
    [429, 'rate-limited'],
    [503, 'retry'],
    [418, 'rejected'],
  ])('goes by HTTP %i where the code says nothing', (status, errorClass) => {
    expect(errorOf(status, answer(987654)).class).toBe(errorClass);
    expect(errorOf(status, '<html>').class).toBe(errorClass);
    expect(errorOf(status, undefined).message).toBe(`Meta answered ${status} without a reason`);
  });

  it('believes Meta that trouble will pass', () => {
    expect(errorOf(422, answer(100, { is_transient: true })).class).toBe('retry');
  });

  it('waits as long as it is told', () => {
    const usage = JSON.stringify({
      '17841': [{ type: 'whatsapp', estimated_time_to_regain_access: 3 }, { estimated_time_to_regain_access: 7 }],
    });
    expect(errorOf(429, answer(80007), new Headers({ 'x-business-use-case-usage': usage })).retryAfterMs).toBe(420_000);
    expect(errorOf(429, answer(4), new Headers({ 'retry-after': '5' })).retryAfterMs).toBe(5_000);
    expect(errorOf(400, answer(131056)).retryAfterMs).toBe(4_000);
    for (const broken of ['{', '[]', 'null', '{"1":"x"}', '{"1":[null]}']) {
      expect(errorOf(429, answer(4), new Headers({ 'x-business-use-case-usage': broken })).retryAfterMs).toBeUndefined();
    }
  });

  it('keeps Meta’s words, the details last', () => {
    const error = errorOf(400, answer(131009, { error_data: { details: 'to is not a phone number' } }));
    expect(error.message).toBe('(#131009) Words: to is not a phone number');
    expect(error.raw).toEqual(answer(131009, { error_data: { details: 'to is not a phone number' } }));
  });
});
