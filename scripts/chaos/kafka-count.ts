// Counts what became of every record of a listings topic: its own idea of what must come out, against what came out.
//
// It shares nothing with the product but the published contract: what each record deserves is worked out anew from the
// listings topic as an independent client read it, one record after the other.

import { foresee, header, inOrder, json, SENT_NO, type TopicRecord } from './kafka-foresee.ts'

export interface World {
  readonly listings: readonly TopicRecord[]
  readonly decisions: readonly TopicRecord[]
  readonly deadLetters: readonly TopicRecord[]
  /** Numbers of the records that the brokers acknowledged to the load. */
  readonly acknowledged: readonly number[]
  readonly tables: {
    readonly decisions: readonly { listingId: string; revision: number; sequence: number; decisionId: string }[]
    readonly refusals: readonly { partition: number; offset: number; listingId: string; code: string }[]
    /** Where reading goes on, and where the topic ends. */
    readonly offsets: readonly { partition: number; next: number; end: number }[]
    /** Positions given and published per output partition. */
    readonly positions: readonly { topic: 'decisions' | 'deadLetters'; partition: number; head: number; tail: number }[]
  }
}

export interface Count {
  readonly input: number
  readonly screened: number
  readonly refused: number
  readonly deadLetters: number
  readonly repeats: number
  readonly withdrawals: number
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
  /** Topic, table and what was foreseen say different things. */
  readonly disagreeing: number
  /** The first few, in words. */
  readonly wrong: readonly string[]
}

const SHOWN = 20
const LATER = 'decided later'
export function count(world: World): Count {
  const wrong: string[] = []
  const bad = { lost: 0, doubled: 0, outOfOrder: 0, disagreeing: 0 }
  const complain = (kind: keyof typeof bad, text: string): void => {
    bad[kind] += 1
    if (wrong.length < SHOWN) wrong.push(`${kind}: ${text}`)
  }
  const due = foresee(world.listings, complain)

  const arrived = new Set(world.listings.map((record) => Number(header(record, SENT_NO))))
  for (const number of world.acknowledged)
    if (!arrived.has(number)) complain('lost', `record ${number} was acknowledged and is not in the listings topic`)

  // ---- decisions and refusals: per listing the same ends in the same order
  const out = new Map<string, { what: string; sequence?: number }[]>()
  const ids = new Map<string, { listingId: string; revision: number; sequence: number }>()
  const refusals = new Set<string>()
  for (const record of inOrder(world.decisions)) {
    const { listingId, revision, sequence, decisionId, stage, code } = json<{
      listingId?: string
      revision?: number
      sequence?: number
      decisionId?: string
      stage?: string
      code?: string
    }>(record)
    const at = `decisions ${record.partition}/${record.offset}`
    if (listingId === undefined || revision === undefined) {
      complain('disagreeing', `${at} names no listing`)
      continue
    }
    const ends = out.get(listingId) ?? []
    out.set(listingId, ends)
    if (decisionId !== undefined && sequence !== undefined) {
      if (ids.has(decisionId)) complain('doubled', `${at}: decision ${listingId} ${revision} ${sequence}`)
      ids.set(decisionId, { listingId, revision, sequence })
      // A person, a passed deadline or new evidence may decide again; the gate itself decides a revision once.
      ends.push({ what: stage === 'screening' ? `decided ${revision}` : LATER, sequence })
    } else {
      const id = header(record, 'ce_id') ?? ''
      if (refusals.has(id)) complain('doubled', `${at}: refusal ${id} of ${listingId} ${revision}`)
      refusals.add(id)
      ends.push({ what: `refused ${revision} ${code}` })
    }
  }
  for (const [listingId, ends] of out) {
    let before = 0
    for (const { sequence } of ends) {
      if (sequence === undefined) continue
      if (sequence !== before + 1) complain('outOfOrder', `${listingId}: sequence ${sequence} after ${before}`)
      before = sequence
    }
  }
  for (const listingId of new Set([...due.ends.keys(), ...out.keys()])) {
    const wanted = due.ends.get(listingId) ?? []
    const found = (out.get(listingId) ?? []).flatMap(({ what }) => (what === LATER ? [] : [what]))
    const missing = without(wanted, found)
    const extra = without(found, wanted)
    for (const what of missing) complain('lost', `${listingId}: ${what}`)
    for (const what of extra)
      complain(wanted.includes(what) ? 'doubled' : 'disagreeing', `${listingId}: ${what}, not foreseen`)
    if (missing.length + extra.length === 0 && wanted.join() !== found.join())
      complain('outOfOrder', `${listingId}: ${found.join()} instead of ${wanted.join()}`)
  }

  // ---- dead letters: each unreadable record once, its own bytes and headers untouched
  const letters = new Set<string>()
  for (const record of inOrder(world.deadLetters)) {
    const from = `${header(record, 'touchstone-error-partition')}/${header(record, 'touchstone-error-offset')}`
    if (letters.has(from)) complain('doubled', `dead letter of ${from}`)
    letters.add(from)
    const original = due.deadLetters.get(from)
    if (original === undefined) complain('disagreeing', `dead letter of ${from}, which could be read`)
    else if (
      record.key !== original.key ||
      record.value !== original.value ||
      original.headers.some((one, i) => String(record.headers[i]) !== String(one))
    )
      complain('disagreeing', `dead letter of ${from} is not what was sent`)
  }
  for (const from of due.deadLetters.keys()) if (!letters.has(from)) complain('lost', `dead letter of ${from}`)

  // ---- the tables say the same as the topics
  for (const row of world.tables.decisions) {
    const seen = ids.get(row.decisionId)
    const name = `${row.listingId} ${row.revision} ${row.sequence}`
    if (seen === undefined) complain('lost', `decision ${name} is in the table and not in the topic`)
    else if (`${seen.listingId} ${seen.revision} ${seen.sequence}` !== name)
      complain('disagreeing', `decision ${name} is another one in the topic`)
  }
  const rows = new Set(world.tables.decisions.map((row) => row.decisionId))
  for (const [id, { listingId }] of ids)
    if (!rows.has(id)) complain('disagreeing', `decision ${id} of ${listingId} is in the topic and not in the table`)
  const table = new Set(
    world.tables.refusals.map((row) => `${row.partition}/${row.offset} ${row.listingId} ${row.code}`),
  )
  for (const name of due.refusals) if (!table.has(name)) complain('disagreeing', `no row of the refusal ${name}`)
  if (table.size !== due.refusals.size)
    complain('disagreeing', `${table.size} refusals in the table, ${due.refusals.size} foreseen`)
  for (const { partition, next, end } of world.tables.offsets)
    if (next !== end) complain('disagreeing', `partition ${partition} is read to ${next} of ${end}`)
  for (const { topic, partition, head, tail } of world.tables.positions) {
    if (head !== tail) complain('disagreeing', `${topic} ${partition}: position ${tail} of ${head} is published`)
    const found = inOrder(world[topic].filter((record) => record.partition === partition))
    for (const [i, record] of found.entries()) {
      const position = Number(header(record, 'touchstone-position'))
      if (position !== i + 1) complain('outOfOrder', `${topic} ${partition}: position ${position} in place ${i + 1}`)
    }
    if (found.length !== head) complain('disagreeing', `${topic} ${partition}: ${found.length} records, head ${head}`)
  }

  const all = [...out.values()].flat()
  const screened = all.filter((end) => end.what !== LATER && end.sequence !== undefined).length
  const refused = all.filter((end) => end.sequence === undefined).length
  const { repeats, withdrawals } = due
  const figures = { input: world.listings.length, screened, refused, deadLetters: letters.size }
  return { ...figures, repeats, withdrawals, ...bad, wrong }
}

/** What is left of `all` when each of `some` takes one away. */
function without(all: readonly string[], some: readonly string[]): string[] {
  const left = [...all]
  for (const one of some) {
    const at = left.indexOf(one)
    if (at >= 0) left.splice(at, 1)
  }
  return left
}
