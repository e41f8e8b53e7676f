// The banks as one file, so that a process with a million pictures need not read them all from the store when it starts.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { bankSchema, type Bank } from '../../domain/bank.ts'
import { inSteps } from '../../imaging/in-turns.ts'
import type { BankEntries, StoredEntry } from './entries.ts'
import { HASHES_BYTES } from './entry-hashes.ts'

export interface Snapshot {
  /** Of the store that the banks lie in. */
  readonly identity: string
  readonly change: bigint
  readonly banks: readonly Bank[]
  readonly images: Iterable<StoredEntry>
  readonly count: number
}

/** Where it lies. Reading gives undefined when there is none; writing replaces it whole or not at all. */
export interface SnapshotFile {
  read(): Promise<Uint8Array | undefined>
  write(bytes: Uint8Array): Promise<void>
}

const MAGIC = 'touchstone banks 3\n'
const SEAL_BYTES = 32
const ID_BYTES = 16
/** Bytes that are copied or summed up in half a millisecond. */
const PIECE = 262_144
/** Sources that become bytes at once. */
const LINES = 256

const apartSchema = z.array(z.string().nullable())

const headerSchema = z.object({
  identity: z.string(),
  change: z.string().regex(/^\d+$/).transform(BigInt),
  banks: z.array(bankSchema),
  active: z.int().min(0),
  quarantined: z.int().min(0),
  sources: z.int().min(0),
})

/**
 * `MAGIC`, the length of the header (4 bytes, big-endian), the header as JSON, then for each picture its id (16 bytes), the
 * number of its bank (4) and, of active ones, its hashes (`HASHES_BYTES`); then their sources, one JSON a line, behind a tab the
 * marketplaces where it is in quarantine, as JSON; a sha256 of all. Made in steps, of the entries as they are at the first one.
 */
export function* writeSnapshot(identity: string, change: bigint, entries: BankEntries): Generator<void, Uint8Array> {
  const banks = entries.banks()
  const numbers = new Map(banks.map(({ bankId }, i) => [bankId, i]))
  const { size: active, quarantined } = entries
  const all = entries.all()
  const body = Buffer.alloc(active * (ID_BYTES + 4 + HASHES_BYTES) + quarantined * (ID_BYTES + 4))
  const sources: Buffer[] = []
  let lines: string[] = []
  let at = 0
  const flush = (end: string) => {
    if (lines.length > 0) sources.push(Buffer.from(lines.join('\n') + end))
    lines = []
  }
  yield* inSteps(all, ({ imageId, bankId, hashes, source, apart }) => {
    body.write(imageId.replaceAll('-', ''), at, 'hex')
    at = body.writeUInt32BE(numbers.get(bankId) ?? 0, at + ID_BYTES)
    body.set(hashes, at)
    at += hashes.length
    if (hashes.length === 0) return
    if (lines.length === LINES) flush('\n')
    // JSON has no tab of its own.
    lines.push(apart === undefined ? source : `${source}\t${JSON.stringify(apart)}`)
  })
  flush('')
  const length = Buffer.alloc(4)
  const size = sources.reduce((sum, part) => sum + part.length, 0)
  const about = { identity, change: String(change), banks, active, quarantined, sources: size }
  const header = Buffer.from(JSON.stringify(about))
  length.writeUInt32BE(header.length)
  const parts = [Buffer.from(MAGIC), length, header, body, ...sources]
  const whole = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + part.length, SEAL_BYTES))
  let to = 0
  for (const part of parts)
    for (let from = 0; from < part.length; from += PIECE) {
      to += part.copy(whole, to, from, from + PIECE)
      yield
    }
  whole.set(yield* sealOf(whole.subarray(0, to)), to)
  return whole
}

function* sealOf(bytes: Buffer): Generator<void, Buffer> {
  const seal = createHash('sha256')
  for (let from = 0; from < bytes.length; from += PIECE) {
    seal.update(bytes.subarray(from, from + PIECE))
    yield
  }
  return seal.digest()
}

/** In steps. Throws with the reason when the bytes are not a whole snapshot of this version. */
export function* readSnapshot(bytes: Uint8Array): Generator<void, Snapshot> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (file.subarray(0, MAGIC.length).toString('latin1') !== MAGIC)
    throw new Error('it is of another version, or no snapshot')
  const end = file.length - SEAL_BYTES
  if (end < MAGIC.length + 4) throw new Error('it is cut off')
  const seal = yield* sealOf(file.subarray(0, end))
  if (!seal.equals(file.subarray(end))) throw new Error('it is damaged')
  const start = MAGIC.length + 4
  const length = file.readUInt32BE(MAGIC.length)
  const header = headerSchema.parse(JSON.parse(file.subarray(start, start + length).toString()))
  const { identity, change, banks, active, quarantined } = header
  const body = start + length
  const sourcesAt = body + active * (ID_BYTES + 4 + HASHES_BYTES) + quarantined * (ID_BYTES + 4)
  if (sourcesAt + header.sources !== end) throw new Error('its parts do not fit its length')

  function* images(): Generator<StoredEntry> {
    const sources = file.subarray(sourcesAt, end)
    let [at, line] = [body, 0]
    for (let i = 0; i < active + quarantined; i++) {
      const id = file.toString('hex', at, at + ID_BYTES)
      const bankId = banks[file.readUInt32BE(at + ID_BYTES)]?.bankId
      if (bankId === undefined) throw new Error('a picture is of no bank')
      at += ID_BYTES + 4
      const size = i < active ? HASHES_BYTES : 0
      const hashes = file.subarray(at, at + size)
      at += size
      if (size > 0) {
        const next = sources.indexOf(10, line)
        const stop = next < 0 ? sources.length : next
        const [its = '', apart] = sources.toString('utf8', line, stop).split('\t')
        line = stop + 1
        yield {
          imageId: uuid(id),
          bankId,
          hashes,
          source: its,
          ...(apart === undefined ? {} : { apart: apartSchema.parse(JSON.parse(apart)) }),
        }
        continue
      }
      yield { imageId: uuid(id), bankId, hashes, source: '{}' }
    }
  }
  return { identity, change, banks, images: images(), count: active + quarantined }
}

const uuid = (hex: string) =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
