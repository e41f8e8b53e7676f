// Whether a host lives, asked at its root: what it says there is no seller's choice, and whatever it is will do.
import type { Word } from './breaker.ts'
import type { Connections } from './connections.ts'
import { exchange } from './exchange.ts'
import type { HeldBytes } from './held-bytes.ts'
import { createStop, isTimeOut, unseen } from './outcome.ts'
import type { ReadTarget } from './target.ts'

/** Headers take well under a second; what asks for a picture is silent for a second by then and waits for two more. */
const QUESTION_MS = 2_000

/** Never rejects. Goes only where a picture's request may go, reads no body, and is ended with the connections. */
export async function question(
  origin: string,
  parts: { readonly readTarget: ReadTarget; readonly connections: Connections; readonly held: HeldBytes },
): Promise<Word> {
  const target = parts.readTarget(`${origin}/`)
  if (target.state === 'unseen') return 'unknown'
  const stop = createStop()
  const clock = setTimeout(() => stop.end(unseen('timed-out', 'no answer')), QUESTION_MS).unref()
  let isHeard = false
  try {
    const connection = await parts.connections.open(target, stop.signal, true)
    if (connection.state === 'unseen') return 'unknown'
    const heard = () => {
      isHeard = true
      stop.end(unseen('unreachable', 'nobody wants the rest'))
    }
    await exchange(connection, target, { validators: undefined, maxBytes: 0, held: parts.held, heard }, stop)
    return 'heard'
  } catch (error) {
    return isHeard ? 'heard' : stop.why !== undefined || isTimeOut(error) ? 'silent' : 'unknown'
  } finally {
    clearTimeout(clock)
  }
}
