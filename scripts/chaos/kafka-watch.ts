// Looks at the store every few milliseconds: how far each partition is read, how far each place is published, and who publishes.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { World } from './kafka-count.ts'

export interface Watch {
  /** Records read so far, over all partitions. */
  read(): number
  /** Decisions, refusals and dead letters that wait to be published, when it was last looked. */
  waiting(): number
  /** Publishing processes by their pid, with the names of the ranges that each holds now. */
  publishers(): Promise<Map<number, string[]>>
  /** When each partition, and each place of the decisions, first moved after a moment; milliseconds from that moment. */
  movesAfter(moment: number): { readonly partitions: Map<string, number>; readonly places: Map<string, number> }
  /** What the tables hold in the end; `ends` are the ends of the listings topic by partition. */
  tables(ends: ReadonlyMap<number, number>): Promise<World['tables']>
  stop(): Promise<void>
}

/** Take-overs take seconds; two small queries so often cost next to nothing. */
const LOOK_MS = 50
/** What the server had already been told by a process that is killed may still be committed. */
const SETTLED_MS = 150

export async function watchStore(
  url: string,
  topics: { listings: string; decisions: string; deadLetters: string },
): Promise<Watch> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  const query = async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await client.query<T>(sql, values)).rows
  await client.query('set search_path = touchstone')
  const moves: { readonly at: number; readonly kind: 'partitions' | 'places'; readonly name: string }[] = []
  const last = new Map<string, string>()
  let read = 0
  let waiting = 0
  let running = true

  const see = (kind: 'partitions' | 'places', name: string, value: string): void => {
    const key = `${kind} ${name}`
    if (last.get(key) !== value && last.has(key)) moves.push({ at: Date.now(), kind, name })
    last.set(key, value)
  }
  const look = async (): Promise<void> => {
    const offsets = await query<{ part: number; next: string }>(
      'select part, next from input_offset where topic = $1',
      [topics.listings],
    )
    for (const { part, next } of offsets) see('partitions', String(part), next)
    read = offsets.reduce((sum, { next }) => sum + Number(next), 0)
    const marks = await query<{ topic: string; part: number; head: string; tail: string }>(
      'select topic, part, h.pos as head, t.pos as tail from outbox_head h join outbox_tail t using (topic, part)',
    )
    // Dead letters are few: their places may have nothing to publish for seconds.
    for (const { topic, part, tail } of marks) if (topic === topics.decisions) see('places', String(part), tail)
    waiting = marks.reduce((sum, { head, tail }) => sum + Number(head) - Number(tail), 0)
  }
  const following = (async () => {
    while (running) {
      await look()
      await sleep(LOOK_MS)
    }
  })()
  // Whoever waits for progress finds that there is none.
  following.catch(() => undefined)

  return {
    read: () => read,
    waiting: () => waiting,
    async publishers() {
      const rows = await query<{ name: string; owner: string }>(
        'select name, owner from outbox_lease where until > clock_timestamp() order by name',
      )
      // The owner is `host/pid`, and whatever a process adds to tell its parts apart.
      const held = rows.map(({ name, owner }) => ({ name, pid: Number(owner.split('/')[1]) }))
      return new Map([...Map.groupBy(held, ({ pid }) => pid)].map(([pid, some]) => [pid, some.map(({ name }) => name)]))
    },
    movesAfter(moment) {
      const found = { partitions: new Map<string, number>(), places: new Map<string, number>() }
      for (const { at, kind, name } of moves)
        if (at >= moment + SETTLED_MS && !found[kind].has(name)) found[kind].set(name, at - moment)
      return found
    },
    async tables(ends) {
      const names = { [topics.decisions]: 'decisions', [topics.deadLetters]: 'deadLetters' } as const
      const offsets = await query<{ part: number; next: string }>(
        'select part, next from input_offset where topic = $1',
        [topics.listings],
      )
      const marks = await query<{ topic: string; part: number; head: string; tail: string }>(
        'select topic, part, h.pos as head, t.pos as tail from outbox_head h join outbox_tail t using (topic, part)',
      )
      return {
        decisions: await query(
          `select listing_id as "listingId", revision, sequence, decision_id::text as "decisionId" from decision`,
        ),
        refusals: (
          await query<{ part: number; pos: string; listingId: string; code: string }>(
            `select part, pos, listing_id as "listingId", code from refusal where topic = $1`,
            [topics.listings],
          )
        ).map(({ part, pos, listingId, code }) => ({ partition: part, offset: Number(pos), listingId, code })),
        offsets: [...ends].map(([partition, end]) => ({
          partition,
          next: Number(offsets.find(({ part }) => part === partition)?.next ?? 0),
          end,
        })),
        positions: marks.flatMap(({ topic, part, head, tail }) => {
          const name = names[topic]
          return name === undefined ? [] : [{ topic: name, partition: part, head: Number(head), tail: Number(tail) }]
        }),
      }
    },
    async stop() {
      running = false
      await following.catch(() => undefined)
      await client.end()
    },
  }
}
