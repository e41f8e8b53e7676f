// Runs one command's work on the store, beside a running `start` or by itself, and closes what it opened.
import { createReferenceStore } from '../../adapters/postgres/reference-store.ts'
import type { Config } from '../../config.ts'
import { readConfig } from '../../config.ts'
import type { ReferenceStore } from '../../rights/ports.ts'
import { seedReference } from '../seed.ts'
import { openDatabase, type OpenDatabase } from '../store.ts'

/** Who is named as the author of changes made on the command line. */
export const COMMAND_LINE = 'command line'

export async function withStore<T>(
  name: string,
  work: (store: OpenDatabase, reference: ReferenceStore, config: Config) => Promise<T>,
): Promise<T> {
  const config = readConfig(process.env)
  const store = await openDatabase(config, {
    applicationName: `touchstone ${name}`,
    say: (message) => process.stderr.write(`${message}\n`),
    onError: (error) => process.stderr.write(`database: ${error.message}\n`),
    beside: true,
  })
  try {
    const reference = createReferenceStore({ pool: store.database.reading, listener: store.database.listener })
    // Commands must be quick: what a newer version ships besides is added by the next start.
    if ((await reference.change()) === 0n) await seedReference(reference)
    return await work(store, reference, config)
  } finally {
    await store.close()
  }
}

/** One JSON document, or what a person reads. */
export function print(json: boolean | undefined, document: unknown, text: string): void {
  process.stdout.write(
    json === true ? `${JSON.stringify(document, null, 2)}\n` : text.endsWith('\n') ? text : `${text}\n`,
  )
}

/** To the person who calls, beside what was done. */
export const warn = ({ warnings }: { readonly warnings: readonly string[] }): void => {
  for (const warning of warnings) process.stderr.write(`Warning: ${warning}.\n`)
}

/** Columns as wide as their widest cell; numbers are given as text. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((h, i) => Math.max(h.length, ...rows.map((r) => r[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((c, i) => c.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(header), line(widths.map((w) => '-'.repeat(w))), ...rows.map(line)].join('\n') + '\n'
}
