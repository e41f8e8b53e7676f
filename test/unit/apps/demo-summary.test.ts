// What the demo adds up at its end: counts that come out even, first and last decisions, who was treated wrongly. Real: all of it.
import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/apps/demo/ledger.ts'
import type { Row } from '../../../src/apps/demo/story.ts'
import { percentile, tellSummary } from '../../../src/apps/demo/summary.ts'
import { createTerminal, textWidth } from '../../../src/apps/terminal.ts'
import type { Decision, Stage } from '../../../src/domain/decision.ts'
import type { Outcome } from '../../../src/domain/policy.ts'

const listing = (listingId: string, label: Row['label'] = 'honest'): Row => ({
  story: `it is ${listingId}`,
  label,
  expect: 'allow',
  event: 'listing.submitted',
  data: { listingId, revision: 1, sellerId: 's', title: 'Lamp' },
})

describe('the summary', () => {
  const told = (ledger: Ledger, later: readonly Decision[] = [], width = 100) =>
    tellSummary({
      terminal: createTerminal({ width, colour: false }),
      played: ledger.all,
      later,
      elapsedMs: 1_000,
      pace: 'fast',
      stopped: false,
      addresses: [],
    })
  const decision = (listingId: string, outcome: Outcome, stage: Stage = 'screening', sequence = 1) =>
    ({
      decisionId: `${listingId} ${sequence}`,
      listingId: `D1-${listingId}`,
      revision: 1,
      sequence,
      stage,
      outcome,
      decidedAt: '2026-01-01T12:00:00Z',
    }) as Decision
  const played = (rows: readonly (readonly [id: string, label: Row['label'], outcome: Outcome])[]): Ledger => {
    const ledger = new Ledger()
    for (const [id, label, outcome] of rows)
      ledger.sending({ ...listing(id), label }, 'D1').end = {
        kind: 'decided',
        decision: decision(id, outcome),
      }
    return ledger
  }
  /** Name and counts of the table under that head. */
  const table = (text: string, head: string) =>
    (text.split(`\n  ${head} `)[1]?.split('\n\n')[0]?.split('\n').slice(1) ?? []).map((row) => [
      row.slice(0, 14).trim(),
      ...(row.slice(14).match(/\d+(?! %|\d)/g) ?? []).map(Number),
    ])
  const one = (text: string) => text.replace(/\s+/g, ' ')

  it('says so when a record has no end', () => {
    const ledger = new Ledger()
    ledger.sending(listing('lost'), 'D1')
    expect(told(ledger)).toMatch(/no end yet +1/)
    expect(told(ledger)).not.toContain('Every record has exactly one end')
  })

  it('counts everything that was decided, also what nobody has labelled', () => {
    const ledger = played([
      ['lamp', 'honest', 'allow'],
      ['vase', undefined, 'hold'],
      ['bag', 'overt', 'block'],
      ['belt', 'silent', 'allow'],
    ])
    expect(told(ledger)).toMatch(/^ {2}decided +4 {3}allow 2, hold 1, block 1$/m)
    expect(table(told(ledger), 'at once')).toEqual([
      ['honest', 1, 0, 0, 1],
      ['overt fakes', 0, 0, 1, 1],
      ['silent fakes', 1, 0, 0, 1],
      ['not said', 0, 1, 0, 1],
      ['all', 2, 1, 1, 4],
    ])
    expect(told(ledger)).not.toContain('by now ')
  })

  it('says what was decided at once and what stands by now, and names who was stopped though a person let it go', () => {
    const ledger = played([
      ['lamp', 'honest', 'hold'],
      ['vase', 'honest', 'hold'],
      ['cup', 'honest', 'hold'],
      ['pan', 'honest', 'allow'],
      ['belt', 'silent', 'allow'],
    ])
    const later = [
      decision('vase', 'allow', 'review', 3),
      decision('lamp', 'block', 'deadline', 2),
      decision('vase', 'block', 'review', 2),
      decision('belt', 'hold', 'rescreen', 2),
    ]
    const text = told(ledger, later)
    expect(table(text, 'at once')[0]).toEqual(['honest', 1, 3, 0, 4])
    expect(table(text, 'by now')).toEqual([
      ['honest', 2, 1, 1, 4],
      ['overt fakes', 0, 0, 0, 0],
      ['silent fakes', 0, 1, 0, 1],
      ['all', 2, 2, 1, 5],
    ])
    expect(one(text)).toContain('held or blocked: 3 of 4 (75.0 %) at once, 2 of 4 (50.0 %) by now.')
    expect(one(text)).toContain('(it is lamp): held at once, blocked when its time was up')
    expect(one(text)).toContain('(it is vase): held at once, blocked by a person, allowed by a person')
    expect(one(text)).toContain('(it is cup): held at once, waits for a person')
    expect(one(text)).toContain('got through: 1 of 1 (100.0 %) at once, none of 1 by now.')
    expect(one(text)).toContain('(it is belt): allowed at once, held when the gate looked again, waits for a person')
    expect(text).not.toContain('it is pan')
  })

  it('names an honest listing that is stopped only later', () => {
    const text = told(played([['lamp', 'honest', 'allow']]), [decision('lamp', 'block', 'review', 2)])
    expect(one(text)).toContain('held or blocked: none of 1 at once, 1 of 1 (100.0 %) by now.')
    expect(one(text)).toContain('(it is lamp): allowed at once, blocked by a person')
  })

  it('rounds no share to none or all', () => {
    const many = Array.from({ length: 300 }, (_, i) => [`l${i}`, 'honest', i === 0 ? 'block' : 'allow'] as const)
    expect(told(played(many))).toMatch(/^ {2}honest +299 +99 % +0 +0 % +1 +1 % +300$/m)
  })

  it('fits terminals of 40 columns and more', () => {
    const ledger = played([
      ['lamp', 'honest', 'hold'],
      ['bag', 'overt', 'allow'],
    ])
    for (let width = 40; width <= 160; width += 1)
      for (const line of told(ledger, [decision('lamp', 'block', 'deadline', 2)], width).split('\n'))
        expect(textWidth(line)).toBeLessThanOrEqual(width)
  })

  it('tells of what was decided later by whom: the clock, a person, the gate itself', () => {
    const words = (stages: readonly Stage[]) =>
      one(
        told(
          new Ledger(),
          stages.map((stage) => ({ stage }) as Decision),
        ),
      )
    expect(words(['deadline', 'review', 'rescreen', 'deadline', 'review'])).toContain(
      'Later came 2 holds ended by the clock, 2 decisions by what a person said, and a listing looked at again by the gate itself.',
    )
    expect(words(['deadline'])).toContain('Later came a hold ended by the clock.')
    expect(words([])).not.toContain('Later came')
  })

  it('takes percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
    expect([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7], 0.99), percentile([], 0.5)]).toEqual([
      50, 99, 7, 0,
    ])
  })
})
