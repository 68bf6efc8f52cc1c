import type { NumberAbilities } from '../api/types.ts';
import classes from './numbers.module.css';

const WORDS: [keyof NumberAbilities, string][] = [
  ['sms', 'SMS'],
  ['mms', 'MMS'],
  ['voice', 'Voice'],
];

/** What a number can do. */
export function Abilities({ of }: { of: NumberAbilities }) {
  return (
    <span className={classes.abilities}>
      {WORDS.filter(([ability]) => of[ability]).map(([ability, words]) => (
        <span key={ability} className={classes.ability}>
          {words}
        </span>
      ))}
    </span>
  );
}
