// Who opens a case sees what of it others have on sale. Real: PostgreSQL, the stores and reviewing; invented: hashes, listings, times.
import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { createCaseReader } from '../../src/adapters/postgres/case-reader.ts'
import { within } from '../../src/adapters/postgres/within.ts'
import { prepareOutputs } from '../../src/adapters/postgres/outputs.ts'
import { createReviewStore } from '../../src/adapters/postgres/review-store.ts'
import type { KeptPicture } from '../../src/domain/kept-picture.ts'
import { analyst, reviewWorld } from '../contracts/review-world.ts'
import { picture } from '../contracts/store-banks.ts'
import { OUTPUTS, VERDICTS } from '../contracts/store-samples.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { until } from '../support/until.ts'
import { offer, showInCase, shownSet } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

let node: PostgresNode
beforeEach(async () => {
  node = await freshNode()
})

/** No machine is too slow for it. */
const AMPLE = { first: 9_000, each: 9_000, all: 9_000 }
const EVERYTHING = { subject: 'ann', brandIds: undefined }
const hex = (of: string) => hash(of, 0).toString('hex')
const shot = (name: string, more: Partial<KeptPicture> = {}) =>
  picture(name, { hash: hex(name), variants: [], ...more })

/** A held listing about nike: of its pictures one is another's on sale, as is a frame of one that moves; one is blank. */
async function opened() {
  const { deciding } = node.database
  const outputs = await prepareOutputs(deciding, { ...OUTPUTS, [VERDICTS]: 2 })
  const review = createReviewStore({ pool: deciding, outputs, elsewhere: { times: AMPLE } })
  const world = reviewWorld({ ...node, review }, 0)
  await world.screen('L-1', 1, { brandIds: ['nike'] })
  const caseId = await world.caseOf('L-1')
  const shown = shownSet('honest', [hash('theirs'), hash('moved')])
  await offer(deciding, { listingId: 'honest', sellerId: 'rival', shown, at: new Date('2020-01-01') })
  const moved = { hash: hex('moved'), quality: 90, forms: [], variants: [hex('moved')] }
  const blank = shot('plain', { blank: true })
  await showInCase(deciding, caseId, [shot('theirs'), shot('fake'), shot('still', { frames: [moved] }), blank])
  await deciding.query(`update case_picture set brand_ids = '{nike}'`)
  return { caseId, world }
}
const marks = async (caseId: string, reader: { brandIds: string[] | undefined }, times = AMPLE) =>
  (await createCaseReader(node.database.reading, times).find(caseId, { subject: 'ann', ...reader }))?.pictures.map(
    ({ shownElsewhere }) => shownElsewhere,
  )

test('it is marked for all who may see the case, until it is resolved', async () => {
  const { caseId, world } = await opened()
  expect(await marks(caseId, EVERYTHING)).toEqual([true, false, true, null])
  expect(await marks(caseId, { brandIds: ['nike'] })).toEqual([true, false, true, null])
  expect(await marks(caseId, { brandIds: ['puma'] })).toBeUndefined()
  await world.review.verdict(caseId, analyst, { verdict: 'confirmed' })
  expect(await marks(caseId, EVERYTHING)).toEqual([null, null, null, null])
})

test('what cannot be looked up in time is not known, and the case is read all the same', async () => {
  const { caseId } = await opened()
  expect(await marks(caseId, EVERYTHING, { ...AMPLE, all: 0 })).toEqual([null, null, null, null])
  const holding = await node.database.deciding.connect()
  try {
    await holding.query('begin')
    // The keeper may do nothing for long on a busy machine.
    await holding.query('set local idle_in_transaction_session_timeout = 0')
    await holding.query('lock table shown_set in access exclusive mode')
    expect(await marks(caseId, EVERYTHING, { first: 30, each: 30, all: 9_000 })).toEqual([null, null, null, null])
  } finally {
    await holding.query('rollback')
    holding.release()
  }
})

test('whoever opens many cases leaves a turn to looks before verdicts, and all are answered', async () => {
  const { caseId } = await opened()
  const holding = await node.database.deciding.connect()
  await holding.query('begin')
  let all: Promise<unknown>
  try {
    await holding.query('set local idle_in_transaction_session_timeout = 0')
    await holding.query('lock table shown_set in access exclusive mode')
    all = Promise.all(Array.from({ length: 4 }, () => marks(caseId, EVERYTHING)))
    await until('one of them waits', async () => {
      const { rows } = await holding.query(
        `select from pg_locks where relation = 'shown_set'::regclass and not granted`,
      )
      return rows.length > 0
    })
    for (let n = 0; n < 20; n++) await within(node.database.reading, 9_000, sql<object>`select 1`)
  } finally {
    await holding.query('rollback')
    holding.release()
  }
  expect(await all).toEqual(Array.from({ length: 4 }, () => [true, false, true, null]))
})
