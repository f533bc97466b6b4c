import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

/** The server behind `npm run dev`; it takes changes from pages of its own origin only. */
const server = process.env.SAFECONDUCT_URL ?? 'http://127.0.0.1:7717'

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  build: {
    target: 'es2023',
    // The page's policy allows no data: fonts or styles, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    manifest: 'manifest.json',
  },
  server: {
    host: '127.0.0.1',
    proxy: { '^/(api|health)': { target: server, changeOrigin: true, headers: { origin: server } } },
  },
  test: {
    projects: [
      {
        extends: true,
        // One test tries every byte of an answer; on a busy machine that takes its time.
        test: { name: 'unit', include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 120_000 },
      },
      {
        extends: true,
        test: { name: 'measure', include: ['tests/measure/*.ts'], environment: 'node', testTimeout: 600_000 },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['tests/browser/*.test.ts'],
          environment: 'node',
          // One browser and one server per file; two cores carry one file at a time.
          fileParallelism: false,
          // For two cores that do other work as well; what passes does not wait for them.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000, interval: 50 } },
        },
      },
    ],
  },
})
