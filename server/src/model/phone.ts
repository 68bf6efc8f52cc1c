import { isPossiblePhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';

const E164 = /^\+[1-9]\d{1,14}$/;

/** Why a number is not one that a provider would take; undefined when it is fine. Assigned ranges are not looked at. */
export function phoneProblem(value: string): string | undefined {
  if (/\s/.test(value)) return 'must not contain spaces; write it like +491234567';
  if (!value.startsWith('+')) return 'must start with + and the country code, like +491234567';
  if (!E164.test(value)) return 'must be + and at most 15 digits, like +491234567';
  if (!isPossiblePhoneNumber(value)) return 'is too short or too long for its country, or the country code does not exist';
  return undefined;
}

/** True for + and 2 to 15 digits, whatever the country's own rules. */
export function isE164(value: string): boolean {
  return E164.test(value);
}

/** Digits with a leading +, from any usual way of writing an international number; undefined when it is none. */
export function toE164(value: string): string | undefined {
  const digits = value
    .trim()
    .replace(/^00/, '+')
    .replace(/[\s().\-/]/g, '');
  const number = digits.startsWith('+') ? digits : `+${digits}`;
  return E164.test(number) ? number : undefined;
}

/** ISO country of a number, where its form tells. */
export function countryOf(value: string): string | undefined {
  return parsePhoneNumberFromString(value)?.country;
}

/**
 * The forms under which one mobile line is known, the given one first. Brazil's ninth digit, and the mobile marks of
 * Mexico (1) and Argentina (9), are written by some networks and left out by others.
 */
export function phoneForms(value: string): string[] {
  const forms = [value];
  const brazil = /^\+55(\d{2})(9?)(\d{8})$/.exec(value);
  if (brazil && /^[6-9]/.test(brazil[3]!)) forms.push(brazil[2] ? `+55${brazil[1]}${brazil[3]}` : `+55${brazil[1]}9${brazil[3]}`);
  const mexico = /^\+52(1?)(\d{10})$/.exec(value);
  if (mexico) forms.push(mexico[1] ? `+52${mexico[2]}` : `+521${mexico[2]}`);
  const argentina = /^\+54(9?)(\d{10})$/.exec(value);
  if (argentina) forms.push(argentina[1] ? `+54${argentina[2]}` : `+549${argentina[2]}`);
  return forms;
}

/** For people: `(555) 123-4567` where the country code is +1, `+49 30 123456` elsewhere. */
export function readableNumber(value: string): string {
  const number = parsePhoneNumberFromString(value);
  if (!number) return value;
  return number.countryCallingCode === '1' ? number.formatNational() : number.formatInternational();
}
