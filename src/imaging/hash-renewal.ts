// Leaving the places of removed entries behind: what is left moves to a new store in steps, and gets its tables there.
import { createPieces, type Pieces } from './hash-pieces.ts'
import { createHashStore, NOBODY, type HashStore } from './hash-store.ts'

export interface Shelf {
  readonly store: HashStore
  readonly pieces: Pieces
}

export interface Renewal {
  /** In memory, beside what it is made of. */
  readonly bytes: number
  /** An entry of the old store went; one that came lies at its end, and is met there. */
  dropped(id: number): void
  /** A bounded piece of work (some microseconds); the new one when it holds all that the old one does. */
  step(): Shelf | undefined
}

/** Slots that are moved in a step: half a million entries have moved before as many others came or went. */
const SLOTS = 64

/** Nothing moves within the old store meanwhile, so it is asked as before. */
export function renew(old: HashStore): Renewal {
  const store = createHashStore()
  const pieces = createPieces(store)
  const hash = new Uint8Array(32)
  let next = 0
  return {
    get bytes() {
      return store.bytes + pieces.bytes
    },
    dropped: (id) => void store.drop(id),
    step() {
      for (const end = Math.min(old.used, next + SLOTS); next < end; next++) {
        const id = old.idAt(next)
        if (id === NOBODY) continue
        old.read(next, hash, 0)
        store.put(id, hash)
      }
      if (next < old.used) return undefined
      // Tables too: whoever asks afterwards need not wait for them. Once: who adds without end would never see them all.
      return pieces.step() && pieces.covered === 0 ? undefined : { store, pieces }
    },
  }
}
