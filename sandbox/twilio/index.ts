export { createTwilioSandbox, type TwilioSandbox, type TwilioSandboxOptions } from './app.ts';
export type { CustomerMessage } from './customer.ts';
