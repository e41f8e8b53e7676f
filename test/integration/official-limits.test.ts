// How much is compared with official pictures while everybody waits. Real: PostgreSQL, the statements of the stores; invented: hashes of known distances.
import { beforeEach, describe, expect, test } from 'vitest'
import { NOT_LOOKED } from '../../src/adapters/postgres/official-pictures.ts'
import type { BankJoin, OfficialLook } from '../../src/pipeline/verdicts/ports.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { joinOf, showInCase, toldOfJoins } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

/** A picture of which one of the forms is so many bits from the official picture `of`. */
const turned = (of: string, form: number, bits: number) => {
  const forms = Array.from({ length: 8 }, (_, i) => hash(`form ${i} of ${of}, ${bits}`))
  const variants = forms.with(form, hash(`hash of ${of}`, bits)).map((bytes) => bytes.toString('hex'))
  return picture(`${of}, form ${form}, ${bits}`, { hash: variants[0] ?? '', variants })
}

describe('official pictures under the lock', () => {
  let node: PostgresNode
  beforeEach(async () => {
    node = await freshNode()
  })
  const official = async (names: readonly string[]) => {
    await node.banks.upsertBank(bank('of-nike', { kind: 'genuine', brandId: 'nike' }), 'ann', 'all')
    const images = names.map((name) => ({ picture: picture(name), source: { kind: 'api' as const } }))
    await node.banks.addImages('of-nike', images, 'ann', 'all')
  }
  /** Gives each official entry so many more hashes that are like nothing. */
  const weigh = (hashes: number) =>
    node.database.deciding.query(
      `update bank_image set forms = forms || array(select md5('a' || n) || md5('b' || n) from generate_series(1, $1::int) n)
       where bank_id = 'of-nike'`,
      [hashes],
    )
  const toldOf = async (seen: OfficialLook, more: Partial<BankJoin> = {}) =>
    (await toldOfJoins(node.database.deciding, [joinOf(more)], seen))?.[0]

  test('what would take long to compare under the lock is not: it joins where it is named, and is said not to be known', async () => {
    await official(['shoe', 'bag'])
    await weigh(60_000)
    const shown = [turned('shoe', 3, 4), turned('own', 0, 200), picture('bag')]
    await showInCase(node.database.deciding, 'C-1', shown)
    expect(await toldOf(NOT_LOOKED)).toMatchObject({ joined: 0, notLookedUp: 2, official: 1 })
    // Where nothing changed since, the same number is nothing to wait for.
    const [{ change }] = (await node.database.deciding.query<{ change: string }>('select change from reference_head'))
      .rows as [{ change: string }]
    const near = [{ sha256: shown[0]?.sha256 ?? '', frame: 0, bankId: 'of-nike', alone: false }]
    const since = { change: BigInt(change), looked: shown.map(({ sha256 }) => ({ sha256, frame: 0 })), near }
    expect(await toldOf(since)).toMatchObject({ joined: 1, notLookedUp: 0, official: 2 })
    const pictures = shown.map(({ sha256 }) => sha256)
    expect(await toldOf(NOT_LOOKED, { verdictId: 'V-n', pictures })).toMatchObject({ joined: 2, official: 1 })
  })

  test('of several as many are compared under the lock as do not take long, and those that a verdict names first', async () => {
    await official(['shoe'])
    await weigh(45_000)
    const many = (name: string) => {
      const one = turned('shoe', 2, 4)
      const variants = [...one.variants, ...Array.from({ length: 22 }, (_, i) => hash(`${name} ${i}`).toString('hex'))]
      return picture(name, { hash: one.hash, variants })
    }
    const shown = ['a', 'b'].map(many)
    await showInCase(node.database.deciding, 'C-1', shown)
    expect(await toldOf(NOT_LOOKED)).toMatchObject({ joined: 0, official: 1, notLookedUp: 1 })
    // Each named alone, beside a verdict that names none.
    for (const { sha256 } of shown) {
      const joins = [joinOf({ verdictId: `V ${sha256}`, pictures: [sha256] }), joinOf({ verdictId: `all ${sha256}` })]
      const [first] = (await toldOfJoins(node.database.deciding, joins, NOT_LOOKED)) ?? []
      expect(first).toMatchObject({ joined: 0, official: 1, unnamed: 1 })
    }
  })
})
