// The phrase finder against plain searching. Real: everything.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildAutomaton, type FindOptions } from '../../../src/text/automaton.ts'

function matches(patterns: readonly string[], text: string, options?: FindOptions): string[] {
  const found: string[] = []
  buildAutomaton(patterns).find(
    text,
    (pattern, start, end) => {
      found.push(`${pattern}:${start}-${end}`)
    },
    options,
  )
  return found
}

function bySearching(patterns: readonly string[], text: string): string[] {
  const found: string[] = []
  patterns.forEach((pattern, index) => {
    if (pattern === '') return
    for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1))
      found.push(`${index}:${at}-${at + pattern.length}`)
  })
  return found
}

describe('automaton', () => {
  it('finds what plain searching finds, whatever the patterns', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '奈', '\ud83d', '\udc5c'), maxLength: 5 })
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '奈', '\ud83d', '\udc5c'), maxLength: 60 }),
        (patterns, text) => {
          expect(matches(patterns, text).toSorted()).toEqual(bySearching(patterns, text).toSorted())
        },
      ),
      { numRuns: 500 },
    )
  })

  it('visits longer patterns first at one end, and equal patterns both', () => {
    expect(matches(['he', 'she', 'he'], 'she')).toEqual(['1:0-3', '2:1-3', '0:1-3'])
  })

  it('finds no word inside another, but needs no blanks in Chinese', () => {
    const whole = { wholeWords: true }
    expect(matches(['gap'], 'gaping stopgap gap2 gap-toothed', whole)).toEqual(['0:20-23'])
    expect(matches(['古驰'], '正品古驰包', whole)).toEqual(['0:2-4'])
    expect(matches(['lv'], '真lv包', whole)).toEqual(['0:1-3'])
    expect(matches(['оса'], 'полоса', whole)).toEqual([])
  })

  it('stops when told to', () => {
    let seen = 0
    buildAutomaton(['a']).find('aaaa', () => {
      seen++
      return seen < 2
    })
    expect(seen).toBe(2)
  })

  it('matches nothing without patterns', () => {
    expect(matches([], 'abc')).toEqual([])
    expect(matches([''], 'abc')).toEqual([])
  })
})
