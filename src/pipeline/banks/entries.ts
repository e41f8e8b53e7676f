// The pictures of all banks in memory: told of every change one by one, and asked which of them a picture is like.
import type { Bank, BankImage, BankKind, PictureForm } from '../../domain/bank.ts'
import { createHashIndex, fillHashIndex, type HashFilling, type HashIndex } from '../../imaging/hash-index.ts'
import { inSteps } from '../../imaging/in-turns.ts'
import type { SeenPicture } from '../../imaging/picture.ts'
import type { BankMatch } from '../../signals/image-hash/ports.ts'
import { FORMS, formsIn, HASH, HASHES_BYTES, hashesOf } from './entry-hashes.ts'
import { createHashRows } from './hash-rows.ts'
import { createNumbers } from './numbers.ts'
import { voiceOf } from './voices.ts'

export interface BankEntries {
  /** Pictures that can match. */
  readonly size: number
  /** That match nothing at all. */
  readonly quarantined: number
  /** That can match, but nothing of some marketplaces. */
  readonly quarantinedForSome: number
  /** As in the store's census. */
  readonly sum: bigint
  banks(): readonly Bank[]
  /** Pictures that can match, by kind. */
  sizes(): Readonly<Record<BankKind, number>>
  putBank(bank: Bank): void
  /** The same in steps: where its distance changed its pictures move, and until then match within the one before. */
  putBankInSteps(bank: Bank): Generator<void, void>
  /** Of a bank that was put before. False when it cannot be compared with anything: its hash is none. */
  put(
    image: Pick<BankImage, 'imageId' | 'bankId' | 'hash' | 'source'> & {
      readonly state: BankImage['state']
      readonly forms?: readonly string[]
      readonly quarantine?: BankImage['quarantine']
    },
  ): boolean
  /** The same from what was held before. */
  hold(entry: StoredEntry): void
  drop(imageId: string): void
  /** When its last step is done it can be asked. Nothing is put or dropped from the first on until then. */
  readyInSteps(): Generator<void, void>
  ready(): void
  /** Of each bank the nearest picture of each voice (voices.ts) that is not in quarantine for that marketplace. Of entries that are being filled nothing, until they are ready. */
  match(picture: Pick<SeenPicture, 'sha256' | 'variants' | 'blank'>, marketplace?: string | null): BankMatch[]
  /** Every picture as of now, of both states, in no order: what changes while they are handed out makes no difference. */
  all(): Iterable<StoredEntry>
}

/** A picture as it is held: enough to begin again from. */
export interface StoredEntry {
  readonly imageId: string
  readonly bankId: string
  /**
   * `HASHES_BYTES`: PDQ of the picture, then of each of its derived forms, zeros where there is none. Empty for one in
   * quarantine, which matches nothing.
   */
  readonly hashes: Uint8Array
  /** JSON: a million parsed objects would take three times as much. */
  readonly source: string
  /** Where it is in quarantine while it matches elsewhere: for marketplaces; null: for listings that name none. */
  readonly apart?: readonly (string | null)[]
}

interface Entry {
  readonly imageId: string
  readonly bank: HeldBank
  source: string
  /** Of the source, once it was asked for. */
  voice?: string | undefined
  apart?: StoredEntry['apart'] | undefined
}

interface HeldBank {
  bank: Bank
  size: number
}

/** How many of the nearest are asked for at first: more than there are banks near one picture as a rule. */
const NEAR = 32
const NO_HASH = new Uint8Array()
/** Sources that many pictures have in common lie in memory once. */
const PLAIN = new Map(
  ['{"kind":"api"}', '{"kind":"api","by":"brand"}', '{"kind":"import"}'].map((text) => [text, text]),
)

/**
 * One index for each match distance that some bank has, because looking far costs more: banks with the common 31 bits do
 * not pay for one with 63. All entries of a bank lie in the index of its distance, each form of a picture as one of its own:
 * the numbers of slot `s` are from `s` times the number of forms on, so that they come and go together.
 */
export function createBankEntries(options: { readonly filling?: boolean } = {}): BankEntries {
  const banks = new Map<string, HeldBank>()
  const shelves = new Map<number, HashIndex>()
  const slots: (Entry | undefined)[] = []
  // Side by side: a million small arrays would take four times as much.
  const hashes = createHashRows(HASHES_BYTES)
  const slotOf = createNumbers()
  const free: number[] = []
  const quarantined = new Map<string, StoredEntry>()
  let [sum, forSome] = [0n, 0]
  /** One by one costs ten times as much: while filling, the indexes are left to the end. */
  let isFilling = options.filling === true

  const shelfOf = (distance: number): HashIndex => {
    let shelf = shelves.get(distance)
    if (shelf === undefined) shelves.set(distance, (shelf = createHashIndex()))
    return shelf
  }

  function* formsAt(slot: number): Generator<[id: number, hash: Uint8Array]> {
    for (const [form, hash] of formsIn(hashes.at(slot))) yield [slot * FORMS.length + form, hash]
  }
  const addTo = (shelf: HashIndex, slot: number) => {
    for (const [id, hash] of formsAt(slot)) shelf.add(id, hash)
  }
  const removeFrom = (shelf: HashIndex, slot: number) => {
    for (const [id] of formsAt(slot)) shelf.remove(id)
  }

  function remove(imageId: string): void {
    const slot = slotOf.get(imageId)
    const entry = slot === undefined ? undefined : slots[slot]
    if (slot === undefined || entry === undefined) return
    if (!isFilling) removeFrom(shelfOf(entry.bank.bank.maxDistance), slot)
    entry.bank.size -= 1
    sum -= firstBytes(imageId)
    setApart(entry, undefined)
    slots[slot] = undefined
    slotOf.delete(imageId)
    free.push(slot)
  }

  function setApart(entry: Entry, apart: Entry['apart']): void {
    forSome += Number(apart !== undefined) - Number(entry.apart !== undefined)
    entry.apart = apart
  }

  function hold(stored: StoredEntry): void {
    const { imageId, bankId, hashes: its, source, apart } = stored
    const bank = banks.get(bankId)
    if (bank === undefined) throw new Error(`the bank ${bankId} of picture ${imageId} is not known`)
    if (its.length === 0) {
      remove(imageId)
      quarantined.set(imageId, stored)
      return
    }
    quarantined.delete(imageId)
    const held = slots[slotOf.get(imageId) ?? -1]
    if (held !== undefined) {
      // What it is stays, and who vouches for it may change.
      held.source = PLAIN.get(source) ?? source
      held.voice = undefined
      setApart(held, apart)
      return
    }
    const slot = free.pop() ?? slots.length
    const entry: Entry = { imageId, bank, source: PLAIN.get(source) ?? source }
    setApart(entry, apart)
    slots[slot] = entry
    hashes.set(slot, its)
    slotOf.set(imageId, slot)
    if (!isFilling) addTo(shelfOf(bank.bank.maxDistance), slot)
    bank.size += 1
    sum += firstBytes(imageId)
  }

  return {
    get size() {
      return slotOf.size
    },
    get quarantined() {
      return quarantined.size
    },
    get quarantinedForSome() {
      return forSome
    },
    get sum() {
      return sum
    },
    banks: () => [...banks.values()].map(({ bank }) => bank),

    sizes() {
      const sizes = { genuine: 0, counterfeit: 0, logo: 0, allowed: 0 }
      for (const { bank, size } of banks.values()) sizes[bank.kind] += size
      return sizes
    },

    putBank(bank) {
      for (const _ of putBankInSteps(bank));
    },

    putBankInSteps,

    put({ imageId, bankId, hash, forms, state, source, quarantine }) {
      const apart = Array.isArray(quarantine?.scope) ? { apart: quarantine.scope } : {}
      if (state === 'quarantined' && !('apart' in apart)) hold({ imageId, bankId, hashes: NO_HASH, source: '{}' })
      else if (HASH.test(hash))
        hold({ imageId, bankId, hashes: hashesOf(hash, forms), source: JSON.stringify(source), ...apart })
      else return false
      return true
    },

    hold,

    drop(imageId) {
      quarantined.delete(imageId)
      remove(imageId)
    },

    ready() {
      for (const _ of readyInSteps());
    },

    readyInSteps,

    match(picture, marketplace = null) {
      if (picture.blank) return []
      const nearest = new Map<string, { entry: Entry; distance: number; variant: number; form: PictureForm }>()
      for (const [maxDistance, shelf] of shelves) {
        if (shelf.size === 0) continue
        for (const [variant, hash] of picture.variants.entries()) {
          for (const { id, distance } of nearestOfEach(shelf, hash, maxDistance)) {
            const entry = slots[slotIn(id)]
            if (entry === undefined || entry.apart?.includes(marketplace) === true) continue
            entry.voice ??= voiceOf(entry.source)
            const key = `${entry.bank.bank.bankId} ${entry.voice}`
            const best = nearest.get(key)
            if (best === undefined || distance < best.distance)
              nearest.set(key, { entry, distance, variant, form: FORMS[id % FORMS.length] ?? 'whole' })
          }
        }
      }
      return [...nearest.values()]
        .map(({ entry: { imageId, bank, source }, distance, variant, form }) => ({
          bankId: bank.bank.bankId,
          kind: bank.bank.kind,
          imageId,
          brandId: bank.bank.brandId,
          distance,
          variant,
          form,
          source: JSON.parse(source) as BankImage['source'],
        }))
        .toSorted((a, b) => a.distance - b.distance || (a.bankId < b.bankId ? -1 : 1))
    },

    all() {
      const [ids, hashesOf, its] = [slots.slice(), hashes.asOfNow(), [...quarantined.values()]]
      return (function* () {
        for (const [slot, entry] of ids.entries())
          if (entry !== undefined)
            yield {
              imageId: entry.imageId,
              bankId: entry.bank.bank.bankId,
              hashes: hashesOf(slot),
              source: entry.source,
              ...(entry.apart === undefined ? {} : { apart: entry.apart }),
            }
        yield* its
      })()
    },
  }

  function* readyInSteps(): Generator<void, void> {
    const fillings = new Map<number, HashFilling>()
    yield* inSteps(slots.entries(), ([slot, entry]) => {
      if (entry === undefined) return
      const { maxDistance } = entry.bank.bank
      let filling = fillings.get(maxDistance)
      if (filling === undefined) fillings.set(maxDistance, (filling = fillHashIndex()))
      for (const [id, hash] of formsAt(slot)) filling.put(id, hash)
    })
    for (const [distance, filling] of fillings) shelves.set(distance, yield* filling.ready())
    isFilling = false
  }

  function* putBankInSteps(bank: Bank): Generator<void, void> {
    const held = banks.get(bank.bankId)
    if (held === undefined) return void banks.set(bank.bankId, { bank, size: 0 })
    const before = held.bank.maxDistance
    held.bank = bank
    if (isFilling || before === bank.maxDistance) return
    const [from, to] = [shelfOf(before), shelfOf(bank.maxDistance)]
    yield* inSteps(slots.entries(), ([slot, entry]) => {
      if (entry?.bank !== held) return
      removeFrom(from, slot)
      addTo(to, slot)
    })
  }
}

/** A few at first; all where so many are near that a bank, or a voice in it, may be missing among those. */
function nearestOfEach(shelf: HashIndex, hash: Uint8Array, distance: number) {
  const few = shelf.within(hash, distance, NEAR)
  return few.length < NEAR ? few : shelf.within(hash, distance)
}

const slotIn = (id: number): number => Math.floor(id / FORMS.length)

const firstBytes = (imageId: string): bigint => BigInt(Number.parseInt(imageId.slice(0, 8), 16))
