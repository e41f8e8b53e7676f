// A row of the story as a record of the listings topic: its ids belong to this run, what is too large for a file is made.
import { v4 } from 'uuid'
import type { ListingIdentity } from '../../domain/listing.ts'
import type { EventDefinition } from '../../events/event.ts'
import { listingRevised, listingSubmitted, listingWithdrawn } from '../../events/index.ts'
import { encodeEvent } from '../../events/wire.ts'
import type { NewRecord } from '../../pipeline/log/ports.ts'
import type { Row, Story } from './story.ts'

/** CloudEvents `source` of the demo, and the marketplace that its listings are of. */
const SOURCE = 'urn:touchstone:demo'
const DEMO_MARKETPLACE = 'demo'

const EVENTS: Readonly<Record<Exclude<Row['event'], 'raw'>, EventDefinition>> = {
  'listing.submitted': listingSubmitted,
  'listing.revised': listingRevised,
  'listing.withdrawn': listingWithdrawn,
}

/** What a row is about in this run; undefined where it names nothing. */
export function identityOf(row: Row, run: string): ListingIdentity | undefined {
  const named = row.event === 'raw' ? row.identity : row.data
  return named === undefined ? undefined : { listingId: `${run}-${named.listingId}`, revision: named.revision }
}

export function toRecord(row: Row, run: string, now: Date, pictures: Story['pictures'] = new Map()): NewRecord {
  const identity = identityOf(row, run)
  if (row.event === 'raw') {
    const text = (row.text ?? '').replaceAll('{id}', identity?.listingId ?? '')
    return {
      key: identity === undefined ? null : Buffer.from(identity.listingId),
      value: row.base64 === undefined ? Buffer.from(text) : Buffer.from(row.base64, 'base64'),
      headers: {},
    }
  }
  const listingId = identity?.listingId ?? ''
  const at = now.toISOString()
  const withdrawn = row.event === 'listing.withdrawn'
  const data = withdrawn
    ? { ...row.data, listingId }
    : {
        marketplace: DEMO_MARKETPLACE,
        submittedAt: at,
        ...row.data,
        listingId,
        ...generated(row),
        ...inline(row, pictures),
      }
  return {
    key: Buffer.from(listingId),
    ...encodeEvent(EVENTS[row.event], data, { id: v4(), source: SOURCE, time: at, subject: listingId }),
  }
}

function inline(
  { pictures: names }: Exclude<Row, { event: 'raw' }>,
  pictures: Story['pictures'],
): Record<string, unknown> {
  if (names === undefined) return {}
  return { images: names.map((name) => ({ data: pictures.get(name)?.toString('base64') ?? '' })) }
}

function generated(row: Exclude<Row, { event: 'raw' }>): Record<string, unknown> {
  const { generate } = row
  if (generate === undefined) return {}
  if (generate.what === 'title') return { title: 'A'.repeat(generate.count) }
  return {
    images: Array.from({ length: generate.count }, (_, i) => ({ url: `https://images.example/spoon/${i}.jpg` })),
  }
}
