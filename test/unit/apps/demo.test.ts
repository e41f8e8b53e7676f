// The parts of the demo by themselves; the whole play on the real gate is test/flow/demo.test.ts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/apps/demo/ledger.ts'
import { toRecord } from '../../../src/apps/demo/records.ts'
import { takeBackShortHolds, withShortHolds, type DemoPolicies } from '../../../src/apps/demo/short-holds.ts'
import { readStory, type Row } from '../../../src/apps/demo/story.ts'
import { PACKAGE_ROOT } from '../../../src/apps/package-root.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import type { Policy } from '../../../src/domain/policy.ts'
import { decodeEvent } from '../../../src/events/wire.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'

const NOW = new Date('2026-01-01T12:00:00Z')
const listing = (id: string, revision = 1, more: Partial<Extract<Row, { data: unknown }>> = {}): Row => ({
  story: 'a lamp',
  label: 'honest',
  expect: 'allow',
  event: 'listing.submitted',
  data: { listingId: id, revision, sellerId: 's', title: 'Lamp' },
  ...more,
})

describe('the story that ships', () => {
  it('is readable, has about 200 records, and is mostly honest', async () => {
    const { chapters, brands } = await readStory(join(PACKAGE_ROOT, 'fixtures/demo'))
    const rows = chapters.flatMap((c) => c.rows)
    const labelled = rows.filter((r) => r.label !== undefined)
    expect(rows.length).toBeGreaterThan(150)
    expect(labelled.filter((r) => r.label === 'honest').length / labelled.length).toBeGreaterThan(0.6)
    for (const label of ['overt', 'silent']) expect(rows.filter((r) => r.label === label).length).toBeGreaterThan(15)
    for (const end of ['refused', 'dead-letter', 'duplicate', 'withdrawn'])
      expect(rows.some((r) => r.expect === end)).toBe(true)
    // Else the figures of the summary would leave it out.
    const decided = rows.filter((r) => ['allow', 'hold', 'block'].includes(r.expect))
    expect(decided.filter((r) => r.label === undefined).map((r) => r.story)).toEqual([])
    // What a person says at last is true in the story, so its label must not say otherwise.
    const said = chapters.flatMap((c) => c.interludes).flatMap(({ what }) => (what.event === 'verdict' ? [what] : []))
    const lastWords = new Map(said.map((word) => [word.about.listingId, word.verdict]))
    for (const [listingId, verdict] of lastWords) {
      const about = rows.findLast((r) => r.event !== 'raw' && r.data.listingId === listingId)
      expect([listingId, about?.label === 'honest']).toEqual([listingId, verdict === 'rejected'])
    }
    expect(lastWords.size).toBeGreaterThan(0)
    expect(brands.length).toBeGreaterThanOrEqual(8)
    for (const brand of brands) expect(brand.priceBands.length).toBeGreaterThan(0)
  })
})

describe('a story that is wrong', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'demo-story-'))
    await writeFile(join(directory, 'brands.json'), '[]')
  })
  afterEach(() => rm(directory, { recursive: true }))

  it.each([
    ['not JSON', '{"chapter":"A","says":"B"}\nlamp\n', /1\.jsonl:2/],
    ['no head', `${JSON.stringify(listing('a'))}\n`, /1\.jsonl:1/],
    [
      'an unknown end',
      `{"chapter":"A","says":"B"}\n${JSON.stringify({ ...listing('a'), expect: 'praise' })}\n`,
      /1\.jsonl:2/,
    ],
  ])('is refused with file and line: %s', async (_, text, where) => {
    await writeFile(join(directory, '1.jsonl'), text)
    await expect(readStory(directory)).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringMatching(where) as string,
    })
  })
})

describe('a record of the story', () => {
  it('carries the ids of its run, so that a second play repeats none', () => {
    const record = toRecord(listing('lamp'), 'D7', NOW)
    expect(Buffer.from(record.key ?? []).toString()).toBe('D7-lamp')
    expect(decodeEvent(record, 'listings')).toMatchObject({
      kind: 'event',
      type: 'touchstone.listing.submitted.v1',
      subject: 'D7-lamp',
      data: { listingId: 'D7-lamp', marketplace: 'demo', submittedAt: NOW.toISOString() },
    })
  })

  it('keeps a marketplace of its own', () => {
    const row = listing('lamp', 1, { data: { listingId: 'lamp', revision: 1, marketplace: 'flea-market' } })
    expect(decodeEvent(toRecord(row, 'D7', NOW), 'listings')).toMatchObject({ data: { marketplace: 'flea-market' } })
  })

  it('makes what is too large for a file', () => {
    const title = decodeEvent(
      toRecord(listing('t', 1, { generate: { what: 'title', count: 1_000_000 } }), 'D1', NOW),
      'listings',
    )
    expect(title).toMatchObject({ data: { title: 'A'.repeat(1_000_000) } })
    const images = decodeEvent(
      toRecord(listing('i', 1, { generate: { what: 'images', count: 10_000 } }), 'D1', NOW),
      'listings',
    )
    expect(images.kind === 'event' ? images.data['images'] : []).toHaveLength(10_000)
  })

  it('is sent byte for byte where it is raw, with the id put in', () => {
    const text = toRecord(
      {
        story: '',
        expect: 'dead-letter',
        event: 'raw',
        identity: { listingId: 'vase', revision: 1 },
        text: '{"listingId": "{id}", NaN',
      },
      'D7',
      NOW,
    )
    expect(Buffer.from(text.value ?? []).toString()).toBe('{"listingId": "D7-vase", NaN')
    const bytes = toRecord({ story: '', expect: 'dead-letter', event: 'raw', base64: '//79' }, 'D7', NOW)
    expect([...(bytes.value ?? [])]).toEqual([0xff, 0xfe, 0xfd])
    expect(bytes).toMatchObject({ key: null, headers: {} })
  })
})

describe('the ledger', () => {
  it('gives ends to records of one identity in the order in which they were sent', () => {
    const ledger = new Ledger()
    const first = ledger.sending(listing('lamp'), 'D1')
    const again = ledger.sending(listing('lamp'), 'D1')
    const identity = { listingId: 'D1-lamp', revision: 1 }
    expect(ledger.waiting(identity)).toBe(first)
    first.end = { kind: 'duplicate' }
    expect(ledger.waiting(identity)).toBe(again)
    again.end = { kind: 'duplicate' }
    expect(ledger.waiting(identity)).toBeUndefined()
    expect(ledger.open()).toBe(0)
  })

  it('asks only for what may end without a trace: repeated identities and withdrawals', () => {
    const ledger = new Ledger()
    const rows = [listing('a'), listing('a'), listing('a', 2), listing('b', 1, { event: 'listing.withdrawn' })]
    const sent = rows.map((row) => ledger.sending(row, 'D1'))
    expect(ledger.silent()).toEqual([])
    sent.forEach((played, i) => ledger.appended(played, { partition: 0, offset: BigInt(i) }))
    expect(ledger.silent()).toEqual([sent[1], sent[3]])
    expect(ledger.at(0, 2n)).toBe(sent[2])
  })

  it('knows what a withdrawal takes back: never a revision that came after it', () => {
    const ledger = new Ledger()
    const [first, third] = [1, 3].map((revision) => ledger.sending(listing('a', revision), 'D1'))
    if (first === undefined || third === undefined) throw new Error('two were sent')
    for (const one of [first, third]) one.end = { kind: 'decided', decision: {} as Decision }
    const at = (revision: number) => ledger.lastOf({ listingId: 'D1-a', revision })
    expect([at(1), at(2), at(3), at(4)]).toEqual([first, first, third, third])
    expect(ledger.lastOf({ listingId: 'D1-b', revision: 3 })).toBeUndefined()
  })

  it('tells a first withdrawal from one that says nothing new', () => {
    const ledger = new Ledger()
    const [first, same, later] = [2, 2, 3].map((revision) =>
      ledger.sending(listing('a', revision, { event: 'listing.withdrawn' }), 'D1'),
    )
    if (first === undefined || same === undefined || later === undefined) throw new Error('three were sent')
    expect(ledger.withdrawnBefore(first)).toBe(false)
    first.end = { kind: 'withdrawn' }
    expect([ledger.withdrawnBefore(same), ledger.withdrawnBefore(later)]).toEqual([true, false])
  })
})

describe('short holds', () => {
  const fake = (): DemoPolicies & { history: Policy[] } => {
    const history = [defaultPolicy()]
    const active = () => history.at(-1) ?? defaultPolicy()
    return {
      history,
      active,
      publish: async (policy) => void history.push({ ...policy, version: active().version + 1 }),
      rollback: async () => void history.pop(),
    }
  }

  it('are taken back also when the scene fails', async () => {
    const policies = fake()
    const scene = withShortHolds(
      policies,
      6,
      () => undefined,
      async () => {
        expect(policies.active().hold.deadlineSeconds).toBe(6)
        throw new Error('the lights went out')
      },
    )
    await expect(scene).rejects.toThrow('the lights went out')
    expect(policies.active()).toEqual(defaultPolicy())
  })

  it('leave alone what somebody published meanwhile', async () => {
    const policies = fake()
    await withShortHolds(
      policies,
      6,
      () => undefined,
      () => policies.publish({ ...defaultPolicy(), description: 'mine' }),
    )
    expect(policies.active().description).toBe('mine')
    expect(await takeBackShortHolds(policies)).toBe(false)
  })
})
