import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{server,sandbox,widget,web,client,bench,docs}/test/**/*.test.ts'],
    globalSetup: ['server/test/support/global-setup.ts'],
    setupFiles: ['server/test/support/each-file.ts'],
    // Every file brings its own database, folder and servers; what it imports is loaded once for all.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 90_000,
    fileParallelism: true,
    maxWorkers: 2,
    // A busy machine gets its time: what is waited for is the condition.
    expect: { poll: { timeout: 20_000 } },
  },
});
