// What `doctor` says of the store: reachable, durable, its clock, and whether its tables are there.
import { connect, type Database } from '../../../adapters/postgres/connect.ts'
import { examine, readOffsets } from '../../../adapters/postgres/examine.ts'
import { messageOf } from '../../../errors.ts'
import type { Finding } from './finding.ts'

const LARGE_SKEW_MS = 2_000

export interface ExaminedStore {
  readonly findings: readonly Finding[]
  /** Undefined where it cannot be reached; the caller closes it. */
  readonly database: Database | undefined
  /** The tables are there. */
  readonly prepared: boolean
  /** By topic, the next offset of every partition that was read. */
  readonly offsets: ReadonlyMap<string, ReadonlyMap<number, bigint>>
}

export async function examineStore(
  url: string,
  inputs: readonly { readonly group: string; readonly topic: string }[],
): Promise<ExaminedStore> {
  const opened = await connect(url, { applicationName: 'touchstone doctor', deciding: 1, reading: 1 }).catch(
    (error: unknown) => messageOf(error),
  )
  if (typeof opened === 'string') {
    const cure = 'check DATABASE_URL and that the server is up'
    const findings: Finding[] = [{ name: 'database', state: 'wrong', detail: opened, cure }]
    return { findings, database: undefined, prepared: false, offsets: new Map() }
  }
  try {
    const found = await examine(opened.reading)
    const unsafe = found.settings.filter((s) => s.value === 'off').map((s) => s.name)
    const skewMs = Math.abs(found.clockSkewMs)
    const findings: Finding[] = [
      { name: 'database', state: 'ok', detail: `PostgreSQL ${found.version}` },
      unsafe.length === 0
        ? { name: 'durability', state: 'ok', detail: 'fsync, full_page_writes and synchronous_commit are on' }
        : {
            name: 'durability',
            state: 'wrong',
            detail: `${unsafe.join(', ')} off: a crash may lose decisions`,
            cure: 'switch them on in the server',
          },
      skewMs < LARGE_SKEW_MS
        ? { name: 'clock', state: 'ok', detail: `differs from the database's by ${skewMs} ms` }
        : {
            name: 'clock',
            state: 'warning',
            detail: `differs from the database's by ${(skewMs / 1000).toFixed(1)} s`,
            cure: 'let both follow the same time server: hold deadlines are set by one and kept by the other',
          },
    ]
    if (!found.prepared)
      findings.push({ name: 'tables', state: 'ok', detail: 'are not there yet; the first start makes them' })
    const offsets = new Map<string, ReadonlyMap<number, bigint>>()
    if (found.prepared) for (const input of inputs) offsets.set(input.topic, await readOffsets(opened.reading, input))
    return { findings, database: opened, prepared: found.prepared, offsets }
  } catch (error) {
    await opened.close()
    throw error
  }
}
