// Runs for every test file; the modules of the other support files are loaded once for all files of a worker.
import { afterAll } from 'vitest';
import { cleanUp } from './cleanup.ts';

afterAll(cleanUp);
