// The bytes of a file or of standard input, counted for progress.
import { createReadStream } from 'node:fs'
import { TouchstoneError, messageOf } from '../errors.ts'

export interface Input {
  readonly chunks: AsyncIterable<Uint8Array>
  /** Bytes given out so far. */
  read(): number
}

/** `-` is standard input. Reading throws `input-invalid` when the file cannot be read. */
export function openInput(path: string): Input {
  let read = 0
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const stream: NodeJS.ReadableStream =
      path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 })
    try {
      for await (const chunk of stream) {
        const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
        read += data.length
        yield data
      }
    } catch (error) {
      throw new TouchstoneError('input-invalid', `${path}: ${messageOf(error)}`, { cause: error })
    }
  }
  return { chunks: chunks(), read: () => read }
}
