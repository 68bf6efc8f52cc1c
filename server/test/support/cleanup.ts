const cleanups: (() => unknown)[] = [];

/** Ends something when the test file ends, also when it failed; what was started last ends first. */
export function whenFileEnds(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Runs what the file left; rejects with its first error after all have run. */
export async function cleanUp(): Promise<void> {
  const errors: unknown[] = [];
  for (const cleanup of cleanups.splice(0).reverse()) {
    try {
      await cleanup();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
