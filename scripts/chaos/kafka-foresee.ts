// Works out anew what every record of a listings topic deserves, from the published contract alone.

/** A record as the Java client printed it: key, value and header values are base64, or null where there is none. */
export interface TopicRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
}

const JSON_MODE = 'application/cloudevents+json'
/** The load says how it meant each record, and numbers them. */
export const SENT_AS = 'sent-as'
export const SENT_NO = 'sent-no'

export interface Due {
  /** Per listing what must come out, in order. */
  readonly ends: Map<string, string[]>
  /** `partition/offset listingId code` of each refused record. */
  readonly refusals: Set<string>
  /** The unreadable ones by `partition/offset`. */
  readonly deadLetters: Map<string, TopicRecord>
  repeats: number
  withdrawals: number
}

/** What the load sends names a listing, whatever else is wrong with it. */
interface Data {
  readonly listingId: string
  readonly revision: number
}

/** What every record deserves by the contract, worked out in the order of the log. */
export function foresee(records: readonly TopicRecord[], complain: (kind: 'disagreeing', text: string) => void): Due {
  const due: Due = { ends: new Map(), refusals: new Set(), deadLetters: new Map(), repeats: 0, withdrawals: 0 }
  const known = new Map<
    string,
    { partition: number; revision: number; withdrawn: number; texts: Map<number, string> }
  >()
  for (const record of inOrder(records)) {
    const as = header(record, SENT_AS)
    const place = `${record.partition}/${record.offset}`
    if (as === 'unreadable') {
      due.deadLetters.set(place, record)
      continue
    }
    const data = header(record, 'content-type') === JSON_MODE ? json<{ data: Data }>(record).data : json<Data>(record)
    const { listingId, revision } = data
    const row = known.get(listingId) ?? {
      partition: record.partition,
      revision: 0,
      withdrawn: 0,
      texts: new Map<number, string>(),
    }
    known.set(listingId, row)
    if (row.partition !== record.partition) complain('disagreeing', `the load spread ${listingId} over partitions`)
    const end = (what: string): void => void due.ends.set(listingId, [...(due.ends.get(listingId) ?? []), what])
    const refuse = (code: string): void => {
      end(`refused ${revision} ${code}`)
      due.refusals.add(`${place} ${listingId} ${code}`)
    }
    const text = JSON.stringify(data)
    const before = row.texts.get(revision)
    if (as === 'invalid') refuse('invalid')
    else if (as === 'withdrawal') {
      if (revision <= row.withdrawn) due.repeats += 1
      else if (revision < row.revision) refuse('superseded')
      else {
        row.withdrawn = revision
        due.withdrawals += 1
      }
    } else if (before === text) due.repeats += 1
    else if (before !== undefined) refuse('revision-reused')
    else if (revision <= row.withdrawn) refuse('withdrawn')
    else if (revision < row.revision) refuse('superseded')
    else {
      end(`decided ${revision}`)
      row.revision = revision
      row.texts.set(revision, text)
    }
  }
  return due
}

/** As the log has them. */
export const inOrder = (records: readonly TopicRecord[]): TopicRecord[] =>
  [...records].sort((a, b) => a.partition - b.partition || a.offset - b.offset)

/** The last value under a name, as text: an original's header of the same name comes before ours. */
export function header(record: TopicRecord, name: string): string | undefined {
  const value = record.headers.findLast((one) => one[0] === name)?.[1]
  return value === undefined || value === null ? undefined : Buffer.from(value, 'base64').toString()
}

/** The value as an object. */
export function json<T>(record: TopicRecord): T {
  return JSON.parse(Buffer.from(record.value ?? '', 'base64').toString()) as T
}
