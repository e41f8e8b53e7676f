// What became of everything: the count that must come out even, how right the gate was by the fixtures' labels, how fast.
import type { Decision, Stage } from '../../domain/decision.ts'
import { OUTCOMES, type Outcome } from '../../domain/policy.ts'
import { cutText, fit, plain, type Terminal } from '../terminal.ts'
import type { End, Played } from './ledger.ts'
import { LABELS } from './story.ts'
import { goods, mistakeOf } from './telling.ts'

export interface Address {
  readonly label: string
  readonly url: string
}

export interface SummaryOptions {
  readonly terminal: Terminal
  readonly played: readonly Played[]
  /** What was decided during the play without a record of its own. */
  readonly later: readonly Decision[]
  readonly elapsedMs: number
  readonly pace: 'read' | 'fast'
  readonly stopped: boolean
  readonly addresses: readonly Address[]
}

const ENDS: readonly { readonly kind: End['kind']; readonly name: string; readonly says: string }[] = [
  { kind: 'decided', name: 'decided', says: '' },
  { kind: 'refused', name: 'refused', says: 'named, but not fit to be tried: the marketplace is told which field' },
  { kind: 'dead-letter', name: 'dead letters', says: 'could not be read: kept byte for byte, with the reason' },
  { kind: 'duplicate', name: 'duplicates', says: 'the same once more: nothing is written' },
  { kind: 'withdrawn', name: 'withdrawn', says: 'taken back by the seller' },
]

const NAMES: Readonly<Record<(typeof LABELS)[number], string>> = {
  honest: 'honest sellers',
  overt: 'overt fakes',
  silent: 'silent fakes',
}

export function tellSummary({ terminal, played, later, elapsedMs, pace, stopped, addresses }: SummaryOptions): string {
  const { colours } = terminal
  const lines: string[] = [
    '\n',
    terminal.heading(stopped ? 'Stopped early: what became of the records so far' : 'What became of the records'),
  ]
  const row = (name: string, count: number, says: string) =>
    lines.push(
      `  ${fit(name, 13)}${String(count).padStart(5)}   ${colours.dim(cutText(says, terminal.width - 23))}`.trimEnd() +
        '\n',
    )

  for (const { kind, name, says } of ENDS) {
    const count = played.filter((p) => p.end?.kind === kind).length
    row(name, count, kind === 'decided' ? outcomes(played) : says)
  }
  const open = played.filter((p) => p.end === undefined)
  if (open.length > 0) lines.push(colours.red(`  ${fit('no end yet', 13)}${String(open.length).padStart(5)}\n`))
  const even = open.length === 0
  const verdict = terminal.paragraph(even ? 'every record has exactly one end' : 'some have no end yet', 2)
  lines.push(
    `  ${fit('sent', 13)}${String(played.length).padStart(5)}\n`,
    even ? colours.green(verdict) : colours.red(verdict),
    '\n',
  )

  const narrow = terminal.width < 56
  const column = narrow ? 7 : 9
  const size = (text: string) => (narrow ? '' : text.padStart(10))
  lines.push(`  ${fit('', 15)}${size('decided')}${OUTCOMES.map((o) => o.padStart(column)).join('')}\n`)
  for (const label of LABELS) {
    const of = played.filter((p) => p.row.label === label && p.end?.kind === 'decided')
    const cells = OUTCOMES.map((outcome) => share(countOf(of, outcome), of.length).padStart(column)).join('')
    lines.push(`  ${fit(NAMES[label], 15)}${size(String(of.length))}${cells}\n`)
  }
  if (later.length > 0)
    lines.push(terminal.paragraph(`Counted by what the gate decided at once. Later came ${laterWords(later)}.`, 2))
  lines.push('\n', ...mistakes(terminal, played, true), ...mistakes(terminal, played, false))

  const latencies = played
    .flatMap((p) => (p.end?.kind === 'decided' ? [Date.parse(p.end.decision.decidedAt) - p.sentAt] : []))
    .sort((a, b) => a - b)
  const rate = played.length / Math.max(0.001, elapsedMs / 1_000)
  const clause =
    pace === 'read'
      ? 'the pace of this demo, not the limit of the gate'
      : 'chapter after chapter, each waited for: not the limit of the gate'
  lines.push(
    terminal.paragraph(
      `${rate.toFixed(rate < 100 ? 1 : 0)} records a second (${clause}); from submitted to decided: half within ${percentile(latencies, 0.5)} ms, 99 % within ${percentile(latencies, 0.99)} ms.`,
      2,
    ),
  )
  if (!stopped) {
    lines.push('\n')
    const widest = Math.max(0, ...addresses.map((a) => a.label.length))
    for (const { label, url } of addresses) {
      // An address that would be broken over two lines can no longer be clicked.
      const beside = widest + url.length + 4 <= terminal.width
      lines.push(beside ? `  ${label.padEnd(widest)}  ${colours.cyan(url)}\n` : `  ${label}\n${colours.cyan(url)}\n`)
    }
    lines.push('\n  Ctrl-C to stop\n')
  }
  return lines.join('')
}

const LATER: readonly (readonly [Stage, one: string, many: string])[] = [
  ['deadline', 'a hold ended by the clock', 'holds ended by the clock'],
  ['review', 'a decision by what a person said', 'decisions by what a person said'],
  ['rescreen', 'a listing looked at again by the gate itself', 'listings looked at again by the gate itself'],
]

function laterWords(later: readonly Decision[]): string {
  const parts = LATER.flatMap(([stage, one, many]) => {
    const count = later.filter((decision) => decision.stage === stage).length
    return count === 0 ? [] : [count === 1 ? one : `${count} ${many}`]
  })
  return new Intl.ListFormat('en').format(parts)
}

/** The false positives, or the false negatives, by name: a demo that hides them would teach nothing. */
function mistakes(terminal: Terminal, played: readonly Played[], honest: boolean): string[] {
  const wrong = played.filter((p) => mistakeOf(p) !== undefined && (p.row.label === 'honest') === honest)
  const of = played.filter(
    (p) => p.end?.kind === 'decided' && p.row.label !== undefined && (p.row.label === 'honest') === honest,
  ).length
  const title = honest ? 'Honest sellers that were stopped' : 'Fakes that got through'
  if (wrong.length === 0) return [`  ${title}: none of ${of}\n\n`]
  const lines = wrong.map((p) => {
    const seller = p.row.event === 'raw' ? undefined : p.row.data['sellerId']
    const outcome = p.end?.kind === 'decided' ? p.end.decision.outcome : ''
    return terminal.paragraph(
      `${honest ? `${outcome} ` : ''}${typeof seller === 'string' ? plain(seller, 40) : 'nobody'}: ${plain(goods(p).title, 120)} (${p.row.story})`,
      4,
    )
  })
  return [`  ${title}: ${wrong.length} of ${of}\n`, ...lines, '\n']
}

function countOf(played: readonly Played[], outcome: Outcome): number {
  return played.filter((p) => p.end?.kind === 'decided' && p.end.decision.outcome === outcome).length
}

function outcomes(played: readonly Played[]): string {
  return OUTCOMES.map((outcome) => `${outcome} ${countOf(played, outcome)}`).join(', ')
}

function share(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((part / whole) * 100).toFixed(0)} %`
}

/** Nearest rank; 0 of nothing. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}
