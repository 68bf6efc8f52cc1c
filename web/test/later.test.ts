import { expect, it } from 'vitest';
import { choices, fieldValue, problemOf } from '../src/inbox/later.ts';

const labels = (now: Date) => choices(now).map(({ label, at }) => `${label}: ${fieldValue(at)}`);

it('offers what people mean most often, and nothing that is past', () => {
  expect(labels(new Date(2026, 10, 26, 10, 12, 30))).toEqual([
    'In an hour: 2026-11-26T11:13',
    'This evening: 2026-11-26T18:00',
    'Tomorrow morning: 2026-11-27T09:00',
    'On Monday: 2026-11-30T09:00',
  ]);
  expect(labels(new Date(2026, 10, 26, 19, 0))).not.toContain('This evening: 2026-11-26T18:00');
});

it('offers Monday once: on a Sunday it is tomorrow, on a Monday it is the next one', () => {
  expect(labels(new Date(2026, 10, 29, 10, 0)).filter((label) => label.includes('2026-11-30'))).toEqual([
    'Tomorrow morning: 2026-11-30T09:00',
  ]);
  expect(labels(new Date(2026, 10, 30, 10, 0))).toContain('On Monday: 2026-12-07T09:00');
});

it('says what is wrong with a time', () => {
  const now = new Date(2026, 10, 26, 10, 0);
  expect(problemOf('2026-11-26T10:01', now)).toBeUndefined();
  expect(problemOf('2026-11-26T10:00', now)).toBe('That time is over');
  expect(problemOf('2027-01-26T10:00', now)).toBe('At most 35 days ahead');
  expect(problemOf('', now)).toBe('Choose a day and a time');
});
