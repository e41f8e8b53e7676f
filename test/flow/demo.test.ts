// The demo from its first record to its summary: the story of fixtures/demo, told by the gate itself.
// Real: PostgreSQL, log, store, worker, publisher, clock, all signals, brands and the policy that ship. Left out: HTTP.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoForgetting, demoPolicies, demoTrials, demoVerdicts } from '../../src/apps/demo/start.ts'
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
    forget: demoForgetting(gate),
    tryOut: demoTrials(gate),
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

/** What its chapter tells after the verdict was taken back. */
const forgotten = (told: string) =>
  told.slice(told.indexOf('The brand holder takes it back'), told.indexOf('Things that are not listings'))
const LOOKED_AT_AGAIN = /^allow .*Tessaro Milano loafers/m

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
    expect(told).toContain('Every record has exactly one end')
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

  it('counts every decision in its figures, the first ones and those that stand', () => {
    const decided = first.played.flatMap(({ end }) => (end?.kind === 'decided' ? [end.decision] : []))
    const sums = [...told.matchAll(/^ {2}all +(\d+) +(\d+) +(\d+) +(\d+)$/gm)].map((row) => row.slice(1).map(Number))
    expect(sums).toHaveLength(2)
    for (const [allow = 0, hold = 0, block = 0, all] of sums)
      expect([allow + hold + block, all]).toEqual([decided.length, decided.length])
    expect(sums[0]?.slice(0, 3)).toEqual(
      ['allow', 'hold', 'block'].map((outcome) => decided.filter((d) => d.outcome === outcome).length),
    )
  })

  it('lists the honest listings that were stopped, with what became of them', async () => {
    const honest = first.played.flatMap(({ row, end }) =>
      row.label === 'honest' && end?.kind === 'decided' ? [{ row, decision: end.decision }] : [],
    )
    const stopped = honest.filter(({ decision }) => decision.outcome !== 'allow')
    const words = told.replace(/\s+/g, ' ')
    const last = await Promise.all(
      honest.map(async ({ decision: { listingId, revision } }) =>
        (await gate.reader.history(listingId))?.decisions.findLast((d) => d.revision === revision),
      ),
    )
    const still = last.filter((decision) => decision?.outcome !== 'allow').length
    expect([stopped.length, still]).toEqual([4, 2])
    expect(words).toMatch(
      new RegExp(`held or blocked: 4 of ${honest.length} \\([\\d.]+ %\\) at once, 2 of ${honest.length} \\(`),
    )
    for (const { row } of stopped) expect(words).toContain(`(${row.story}): held at once, `)
    expect(words).toContain('(an honest wreck, cheap because it is broken): held at once, blocked when its time was up')
    expect(words).toContain('(bought there and sold on, with the outlet’s photograph): held at once, allowed when')
  })

  it('tells a withdrawal by the listing that it took back, though an edit of it was decided first', () => {
    expect(told).toMatch(/^gone .*L\*V Neverfull/m)
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

  it('tells what was decided later as it is recorded, in its own chapter, and blames no honest seller after all', async () => {
    const histories = await Promise.all(
      [...new Set(first.played.map((p) => p.identity?.listingId ?? ''))].map((id) => gate.reader.history(id)),
    )
    const stages = histories.flatMap((history) => history?.decisions ?? []).map((d) => d.stage)
    const count = (stage: string) => stages.filter((one) => one === stage).length
    expect([count('review'), count('rescreen')]).toEqual([3, 1])
    const words = told.replace(/\s+/g, ' ')
    expect(words).toContain(
      `Later came ${count('deadline')} holds ended by the clock, 3 decisions by what a person said, and a listing looked at again by the gate itself.`,
    )
    expect(forgotten(told)).toMatch(LOOKED_AT_AGAIN)
    // Under a line stand its reason and its mark; the clock may speak between two lines.
    const shoes = forgotten(told).match(/^allow .*(Mocassini|loafers).*\n(?: .*\n)*/gm) ?? []
    expect(shoes).toHaveLength(2)
    expect(shoes.filter((lines) => lines.includes(' ! '))).toEqual([])
  })

  it('stops by its picture what would have gone on sale before the verdict, and says so with what the gate found', async () => {
    expect(first.trials.length).toBeGreaterThan(0)
    for (const { trial, decision } of first.trials) {
      expect([trial.of, decision.outcome]).toEqual([trial.of, trial.expect])
      expect(decision.outcome).toBe('allow')
      const { end, row } = first.played.find((p) => p.identity?.listingId === decision.listingId) ?? {}
      if (end?.kind !== 'decided') throw new Error(`${trial.of} was not decided`)
      const { outcome, signals, contentHash } = end.decision
      expect([row?.label, outcome, contentHash]).toEqual(['silent', 'hold', decision.contentHash])
      const [image, ...others] = signals.filter((one) => (one.contribution ?? 0) > 0.5)
      expect([image?.name, others]).toEqual(['image-hash', []])
      const { matches = [] } = (image?.evidence ?? {}) as { matches?: { distance: number; imageId: string }[] }
      const [match] = matches
      const known = await gate.bankStore.image('confirmed-maison-verrault', match?.imageId ?? '', 'all')
      expect(known?.source).toMatchObject({ kind: 'verdict', listingId: 'D1-pic-bag-one' })
      expect(told.replace(/\s+/g, ' ')).toMatch(
        new RegExp(
          `Before the verdict: allow, [\\d.]+ %. Now: hold, \\d+ %: the hash of its picture differs in ${match?.distance} of 256 bits from the one confirmed \\d+\\.\\d s before`,
        ),
      )
    }
    expect(told).toMatch(/^\(allow\) +[\d.]+ % {2}Sac Maison Verrault/m)
  })

  it('is shown in the README as it is told', () => {
    const [, excerpt = ''] =
      /```text\n((?:.*\n)*?)```/.exec(readFileSync(join(PACKAGE_ROOT, 'README.md'), 'utf8')) ?? []
    const lines = excerpt.split('\n').filter((line) => line !== '')
    expect(lines.length).toBeGreaterThan(5)
    // How long it took is another machine's every time.
    const timeless = (text: string) => text.replaceAll(/\d+\.\d s before/g, '0.0 s before')
    const said = timeless(told).split('\n')
    expect(lines.map(timeless).filter((line) => !said.includes(line))).toEqual([])
  })

  it('leaves the policy that was active before', () => {
    expect(gate.live.current().policy.policy).toMatchObject({
      policyId: 'default',
      version: 1,
      hold: { deadlineSeconds: 86_400 },
    })
  })

  it('plays again on the same data under ids of its own', async () => {
    // The feed tells late of what the gate has looked at again: the chapter waits for it.
    let late = 0
    const feed: typeof gate.reader.feed = async (after, ...rest) => {
      const page = await gate.reader.feed(after, ...rest)
      const at = page.entries.findIndex(({ data }) => (data as { stage?: string }).stage === 'rescreen')
      if (at < 0 || (late > 0 && Date.now() > late)) return page
      if (late === 0) late = Date.now() + 1_500
      return { entries: page.entries.slice(0, at), next: page.entries[at - 1]?.cursor ?? after ?? '' }
    }
    const { report, told: again } = await play({
      story: { ...story, chapters: story.chapters.filter((c) => c.holdSeconds === undefined) },
      reader: { ...gate.reader, feed },
    })
    expect(late).toBeGreaterThan(0)
    expect(forgotten(again)).toMatch(LOOKED_AT_AGAIN)
    // What the first play taught is forgotten first: else its fakes would be known before anybody has said a word.
    expect(again).toContain('An earlier play had taught the gate a picture')
    expect(told).not.toContain('An earlier play')
    expect(report.trials.map(({ decision }) => decision.outcome)).toEqual(['allow'])
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
