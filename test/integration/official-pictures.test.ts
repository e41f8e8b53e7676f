// Official pictures of a case do not join the fakes. Real: PostgreSQL, the stores, reviewing and the index that follows; invented: hashes.
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lookAhead } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt, type PictureOfCase } from '../../src/adapters/postgres/of-case.ts'
import { NOT_LOOKED } from '../../src/adapters/postgres/official-pictures.ts'
import { prepareOutputs } from '../../src/adapters/postgres/outputs.ts'
import { createReviewStore } from '../../src/adapters/postgres/review-store.ts'
import { createVerdictStore } from '../../src/adapters/postgres/verdict-store.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import { followBanks, type LiveBanks } from '../../src/pipeline/bank-index.ts'
import { createLookForOfficials } from '../../src/pipeline/banks/officials.ts'
import type { CaseHashes, LookForOfficials, OfficialLook } from '../../src/pipeline/verdicts/ports.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { analyst, holder, reviewWorld } from '../contracts/review-world.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { NOTHING, OUTPUTS, VERDICTS } from '../contracts/store-samples.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { joinOf, settleJoins, showInCase } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

type Shown = ReturnType<typeof picture>

/** A picture whose dihedral form no. `form` is so many bits from the official picture `of`; the others are like nothing. */
const turned = (of: string, form: number, bits: number): Shown => {
  const name = `${of}, form ${form}, ${bits}`
  const variants = Array.from({ length: 8 }, (_, i) =>
    i === form ? hash(`hash of ${of}`, bits) : hash(`form ${i} of ${name}`),
  ).map((bytes) => bytes.toString('hex'))
  return picture(name, { hash: variants[0] ?? '', variants })
}

describe('official pictures of a case', () => {
  let node: PostgresNode
  let banks: BankStore
  let live: LiveBanks
  let look: LookForOfficials
  beforeEach(async () => {
    node = await freshNode()
    banks = node.banks
  })
  afterEach(async () => {
    await live.stop()
  })

  const official = async (bankId: string, names: readonly string[], more: Parameters<typeof bank>[1] = {}) => {
    await banks.upsertBank(bank(bankId, { kind: 'genuine', brandId: 'nike', ...more }), 'ann', 'all')
    const images = names.map((name) => ({ picture: picture(name), source: { kind: 'api' as const } }))
    await banks.addImages(bankId, images, 'ann', 'all')
  }
  /** From here on what changes is only heard of after a minute: what a look missed is deliberate. */
  const follow = async () => {
    const deaf = { ...banks, onChange: () => Promise.resolve(() => Promise.resolve()) }
    live = await followBanks(deaf, createTelemetry({ level: 'silent', processMetrics: false }), { pollMs: 60_000 })
    look = createLookForOfficials(() => live.current())
  }
  const show = (pictures: readonly Shown[], caseId = 'C-1', revision = 1) =>
    showInCase(node.database.deciding, caseId, pictures, revision)
  const hashesOf = (pictures: readonly Shown[]): CaseHashes[] => pictures.map((one) => one)
  /** As a verdict looks: by what was kept. */
  const lookedAhead = async (): Promise<OfficialLook> => {
    const pictures = sql<PictureOfCase>`select sha256, 'L-1' as "listingId", case_id as "caseId" from case_picture`
    const { change, looked, near } = await lookAhead(node.database.deciding, [{ listings: 1, pictures }], look)
    return { change, looked, near }
  }
  const confirm = (seen: OfficialLook, verdictId = 'V-1') =>
    settleJoins(node.database.deciding, [joinOf({ verdictId })], [], seen)
  /** The places among `shown` of what lies in the bank of confirmed pictures. */
  const joined = async (shown: readonly Shown[], bankId = 'confirmed-nike') =>
    (await banks.images(bankId, { limit: 100 }))
      .map(({ sha256 }) => shown.findIndex((one) => one.sha256 === sha256))
      .toSorted((a, b) => a - b)

  test.each(['looked up before', 'compared under the lock'])('mirrored or turned, none joins: %s', async (how) => {
    await official('of-nike', ['shoe'], { maxDistance: 20 })
    await follow()
    const near = Array.from({ length: 8 }, (_, form) => turned('shoe', form, 20))
    const far = Array.from({ length: 8 }, (_, form) => turned('shoe', form, 21))
    // What was kept by a version before: only as it is.
    const old = picture('old', { hash: hash('hash of shoe', 20).toString('hex'), variants: [] })
    // The shop halved and turned it.
    const half = turned('x', 5, 0)
    const halved = { ...half, variants: half.variants.with(5, hash('half of shoe', 20).toString('hex')) }
    // The shop halved it, and the case shows what it was made of.
    const original = picture('original', { forms: [hash('hash of shoe', 20).toString('hex')] })
    const shown = [...near, ...far, old, halved, original]
    await show(shown)
    await confirm(how === 'looked up before' ? await lookedAhead() : NOT_LOOKED)
    expect(await joined(shown)).toEqual([8, 9, 10, 11, 12, 13, 14, 15])
  })

  test('what was looked up is not compared again while everybody waits', async () => {
    await official('of-nike', ['shoe'])
    await follow()
    const shown = [turned('shoe', 3, 4)]
    await show(shown)
    const said = await look(hashesOf(shown))
    expect(said).toEqual({
      change: 2n,
      looked: [{ sha256: shown[0]?.sha256, frame: 0 }],
      near: [{ sha256: shown[0]?.sha256, frame: 0, bankId: 'of-nike', alone: false }],
    })
    await confirm({ ...said, near: [] })
    expect(await joined(shown)).toEqual([0])
  })

  test('what changed between the look and the lock counts: pictures that came, distances that grew or shrank', async () => {
    await official('of-nike', ['shoe'])
    await official('tight', ['bag'], { maxDistance: 10 })
    await official('wide', ['cap'], { maxDistance: 30 })
    await follow()
    const shown = [turned('late', 2, 5), turned('bag', 4, 20), turned('cap', 6, 20)]
    await show(shown)
    const said = await look(hashesOf(shown))
    expect(said.near).toEqual([{ sha256: shown[2]?.sha256, frame: 0, bankId: 'wide', alone: false }])
    await official('of-nike', ['late'])
    await official('tight', [], { maxDistance: 25 })
    await official('wide', [], { maxDistance: 15 })
    await confirm(said)
    expect(await joined(shown)).toEqual([2])
  })

  test('a picture that the case shows only since the look is compared with all there is, and it alone', async () => {
    await official('of-nike', ['shoe'])
    await follow()
    const shown = [turned('own', 0, 200), turned('shoe', 3, 4), turned('shoe', 7, 9)]
    await show(shown)
    // What the look says of the others is believed.
    await confirm({ ...(await look(hashesOf(shown.slice(0, 2)))), near: [] })
    expect(await joined(shown)).toEqual([0, 1])
  })

  test('what is like another brand’s pictures joins, what is like an allowed one never; what is no hash harms nobody', async () => {
    await official('of-gap', ['coat'], { brandId: 'gap' })
    await official('charts', ['chart'], { kind: 'allowed', brandId: 'gap' })
    await official('logos', ['logo'], { kind: 'logo' })
    await official('of-nike', ['shoe'])
    await node.database.deciding.query(
      `update bank_image set hash = 'none', forms = '{"",x}' where bank_id = 'of-nike'`,
    )
    await follow()
    const shown = [
      turned('coat', 1, 3),
      turned('chart', 2, 3),
      turned('logo', 3, 3),
      picture('odd', { hash: 'none', variants: ['none', ''] }),
      // The same bytes, whatever their hash is.
      picture('shoe'),
    ]
    await show(shown)
    await confirm(await look(hashesOf(shown)))
    expect(await joined(shown)).toEqual([0, 2, 3])
    await confirm(NOT_LOOKED, 'V-2')
    expect(await joined(shown)).toEqual([0, 0, 2, 2, 3, 3])
  })

  test.each(['looked up before', 'compared under the lock', 'the same bytes'])(
    'a rights holder’s word alone spares its own, and what others are about too once an analyst vouches: %s',
    async (how) => {
      await banks.upsertBank(bank('of-gap', { kind: 'genuine', brandId: 'gap' }), 'gap', { brandIds: ['gap'] })
      const scope = { brandIds: ['gap'] }
      const { added } = await banks.addImages(
        'of-gap',
        [{ picture: picture('coat'), source: { kind: 'api' } }],
        'gap',
        scope,
      )
      await follow()
      const shown = [how === 'the same bytes' ? picture('coat') : turned('coat', 3, 9)]
      await show(shown)
      const said = how === 'looked up before' ? await look(hashesOf(shown)) : NOT_LOOKED
      const both = ['nike', 'gap']
      const join = (...joins: Parameters<typeof joinOf>) =>
        settleJoins(node.database.deciding, [joinOf(...joins)], [], said)
      await join({ verdictId: 'V-1', brandIds: both, byBrand: true })
      await join({ verdictId: 'V-2', brandId: null, brandIds: both })
      await join({ verdictId: 'V-3', brandId: 'gap', brandIds: both })
      await join({ verdictId: 'V-4', brandId: null, brandIds: ['gap'] })
      await join({ verdictId: 'V-5', brandId: null, brandIds: [] })
      expect(await joined(shown)).toEqual([0])
      expect(await joined(shown, 'confirmed-gap')).toEqual([])
      const ids = async () => (await banks.images('confirmed', { limit: 9 })).map(({ source }) => source.verdictId)
      expect(new Set(await ids())).toEqual(new Set(['V-2', 'V-5']))

      // Heard of by nobody yet: what was looked up before is compared again.
      await banks.vouch('of-gap', added[0]?.imageId ?? '', 'ann')
      await join({ verdictId: 'V-6', brandIds: both, byBrand: true })
      await join({ verdictId: 'V-7', brandId: null, brandIds: both })
      expect(await joined(shown)).toEqual([0])
      expect(new Set(await ids())).toEqual(new Set(['V-2', 'V-5']))
    },
  )

  /** Like no official picture, and said to be: it stays out where the look is believed. */
  const TOLD = turned('told', 0, 200)
  const believing: LookForOfficials = async (pictures) => {
    const said = await look(pictures)
    return { ...said, near: [...said.near, { sha256: TOLD.sha256, frame: 0, bankId: 'of-nike', alone: false }] }
  }

  /** Both ways in which a verdict comes, each with a listing and its case. */
  async function stores(officials: LookForOfficials) {
    const pool = node.database.deciding
    const outputs = await prepareOutputs(pool, { ...OUTPUTS, [VERDICTS]: 2 })
    const world = reviewWorld({ ...node, review: createReviewStore({ pool, outputs, officials }) }, 0)
    await world.screen('L-1', 1)
    const decision = (await node.reader.history('L-1'))?.decisions[0]
    if (decision?.caseId === undefined) throw new Error('no case')
    return { world, decision, caseId: decision.caseId, verdicts: createVerdictStore({ pool, outputs, officials }) }
  }

  test('a person’s word looks before it locks, for those who may speak on the case alone', async () => {
    await official('of-nike', ['shoe'])
    await follow()
    const asked: string[][] = []
    const { world, caseId } = await stores(async (pictures) => {
      asked.push(pictures.map(({ sha256 }) => sha256))
      // Whoever changes reference data goes on meanwhile.
      await banks.upsertBank(bank(`other-${asked.length}`), 'ann', 'all')
      return believing(pictures)
    })
    const shown = [turned('shoe', 5, 2), turned('own', 0, 200), TOLD]
    await show(shown, caseId)
    expect(await world.review.verdict(caseId, holder('gap'), { verdict: 'confirmed' })).toBeUndefined()
    const first = { verdict: 'confirmed' as const, verdictId: 'V-1' }
    expect(await world.review.verdict(caseId, analyst, first)).toMatchObject({ kind: 'recorded' })
    expect(asked.map((pictures) => pictures.toSorted())).toEqual([shown.map(({ sha256 }) => sha256).toSorted()])
    expect(await joined(shown, 'confirmed')).toEqual([1])
    // Of a word that names some, those alone.
    const second = { verdict: 'confirmed' as const, supersedes: 'V-1', pictures: [0, String(shown[1]?.sha256)] }
    expect(await world.review.verdict(caseId, analyst, second)).toMatchObject({ kind: 'recorded' })
    expect(asked.slice(1).map((pictures) => pictures.toSorted())).toEqual([
      shown
        .slice(0, 2)
        .map(({ sha256 }) => sha256)
        .toSorted(),
    ])
    expect(await joined(shown, 'confirmed')).toEqual([1])
  })

  test('so does a verdict from the log, where it confirms', async () => {
    await official('of-nike', ['shoe'])
    await follow()
    const asked: string[][] = []
    const { decision, caseId, verdicts } = await stores((pictures) => {
      asked.push(pictures.map(({ sha256 }) => sha256))
      return believing(pictures)
    })
    const shown = [turned('shoe', 5, 2), turned('own', 0, 200), TOLD]
    await show(shown, caseId)
    await show([turned('earlier', 0, 0)], caseId, 2)
    const say = async (verdictId: string, verdict: Verdict['verdict'], pictures: string[] | null = null) => {
      const { listingId, revision, decisionId } = decision
      const said: Verdict = {
        verdictId,
        listingId,
        revision,
        decisionId,
        verdict,
        by: { subject: 'ann', role: 'analyst' },
        at: '2026-01-01T00:00:00Z',
        source: 'review',
        pictures,
      }
      const from = await node.store.place('verdicts', VERDICTS, 0, 0n)
      const about = { brandId: 'nike', brandIds: ['nike'], pictures }
      const joins = [{ verdictId, caseId, listingId, revision, ...about, by: 'ann', byBrand: false }]
      await verdicts.commit(
        { group: 'verdicts', topic: VERDICTS, partition: 0, from, next: from + 1n },
        [said],
        () => ({
          ...NOTHING,
          verdicts: [said],
          bankJoins: verdict === 'confirmed' ? joins : [],
        }),
      )
    }
    await say('V-1', 'rejected')
    await say('V-2', 'confirmed')
    expect(asked.map((pictures) => pictures.toSorted())).toEqual([shown.map(({ sha256 }) => sha256).toSorted()])
    expect(await joined(shown)).toEqual([1])
    const pictures = [String(shown[1]?.sha256)]
    await say('V-3', 'confirmed', pictures)
    expect(asked.slice(1)).toEqual([pictures])
  })

  test('a blank picture is not looked up, and without anybody who holds the banks nothing is', async () => {
    await follow()
    const { caseId, decision } = await stores(look)
    await show([picture('plain', { blank: true }), picture('own')], caseId)
    const { deciding } = node.database
    const seen = await lookAhead(deciding, shownAt([decision]), look)
    expect(seen.looked).toEqual([{ sha256: picture('own').sha256, frame: 0 }])
    const looked = [{ listingId: 'L-1', sha256: picture('own').sha256, frame: 0 }]
    const unseen = { ...NOT_LOOKED, elsewhere: [], lookedUp: looked }
    expect(await lookAhead(deciding, shownAt([decision]), undefined)).toEqual(unseen)
  })
})
