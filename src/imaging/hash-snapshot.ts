// The entries of an index as bytes that are read back at a cold start, or refused when one of them has changed.
import { createHash } from 'node:crypto'
import { createHashStore, NOBODY, type HashStore } from './hash-store.ts'

/**
 * Version 1, numbers little-endian: 4 bytes mark, 4 version, 4 count, 4 zero; then the ids, 4 bytes each; then the hashes,
 * 32 bytes each; then the SHA-256 of all that comes before it.
 */
const MARK = 0x5849_5354
const VERSION = 1
const HEADER_BYTES = 16
const ID_BYTES = 4
const HASH_BYTES = 32
const DIGEST_BYTES = 32

export function snapshotOf(store: HashStore): Uint8Array {
  const hashesAt = HEADER_BYTES + store.live * ID_BYTES
  const digestAt = hashesAt + store.live * HASH_BYTES
  const bytes = new Uint8Array(digestAt + DIGEST_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MARK, true)
  view.setUint32(4, VERSION, true)
  view.setUint32(8, store.live, true)
  let entry = 0
  for (let slot = 0; slot < store.used; slot++) {
    const id = store.idAt(slot)
    if (id === NOBODY) continue
    view.setUint32(HEADER_BYTES + entry * ID_BYTES, id, true)
    store.read(slot, bytes, hashesAt + entry * HASH_BYTES)
    entry++
  }
  bytes.set(digestOf(bytes.subarray(0, digestAt)), digestAt)
  return bytes
}

/** Throws an Error that says what is wrong with a snapshot that is cut off, changed, or of another version. */
export function storeOf(snapshot: Uint8Array): HashStore {
  const refuse = (why: string) => new Error(`The snapshot of the hash index cannot be used: ${why}`)
  if (snapshot.length < HEADER_BYTES + DIGEST_BYTES) throw refuse('it is cut off')
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength)
  if (view.getUint32(0, true) !== MARK) throw refuse('it is not one')
  const version = view.getUint32(4, true)
  if (version !== VERSION) throw refuse(`version ${version}, this is ${VERSION}`)
  const count = view.getUint32(8, true)
  const hashesAt = HEADER_BYTES + count * ID_BYTES
  const digestAt = hashesAt + count * HASH_BYTES
  if (snapshot.length !== digestAt + DIGEST_BYTES) throw refuse(`${snapshot.length} bytes for ${count} entries`)
  if (!digestOf(snapshot.subarray(0, digestAt)).equals(snapshot.subarray(digestAt)))
    throw refuse('its checksum differs')
  const store = createHashStore(count)
  for (let entry = 0; entry < count; entry++) {
    const at = hashesAt + entry * HASH_BYTES
    store.put(view.getUint32(HEADER_BYTES + entry * ID_BYTES, true), snapshot.subarray(at, at + HASH_BYTES))
  }
  return store
}

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
