/** Patchbay cannot start, for a reason that one line tells: shown without a stack trace, never holds a secret. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message.replaceAll(/\s*\n\s*/g, ' '), options);
    this.name = 'StartError';
  }
}
