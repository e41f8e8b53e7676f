// Cuts the bytes of a Kafka connection into its frames, and reads the head of a request.

/** Numbers of Kafka's requests (https://kafka.apache.org/protocol#protocol_api_keys) that tests ask for. */
export const API = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  DescribeGroups: 15,
  ApiVersions: 18,
  CreateTopics: 19,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  DescribeConfigs: 32,
} as const
export type Api = keyof typeof API

export interface KafkaRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** With the four bytes of its length. */
  readonly bytes: Buffer
}

/** Every frame is a length of four bytes and so many bytes: hands each on as soon as it is whole. */
export function frameReader(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let held = 0
  let wanted = 4
  return (chunk) => {
    parts.push(chunk)
    held += chunk.length
    // A frame of megabytes comes in thousands of chunks: they are joined once, when it is whole.
    while (held >= wanted) {
      const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, held)
      const length = 4 + all.readInt32BE(0)
      if (held < length) {
        parts = [all]
        wanted = length
        return
      }
      parts = [all.subarray(length)]
      held -= length
      wanted = 4
      onFrame(all.subarray(0, length))
    }
  }
}

/** The head that every request has in every version; undefined for what is none, such as raw SASL tokens. */
export function readRequest(frame: Buffer): KafkaRequest | undefined {
  if (frame.length < 14) return undefined
  const length = frame.readInt16BE(12)
  if (length < -1 || 14 + length > frame.length) return undefined
  return {
    apiKey: frame.readInt16BE(4),
    apiVersion: frame.readInt16BE(6),
    correlationId: frame.readInt32BE(8),
    clientId: length === -1 ? null : frame.toString('utf8', 14, 14 + length),
    bytes: frame,
  }
}

/** Partitions that a request to produce is for: of one topic, behind header, transactional id, acks and time. Throws when it is for more topics. */
export function partitionsOf({ bytes }: KafkaRequest): number {
  const client = 12 + 2 + Math.max(0, bytes.readInt16BE(12))
  const transaction = client + 2 + Math.max(0, bytes.readInt16BE(client))
  const topics = transaction + 2 + 4
  if (bytes.readInt32BE(topics) !== 1) throw new Error(`the request is for ${bytes.readInt32BE(topics)} topics`)
  return bytes.readInt32BE(topics + 4 + 2 + bytes.readInt16BE(topics + 4))
}
