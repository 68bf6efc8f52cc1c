import type { IsKnown } from '../../src/connectors/connector.ts';

/** Asked by a connector that stands alone: none of the provider's messages is known to be another one's. */
export const nothingKnown: IsKnown = async () => new Set();
