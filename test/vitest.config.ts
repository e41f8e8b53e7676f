// How the tests run: one real PostgreSQL per run, a fresh database for each test that asks for one.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Limits for something that hangs, far above what any test takes on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 60_000,
    // A forgotten `.only` would hide every other test of its file.
    allowOnly: process.env['CI'] === undefined,
    restoreMocks: true,
    unstubEnvs: true,
  },
})
