/** What a test key may see: what was made with test keys, and nothing else. The same for every surface. */
import type { Principal } from './auth.ts';

export function maySee(principal: Principal, thing: { sandbox: boolean }): boolean {
  return thing.sandbox || !principal.sandbox;
}

/** The part of a list's filter that leaves out what the caller may not see. */
export function visibleTo(principal: Principal): { sandbox?: true } {
  return principal.sandbox ? { sandbox: true } : {};
}
