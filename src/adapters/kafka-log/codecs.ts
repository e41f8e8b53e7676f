// Reads what producers compressed, by any of Kafka's four ways; what we write ourselves is never compressed.
import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'
import kafkajs from 'kafkajs'
import { messageOf, TouchstoneError } from '../../errors.ts'
import { unlz4 } from './lz4.ts'
import { unsnappy } from './snappy.ts'

// Brokers take batches of 1 MB by default and of some at most, as they are compressed: JSON shrinks ten- or twentyfold, so
// this is far above every honest one, and a hostile one cannot fill the memory.
const MOST_BYTES = 128 * 1024 * 1024

const inflate = promisify(gunzip)
const unzstd = promisify(zstdDecompress)

/** Unpacks one batch; throws `log-unreadable` when it cannot be, or is larger than `limit` bytes. */
export type Unpack = (input: Buffer, limit?: number) => Promise<Buffer>

export const UNPACK = {
  gzip: guarded('gzip', async (input, limit) => inflate(input, { maxOutputLength: limit })),
  snappy: guarded('snappy', async (input, limit) => unsnappy(input, limit)),
  lz4: guarded('lz4', async (input, limit) => unlz4(input, limit)),
  zstd: guarded('zstd', async (input, limit) => unzstd(input, { maxOutputLength: limit })),
} as const satisfies Record<string, Unpack>

function guarded(name: string, unpack: (input: Buffer, limit: number) => Promise<Buffer>): Unpack {
  return async (input, limit = MOST_BYTES) => {
    try {
      return await unpack(input, limit)
    } catch (error) {
      const message = `A batch that says it is ${name} cannot be unpacked: ${messageOf(error)}`
      throw Object.assign(new TouchstoneError('log-unreadable', message, { cause: error }), UNRETRIABLE)
    }
  }
}

// Without it kafkajs would fetch the same bytes again, and again.
const UNRETRIABLE = { retriable: false }

/** Tells kafkajs, once for the process: also its own gzip, which knows no limit. */
export function registerCodecs(): void {
  const { CompressionTypes: types, CompressionCodecs: codecs } = kafkajs
  codecs[types.GZIP] = codecOf(UNPACK.gzip)
  codecs[types.Snappy] = codecOf(UNPACK.snappy)
  codecs[types.LZ4] = codecOf(UNPACK.lz4)
  codecs[types.ZSTD] = codecOf(UNPACK.zstd)
}

function codecOf(unpack: Unpack): () => { compress(): Promise<never>; decompress(input: Buffer): Promise<Buffer> } {
  const codec = {
    compress: async (): Promise<never> => {
      throw new Error('This adapter reads compressed records and writes none')
    },
    decompress: async (input: Buffer) => unpack(input),
  }
  return () => codec
}
