// Progress on standard error: a bar on a terminal, a line now and then elsewhere; never on standard output.

export interface Progress {
  /** `done` and `total` in the same unit; total undefined: unknown. */
  update(done: number, total: number | undefined, note: string): void
  end(): void
}

const REDRAW_MS = 100
const LINE_MS = 5_000
const WIDTH = 24

export function createProgress(label: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  let last = 0
  let drawn = false
  return {
    update(done, total, note) {
      const now = performance.now()
      if (now - last < (stream.isTTY ? REDRAW_MS : LINE_MS)) return
      // The first line elsewhere comes only when the work turns out to be long.
      const first = last === 0
      last = now
      if (stream.isTTY) {
        const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total)
        const filled = Math.round((share ?? 0) * WIDTH)
        const bar =
          share === undefined
            ? ''
            : `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${String(Math.round(share * 100)).padStart(3)}% `
        stream.write(`\r\u001b[K${label} ${bar}${note}`)
        drawn = true
      } else if (!first) stream.write(`${label}: ${note}\n`)
    },
    end() {
      if (drawn) stream.write('\r\u001b[K')
    },
  }
}
