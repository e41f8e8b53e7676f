// A map in bounded memory: what was put last is kept, so much of it.

export interface Latest<T> {
  get(key: string): T | undefined
  /** What was put longest ago is forgotten where it gets too much; one that is larger than all of it is not held. */
  put(key: string, value: T): void
  remove(key: string): void
}

/** @param sizeOf what one counts of `most`, always the same for it; 1 where not said */
export function createLatest<T>(most: number, sizeOf: (value: T) => number = () => 1): Latest<T> {
  const entries = new Map<string, T>()
  let size = 0
  const remove = (key: string): void => {
    const known = entries.get(key)
    if (known === undefined) return
    entries.delete(key)
    size -= sizeOf(known)
  }
  return {
    get: (key) => entries.get(key),
    put(key, value) {
      remove(key)
      const more = sizeOf(value)
      if (more > most) return
      entries.set(key, value)
      size += more
      for (const oldest of entries.keys()) {
        if (size <= most) break
        remove(oldest)
      }
    },
    remove,
  }
}
