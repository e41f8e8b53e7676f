// The life of a process that runs until told to stop: signals, failures, an ordered end within a bounded time, the exit code.
import { messageOf } from '../errors.ts'

/** A drain takes well under this; then the process ends all the same, and the next start goes on where the store is. */
const STOP_MS = 20_000
/** For what is still to be written to a pipe, and for pauses between tries that end by themselves. */
const LINGER_MS = 2_000
/** As a shell reports a process that Ctrl-C ended. */
const INTERRUPTED = 130

export interface Life {
  /** Aborted when the process is to end. */
  readonly signal: AbortSignal
  /** Progress for a person, on standard error. */
  say(message: string): void
  /** Ends the process in order, with exit code 1. */
  fail(message: string): void
  /** What was started last is stopped first. `what` is named if it does not stop in time. */
  onStop(what: string, stop: () => Promise<void>): void
}

/** Starts with `begin`, stays until a signal or a failure, stops everything, and resolves with the exit code. */
export async function live(begin: (life: Life) => Promise<void>): Promise<number> {
  const ending = new AbortController()
  const stops: { readonly what: string; readonly stop: () => Promise<void> }[] = []
  let code = 0
  const say = (message: string) => void process.stderr.write(`${message}\n`)
  const onSignal = (signal: NodeJS.Signals) => {
    if (ending.signal.aborted) {
      say('Ended at once; the next start goes on where the store is.')
      process.exit(INTERRUPTED)
    }
    say(`${signal}: finishing what is in hand (once more ends at once)`)
    ending.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    await begin({
      signal: ending.signal,
      say,
      fail(message) {
        code = 1
        say(`touchstone: ${message}`)
        ending.abort()
      },
      onStop: (what, stop) => void stops.push({ what, stop }),
    })
    if (!ending.signal.aborted)
      await new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve(), { once: true }))
  } finally {
    await end()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
  say('Stopped.')
  // Nothing should be left. What is left all the same is named, for it is a fault of ours, and must not keep the process.
  setTimeout(() => {
    say(`Ended although something was still open: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit(code)
  }, LINGER_MS).unref()
  return code

  async function end(): Promise<void> {
    let inHand = ''
    const timer = setTimeout(() => {
      say(`${inHand} did not stop within ${STOP_MS / 1000} s; ending all the same`)
      process.exit(1)
    }, STOP_MS)
    for (const { what, stop } of stops.reverse()) {
      inHand = what
      // What is left is still to be stopped: a server that we started must not outlive us.
      await stop().catch((error: unknown) => say(`${what} did not stop in order: ${messageOf(error)}`))
    }
    clearTimeout(timer)
  }
}
