// Runs a program that ends when this process does, however this process ends: nothing that a test starts outlives it.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'

/**
 * The shell starts the program and tells its id. Its second child waits for the end of the pipe that only this process
 * holds, and kills the program then. A handler of ours would not run on kill -9, and Linux's own way (a signal on the
 * parent's death) follows the thread that started the child, which may be a short-lived one in a test runner.
 */
const SCRIPT = `"$@" </dev/null 3<&- & program=$!
(read -r end <&3; kill -9 "$program") 2>/dev/null & watch=$!
echo "$program" >&3
wait "$program"; code=$?
kill "$watch" 2>/dev/null
exit "$code"`

/** Waits for the same end, and then removes the data; killed programs need a moment to let go of them. */
const REMOVE = 'read -r end; [ "$end" = done ] && exit; sleep 1; rm -rf "$1"; sleep 2; rm -rf "$1"'

export interface Guarded {
  readonly pid: number
  /** Resolves with the exit code, above 128 for a signal (143: asked to end). */
  readonly exited: Promise<number>
  hasExited(): boolean
  /** Does nothing when it has ended. */
  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
}

/** What the program says goes to the end of the file `log`. */
export async function startGuarded(program: string, args: readonly string[], log: string): Promise<Guarded> {
  const output = openSync(log, 'a')
  let child: ChildProcess
  try {
    // In a group of its own: Ctrl-C is for the tests, which then end it in order.
    child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', program, ...args], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', output, output, 'pipe'],
    })
  } finally {
    closeSync(output)
  }
  const pipe = child.stdio[3] as Socket
  pipe.on('error', () => {})
  let ended = false
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      ended = true
      pipe.destroy()
      resolve(code ?? 137)
    })
  })
  exited.catch(() => {})
  const pid = await Promise.race([
    new Promise<number>((resolve) => pipe.once('data', (id: Buffer) => resolve(Number(id.toString().trim())))),
    exited.then((code) => Promise.reject(new Error(`${program} ended at once with code ${code}`))),
  ])
  // Who forgets to stop it is not kept alive by it.
  child.unref()
  pipe.unref()
  return {
    pid,
    exited,
    hasExited: () => ended,
    signal: (signal) => {
      if (ended) return
      child.ref()
      try {
        process.kill(pid, signal)
      } catch (error) {
        // It ended by itself, and the shell has not told us yet.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    },
  }
}

/** Removes a folder when this process ends without having called what this returns. */
export function removeAfterUs(folder: string): () => void {
  const watch = spawn('/bin/sh', ['-c', REMOVE, 'sh', folder], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watch.unref()
  watch.stdin.on('error', () => {})
  ;(watch.stdin as Socket).unref()
  return () => watch.stdin.end('done\n')
}
