// Runs the import rule over a tree and says what breaks it: for `npm run check`, and for the test of the rule itself.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

export interface Boundaries {
  /** Files and packages that were looked at. */
  readonly modules: number
  readonly dependencies: number
  readonly violations: readonly {
    readonly rule: string
    readonly from: string
    readonly to: string
    readonly reason: string
  }[]
  /** What the tool says of itself: a parser that it lacks, or takes in place of the one that it was told. */
  readonly doubts: readonly string[]
}

const reportSchema = z.object({
  summary: z.object({
    totalCruised: z.int(),
    totalDependenciesCruised: z.int().default(0),
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
    environment: z.object({ issues: z.array(z.object({ name: z.string(), description: z.string() })).default([]) }),
    ruleSetUsed: z.object({ forbidden: z.array(z.object({ name: z.string(), comment: z.string() })) }),
  }),
})

const CHECKOUT = dirname(dirname(fileURLToPath(import.meta.url)))

/** `root` holds src/ and node_modules/. */
export function checkBoundaries(root: string): Boundaries {
  const { stdout, stderr, error } = spawnSync(
    join(CHECKOUT, 'node_modules', '.bin', 'depcruise'),
    ['--config', join(CHECKOUT, '.dependency-cruiser.cjs'), '--output-type', 'json', 'src'],
    // The report names every import; 1 MB, the default, is soon too little.
    { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  )
  if (error !== undefined) throw error
  if (!stdout.startsWith('{')) {
    // Its parser knows no `using`, which Node and TypeScript do: `try` and `finally` say the same.
    const why = stderr.includes('UsingDeclaration') ? 'Write try and finally in place of `using`: ' : ''
    throw new Error(`${why}dependency-cruiser failed: ${stderr}`)
  }
  const { summary } = reportSchema.parse(JSON.parse(stdout))
  const reasons = new Map(summary.ruleSetUsed.forbidden.map((rule) => [rule.name, rule.comment]))
  return {
    modules: summary.totalCruised,
    dependencies: summary.totalDependenciesCruised,
    violations: summary.violations.map(({ rule, from, to }) => ({
      rule: rule.name,
      from,
      to,
      reason: reasons.get(rule.name) ?? '',
    })),
    doubts: summary.environment.issues.map(({ name, description }) => `${name}: ${description}`),
  }
}
