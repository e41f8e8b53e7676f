// Finds thousands of phrases in one pass over a text, in any script (Aho and Corasick, CACM 18(6), 1975).
import { isBoundary } from './characters.ts'

export interface FindOptions {
  /** Drop matches that begin or end inside a word; scripts without spaces, such as Han, have no such inside. */
  readonly wholeWords?: boolean
}

export interface Automaton {
  readonly patterns: readonly string[]
  /**
   * Calls `visit` for every occurrence of every pattern, by rising end, longest first. `start` and `end` are UTF-16 code
   * units, half open. Time is linear in the text plus the number of occurrences. Return `false` from `visit` to stop.
   */
  find(
    text: string,
    visit: (patternIndex: number, start: number, end: number) => boolean | void,
    options?: FindOptions,
  ): void
}

/** Empty patterns never match; a pattern given twice is visited twice. Patterns and text must have been normalised alike. */
export function buildAutomaton(patterns: readonly string[]): Automaton {
  const table = new Transitions(patterns.reduce((sum, p) => sum + p.length, 0) + 1)
  /** Last pattern that ends in a state, -1 for none; `sameAs` chains equal patterns. */
  const ends = new Int32Array(table.capacity).fill(-1)
  const sameAs = new Int32Array(patterns.length).fill(-1)
  patterns.forEach((pattern, index) => {
    if (pattern === '') return
    let state = 0
    for (let i = 0; i < pattern.length; i++) state = table.childOrNew(state, pattern.charCodeAt(i))
    sameAs[index] = ends[state] ?? -1
    ends[state] = index
  })
  const { fail, output } = link(table, ends)
  return {
    patterns,
    find(text, visit, options = {}) {
      const whole = options.wholeWords === true
      let state = 0
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i)
        let next = table.child(state, unit)
        while (next < 0 && state !== 0) {
          state = fail[state] ?? 0
          next = table.child(state, unit)
        }
        state = next < 0 ? 0 : next
        let hit = (ends[state] ?? -1) >= 0 ? state : (output[state] ?? 0)
        if (hit === 0) continue
        if (whole && !isBoundary(unit, i + 1 < text.length ? text.charCodeAt(i + 1) : -1)) continue
        for (; hit !== 0; hit = output[hit] ?? 0) {
          for (let p = ends[hit] ?? -1; p >= 0; p = sameAs[p] ?? -1) {
            const start = i + 1 - (patterns[p]?.length ?? 0)
            if (whole && start > 0 && !isBoundary(text.charCodeAt(start - 1), text.charCodeAt(start))) continue
            if (visit(p, start, i + 1) === false) return
          }
        }
      }
    },
  }
}

/** For every state the longest proper suffix that is a state too, and the nearest one of those that ends a pattern (0: none). */
function link(table: Transitions, ends: Int32Array): { fail: Int32Array; output: Int32Array } {
  const fail = new Int32Array(table.states)
  const output = new Int32Array(table.states)
  const queue = new Int32Array(table.states)
  let tail = 1
  for (let head = 0; head < tail; head++) {
    const state = queue[head] ?? 0
    for (let child = table.firstChild[state] ?? 0; child !== 0; child = table.nextSibling[child] ?? 0) {
      queue[tail++] = child
      if (state === 0) continue
      const unit = table.label[child] ?? 0
      let from = fail[state] ?? 0
      let to = table.child(from, unit)
      while (to < 0 && from !== 0) {
        from = fail[from] ?? 0
        to = table.child(from, unit)
      }
      const suffix = to < 0 ? 0 : to
      fail[child] = suffix
      output[child] = (ends[suffix] ?? -1) >= 0 ? suffix : (output[suffix] ?? 0)
    }
  }
  return { fail, output }
}

/** The trie's edges: one open-addressing hash table over (state, code unit), so that any script costs the same. */
class Transitions {
  readonly capacity: number
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
  readonly label: Uint16Array
  states = 1
  readonly #slots: Int32Array
  readonly #parent: Int32Array
  readonly #mask: number
  readonly #fromRoot = new Int32Array(0x1_0000).fill(-1)

  constructor(capacity: number) {
    this.capacity = capacity
    this.firstChild = new Int32Array(capacity)
    this.nextSibling = new Int32Array(capacity)
    this.label = new Uint16Array(capacity)
    this.#parent = new Int32Array(capacity)
    const size = 2 ** Math.ceil(Math.log2(capacity * 2 + 2))
    this.#mask = size - 1
    this.#slots = new Int32Array(size)
  }

  /** The state that `unit` leads to, or -1. */
  child(state: number, unit: number): number {
    if (state === 0) return this.#fromRoot[unit] ?? -1
    for (let i = this.#hash(state, unit); ; i = (i + 1) & this.#mask) {
      const found = this.#slots[i] ?? 0
      if (found === 0) return -1
      if (this.#parent[found] === state && this.label[found] === unit) return found
    }
  }

  childOrNew(state: number, unit: number): number {
    const found = this.child(state, unit)
    if (found >= 0) return found
    const made = this.states++
    this.label[made] = unit
    this.#parent[made] = state
    this.nextSibling[made] = this.firstChild[state] ?? 0
    this.firstChild[state] = made
    if (state === 0) this.#fromRoot[unit] = made
    else {
      let i = this.#hash(state, unit)
      while ((this.#slots[i] ?? 0) !== 0) i = (i + 1) & this.#mask
      this.#slots[i] = made
    }
    return made
  }

  #hash(state: number, unit: number): number {
    return ((Math.imul(state, 0x9e37_79b1) ^ Math.imul(unit, 0x85eb_ca6b)) >>> 7) & this.#mask
  }
}
