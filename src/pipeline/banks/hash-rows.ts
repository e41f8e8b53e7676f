// The hashes of every picture, side by side by slot, in pieces that never move: to copy those of a million takes 100 ms.

export interface HashRows {
  /** What stands there; to be read at once, and not to be changed. */
  at(slot: number): Uint8Array
  /** As long as a row. */
  set(slot: number, row: Uint8Array): void
  /** The rows as they are now, whatever is set later. Takes microseconds; what is set later copies its piece first, once. */
  asOfNow(): (slot: number) => Uint8Array
}

/** 400 kB where a row has 96 bytes: copied in a tenth of a millisecond. */
const ROWS = 4096

/** @param size bytes of a row */
export function createHashRows(size: number): HashRows {
  let pieces: Uint8Array[] = []
  /** Pieces that somebody still reads as they were. */
  const shared = new Set<Uint8Array>()
  const rowIn = (all: readonly Uint8Array[], slot: number) => {
    const from = (slot % ROWS) * size
    return (all[Math.floor(slot / ROWS)] ?? NOTHING).subarray(from, from + size)
  }
  return {
    at: (slot) => rowIn(pieces, slot),
    set(slot, row) {
      const number = Math.floor(slot / ROWS)
      let piece = pieces[number]
      if (piece === undefined) pieces[number] = piece = new Uint8Array(ROWS * size)
      else if (shared.delete(piece)) pieces[number] = piece = piece.slice()
      piece.set(row, (slot % ROWS) * size)
    },
    asOfNow() {
      const then = pieces
      pieces = [...pieces]
      for (const piece of then) shared.add(piece)
      return (slot) => rowIn(then, slot)
    },
  }
}

const NOTHING = new Uint8Array()
