// The demo from its first record to its summary: the story of fixtures/demo, told by the gate itself.
// Real: PostgreSQL, log, store, worker, publisher, clock, all signals, brands and the policy that ship. Left out: HTTP.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPolicies, demoVerdicts } from '../../src/apps/demo/start.ts'
import type { Played } from '../../src/apps/demo/ledger.ts'
import { playDemo, type DemoOptions, type DemoReport } from '../../src/apps/demo/play.ts'
import { takeBackShortHolds } from '../../src/apps/demo/short-holds.ts'
import { readStory, type Story } from '../../src/apps/demo/story.ts'
import { startGate, type RunningGate } from '../../src/apps/gate.ts'
import { PACKAGE_ROOT } from '../../src/apps/package-root.ts'
import { textWidth } from '../../src/apps/terminal.ts'
import { createReviewStore } from '../../src/adapters/postgres/review-store.ts'
import { prepareOutputs } from '../../src/adapters/postgres/outputs.ts'
import { createReview, type Review } from '../../src/pipeline/review.ts'
import { readConfig } from '../../src/config.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { freshDatabase, type FreshDatabase } from '../support/database.ts'

let database: FreshDatabase
let gate: RunningGate
let story: Story
let review: Review

beforeAll(async () => {
  database = await freshDatabase()
  const shipped = await readStory(join(PACKAGE_ROOT, 'fixtures/demo'))
  // A test need not wait as long as a reader.
  const hurried = shipped.chapters.map((c) => (c.holdSeconds === undefined ? c : { ...c, holdSeconds: 1 }))
  story = { ...shipped, chapters: hurried }
  gate = await startGate(
    readConfig({ DATABASE_URL: database.url }),
    createTelemetry({ level: 'silent', processMetrics: false }),
    () => undefined,
  )
  const { deciding } = gate.database.database
  review = createReview({
    store: createReviewStore({ pool: deciding, outputs: await prepareOutputs(deciding, gate.outputs) }),
    topics: gate.topics,
    telemetry: createTelemetry({ level: 'silent', processMetrics: false }),
    dueSeconds: () => 60,
  })
}, 120_000)

afterAll(async () => {
  await gate.stop()
  await database.drop()
}, 60_000)

async function play(changes: Partial<DemoOptions> = {}): Promise<{ report: DemoReport; told: string }> {
  let told = ''
  const policies = demoPolicies(gate)
  const report = await playDemo({
    story,
    log: gate.log,
    topics: gate.topics,
    group: gate.groups.listings,
    reader: gate.reader,
    async importBrands(brands) {
      await gate.reference.upsertBrands(brands, 'test')
      const change = await gate.reference.change()
      await expect.poll(() => gate.live.current().change, { timeout: 10_000 }).toBeGreaterThanOrEqual(change)
    },
    policies,
    giveVerdict: demoVerdicts(gate, review),
    out: { write: (text) => (told += text) },
    width: 100,
    colour: false,
    pace: 'fast',
    signal: new AbortController().signal,
    addresses: [{ label: 'Decisions, live', url: 'http://127.0.0.1:8080' }],
    ...changes,
  })
  return { report, told }
}

/** As the fixtures write it. */
const endOf = ({ end }: Played) =>
  end === undefined ? 'nothing' : end.kind === 'decided' ? end.decision.outcome : end.kind
const nameOf = ({ row, identity }: Played) =>
  `${identity?.listingId.replace(/^D\d+-/, '') ?? 'nameless'} (${row.story})`

describe('the demo', () => {
  let first: DemoReport
  let told: string

  it('ends every record as the fixtures say, each exactly once', async () => {
    ;({ report: first, told } = await play())
    expect(first.stopped).toBe(false)
    const ends = first.played.map((p) => `${nameOf(p)}: ${endOf(p)}`)
    expect(ends).toEqual(first.played.map((p) => `${nameOf(p)}: ${p.row.expect}`))
    expect(first.run).toBe('D1')
  }, 120_000)

  it('tells one line for each record and a count that comes out even', () => {
    expect(told).toContain('every record has exactly one end')
    expect(told).not.toContain('no end yet')
    const count = (kind: string) => first.played.filter((p) => p.end?.kind === kind).length
    for (const [name, kind] of [
      ['decided', 'decided'],
      ['refused', 'refused'],
      ['dead letters', 'dead-letter'],
      ['duplicates', 'duplicate'],
      ['withdrawn', 'withdrawn'],
    ] as const) {
      expect(told).toMatch(new RegExp(`^ {2}${name} +${count(kind)}\\b`, 'm'))
    }
    expect(told.match(/^(allow|hold|block|refused|unread|again|gone) /gm)?.length).toBeGreaterThanOrEqual(
      first.played.length,
    )
  })

  it('keeps the terminal whole, whatever the titles hold', () => {
    expect(told.replaceAll('\n', '').replaceAll('\u200e', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u)
    for (const line of told.split('\n')) if (!line.includes('http')) expect(textWidth(line)).toBeLessThanOrEqual(100)
  })

  it('lists the honest sellers that were stopped', () => {
    const stopped = first.played.filter(
      (p) => p.row.label === 'honest' && p.end?.kind === 'decided' && p.end.decision.outcome !== 'allow',
    )
    expect(told).toContain(
      stopped.length === 0
        ? 'Honest sellers that were stopped: none'
        : `Honest sellers that were stopped: ${stopped.length} of`,
    )
    for (const p of stopped) expect(told.replace(/\s+/g, ' ')).toContain(`(${p.row.story})`)
  })

  it('lets the clock decide the short holds, and an edited listing ends blocked', async () => {
    const scene = first.played.filter((p) => p.end?.kind === 'decided' && p.end.decision.policy.version === 2)
    expect(scene.length).toBe(story.chapters.find((c) => c.holdSeconds !== undefined)?.rows.length)
    for (const { end } of scene) {
      if (end?.kind !== 'decided' || end.decision.hold === undefined) continue
      const history = await gate.reader.history(end.decision.listingId)
      expect(history?.decisions.at(-1)).toMatchObject({ stage: 'deadline', outcome: end.decision.hold.onDeadline })
    }
    const edited = await gate.reader.history('D1-ru-gucci')
    expect(edited?.decisions.map((d) => `${d.stage} ${d.outcome}`)).toEqual([
      'screening block',
      'screening hold',
      'deadline block',
    ])
  })

  it('leaves the policy that was active before', () => {
    expect(gate.live.current().policy.policy).toMatchObject({
      policyId: 'default',
      version: 1,
      hold: { deadlineSeconds: 86_400 },
    })
  })

  it('plays again on the same data under ids of its own', async () => {
    const { report } = await play({
      story: { ...story, chapters: story.chapters.filter((c) => c.holdSeconds === undefined) },
    })
    expect(report.run).toBe(`D${first.played.length + 1}`)
    expect(report.played.filter((p) => endOf(p) !== p.row.expect).map(nameOf)).toEqual([])
  }, 120_000)

  it('takes back a short-hold policy that a killed play left behind', async () => {
    const policies = demoPolicies(gate)
    const active = policies.active()
    await policies.publish({
      ...active,
      description: 'Of the demo: holds end after 6 seconds.',
      hold: { ...active.hold, deadlineSeconds: 6 },
    })
    expect(policies.active().hold.deadlineSeconds).toBe(6)
    expect(await takeBackShortHolds(policies)).toBe(true)
    expect(policies.active().version).toBe(active.version)
    expect(await takeBackShortHolds(policies)).toBe(false)
  })

  it('stops early when asked to, with a count of what was sent', async () => {
    const stop = new AbortController()
    const { report, told: said } = await play({
      signal: stop.signal,
      pace: 'read',
      out: {
        write(text) {
          if (text.startsWith('allow')) stop.abort()
        },
      },
    })
    expect(report.stopped).toBe(true)
    expect(report.played.length).toBeGreaterThan(0)
    expect(report.played.length).toBeLessThan(20)
    expect(said).toBe('')
  })
})
