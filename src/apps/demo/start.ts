// The demo on a running gate: reads the story, plays it on standard output, and tells where to look next.
import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import type { Caller } from '../../domain/access.ts'
import type { Policy } from '../../domain/policy.ts'
import { TouchstoneError } from '../../errors.ts'
import { publishPolicy } from '../../pipeline/policies.ts'
import type { Review } from '../../pipeline/review.ts'
import type { RunningGate } from '../gate.ts'
import type { RunningHttp } from '../http.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { wantsColour } from '../terminal.ts'
import { playDemo, type DemoOptions, type DemoReport } from './play.ts'
import { takeBackShortHolds, type DemoPolicies } from './short-holds.ts'
import { readStory } from './story.ts'

/** A change of reference data is live in under 2 s; more than this means that nobody follows. */
const LIVE_MS = 10_000
/** Columns of a file or a pipe. */
const DEFAULT_WIDTH = 160

export interface StartDemoOptions {
  readonly gate: RunningGate
  readonly http: Pick<RunningHttp, 'url' | 'metricsUrl' | 'review'>
  /** Signs an administrator in, once. */
  readonly link: string
  readonly signal: AbortSignal
  readonly out?: NodeJS.WriteStream
}

export async function startDemo({
  gate,
  http,
  link,
  signal,
  out = process.stdout,
}: StartDemoOptions): Promise<DemoReport> {
  const policies = demoPolicies(gate)
  await takeBackShortHolds(policies)
  return playDemo({
    story: await readStory(join(PACKAGE_ROOT, 'fixtures/demo')),
    log: gate.log,
    topics: gate.topics,
    group: gate.groups.listings,
    reader: gate.reader,
    async importBrands(brands) {
      await gate.reference.upsertBrands(brands, 'demo')
      await live(gate)
    },
    policies,
    giveVerdict: demoVerdicts(gate, http.review),
    out,
    width: out.isTTY ? out.columns : DEFAULT_WIDTH,
    colour: wantsColour(out, process.env),
    pace: out.isTTY ? 'read' : 'fast',
    signal,
    addresses: [
      { label: 'Decisions, live', url: http.url },
      { label: 'Sign in, once', url: link },
      { label: 'Contract', url: `${http.url}/openapi.json` },
      { label: 'Metrics', url: http.metricsUrl },
    ],
  })
}

const REVIEWER: Caller = { subject: 'demo', role: 'analyst', brandIds: [] }

/** As a reviewer would by HTTP; resolves when the banks of this process hold what was learnt. */
export function demoVerdicts(
  gate: Pick<RunningGate, 'reference' | 'banks'>,
  review: Pick<Review, 'verdict'>,
): DemoOptions['giveVerdict'] {
  return async ({ caseId, ...said }) => {
    const answer = await review.verdict(caseId, REVIEWER, said)
    if (answer?.kind !== 'recorded')
      throw new TouchstoneError('not-ready', `the verdict of the demo was not taken: ${answer?.kind ?? 'no such case'}`)
    const change = await gate.reference.change()
    gate.banks.loop.nudge()
    await until(() => gate.banks.current().change >= change)
    return { decisionIds: answer.decisions.map(({ decisionId }) => decisionId) }
  }
}

export function demoPolicies(gate: Pick<RunningGate, 'reference' | 'live'>): DemoPolicies {
  return {
    active: () => gate.live.current().policy.policy,
    async publish(policy: Policy) {
      await publishPolicy(
        gate.reference,
        gate.live.current(),
        policy,
        'demo',
        gate.live.current().policy.policy.version,
      )
      await live(gate)
    },
    async rollback() {
      await gate.reference.rollbackPolicy('demo')
      await live(gate)
    },
  }
}

/** Resolves when the gate decides with the reference data that the store holds now. */
async function live(gate: Pick<RunningGate, 'reference' | 'live'>): Promise<void> {
  const change = await gate.reference.change()
  gate.live.loop.nudge()
  await until(() => gate.live.current().change >= change)
}

async function until(done: () => boolean): Promise<void> {
  for (const deadline = performance.now() + LIVE_MS; !done();) {
    if (performance.now() > deadline)
      throw new TouchstoneError('not-ready', 'the gate does not follow changes of brands, banks and policies')
    await pause(20)
  }
}
