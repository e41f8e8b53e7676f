// What a case was opened with: known however its changes are batched, told, and shown however often it is edited. Real: PostgreSQL and the stores; invented: changes and pictures.
import { expect, test } from 'vitest'
import type { CaseChange } from '../../src/pipeline/ports.ts'
import { analyst, holder, reviewWorld } from '../contracts/review-world.ts'
import { picture } from '../contracts/store-banks.ts'
import { GROUP, INPUT, listings, NOTHING } from '../contracts/store-samples.ts'
import { freshNode } from './store-on-postgres.ts'

const change = (what: CaseChange['change'], revision: number, openedBy: CaseChange['openedBy'] = null): CaseChange => ({
  caseId: 'C',
  listingId: 'L-0',
  change: what,
  revision,
  brandIds: ['nike'],
  risk: 0.7,
  openedBy,
  marketplace: null,
  dueAt: null,
  at: '2026-01-01T00:00:00Z',
})
const [SAMPLE, HELD] = [change('open', 1, 'audit'), change('open', 1, 'hold')]

test.each([
  ['the gate stopped', 1, [HELD, change('carry', 2), change('carry', 3)]],
  ['was drawn', 1, [SAMPLE, change('carry', 2)]],
  ['was stopped of a sample', 3, [SAMPLE, change('carry', 2), change('carry', 3, 'hold'), change('carry', 4)]],
  ['was stopped before it was withdrawn', 1, [HELD, change('withdrawn', 1), change('carry', 2), change('carry', 3)]],
  [
    'was stopped before it was settled and its seller answered',
    1,
    [HELD, change('carry', 2), change('resolved', 2), change('reopened', 2, 'appeal'), change('carry', 3)],
  ],
  [
    'was stopped of a sample that was looked at again',
    2,
    [SAMPLE, change('resolved', 1), change('reopened', 1, 'review'), change('carry', 2, 'block')],
  ],
] as const)('a case is opened with what %s: revision %i', async (_, opened, changes) => {
  const { store, database } = await freshNode()
  // In two batches, cut at each place in turn; the last time all are in one.
  for (let cut = 1; cut <= changes.length; cut++) {
    const named = changes.map((one) => ({ ...one, caseId: `C-${cut}`, listingId: `L-${cut}` }))
    for (const cases of [named.slice(0, cut), named.slice(cut)]) {
      const from = await store.place(GROUP, INPUT, 0, 0n)
      const span = { group: GROUP, topic: INPUT, partition: 0, from, next: from + 1n }
      await store.commit(span, listings('L', changes.length + 1), () => ({ ...NOTHING, cases }))
    }
  }
  const { rows } = await database.reading.query<{ revision: number }>(
    'select opened_revision as revision from review_case',
  )
  expect(rows.map(({ revision }) => revision)).toEqual(changes.map(() => opened))
})

test('of a case that is edited without end people see what it was opened with, and may name it', async () => {
  const node = await freshNode()
  const world = reviewWorld(node, 0)
  const [first, later, foreign] = [picture('first'), picture('later'), picture('of another brand')]
  await node.pictures.put([first, later, foreign])
  await world.screen('L', 1)
  const caseId = await world.caseOf('L')
  await world.screen('L', 2)
  await node.database.deciding.query(
    `insert into case_picture (case_id, revision, ordinal, sha256, brand_ids)
     select $1, 1, 0, $2, '{nike}'::text[] union all select $1, 1, 1, $3, '{gap}'
     union all select $1, 2, n, $4, '{nike}' from generate_series(1, 1100) n`,
    [caseId, first.sha256, foreign.sha256, later.sha256],
  )
  const seenBy = async (...brandIds: string[]) => {
    const found = await node.cases.find(caseId, {
      subject: 'ann',
      brandIds: brandIds.length === 0 ? undefined : brandIds,
    })
    return found?.pictures.filter((one) => one.revision === 1).map((one) => one.sha256)
  }
  expect([await seenBy(), await seenBy('nike')]).toEqual([[first.sha256, foreign.sha256], [first.sha256]])
  const found = await node.cases.find(caseId, { subject: 'ann', brandIds: undefined })
  expect(found?.pictures).toHaveLength(202)
  expect(found?.pictures[0]).toMatchObject({ revision: 2, ordinal: 1, sha256: later.sha256 })

  const named = (sha256: string) => ({ verdict: 'confirmed' as const, pictures: [sha256] })
  const refused = await world.review.verdict(caseId, holder('nike'), named(foreign.sha256))
  expect(refused).toMatchObject({ kind: 'refused', path: '/pictures' })
  const said = await world.review.verdict(caseId, analyst, named(first.sha256))
  expect(said).toMatchObject({
    kind: 'recorded',
    pictures: { joined: 1, which: [{ revision: 1, sha256: first.sha256 }] },
  })
})

test('people are told with what: the revision on record, else the first of which pictures are kept, else none', async () => {
  const node = await freshNode()
  const world = reviewWorld(node, 0)
  const shoe = picture('shoe')
  await node.pictures.put([shoe])
  await world.screen('L', 1)
  const caseId = await world.caseOf('L')
  for (const revision of [2, 3]) await world.screen('L', revision)
  const { deciding } = node.database
  const seenBy = async (brandIds?: string[]) =>
    (await node.cases.find(caseId, { subject: 'ann', brandIds }))?.openedRevision
  expect([await seenBy(), await seenBy(['nike'])]).toEqual([1, 1])
  await deciding.query('update review_case set opened_revision = 3')
  expect(await seenBy()).toBe(3)
  await deciding.query('update review_case set opened_revision = null')
  expect(await seenBy()).toBeNull()
  await deciding.query(
    `insert into case_picture (case_id, revision, ordinal, sha256, brand_ids) values ($1, 2, 0, $2, '{nike}')`,
    [caseId, shoe.sha256],
  )
  expect(await seenBy()).toBe(2)
})
