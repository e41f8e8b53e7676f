// Real: dependency-cruiser with the project's own rules, over small trees that break each of them on purpose.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { checkBoundaries, type Boundaries } from '../../../scripts/boundaries.ts'

/** Files of the tree with what each imports: a path in the tree, a package, or `type` and a path. */
function cruise(imports: readonly (readonly [from: string, to: string])[]): Boundaries {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'touchstone-boundaries-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const checkout = fileURLToPath(new URL('../../..', import.meta.url))
  symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'))
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({ type: 'module', dependencies: { pg: '*', fastify: '*' }, devDependencies: { vitest: '*' } }),
  )
  const files = new Map<string, string>()
  for (const [from, to] of imports) {
    const target = to.replace(/^type /, '')
    const inTree = /^(src|test|scripts)\//.test(target)
    if (inTree && !files.has(target)) files.set(target, '')
    const path = inTree ? `./${relative(dirname(from), target)}`.replace('./..', '..') : target
    const statement = to.startsWith('type ') ? `import type { A } from '${path}'` : `import { a } from '${path}'`
    files.set(from, `${files.get(from) ?? ''}${statement}\n`)
  }
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `${text}export const a = 1\nexport type A = number\n`)
  }
  return checkBoundaries(root)
}

const BROKEN: readonly (readonly [rule: string, from: string, to: string])[] = [
  ['domain-stands-alone', 'src/domain/listing.ts', 'src/text/normalise.ts'],
  ['domain-stands-alone', 'src/domain/brand.ts', 'type src/events/event.ts'],
  ['events-know-the-nouns', 'src/events/event.ts', 'src/errors.ts'],
  ['text-knows-the-nouns', 'src/text/normalise.ts', 'src/signals/signal.ts'],
  ['imaging-knows-the-nouns', 'src/imaging/pdq.ts', 'src/text/normalise.ts'],
  ['stage-listing-alone', 'src/listing/read.ts', 'src/signals/signal.ts'],
  ['stage-signals-alone', 'src/signals/price/signal.ts', 'src/risk/fuse.ts'],
  ['stage-risk-alone', 'src/risk/fuse.ts', 'type src/signals/signal.ts'],
  ['stage-policy-alone', 'src/policy/decide.ts', 'src/telemetry.ts'],
  ['stage-rights-alone', 'src/rights/brands.ts', 'src/pipeline/ports.ts'],
  ['stage-review-alone', 'src/review/case.ts', 'src/learning/fit.ts'],
  ['stage-learning-alone', 'src/learning/fit.ts', 'src/review/ports.ts'],
  ['pipeline-is-the-shell', 'src/pipeline/run.ts', 'src/adapters/one/log.ts'],
  ['api-serves-the-flows', 'src/api/server.ts', 'src/adapters/one/log.ts'],
  ['api-not-the-loop', 'src/api/routes/listings.ts', 'src/pipeline/run.ts'],
  ['adapters-implement-ports', 'src/adapters/one/log.ts', 'src/pipeline/outcome.ts'],
  ['adapters-take-only-types-of-ports', 'src/adapters/one/store.ts', 'src/pipeline/ports.ts'],
  ['adapters-not-each-other', 'src/adapters/one/store.ts', 'src/adapters/two/pool.ts'],
  ['console-knows-the-contract', 'src/console/page.tsx', 'src/pipeline/run.ts'],
  ['nothing-imports-apps', 'src/telemetry.ts', 'src/apps/cli.ts'],
  ['only-apps-read-settings', 'src/adapters/two/pool.ts', 'src/config.ts'],
  ['errors-stand-alone', 'src/errors.ts', 'src/domain/listing.ts'],
  ['telemetry-stands-low', 'src/telemetry.ts', 'src/pipeline/run.ts'],
  ['config-stands-low', 'src/config.ts', 'src/pipeline/run.ts'],
  ['pure-parts-touch-no-world', 'src/text/normalise.ts', 'node:fs/promises'],
  ['pure-parts-touch-no-world', 'src/signals/price/signal.ts', 'node:child_process'],
  ['technology-in-adapters', 'src/pipeline/run.ts', 'pg'],
  ['http-in-api', 'src/adapters/one/log.ts', 'fastify'],
  ['product-not-tests', 'src/pipeline/run.ts', 'test/support/database.ts'],
  ['no-dev-packages', 'src/pipeline/run.ts', 'vitest'],
  ['resolvable', 'src/pipeline/run.ts', './nowhere.ts'],
]

test('every rule finds what breaks it, and says why', () => {
  const { violations } = cruise(BROKEN.map(([, from, to]) => [from, to]))
  const found = violations.map((v) => `${v.rule} ${v.from}`)
  expect(found).toEqual(expect.arrayContaining(BROKEN.map(([rule, from]) => `${rule} ${from}`)))
  for (const violation of violations) expect(violation.reason.length).toBeGreaterThan(10)
})

test('what the rule allows passes', () => {
  const { modules, violations, doubts } = cruise([
    ['src/domain/brand.ts', 'src/domain/listing.ts'],
    ['src/events/event.ts', 'src/domain/listing.ts'],
    ['src/text/normalise.ts', 'src/domain/listing.ts'],
    ['src/signals/price/signal.ts', 'src/signals/signal.ts'],
    ['src/signals/price/signal.ts', 'src/text/normalise.ts'],
    ['src/signals/price/signal.ts', 'src/imaging/pdq.ts'],
    ['src/policy/decide.ts', 'src/errors.ts'],
    ['src/pipeline/screening.ts', 'src/policy/decide.ts'],
    ['src/pipeline/screening.ts', 'src/signals/index.ts'],
    ['src/pipeline/screening.ts', 'src/telemetry.ts'],
    ['src/api/server.ts', 'src/pipeline/screening.ts'],
    ['src/api/server.ts', 'fastify'],
    ['src/adapters/one/log.ts', 'type src/pipeline/ports.ts'],
    ['src/adapters/one/log.ts', 'src/events/event.ts'],
    ['src/adapters/one/log.ts', 'src/adapters/one/pool.ts'],
    ['src/adapters/one/pool.ts', 'pg'],
    ['src/adapters/one/pool.ts', 'node:fs'],
    ['src/console/page.tsx', 'src/api/contract.ts'],
    ['src/apps/cli.ts', 'src/config.ts'],
    ['src/apps/cli.ts', 'src/adapters/one/log.ts'],
  ])
  expect(violations).toEqual([])
  // With an option that is only for TypeScript up to 6 it would say that it misses files, and take another parser where that is found.
  expect(doubts).toEqual([])
  expect(modules).toBeGreaterThanOrEqual(19)
})
