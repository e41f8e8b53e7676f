// The demo on a running gate: reads the story, plays it on standard output, and tells where to look next.
import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import { confirmedBank } from '../../domain/bank.ts'
import type { Policy } from '../../domain/policy.ts'
import { TouchstoneError } from '../../errors.ts'
import { dryRun } from '../../pipeline/intake.ts'
import { publishPolicy } from '../../pipeline/policies.ts'
import type { Review } from '../../pipeline/review.ts'
import { readRecord } from '../../pipeline/trying.ts'
import type { RunningGate } from '../gate.ts'
import { LINK_SECONDS, type RunningHttp } from '../http.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { wantsColour } from '../terminal.ts'
import { playDemo, type DemoOptions, type DemoReport } from './play.ts'
import { takeBackShortHolds, type DemoPolicies } from './short-holds.ts'
import { readStory } from './story.ts'

/** A change of reference data is live in under 2 s; more than this means that nobody follows. */
const LIVE_MS = 10_000
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
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
  // Told when the play is over; the link was made before it began.
  const linkEnds = Date.now() + LINK_SECONDS * 1_000
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
    forget: demoForgetting(gate),
    tryOut: demoTrials(gate),
    giveVerdict: demoVerdicts(gate, http.review),
    out,
    width: out.isTTY ? out.columns : Math.max(Number(process.env['COLUMNS']) || DEFAULT_WIDTH, 1),
    colour: wantsColour(out, process.env),
    pace: out.isTTY ? 'read' : 'fast',
    signal,
    addresses: [
      { label: `Sign in, once, by ${clock.format(linkEnds)}`, url: link },
      { label: 'Decisions and cases', url: http.url },
      { label: 'Contract', url: `${http.url}/openapi.json` },
      { label: 'Metrics', url: http.metricsUrl },
    ],
  })
}

/** More pictures than the plays on a data directory confirm. */
const MOST_PICTURES = 1_000

/** As a rights holder would by HTTP; resolves when the banks of this process hold what was learnt. */
export function demoVerdicts(
  gate: Pick<RunningGate, 'reference' | 'banks' | 'bankStore'>,
  review: Pick<Review, 'verdict'>,
): DemoOptions['giveVerdict'] {
  return async ({ caseId, brandId, ...said }) => {
    const answer = await review.verdict(caseId, { subject: 'demo', role: 'brand', brandIds: [brandId] }, said)
    if (answer?.kind !== 'recorded')
      throw new TouchstoneError('not-ready', `the verdict of the demo was not taken: ${answer?.kind ?? 'no such case'}`)
    await banksLive(gate)
    const images = await gate.bankStore.images(confirmedBank(brandId).bankId, { limit: MOST_PICTURES })
    return {
      decisionIds: answer.decisions.map(({ decisionId }) => decisionId),
      imageIds: images.filter(({ source }) => source.verdictId === said.verdictId).map(({ imageId }) => imageId),
    }
  }
}

/** Bytes of a listing with its pictures inline; those of the demo have a hundredth of it. */
const MOST_BYTES = 4_194_304

/** As `POST /v1/screen` does it. */
export function demoTrials(gate: Pick<RunningGate, 'gateNow' | 'topics'>): DemoOptions['tryOut'] {
  return async (record) => {
    const read = readRecord(record, MOST_BYTES)
    if (read.kind !== 'ok' || read.value.kind !== 'listing') throw new Error('what the demo tries is no listing')
    const tried = await dryRun(gate.gateNow(), read.value.listing, gate.topics, new Date())
    if (tried.kind !== 'ok') throw new TouchstoneError('not-ready', `the dry run of the demo failed: ${tried.kind}`)
    return tried.value
  }
}

/** A listing of any play. */
const OF_A_PLAY = /^D\d+-/

/** Pictures that joined with verdicts on listings of plays leave; what others put there stays. */
export function demoForgetting(gate: Pick<RunningGate, 'reference' | 'banks' | 'bankStore'>): DemoOptions['forget'] {
  return async (brandIds) => {
    let forgotten = 0
    for (const { bankId } of brandIds.map(confirmedBank)) {
      for (const { imageId, source } of await gate.bankStore.images(bankId, { limit: MOST_PICTURES })) {
        if (source.kind !== 'verdict' || !OF_A_PLAY.test(source.listingId ?? '')) continue
        if (await gate.bankStore.removeImage(bankId, imageId, 'demo', 'all')) forgotten += 1
      }
    }
    if (forgotten > 0) await banksLive(gate)
    return forgotten
  }
}

/** Resolves when the banks of this process hold all that the store holds now. */
async function banksLive(gate: Pick<RunningGate, 'reference' | 'banks'>): Promise<void> {
  const change = await gate.reference.change()
  gate.banks.loop.nudge()
  await until(() => gate.banks.current().change >= change)
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
