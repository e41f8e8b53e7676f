// The commands of Touchstone as processes of their own, what they say and when, and what their readiness says.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

const BIN = fileURLToPath(new URL('../../scripts/touchstone.mjs', import.meta.url))

export interface Process {
  readonly child: ChildProcess
  readonly err: () => string
  /** What the first group matches in what it says, as soon as it does. */
  said(pattern: RegExp): Promise<string>
  readonly ended: Promise<number | null>
}

const running: Process[] = []

/** For `afterEach`: nothing of a failed test may live on. */
export async function killProcesses(): Promise<void> {
  for (const one of running.splice(0)) {
    one.child.kill('SIGKILL')
    await one.ended
  }
}

export function touchstone(command: string, env: Record<string, string>): Process {
  const child = spawn(process.execPath, [BIN, command], {
    env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', PORT: '0', METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const one: Process = {
    child,
    err: () => err,
    ended,
    said: (pattern) => until(`${command} says ${pattern}; it said ${err}`, async () => pattern.exec(err)?.[1]),
  }
  running.push(one)
  return one
}

/** A command that ends by itself: how, and what it printed. */
export async function ran(words: readonly string[], env: Record<string, string>) {
  return new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
    const settings = { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', PORT: '0', METRICS_PORT: '0', ...env }
    const child = execFile(process.execPath, [BIN, ...words], { env: settings }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

/** What `/readyz` says, by the name of the check. */
export async function checks(url: string) {
  const response = await fetch(`${url}/readyz`)
  const body = (await response.json()) as { checks: { name: string; ok: boolean; detail: string }[] }
  return { status: response.status, of: new Map(body.checks.map((check) => [check.name, check])) }
}
