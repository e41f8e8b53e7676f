// Tells the play: a line for each record as it ends, chapter headings, and what the clock does later.
import { z } from 'zod'
import type { Outcome } from '../../domain/policy.ts'
import type { Brand } from '../../domain/brand.ts'
import type { Decision } from '../../domain/decision.ts'
import { riskText, type RecordLine, type Terminal } from '../terminal.ts'
import type { End, Ledger, Played } from './ledger.ts'
import type { Chapter, Row } from './story.ts'

export interface TellingOptions {
  readonly terminal: Terminal
  readonly ledger: Ledger
  /** Milliseconds since 1970 at which a picture was confirmed, by its id in its bank. */
  readonly confirmedAt: ReadonlyMap<string, number>
  /** What a dry run said of a listing, by its id. */
  readonly tried: ReadonlyMap<string, { readonly decision: Decision }>
  readonly write: (text: string) => void
}

/** Prices that are refused are shown too. */
const anyPrice = z.object({ amount: z.number(), currency: z.string() })
/** Columns before what is said below a record. */
const BELOW = 6
/** A hold of at most this long is one that the play waits for. */
const SHORT_HOLD_MS = 120_000

export function createTelling({ terminal, ledger, confirmedAt, tried, write }: TellingOptions) {
  const { colours } = terminal
  /** Listings whose short hold runs. */
  const clocks = new Set<string>()

  return {
    opening(count: number, brands: readonly Brand[], run: string): void {
      write('\n')
      write(terminal.heading('Touchstone, the demo'))
      const names = brands.map((b) => b.name).join(', ')
      write(
        terminal.paragraph(
          'Touchstone tries every listing before anyone can buy it: it is allowed, held (not on sale until a person has looked, or its time is up) or blocked. The figure is the risk, by the gate’s reckoning, that the goods are counterfeit; who is stopped is told why. Records that are no new listing end as refused, unread, again (sent twice) or gone (withdrawn).',
          0,
        ),
      )
      write(
        terminal.paragraph(
          `An invented day now goes through the real gate: ${count} records, with listing ids that begin with ${run}-. ${brands.length} brands are invented too (${names}); other brand names are real, their listings are not. What a listing truly is, the gate never sees; "!" marks where a decision was wrong.`,
          0,
        ),
      )
    },

    chapter(chapter: Chapter): void {
      write(`\n${terminal.heading(chapter.title)}${colours.dim(terminal.paragraph(chapter.says, 0))}`)
    },

    note(text: string): void {
      write(colours.cyan(terminal.paragraph(text, 0)))
    },

    ended(played: Played, end: End): void {
      if (end.kind === 'decided' && end.decision.hold !== undefined) {
        const { hold, decidedAt, listingId } = end.decision
        if (Date.parse(hold.until) - Date.parse(decidedAt) <= SHORT_HOLD_MS) clocks.add(listingId)
      }
      write(terminal.record(lineOf(played, end, ledger)))
      const because = end.kind === 'decided' ? byPicture(end.decision) : undefined
      if (because !== undefined) write(colours.cyan(terminal.paragraph(because, BELOW)))
    },

    /** What the gate would decide now, of which nothing is recorded. */
    tried(row: Row, decision: Decision): void {
      const aside = 'it would go on sale'
      const { outcome, risk, reasons } = decision
      const reason = outcome === 'allow' ? undefined : reasons[0]?.text
      write(terminal.record({ ...goodsOf(row), word: `(${outcome})`, risk, reason, aside }))
    },

    decidedLater(decision: Decision): void {
      clocks.delete(decision.listingId)
      const played = ledger.decided(decision)
      if (played === undefined) return
      const reason =
        decision.stage === 'deadline'
          ? `The hold ran out and nobody had looked: ${decision.outcome}.`
          : decision.stage === 'review'
            ? `A person has looked: ${decision.outcome}.`
            : (decision.reasons[0]?.text ?? `Looked at again: ${decision.outcome}.`)
      const mark = mistakeFor(played.row, decision.outcome)
      write(terminal.record({ ...goods(played), word: decision.outcome, risk: decision.risk, reason, mark }))
    },

    clocksRunning: () => clocks.size,
  }

  /** Said of a listing that was tried before and is stopped with a picture like one that a person has just confirmed, by what the decision says. */
  function byPicture({ listingId, outcome, risk, signals, decidedAt }: Decision): string | undefined {
    const before = tried.get(listingId)?.decision
    if (before === undefined || outcome === 'allow') return undefined
    const { data } = matchesSchema.safeParse(signals.find(({ name }) => name === 'image-hash')?.evidence)
    for (const { distance, imageId } of data?.matches ?? []) {
      const at = confirmedAt.get(imageId)
      if (at === undefined) continue
      const seconds = (Math.max(0, Date.parse(decidedAt) - at) / 1_000).toFixed(1)
      return `Before the verdict: ${before.outcome}, ${riskText(before.risk)}. Now: ${outcome}, ${riskText(risk)}: the hash of its picture differs in ${distance} of 256 bits from the one confirmed ${seconds} s before.`
    }
    return undefined
  }
}

/** What is read here of the evidence of `image-hash`. */
const matchesSchema = z.object({
  matches: z.array(z.object({ distance: z.int(), imageId: z.string() })),
})

function lineOf(played: Played, end: End, ledger: Ledger): RecordLine {
  const { story } = played.row
  switch (end.kind) {
    case 'decided': {
      const { outcome, risk, reasons } = end.decision
      const mistake = mistakeFor(played.row, outcome)
      return {
        ...goods(played),
        word: outcome,
        risk,
        reason: outcome === 'allow' ? undefined : reasons[0]?.text,
        aside: story,
        ...(mistake === undefined ? {} : { mark: `${mistake}: ${story}` }),
      }
    }
    case 'refused':
      return { ...goods(played), word: 'refused', reason: `${end.refusal.code}: ${end.refusal.message}` }
    case 'dead-letter':
      return { word: 'unread', title: bytesOf(played), reason: `${end.code}: ${end.message}` }
    case 'duplicate':
      return { ...goods(ofListing(played, ledger)), word: 'again', reason: story }
    case 'withdrawn':
      return { ...goods(ofListing(played, ledger)), word: 'gone', reason: story }
  }
}

/** A withdrawal has no title: it is told with that of its listing. */
function ofListing(played: Played, ledger: Ledger): Played {
  if (played.row.event !== 'listing.withdrawn') return played
  return (played.identity === undefined ? undefined : ledger.lastOf(played.identity)) ?? played
}

/** Where a decision was wrong, said of listings that have a label. */
export function mistakeFor({ label }: Row, outcome: Outcome): string | undefined {
  if (label === 'honest' && outcome !== 'allow') return 'an honest seller was stopped'
  if (label !== 'honest' && label !== undefined && outcome === 'allow') return 'got through'
  return undefined
}

/** Title and price as they were sent, whatever their types; a title that is generated is shown by its size. */
export function goods(played: Played): Pick<RecordLine, 'title' | 'price'> {
  const { row, identity } = played
  return row.event === 'raw' ? { title: bytesOf(played) } : goodsOf(row, identity?.listingId)
}

function goodsOf(row: Row, listingId = ''): Pick<RecordLine, 'title' | 'price'> {
  if (row.event === 'raw') return { title: row.story }
  const title = row.data['title']
  const shown = typeof title === 'string' ? title : listingId
  return {
    title:
      row.generate?.what === 'title'
        ? `${shown.repeat(12)}… (${row.generate.count.toLocaleString('en')} letters)`
        : shown,
    price: anyPrice.safeParse(row.data['price']).data,
  }
}

function bytesOf({ row }: Played): string {
  if (row.event !== 'raw') return row.story
  const text = row.text ?? Buffer.from(row.base64 ?? '', 'base64').toString('utf8')
  return text === '' ? '(nothing)' : text.replaceAll('{id}', row.identity?.listingId ?? '')
}
