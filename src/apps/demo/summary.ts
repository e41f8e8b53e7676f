// What became of everything: the count that must come out even, how right the gate was by the fixtures' labels, how fast.
import type { Decision, Stage } from '../../domain/decision.ts'
import { OUTCOMES, type Outcome } from '../../domain/policy.ts'
import { fit, plain, textWidth, type Terminal } from '../terminal.ts'
import type { End, Played } from './ledger.ts'
import { courseOf, isMistake, standings, type Standing } from './standing.ts'
import { LABELS } from './story.ts'
import { goods } from './telling.ts'

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

/** What each end means fits behind its count on a line of 80. */
const ENDS: readonly { readonly kind: End['kind']; readonly name: string; readonly says: string }[] = [
  { kind: 'decided', name: 'decided', says: '' },
  { kind: 'refused', name: 'refused', says: 'readable but not fit; the marketplace is told why' },
  { kind: 'dead-letter', name: 'dead letters', says: 'unreadable: kept byte for byte, with the reason' },
  { kind: 'duplicate', name: 'duplicates', says: 'the same once more: nothing is written' },
  { kind: 'withdrawn', name: 'withdrawn', says: 'taken back by the seller' },
]

const NAMES: Readonly<Record<(typeof LABELS)[number], string>> = {
  honest: 'honest',
  overt: 'overt fakes',
  silent: 'silent fakes',
}

export function tellSummary(options: SummaryOptions): string {
  const { terminal, played, later, stopped } = options
  const all = standings(played, later)
  return [
    '\n',
    terminal.heading(stopped ? 'Stopped early: what became of the records so far' : 'What became of the records'),
    ...ends(terminal, played, all),
    '\n',
    terminal.heading('How right the gate was'),
    ...rightness(terminal, all, later),
    pace(options),
    ...(stopped ? [] : ['\n', ...where(options), '\n  Ctrl-C to stop\n']),
  ].join('')
}

function ends({ colours, width, paragraph }: Terminal, played: readonly Played[], all: readonly Standing[]): string[] {
  const row = (name: string, count: number, says: string) => {
    const start = `  ${fit(name, 13)}${String(count).padStart(5)}`
    const beside = says !== '' && textWidth(start) + 3 + textWidth(says) <= width
    return `${start}${beside ? `   ${colours.dim(says)}` : ''}\n`
  }
  const decided = OUTCOMES.map((outcome) => `${outcome} ${count(all, 'first', outcome)}`).join(', ')
  const open = played.filter((p) => p.end === undefined).length
  const even = paragraph(open === 0 ? 'Every record has exactly one end.' : 'Some have no end yet.', 2)
  return [
    ...ENDS.map(({ kind, name, says }) =>
      row(name, played.filter((p) => p.end?.kind === kind).length, kind === 'decided' ? decided : says),
    ),
    open === 0 ? '' : colours.red(row('no end yet', open, '')),
    row('sent', played.length, ''),
    open === 0 ? colours.green(even) : colours.red(even),
  ]
}

/** The first decisions, what followed, the last ones, and by name who was treated wrongly. */
function rightness(terminal: Terminal, all: readonly Standing[], later: readonly Decision[]): string[] {
  const followed = laterWords(later)
  const say = (text: string) => terminal.paragraph(text, 2)
  return [
    say(
      'Counted by what the listings truly are, which the gate did not know. An overt fake says so, a silent one does not; an edited listing is decided anew and counts again. The story shows mistakes on purpose: these are no figures of another marketplace.',
    ),
    '\n',
    ...table(terminal, 'at once', all, 'first'),
    '\n',
    ...(followed === ''
      ? [say('Nothing was decided on them later.')]
      : [say(`Later came ${followed}.`), '\n', ...table(terminal, 'by now', all, 'last')]),
    '\n',
    ...mistakes(terminal, all, true),
    ...mistakes(terminal, all, false),
  ]
}

function table({ width }: Terminal, name: string, all: readonly Standing[], which: 'first' | 'last'): string[] {
  // The shares go first where there is no room for both.
  const narrow = width < 60
  const cell = (text: string, share = '') => `${text.padStart(narrow ? 6 : 7)}${narrow ? '' : share.padStart(6)}`
  const row = (label: string, of: readonly Standing[], shares: boolean) =>
    `  ${fit(label, 12)}${OUTCOMES.map((outcome) => {
      const part = count(of, which, outcome)
      return cell(String(part), shares ? percent(part, of.length) : '')
    }).join('')}${cell(String(of.length)).trimEnd()}\n`
  const labelled = LABELS.map((label) => ({ label: NAMES[label], of: all.filter((s) => s.played.row.label === label) }))
  const unsaid = all.filter((s) => s.played.row.label === undefined)
  return [
    `  ${fit(name, 12)}${OUTCOMES.map((outcome) => cell(outcome)).join('')}${cell('all').trimEnd()}\n`,
    ...labelled.map(({ label, of }) => row(label, of, true)),
    ...(unsaid.length === 0 ? [] : [row('not said', unsaid, true)]),
    row('all', all, false),
  ]
}

const LATER: readonly (readonly [Stage, one: string, many: string])[] = [
  ['deadline', 'a hold ended by the clock', 'holds ended by the clock'],
  ['review', 'a decision by what a person said', 'decisions by what a person said'],
  ['rescreen', 'a listing looked at again by the gate itself', 'listings looked at again by the gate itself'],
]

/** Empty where nothing was decided later. */
function laterWords(later: readonly Decision[]): string {
  const parts = LATER.flatMap(([stage, one, many]) => {
    const count = later.filter((decision) => decision.stage === stage).length
    return count === 0 ? [] : [count === 1 ? one : `${count} ${many}`]
  })
  return new Intl.ListFormat('en').format(parts)
}

/** The false positives, or the false negatives, by name and with what became of them: a demo that hides them would teach nothing. */
function mistakes(terminal: Terminal, all: readonly Standing[], honest: boolean): string[] {
  const of = all.filter(({ played: { row } }) => row.label !== undefined && (row.label === 'honest') === honest)
  const wrong = of.filter(isMistake)
  const isWrong = (outcome: Outcome) => (outcome === 'allow') !== honest
  const share = (which: 'first' | 'last') => {
    const part = of.filter((one) => isWrong(one[which].outcome)).length
    return part === 0 ? `none of ${of.length}` : `${part} of ${of.length} (${((part / of.length) * 100).toFixed(1)} %)`
  }
  const title = honest ? 'False positives, honest listings held or blocked' : 'Fakes that got through'
  const [first, last] = [share('first'), share('last')]
  const figures = first === last ? `${first}, at once and by now` : `${first} at once, ${last} by now`
  const head = terminal.paragraph(`${title}: ${figures}.`, 2)
  const lines = wrong.map((one) => {
    const { row } = one.played
    const seller = row.event === 'raw' ? undefined : row.data['sellerId']
    const who = typeof seller === 'string' ? plain(seller, 40) : 'nobody'
    return terminal.paragraph(`${who}: ${plain(goods(one.played).title, 120)} (${row.story}): ${courseOf(one)}`, 4)
  })
  return [head, ...lines, '\n']
}

function pace({ terminal, played, elapsedMs, pace: how }: SummaryOptions): string {
  const latencies = played
    .flatMap((p) => (p.end?.kind === 'decided' ? [Date.parse(p.end.decision.decidedAt) - p.sentAt] : []))
    .sort((a, b) => a - b)
  const rate = played.length / Math.max(0.001, elapsedMs / 1_000)
  const clause =
    how === 'read'
      ? 'the pace of this demo, not the limit of the gate'
      : 'chapter after chapter, each waited for: not the limit of the gate'
  const [half, most] = [0.5, 0.99].map((share) => percentile(latencies, share))
  return terminal.paragraph(
    `${rate.toFixed(rate < 100 ? 1 : 0)} records a second (${clause}); from sent to decided: half within ${half} ms, 99 of 100 within ${most} ms.`,
    2,
  )
}

function where({ terminal: { width, colours }, addresses }: SummaryOptions): string[] {
  const widest = Math.max(0, ...addresses.map((a) => a.label.length))
  return addresses.map(({ label, url }) => {
    // An address that would be broken over two lines can no longer be clicked.
    const beside = widest + url.length + 4 <= width
    return beside ? `  ${label.padEnd(widest)}  ${colours.cyan(url)}\n` : `  ${label}\n${colours.cyan(url)}\n`
  })
}

function count(all: readonly Standing[], which: 'first' | 'last', outcome: Outcome): number {
  return all.filter((one) => one[which].outcome === outcome).length
}

/** Whole per cent; never rounded to none or all. */
function percent(part: number, whole: number): string {
  if (whole === 0) return '-'
  const rounded = Math.min(99, Math.max(1, Math.round((part / whole) * 100)))
  return `${part === 0 ? 0 : part === whole ? 100 : rounded} %`
}

/** Nearest rank; 0 of nothing. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}
