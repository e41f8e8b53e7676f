// Which partition a key belongs to: the same answer as Kafka's Java client, so that a topic keeps its order whoever writes it.

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** Austin Appleby's MurmurHash2 with Kafka's seed, as `org.apache.kafka.common.utils.Utils.murmur2`: a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const blocks = length & ~3
  let h = SEED ^ length
  for (let i = 0; i < blocks; i += 4) {
    let k = byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    k = Math.imul(k, M)
    h = Math.imul(h, M) ^ k
  }
  const rest = length - blocks
  if (rest === 3) h ^= byteAt(bytes, blocks + 2) << 16
  if (rest >= 2) h ^= byteAt(bytes, blocks + 1) << 8
  if (rest >= 1) h = Math.imul(h ^ byteAt(bytes, blocks), M)
  h = Math.imul(h ^ (h >>> 13), M)
  return h ^ (h >>> 15)
}

/** Partition of a key among `partitions`, as Kafka's default partitioner does: the sign bit is cleared, not negated. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

// Every index above is inside the array.
const byteAt = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0
