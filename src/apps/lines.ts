// Lines of a file or of standard input as bytes, in bounded memory: what is not UTF-8 must reach the parser untouched.
import { createReadStream } from 'node:fs'
import { TouchstoneError, messageOf } from '../errors.ts'

export interface Line {
  /** From 1. */
  readonly line: number
  /** Without the line feed; undefined when the line is longer than the limit (its bytes were let go). */
  readonly bytes: Buffer | undefined
  readonly length: number
  /** Bytes of the input read so far, for progress. */
  readonly read: number
}

const LF = 0x0a

/** `-` is standard input. Blank lines are skipped but counted. Throws `input-invalid` when the file cannot be read. */
export async function* readLines(path: string, maxBytes: number): AsyncGenerator<Line> {
  const stream: NodeJS.ReadableStream = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 })
  let parts: Buffer[] = []
  let length = 0
  let line = 0
  let read = 0
  const end = (): Line | undefined => {
    line += 1
    const whole = length > maxBytes ? undefined : Buffer.concat(parts)
    const result = { line, bytes: whole, length, read }
    parts = []
    length = 0
    return whole !== undefined && whole.toString('latin1').trim() === '' ? undefined : result
  }
  try {
    for await (const chunk of stream) {
      const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      let from = 0
      for (let at = data.indexOf(LF); at !== -1; at = data.indexOf(LF, from)) {
        take(data.subarray(from, at))
        read += at - from + 1
        from = at + 1
        const done = end()
        if (done !== undefined) yield done
      }
      take(data.subarray(from))
      read += data.length - from
    }
  } catch (error) {
    throw new TouchstoneError('input-invalid', `${path}: ${messageOf(error)}`, { cause: error })
  }
  if (length > 0) {
    const done = end()
    if (done !== undefined) yield done
  }

  function take(data: Buffer) {
    length += data.length
    if (length <= maxBytes) parts.push(data)
    else parts = []
  }
}
