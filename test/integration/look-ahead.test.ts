// A look at what others sell that does not end in its time. Real: PostgreSQL, the stores and reviewing; invented: hashes, listings, times.
import { beforeEach, describe, expect, test } from 'vitest'
import { lookAhead, type LookOptions, type LookTimes } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt } from '../../src/adapters/postgres/of-case.ts'
import { NOT_LOOKED } from '../../src/adapters/postgres/official-pictures.ts'
import { prepareOutputs } from '../../src/adapters/postgres/outputs.ts'
import { createReviewStore } from '../../src/adapters/postgres/review-store.ts'
import { createVerdictStore } from '../../src/adapters/postgres/verdict-store.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import type { BankJoin, LookForOfficials } from '../../src/pipeline/verdicts/ports.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { analyst, reviewWorld } from '../contracts/review-world.ts'
import { picture } from '../contracts/store-banks.ts'
import { NOTHING, OUTPUTS, VERDICTS } from '../contracts/store-samples.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { joinOf, offer, openCase, showInCase, shownSet, toldOfJoins } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

const hex = (of: string) => hash(of, 0).toString('hex')
const shot = (name: string) => picture(name, { hash: hex(name), variants: [] })

/** No machine is too slow for it. */
const AMPLE: LookTimes = { first: 9_000, each: 9_000, all: 9_000 }
const NO_TIME: LookTimes = { first: 9_000, each: 9_000, all: 0 }

describe('a look at what others sell', () => {
  let node: PostgresNode
  let banks: BankStore
  beforeEach(async () => {
    node = await freshNode()
    banks = node.banks
  })
  const query = (text: string, values: unknown[] = []) => node.database.reading.query(text, values)

  /** Another seller's listing on sale that shows this, decided long ago. */
  const offered = (listingId: string, name: string) =>
    offer(node.database.deciding, {
      listingId,
      sellerId: 'rival',
      shown: shownSet(listingId, [hash(name)]),
      at: new Date('2020-01-01'),
    })

  /** A held listing that shows a picture of another's beside a fake, and both ways in which a verdict on it comes. */
  async function held(elsewhere: LookOptions) {
    const pool = node.database.deciding
    const outputs = await prepareOutputs(pool, { ...OUTPUTS, [VERDICTS]: 2 })
    const { review, screen } = reviewWorld({ ...node, review: createReviewStore({ pool, outputs, elsewhere }) }, 0)
    await screen('L-1', 1)
    const decision = (await node.reader.history('L-1'))?.decisions[0]
    if (decision?.caseId === undefined) throw new Error('no case')
    const { caseId } = decision
    await offered('honest', 'theirs')
    const shown = ['theirs', 'fake'].map(shot)
    await showInCase(pool, caseId, shown)
    const verdicts = createVerdictStore({ pool, outputs, elsewhere })
    const fromLog = async (verdictId: string, pictures: string[] | null) => {
      const { listingId, revision, decisionId } = decision
      const about = { verdictId, listingId, revision }
      const by = { subject: 'ann', role: 'analyst' } as const
      const said: Verdict = {
        ...about,
        decisionId,
        verdict: 'confirmed',
        by,
        at: '2026-01-01T00:00:00Z',
        source: 'review',
      }
      const join = joinOf({ ...about, caseId, brandId: null, brandIds: [], pictures })
      const from = await node.store.place('verdicts', VERDICTS, 0, 0n)
      const batch = { group: 'verdicts', topic: VERDICTS, partition: 0, from, next: from + 1n }
      return verdicts.commit(batch, [said], () => ({ ...NOTHING, verdicts: [said], bankJoins: [join] }))
    }
    return { caseId, review, fromLog, shown }
  }
  const entries = async (bankId = 'confirmed') => (await banks.images(bankId, { limit: 9 })).map((one) => one.hash)

  test('what ends in its time keeps out what others sell, and alone that', async () => {
    const { caseId, review } = await held({ times: AMPLE })
    const said = await review.verdict(caseId, analyst, { verdict: 'confirmed' })
    expect(said).toMatchObject({ pictures: { joined: 1, leftOut: { elsewhere: 1, notLookedUp: 0 } } })
    expect(await entries()).toEqual([hex('fake')])
  })

  test('a word of a person is taken without it: what it names joins, all else stays out, and the answer says so', async () => {
    const told: number[][] = []
    const { caseId, review } = await held({
      times: NO_TIME,
      notKnown: (...counts) => told.push(counts.slice(0, 2) as number[]),
    })
    const first = await review.verdict(caseId, analyst, { verdict: 'confirmed', verdictId: 'V-1' })
    expect(first).toMatchObject({ kind: 'recorded', stands: { outcome: 'block' } })
    expect(first).toMatchObject({ pictures: { joined: 0, limited: 0, leftOut: { elsewhere: 0, notLookedUp: 2 } } })
    expect(await entries()).toEqual([])
    expect(told).toEqual([[1, 1]])
    const named = { verdict: 'confirmed' as const, pictures: [1], supersedes: 'V-1' }
    const second = await review.verdict(caseId, analyst, named)
    expect(second).toMatchObject({ pictures: { joined: 1, limited: 0, leftOut: { unnamed: 1, notLookedUp: 0 } } })
    expect(await entries()).toEqual([hex('fake')])
  })

  test('a verdict from the log is recorded while the table of what is shown cannot be read at all', async () => {
    const told: unknown[] = []
    const times = { first: 30, each: 30, all: 9_000 }
    const { fromLog, shown } = await held({ times, notKnown: (_n, _of, error) => told.push(error) })
    const holding = await node.database.reading.connect()
    try {
      await holding.query('begin')
      await holding.query('lock table shown_set in access exclusive mode')
      // The keeper does nothing for longer than a process may in a transaction.
      await holding.query('set local idle_in_transaction_session_timeout = 0')
      expect(await fromLog('V-1', null)).toBe('committed')
      expect(await entries()).toEqual([])
      expect(await fromLog('V-2', [String(shown[1]?.sha256)])).toBe('committed')
      expect(await entries()).toEqual([hex('fake')])
      await holding.query('rollback')
    } finally {
      holding.release(true)
    }
    expect(told).toHaveLength(2)
    expect((await query(`select verdict_id from verdict order by 1`)).rows).toHaveLength(2)
    // The time-outs of the connections are what they were.
    expect((await node.database.deciding.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '15s' }])
  })

  test('what is not known is no reason that the others join, and a rights holder’s word on it is its word alone', async () => {
    const { caseId, shown } = await held({ times: AMPLE })
    const [theirs, fake] = shown.map(({ sha256 }) => sha256)
    const ask = shownAt([{ listingId: 'L-1', revision: 1, pictures: [String(theirs)] }])
    const look = await lookAhead(node.database.deciding, ask, undefined, { times: AMPLE })
    expect(look.lookedUp).toEqual([{ listingId: 'L-1', sha256: theirs, frame: 0 }])
    expect(look.elsewhere).toEqual(look.lookedUp)
    const say = async (more: Partial<BankJoin>) => {
      const join = joinOf({ verdictId: 'V', caseId, brandId: null, brandIds: [], ...more })
      return (await toldOfJoins(node.database.deciding, [join], look))?.[0]
    }
    expect(await say({})).toMatchObject({ joined: 0, elsewhere: 1, notLookedUp: 1 })
    const named = await say({ pictures: [String(fake)], byBrand: true })
    expect(named).toMatchObject({ joined: 1, limited: 1, unnamed: 1, notLookedUp: 0 })
    expect((await banks.images('confirmed', { limit: 9 })).map(({ source }) => source.by)).toEqual(['brand'])
  })

  test('what the first round did not know has a second one, and one that fails takes nothing from the others', async () => {
    const { shown } = await held({ times: AMPLE })
    await offer(node.database.deciding, { listingId: 'L-2', sellerId: 'bad', outcome: 'hold' })
    await openCase(node.database.deciding, 'C-2', 'L-2')
    await showInCase(node.database.deciding, 'C-2', [shot('odd')])
    const odd = shot('odd').sha256
    const ask = shownAt(['L-1', 'L-2'].map((listingId) => ({ listingId, revision: 1 })))
    const told: unknown[][] = []
    const look = (officials: LookForOfficials, times: LookTimes) =>
      lookAhead(node.database.deciding, ask, officials, { times, notKnown: (...all) => told.push(all) })
    const compare: LookForOfficials = (pictures) =>
      Promise.resolve({ change: 9n, near: [], looked: pictures.map(({ sha256 }) => ({ sha256, frame: 0 })) })
    expect((await look(compare, { ...AMPLE, first: 0 })).lookedUp).toHaveLength(3)
    expect(told).toEqual([])
    const fault = new Error('cannot compare this')
    const broken: LookForOfficials = (pictures) =>
      pictures.some(({ sha256 }) => sha256 === odd) ? Promise.reject(fault) : compare(pictures)
    const { lookedUp, elsewhere, looked, change } = await look(broken, AMPLE)
    expect(lookedUp?.map(({ sha256 }) => sha256).toSorted()).toEqual(shown.map(({ sha256 }) => sha256).toSorted())
    expect([elsewhere?.length, looked.length, change, told]).toEqual([1, 2, 9n, [[1, 2, fault]]])
  })

  test('no connection is no failure either', async () => {
    const { fromLog } = await held({ times: AMPLE })
    const gone = { connect: () => Promise.reject(new Error('no connection')) }
    const told: unknown[] = []
    const ask = shownAt([{ listingId: 'L-1', revision: 1 }])
    const end = await lookAhead(gone as never, ask, undefined, { notKnown: (...all) => told.push(all) })
    expect(end).toEqual({ ...NOT_LOOKED, elsewhere: [], lookedUp: [] })
    expect(told).toEqual([[1, 1, new Error('no connection')]])
    expect(await fromLog('V-1', null)).toBe('committed')
  })
})
