export { createGmailSandbox, type GmailSandbox, type GmailSandboxOptions } from './gmail.ts';
export { createMicrosoftSandbox, type MicrosoftSandbox, type MicrosoftSandboxOptions } from './microsoft.ts';
