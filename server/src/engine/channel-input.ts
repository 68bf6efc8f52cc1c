import { Value } from 'typebox/value';
import type { Connector } from '../connectors/connector.ts';
import { PatchbayError } from '../model/errors.ts';

/** The input's known fields. Throws `invalid`, one problem for each field that is wrong. */
export function checkInput(connector: Connector, input: Record<string, unknown>): Record<string, unknown> {
  const known = Object.fromEntries(Object.entries(input).filter(([name]) => Object.hasOwn(connector.input.properties, name)));
  const problems = [...Value.Errors(connector.input, known)].map((problem) => {
    const missing = (problem.params as { requiredProperties?: string[] }).requiredProperties;
    if (problem.keyword === 'required' && missing) return missing.map((field) => ({ field, message: 'is required' }));
    return [{ field: problem.instancePath.slice(1).replaceAll('/', '.'), message: problem.message }];
  });
  if (problems.length > 0) {
    const flat = problems.flat();
    throw new PatchbayError('invalid', `${flat[0]!.field} ${flat[0]!.message}`, { problems: flat });
  }
  return known;
}
