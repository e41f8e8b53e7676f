// Runs a short-lived tool to its end; when it fails, the error has what it said last and not the length of a class path.
import { execFile } from 'node:child_process'
import { basename } from 'node:path'

const SHOWN_LINES = 20
/** A topic of a test, printed as JSON. */
const MOST_OUTPUT = 256 * 1024 * 1024

export interface Said {
  readonly out: string
  readonly err: string
}

/** `what` names the work in the error; killed after `limitMs`, which is for ever when left out. It has nothing to read. */
export function runProgram(program: string, args: readonly string[], what: string, limitMs = 0): Promise<Said> {
  const options = { cwd: '/', maxBuffer: MOST_OUTPUT, timeout: limitMs, killSignal: 'SIGKILL' } as const
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, out, err) => {
      if (error === null) return resolve({ out, err })
      const lines = `${out.slice(-10_000)}${err}`.trimEnd().split('\n').slice(-SHOWN_LINES)
      const end = error.code === 'ENOENT' ? 'is not there' : `ended with ${String(error.code ?? error.signal)}`
      reject(new Error([`${what}: ${basename(program)} ${end}`, ...lines].join('\n')))
    })
    // It may end without having read everything; its exit code says why.
    child.stdin?.on('error', () => {})
    child.stdin?.end()
  })
}
