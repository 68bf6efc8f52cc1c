/** Which part of a connect's input is at fault, in a code that surfaces can point to a field with. */
import { ProviderError } from '../../model/errors.ts';

const UNKNOWN = new Set(['33', '100', '803']);

/**
 * Runs one step of a connect. A refusal becomes `invalid-token`, or the step's own code (`unknown-number`,
 * `unknown-account`) where Meta knows no such thing; Meta's words stay the message and its answer stays in `raw`.
 */
export async function blame<T>(step: 'invalid-token' | 'unknown-number' | 'unknown-account', run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const fault = faultOf(error, step);
    if (!fault) throw error;
    const { class: errorClass, message, hint, scope, status, raw } = error;
    throw new ProviderError(errorClass, message, { code: fault, hint, scope, status, raw, cause: error });
  }
}

function faultOf(error: ProviderError, step: string): string | undefined {
  if (error.class === 'unauthorized') return 'invalid-token';
  if (error.class !== 'rejected') return undefined;
  return step === 'invalid-token' || UNKNOWN.has(error.code ?? '') || error.status === 404 ? step : undefined;
}
